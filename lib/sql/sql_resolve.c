/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_resolve.c - which operator is meant, and what its operands become for it.
 *
 * PostgreSQL looks for an operator of the operands' types, then for one they can become by implicit
 * casts. Among our types that comes to little: numbers become the wider one (smallint, integer,
 * bigint, numeric, double precision; enum sql_type has them in this order), a date beside a
 * timestamp becomes one, and what dates do besides is the table date_rows. A text in quotes is of
 * the type of the other side.
 */
#include "sql/sql_bind.h"

#include <string.h>

#include "base/scope.h"

static const char *const symbols[] = {
	[SQL_NEG] = "-", [SQL_ADD] = "+", [SQL_SUB] = "-", [SQL_MUL] = "*",
	[SQL_DIV] = "/", [SQL_MOD] = "%", [SQL_EQ] = "=",  [SQL_NE] = "<>",
	[SQL_LT] = "<",  [SQL_LE] = "<=", [SQL_GT] = ">",  [SQL_GE] = ">=",
};

bool sql_is_integer(enum sql_type t)
{
	return t >= SQL_INT2 && t <= SQL_INT8;
}

bool sql_is_number(enum sql_type t)
{
	return t >= SQL_INT2 && t <= SQL_FLOAT8;
}

/* ---- becoming another type ------------------------------------------------------------------- */

static int parse_text(const struct sql_value *text, enum sql_type type, struct sql_value *ret,
		      struct nf_error *err)
{
	struct sql_interval i;

	if (text->null) {
		*ret = sql_value_null(type);
		return 0;
	}
	if (type == SQL_TEXT)
		return sql_value_bytes(text->text.bytes, text->text.n, ret, err);
	if (type != SQL_INTERVAL)
		return sql_value_parse(type, text->text.bytes, ret, err);
	if (!sql_interval_parse(text->text.bytes, NULL, &i))
		return nf_error_set(err, NF_INVALID_ARGUMENT, NULL,
				    "invalid input syntax for type interval: \"%s\"",
				    text->text.bytes);
	*ret = (struct sql_value){.type = SQL_INTERVAL, .interval = i};
	return 0;
}

struct sql_expr *sql_coerce(struct sql_bind *b, struct sql_expr *e, enum sql_type type)
{
	struct sql_value v;
	struct nf_error err;
	int32_t at;
	int r;

	if (!e || e->type == type)
		return e;
	if (e->type != SQL_UNKNOWN)
		return sql_node_cast(b, type, SQL_NO_SCALE, 0, e->at, e);
	at = e->at;
	r = parse_text(&e->value, type, &v, &err);
	sql_expr_free(e);
	return r ? sql_refuse_as(b, r, at, &err) : sql_node_const(b, &v, at);
}

struct sql_expr *sql_coerce_known(struct sql_bind *b, struct sql_expr *e)
{
	return e && e->type == SQL_UNKNOWN ? sql_coerce(b, e, SQL_TEXT) : e;
}

struct sql_expr *sql_coerce_bool(struct sql_bind *b, struct sql_expr *e, const char *of)
{
	if (!e || e->type == SQL_BOOL || e->type == SQL_UNKNOWN)
		return sql_coerce(b, e, SQL_BOOL);
	sql_refuse(b, NF_INVALID_ARGUMENT, sql_node_place(e),
		   "argument of %s must be type boolean, not type %s", of, sql_type_name(e->type));
	sql_expr_free(e);
	return NULL;
}

/* ---- what there is no operator for ----------------------------------------------------------- */

static struct sql_expr *no_operator(struct sql_bind *b, enum nf_code code, const char *why,
				    enum sql_op op, int32_t at, struct sql_expr *l,
				    struct sql_expr *r)
{
	sql_refuse(b, code, at, "operator %s: %s %s %s", why, sql_type_name(l->type), symbols[op],
		   sql_type_name(r->type));
	sql_expr_free(l);
	sql_expr_free(r);
	return NULL;
}

static struct sql_expr *not_there(struct sql_bind *b, enum sql_op op, int32_t at,
				  struct sql_expr *l, struct sql_expr *r)
{
	return no_operator(b, NF_INVALID_ARGUMENT, "does not exist", op, at, l, r);
}

static bool both(struct sql_bind *b, struct sql_expr *l, struct sql_expr *r)
{
	if (l && r && !b->failed)
		return true;
	sql_expr_free(l);
	sql_expr_free(r);
	return false;
}

/* ---- comparison ------------------------------------------------------------------------------ */

