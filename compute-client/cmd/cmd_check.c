/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/cmd/cmd_session.h"

static int cmd_check(const struct cmd_options *o)
{
	struct session s;
	struct nearfold_error err;
	int status = cmd_options_need_program(o);

	if (status != EXIT_DONE)
		return status;
	status = session_open(o, &s);
	if (status == EXIT_DONE) {
		char what[300];

		snprintf(what, sizeof(what), "refused: %s", o->program);
		if (nearfold_program_check(s.program, o->format, stdout, &err) < 0)
			status = cmd_failed(what, &err);
		else
			status = cmd_flush_output();
	}
	session_close(&s);
	return status;
}

const struct command command_check = {
	.name = "check",
	.bit = CMD_CHECK,
	.summary = "verify a program here: what is proven, what is guarded, or why it is refused",
	.usage = "PROG.bpf.o [--format FORMAT]",
	.examples = "  nearfold check average.bpf.o\n"
		    "  nearfold check grep_count.bpf.o --format lines\n",
	.run = cmd_check,
};
