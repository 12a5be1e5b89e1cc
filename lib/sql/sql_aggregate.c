/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_aggregate.c - count, sum, avg ...: their types, and that the same one is computed once. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "sql/sql_bind.h"

static const struct aggregate_name {
	const char *name;
	enum sql_aggregate_kind kind;
} names[] = {
	{"count", SQL_COUNT},    {"sum", SQL_SUM},         {"avg", SQL_AVG},
	{"min", SQL_MIN},        {"max", SQL_MAX},         {"bool_and", SQL_BOOL_AND},
	{"every", SQL_BOOL_AND}, {"bool_or", SQL_BOOL_OR},
};

/* By kind and the argument's type; SQL_UNKNOWN: there is none. count takes any. */
static const enum sql_type results[][SQL_TYPES] = {
	[SQL_SUM] = {[SQL_INT2] = SQL_INT8,
		     [SQL_INT4] = SQL_INT8,
		     [SQL_INT8] = SQL_NUMERIC,
		     [SQL_NUMERIC] = SQL_NUMERIC,
		     [SQL_FLOAT8] = SQL_FLOAT8},
	[SQL_AVG] = {[SQL_INT2] = SQL_NUMERIC,
		     [SQL_INT4] = SQL_NUMERIC,
		     [SQL_INT8] = SQL_NUMERIC,
		     [SQL_NUMERIC] = SQL_NUMERIC,
		     [SQL_FLOAT8] = SQL_FLOAT8},
	[SQL_MIN] = {[SQL_INT2] = SQL_INT2,
		     [SQL_INT4] = SQL_INT4,
		     [SQL_INT8] = SQL_INT8,
		     [SQL_NUMERIC] = SQL_NUMERIC,
		     [SQL_FLOAT8] = SQL_FLOAT8,
		     [SQL_TEXT] = SQL_TEXT,
		     [SQL_DATE] = SQL_DATE,
		     [SQL_TIMESTAMP] = SQL_TIMESTAMP},
	[SQL_MAX] = {[SQL_INT2] = SQL_INT2,
		     [SQL_INT4] = SQL_INT4,
		     [SQL_INT8] = SQL_INT8,
		     [SQL_NUMERIC] = SQL_NUMERIC,
		     [SQL_FLOAT8] = SQL_FLOAT8,
		     [SQL_TEXT] = SQL_TEXT,
		     [SQL_DATE] = SQL_DATE,
		     [SQL_TIMESTAMP] = SQL_TIMESTAMP},
	[SQL_BOOL_AND] = {[SQL_BOOL] = SQL_BOOL},
	[SQL_BOOL_OR] = {[SQL_BOOL] = SQL_BOOL},
};

static const char *const clause_names[] = {
	[SQL_IN_WHERE] = "WHERE", [SQL_IN_GROUP_BY] = "GROUP BY", [SQL_IN_FILTER] = "FILTER",
	[SQL_IN_LIMIT] = "LIMIT", [SQL_IN_OFFSET] = "OFFSET",     [SQL_IN_OUTPUTS] = NULL,
	[SQL_IN_HAVING] = NULL,   [SQL_IN_ORDER_BY] = NULL,
};

static const struct aggregate_name *find_name(const PgQuery__FuncCall *call)
{
	const char *name = sql_last_word(call->funcname, call->n_funcname);

	if (call->n_funcname > 2 ||
	    (call->n_funcname == 2 && strcmp(sql_last_word(call->funcname, 1), "pg_catalog") != 0))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].name, name) == 0)
			return &names[i];
	return NULL;
}

bool sql_is_aggregate(const PgQuery__FuncCall *call)
{
	return find_name(call) != NULL;
}

/* ---- may it stand here? ---------------------------------------------------------------------- */

static bool allowed(struct sql_bind *b, const PgQuery__FuncCall *call)
{
	const struct {
		bool there;
		const char *what;
	} refused[] = {
		{call->over, "window functions are"},
		{call->agg_within_group, "WITHIN GROUP is"},
		{call->agg_distinct, "DISTINCT in an aggregate function is"},
		{call->n_agg_order, "ORDER BY in an aggregate function is"},
		{call->func_variadic, "VARIADIC is"},
	};

	if (clause_names[b->clause])
		return sql_refuse(b, NF_INVALID_ARGUMENT, call->location,
				  "aggregate functions are not allowed in %s",
				  clause_names[b->clause]);
	if (b->in_aggregate)
		return sql_refuse(b, NF_INVALID_ARGUMENT, call->location,
				  "aggregate function calls cannot be nested");
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (refused[i].there)
			return sql_refuse(b, NF_UNIMPLEMENTED, call->location, "%s not supported",
					  refused[i].what);
	return true;
}

/* ---- its argument ---------------------------------------------------------------------------- */

static void no_aggregate(struct sql_bind *b, const PgQuery__FuncCall *call, const char *types,
			 const char *why)
{
	sql_refuse(b, NF_INVALID_ARGUMENT, call->location, "function %s(%s) %s",
		   sql_last_word(call->funcname, call->n_funcname), types, why);
}

/* The types of all arguments, as a refusal lists them. False: one is refused itself. */
static bool list_types(struct sql_bind *b, const PgQuery__FuncCall *call, char *buf, size_t size)
{
	size_t n = 0;

	buf[0] = 0;
	for (size_t i = 0; i < call->n_args; i++) {
		struct sql_expr *e = sql_bind_expr(b, call->args[i]);

		if (!e)
			return false;
		if (n < size)
			n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? ", " : "",
					      sql_type_name(e->type));
		sql_expr_free(e);
	}
	return true;
}

