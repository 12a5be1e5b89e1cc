/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/client_sql.h"

/* The text says which data set, and the schema that it was compiled for which records. */
static int sql_defaults(const struct client_sql *s, struct nearfold_query *q,
			struct nearfold_error *err)
{
	if (q->schema && strcmp(q->schema, s->schema_text) != 0)
		return client_fail(err, NF_INVALID_ARGUMENT, "schema",
				   "the query was compiled for another one: leave it out");
	q->schema = s->schema_text;
	if (!q->dataset)
		q->dataset = s->plan->table;
	return 0;
}

int client_query_read(const struct nearfold_query *given, struct nearfold_query *ret,
		      struct nearfold_error *err)
{
	struct nearfold_query q = {0};

	if (given->size > sizeof(q))
		return client_fail(err, NF_INVALID_ARGUMENT, "query",
				   "this libnearfold (%s) is older than the program that uses it",
				   NEARFOLD_VERSION);
	memcpy(&q, given, given->size ? given->size : sizeof(q));
	if (!q.program)
		return client_fail(err, NF_INVALID_ARGUMENT, "query",
				   "no program; open one with nearfold_program_open()");
	if (q.program->sql) {
		int r = sql_defaults(q.program->sql, &q, err);

		if (r < 0)
			return r;
	}
	if (q.has_range && q.range_start >= q.range_end)
		return client_fail(err, NF_INVALID_ARGUMENT, "range",
				   "the range is empty; its end must be greater than its start");
	*ret = q;
	return 0;
}

struct relay {
	void (*progress)(void *arg, const struct nearfold_progress *p);
	void *arg;
};

static int relay_progress(void *arg, const struct nearfold_progress *p)
{
	struct relay *relay = arg;

	if (relay->progress)
		relay->progress(relay->arg, p);
	return 0;
}

static void free_partials(struct partials **p)
{
	partials_free(*p);
}

int nearfold_run(struct nearfold_conn *conn, const struct nearfold_query *query,
		 struct nearfold_result **ret, struct nearfold_error *err)
{
	AUTO(free_partials) struct partials *parts = NULL;
	struct nearfold_query q;
	struct nf_error why = {0};
	uint8_t *state;
	struct groups *groups;
	int r = client_query_read(query, &q, err);

	if (r < 0)
		return r;
	if (!conn)
		return client_run_local(&q, ret, err);
	if (!q.dataset)
		return client_fail(err, NF_INVALID_ARGUMENT, "query", "no data set is named");
	r = partials_new(q.program->program, q.instructions_per_record, q.max_groups, &parts, &why);
	if (r < 0)
		return client_error(err, &why, r);

	struct relay relay = {.progress = q.progress, .arg = q.progress_arg};
	struct client_execution x = {
		.query = &q, .parts = parts, .progress = relay_progress, .progress_arg = &relay};

	r = client_execute(conn, &x, err);
	if (r < 0)
		return r;
	partials_take(parts, &state, &groups);
	r = client_result_new(q.program, state, groups, &x.stats, ret, &why);
	if (r < 0) {
		free(state);
		groups_free(groups);
		client_error(err, &why, r);
		client_program_source(q.program, err);
		return r;
	}
	return 0;
}