static bool is_moment(enum sql_type t)
{
	return t == SQL_DATE || t == SQL_TIMESTAMP;
}

enum sql_type sql_compared_as(enum sql_type l, enum sql_type r)
{
	if (l == SQL_UNKNOWN)
		return r == SQL_UNKNOWN ? SQL_TEXT : r;
	if (r == SQL_UNKNOWN || l == r)
		return l;
	if (sql_is_number(l) && sql_is_number(r))
		return l > r ? l : r;
	return is_moment(l) && is_moment(r) ? SQL_TIMESTAMP : SQL_UNKNOWN;
}

/* A constant date that is to be compared with a timestamp: as one, if it has one. */
static struct sql_expr *midnight(struct sql_bind *b, struct sql_expr *e)
{
	int64_t us;

	if (e->type != SQL_DATE || e->op != SQL_CONST || e->value.null ||
	    __builtin_mul_overflow(e->value.integer, SQL_DAY_US, &us) ||
	    !sql_timestamp_in_range(us))
		return e;
	return sql_coerce(b, e, SQL_TIMESTAMP);
}

struct sql_expr *sql_compare(struct sql_bind *b, enum sql_op op, int32_t at, struct sql_expr *l,
			     struct sql_expr *r)
{
	enum sql_type type;

	if (!both(b, l, r))
		return NULL;
	type = sql_compared_as(l->type, r->type);
	if (type == SQL_UNKNOWN)
		return not_there(b, op, at, l, r);
	if (type == SQL_INTERVAL)
		return no_operator(b, NF_UNIMPLEMENTED, "is not supported", op, at, l, r);
	if (is_moment(l->type) && is_moment(r->type) && l->type != r->type) {
		/* Dates reach further than timestamps, and compare with them all the same. */
		l = midnight(b, l);
		r = midnight(b, r);
	} else {
		l = sql_coerce(b, l, type);
		r = sql_coerce(b, r, type);
	}
	return sql_node_binary(b, op, SQL_BOOL, at, l, r);
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

/* Swapped: the date first. A result of type UNKNOWN: PostgreSQL has it, we do not. */
static const struct date_row {
	enum sql_op op;
	enum sql_type l, r, result;
	bool swap;
} date_rows[] = {
	{SQL_ADD, SQL_DATE, SQL_INT4, SQL_DATE, false},
	{SQL_ADD, SQL_INT4, SQL_DATE, SQL_DATE, true},
	{SQL_ADD, SQL_DATE, SQL_INTERVAL, SQL_TIMESTAMP, false},
	{SQL_ADD, SQL_INTERVAL, SQL_DATE, SQL_TIMESTAMP, true},
	{SQL_ADD, SQL_TIMESTAMP, SQL_INTERVAL, SQL_TIMESTAMP, false},
	{SQL_ADD, SQL_INTERVAL, SQL_TIMESTAMP, SQL_TIMESTAMP, true},
	{SQL_ADD, SQL_INTERVAL, SQL_INTERVAL, SQL_UNKNOWN, false},
	{SQL_SUB, SQL_DATE, SQL_INT4, SQL_DATE, false},
	{SQL_SUB, SQL_DATE, SQL_DATE, SQL_INT4, false},
	{SQL_SUB, SQL_DATE, SQL_INTERVAL, SQL_TIMESTAMP, false},
	{SQL_SUB, SQL_DATE, SQL_TIMESTAMP, SQL_UNKNOWN, false},
	{SQL_SUB, SQL_TIMESTAMP, SQL_DATE, SQL_UNKNOWN, false},
	{SQL_SUB, SQL_TIMESTAMP, SQL_INTERVAL, SQL_TIMESTAMP, false},
	{SQL_SUB, SQL_TIMESTAMP, SQL_TIMESTAMP, SQL_UNKNOWN, false},
	{SQL_SUB, SQL_INTERVAL, SQL_INTERVAL, SQL_UNKNOWN, false},
};

static const struct date_row *find_date_row(enum sql_op op, enum sql_type l, enum sql_type r)
{
	/* Smallint becomes integer; bigint does not. */
	l = l == SQL_INT2 ? SQL_INT4 : l;
	r = r == SQL_INT2 ? SQL_INT4 : r;
	for (size_t i = 0; i < ARRAY_SIZE(date_rows); i++)
		if (date_rows[i].op == op && date_rows[i].l == l && date_rows[i].r == r)
			return &date_rows[i];
	return NULL;
}

/* What a text in quotes is beside `other`; SQL_UNKNOWN: PostgreSQL cannot choose. */
static enum sql_type unknown_beside(enum sql_op op, enum sql_type other)
{
	if (other == SQL_TIMESTAMP && op == SQL_ADD)
		return SQL_INTERVAL;
	if (other == SQL_DATE && op == SQL_ADD)
		return SQL_UNKNOWN;
	return other;
}

static bool has_arithmetic(enum sql_type t)
{
	return sql_is_number(t) || is_moment(t) || t == SQL_INTERVAL;
}

static struct sql_expr *date_arithmetic(struct sql_bind *b, enum sql_op op, int32_t at,
					struct sql_expr *l, struct sql_expr *r)
{
	const struct date_row *row = find_date_row(op, l->type, r->type);
	bool intervals = l->type == SQL_INTERVAL || r->type == SQL_INTERVAL;

