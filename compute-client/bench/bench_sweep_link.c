/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* bench_sweep_link.c - the same query over a cable of several speeds. */
#include <string.h>

#include "base/scope.h"
#include "compute-client/bench/bench_data.h"
#include "compute-client/bench/bench_sweep_internal.h"

struct link_speed {
	double mbit; /* 0: unshaped */
	const char *text;
	bool in_quick;
	enum sweep_path path;
};

static const struct link_speed speeds[] = {
	{100, "100 Mbit/s", true, PATH_CABLE},   {300, "300 Mbit/s", false, PATH_CABLE},
	{1000, "1 Gbit/s", true, PATH_CABLE},    {2500, "2.5 Gbit/s", false, PATH_CABLE},
	{10000, "10 Gbit/s", true, PATH_CABLE},  {25000, "25 Gbit/s", false, PATH_CABLE},
	{0, "unshaped cable", true, PATH_CABLE}, {0, "loopback", true, PATH_LOOPBACK},
};

enum {
	QUICK_BYTES = 16 << 20,
	SLOW_SECONDS = 10, /* shipping that takes longer is measured twice, without a warm-up */
};

/* An unshaped link stands at the speed that shipping reached on it, at best. */
static void place_unshaped(struct bench_report *r, unsigned first_row)
{
	double mbit = 0;

	for (unsigned i = first_row; i < r->n_rows; i++)
		if (r->rows[i].way == WAY_SHIP)
			mbit = 8e-6 * r->rows[i].figures[FIGURE_WIRE].median /
			       r->rows[i].figures[FIGURE_SECONDS].low;
	for (unsigned i = first_row; i < r->n_rows; i++)
		r->rows[i].x = mbit;
}

static int measure_speed(struct sweep *s, const struct link_speed *speed,
			 struct nearfold_program *prog, struct nf_error *err)
{
	const char *const one[] = {s->best, NULL};
	struct sweep_point p = {.section = SECTION_LINK,
				.x = speed->mbit,
				.x_text = s->o->address ? "the link as it is" : speed->text,
				.engines = one,
				.rounds = s->o->rounds};
	unsigned first_row = s->report->n_rows;
	struct bench_target t;
	int r = sweep_connect(s, speed->path, &t, err);

	if (r == 0)
		r = bench_target_program(&t, prog, err);
	if (r == 0) {
		if (s->o->quick && t.total_bytes > QUICK_BYTES)
			t.range_end = QUICK_BYTES;
		double bytes = (double)(t.range_end ? t.range_end : t.total_bytes);

		p.cold = speed->mbit > 0 && bytes * 8e-6 / speed->mbit > SLOW_SECONDS;
		if (p.cold && p.rounds > 2)
			p.rounds = 2;
		r = sweep_measure(s, &t, &p, err);
	}
	if (r == 0 && speed->mbit == 0)
		place_unshaped(s->report, first_row);
	bench_target_close(&t);
	return r;
}

int sweep_links(struct sweep *s, struct nf_error *err)
{
	struct nearfold_program *prog = NULL;
	int r = sweep_program("select", &prog, err);

	if (r == 0)
		r = sweep_param(prog, "bound", BENCH_PICK_RANGE / 2, err);
	if (r == 0 && s->o->address)
		bench_report_note(s->report, "link: other speeds are left out: only the cable "
					     "between namespaces of the benchmark's own is shaped; "
					     "leave out --node");
	for (unsigned i = 0; i < ARRAY_SIZE(speeds) && r == 0; i++) {
		const struct link_speed *speed = &speeds[i];

		if ((s->o->quick && !speed->in_quick) || (speed->path == PATH_CABLE && !s->has_ns))
			continue;
		if (speed->path == PATH_CABLE)
			r = bench_netns_shape(&s->ns, speed->mbit, err);
		if (r == 0)
			r = measure_speed(s, speed, prog, err);
	}
	nearfold_program_free(prog);
	return r;
}
