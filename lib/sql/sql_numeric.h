/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_numeric.h - values of type NUMERIC, none of them NULL: what sql_value.h does with them.
 * Outputs are set only on success and may not be an operand. Threads: any.
 */
#ifndef NF_SQL_NUMERIC_H
#define NF_SQL_NUMERIC_H

#include "sql/sql_value.h"

/* PostgreSQL's NUMERIC_MIN_SIG_DIGITS and NUMERIC_MAX_DISPLAY_SCALE. */
enum {
	SQL_QUOTIENT_DIGITS = 16,
	SQL_MAX_QUOTIENT_SCALE = 1000,
};

/* OUT_OF_RANGE: division by zero; value overflows numeric format. */
int sql_numeric_arith(enum sql_arith op, const struct sql_value *a, const struct sql_value *b,
		      struct sql_value *ret, struct nf_error *err);
int sql_numeric_compare(const struct sql_value *a, const struct sql_value *b);
/* To that many digits behind the point; negative ones round before it. */
int sql_numeric_round(const struct sql_value *a, int32_t digits, bool truncate,
		      struct sql_value *ret, struct nf_error *err);
/* The nearest integer, half away from zero. False: it does not fit 64 bits. */
bool sql_numeric_integer(const struct sql_value *a, int64_t *ret);

/* "-1.50", "1e3", white space around. INVALID_ARGUMENT: it is none, or overflows. */
int sql_numeric_parse(const char *text, struct sql_value *ret, struct nf_error *err);
/* malloc()ed; NULL: ENOMEM. */
char *sql_numeric_text(const struct sql_value *a);

#endif
