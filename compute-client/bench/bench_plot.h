/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench_plot.h - the plots of a report, as numbers: what the page's SVG and gnuplot's PNG draw.
 *
 *	lines  y over x, one line per way and engine
 *	bars   a group of bars per label, one bar per series
 */
#ifndef NF_BENCH_PLOT_H
#define NF_BENCH_PLOT_H

#include <stdbool.h>

#include "compute-client/bench/bench_report.h"

enum {
	PLOT_MAX_SERIES = 6,
	PLOT_MAX_POINTS = 24,
	PLOT_MAX = 12,
	PLOT_MAX_TICKS = 16,
};

struct bench_point {
	double x, y, low, high;
};

struct bench_series {
	char label[48];
	bool dashed; /* shipping */
	struct bench_point points[PLOT_MAX_POINTS];
	unsigned n;
};

struct bench_plot {
	char name[24]; /* of files */
	char title[96], x_label[64], y_label[48];
	char what[200]; /* a sentence for those who do not see it */
	bool bars, log_x, log_y;
	enum bench_figure figure; /* how to write a y value */
	struct bench_series series[PLOT_MAX_SERIES];
	unsigned n_series;
	char labels[PLOT_MAX_POINTS][40]; /* bars: of group x = 0, 1, ... */
	unsigned n_labels;
	bool has_mark; /* the break-even */
	double mark_x;
	char mark_text[64]; /* "": there is nothing to say; without a mark it stands alone */
};

/* All that the report has rows for; how many. plots is PLOT_MAX long. */
unsigned bench_plots_of(const struct bench_report *r, struct bench_plot *plots);

/* An axis: the smallest and the largest value, rounded outwards to what a person expects, and from
 * one label of a linear axis to the next (0 on a logarithmic one: the powers of ten). */
struct bench_axis {
	double low, high, step;
};

struct bench_axis bench_plot_axis_x(const struct bench_plot *p);
struct bench_axis bench_plot_axis_y(const struct bench_plot *p);

/* Where v is, from 0 (low) to 1 (high). */
double bench_axis_share(const struct bench_axis *a, double v);

/* Where an axis has labels, PLOT_MAX_TICKS at most; how many. */
unsigned bench_axis_ticks(const struct bench_axis *a, double *at);

/* What they say ("100", "10k"; "200 ms", "1 GB/s"): buf, or a constant. */
const char *bench_tick_x_text(double v, char buf[32]);
const char *bench_tick_y_text(const struct bench_plot *p, double v, char buf[32]);

#endif
