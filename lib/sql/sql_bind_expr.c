/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_bind_expr.c - expressions of the parse tree, one kind of node after the other. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "sql/sql_bind.h"

/* ---- constants ------------------------------------------------------------------------------- */

/* Digits that are too many for the grammar's int: bigint if they fit, else numeric. */
static struct sql_expr *number(struct sql_bind *b, const char *text, int32_t at)
{
	struct sql_value v;
	struct nf_error err;
	char *end;
	long long n;
	int r;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (!errno && !*end) {
		v = sql_value_integer(n == (int32_t)n ? SQL_INT4 : SQL_INT8, n);
		return sql_node_const(b, &v, at);
	}
	r = sql_value_parse(SQL_NUMERIC, text, &v, &err);
	return r ? sql_refuse_as(b, r, at, &err) : sql_node_const(b, &v, at);
}

static struct sql_expr *quoted(struct sql_bind *b, const char *text, int32_t at)
{
	struct sql_value v;
	struct nf_error err;
	int r = sql_value_bytes(text, strlen(text), &v, &err);

	if (r)
		return sql_refuse_as(b, r, at, &err);
	v.type = SQL_UNKNOWN;
	return sql_node_const(b, &v, at);
}

struct sql_expr *sql_bind_constant(struct sql_bind *b, const PgQuery__AConst *c)
{
	struct sql_value v = sql_value_null(SQL_UNKNOWN);

	if (c->isnull)
		return sql_node_const(b, &v, c->location);
	switch (c->val_case) {
	case PG_QUERY__A__CONST__VAL_IVAL:
		v = sql_value_integer(SQL_INT4, c->ival->ival);
		return sql_node_const(b, &v, c->location);
	case PG_QUERY__A__CONST__VAL_FVAL:
		return number(b, c->fval->fval, c->location);
	case PG_QUERY__A__CONST__VAL_BOOLVAL:
		v = sql_value_bool(c->boolval->boolval);
		return sql_node_const(b, &v, c->location);
	case PG_QUERY__A__CONST__VAL_SVAL:
		return quoted(b, c->sval->sval, c->location);
	default:
		return sql_refuse(b, NF_UNIMPLEMENTED, c->location,
				  "bit strings are not supported");
	}
}

/* ---- operators ------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum sql_op op;
} operators[] = {
	{"+", SQL_ADD}, {"-", SQL_SUB}, {"*", SQL_MUL}, {"/", SQL_DIV},
	{"%", SQL_MOD}, {"=", SQL_EQ},  {"<>", SQL_NE}, {"<", SQL_LT},
	{"<=", SQL_LE}, {">", SQL_GT},  {">=", SQL_GE},
};

static struct sql_expr *unary(struct sql_bind *b, const PgQuery__AExpr *a, const char *name)
{
	bool minus = strcmp(name, "-") == 0;
	struct sql_expr *e;
	enum sql_type type;

	if (!minus && strcmp(name, "+") != 0)
		return sql_refuse(b, NF_UNIMPLEMENTED, a->location, "operator %s is not supported",
				  name);
	e = sql_bind_expr(b, a->rexpr);
	if (!e)
		return NULL;
	type = e->type;
	if (sql_is_number(type) && !minus)
		return e;
	if (sql_is_number(type) || (type == SQL_INTERVAL && minus))
		return sql_node_unary(b, SQL_NEG, type, a->location, e);
	sql_expr_free(e);
	return sql_refuse(b, NF_INVALID_ARGUMENT, a->location, "operator %s: %s %s",
			  type == SQL_UNKNOWN ? "is not unique" : "does not exist", name,
			  sql_type_name(type));
}

static struct sql_expr *operator(struct sql_bind *b, const PgQuery__AExpr *a)
{
	const char *name = sql_last_word(a->name, a->n_name);
	struct sql_expr *l, *r;

	if (!a->lexpr)
		return unary(b, a, name);
	for (size_t i = 0; a->n_name == 1 && i < ARRAY_SIZE(operators); i++) {
		if (strcmp(operators[i].name, name) != 0)
			continue;
		l = sql_bind_expr(b, a->lexpr);
		r = sql_bind_expr(b, a->rexpr);
		if (operators[i].op >= SQL_EQ)
			return sql_compare(b, operators[i].op, a->location, l, r);
		return sql_arithmetic(b, operators[i].op, a->location, l, r);
	}
	return sql_refuse(b, NF_UNIMPLEMENTED, a->location, "operator %s is not supported", name);
}

static struct sql_expr *a_expr(struct sql_bind *b, const PgQuery__AExpr *a)
{
	switch (a->kind) {
	case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
		return operator(b, a);
	case PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT:
	case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT:
		return sql_bind_distinct(b, a);
	case PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF:
		return sql_bind_nullif(b, a);
	case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
		return sql_bind_in(b, a);
	case PG_QUERY__A__EXPR__KIND__AEXPR_LIKE:
		return sql_bind_like(b, a);
	case PG_QUERY__A__EXPR__KIND__AEXPR_ILIKE:
		return sql_refuse(b, NF_UNIMPLEMENTED, a->location, "ILIKE is not supported");
	case PG_QUERY__A__EXPR__KIND__AEXPR_SIMILAR:
		return sql_refuse(b, NF_UNIMPLEMENTED, a->location, "SIMILAR TO is not supported");
	case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY:
		return sql_refuse(b, NF_UNIMPLEMENTED, a->location, "ANY is not supported");
	case PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL:
		return sql_refuse(b, NF_UNIMPLEMENTED, a->location, "ALL is not supported");
	default:
		return sql_bind_between(b, a);
	}
}

/* ---- AND, OR, NOT ---------------------------------------------------------------------------- */