static bool check_count_of_args(struct sql_bind *b, const PgQuery__FuncCall *call,
				enum sql_aggregate_kind kind)
{
	char types[256];

	if (call->n_args == 1 && !call->agg_star)
		return true;
	if (kind == SQL_COUNT && !call->n_args && call->agg_star)
		return true;
	if (kind == SQL_COUNT && !call->n_args)
		return sql_refuse(
			b, NF_INVALID_ARGUMENT, call->location,
			"count(*) must be used to call a parameterless aggregate function");
	b->in_aggregate = true;
	if (list_types(b, call, types, sizeof(types)))
		no_aggregate(b, call, types, "does not exist");
	b->in_aggregate = false;
	return false;
}

/* What a text in quotes is to it. */
static struct sql_expr *coerce_argument(struct sql_bind *b, const PgQuery__FuncCall *call,
					enum sql_aggregate_kind kind, struct sql_expr *arg)
{
	if (!arg || arg->type != SQL_UNKNOWN)
		return arg;
	if (kind == SQL_SUM || kind == SQL_AVG) {
		no_aggregate(b, call, "unknown", "is not unique");
		sql_expr_free(arg);
		return NULL;
	}
	return sql_coerce(b, arg,
			  kind == SQL_BOOL_AND || kind == SQL_BOOL_OR ? SQL_BOOL : SQL_TEXT);
}

static bool set_type(struct sql_bind *b, const PgQuery__FuncCall *call, struct sql_aggregate *a)
{
	a->type = a->kind == SQL_COUNT ? SQL_INT8 : results[a->kind][a->arg->type];
	if (a->type == SQL_UNKNOWN && a->arg->type == SQL_INTERVAL)
		return sql_refuse(b, NF_UNIMPLEMENTED, call->location,
				  "aggregates of intervals are not supported");
	if (a->type == SQL_UNKNOWN)
		no_aggregate(b, call, sql_type_name(a->arg->type), "does not exist");
	return a->type != SQL_UNKNOWN;
}

/* What cannot be NULL and cannot fail need not be looked at to be counted. */
static bool counts_all(const struct sql_aggregate *a)
{
	return a->kind == SQL_COUNT && a->arg && !a->arg->nullable &&
	       (a->arg->op == SQL_COLUMN || a->arg->op == SQL_CONST);
}

/* Arguments are looked at for every record, wherever the aggregate stands. */
static bool bind_parts(struct sql_bind *b, const PgQuery__FuncCall *call, struct sql_aggregate *a)
{
	enum sql_clause clause = b->clause;
	unsigned lazy = b->lazy;
	bool r = true;

	b->lazy = 0;
	if (call->n_args) {
		b->in_aggregate = true;
		a->arg = coerce_argument(b, call, a->kind, sql_bind_expr(b, call->args[0]));
		b->in_aggregate = false;
		r = a->arg && set_type(b, call, a);
	}
	if (r && call->agg_filter) {
		b->clause = SQL_IN_FILTER;
		a->filter = sql_bind_bool(b, call->agg_filter, "FILTER");
		b->clause = clause;
		r = a->filter != NULL;
	}
	b->lazy = lazy;
	if (r && counts_all(a)) {
		sql_expr_free(a->arg);
		a->arg = NULL;
	}
	return r;
}

/* ---- the plan's list ------------------------------------------------------------------------- */

static void aggregate_done(struct sql_aggregate *a)
{
	sql_expr_free(a->arg);
	sql_expr_free(a->filter);
}

static bool same_part(const struct sql_expr *a, const struct sql_expr *b)
{
	return a && b ? sql_expr_equal(a, b) : a == b;
}

/* Takes what is in *a. */
static bool enlist(struct sql_bind *b, struct sql_aggregate *a, uint32_t *ret_index)
{
	struct sql_plan *p = b->plan;
	struct sql_aggregate *list;

	for (uint32_t i = 0; i < p->n_aggregates; i++) {
		const struct sql_aggregate *other = &p->aggregates[i];

		if (other->kind == a->kind && same_part(other->arg, a->arg) &&
		    same_part(other->filter, a->filter)) {
			aggregate_done(a);
			*ret_index = i;
			return true;
		}
	}
	list = reallocarray(p->aggregates, p->n_aggregates + 1, sizeof(*list));
	if (!list) {
		aggregate_done(a);
		return sql_no_memory(b);
	}
	p->aggregates = list;
	*ret_index = p->n_aggregates;
	list[p->n_aggregates++] = *a;
	return true;
}

struct sql_expr *sql_bind_aggregate(struct sql_bind *b, const PgQuery__FuncCall *call)
{
	struct sql_aggregate a = {
		.kind = find_name(call)->kind, .type = SQL_INT8, .at = call->location};
	bool grouped = b->tree->select->n_group_clause > 0;
	bool nullable;
	enum sql_type type;
	uint32_t index = 0;

	if (!allowed(b, call) || !check_count_of_args(b, call, a.kind))
		return NULL;
	if (!bind_parts(b, call, &a)) {
		aggregate_done(&a);
		return NULL;
	}
	/* A group has a record, but perhaps none that gets past FILTER. */
	nullable = a.kind != SQL_COUNT && (!grouped || a.filter || a.arg->nullable);
	type = a.type;
	if (!enlist(b, &a, &index))
		return NULL;
	return sql_node_leaf(b, SQL_AGGREGATE, type, index, nullable, call->location);
}
