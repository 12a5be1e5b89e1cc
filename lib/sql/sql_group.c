/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_group.c - GROUP BY, DISTINCT, ORDER BY, and the step from records to groups: in what is made
 * of groups, each expression that equals a key becomes SQL_KEY. A column that is left over has no
 * one value in a group and is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "sql/sql_bind.h"

/* ---- outputs by position and by name --------------------------------------------------------- */

static bool at_position(struct sql_bind *b, const PgQuery__AConst *c, const char *clause,
			int32_t *ret)
{
	int32_t n;

	if (c->isnull || c->val_case != PG_QUERY__A__CONST__VAL_IVAL)
		return sql_refuse(b, NF_INVALID_ARGUMENT, c->location, "non-integer constant in %s",
				  clause);
	n = c->ival->ival;
	if (n < 1 || (uint32_t)n > b->plan->n_outputs)
		return sql_refuse(b, NF_INVALID_ARGUMENT, c->location,
				  "%s position %d is not in select list", clause, n);
	*ret = n - 1;
	return true;
}

static bool by_name(struct sql_bind *b, const PgQuery__ColumnRef *ref, const char *clause,
		    int32_t *ret)
{
	const struct sql_plan *p = b->plan;
	const char *name = sql_last_word(ref->fields, 1);
	int32_t found = -1;

	for (uint32_t i = 0; i < p->n_outputs; i++) {
		if (strcmp(p->outputs[i].name, name) != 0)
			continue;
		if (found >= 0 && !sql_expr_equal(p->outputs[found].expr, p->outputs[i].expr))
			return sql_refuse(b, NF_INVALID_ARGUMENT, ref->location,
					  "%s \"%s\" is ambiguous", clause, name);
		if (found < 0)
			found = (int32_t)i;
	}
	*ret = found;
	return true;
}

/* A number is a position, a bare name is that of an output; in GROUP BY, of a column first. *ret
 * is -1 for any other expression. */
static bool find_output(struct sql_bind *b, const PgQuery__Node *n, bool group_by, int32_t *ret)
{
	const char *clause = group_by ? "GROUP BY" : "ORDER BY";

	*ret = -1;
	if (n->node_case == PG_QUERY__NODE__NODE_A_CONST)
		return at_position(b, n->a_const, clause, ret);
	if (n->node_case != PG_QUERY__NODE__NODE_COLUMN_REF || n->column_ref->n_fields != 1)
		return true;
	if (group_by && sql_schema_find(b->schema, sql_last_word(n->column_ref->fields, 1)))
		return true;
	return by_name(b, n->column_ref, clause, ret);
}

static struct sql_expr *output_or_expr(struct sql_bind *b, const PgQuery__Node *n, bool group_by)
{
	int32_t output;
	struct sql_expr *e;

	if (b->failed || !find_output(b, n, group_by, &output))
		return NULL;
	if (output >= 0)
		return sql_node_copy(b, b->plan->outputs[output].expr);
	b->clause = group_by ? SQL_IN_GROUP_BY : SQL_IN_ORDER_BY;
	e = sql_coerce_known(b, sql_bind_expr(b, n));
	if (!e || e->type != SQL_INTERVAL)
		return e;
	sql_refuse(b, NF_UNIMPLEMENTED, sql_node_place(e), "%s an interval is not supported",
		   group_by ? "GROUP BY" : "ORDER BY");
	sql_expr_free(e);
	return NULL;
}

/* ---- GROUP BY, DISTINCT ---------------------------------------------------------------------- */

static const struct sql_expr *find_aggregate(const struct sql_expr *e)
{
	const struct sql_expr *found = e->op == SQL_AGGREGATE ? e : NULL;

	for (uint32_t i = 0; !found && i < e->n_args; i++)
		found = find_aggregate(e->args[i]);
	return found;
}

/* Takes e. The same key twice is one. */
static void add_key(struct sql_bind *b, struct sql_expr *e)
{
	struct sql_plan *p = b->plan;
	const struct sql_expr *aggregate = e ? find_aggregate(e) : NULL;
	struct sql_expr **keys;

	if (!e)
		return;
	if (aggregate)
		sql_refuse(b, NF_INVALID_ARGUMENT, aggregate->at,
			   "aggregate functions are not allowed in GROUP BY");
	for (uint32_t i = 0; i < p->n_keys; i++)
		if (sql_expr_equal(p->keys[i], e)) {
			sql_expr_free(e);
			return;
		}
	keys = b->failed ? NULL : reallocarray(p->keys, p->n_keys + 1, sizeof(*keys));
	if (!keys) {
		sql_no_memory(b);
		sql_expr_free(e);
		return;
	}
	p->keys = keys;
	p->keys[p->n_keys++] = e;
}

/* A constant tells no groups apart; one is kept if there is no other key. */
static void drop_constant_keys(struct sql_plan *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->n_keys; i++) {
		bool last = n == 0 && i + 1 == p->n_keys;

		if (p->keys[i]->op == SQL_CONST && !last)
			sql_expr_free(p->keys[i]);
		else
			p->keys[n++] = p->keys[i];
	}
	p->n_keys = n;
}

