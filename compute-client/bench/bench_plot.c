/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/scope.h"

/* ---- which plots there are ------------------------------------------------------------------- */

static const struct line_plot {
	const char *name;
	enum bench_section section;
	enum bench_figure figure;
	bool log_y;
	const char *title, *y_label;
	const char *mark; /* name of the break-even that is marked, or NULL */
} line_plots[] = {
	{"time_link", SECTION_LINK, FIGURE_SECONDS, true, "Time against link speed", "time",
	 "link"},
	{"bytes_selectivity", SECTION_ROWS, FIGURE_WIRE, true,
	 "Bytes on the wire, every match comes back", "bytes, both directions", "bytes"},
	{"time_selectivity", SECTION_SELECTIVITY, FIGURE_SECONDS, true,
	 "Time against selectivity, one state as the answer", "time", NULL},
	{"time_rows", SECTION_ROWS, FIGURE_SECONDS, true,
	 "Time against selectivity, every match comes back", "time", "selectivity"},
	{"bytes_state", SECTION_STATE, FIGURE_WIRE, true,
	 "Bytes on the wire against size of the state", "bytes, both directions", NULL},
	{"bytes_groups", SECTION_GROUPS, FIGURE_WIRE, true, "Bytes on the wire against groups",
	 "bytes, both directions", NULL},
	{"time_groups", SECTION_GROUPS, FIGURE_SECONDS, true, "Time against groups", "time",
	 "groups"},
	{"rate_queries", SECTION_QUERIES, FIGURE_RATE, false, "Scaling with queries at once",
	 "scanned by all together", NULL},
};

static struct bench_series *series_of(struct bench_plot *p, const char *label, bool dashed)
{
	for (unsigned i = 0; i < p->n_series; i++)
		if (strcmp(p->series[i].label, label) == 0)
			return &p->series[i];
	if (p->n_series == PLOT_MAX_SERIES)
		return NULL;
	snprintf(p->series[p->n_series].label, sizeof(p->series[0].label), "%s", label);
	p->series[p->n_series].dashed = dashed;
	return &p->series[p->n_series++];
}

static void add_point(struct bench_series *s, double x, const struct bench_stat *stat)
{
	unsigned i;

	if (!s || s->n == PLOT_MAX_POINTS || stat->n == 0)
		return;
	/* In the order of x. */
	for (i = s->n++; i > 0 && s->points[i - 1].x > x; i--)
		s->points[i] = s->points[i - 1];
	s->points[i] = (struct bench_point){x, stat->median, stat->low, stat->high};
}

static bool log_fits(const struct bench_plot *p, bool of_x)
{
	for (unsigned i = 0; i < p->n_series; i++)
		for (unsigned k = 0; k < p->series[i].n; k++)
			if ((of_x ? p->series[i].points[k].x : p->series[i].points[k].low) <= 0)
				return false;
	return true;
}

static void mark(const struct bench_report *r, const struct line_plot *l, struct bench_plot *p)
{
	const char *axis = bench_sections[l->section].axis;
	char amount[32];

	for (unsigned i = 0; i < r->n_breaks && l->mark; i++) {
		const struct bench_break_even *b = &r->breaks[i];

		if (b->section != l->section || strcmp(b->name, l->mark) != 0)
			continue;
		p->has_mark = b->has_value;
		p->mark_x = b->value;
		if (b->has_value)
			snprintf(p->mark_text, sizeof(p->mark_text), "even at %s%s%s",
				 bench_amount_text(b->value, amount), axis[0] == '%' ? "" : " ",
				 axis[0] == '%' ? "%" : axis);
		else
			snprintf(p->mark_text, sizeof(p->mark_text), "no break-even");
		return;
	}
}

static bool make_lines(const struct bench_report *r, const struct line_plot *l,
		       struct bench_plot *p)
{
	*p = (struct bench_plot){.figure = l->figure};
	snprintf(p->name, sizeof(p->name), "%s", l->name);
	snprintf(p->title, sizeof(p->title), "%s", l->title);
	snprintf(p->y_label, sizeof(p->y_label), "%s", l->y_label);
	snprintf(p->x_label, sizeof(p->x_label), "%s", bench_sections[l->section].axis);
	for (unsigned i = 0; i < r->n_rows; i++) {
		const struct bench_row *row = &r->rows[i];
		char label[48];

		if (row->section != l->section)
			continue;
		snprintf(label, sizeof(label), "%s, %s", bench_ways[row->way], row->engine);
		add_point(series_of(p, label, row->way == WAY_SHIP), row->x,
			  &row->figures[l->figure]);
	}
	if (p->n_series == 0 || p->series[0].n < 2)
		return false;
	p->log_x = bench_sections[l->section].log_x && log_fits(p, true);
	p->log_y = l->log_y && log_fits(p, false);
	mark(r, l, p);
	snprintf(p->what, sizeof(p->what), "Lines of %s over %s, one per way and engine%s%s.",
		 p->y_label, p->x_label, p->mark_text[0] ? "; " : "", p->mark_text);
	return true;
}

