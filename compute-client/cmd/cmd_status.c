/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/cmd/cmd_session.h"

static int cmd_status(const struct cmd_options *o)
{
	struct session s;
	struct nearfold_error err;
	int status = cmd_options_need_node(o);

	if (status != EXIT_DONE)
		return status;
	status = session_open(o, &s);
	if (status == EXIT_DONE)
		status = cmd_printed(nearfold_status_write(s.conns[0], o->output, stdout, &err),
				     "cannot ask for the status", &err);
	session_close(&s);
	return status;
}

const struct command command_status = {
	.name = "status",
	.bit = CMD_STATUS,
	.summary = "show what a node is doing: queries, counters, limits",
	.usage = "--node ADDRESS",
	.examples = "  nearfold status --node storage1:7411\n"
		    "  nearfold status --node storage1 --output json | jq .queries\n",
	.run = cmd_status,
};
