/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_bind.h - what the files share that turn a parse tree into a plan (sql_bind*.c, sql_node.c,
 * sql_resolve.c, sql_call.c ...).
 *
 * Everything is bound over records first; aggregates are leaves of it. When GROUP BY is known, what
 * is made of groups has its keys put in (sql_group.c); at last what is computed for every record is
 * made cheap (sql_rewrite.c).
 *
 * Functions that make expressions take those they are given, also when they fail, and may be given
 * NULL: then they return NULL. The first failure stays in b->failed and *b->err.
 */
#ifndef NF_SQL_BIND_H
#define NF_SQL_BIND_H

#include "sql/sql_parse.h"
#include "sql/sql_plan.h"

/* What is bound now, for what is allowed in it. */
enum sql_clause {
	SQL_IN_OUTPUTS,
	SQL_IN_WHERE,
	SQL_IN_GROUP_BY,
	SQL_IN_HAVING,
	SQL_IN_ORDER_BY,
	SQL_IN_FILTER,
	SQL_IN_LIMIT,
	SQL_IN_OFFSET,
};

struct sql_bind {
	const char *text;
	const struct sql_schema *schema;
	const struct sql_tree *tree;
	struct sql_plan *plan;
	struct nf_error *err;
	int failed; /* negative errno */
	enum sql_clause clause;
	bool in_aggregate;
	unsigned depth;
	/* Above 0: what is bound may never be looked at (CASE, AND ...), so its folding may fail.
	 */
	unsigned lazy;
	uint32_t n_nodes;
};

/* ---- refusals: return NULL ------------------------------------------------------------------- */

void *sql_refuse(struct sql_bind *b, enum nf_code code, int32_t at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5), cold));
void *sql_no_memory(struct sql_bind *b) __attribute__((cold));
/* An error that a function of values has filled: with its place. */
void *sql_refuse_as(struct sql_bind *b, int r, int32_t at, const struct nf_error *err)
	__attribute__((cold));

/* ---- sql_node.c: making expressions ---------------------------------------------------------- */

/* Takes *v, also when it fails. */
struct sql_expr *sql_node_const(struct sql_bind *b, struct sql_value *v, int32_t at);
struct sql_expr *sql_node_leaf(struct sql_bind *b, enum sql_op op, enum sql_type type,
			       uint32_t index, bool nullable, int32_t at);
/* Folded, if all below it are constants. Takes the arguments, not the array. */
struct sql_expr *sql_node(struct sql_bind *b, enum sql_op op, enum sql_type type, int32_t at,
			  uint32_t n, struct sql_expr *const *args);
struct sql_expr *sql_node_unary(struct sql_bind *b, enum sql_op op, enum sql_type type, int32_t at,
				struct sql_expr *a);
struct sql_expr *sql_node_binary(struct sql_bind *b, enum sql_op op, enum sql_type type, int32_t at,
				 struct sql_expr *l, struct sql_expr *r);
struct sql_expr *sql_node_case(struct sql_bind *b, enum sql_type type, int32_t at,
			       struct sql_expr *condition, struct sql_expr *result,
			       struct sql_expr *otherwise);
/* AND, OR over many: as a balanced tree, which looks at them in the same order. */
struct sql_expr *sql_node_join(struct sql_bind *b, enum sql_op op, int32_t at, size_t n,
			       struct sql_expr *const *args);
struct sql_expr *sql_node_cast(struct sql_bind *b, enum sql_type type, int32_t scale,
			       unsigned precision, int32_t at, struct sql_expr *a);
struct sql_expr *sql_node_extract(struct sql_bind *b, enum sql_field field, int32_t at,
				  struct sql_expr *a);
struct sql_expr *sql_node_copy(struct sql_bind *b, const struct sql_expr *e);
/* Where it begins. */
int32_t sql_node_place(const struct sql_expr *e);
bool sql_is_null_const(const struct sql_expr *e);

/* ---- sql_resolve.c: types -------------------------------------------------------------------- */

