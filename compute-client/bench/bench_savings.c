/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_savings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/bench/bench_facts.h"
#include "compute-client/bench/bench_measure.h"
#include "compute-client/cmd/human.h"

enum { MAX_ENGINES = 8 };

double bench_break_even_link(double offload_seconds, double offload_bytes, double ship_seconds,
			     double ship_bytes)
{
	if (offload_seconds <= ship_seconds)
		return HUGE_VAL;
	if (ship_bytes <= offload_bytes)
		return 0;
	return 8 * (ship_bytes - offload_bytes) / offload_seconds;
}

static void add_link_break(struct bench_report *r, const struct bench_row *offload,
			   const struct bench_row *ship)
{
	double t_offload = offload->figures[FIGURE_SECONDS].median;
	double t_ship = ship->figures[FIGURE_SECONDS].median;
	double bits = bench_break_even_link(t_offload, offload->figures[FIGURE_WIRE].median, t_ship,
					    ship->figures[FIGURE_WIRE].median);
	struct bench_break_even *b = bench_report_break(r);
	char amount[32];

	b->section = offload->section;
	memcpy(b->engine, offload->engine, sizeof(b->engine));
	snprintf(b->name, sizeof(b->name), "link");
	b->has_value = isfinite(bits);
	b->value = b->has_value ? bits / 1e6 : 0;
	if (!b->has_value)
		snprintf(b->text, sizeof(b->text),
			 "offload is faster on every link: even on this one it is %.1f times as "
			 "fast",
			 t_ship / t_offload);
	else
		snprintf(b->text, sizeof(b->text),
			 "below %s Mbit/s offload is faster, above it shipping, which takes %.2f "
			 "of offload's time on this link",
			 bench_amount_text(b->value, amount), t_ship / t_offload);
}

/* At which share of matching records would an answer of one group per match be as large as the
 * data? Ungrouped answers do not grow. */
static void add_selectivity_break(struct bench_report *r, const struct bench_target *t,
				  const struct bench_row *offload, const struct bench_row *ship)
{
	const struct program *p = t->program->program;
	struct bench_break_even *b = bench_report_break(r);
	double records = offload->figures[FIGURE_RECORDS].median;
	double groups = offload->figures[FIGURE_GROUPS].median;
	double each = p->key_bytes + p->state_bytes;

	b->section = offload->section;
	memcpy(b->engine, offload->engine, sizeof(b->engine));
	snprintf(b->name, sizeof(b->name), "selectivity");
	if (!p->key_bytes) {
		snprintf(b->text, sizeof(b->text),
			 "none: the answer is one state of %u bytes, whatever share of the records "
			 "matches",
			 p->state_bytes);
		return;
	}
	if (records <= 0)
		return;
	b->value = 100 * ship->figures[FIGURE_WIRE].median / (records * each);
	b->has_value = b->value < 100;
	if (b->has_value)
		snprintf(
			b->text, sizeof(b->text),
			"offload sends more than the data once groups are more than %.3g %% of the "
			"records (each takes %.0f bytes); here they are %.3g %%",
			b->value, each, 100 * groups / records);
	else
		snprintf(
			b->text, sizeof(b->text),
			"none: a group takes %.0f bytes, a record %.0f: even a group per record is "
			"less than the data",
			each, offload->figures[FIGURE_SCANNED].median / records);
}

static void add_breaks(struct bench_report *r, const struct bench_target *t)
{
	for (unsigned i = 0; i < r->n_rows; i++) {
		const struct bench_row *offload = &r->rows[i];
		const struct bench_row *ship;

		if (offload->section != SECTION_SAVINGS || offload->way != WAY_OFFLOAD)
			continue;
		ship = bench_report_find(r, SECTION_SAVINGS, 0, WAY_SHIP, offload->engine);
		if (!ship)
			continue;
		add_link_break(r, offload, ship);
		add_selectivity_break(r, t, offload, ship);
	}
}

/* The first query of a connection: its set-up counts, and the program unless the node has it. */
static int first_query(struct bench_target *t, const char *engine, struct bench_report *r,
		       struct nf_error *err)
{
	struct bench_subject s = {t, WAY_OFFLOAD, engine};
	struct bench_contestant c = {.way = WAY_OFFLOAD, .run = bench_subject_run, .arg = &s};
	int ret;

	snprintf(c.engine, sizeof(c.engine), "%s", engine);
	ret = bench_rounds(&c, 1, 1, false, err);
	if (ret == 0)
		bench_rounds_report(&c, 1, SECTION_FIRST, 0, "", r);
	return ret;
}

static void note_interface(struct bench_report *r, const struct bench_target *t)
{
	if (t->interface.fd < 0)
		bench_report_note(r, "interface bytes: not counted: the connection does not go "
				     "through an interface of this machine (a UNIX socket)");
	else if (t->interface.is_lo)
		bench_report_note(r, "interface bytes are those of lo: whatever else this machine "
				     "sends over loopback meanwhile is in them");
}

static int measure(const struct bench_savings *o, struct bench_target *t, struct bench_report *r,
		   struct nf_error *err)
{
	static const char *const all[] = {"kernel", "jit", "interp"};
	bool only = o->engine && strcmp(o->engine, "auto") != 0;
	struct bench_subject subjects[2 * MAX_ENGINES];
	AUTO_FREE struct bench_contestant *list = calloc(2 * MAX_ENGINES, sizeof(*list));
	unsigned n = 0;
	int ret;

	if (!list)
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
	for (unsigned i = 0; i < (only ? 1 : ARRAY_SIZE(all)); i++) {
		for (unsigned way = 0; way < WAYS; way++) {
			subjects[n] = (struct bench_subject){t, (enum bench_way)way,
							     only ? o->engine : all[i]};
			list[n] = (struct bench_contestant){.way = (enum bench_way)way,
							    .run = bench_subject_run,
							    .arg = &subjects[n]};
			snprintf(list[n].engine, sizeof(list[n].engine), "%s", subjects[n].engine);
			n++;
		}
	}
	ret = first_query(t, only ? o->engine : "interp", r, err);
	if (ret == 0)
		ret = bench_rounds(list, n, o->rounds, true, err);
	if (ret == 0)
		bench_rounds_report(list, n, SECTION_SAVINGS, 0, "", r);
	return ret;
}

int bench_savings_run(const struct bench_savings *o, struct bench_report *r, struct nf_error *err)
{
	struct bench_target t = {
		.program = o->program,
		.dataset = o->dataset,
		.threads = o->threads,
		.range_start = o->range_start,
		.range_end = o->range_end,
		.cancel_fd = o->cancel_fd,
	};
	int ret = bench_target_open(&t, o->address, err);

	if (ret == 0) {
		char bytes[24];
		uint64_t scanned = o->range_end && o->range_end < t.total_bytes
					   ? o->range_end - o->range_start
					   : t.total_bytes - o->range_start;

		bench_report_fact(r, "data", "%s on %s, %s in this benchmark", o->dataset,
				  rpc_client_address(t.conn->rpc),
				  human_bytes((double)scanned, bytes));
		bench_facts_node(r, t.watch);
		ret = measure(o, &t, r, err);
	}
	if (ret == 0) {
		note_interface(r, &t);
		if (t.answers_differ)
			bench_report_note(
				r, "the answers were not the same bytes every time: does the "
				   "program depend on the order of records (doubles, FOLD_STOP)?");
		bench_report_compare(r);
		add_breaks(r, &t);
		ret = bench_report_whole(r, err);
	}
	bench_target_close(&t);
	return ret;
}
