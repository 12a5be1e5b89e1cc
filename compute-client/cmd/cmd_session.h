/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* cmd_session.h - what a subcommand works with: the program, connections, and Ctrl-C. */
#ifndef NF_CMD_SESSION_H
#define NF_CMD_SESSION_H

#include "compute-client/cmd/cmd_options.h"

struct session {
	struct nearfold_program *program; /* NULL: the subcommand takes none */
	char *sql;                        /* what it was compiled from, or NULL */
	struct nearfold_conn **conns;
	unsigned n_conns;
	int cancel_fd;
};

/* Opens what the options name. EXIT_DONE, or the exit status after a message.
 * session_close() in either case. */
int session_open(const struct cmd_options *o, struct session *ret);
void session_close(struct session *s);

/* cmd_failed() for what was done with the program: of a query with the place in its text. */
int session_failed(const struct session *s, const char *what, const struct nearfold_error *err);

/* The query that the options describe. */
struct nearfold_query session_query(const struct session *s, const struct cmd_options *o);

#endif
