/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_expr.h - an expression whose types are known, and its value over a row.
 *
 * Two kinds of rows: a record (SQL_COLUMN), for WHERE, keys and what is aggregated, which becomes
 * code (sql_code.h); and a group (SQL_KEY, SQL_AGGREGATE), for what is made of the aggregates on
 * the client. Every implicit cast is a node, so that operands have the types that sql_value.h asks
 * for.
 */
#ifndef NF_SQL_EXPR_H
#define NF_SQL_EXPR_H

#include "sql/sql_schema.h"
#include "sql/sql_value.h"

enum sql_op {
	SQL_CONST,     /* value */
	SQL_COLUMN,    /* index: of the schema */
	SQL_KEY,       /* index: of the plan's keys */
	SQL_AGGREGATE, /* index: of the plan's aggregates */
	SQL_NEG,
	SQL_ADD,
	SQL_SUB,
	SQL_MUL,
	SQL_DIV,
	SQL_MOD,
	SQL_EQ,
	SQL_NE,
	SQL_LT,
	SQL_LE,
	SQL_GT,
	SQL_GE,
	SQL_AND, /* two arguments */
	SQL_OR,
	SQL_NOT,
	SQL_IS_NULL,
	SQL_LIKE, /* text, pattern */
	SQL_CASE, /* condition, result, condition, result, ..., result of ELSE: odd number */
	SQL_COALESCE,
	SQL_CAST,    /* to type; scale: of a numeric, or SQL_NO_SCALE */
	SQL_EXTRACT, /* field of a date or timestamp; NUMERIC */
	SQL_ABS,
	SQL_ROUND, /* double, or numeric, or numeric and INT4 */
	SQL_TRUNC, /* the same */
	SQL_FLOOR,
	SQL_CEIL,
};

enum sql_field { SQL_YEAR, SQL_MONTH, SQL_DAY, SQL_HOUR, SQL_MINUTE };

struct sql_expr {
	enum sql_op op;
	enum sql_type type;
	bool nullable; /* may it be NULL? */
	int32_t at;    /* where in the query's text: byte, from 0; -1 unknown */
	uint32_t index;
	int32_t scale;
	uint16_t precision; /* SQL_CAST to numeric(p, s): at most p digits in all; 0: any number */
	enum sql_field field;
	struct sql_value value;
	uint32_t n_args;
	struct sql_expr **args; /* owned */
};

/* What SQL_COLUMN, SQL_KEY and SQL_AGGREGATE are in a row; *ret is the caller's. */
struct sql_row {
	const char *text; /* the query's, to say where in it; NULL: as if a byte were a character */
	int (*get)(const struct sql_row *row, const struct sql_expr *e, struct sql_value *ret,
		   struct nf_error *err);
};

/* OUT_OF_RANGE as PostgreSQL has it (division by zero ...), with where = "SQL, column 8". AND, OR,
 * CASE and COALESCE look from left to right and no further than they must. row may be NULL if
 * there is nothing in e but constants. */
int sql_expr_eval(const struct sql_expr *e, const struct sql_row *row, struct sql_value *ret,
		  struct nf_error *err);
/* Same shape, same values. */
bool sql_expr_equal(const struct sql_expr *a, const struct sql_expr *b);
void sql_expr_free(struct sql_expr *e); /* and all below it; takes NULL */

/* A record's column. The record is as long as the schema says. */
int sql_record_value(const struct sql_column *c, const uint8_t *record, struct sql_value *ret,
		     struct nf_error *err);

#endif
