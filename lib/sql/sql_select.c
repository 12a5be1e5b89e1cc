/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_select.c - which clauses a SELECT may have, and what may be in FROM: one table. */
#include <stdarg.h>

#include "base/scope.h"
#include "sql/sql_parse.h"
#include "sql/sql_plan.h"

static int unsupported(const char *text, int32_t at, struct nf_error *err, const char *what)
{
	char where[64];

	sql_where(text, at, where, sizeof(where));
	return nf_error_set(err, NF_UNIMPLEMENTED, where, "%s not supported", what);
}

static int32_t place(const PgQuery__Node *n)
{
	return n ? sql_tree_place(&n->base) : -1;
}

/* SELECT DISTINCT is a list with nothing in it. */
static const PgQuery__Node *distinct_on(const PgQuery__SelectStmt *s)
{
	const PgQuery__Node *first = s->n_distinct_clause ? s->distinct_clause[0] : NULL;

	return first && first->node_case != PG_QUERY__NODE__NODE__NOT_SET ? first : NULL;
}

static int check_set_operation(const char *text, const PgQuery__SelectStmt *s, struct nf_error *err)
{
	int32_t at = s->rarg ? sql_tree_place(&s->rarg->base) : -1;

	switch (s->op) {
	case PG_QUERY__SET_OPERATION__SETOP_UNION:
		return unsupported(text, at, err, "UNION is");
	case PG_QUERY__SET_OPERATION__SETOP_INTERSECT:
		return unsupported(text, at, err, "INTERSECT is");
	case PG_QUERY__SET_OPERATION__SETOP_EXCEPT:
		return unsupported(text, at, err, "EXCEPT is");
	default:
		return 0;
	}
}

static int check_clauses(const char *text, const PgQuery__SelectStmt *s, struct nf_error *err)
{
	const struct {
		bool there;
		int32_t at;
		const char *what;
	} clauses[] = {
		{s->with_clause, s->with_clause ? s->with_clause->location : -1, "WITH is"},
		{s->n_values_lists, s->n_values_lists ? place(s->values_lists[0]) : -1,
		 "VALUES is"},
		{s->into_clause, s->into_clause ? sql_tree_place(&s->into_clause->base) : -1,
		 "SELECT INTO is"},
		{distinct_on(s), place(distinct_on(s)), "DISTINCT ON is"},
		{s->group_distinct, -1, "GROUP BY DISTINCT is"},
		{s->n_window_clause, s->n_window_clause ? place(s->window_clause[0]) : -1,
		 "window functions are"},
		{s->n_locking_clause, -1, "FOR UPDATE and FOR SHARE are"},
		{s->limit_option == PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_WITH_TIES,
		 place(s->limit_count), "WITH TIES is"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(clauses); i++)
		if (clauses[i].there)
			return unsupported(text, clauses[i].at, err, clauses[i].what);
	return 0;
}

static int from_what(const char *text, const PgQuery__Node *n, struct nf_error *err)
{
	switch (n->node_case) {
	case PG_QUERY__NODE__NODE_JOIN_EXPR:
		return unsupported(text, place(n->join_expr->rarg), err,
				   "a join is a query of two tables; those are");
	case PG_QUERY__NODE__NODE_RANGE_SUBSELECT:
		return unsupported(text, place(n), err, "subqueries are");
	case PG_QUERY__NODE__NODE_RANGE_FUNCTION:
		return unsupported(text, place(n), err, "functions in FROM are");
	case PG_QUERY__NODE__NODE_RANGE_TABLE_SAMPLE:
		return unsupported(text, place(n), err, "TABLESAMPLE is");
	default:
		return unsupported(text, place(n), err, "what stands in FROM is");
	}
}

static int check_from(const char *text, struct sql_tree *t, struct nf_error *err)
{
	const PgQuery__SelectStmt *s = t->select;
	const PgQuery__RangeVar *table;

	if (s->n_from_clause == 0)
		return unsupported(text, -1, err, "a query without FROM and a table is");
	if (s->from_clause[0]->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
		return from_what(text, s->from_clause[0], err);
	if (s->n_from_clause > 1)
		return unsupported(text, place(s->from_clause[1]), err,
				   "a join is a query of two tables; those are");
	table = s->from_clause[0]->range_var;
	if (table->schemaname[0] || table->catalogname[0])
		return unsupported(text, table->location, err,
				   "a table's name alone is enough; a schema before it is");
	if (table->alias && table->alias->n_colnames)
		return unsupported(text, table->location, err,
				   "new names for a table's columns are");
	t->table = table;
	return 0;
}

int sql_select_check(const char *text, struct sql_tree *t, struct nf_error *err)
{
	int r = check_set_operation(text, t->select, err);

	if (!r)
		r = check_clauses(text, t->select, err);
	return r ? r : check_from(text, t, err);
}
