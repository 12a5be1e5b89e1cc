/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/cmd/cmd_session.h"

static int cmd_devices(const struct cmd_options *o)
{
	struct session s = {0};
	struct nearfold_error err;
	int status = o->n_nodes ? cmd_options_need_node(o) : EXIT_DONE;

	if (status != EXIT_DONE)
		return status;
	if (o->n_nodes)
		status = session_open(o, &s);
	if (status == EXIT_DONE)
		status = cmd_printed(nearfold_devices_write(o->n_nodes ? s.conns[0] : NULL,
							    o->output, stdout, &err),
				     "cannot list the devices", &err);
	if (o->n_nodes)
		session_close(&s);
	return status;
}

const struct command command_devices = {
	.name = "devices",
	.bit = CMD_DEVICES,
	.summary = "list the NVMe namespaces of a node, or of this machine",
	.usage = "[--node ADDRESS]",
	.examples = "  nearfold devices\n"
		    "  nearfold devices --node storage1:7411 --output json\n",
	.run = cmd_devices,
};