static void group_by(struct sql_bind *b, const PgQuery__Node *n)
{
	/* GROUP BY (a, b) */
	if (n->node_case == PG_QUERY__NODE__NODE_ROW_EXPR &&
	    n->row_expr->row_format == PG_QUERY__COERCION_FORM__COERCE_IMPLICIT_CAST)
		for (size_t i = 0; i < n->row_expr->n_args; i++)
			add_key(b, output_or_expr(b, n->row_expr->args[i], true));
	else
		add_key(b, output_or_expr(b, n, true));
}

void sql_bind_group_by(struct sql_bind *b)
{
	const PgQuery__SelectStmt *s = b->tree->select;

	for (size_t i = 0; !b->failed && i < s->n_group_clause; i++)
		group_by(b, s->group_clause[i]);
	drop_constant_keys(b->plan);
	b->plan->grouped = s->n_group_clause > 0;
}

/* Without aggregates the outputs themselves are the keys. */
void sql_bind_select_distinct(struct sql_bind *b)
{
	struct sql_plan *p = b->plan;

	if (p->grouped || p->n_aggregates || p->having) {
		p->distinct = true;
		return;
	}
	p->grouped = true;
	for (uint32_t i = 0; !b->failed && i < p->n_outputs; i++)
		add_key(b, sql_node_copy(b, p->outputs[i].expr));
	drop_constant_keys(p);
}

/* ---- ORDER BY -------------------------------------------------------------------------------- */

static bool is_output(const struct sql_plan *p, const struct sql_expr *e)
{
	for (uint32_t i = 0; i < p->n_outputs; i++)
		if (sql_expr_equal(p->outputs[i].expr, e))
			return true;
	return false;
}

static void order_by(struct sql_bind *b, const PgQuery__SortBy *s)
{
	struct sql_order *o = &b->plan->order[b->plan->n_order];

	if (s->sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_USING) {
		sql_refuse(b, NF_UNIMPLEMENTED, s->location, "ORDER BY USING is not supported");
		return;
	}
	o->expr = output_or_expr(b, s->node, false);
	if (!o->expr)
		return;
	b->plan->n_order++;
	o->descending = s->sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
	/* NULL is above all values, unless it is said where it goes. */
	o->nulls_first =
		s->sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST ||
		(o->descending && s->sortby_nulls != PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_LAST);
	if (b->tree->select->n_distinct_clause && !is_output(b->plan, o->expr))
		sql_refuse(b, NF_INVALID_ARGUMENT, sql_node_place(o->expr),
			   "for SELECT DISTINCT, ORDER BY expressions must appear in select list");
}

void sql_bind_order_by(struct sql_bind *b)
{
	const PgQuery__SelectStmt *s = b->tree->select;

	if (b->failed || !s->n_sort_clause)
		return;
	b->plan->order = calloc(s->n_sort_clause, sizeof(struct sql_order));
	if (!b->plan->order)
		sql_no_memory(b);
	for (size_t i = 0; !b->failed && i < s->n_sort_clause; i++)
		order_by(b, s->sort_clause[i]->sort_by);
}

/* ---- from records to groups ------------------------------------------------------------------ */

static struct sql_expr *key_of(struct sql_bind *b, const struct sql_expr *e)
{
	const struct sql_plan *p = b->plan;

	for (uint32_t i = 0; i < p->n_keys; i++)
		if (sql_expr_equal(p->keys[i], e))
			return sql_node_leaf(b, SQL_KEY, e->type, i, e->nullable, e->at);
	return NULL;
}

/* Takes e. */
static struct sql_expr *over_groups(struct sql_bind *b, struct sql_expr *e)
{
	const struct sql_plan *p = b->plan;
	struct sql_expr *key;

	if (!e || e->op == SQL_CONST || e->op == SQL_AGGREGATE)
		return e;
	key = key_of(b, e);
	if (key || e->op == SQL_COLUMN) {
		if (!key)
			sql_refuse(b, NF_INVALID_ARGUMENT, e->at,
				   "column \"%s.%s\" must appear in the GROUP BY clause or be used "
				   "in an aggregate function",
				   p->alias ? p->alias : p->table,
				   b->schema->columns[e->index].name);
		sql_expr_free(e);
		return key;
	}
	/* A failure leaves a hole, which sql_expr_free() passes over. */
	for (uint32_t i = 0; !b->failed && i < e->n_args; i++)
		e->args[i] = over_groups(b, e->args[i]);
	return e;
}

void sql_group_outputs(struct sql_bind *b)
{
	struct sql_plan *p = b->plan;

	for (uint32_t i = 0; !b->failed && i < p->n_outputs; i++)
		p->outputs[i].expr = over_groups(b, p->outputs[i].expr);
	for (uint32_t i = 0; !b->failed && i < p->n_order; i++)
		p->order[i].expr = over_groups(b, p->order[i].expr);
	if (!b->failed)
		p->having = over_groups(b, p->having);
}
