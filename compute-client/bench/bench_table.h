/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* bench_table.h - a report as tables for a terminal. */
#ifndef NF_BENCH_TABLE_H
#define NF_BENCH_TABLE_H

#include <stdio.h>

#include "compute-client/bench/bench_report.h"

void bench_table_write(const struct bench_report *r, FILE *out);

/* "12.3x", "0.45x"; and its spread "11.9 .. 12.8". Returns buf. */
const char *bench_ratio_text(double ratio, char buf[32]);

#endif
