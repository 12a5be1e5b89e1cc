/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_predicate.c - the predicates of SQL, as comparisons, AND, OR, NOT and COALESCE:
 *
 *	x BETWEEN a AND b	x >= a AND x <= b
 *	x IN (a, b)		x = a OR x = b
 *	x IS NOT TRUE		NOT coalesce(x, false)
 *	x IS DISTINCT FROM y	coalesce(NOT x = y, NOT (x IS NULL AND y IS NULL))
 *	NULLIF(x, y)		CASE WHEN x = y THEN NULL ELSE x END
 */
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "sql/sql_bind.h"

/* Is the first character of the operator's name, "!~~" or "<>", that of the negated form? */
static bool negated(const PgQuery__AExpr *a, char first)
{
	return sql_last_word(a->name, a->n_name)[0] == first;
}

static struct sql_expr * not(struct sql_bind * b, int32_t at, struct sql_expr *e)
{
	return sql_node_unary(b, SQL_NOT, SQL_BOOL, at, e);
}

/* Of what may not be looked at. */
static struct sql_expr *either(struct sql_bind *b, enum sql_op op, int32_t at, struct sql_expr *l,
			       struct sql_expr *r)
{
	struct sql_expr *e;

	b->lazy++;
	e = sql_node_binary(b, op, SQL_BOOL, at, l, r);
	b->lazy--;
	return e;
}

/* ---- BETWEEN --------------------------------------------------------------------------------- */

/* Takes none of them. */
static struct sql_expr *between(struct sql_bind *b, bool not_between, int32_t at,
				const struct sql_expr *x, const struct sql_expr *low,
				const struct sql_expr *high)
{
	struct sql_expr *l = sql_compare(b, not_between ? SQL_LT : SQL_GE, at, sql_node_copy(b, x),
					 sql_node_copy(b, low));
	struct sql_expr *r = sql_compare(b, not_between ? SQL_GT : SQL_LE, at, sql_node_copy(b, x),
					 sql_node_copy(b, high));

	return either(b, not_between ? SQL_OR : SQL_AND, at, l, r);
}

struct sql_expr *sql_bind_between(struct sql_bind *b, const PgQuery__AExpr *a)
{
	bool symmetric = a->kind == PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM ||
			 a->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM;
	bool not_between = a->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN ||
			   a->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM;
	const PgQuery__List *bounds = a->rexpr->list;
	struct sql_expr *x = sql_bind_expr(b, a->lexpr);
	struct sql_expr *low = sql_bind_expr(b, bounds->items[0]);
	struct sql_expr *high = sql_bind_expr(b, bounds->items[1]);
	struct sql_expr *e = between(b, not_between, a->location, x, low, high);

	/* Neither way round, or one of the two. */
	if (symmetric)
		e = either(b, not_between ? SQL_AND : SQL_OR, a->location, e,
			   between(b, not_between, a->location, x, high, low));
	sql_expr_free(x);
	sql_expr_free(low);
	sql_expr_free(high);
	return e;
}

/* ---- IN -------------------------------------------------------------------------------------- */

static bool has_column(const struct sql_expr *e)
{
	if (e->op == SQL_COLUMN)
		return true;
	for (uint32_t i = 0; i < e->n_args; i++)
		if (has_column(e->args[i]))
			return true;
	return false;
}

/*
 * PostgreSQL makes an array of the values without columns, if there are two or more, all of one
 * type that suits x, and compares with that first.
 */
static enum sql_type array_type(struct sql_bind *b, struct sql_expr *const *items, size_t n,
				struct sql_expr *x)
{
	struct sql_expr **all = calloc(n + 1, sizeof(struct sql_expr *));
	enum sql_type type, before;
	size_t n_all = 0, odd;

	if (!all) {
		sql_no_memory(b);
		return SQL_UNKNOWN;
	}
	all[n_all++] = x;
	for (size_t i = 0; i < n; i++)
		if (!has_column(items[i]))
			all[n_all++] = items[i];
	type = n_all > 2 ? sql_common_type(all, n_all, &odd, &before) : SQL_UNKNOWN;
	free(all);
	return type;
}

/* Makes comparisons of the items, those without columns first. */
static void compare_items(struct sql_bind *b, const PgQuery__AExpr *a, bool not_in,
			  struct sql_expr *x, struct sql_expr **items, size_t n)
{
	enum sql_type type = array_type(b, items, n, x);
	struct sql_expr **sorted = b->failed ? NULL : calloc(n, sizeof(struct sql_expr *));
	size_t n_sorted = 0;

