/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * nearfold_status.c - what a node is doing: its queries, its counters, its limits.
 *
 * For people: a table of queries, and below it names with values. CSV is one table of names with
 * values, queries included; JSON is one object.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/scope.h"
#include "compute-client/client.h"
#include "compute-client/output_grid.h"

struct pair {
	const char *name;
	uint64_t value;
};

static const struct output_column query_columns[] = {
	{"query", "u64", OUTPUT_INTEGER},       {"identity", "text", OUTPUT_TEXT},
	{"dataset", "text", OUTPUT_TEXT},       {"engine", "text", OUTPUT_TEXT},
	{"state", "text", OUTPUT_TEXT},         {"bytes_done", "u64", OUTPUT_INTEGER},
	{"bytes_total", "u64", OUTPUT_INTEGER}, {"age_ms", "u64", OUTPUT_INTEGER},
	{"worker_pid", "s32", OUTPUT_INTEGER},
};

static void add_query(struct output_grid *g, const Nearfold__V1__QueryStatus *q)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", q->worker_pid);
	output_grid_unsigned(g, q->query_id);
	output_grid_text(g, q->identity);
	output_grid_text(g, q->dataset);
	output_grid_text(g, q->engine);
	output_grid_text(g, q->state);
	output_grid_unsigned(g, q->bytes_done);
	output_grid_unsigned(g, q->bytes_total);
	output_grid_unsigned(g, q->age_ns / NS_PER_MS);
	output_grid_text(g, pid);
}

static void put_members(struct json *j, const struct pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_key(j, pairs[i].name);
		json_unsigned(j, pairs[i].value);
	}
}

static void put_json(const Nearfold__V1__Status *s, const struct pair *counters, size_t n_counters,
		     const struct pair *limits, size_t n_limits, FILE *out)
{
	struct json j = {.out = out};

	json_open(&j, '{');
	json_key(&j, "version");
	json_string(&j, s->version);
	json_key(&j, "draining");
	json_bool(&j, s->draining);
	put_members(&j, counters, n_counters);
	json_newline(&j);
	json_key(&j, "limits");
	json_open(&j, '{');
	put_members(&j, limits, n_limits);
	json_close(&j, '}');
	json_newline(&j);
	json_key(&j, "queries");
	json_open(&j, '[');
	for (size_t i = 0; i < s->n_queries; i++) {
		const Nearfold__V1__QueryStatus *q = s->queries[i];

		json_newline(&j);
		json_open(&j, '{');
		json_key(&j, "query");
		json_unsigned(&j, q->query_id);
		json_key(&j, "identity");
		json_string(&j, q->identity);
		json_key(&j, "dataset");
		json_string(&j, q->dataset);
		json_key(&j, "engine");
		json_string(&j, q->engine);
		json_key(&j, "state");
		json_string(&j, q->state);
		json_key(&j, "bytes_done");
		json_unsigned(&j, q->bytes_done);
		json_key(&j, "bytes_total");
		json_unsigned(&j, q->bytes_total);
		json_key(&j, "age_ns");
		json_unsigned(&j, q->age_ns);
		json_key(&j, "worker_pid");
		json_unsigned(&j, q->worker_pid > 0 ? (uint64_t)q->worker_pid : 0);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	fputc('\n', out);
}

static void add_pairs(struct output_grid *g, const char *prefix, const struct pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s%s", prefix, pairs[i].name);
		output_grid_text(g, name);
		output_grid_unsigned(g, pairs[i].value);
	}
}

/* "query 12 state", "running" */
static void add_query_pairs(struct output_grid *pairs, const struct output_grid *queries)
{
	for (size_t i = 0; i < queries->n_cells; i++) {
		size_t column = i % queries->n_columns;
		char name[64];

		if (column == 0)
			continue;
		snprintf(name, sizeof(name), "query %s %s", queries->cells[i - column],
			 query_columns[column].name);
		output_grid_text(pairs, name);
		output_grid_text(pairs, queries->cells[i]);
	}
}

