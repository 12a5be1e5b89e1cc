/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/cmd/cmd_answer.h"

/* A hint that needs the program: what its records are. */
static int need_format(const struct cmd_options *o)
{
	if (!o->local || o->format)
		return EXIT_DONE;
	return cmd_usage(
		"no format", "--local",
		"say what a record of the files is: --format fixed:N (N bytes each) or --format "
		"lines; nearfold check %s shows what the program wants",
		o->program);
}

static int run(const struct cmd_options *o)
{
	struct session s;
	char what[300];
	int status = session_open(o, &s);

	snprintf(what, sizeof(what), "cannot run %s", o->program);
	if (status == EXIT_DONE)
		status = cmd_answer(o, &s, what);
	session_close(&s);
	return status;
}

static int cmd_run(const struct cmd_options *o)
{
	int status = cmd_options_need_program(o);

	if (status == EXIT_DONE)
		status = cmd_options_where(o);
	if (status == EXIT_DONE)
		status = need_format(o);
	return status == EXIT_DONE ? run(o) : status;
}

const struct command command_run = {
	.name = "run",
	.bit = CMD_RUN,
	.summary = "run a program over a data set, beside the data, and print its answer",
	.usage = "PROG.bpf.o (--node ADDRESS[,...] --dataset NAME | --local FILE... --format "
		 "FORMAT)",
	.examples = "  nearfold run average.bpf.o --node storage1:7411 --dataset trades --stats\n"
		    "  nearfold run grep_count.bpf.o --local /var/log/*.log --format lines --param "
		    "word=error\n"
		    "  nearfold run group_by.bpf.o --node a,b,c --dataset trades --output csv "
		    ">groups.csv\n",
	.run = cmd_run,
};
