/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_report.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compute-client/cmd/human.h"

/* clang-format off */
const struct bench_figure_row bench_figures[FIGURES] = {
	[FIGURE_SECONDS] =         {"seconds", "time", 's'},
	[FIGURE_CLIENT_SENT] =     {"client_sent_bytes", "client sent", 'B'},
	[FIGURE_CLIENT_RECEIVED] = {"client_received_bytes", "client received", 'B'},
	[FIGURE_WIRE] =            {"wire_bytes", "on the wire", 'B'},
	[FIGURE_NODE_SENT] =       {"node_sent_bytes", "node sent", 'B'},
	[FIGURE_INTERFACE] =       {"interface_bytes", "interface", 'B'},
	[FIGURE_NODE_CPU] =        {"node_cpu_seconds", "node CPU", 's'},
	[FIGURE_CLIENT_CPU] =      {"client_cpu_seconds", "client CPU", 's'},
	[FIGURE_SCANNED] =         {"scanned_bytes", "scanned", 'B'},
	[FIGURE_RATE] =            {"bytes_per_second", "rate", 'r'},
	[FIGURE_RECORDS] =         {"records", "records", 'n'},
	[FIGURE_MATCHED] =         {"matched", "matched", 'n'},
	[FIGURE_GROUPS] =          {"groups", "groups", 'n'},
	[FIGURE_THREADS] =         {"threads", "threads", 'n'},
	[FIGURE_RECORD_RATE] =     {"records_per_second", "records/s", 'R'},
	[FIGURE_PREPARE] =         {"prepare_seconds", "prepare", 's'},
};

const struct bench_section_row bench_sections[SECTIONS] = {
	[SECTION_SAVINGS] =     {"savings", "The query", "", false},
	[SECTION_FIRST] =       {"first", "The first query, the program sent with it", "", false},
	[SECTION_LINK] =        {"link", "Link speed", "Mbit/s", true},
	[SECTION_SELECTIVITY] = {"selectivity", "Selectivity, one state", "% of the records pass", false},
	[SECTION_ROWS] =        {"rows", "Selectivity, every match comes back as a group",
				 "% of the records pass", false},
	[SECTION_STATE] =       {"state", "Size of the state", "bytes of state", true},
	[SECTION_GROUPS] =      {"groups", "Groups", "groups", true},
	[SECTION_QUERIES] =     {"queries", "Queries at once", "queries at once", true},
	[SECTION_ENGINES] =     {"engines", "Engines over memory, one core", "", false},
};
/* clang-format on */

const char *const bench_ways[WAY_NAMES] = {"offload", "ship", "local"};

void bench_report_done(struct bench_report *r)
{
	free(r->facts);
	free(r->rows);
	free(r->ratios);
	free(r->breaks);
	free(r->constants);
	free(r->notes);
	memset(r, 0, sizeof(*r));
}

int bench_report_whole(const struct bench_report *r, struct nf_error *err)
{
	return r->no_memory ? nf_error_set(err, NF_RESOURCE_EXHAUSTED, "this process",
					   "out of memory for the report")
			    : 0;
}

/* One more item, zeroed. */
static void *grow(struct bench_report *r, void *items, unsigned *n, size_t size, void *spare)
{
	void **list = items;
	char *grown = realloc(*list, (*n + 1) * size);

	if (!grown) {
		r->no_memory = true;
		return spare;
	}
	*list = grown;
	return memset(grown + (*n)++ * size, 0, size);
}

struct bench_row *bench_report_row(struct bench_report *r)
{
	static struct bench_row spare;

	return grow(r, &r->rows, &r->n_rows, sizeof(spare), &spare);
}

struct bench_ratio *bench_report_ratio(struct bench_report *r)
{
	static struct bench_ratio spare;

	return grow(r, &r->ratios, &r->n_ratios, sizeof(spare), &spare);
}

struct bench_break_even *bench_report_break(struct bench_report *r)
{
	static struct bench_break_even spare;

