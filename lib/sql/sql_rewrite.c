/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_rewrite.c - what is computed for every record, made cheap without changing its value.
 *
 * A date compared with a timestamp, and an integer compared with a numeric, are compared as dates
 * and as integers, when the other side is a constant c. With f = floor(c):
 *
 *	x < c	is x < f if c is whole, else x <= f		x <= c	is x <= f
 *	x >= c	is x >= f if c is whole, else x > f		x > c	is x > f
 *	x = c	is x = f if c is whole, else false
 *
 * So l_shipdate <= date '1998-12-01' - interval '90 days', whose right side is a timestamp, costs
 * what a comparison of two integers costs. Beside this, constants that decide AND, OR, CASE and
 * COALESCE do so here.
 */
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "sql/sql_bind.h"

/* e's argument i in e's place. */
static struct sql_expr *only(struct sql_expr *e, uint32_t i)
{
	struct sql_expr *arg = TAKE_PTR(e->args[i]);

	sql_expr_free(e);
	return arg;
}

static struct sql_expr *constant(struct sql_bind *b, struct sql_expr *e, struct sql_value v)
{
	int32_t at = e->at;

	sql_expr_free(e);
	return sql_node_const(b, &v, at);
}

/* ---- comparisons ----------------------------------------------------------------------------- */

static bool is_comparison(enum sql_op op)
{
	return op >= SQL_EQ && op <= SQL_GE;
}

static const struct {
	enum sql_op mirrored; /* a < b: b > a */
	enum sql_op negated;
	enum sql_op broken; /* for c that is not whole; CONST: it is decided */
	bool if_broken;
	bool if_above; /* c is above all that x can be */
} comparisons[] = {
	[SQL_EQ] = {SQL_EQ, SQL_NE, SQL_CONST, false, false},
	[SQL_NE] = {SQL_NE, SQL_EQ, SQL_CONST, true, true},
	[SQL_LT] = {SQL_GT, SQL_GE, SQL_LE, false, true},
	[SQL_LE] = {SQL_GE, SQL_GT, SQL_LE, false, true},
	[SQL_GT] = {SQL_LT, SQL_LE, SQL_GT, false, false},
	[SQL_GE] = {SQL_LE, SQL_LT, SQL_GT, false, false},
};

struct floored {
	int64_t n;
	bool whole;
	int beyond; /* -1, 1: c is below, above all of the type */
};

static int beyond_type(enum sql_type type, int64_t n)
{
	int64_t least = type == SQL_INT2 ? INT16_MIN : type == SQL_INT8 ? INT64_MIN : INT32_MIN;
	int64_t most = type == SQL_INT2 ? INT16_MAX : type == SQL_INT8 ? INT64_MAX : INT32_MAX;

	return n < least ? -1 : n > most;
}

static struct floored floor_number(const struct sql_value *v, enum sql_type type)
{
	struct floored f = {0};
	mpz_t whole, rest, power;

	mpz_inits(whole, rest, power, NULL);
	mpz_ui_pow_ui(power, 10, (unsigned long)v->scale);
	mpz_fdiv_qr(whole, rest, v->number, power);
	f.whole = mpz_sgn(rest) == 0;
	if (mpz_fits_slong_p(whole)) {
		f.n = mpz_get_si(whole);
		f.beyond = beyond_type(type, f.n);
	} else {
		f.beyond = mpz_sgn(whole);
	}
	mpz_clears(whole, rest, power, NULL);
	return f;
}

static struct floored floor_timestamp(const struct sql_value *v)
{
	int64_t rest = v->integer % SQL_DAY_US;

	return (struct floored){.n = v->integer / SQL_DAY_US - (rest < 0), .whole = rest == 0};
}

/* x compared with c: x's column is never NULL. An integer is cast to be compared. */
static struct sql_expr *compare_floored(struct sql_bind *b, struct sql_expr *e,
					const struct floored *f)
{
	bool is_cast = e->args[0]->type != SQL_DATE;
	struct sql_expr *x = is_cast ? e->args[0]->args[0] : e->args[0];
	enum sql_op op = f->whole ? e->op : comparisons[e->op].broken;
	struct sql_value v;

	if (f->beyond || op == SQL_CONST) {
		bool above = comparisons[e->op].if_above;

		/* Of anything but a column NULL may come, or an error. */
		if (x->op != SQL_COLUMN)
			return e;
		if (!f->beyond)
			return constant(b, e, sql_value_bool(comparisons[e->op].if_broken));
		/* = and <> are the same on both ends. */
		if (f->beyond < 0 && e->op != SQL_EQ && e->op != SQL_NE)
			above = !above;
		return constant(b, e, sql_value_bool(above));
	}
	v = sql_value_integer(x->type, f->n);
	sql_value_done(&e->args[1]->value);
	e->args[1]->value = v;
	e->args[1]->type = x->type;
	if (is_cast)
		e->args[0] = only(e->args[0], 0);
	e->op = op;
	return e;
}