bool sql_is_integer(enum sql_type t);
bool sql_is_number(enum sql_type t);
/* To a type that it can take without being asked to: texts in quotes to any. */
struct sql_expr *sql_coerce(struct sql_bind *b, struct sql_expr *e, enum sql_type type);
/* A text in quotes alone is text. */
struct sql_expr *sql_coerce_known(struct sql_bind *b, struct sql_expr *e);
struct sql_expr *sql_coerce_bool(struct sql_bind *b, struct sql_expr *e, const char *of);
struct sql_expr *sql_compare(struct sql_bind *b, enum sql_op op, int32_t at, struct sql_expr *l,
			     struct sql_expr *r);
/* What both sides of = have in common; SQL_UNKNOWN: there is no such operator. */
enum sql_type sql_compared_as(enum sql_type l, enum sql_type r);
struct sql_expr *sql_arithmetic(struct sql_bind *b, enum sql_op op, int32_t at, struct sql_expr *l,
				struct sql_expr *r);
/* The type that all can take; SQL_UNKNOWN if there is none, and then *ret_odd is the first that
 * cannot be matched with *ret_type. */
enum sql_type sql_common_type(struct sql_expr *const *e, size_t n, size_t *ret_odd,
			      enum sql_type *ret_type);
/* Coerces all, or refuses in the name of CASE, COALESCE ... */
bool sql_coerce_common(struct sql_bind *b, struct sql_expr **e, size_t n, const char *name,
		       enum sql_type *ret);

/* ---- sql_cast.c: casts that are asked for ---------------------------------------------------- */

struct sql_expr *sql_bind_cast(struct sql_bind *b, const PgQuery__TypeCast *cast);

/* ---- sql_bind_expr.c, sql_predicate.c, sql_call.c, sql_name.c -------------------------------- */

struct sql_expr *sql_bind_expr(struct sql_bind *b, const PgQuery__Node *n);
struct sql_expr *sql_bind_bool(struct sql_bind *b, const PgQuery__Node *n, const char *of);
struct sql_expr *sql_bind_constant(struct sql_bind *b, const PgQuery__AConst *c);

struct sql_expr *sql_bind_in(struct sql_bind *b, const PgQuery__AExpr *a);
struct sql_expr *sql_bind_between(struct sql_bind *b, const PgQuery__AExpr *a);
struct sql_expr *sql_bind_like(struct sql_bind *b, const PgQuery__AExpr *a);
struct sql_expr *sql_bind_distinct(struct sql_bind *b, const PgQuery__AExpr *a);
struct sql_expr *sql_bind_nullif(struct sql_bind *b, const PgQuery__AExpr *a);
struct sql_expr *sql_bind_null_test(struct sql_bind *b, const PgQuery__NullTest *t);
struct sql_expr *sql_bind_boolean_test(struct sql_bind *b, const PgQuery__BooleanTest *t);

struct sql_expr *sql_bind_call(struct sql_bind *b, const PgQuery__FuncCall *call);
/* call's name is that of an aggregate: count, sum ... */
bool sql_is_aggregate(const PgQuery__FuncCall *call);
struct sql_expr *sql_bind_aggregate(struct sql_bind *b, const PgQuery__FuncCall *call);

struct sql_expr *sql_bind_column(struct sql_bind *b, const PgQuery__ColumnRef *ref);
/* What PostgreSQL calls a column of the answer that has no AS. */
const char *sql_output_name(const PgQuery__Node *n);
/* The last word of a name that may have points in it; "" if that is no word. */
const char *sql_last_word(PgQuery__Node *const *names, size_t n);

/* ---- sql_group.c: GROUP BY, DISTINCT, ORDER BY ----------------------------------------------- */

void sql_bind_group_by(struct sql_bind *b);
void sql_bind_order_by(struct sql_bind *b);
void sql_bind_select_distinct(struct sql_bind *b);
/* Keys into what is made of groups; refuses columns that are none. */
void sql_group_outputs(struct sql_bind *b);

/* ---- sql_rewrite.c --------------------------------------------------------------------------- */

/* The same value by cheaper means. Takes e. */
struct sql_expr *sql_rewrite(struct sql_bind *b, struct sql_expr *e);

#endif
