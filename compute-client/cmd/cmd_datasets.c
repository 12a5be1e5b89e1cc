/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/cmd/cmd_session.h"

static int cmd_datasets(const struct cmd_options *o)
{
	struct session s;
	struct nearfold_error err;
	int status = cmd_options_need_node(o);

	if (status != EXIT_DONE)
		return status;
	status = session_open(o, &s);
	if (status == EXIT_DONE)
		status = cmd_printed(nearfold_datasets_write(s.conns[0], o->output, stdout, &err),
				     "cannot list the data sets", &err);
	session_close(&s);
	return status;
}

const struct command command_datasets = {
	.name = "datasets",
	.bit = CMD_DATASETS,
	.summary = "list what a node exports",
	.usage = "--node ADDRESS",
	.examples = "  nearfold datasets --node storage1:7411\n"
		    "  nearfold datasets --node unix:/run/nearfold/nearfold.sock --output json\n",
	.run = cmd_datasets,
};
