/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/cmd/cmd_session.h"

static int explain(const struct cmd_options *o, struct session *s)
{
	struct nearfold_query q = session_query(s, o);
	struct nearfold_error err;
	char what[300];

	snprintf(what, sizeof(what), "cannot explain %s", o->sql ? "the query" : o->program);
	for (unsigned i = 0; i < (s->n_conns ? s->n_conns : 1); i++) {
		if (i > 0)
			putchar('\n');
		if (nearfold_explain_write(s->n_conns ? s->conns[i] : NULL, &q, stdout, &err) < 0)
			return session_failed(s, what, &err);
	}
	if (o->disasm) {
		putchar('\n');
		nearfold_program_disasm(s->program, stdout);
	}
	return cmd_flush_output();
}

static int cmd_explain(const struct cmd_options *o)
{
	struct session s;
	int status = o->sql ? EXIT_DONE : cmd_options_need_program(o);

	if (status == EXIT_DONE)
		status = cmd_options_where(o);
	if (status == EXIT_DONE && o->local && !o->sql && !o->format)
		status = cmd_usage("no format", "--local",
				   "give --format fixed:N or --format lines");
	if (status != EXIT_DONE)
		return status;
	status = session_open(o, &s);
	if (status == EXIT_DONE)
		status = explain(o, &s);
	session_close(&s);
	return status;
}

const struct command command_explain = {
	.name = "explain",
	.bit = CMD_EXPLAIN,
	.summary = "say what would run where, and why; nothing is scanned",
	.usage = "PROG.bpf.o (--node ADDRESS[,...] --dataset NAME | --local FILE... --format "
		 "FORMAT)\n"
		 "nearfold explain --sql \"SELECT ...\" (--node ADDRESS[,...] | --local FILE... "
		 "--schema TEXT)",
	.examples =
		"  nearfold explain average.bpf.o --node storage1 --dataset trades\n"
		"  nearfold explain average.bpf.o --local trades.bin --format fixed:32 --disasm\n"
		"  nearfold explain --sql \"SELECT count(*) FROM trades\" --node storage1\n",
	.run = cmd_explain,
};
