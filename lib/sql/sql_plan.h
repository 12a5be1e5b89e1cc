/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_plan.h - a query, taken apart: what is asked of every record, and what is made of the states.
 *
 *	SELECT flag, sum(price * (1 - discount)) / count(*) AS mean FROM trades
 *	WHERE day <= date '1998-09-02' GROUP BY flag HAVING count(*) > 9 ORDER BY mean DESC LIMIT 3
 *
 *	where		day <= '1998-09-02'				over records
 *	keys		flag						over records
 *	aggregates	0: sum(price * (1 - discount))  1: count(*)	over records
 *	outputs		flag: key 0;  mean: aggregate 0 / aggregate 1	over groups
 *	having, order, limit						over groups
 *
 * The grammar is PostgreSQL's own (libpg_query), the semantics too. What is not supported is
 * refused by name and place, before anything runs: UNIMPLEMENTED; what PostgreSQL refuses too,
 * INVALID_ARGUMENT in its words. where is "SQL, column 8" ("SQL, line 2, column 8" in texts of
 * several lines), counted in characters from 1.
 *
 * Threads: a plan is immutable once made.
 */
#ifndef NF_SQL_PLAN_H
#define NF_SQL_PLAN_H

#include "sql/sql_expr.h"
#include "sql/sql_schema.h"

enum {
	SQL_MAX_TEXT_BYTES = 16 << 10,
	SQL_MAX_DEPTH = 200, /* of expressions in each other, as they are written */
	SQL_MAX_OUTPUTS = 1024,
	SQL_MAX_NODES =
		64 << 10, /* of all expressions: BETWEEN, IN, CASE x repeat what they compare */
};

enum sql_aggregate_kind {
	SQL_COUNT, /* arg NULL: of records */
	SQL_SUM,
	SQL_AVG,
	SQL_MIN,
	SQL_MAX,
	SQL_BOOL_AND,
	SQL_BOOL_OR,
};

struct sql_aggregate {
	enum sql_aggregate_kind kind;
	struct sql_expr *arg;    /* over records */
	struct sql_expr *filter; /* FILTER (WHERE ...), or NULL */
	enum sql_type type;      /* of the result: sum(int4) is INT8, sum(int8) NUMERIC ... */
	int32_t at;
};

struct sql_output {
	char *name; /* as PostgreSQL names it: "sum", "?column?", ... */
	struct sql_expr *expr;
};

struct sql_order {
	struct sql_expr *expr;
	bool descending, nulls_first;
};

struct sql_plan {
	char *text;
	char *table;                     /* of FROM, folded; and what it is called in the query */
	char *alias;                     /* NULL: table */
	const struct sql_schema *schema; /* borrowed */
	struct sql_expr *where;          /* NULL: every record */
	struct sql_expr **keys;
	uint32_t n_keys;
	bool grouped; /* a row for each key, and none without records; else exactly one row */
	struct sql_aggregate *aggregates;
	uint32_t n_aggregates;
	struct sql_output *outputs;
	uint32_t n_outputs;
	bool distinct;           /* among the outputs */
	struct sql_expr *having; /* NULL: all groups */
	struct sql_order *order;
	uint32_t n_order;
	int64_t limit, offset; /* limit -1: none */
};

/* The name of the one table of FROM, before a schema is at hand: what to ask a node for.
 * malloc()ed. Fails as sql_plan_make() does. */
int sql_table_name(const char *text, char **ret, struct nf_error *err);

int sql_plan_make(const char *text, const struct sql_schema *schema, struct sql_plan **ret,
		  struct nf_error *err);
void sql_plan_free(struct sql_plan *p); /* takes NULL */

/* "SQL, column 8" for a place in the text. Returns buf. */
const char *sql_where(const char *text, int32_t at, char *buf, size_t size);

#endif
