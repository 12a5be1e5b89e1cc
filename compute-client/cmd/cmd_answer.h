/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* cmd_answer.h - ask, show a bar meanwhile, print the answer: for nearfold run and query. */
#ifndef NF_CMD_ANSWER_H
#define NF_CMD_ANSWER_H

#include "compute-client/cmd/cmd_session.h"

/* what: for the message, "cannot run x.bpf.o". Returns the exit status. */
int cmd_answer(const struct cmd_options *o, const struct session *s, const char *what);

#endif
