/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench_html.h - a report as one page that needs nothing else: style and plots are inside, there is
 * no script, and it is light or dark as its reader's system is.
 */
#ifndef NF_BENCH_HTML_H
#define NF_BENCH_HTML_H

#include <stdio.h>

#include "compute-client/bench/bench_report.h"

/* 0 or -EIO. */
int bench_html_write(const struct bench_report *r, FILE *out);

#endif
