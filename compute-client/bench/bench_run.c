/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void bench_sample_clear(struct bench_sample *s)
{
	for (unsigned f = 0; f < FIGURES; f++)
		s->v[f] = NAN;
}

static int run_one(struct bench_contestant *c, struct bench_sample *ret, struct nf_error *err)
{
	bench_sample_clear(ret);
	return c->run(c->arg, ret, err);
}

static int warm(struct bench_contestant *list, unsigned n, struct nf_error *err)
{
	struct bench_sample ignored;
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++) {
		struct bench_contestant *c = &list[i];
		int r = c->is_out ? -1 : run_one(c, &ignored, &c->out);

		if (r < 0 && c->out.code == NF_CANCELLED) {
			*err = c->out;
			return r;
		}
		c->is_out = r < 0;
		left += r == 0;
	}
	if (left > 0 || n == 0)
		return 0;
	*err = list[0].out;
	return -nf_code_errno(err->code);
}

int bench_rounds(struct bench_contestant *list, unsigned n, unsigned rounds, bool warm_up,
		 struct nf_error *err)
{
	int r = warm_up ? warm(list, n, err) : 0;

	if (rounds > BENCH_MAX_ROUNDS)
		rounds = BENCH_MAX_ROUNDS;
	for (unsigned round = 0; round < rounds && r == 0; round++) {
		for (unsigned i = 0; i < n && r == 0; i++) {
			struct bench_contestant *c = &list[round % 2 ? n - 1 - i : i];

			if (!c->is_out)
				r = run_one(c, &c->samples[c->n], err);
			if (!c->is_out && r == 0)
				c->n++;
		}
	}
	return r;
}

static struct bench_row *row_of(struct bench_report *r, const struct bench_contestant *c,
				enum bench_section section, double x, const char *x_text)
{
	for (unsigned i = 0; i < r->n_rows; i++) {
		struct bench_row *row = &r->rows[i];

		if (row->section == section && row->way == c->way &&
		    strcmp(row->x_text, x_text) == 0 && strcmp(row->engine, c->engine) == 0)
			return row;
	}

	struct bench_row *row = bench_report_row(r);

	row->section = section;
	row->x = x;
	snprintf(row->x_text, sizeof(row->x_text), "%s", x_text);
	row->way = c->way;
	snprintf(row->engine, sizeof(row->engine), "%s", c->engine);
	return row;
}

static void add_samples(struct bench_row *row, const struct bench_contestant *c)
{
	for (unsigned i = 0; i < c->n && row->n_samples < BENCH_MAX_ROUNDS; i++) {
		for (unsigned f = 0; f < FIGURES; f++)
			row->samples[f][row->n_samples] = c->samples[i].v[f];
		row->n_samples++;
	}
	for (unsigned f = 0; f < FIGURES; f++)
		row->figures[f] = bench_stat_of(row->samples[f], row->n_samples);
}

void bench_rounds_report(const struct bench_contestant *list, unsigned n,
			 enum bench_section section, double x, const char *x_text,
			 struct bench_report *r)
{
	for (unsigned i = 0; i < n; i++) {
		const struct bench_contestant *c = &list[i];
		char why[sizeof(c->out.where) + sizeof(c->out.text) + 8];

		if (c->is_out) {
			nf_error_message(&c->out, why, sizeof(why));
			bench_report_note(r, "%s%s%s: left out: %s with %s: %s",
					  bench_sections[section].name, x_text[0] ? " " : "",
					  x_text, bench_ways[c->way], c->engine, why);
			continue;
		}
		if (c->n > 0)
			add_samples(row_of(r, c, section, x, x_text), c);
	}
}
