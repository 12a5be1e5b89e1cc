/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_double.h - doubles as PostgreSQL reads and writes them, with a decimal point whatever the
 * process' locale has. Threads: any.
 */
#ifndef NF_SQL_DOUBLE_H
#define NF_SQL_DOUBLE_H

enum { SQL_DOUBLE_TEXT_BYTES = 32 };

/* The fewest digits that give d back, of those the nearest: "0.1", "1e+15", "Infinity", "NaN".
 * buf of SQL_DOUBLE_TEXT_BYTES. Returns buf. */
const char *sql_double_text(double d, char *buf);
/* With 15 significant digits, as its cast to numeric has them. d is finite. Returns buf. */
const char *sql_double_text_15(double d, char *buf);
/* strtod() in the C locale. */
double sql_double_read(const char *text, char **ret_end);

#endif