/* ---- bars ------------------------------------------------------------------------------------ */

static unsigned label_of(struct bench_plot *p, const char *text)
{
	for (unsigned i = 0; i < p->n_labels; i++)
		if (strcmp(p->labels[i], text) == 0)
			return i;
	if (p->n_labels == PLOT_MAX_POINTS)
		return PLOT_MAX_POINTS - 1;
	snprintf(p->labels[p->n_labels], sizeof(p->labels[0]), "%s", text);
	return p->n_labels++;
}

/* The rows that stand for all: the query itself, or half of the records. */
static bool stands_for_all(const struct bench_row *row)
{
	return row->section == SECTION_SAVINGS ||
	       (row->section == SECTION_SELECTIVITY && row->x == 50);
}

static struct bench_stat per_gigabyte(const struct bench_row *row, enum bench_figure f)
{
	struct bench_stat s = row->figures[f];
	double gb = row->figures[FIGURE_SCANNED].median / 1e9;

	if (s.n == 0 || gb <= 0)
		return (struct bench_stat){0};
	return (struct bench_stat){s.median / gb, s.low / gb, s.high / gb, s.n};
}

static bool make_cpu(const struct bench_report *r, struct bench_plot *p)
{
	*p = (struct bench_plot){
		.name = "cpu_per_gb",
		.title = "CPU time per GB scanned",
		.y_label = "CPU seconds per GB",
		.what = "Bars of CPU time per gigabyte on the node and on the client, by way and "
			"engine.",
		.bars = true,
		.figure = FIGURE_NODE_CPU,
	};
	for (unsigned i = 0; i < r->n_rows; i++) {
		const struct bench_row *row = &r->rows[i];
		struct bench_stat node = per_gigabyte(row, FIGURE_NODE_CPU);
		struct bench_stat client = per_gigabyte(row, FIGURE_CLIENT_CPU);
		char label[40];

		if (!stands_for_all(row))
			continue;
		snprintf(label, sizeof(label), "%s %s", bench_ways[row->way], row->engine);
		unsigned at = label_of(p, label);

		add_point(series_of(p, "on the node", false), at, &node);
		add_point(series_of(p, "on the client", true), at, &client);
	}
	return p->n_labels > 0;
}

/* One bar per way, a group per engine. */
static bool make_savings(const struct bench_report *r, enum bench_figure f, const char *name,
			 const char *title, bool log_y, struct bench_plot *p)
{
	*p = (struct bench_plot){.bars = true, .figure = f, .log_y = log_y};
	snprintf(p->name, sizeof(p->name), "%s", name);
	snprintf(p->title, sizeof(p->title), "%s", title);
	snprintf(p->y_label, sizeof(p->y_label), "%s", bench_figures[f].title);
	snprintf(p->what, sizeof(p->what), "Bars, offload beside shipping, by engine.");
	for (unsigned i = 0; i < r->n_rows; i++) {
		const struct bench_row *row = &r->rows[i];

		if (row->section == SECTION_SAVINGS)
			add_point(series_of(p, bench_ways[row->way], row->way == WAY_SHIP),
				  label_of(p, row->engine), &row->figures[f]);
	}
	p->log_y = p->log_y && log_fits(p, false);
	return p->n_labels > 0;
}

static bool make_engines(const struct bench_report *r, struct bench_plot *p)
{
	*p = (struct bench_plot){
		.name = "engines",
		.title = "One core, by engine",
		.y_label = "scanned per second",
		.what = "Bars of bytes per second on one core, by workload and engine.",
		.bars = true,
		.figure = FIGURE_RATE,
	};
	for (unsigned i = 0; i < r->n_rows; i++) {
		const struct bench_row *row = &r->rows[i];

		if (row->section == SECTION_ENGINES)
			add_point(series_of(p, row->engine, false), label_of(p, row->x_text),
				  &row->figures[FIGURE_RATE]);
	}
	return p->n_labels > 0;
}

