/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* cmd_sql.h - the text of a query: how it is given, and what is shown of it when it fails. */
#ifndef NF_CMD_SQL_H
#define NF_CMD_SQL_H

#include <stdbool.h>

#include "compute-client/cmd/cmd_options.h"

/* "SELECT ..." or what looks like SQL, and no file is called so. */
bool cmd_sql_is_query(const char *word);
/* "SELECT" alone: the shell has taken the query to pieces. */
bool cmd_sql_is_piece(const char *word);

/* "-": all of standard input. EXIT_DONE and a text to free, or the exit status after a message. */
int cmd_sql_text(const char *given, char **ret);
/* Is that what the local files are called? EXIT_DONE, or EXIT_FAILED after a message: what failed.
 */
int cmd_sql_local_table(const struct cmd_options *o, const char *table, const char *what);
/* cmd_failed(), with the place in the text below it:
 *	    | SELECT pirce FROM trades
 *	    |        ^
 */
int cmd_sql_failed(const char *what, const struct nearfold_error *err, const char *text);

#endif