static struct sql_expr *rewrite_comparison(struct sql_bind *b, struct sql_expr *e)
{
	const struct sql_expr *l, *c;
	struct floored f;

	if (e->args[0]->op == SQL_CONST) { /* the constant to the right */
		struct sql_expr *swap = e->args[0];

		e->args[0] = e->args[1];
		e->args[1] = swap;
		e->op = comparisons[e->op].mirrored;
	}
	l = e->args[0];
	c = e->args[1];
	if (c->op != SQL_CONST || c->value.null)
		return e;
	if (l->type == SQL_DATE && c->type == SQL_TIMESTAMP)
		f = floor_timestamp(&c->value);
	else if (l->op == SQL_CAST && l->type == SQL_NUMERIC && sql_is_integer(l->args[0]->type) &&
		 !l->precision)
		f = floor_number(&c->value, l->args[0]->type);
	else
		return e;
	return compare_floored(b, e, &f);
}

/* ---- what constants decide ------------------------------------------------------------------- */

static bool is_bool_const(const struct sql_expr *e, bool value)
{
	return e->op == SQL_CONST && !e->value.null && e->value.boolean == value;
}

static struct sql_expr *rewrite_and_or(struct sql_expr *e)
{
	bool decides = e->op == SQL_OR;

	for (uint32_t i = 0; i < 2; i++) {
		if (is_bool_const(e->args[i], decides))
			return only(e, i);
		if (is_bool_const(e->args[i], !decides))
			return only(e, 1 - i);
	}
	return e;
}

static struct sql_expr *rewrite_not(struct sql_bind *b, struct sql_expr *e)
{
	struct sql_expr *x = e->args[0];

	if (x->op == SQL_CONST && !x->value.null)
		return constant(b, e, sql_value_bool(!x->value.boolean));
	if (x->op == SQL_NOT)
		return only(only(e, 0), 0);
	if (!is_comparison(x->op))
		return e;
	x->op = comparisons[x->op].negated;
	return only(e, 0);
}

/* Branches that are never taken go; the first that always is ends it. */
static struct sql_expr *rewrite_case(struct sql_expr *e)
{
	uint32_t n = 0, i = 0;

	for (; i + 1 < e->n_args; i += 2) {
		struct sql_expr *condition = e->args[i];

		if (is_bool_const(condition, true)) {
			sql_expr_free(condition);
			i++;
			break;
		}
		if (condition->op == SQL_CONST) {
			sql_expr_free(condition);
			sql_expr_free(e->args[i + 1]);
			continue;
		}
		e->args[n++] = condition;
		e->args[n++] = e->args[i + 1];
	}
	e->args[n++] = e->args[i];
	while (++i < e->n_args)
		sql_expr_free(e->args[i]);
	e->n_args = n;
	return n == 1 ? only(e, 0) : e;
}

/* NULLs go; the first that is never NULL ends it. */
static struct sql_expr *rewrite_coalesce(struct sql_expr *e)
{
	uint32_t n = 0, i = 0;

	for (; i < e->n_args; i++) {
		if (sql_is_null_const(e->args[i]) && (n || i + 1 < e->n_args)) {
			sql_expr_free(e->args[i]);
			continue;
		}
		e->args[n++] = e->args[i];
		if (!e->args[n - 1]->nullable)
			break;
	}
	while (++i < e->n_args)
		sql_expr_free(e->args[i]);
	e->n_args = n;
	return n == 1 ? only(e, 0) : e;
}

/* NULL in, NULL out. */
static bool is_strict(enum sql_op op)
{
	switch (op) {
	case SQL_CONST:
	case SQL_COLUMN:
	case SQL_KEY:
	case SQL_AGGREGATE:
	case SQL_AND:
	case SQL_OR:
	case SQL_IS_NULL:
	case SQL_CASE:
	case SQL_COALESCE:
		return false;
	default:
		return true;
	}
}

static struct sql_expr *rewrite_node(struct sql_bind *b, struct sql_expr *e)
{
	for (uint32_t i = 0; is_strict(e->op) && i < e->n_args; i++)
		if (sql_is_null_const(e->args[i]))
			return constant(b, e, sql_value_null(e->type));
	if (is_comparison(e->op))
		return rewrite_comparison(b, e);
	switch (e->op) {
	case SQL_AND:
	case SQL_OR:
		return rewrite_and_or(e);
	case SQL_NOT:
		return rewrite_not(b, e);
	case SQL_IS_NULL:
		if (e->args[0]->op == SQL_COLUMN)
			return constant(b, e, sql_value_bool(false));
		return e;
	case SQL_CASE:
		return rewrite_case(e);
	case SQL_COALESCE:
		return rewrite_coalesce(e);
	default:
		return e;
	}
}

struct sql_expr *sql_rewrite(struct sql_bind *b, struct sql_expr *e)
{
	if (!e)
		return NULL;
	for (uint32_t i = 0; !b->failed && i < e->n_args; i++)
		e->args[i] = sql_rewrite(b, e->args[i]);
	if (b->failed)
		return e;
	return rewrite_node(b, e);
}