struct sql_expr *sql_bind_bool(struct sql_bind *b, const PgQuery__Node *n, const char *of)
{
	return sql_coerce_bool(b, sql_bind_expr(b, n), of);
}

static struct sql_expr *bool_expr(struct sql_bind *b, const PgQuery__BoolExpr *x)
{
	bool and = x->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR;
	struct sql_expr **args, *e;

	if (x->boolop == PG_QUERY__BOOL_EXPR_TYPE__NOT_EXPR)
		return sql_node_unary(b, SQL_NOT, SQL_BOOL, x->location,
				      sql_bind_bool(b, x->args[0], "NOT"));
	args = calloc(x->n_args, sizeof(struct sql_expr *));
	if (!args)
		return sql_no_memory(b);
	for (size_t i = 0; i < x->n_args; i++) {
		b->lazy += i > 0;
		args[i] = sql_bind_bool(b, x->args[i], and? "AND" : "OR");
		b->lazy -= i > 0;
	}
	b->lazy++;
	e = sql_node_join(b, and? SQL_AND : SQL_OR, x->location, x->n_args, args);
	b->lazy--;
	free(args);
	return e;
}

/* ---- CASE, COALESCE -------------------------------------------------------------------------- */

/* CASE x WHEN v is CASE WHEN x = v. */
static struct sql_expr *case_condition(struct sql_bind *b, const struct sql_expr *subject,
				       const PgQuery__CaseWhen *when)
{
	if (!subject)
		return sql_bind_bool(b, when->expr, "CASE/WHEN");
	return sql_compare(b, SQL_EQ, when->location, sql_node_copy(b, subject),
			   sql_bind_expr(b, when->expr));
}

/* ELSE first, as PostgreSQL takes its type first. */
static bool case_results(struct sql_bind *b, struct sql_expr **args, size_t n, enum sql_type *ret)
{
	size_t n_results = n / 2 + 1;
	struct sql_expr **results = calloc(n_results, sizeof(struct sql_expr *));
	bool done;

	if (!results)
		return sql_no_memory(b);
	results[0] = args[n - 1];
	for (size_t i = 1; i < n_results; i++)
		results[i] = args[2 * i - 1];
	done = sql_coerce_common(b, results, n_results, "CASE", ret);
	args[n - 1] = results[0];
	for (size_t i = 1; i < n_results; i++)
		args[2 * i - 1] = results[i];
	free(results);
	return done;
}

static struct sql_expr *case_else(struct sql_bind *b, const PgQuery__CaseExpr *c)
{
	struct sql_value null = sql_value_null(SQL_UNKNOWN);

	if (c->defresult)
		return sql_bind_expr(b, c->defresult);
	return sql_node_const(b, &null, c->location);
}

static struct sql_expr *case_branches(struct sql_bind *b, const PgQuery__CaseExpr *c,
				      const struct sql_expr *subject, struct sql_expr **args)
{
	size_t n = 2 * c->n_args + 1;
	enum sql_type type = SQL_UNKNOWN;

	for (size_t i = 0; i < c->n_args; i++) {
		const PgQuery__CaseWhen *when = c->args[i]->case_when;

		b->lazy += i > 0;
		args[2 * i] = case_condition(b, subject, when);
		b->lazy -= i > 0;
		b->lazy++;
		args[2 * i + 1] = sql_bind_expr(b, when->result);
		b->lazy--;
	}
	b->lazy++;
	args[n - 1] = case_else(b, c);
	b->lazy--;
	if (!b->failed && case_results(b, args, n, &type))
		return sql_node(b, SQL_CASE, type, c->location, (uint32_t)n, args);
	for (size_t i = 0; i < n; i++)
		sql_expr_free(args[i]);
	return NULL;
}

static struct sql_expr *case_expr(struct sql_bind *b, const PgQuery__CaseExpr *c)
{
	struct sql_expr *subject = NULL, *e, **args;

	if (c->arg) {
		subject = sql_coerce_known(b, sql_bind_expr(b, c->arg));
		if (!subject)
			return NULL;
	}
	args = calloc(2 * c->n_args + 1, sizeof(struct sql_expr *));
	e = args ? case_branches(b, c, subject, args) : sql_no_memory(b);
	free(args);
	sql_expr_free(subject);
	return e;
}