static int put_lists(const Nearfold__V1__Status *s, const struct pair *counters, size_t n_counters,
		     const struct pair *limits, size_t n_limits, enum nearfold_output form,
		     FILE *out)
{
	static const struct output_column pair_columns[] = {
		{"name", "text", OUTPUT_TEXT},
		{"value", "u64", OUTPUT_INTEGER},
	};
	struct output_grid queries = {.columns = query_columns,
				      .n_columns = ARRAY_SIZE(query_columns)};
	struct output_grid pairs = {.columns = pair_columns, .n_columns = ARRAY_SIZE(pair_columns)};

	int r = 0;

	for (size_t i = 0; i < s->n_queries; i++)
		add_query(&queries, s->queries[i]);
	output_grid_text(&pairs, "version");
	output_grid_text(&pairs, s->version);
	output_grid_text(&pairs, "draining");
	output_grid_text(&pairs, s->draining ? "yes" : "no");
	add_pairs(&pairs, "", counters, n_counters);
	add_pairs(&pairs, "limit ", limits, n_limits);
	if (form == NEARFOLD_CSV) {
		add_query_pairs(&pairs, &queries);
	} else if (s->n_queries > 0) {
		r = output_grid_write(&queries, form, out);
		fputc('\n', out);
	}
	if (r == 0)
		r = output_grid_write(&pairs, form, out);
	output_grid_done(&queries);
	output_grid_done(&pairs);
	return r;
}

static int put_status(const Nearfold__V1__Status *s, enum nearfold_output form, FILE *out)
{
	static const Nearfold__V1__Limits none = NEARFOLD__V1__LIMITS__INIT;
	const Nearfold__V1__Limits *l = s->limits ? s->limits : &none;
	AUTO_FREE struct pair *limits = calloc(l->n_all + 1, sizeof(*limits));
	const struct pair counters[] = {
		{"uptime_seconds", s->uptime_ns / NS_PER_SEC},
		{"connections", s->connections},
		{"programs_cached", s->programs_cached},
		{"codes_cached", s->codes_cached},
		{"code_bytes", s->code_bytes},
		{"spare_workers", s->spare_workers},
		{"queries_done", s->queries_done},
		{"queries_failed", s->queries_failed},
		{"bytes_scanned", s->bytes_scanned},
		{"bytes_sent", s->bytes_sent},
		{"resident_bytes", s->resident_bytes},
		{"cpu_ms", s->cpu_ns / NS_PER_MS},
	};

	if (!limits)
		return -ENOMEM;
	for (size_t i = 0; i < l->n_all; i++)
		limits[i] = (struct pair){l->all[i]->name, l->all[i]->value};
	if (form != NEARFOLD_JSON)
		return put_lists(s, counters, ARRAY_SIZE(counters), limits, l->n_all, form, out);
	put_json(s, counters, ARRAY_SIZE(counters), limits, l->n_all, out);
	return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}

static int get_status(struct nearfold_conn *c, Nearfold__V1__Status **ret,
		      struct nearfold_error *err)
{
	Nearfold__V1__GetStatusRequest m = NEARFOLD__V1__GET_STATUS_REQUEST__INIT;
	AUTO_FREE uint8_t *data = NULL;
	struct nf_error why = {0};
	size_t size;
	int r = client_call_unary(c, WIRE_GET_STATUS, &m.base, &data, &size, err);

	if (r < 0)
		return r;
	*ret = wire_unpack_status(data, size, &why);
	return *ret ? 0 : client_bad_reply(c, &why, err);
}

int client_node_counters(struct nearfold_conn *c, struct client_counters *ret,
			 struct nearfold_error *err)
{
	Nearfold__V1__Status *s;
	int r = get_status(c, &s, err);

	if (r < 0)
		return r;
	*ret = (struct client_counters){.bytes_sent = s->bytes_sent, .cpu_ns = s->cpu_ns};
	snprintf(ret->version, sizeof(ret->version), "%s", s->version);
	nearfold__v1__status__free_unpacked(s, NULL);
	return 0;
}

int nearfold_status_write(struct nearfold_conn *c, enum nearfold_output form, FILE *out,
			  struct nearfold_error *err)
{
	Nearfold__V1__Status *s;
	int r = get_status(c, &s, err);

	if (r < 0)
		return r;
	r = put_status(s, form, out);
	nearfold__v1__status__free_unpacked(s, NULL);
	return r == 0 ? 0 : client_fail(err, NF_INTERNAL, "output", "%s", strerror(-r));
}
