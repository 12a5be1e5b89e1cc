/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* bench_gnuplot.h - each plot as a PNG for papers, through gnuplot. */
#ifndef NF_BENCH_GNUPLOT_H
#define NF_BENCH_GNUPLOT_H

#include "compute-client/bench/bench_report.h"

/* FOLDER/NAME.png, and NAME.gp, what gnuplot was given, to change and repeat. The folder is made.
 * FAILED_PRECONDITION: gnuplot is not installed (the .gp files are there). */
int bench_gnuplot_write(const struct bench_report *r, const char *folder, struct nf_error *err);

#endif
