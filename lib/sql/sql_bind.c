/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_bind.c - a parse tree becomes a plan, clause by clause. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "sql/sql_bind.h"

/* ---- FROM, outputs --------------------------------------------------------------------------- */

static void bind_from(struct sql_bind *b)
{
	const PgQuery__RangeVar *t = b->tree->table;
	struct sql_plan *p = b->plan;

	p->text = strdup(b->text);
	p->table = strdup(t->relname);
	if (t->alias)
		p->alias = strdup(t->alias->aliasname);
	if (!p->text || !p->table || (t->alias && !p->alias))
		sql_no_memory(b);
	p->schema = b->schema;
}

static void bind_output(struct sql_bind *b, const PgQuery__ResTarget *t)
{
	struct sql_output *o = &b->plan->outputs[b->plan->n_outputs];

	o->expr = sql_coerce_known(b, sql_bind_expr(b, t->val));
	if (!o->expr)
		return;
	b->plan->n_outputs++;
	if (o->expr->type == SQL_INTERVAL)
		sql_refuse(b, NF_UNIMPLEMENTED, sql_node_place(o->expr),
			   "an interval as an output is not supported");
	o->name = strdup(t->name[0] ? t->name : sql_output_name(t->val));
	if (!o->name)
		sql_no_memory(b);
}

static void bind_outputs(struct sql_bind *b)
{
	const PgQuery__SelectStmt *s = b->tree->select;

	if (!s->n_target_list || s->n_target_list > SQL_MAX_OUTPUTS) {
		sql_refuse(b, s->n_target_list ? NF_RESOURCE_EXHAUSTED : NF_UNIMPLEMENTED, -1,
			   "a query has between 1 and %d outputs, not %zu", SQL_MAX_OUTPUTS,
			   s->n_target_list);
		return;
	}
	b->plan->outputs = calloc(s->n_target_list, sizeof(struct sql_output));
	if (!b->plan->outputs)
		sql_no_memory(b);
	b->clause = SQL_IN_OUTPUTS;
	for (size_t i = 0; !b->failed && i < s->n_target_list; i++)
		bind_output(b, s->target_list[i]->res_target);
}

static void bind_conditions(struct sql_bind *b)
{
	const PgQuery__SelectStmt *s = b->tree->select;

	if (!b->failed && s->where_clause) {
		b->clause = SQL_IN_WHERE;
		b->plan->where = sql_bind_bool(b, s->where_clause, "WHERE");
	}
	if (!b->failed && s->having_clause) {
		b->clause = SQL_IN_HAVING;
		b->plan->having = sql_bind_bool(b, s->having_clause, "HAVING");
	}
}

/* ---- LIMIT, OFFSET --------------------------------------------------------------------------- */

static struct sql_expr *to_bigint(struct sql_bind *b, struct sql_expr *e, const char *name)
{
	if (!e || e->type == SQL_UNKNOWN || sql_is_number(e->type))
		return sql_coerce(b, e, SQL_INT8);
	sql_refuse(b, NF_INVALID_ARGUMENT, sql_node_place(e),
		   "argument of %s must be type bigint, not type %s", name, sql_type_name(e->type));
	sql_expr_free(e);
	return NULL;
}

/* NULL, which is also LIMIT ALL, is as if it were not there. */
static int64_t bind_count(struct sql_bind *b, const PgQuery__Node *n, enum sql_clause clause,
			  int64_t otherwise)
{
	const char *name = clause == SQL_IN_LIMIT ? "LIMIT" : "OFFSET";
	int64_t count = otherwise;
	struct sql_expr *e;

	if (b->failed || !n)
		return otherwise;
	b->clause = clause;
	e = to_bigint(b, sql_bind_expr(b, n), name);
	if (!e)
		return otherwise;
	if (e->op != SQL_CONST)
		sql_refuse(b, NF_UNIMPLEMENTED, sql_node_place(e),
			   "%s of what is not constant is not supported", name);
	else if (!e->value.null && e->value.integer < 0)
		sql_refuse(b, NF_INVALID_ARGUMENT, sql_node_place(e), "%s must not be negative",
			   name);
	else if (!e->value.null)
		count = e->value.integer;
	sql_expr_free(e);
	return count;
}

/* ---- groups ---------------------------------------------------------------------------------- */

