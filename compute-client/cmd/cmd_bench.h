/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* cmd_bench.h - what the bench subcommands share: rounds, errors, and the forms of a report. */
#ifndef NF_CMD_BENCH_H
#define NF_CMD_BENCH_H

#include "compute-client/bench/bench_report.h"
#include "compute-client/cmd/cmd_options.h"

unsigned bench_rounds_wanted(const struct cmd_options *o);
/* Prints; returns EXIT_FAILED. */
int bench_failed(const char *what, const struct nf_error *err);
/* Before anything is measured: can the files that the options name be written? EXIT_DONE, or a
 * message and EXIT_FAILED. */
int bench_outputs(const struct cmd_options *o);
/* The table on the terminal, and the files that the options ask for. The exit status. */
int bench_put(const struct cmd_options *o, const struct bench_report *r);

#endif