	if (!sorted) {
		sql_no_memory(b);
		return;
	}
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < n; i++)
			if (items[i] && has_column(items[i]) == (pass == 1)) {
				sorted[n_sorted++] = items[i];
				items[i] = NULL;
			}
	for (size_t i = 0; i < n; i++) {
		if (type != SQL_UNKNOWN && sorted[i] && !has_column(sorted[i]))
			sorted[i] = sql_coerce(b, sorted[i], type);
		items[i] = sql_compare(b, not_in ? SQL_NE : SQL_EQ, a->location,
				       sql_node_copy(b, x), sorted[i]);
	}
	free(sorted);
}

struct sql_expr *sql_bind_in(struct sql_bind *b, const PgQuery__AExpr *a)
{
	bool not_in = negated(a, '<');
	const PgQuery__List *list = a->rexpr->list;
	struct sql_expr *x = sql_bind_expr(b, a->lexpr), *e = NULL;
	struct sql_expr **items = calloc(list->n_items, sizeof(struct sql_expr *));

	if (!items)
		sql_no_memory(b);
	for (size_t i = 0; !b->failed && i < list->n_items; i++)
		items[i] = sql_bind_expr(b, list->items[i]);
	if (!b->failed)
		compare_items(b, a, not_in, x, items, list->n_items);
	b->lazy++;
	if (items)
		e = sql_node_join(b, not_in ? SQL_AND : SQL_OR, a->location, list->n_items, items);
	b->lazy--;
	free(items);
	sql_expr_free(x);
	return e;
}

/* ---- LIKE ------------------------------------------------------------------------------------ */

static struct sql_expr *like(struct sql_bind *b, int32_t at, const char *name, struct sql_expr *l,
			     struct sql_expr *r)
{
	enum sql_type lt = l->type, rt = r->type;

	if ((lt == SQL_TEXT || lt == SQL_UNKNOWN) && (rt == SQL_TEXT || rt == SQL_UNKNOWN)) {
		l = sql_coerce(b, l, SQL_TEXT);
		r = sql_coerce(b, r, SQL_TEXT);
		return sql_node_binary(b, SQL_LIKE, SQL_BOOL, at, l, r);
	}
	sql_expr_free(l);
	sql_expr_free(r);
	return sql_refuse(b, NF_INVALID_ARGUMENT, at, "operator does not exist: %s %s %s",
			  sql_type_name(lt), name, sql_type_name(rt));
}

/* An odd number of backslashes at its end: the last one escapes nothing. */
static bool ends_in_escape(const struct sql_expr *pattern)
{
	size_t n = 0;

	if (pattern->value.null)
		return false;
	while (n < pattern->value.text.n &&
	       pattern->value.text.bytes[pattern->value.text.n - 1 - n] == '\\')
		n++;
	return n % 2;
}

static bool good_pattern(struct sql_bind *b, const struct sql_expr *pattern)
{
	if (pattern->type != SQL_TEXT && pattern->type != SQL_UNKNOWN)
		return true; /* there is no such operator, which is said later */
	if (pattern->op != SQL_CONST)
		return sql_refuse(b, NF_UNIMPLEMENTED, sql_node_place(pattern),
				  "a LIKE pattern that is not constant is not supported");
	if (ends_in_escape(pattern))
		return sql_refuse(b, NF_INVALID_ARGUMENT, pattern->at,
				  "LIKE pattern must not end with escape character");
	return true;
}

struct sql_expr *sql_bind_like(struct sql_bind *b, const PgQuery__AExpr *a)
{
	bool not_like = negated(a, '!');
	const PgQuery__Node *pattern = a->rexpr;
	struct sql_expr *l, *r;

	if (pattern->node_case == PG_QUERY__NODE__NODE_FUNC_CALL &&
	    strcmp(sql_last_word(pattern->func_call->funcname, pattern->func_call->n_funcname),
		   "like_escape") == 0)
		return sql_refuse(b, NF_UNIMPLEMENTED, a->location,
				  "LIKE with ESCAPE is not supported; \\ escapes");
	l = sql_bind_expr(b, a->lexpr);
	r = sql_bind_expr(b, pattern);
	if (!l || !r || !good_pattern(b, r)) {
		sql_expr_free(l);
		sql_expr_free(r);
		return NULL;
	}
	l = like(b, a->location, not_like ? "!~~" : "~~", l, r);
	return not_like ? not(b, a->location, l) : l;
}

/* ---- NULL and not ---------------------------------------------------------------------------- */

static struct sql_expr *is_null(struct sql_bind *b, int32_t at, struct sql_expr *e)
{
	return sql_node_unary(b, SQL_IS_NULL, SQL_BOOL, at, sql_coerce_known(b, e));
}