static void bind_groups(struct sql_bind *b)
{
	struct sql_plan *p = b->plan;
	bool distinct = b->tree->select->n_distinct_clause > 0;

	sql_bind_group_by(b);
	sql_bind_order_by(b);
	if (b->failed)
		return;
	if (!p->grouped && !p->n_aggregates && !p->having && !distinct) {
		sql_refuse(b, NF_UNIMPLEMENTED, sql_node_place(p->outputs[0].expr),
			   "this returns the records themselves; Nearfold returns aggregates: add "
			   "GROUP BY, DISTINCT or an aggregate function, or fetch the data with "
			   "nearfold read");
		return;
	}
	if (distinct)
		sql_bind_select_distinct(b);
	sql_group_outputs(b);
}

/* ---- made cheap ------------------------------------------------------------------------------ */

/* A condition that is always true is none; one that is NULL is false. */
static struct sql_expr *rewrite_condition(struct sql_bind *b, struct sql_expr *e)
{
	e = sql_rewrite(b, e);
	if (!e || e->op != SQL_CONST)
		return e;
	if (e->value.null)
		e->value = sql_value_bool(false);
	e->nullable = false;
	if (!e->value.boolean)
		return e;
	sql_expr_free(e);
	return NULL;
}

static void rewrite_all(struct sql_bind *b)
{
	struct sql_plan *p = b->plan;

	p->where = rewrite_condition(b, p->where);
	for (uint32_t i = 0; !b->failed && i < p->n_keys; i++)
		p->keys[i] = sql_rewrite(b, p->keys[i]);
	for (uint32_t i = 0; !b->failed && i < p->n_aggregates; i++) {
		p->aggregates[i].arg = sql_rewrite(b, p->aggregates[i].arg);
		p->aggregates[i].filter = rewrite_condition(b, p->aggregates[i].filter);
	}
}

/* LIMIT 0: PostgreSQL computes nothing, so nothing may fail. */
static void ask_nothing(struct sql_bind *b)
{
	struct sql_value no = sql_value_bool(false);

	sql_expr_free(b->plan->where);
	b->plan->where = sql_node_const(b, &no, -1);
}

/* ---- plans ----------------------------------------------------------------------------------- */

static int make(const char *text, const struct sql_tree *tree, const struct sql_schema *schema,
		struct sql_plan *p, struct nf_error *err)
{
	const PgQuery__SelectStmt *s = tree->select;
	struct sql_bind b = {.text = text, .schema = schema, .tree = tree, .plan = p, .err = err};

	bind_from(&b);
	if (!b.failed)
		bind_outputs(&b);
	bind_conditions(&b);
	if (!b.failed)
		bind_groups(&b);
	p->limit = bind_count(&b, s->limit_count, SQL_IN_LIMIT, -1);
	p->offset = bind_count(&b, s->limit_offset, SQL_IN_OFFSET, 0);
	if (!b.failed)
		rewrite_all(&b);
	if (!b.failed && p->limit == 0)
		ask_nothing(&b);
	return b.failed;
}

int sql_plan_make(const char *text, const struct sql_schema *schema, struct sql_plan **ret,
		  struct nf_error *err)
{
	struct sql_tree tree = {0};
	struct sql_plan *p = calloc(1, sizeof(*p));
	int r = p ? sql_parse(text, &tree, err) : nf_error_no_memory(err, "SQL");

	if (!r)
		r = make(text, &tree, schema, p, err);
	sql_tree_done(&tree);
	if (r)
		sql_plan_free(p);
	else
		*ret = p;
	return r;
}

void sql_plan_free(struct sql_plan *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < p->n_keys; i++)
		sql_expr_free(p->keys[i]);
	for (uint32_t i = 0; i < p->n_aggregates; i++) {
		sql_expr_free(p->aggregates[i].arg);
		sql_expr_free(p->aggregates[i].filter);
	}
	for (uint32_t i = 0; i < p->n_outputs; i++) {
		sql_expr_free(p->outputs[i].expr);
		free(p->outputs[i].name);
	}
	for (uint32_t i = 0; i < p->n_order; i++)
		sql_expr_free(p->order[i].expr);
	sql_expr_free(p->where);
	sql_expr_free(p->having);
	free(p->keys);
	free(p->aggregates);
	free(p->outputs);
	free(p->order);
	free(p->text);
	free(p->table);
	free(p->alias);
	free(p);
}
