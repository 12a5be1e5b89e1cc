/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_value.h - values and what PostgreSQL does with them: the arithmetic that finishes an answer
 * on the client, folds constants, and is the reference that compiled queries are tested against.
 *
 * A numeric is an integer of any length over a power of ten, exact, with PostgreSQL's scales
 * (digits behind the point): the greater one for + - %, their sum for *, and for / the one that
 * PostgreSQL's select_div_scale() chooses (at least 16 significant digits). There is no NaN and no
 * infinity among them.
 *
 * Operands have the types that sql_bind.c gave them: the same one on both sides, but for date +-
 * integer, date or timestamp +- interval, and dates that are compared with timestamps. No operand
 * is NULL: callers look first.
 *
 * Ownership: a value owns its text and its number; sql_value_done() frees them. Outputs are set
 * only on success, over whatever is in them, which is not freed: none may be an operand of the same
 * call. Threads: a value belongs to one thread.
 */
#ifndef NF_SQL_VALUE_H
#define NF_SQL_VALUE_H

#include <gmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "sql/sql_datetime.h"
#include "sql/sql_type.h"

enum {
	SQL_MAX_SCALE = 16383,
	SQL_MAX_NUMERIC_DIGITS = 131072, /* before the point */
	SQL_NO_SCALE = -1,
};

struct sql_value {
	enum sql_type type;
	bool null;
	int32_t scale; /* NUMERIC */
	union {
		bool boolean;
		int64_t integer; /* INT2 .. INT8, DATE, TIMESTAMP */
		double real;
		mpz_t number; /* NUMERIC: times 10^scale. Initialised only if not null. */
		struct {
			char *bytes; /* malloc()ed, ended by NUL */
			size_t n;
		} text; /* TEXT, UNKNOWN */
		struct sql_interval interval;
	};
};

enum sql_arith { SQL_PLUS, SQL_MINUS, SQL_TIMES, SQL_DIVIDE, SQL_MODULO };

void sql_value_done(struct sql_value *v); /* takes a zeroed one; leaves a NULL of type UNKNOWN */
int sql_value_copy(const struct sql_value *from, struct sql_value *ret, struct nf_error *err);

/* Makers. Type NUMERIC from a two's complement integer of 128 bits times 10^-scale. */
struct sql_value sql_value_null(enum sql_type type);
struct sql_value sql_value_bool(bool b);
struct sql_value sql_value_integer(enum sql_type type, int64_t n);
struct sql_value sql_value_real(double d);
struct sql_value sql_value_number(__int128 n, int32_t scale);
int sql_value_bytes(const char *bytes, size_t n, struct sql_value *ret, struct nf_error *err);

/* From PostgreSQL's input syntax: "12", "-1.50", "1e3", "t", "yes", "1998-12-01", "NaN" (FLOAT8)
 * ... INVALID_ARGUMENT: invalid input syntax for type ..., or out of range. */
int sql_value_parse(enum sql_type type, const char *text, struct sql_value *ret,
		    struct nf_error *err);
/* As psql prints it: booleans t and f, doubles with the fewest digits that give them back; NULL
 * gives NULL, with errno 0. malloc()ed; NULL and errno ENOMEM otherwise. */
char *sql_value_text(const struct sql_value *v);

/* OUT_OF_RANGE: "division by zero", "integer out of range", "value out of range: overflow" ...,
 * PostgreSQL's words. INTEGER arithmetic stays in the operands' type. date - date is INT4, date +-
 * integer a date, date or timestamp +- interval a timestamp. */
int sql_value_arith(enum sql_arith op, const struct sql_value *a, const struct sql_value *b,
		    struct sql_value *ret, struct nf_error *err);
int sql_value_negate(const struct sql_value *a, struct sql_value *ret, struct nf_error *err);
/* <0, 0, >0. Dates also with timestamps, none out of range. Text by bytes (collation "C"); NaN is
 * equal to itself and above all numbers. */
int sql_value_compare(const struct sql_value *a, const struct sql_value *b);
/*
 * To another type, rounding as PostgreSQL does (half away from zero for numerics, half to even for
 * doubles to integers). scale: of a NUMERIC result, or SQL_NO_SCALE. NULL stays NULL. OUT_OF_RANGE
 * if it does not fit, INVALID_ARGUMENT if a text is not that, or there is no such cast.
 */
int sql_value_cast(const struct sql_value *a, enum sql_type type, int32_t scale,
		   struct sql_value *ret, struct nf_error *err);
/* round(a, digits), trunc(a, digits): NUMERIC. */
int sql_value_round(const struct sql_value *a, int32_t digits, bool truncate, struct sql_value *ret,
		    struct nf_error *err);

/* text LIKE pattern, with \ as the escape; _ is one character of UTF-8. A pattern that ends with a
 * lone \ matches nothing with it: who binds the query refuses it. */
bool sql_like(const char *text, size_t text_bytes, const char *pattern, size_t pattern_bytes);

#endif
