/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* bench_json.h - a report as JSON (docs/benchmark.schema.json), and back. */
#ifndef NF_BENCH_JSON_H
#define NF_BENCH_JSON_H

#include <stdio.h>

#include "compute-client/bench/bench_report.h"

/* -EIO: the stream does not take it; -ENOMEM. */
int bench_json_write(const struct bench_report *r, FILE *out);
/* INVALID_ARGUMENT: not such a report, with the place. bench_report_done() in either case. */
int bench_json_read(const char *path, struct bench_report *ret, struct nf_error *err);

#endif
