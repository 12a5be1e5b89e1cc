/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <unistd.h>

#include "compute-client/cmd/cmd_session.h"

static int to_stdout(void *arg, const void *data, size_t n)
{
	(void)arg;
	return fwrite(data, 1, n, stdout) == n ? 0 : -EIO;
}

static int read_dataset(const struct cmd_options *o, struct session *s)
{
	struct nearfold_error err = {0};
	char what[300];
	int r = nearfold_read(s->conns[0], o->dataset, o->has_range ? o->range_start : 0,
			      o->has_range ? o->range_end : UINT64_MAX, to_stdout, NULL, &err);

	/* A sink that failed leaves err alone; flushing names the reason. */
	if (r < 0 && err.code == 0)
		return cmd_flush_output();
	if (r < 0) {
		snprintf(what, sizeof(what), "cannot read %s", o->dataset);
		fflush(stdout);
		return cmd_failed(what, &err);
	}
	return cmd_flush_output();
}

static int cmd_read(const struct cmd_options *o)
{
	struct session s;
	int status = cmd_options_need_node(o);

	if (status == EXIT_DONE && !o->dataset)
		status = cmd_usage("no data set", NULL,
				   "give --dataset NAME; nearfold datasets --node %s lists them",
				   o->nodes[0]);
	if (status == EXIT_DONE && isatty(STDOUT_FILENO) && !o->force)
		status = cmd_usage("raw bytes on a terminal", "standard output",
				   "send them to a file or a pipe, or give --force");
	if (status != EXIT_DONE)
		return status;
	status = session_open(o, &s);
	if (status == EXIT_DONE)
		status = read_dataset(o, &s);
	session_close(&s);
	return status;
}

const struct command command_read = {
	.name = "read",
	.bit = CMD_READ,
	.summary = "copy the raw bytes of a data set to standard output",
	.usage = "--node ADDRESS --dataset NAME [--range START:END]",
	.examples = "  nearfold read --node storage1 --dataset trades --range :1M >first.bin\n"
		    "  nearfold read --node storage1 --dataset logs | grep -c error\n",
	.run = cmd_read,
};
