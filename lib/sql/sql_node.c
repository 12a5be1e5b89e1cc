/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_node.c - expressions are made here: NULLs are followed, constants folded, nodes counted. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "sql/sql_bind.h"

/* ---- refusals -------------------------------------------------------------------------------- */

void *sql_refuse(struct sql_bind *b, enum nf_code code, int32_t at, const char *fmt, ...)
{
	char where[64];
	va_list ap;

	if (b->failed)
		return NULL;
	sql_where(b->text, at, where, sizeof(where));
	va_start(ap, fmt);
	b->failed = nf_error_vset(b->err, code, where, fmt, ap);
	va_end(ap);
	return NULL;
}

void *sql_no_memory(struct sql_bind *b)
{
	if (!b->failed)
		b->failed = nf_error_no_memory(b->err, "SQL");
	return NULL;
}

void *sql_refuse_as(struct sql_bind *b, int r, int32_t at, const struct nf_error *err)
{
	if (r == -ENOMEM)
		return sql_no_memory(b);
	return sql_refuse(b, err->code, at, "%s", err->text);
}

/* ---- leaves ---------------------------------------------------------------------------------- */

static struct sql_expr *new_node(struct sql_bind *b, enum sql_op op, enum sql_type type, int32_t at)
{
	struct sql_expr *e;

	if (b->failed)
		return NULL;
	if (++b->n_nodes > SQL_MAX_NODES)
		return sql_refuse(b, NF_RESOURCE_EXHAUSTED, at,
				  "the query has more than %d operations, columns and constants",
				  SQL_MAX_NODES);
	e = calloc(1, sizeof(*e));
	if (!e)
		return sql_no_memory(b);
	e->op = op;
	e->type = type;
	e->at = at;
	e->scale = SQL_NO_SCALE;
	e->value = sql_value_null(type);
	return e;
}

struct sql_expr *sql_node_const(struct sql_bind *b, struct sql_value *v, int32_t at)
{
	struct sql_expr *e = new_node(b, SQL_CONST, v->type, at);

	if (!e) {
		sql_value_done(v);
		return NULL;
	}
	e->value = *v;
	e->nullable = v->null;
	return e;
}

struct sql_expr *sql_node_leaf(struct sql_bind *b, enum sql_op op, enum sql_type type,
			       uint32_t index, bool nullable, int32_t at)
{
	struct sql_expr *e = new_node(b, op, type, at);

	if (e) {
		e->index = index;
		e->nullable = nullable;
	}
	return e;
}

bool sql_is_null_const(const struct sql_expr *e)
{
	return e->op == SQL_CONST && e->value.null;
}

int32_t sql_node_place(const struct sql_expr *e)
{
	int32_t at = e->at;

	for (uint32_t i = 0; i < e->n_args; i++) {
		int32_t arg = sql_node_place(e->args[i]);

		if (arg >= 0 && (at < 0 || arg < at))
			at = arg;
	}
	return at;
}

/* ---- folding --------------------------------------------------------------------------------- */

/* Below a node that could not be folded there may be one that could not either. */
static bool is_constant(const struct sql_expr *e)
{
	if (e->op == SQL_COLUMN || e->op == SQL_KEY || e->op == SQL_AGGREGATE)
		return false;
	for (uint32_t i = 0; i < e->n_args; i++)
		if (!is_constant(e->args[i]))
			return false;
	return true;
}

/* Takes e. */
static struct sql_expr *fold(struct sql_bind *b, struct sql_expr *e)
{
	struct sql_row row = {.text = b->text};
	struct sql_value v;
	struct nf_error err;
	struct sql_expr *folded;
	int r;

	if (!is_constant(e))
		return e;
	r = sql_expr_eval(e, &row, &v, &err);
	if (r && r != -ENOMEM && b->lazy)
		return e;
	if (r) {
		if (!b->failed && b->err)
			*b->err = err;
		if (!b->failed)
			b->failed = r;
		sql_expr_free(e);
		return NULL;
	}
	if (v.null)
		v.type = e->type;
	folded = sql_node_const(b, &v, e->at);
	sql_expr_free(e);
	return folded;
}

/* ---- inner nodes ----------------------------------------------------------------------------- */

static bool can_be_null(const struct sql_expr *e)
{
	bool all = true, any = false;

	if (e->op == SQL_IS_NULL)
		return false;
	for (uint32_t i = 0; i < e->n_args; i++) {
		/* CASE's conditions decide, but do not come out. */
		if (e->op == SQL_CASE && i % 2 == 0 && i + 1 < e->n_args)
			continue;
		all &= e->args[i]->nullable;
		any |= e->args[i]->nullable;
	}
	return e->op == SQL_COALESCE ? all : any;
}

static bool all_there(const struct sql_bind *b, uint32_t n, struct sql_expr *const *args)
{
	for (uint32_t i = 0; i < n; i++)
		if (!args[i])
			return false;
	return !b->failed;
}