unsigned bench_plots_of(const struct bench_report *r, struct bench_plot *plots)
{
	unsigned n = 0;

	n += make_savings(r, FIGURE_WIRE, "bytes_saved", "Bytes on the wire", true, &plots[n]);
	n += make_savings(r, FIGURE_SECONDS, "time", "Time", false, &plots[n]);
	for (unsigned i = 0; i < ARRAY_SIZE(line_plots) && n < PLOT_MAX - 2; i++)
		n += make_lines(r, &line_plots[i], &plots[n]);
	n += make_cpu(r, &plots[n]);
	n += make_engines(r, &plots[n]);
	return n;
}

/* ---- axes ------------------------------------------------------------------------------------ */

/* Between two labels: 1, 2 or 5 times a power of ten, at least three times within span. */
static double step_of(double span)
{
	double power = pow(10, floor(log10(span))), times = span / power;

	return times >= 6 ? 2 * power : times >= 3 ? power : times >= 1.5 ? power / 2 : power / 5;
}

static void widen(struct bench_axis *a, bool is_log)
{
	if (is_log) {
		a->low = pow(10, floor(log10(a->low) + 1e-9));
		a->high = pow(10, ceil(log10(a->high) - 1e-9));
		if (a->high <= a->low)
			a->high = 10 * a->low;
		return;
	}
	if (a->high <= a->low)
		a->high = a->low + 1;
	a->step = step_of(a->high - a->low);
	a->low = floor(a->low / a->step + 1e-9) * a->step;
	a->high = ceil(a->high / a->step - 1e-9) * a->step;
}

struct bench_axis bench_plot_axis_x(const struct bench_plot *p)
{
	struct bench_axis a = {.low = INFINITY, .high = -INFINITY};

	for (unsigned i = 0; i < p->n_series; i++) {
		for (unsigned k = 0; k < p->series[i].n; k++) {
			a.low = fmin(a.low, p->series[i].points[k].x);
			a.high = fmax(a.high, p->series[i].points[k].x);
		}
	}
	widen(&a, p->log_x);
	return a;
}

struct bench_axis bench_plot_axis_y(const struct bench_plot *p)
{
	struct bench_axis a = {.low = p->log_y ? INFINITY : 0};

	for (unsigned i = 0; i < p->n_series; i++) {
		for (unsigned k = 0; k < p->series[i].n; k++) {
			a.low = fmin(a.low, p->series[i].points[k].low);
			a.high = fmax(a.high, p->series[i].points[k].high);
		}
	}
	widen(&a, p->log_y);
	/* Bars grow from the bottom: a lowest one must be seen. */
	if (p->log_y && p->bars)
		a.low /= 10;
	return a;
}

double bench_axis_share(const struct bench_axis *a, double v)
{
	return a->step > 0 ? (v - a->low) / (a->high - a->low)
			   : (log(v) - log(a->low)) / (log(a->high) - log(a->low));
}

unsigned bench_axis_ticks(const struct bench_axis *a, double *at)
{
	unsigned n = 0;

	if (a->step > 0) {
		double steps = floor((a->high - a->low) / a->step + 0.5);

		while (n <= steps && n < PLOT_MAX_TICKS) {
			at[n] = a->low + a->step * n;
			n++;
		}
	} else {
		double decades = log10(a->high / a->low), step = ceil((decades - 1e-9) / 6);

		while (step * n <= decades + 1e-9 && n < PLOT_MAX_TICKS) {
			at[n] = a->low * pow(10, step * n);
			n++;
		}
	}
	return n;
}

/* 10.0 ms is a measured 10 ms; on an axis it is 10 ms. */
static void drop_zeroes(char *text)
{
	char *end = strchr(text, '.'), *p = end;

	if (!end)
		return;
	for (p++; *p >= '0' && *p <= '9'; p++)
		if (*p != '0')
			end = p + 1;
	memmove(end, p, strlen(p) + 1);
}

const char *bench_tick_y_text(const struct bench_plot *p, double v, char buf[32])
{
	if (v == 0)
		return "0";
	bench_figure_text(p->figure, v, buf);
	drop_zeroes(buf);
	return buf;
}

const char *bench_tick_x_text(double v, char buf[32])
{
	if (v >= 1e6)
		snprintf(buf, 32, "%gM", v / 1e6);
	else if (v >= 1e4)
		snprintf(buf, 32, "%gk", v / 1e3);
	else
		snprintf(buf, 32, "%g", v);
	return buf;
}
