/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * cmd.h - the subcommands of `nearfold`, and how they end.
 *
 * Exit status: 0 done, 1 it failed (the message says what, where, and what to do), 2 usage.
 */
#ifndef NF_CMD_H
#define NF_CMD_H

#include "compute-client/nearfold.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct cmd_options;

/* Bits for the table of options. */
enum {
	CMD_RUN = 1 << 0,
	CMD_CHECK = 1 << 1,
	CMD_EXPLAIN = 1 << 2,
	CMD_DATASETS = 1 << 3,
	CMD_STATUS = 1 << 4,
	CMD_READ = 1 << 5,
	CMD_BENCH_SAVINGS = 1 << 6,
	CMD_BENCH_SWEEP = 1 << 7,
	CMD_BENCH_ENGINES = 1 << 8,
	CMD_BENCH_REPORT = 1 << 9,
	CMD_DEVICES = 1 << 10,
	CMD_QUERY = 1 << 11,
	CMD_BENCH = CMD_BENCH_SAVINGS | CMD_BENCH_SWEEP | CMD_BENCH_ENGINES | CMD_BENCH_REPORT,
};

struct command {
	const char *name;
	unsigned bit;
	const char *summary;
	const char *usage;                       /* what stands behind "nearfold NAME" */
	const char *examples;                    /* whole lines */
	int (*run)(const struct cmd_options *o); /* returns the exit status */
};

extern const struct command command_query, command_run, command_check, command_explain,
	command_datasets, command_status, command_read, command_bench_savings, command_bench_sweep,
	command_bench_engines, command_bench_report, command_devices;
/* All of them, ended by NULL. */
extern const struct command *const commands[];

/* "nearfold: WHAT: WHERE: what to do", on stderr; returns EXIT_USAGE. where NULL: left out. */
int cmd_usage(const char *what, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for a failed call: "nearfold: WHAT: where: text (CODE, query N)", and the source line.
 * Returns EXIT_FAILED. */
int cmd_failed(const char *what, const struct nearfold_error *err);
/* Everything printed arrived: EXIT_DONE, or a message and EXIT_FAILED. */
int cmd_flush_output(void);
/* After a call that asks and prints, with what it returned: the answer arrived, or cmd_failed()
 * with why there is none, or cmd_flush_output()'s message when there is one and it cannot be
 * written. */
int cmd_printed(int ret, const char *what, const struct nearfold_error *err);

void cmd_help(const struct command *c);
void cmd_help_all(void);

#endif
