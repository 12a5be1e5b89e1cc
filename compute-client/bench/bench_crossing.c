/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/bench/bench_sweep_internal.h"

static int by_x(const void *a, const void *b)
{
	double x = (*(const struct bench_ratio *const *)a)->x;
	double y = (*(const struct bench_ratio *const *)b)->x;

	return (x > y) - (x < y);
}

/* The section's ratios of that name in the order of x; how many. */
static unsigned ratios_of(const struct bench_report *r, enum bench_section section,
			  const char *engine, const char *name, const struct bench_ratio **ret)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->n_ratios; i++) {
		const struct bench_ratio *ratio = &r->ratios[i];

		if (ratio->section == section && strcmp(ratio->engine, engine) == 0 &&
		    strcmp(ratio->name, name) == 0 && ratio->stat.median > 0)
			ret[n++] = ratio;
	}
	qsort(ret, n, sizeof(*ret), by_x);
	return n;
}

static double between(double a, double b, double share, bool is_log)
{
	if (is_log && a > 0 && b > 0)
		return exp(log(a) + share * (log(b) - log(a)));
	return a + share * (b - a);
}

int bench_crossing(const struct bench_report *r, enum bench_section section, const char *engine,
		   const char *name, double *ret_x)
{
	AUTO_FREE const struct bench_ratio **list =
		calloc(r->n_ratios + 1, sizeof(const struct bench_ratio *));
	unsigned n = list ? ratios_of(r, section, engine, name, list) : 0;

	for (unsigned i = 0; i + 1 < n; i++) {
		double a = log(list[i]->stat.median), b = log(list[i + 1]->stat.median);

		if ((a > 0) == (b > 0))
			continue;
		*ret_x = between(list[i]->x, list[i + 1]->x, a / (a - b),
				 bench_sections[section].log_x);
		return 1;
	}
	return n > 0 && list[0]->stat.median < 1 ? -1 : 0;
}

struct wanted {
	enum bench_section section;
	const char *name;  /* of the break-even */
	const char *ratio; /* that passes 1 there */
	const char *what;
};

static void report_one(struct bench_report *r, const struct wanted *w, const char *engine)
{
	char amount[32];
	double x = 0;
	int found = bench_crossing(r, w->section, engine, w->ratio, &x);
	struct bench_break_even *b = bench_report_break(r);

	b->section = w->section;
	snprintf(b->engine, sizeof(b->engine), "%s", engine);
	snprintf(b->name, sizeof(b->name), "%s", w->name);
	b->has_value = found > 0;
	b->value = found > 0 ? x : 0;
	if (found > 0)
		snprintf(b->text, sizeof(b->text), "%s: both ways are even at %s %s", w->what,
			 bench_amount_text(x, amount), bench_sections[w->section].axis);
	else
		snprintf(b->text, sizeof(b->text), "%s: %s at every measured point", w->what,
			 found == 0 ? "offload is better" : "shipping is better");
}

void bench_crossings_report(struct bench_report *r)
{
	static const struct wanted list[] = {
		{SECTION_LINK, "link", "time", "time against link speed"},
		{SECTION_SELECTIVITY, "selectivity", "time", "time, one state as the answer"},
		{SECTION_ROWS, "selectivity", "time", "time, a group for every match"},
		{SECTION_ROWS, "bytes", "bytes", "bytes, a group for every match"},
		{SECTION_GROUPS, "groups", "time", "time against groups"},
		{SECTION_QUERIES, "queries", "time", "time against queries at once"},
	};
	static const char *const engine_names[] = {"kernel", "jit", "interp"};
	unsigned n_ratios = r->n_ratios;

	for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
		for (unsigned e = 0; e < ARRAY_SIZE(engine_names); e++) {
			bool any = false;

			for (unsigned k = 0; k < n_ratios && !any; k++)
				any = r->ratios[k].section == list[i].section &&
				      strcmp(r->ratios[k].engine, engine_names[e]) == 0;
			if (any)
				report_one(r, &list[i], engine_names[e]);
		}
	}
}