/* what: a node without arguments, on the caller's stack. */
static struct sql_expr *build(struct sql_bind *b, const struct sql_expr *what, uint32_t n,
			      struct sql_expr *const *args)
{
	struct sql_expr *e =
		all_there(b, n, args) ? new_node(b, what->op, what->type, what->at) : NULL;

	if (e) {
		e->scale = what->scale;
		e->precision = what->precision;
		e->field = what->field;
		e->args = calloc(n, sizeof(struct sql_expr *));
		if (!e->args) {
			sql_expr_free(e);
			e = sql_no_memory(b);
		}
	}
	if (!e) {
		for (uint32_t i = 0; i < n; i++)
			sql_expr_free(args[i]);
		return NULL;
	}
	memcpy(e->args, args, n * sizeof(struct sql_expr *));
	e->n_args = n;
	e->nullable = can_be_null(e);
	e = fold(b, e);
	if (e && e->type == SQL_INTERVAL && e->op != SQL_CONST) {
		sql_refuse(b, NF_UNIMPLEMENTED, what->at,
			   "intervals are supported in constants only");
		sql_expr_free(e);
		return NULL;
	}
	return e;
}

struct sql_expr *sql_node(struct sql_bind *b, enum sql_op op, enum sql_type type, int32_t at,
			  uint32_t n, struct sql_expr *const *args)
{
	struct sql_expr what = {.op = op, .type = type, .at = at, .scale = SQL_NO_SCALE};

	return build(b, &what, n, args);
}

struct sql_expr *sql_node_unary(struct sql_bind *b, enum sql_op op, enum sql_type type, int32_t at,
				struct sql_expr *a)
{
	return sql_node(b, op, type, at, 1, &a);
}

struct sql_expr *sql_node_binary(struct sql_bind *b, enum sql_op op, enum sql_type type, int32_t at,
				 struct sql_expr *l, struct sql_expr *r)
{
	return sql_node(b, op, type, at, 2, (struct sql_expr *[]){l, r});
}

struct sql_expr *sql_node_case(struct sql_bind *b, enum sql_type type, int32_t at,
			       struct sql_expr *condition, struct sql_expr *result,
			       struct sql_expr *otherwise)
{
	return sql_node(b, SQL_CASE, type, at, 3,
			(struct sql_expr *[]){condition, result, otherwise});
}

struct sql_expr *sql_node_join(struct sql_bind *b, enum sql_op op, int32_t at, size_t n,
			       struct sql_expr *const *args)
{
	size_t half = n / 2;
	struct sql_expr *l, *r;

	if (n == 1)
		return args[0];
	l = sql_node_join(b, op, at, half, args);
	r = sql_node_join(b, op, at, n - half, args + half);
	return sql_node_binary(b, op, SQL_BOOL, at, l, r);
}

struct sql_expr *sql_node_cast(struct sql_bind *b, enum sql_type type, int32_t scale,
			       unsigned precision, int32_t at, struct sql_expr *a)
{
	struct sql_expr what = {.op = SQL_CAST,
				.type = type,
				.at = at,
				.scale = scale,
				.precision = (uint16_t)precision};

	return build(b, &what, 1, &a);
}

struct sql_expr *sql_node_extract(struct sql_bind *b, enum sql_field field, int32_t at,
				  struct sql_expr *a)
{
	struct sql_expr what = {.op = SQL_EXTRACT,
				.type = SQL_NUMERIC,
				.at = at,
				.scale = SQL_NO_SCALE,
				.field = field};

	return build(b, &what, 1, &a);
}

/* ---- copies ---------------------------------------------------------------------------------- */

static bool copy_args(struct sql_bind *b, const struct sql_expr *e, struct sql_expr *copy)
{
	copy->args = calloc(e->n_args, sizeof(struct sql_expr *));
	if (!copy->args)
		return sql_no_memory(b);
	for (; copy->n_args < e->n_args; copy->n_args++) {
		copy->args[copy->n_args] = sql_node_copy(b, e->args[copy->n_args]);
		if (!copy->args[copy->n_args])
			return false;
	}
	return true;
}

struct sql_expr *sql_node_copy(struct sql_bind *b, const struct sql_expr *e)
{
	struct sql_expr *copy = e ? new_node(b, e->op, e->type, e->at) : NULL;
	struct nf_error err;

	if (!copy)
		return NULL;
	copy->nullable = e->nullable;
	copy->index = e->index;
	copy->scale = e->scale;
	copy->precision = e->precision;
	copy->field = e->field;
	if (sql_value_copy(&e->value, &copy->value, &err))
		sql_no_memory(b);
	else if (!e->n_args || copy_args(b, e, copy))
		return copy;
	sql_expr_free(copy);
	return NULL;
}
