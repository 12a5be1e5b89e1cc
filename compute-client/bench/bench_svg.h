/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench_svg.h - a plot as inline SVG. Colours are classes (s0 .. s5, grid, axis, mark) of the
 * page's style, so that it can be light and dark. Text is 12 units in a picture 420 wide, so that
 * it can be read in a column of 370 pixels.
 */
#ifndef NF_BENCH_SVG_H
#define NF_BENCH_SVG_H

#include <stdio.h>

#include "compute-client/bench/bench_plot.h"

void bench_svg_write(const struct bench_plot *p, FILE *out);
/* Text with <, &, > and quotes as entities. */
void bench_html_text(const char *text, FILE *out);

#endif