struct sql_expr *sql_bind_null_test(struct sql_bind *b, const PgQuery__NullTest *t)
{
	struct sql_expr *e = is_null(b, t->location, sql_bind_expr(b, t->arg));

	if (t->nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NOT_NULL)
		e = not(b, t->location, e);
	return e;
}

static struct sql_expr *null_as(struct sql_bind *b, struct sql_expr *e, bool as, int32_t at)
{
	struct sql_value v = sql_value_bool(as);

	if (!e || !e->nullable)
		return e;
	return sql_node_binary(b, SQL_COALESCE, SQL_BOOL, at, e, sql_node_const(b, &v, at));
}

static const struct {
	const char *name;
	bool null_as, negate;
} boolean_tests[] = {
	[PG_QUERY__BOOL_TEST_TYPE__IS_TRUE] = {"IS TRUE", false, false},
	[PG_QUERY__BOOL_TEST_TYPE__IS_NOT_TRUE] = {"IS NOT TRUE", false, true},
	[PG_QUERY__BOOL_TEST_TYPE__IS_FALSE] = {"IS FALSE", true, true},
	[PG_QUERY__BOOL_TEST_TYPE__IS_NOT_FALSE] = {"IS NOT FALSE", true, false},
	[PG_QUERY__BOOL_TEST_TYPE__IS_UNKNOWN] = {"IS UNKNOWN", false, false},
	[PG_QUERY__BOOL_TEST_TYPE__IS_NOT_UNKNOWN] = {"IS NOT UNKNOWN", false, true},
};

struct sql_expr *sql_bind_boolean_test(struct sql_bind *b, const PgQuery__BooleanTest *t)
{
	bool unknown = t->booltesttype >= PG_QUERY__BOOL_TEST_TYPE__IS_UNKNOWN;
	struct sql_expr *e;

	if ((size_t)t->booltesttype >= ARRAY_SIZE(boolean_tests))
		return sql_refuse(b, NF_UNIMPLEMENTED, t->location, "this test is not supported");
	e = sql_bind_bool(b, t->arg, boolean_tests[t->booltesttype].name);
	e = unknown ? is_null(b, t->location, e)
		    : null_as(b, e, boolean_tests[t->booltesttype].null_as, t->location);
	return boolean_tests[t->booltesttype].negate ? not(b, t->location, e) : e;
}

/* Both of them NULL? Takes neither. */
static struct sql_expr *both_null(struct sql_bind *b, int32_t at, const struct sql_expr *l,
				  const struct sql_expr *r)
{
	return either(b, SQL_AND, at, is_null(b, at, sql_node_copy(b, l)),
		      is_null(b, at, sql_node_copy(b, r)));
}

struct sql_expr *sql_bind_distinct(struct sql_bind *b, const PgQuery__AExpr *a)
{
	bool same = a->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT;
	struct sql_expr *l = sql_bind_expr(b, a->lexpr), *r = sql_bind_expr(b, a->rexpr);
	struct sql_expr *e =
		sql_compare(b, SQL_EQ, a->location, sql_node_copy(b, l), sql_node_copy(b, r));
	struct sql_expr *null;

	/* PostgreSQL too looks for =, which is what it says when there is none. */
	if (!same)
		e = not(b, a->location, e);
	if (e && e->nullable) {
		null = both_null(b, a->location, l, r);
		e = sql_node_binary(b, SQL_COALESCE, SQL_BOOL, a->location, e,
				    same ? null : not(b, a->location, null));
	}
	sql_expr_free(l);
	sql_expr_free(r);
	return e;
}

/* Of what type is NULLIF(l, r)? Of l's, as = takes it: there are operators for two widths of
 * integers, and for dates with timestamps. */
static enum sql_type nullif_type(enum sql_type l, enum sql_type r)
{
	enum sql_type compared = sql_compared_as(l, r);

	if ((sql_is_integer(l) && sql_is_integer(r)) || (l == SQL_DATE && r == SQL_TIMESTAMP))
		return l;
	return compared;
}

struct sql_expr *sql_bind_nullif(struct sql_bind *b, const PgQuery__AExpr *a)
{
	struct sql_expr *l = sql_bind_expr(b, a->lexpr), *r = sql_bind_expr(b, a->rexpr);
	enum sql_type type = l && r ? nullif_type(l->type, r->type) : SQL_UNKNOWN;
	struct sql_value null = sql_value_null(type);
	struct sql_expr *equal = sql_compare(b, SQL_EQ, a->location, sql_node_copy(b, l), r);

	if (!equal) {
		sql_expr_free(l);
		return NULL;
	}
	return sql_node_case(b, type, a->location, equal, sql_node_const(b, &null, a->location),
			     sql_coerce(b, l, type));
}