	/* PostgreSQL multiplies and divides intervals by numbers. */
	if (row ? row->result == SQL_UNKNOWN
		: intervals && (op == SQL_MUL || op == SQL_DIV) &&
			    (sql_is_number(l->type) || sql_is_number(r->type)))
		return no_operator(b, NF_UNIMPLEMENTED, "is not supported", op, at, l, r);
	if (!row)
		return not_there(b, op, at, l, r);
	l = sql_coerce(b, l, row->l);
	r = sql_coerce(b, r, row->r);
	return sql_node_binary(b, op, row->result, at, row->swap ? r : l, row->swap ? l : r);
}

struct sql_expr *sql_arithmetic(struct sql_bind *b, enum sql_op op, int32_t at, struct sql_expr *l,
				struct sql_expr *r)
{
	enum sql_type type;

	if (!both(b, l, r))
		return NULL;
	if (l->type == SQL_UNKNOWN || r->type == SQL_UNKNOWN) {
		enum sql_type other = l->type == SQL_UNKNOWN ? r->type : l->type;
		enum sql_type as = unknown_beside(op, other);

		if (other != SQL_UNKNOWN && !has_arithmetic(other))
			return not_there(b, op, at, l, r);
		if (as == SQL_UNKNOWN)
			return no_operator(b, NF_INVALID_ARGUMENT, "is not unique", op, at, l, r);
		l = l->type == SQL_UNKNOWN ? sql_coerce(b, l, as) : l;
		r = r->type == SQL_UNKNOWN ? sql_coerce(b, r, as) : r;
		if (!both(b, l, r))
			return NULL;
	}
	if (!sql_is_number(l->type) || !sql_is_number(r->type))
		return date_arithmetic(b, op, at, l, r);
	type = l->type > r->type ? l->type : r->type;
	if (op == SQL_MOD && type == SQL_FLOAT8)
		return not_there(b, op, at, l, r);
	l = sql_coerce(b, l, type);
	r = sql_coerce(b, r, type);
	return sql_node_binary(b, op, type, at, l, r);
}

/* ---- one type for many ----------------------------------------------------------------------- */

enum sql_type sql_common_type(struct sql_expr *const *e, size_t n, size_t *ret_odd,
			      enum sql_type *ret_type)
{
	enum sql_type type = SQL_UNKNOWN;

	for (size_t i = 0; i < n; i++) {
		enum sql_type next = sql_compared_as(type, e[i]->type);

		if (e[i]->type == SQL_UNKNOWN)
			continue;
		if (type != SQL_UNKNOWN && next == SQL_UNKNOWN) {
			*ret_odd = i;
			*ret_type = type;
			return SQL_UNKNOWN;
		}
		type = next;
	}
	return type == SQL_UNKNOWN ? SQL_TEXT : type;
}

bool sql_coerce_common(struct sql_bind *b, struct sql_expr **e, size_t n, const char *name,
		       enum sql_type *ret)
{
	enum sql_type type, before = SQL_UNKNOWN;
	size_t odd = 0;

	for (size_t i = 0; i < n; i++)
		if (!e[i])
			return false;
	type = sql_common_type(e, n, &odd, &before);
	if (type == SQL_UNKNOWN) {
		sql_refuse(b, NF_INVALID_ARGUMENT, sql_node_place(e[odd]),
			   "%s types %s and %s cannot be matched", name, sql_type_name(before),
			   sql_type_name(e[odd]->type));
		return false;
	}
	for (size_t i = 0; i < n; i++)
		e[i] = sql_coerce(b, e[i], type);
	*ret = type;
	return !b->failed;
}