	return grow(r, &r->breaks, &r->n_breaks, sizeof(spare), &spare);
}

struct bench_constant *bench_report_constant(struct bench_report *r)
{
	static struct bench_constant spare;

	return grow(r, &r->constants, &r->n_constants, sizeof(spare), &spare);
}

void bench_report_note(struct bench_report *r, const char *fmt, ...)
{
	static char spare[sizeof(*r->notes)];
	char text[sizeof(*r->notes)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (unsigned i = 0; i < r->n_notes; i++)
		if (strcmp(r->notes[i], text) == 0)
			return;
	memcpy(grow(r, &r->notes, &r->n_notes, sizeof(text), spare), text, sizeof(text));
}

void bench_report_fact(struct bench_report *r, const char *name, const char *fmt, ...)
{
	static struct bench_fact spare;
	struct bench_fact *fact = grow(r, &r->facts, &r->n_facts, sizeof(spare), &spare);
	va_list ap;

	snprintf(fact->name, sizeof(fact->name), "%s", name);
	va_start(ap, fmt);
	vsnprintf(fact->value, sizeof(fact->value), fmt, ap);
	va_end(ap);
}

const char *bench_report_fact_value(const struct bench_report *r, const char *name)
{
	for (unsigned i = 0; i < r->n_facts; i++)
		if (strcmp(r->facts[i].name, name) == 0)
			return r->facts[i].value;
	return "";
}

const struct bench_row *bench_report_find(const struct bench_report *r, enum bench_section section,
					  double x, enum bench_way way, const char *engine)
{
	for (unsigned i = 0; i < r->n_rows; i++) {
		const struct bench_row *row = &r->rows[i];

		if (row->section == section && row->x == x && row->way == way &&
		    strcmp(row->engine, engine) == 0)
			return row;
	}
	return NULL;
}

static void add_ratio(struct bench_report *r, const char *name, enum bench_figure f,
		      const struct bench_row *ship, const struct bench_row *offload)
{
	struct bench_stat stat = bench_stat_ratio(&ship->figures[f], &offload->figures[f]);

	if (stat.n == 0)
		return;

	struct bench_ratio *ratio = bench_report_ratio(r);

	ratio->section = ship->section;
	ratio->x = ship->x;
	ratio->stat = stat;
	memcpy(ratio->x_text, ship->x_text, sizeof(ratio->x_text));
	memcpy(ratio->engine, ship->engine, sizeof(ratio->engine));
	snprintf(ratio->name, sizeof(ratio->name), "%s", name);
}

void bench_report_compare(struct bench_report *r)
{
	for (unsigned i = 0; i < r->n_rows; i++) {
		const struct bench_row *ship = &r->rows[i];
		const struct bench_row *offload =
			ship->way == WAY_SHIP ? bench_report_find(r, ship->section, ship->x,
								  WAY_OFFLOAD, ship->engine)
					      : NULL;

		if (!offload)
			continue;
		add_ratio(r, "time", FIGURE_SECONDS, ship, offload);
		add_ratio(r, "bytes", FIGURE_WIRE, ship, offload);
	}
}

const char *bench_amount_text(double v, char buf[32])
{
	if (v >= 1000) {
		double unit = pow(10, floor(log10(v)) - 2);

		snprintf(buf, 32, "%.0f", round(v / unit) * unit);
	} else {
		snprintf(buf, 32, "%.3g", v);
	}
	return buf;
}

const char *bench_figure_text(enum bench_figure f, double value, char buf[32])
{
	char text[24];

	switch (bench_figures[f].unit) {
	case 's':
		return human_seconds(value, buf);
	case 'B':
		snprintf(buf, 32, "%s", human_bytes(value, text));
		return buf;
	case 'r':
		snprintf(buf, 32, "%s/s", human_bytes(value, text));
		return buf;
	case 'R':
		snprintf(buf, 32, "%.3g M/s", value / 1e6);
		return buf;
	default:
		snprintf(buf, 32, "%.0f", value);
		return buf;
	}
}