static struct sql_expr *coalesce(struct sql_bind *b, const PgQuery__CoalesceExpr *c)
{
	struct sql_expr **args = calloc(c->n_args, sizeof(struct sql_expr *)), *e = NULL;
	enum sql_type type = SQL_UNKNOWN;

	if (!args)
		return sql_no_memory(b);
	for (size_t i = 0; i < c->n_args; i++) {
		b->lazy += i > 0;
		args[i] = sql_bind_expr(b, c->args[i]);
		b->lazy -= i > 0;
	}
	if (!b->failed && sql_coerce_common(b, args, c->n_args, "COALESCE", &type))
		e = sql_node(b, SQL_COALESCE, type, c->location, (uint32_t)c->n_args, args);
	else
		for (size_t i = 0; i < c->n_args; i++)
			sql_expr_free(args[i]);
	free(args);
	return e;
}

/* ---- every kind ------------------------------------------------------------------------------ */

/* What else PostgreSQL's grammar has. */
static const struct {
	PgQuery__Node__NodeCase kind;
	const char *what;
} unsupported[] = {
	{PG_QUERY__NODE__NODE_SUB_LINK, "subqueries are"},
	{PG_QUERY__NODE__NODE_PARAM_REF, "parameters ($1) are"},
	{PG_QUERY__NODE__NODE_A_ARRAY_EXPR, "arrays are"},
	{PG_QUERY__NODE__NODE_A_INDIRECTION, "parts of arrays and rows are"},
	{PG_QUERY__NODE__NODE_ROW_EXPR, "rows are"},
	{PG_QUERY__NODE__NODE_COLLATE_CLAUSE, "COLLATE is"},
	{PG_QUERY__NODE__NODE_MIN_MAX_EXPR, "GREATEST and LEAST are"},
	{PG_QUERY__NODE__NODE_GROUPING_FUNC, "GROUPING is"},
	{PG_QUERY__NODE__NODE_GROUPING_SET, "GROUPING SETS, ROLLUP and CUBE are"},
	{PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION, "CURRENT_DATE and its like are"},
	{PG_QUERY__NODE__NODE_XML_EXPR, "XML is"},
	{PG_QUERY__NODE__NODE_NAMED_ARG_EXPR, "named arguments are"},
	{PG_QUERY__NODE__NODE_SET_TO_DEFAULT, "DEFAULT is"},
};

static struct sql_expr *other_kind(struct sql_bind *b, const PgQuery__Node *n)
{
	const char *what = "this kind of expression is";

	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++)
		if (unsupported[i].kind == n->node_case)
			what = unsupported[i].what;
	return sql_refuse(b, NF_UNIMPLEMENTED, sql_tree_place(&n->base), "%s not supported", what);
}

static struct sql_expr *bind_node(struct sql_bind *b, const PgQuery__Node *n)
{
	switch (n->node_case) {
	case PG_QUERY__NODE__NODE_COLUMN_REF:
		return sql_bind_column(b, n->column_ref);
	case PG_QUERY__NODE__NODE_A_CONST:
		return sql_bind_constant(b, n->a_const);
	case PG_QUERY__NODE__NODE_A_EXPR:
		return a_expr(b, n->a_expr);
	case PG_QUERY__NODE__NODE_BOOL_EXPR:
		return bool_expr(b, n->bool_expr);
	case PG_QUERY__NODE__NODE_NULL_TEST:
		return sql_bind_null_test(b, n->null_test);
	case PG_QUERY__NODE__NODE_BOOLEAN_TEST:
		return sql_bind_boolean_test(b, n->boolean_test);
	case PG_QUERY__NODE__NODE_CASE_EXPR:
		return case_expr(b, n->case_expr);
	case PG_QUERY__NODE__NODE_COALESCE_EXPR:
		return coalesce(b, n->coalesce_expr);
	case PG_QUERY__NODE__NODE_TYPE_CAST:
		return sql_bind_cast(b, n->type_cast);
	case PG_QUERY__NODE__NODE_FUNC_CALL:
		return sql_bind_call(b, n->func_call);
	default:
		return other_kind(b, n);
	}
}

struct sql_expr *sql_bind_expr(struct sql_bind *b, const PgQuery__Node *n)
{
	struct sql_expr *e;

	if (b->failed)
		return NULL;
	if (!n)
		return sql_refuse(b, NF_INVALID_ARGUMENT, -1, "an expression is missing");
	if (b->depth == SQL_MAX_DEPTH)
		return sql_refuse(b, NF_RESOURCE_EXHAUSTED, sql_tree_place(&n->base),
				  "expressions nest deeper than %d", SQL_MAX_DEPTH);
	b->depth++;
	e = bind_node(b, n);
	b->depth--;
	return e;
}
