/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_cast.c - CAST, ::, and type 'text': names of types, their modifiers, and which casts there
 * are. */
#include <string.h>

#include "base/scope.h"
#include "sql/sql_bind.h"

/* ---- names ----------------------------------------------------------------------------------- */

/* As the grammar spells them: smallint is int2, decimal is numeric ... */
static const struct type_name {
	const char *name;
	enum sql_type type;
} type_names[] = {
	{"bool", SQL_BOOL},           {"int2", SQL_INT2},         {"int4", SQL_INT4},
	{"int8", SQL_INT8},           {"numeric", SQL_NUMERIC},   {"float8", SQL_FLOAT8},
	{"text", SQL_TEXT},           {"varchar", SQL_TEXT},      {"date", SQL_DATE},
	{"timestamp", SQL_TIMESTAMP}, {"interval", SQL_INTERVAL},
};

/* A type and what stands in parentheses behind it. */
struct target {
	enum sql_type type;
	int32_t scale;
	unsigned precision;
	const struct interval_unit *unit;
	int32_t at;
};

/* INTERVAL '90' DAY: PostgreSQL's mask of fields, how a bare number is read, and the least field
 * that is kept: months, or microseconds. */
static const struct interval_unit {
	int mask;
	const char *name;
	int32_t months; /* kept to a multiple of; days and time are dropped */
	int64_t us;     /* kept to a multiple of; 0: no time */
} interval_units[] = {
	{1 << 1, "month", 1, 0},
	{1 << 2, "year", 12, 0},
	{1 << 3, "day", 0, 0},
	{1 << 10, "hour", 0, INT64_C(3600000000)},
	{1 << 11, "minute", 0, 60000000},
	{1 << 12, "second", 0, 1},
};

static bool modifier(const PgQuery__TypeName *n, size_t i, int32_t *ret)
{
	const PgQuery__Node *m = n->typmods[i];

	if (m->node_case != PG_QUERY__NODE__NODE_A_CONST ||
	    m->a_const->val_case != PG_QUERY__A__CONST__VAL_IVAL)
		return false;
	*ret = m->a_const->ival->ival;
	return true;
}

static bool unsupported_modifier(struct sql_bind *b, const PgQuery__TypeName *n, const char *name)
{
	return sql_refuse(b, NF_UNIMPLEMENTED, n->location,
			  "type %s with what stands behind it is not supported", name);
}

static bool numeric_modifiers(struct sql_bind *b, const PgQuery__TypeName *n, struct target *t)
{
	int32_t precision = 0, scale = 0;

	if (n->n_typmods > 2 || !modifier(n, 0, &precision) ||
	    (n->n_typmods == 2 && !modifier(n, 1, &scale)))
		return sql_refuse(b, NF_INVALID_ARGUMENT, n->location,
				  "invalid NUMERIC type modifier");
	if (precision < 1 || precision > 1000)
		return sql_refuse(b, NF_INVALID_ARGUMENT, n->location,
				  "NUMERIC precision %d must be between 1 and 1000", precision);
	if (scale < -1000 || scale > 1000)
		return sql_refuse(b, NF_INVALID_ARGUMENT, n->location,
				  "NUMERIC scale %d must be between -1000 and 1000", scale);
	if (scale < 0)
		return sql_refuse(b, NF_UNIMPLEMENTED, n->location,
				  "a negative scale is not supported");
	t->precision = (unsigned)precision;
	t->scale = scale;
	return true;
}

static bool interval_modifiers(struct sql_bind *b, const PgQuery__TypeName *n, struct target *t)
{
	int32_t mask;

	if (n->n_typmods == 1 && modifier(n, 0, &mask))
		for (size_t i = 0; i < ARRAY_SIZE(interval_units); i++)
			if (interval_units[i].mask == mask) {
				t->unit = &interval_units[i];
				return true;
			}
	return unsupported_modifier(b, n, "interval");
}

static bool modifiers(struct sql_bind *b, const PgQuery__TypeName *n, const char *name,
		      struct target *t)
{
	if (!n->n_typmods)
		return true;
	if (t->type == SQL_NUMERIC)
		return numeric_modifiers(b, n, t);
	if (t->type == SQL_INTERVAL)
		return interval_modifiers(b, n, t);
	return unsupported_modifier(b, n, name);
}

static bool type_of_name(struct sql_bind *b, const PgQuery__TypeName *n, struct target *ret)
{
	const char *name = sql_last_word(n->names, n->n_names);
	bool known = n->n_names == 1;

	if (n->n_names == 2)
		known = strcmp(sql_last_word(n->names, 1), "pg_catalog") == 0;
	if (n->n_array_bounds || n->setof || n->pct_type)
		return sql_refuse(b, NF_UNIMPLEMENTED, n->location, "arrays are not supported");
	for (size_t i = 0; known && i < ARRAY_SIZE(type_names); i++)
		if (strcmp(type_names[i].name, name) == 0) {
			*ret = (struct target){.type = type_names[i].type,
					       .scale = SQL_NO_SCALE,
					       .at = n->location};
			return modifiers(b, n, name, ret);
		}
	return sql_refuse(b, NF_UNIMPLEMENTED, n->location,
			  "type \"%s\" is not supported; there are boolean, smallint, integer, "
			  "bigint, numeric, double precision, text, date, timestamp and interval",
			  name);
}

/* ---- which casts there are ------------------------------------------------------------------- */

#define TO(t)       (1u << (t))
#define TO_INTEGERS (TO(SQL_INT2) | TO(SQL_INT4) | TO(SQL_INT8))
#define TO_NUMBERS  (TO_INTEGERS | TO(SQL_NUMERIC) | TO(SQL_FLOAT8))
#define TO_MOMENTS  (TO(SQL_DATE) | TO(SQL_TIMESTAMP))
#define TO_TEXT     TO(SQL_TEXT)

static const unsigned casts[SQL_TYPES] = {
	[SQL_BOOL] = TO(SQL_BOOL) | TO(SQL_INT4) | TO_TEXT,
	[SQL_INT2] = TO_NUMBERS | TO_TEXT,
	[SQL_INT4] = TO(SQL_BOOL) | TO_NUMBERS | TO_TEXT,
	[SQL_INT8] = TO_NUMBERS | TO_TEXT,
	[SQL_NUMERIC] = TO_NUMBERS | TO_TEXT,
	[SQL_FLOAT8] = TO_NUMBERS | TO_TEXT,
	[SQL_TEXT] = TO(SQL_BOOL) | TO_NUMBERS | TO_MOMENTS | TO_TEXT | TO(SQL_INTERVAL),
	[SQL_DATE] = TO_MOMENTS | TO_TEXT,
	[SQL_TIMESTAMP] = TO_MOMENTS | TO_TEXT,
	[SQL_INTERVAL] = TO(SQL_INTERVAL) | TO_TEXT,
};

static bool cast_there(struct sql_bind *b, const struct sql_expr *e, const struct target *t,
		       int32_t at)
{
	bool intervals = (e->type == SQL_INTERVAL) != (t->type == SQL_INTERVAL);

	if (!(casts[e->type] & TO(t->type)))
		return sql_refuse(b, NF_INVALID_ARGUMENT, at, "cannot cast type %s to %s",
				  sql_type_name(e->type), sql_type_name(t->type));
	if (intervals)
		return sql_refuse(b, NF_UNIMPLEMENTED, at, "a cast of %s to %s is not supported",
				  sql_type_name(e->type), sql_type_name(t->type));
	return true;
}

/* ---- casting --------------------------------------------------------------------------------- */

static void keep_unit(const struct interval_unit *u, struct sql_interval *i)
{
	if (u->months) {
		i->months -= i->months % u->months;
		i->days = 0;
	}
	i->us = u->us ? i->us - i->us % u->us : 0;
}

static struct sql_expr *interval_of_text(struct sql_bind *b, const struct target *t,
					 struct sql_expr *e)
{
	struct sql_value v = {.type = SQL_INTERVAL};
	int32_t at = e->at;

	if (e->value.null || !t->unit)
		return sql_coerce(b, e, SQL_INTERVAL);
	if (!sql_interval_parse(e->value.text.bytes, t->unit->name, &v.interval)) {
		sql_refuse(b, NF_INVALID_ARGUMENT, at,
			   "invalid input syntax for type interval: \"%s\"", e->value.text.bytes);
		sql_expr_free(e);
		return NULL;
	}
	keep_unit(t->unit, &v.interval);
	sql_expr_free(e);
	return sql_node_const(b, &v, at);
}

static struct sql_expr *cast(struct sql_bind *b, const struct target *t, int32_t at,
			     struct sql_expr *e)
{
	if (e->type == SQL_UNKNOWN)
		e = t->type == SQL_INTERVAL ? interval_of_text(b, t, e) : sql_coerce(b, e, t->type);
	else if (!cast_there(b, e, t, at)) {
		sql_expr_free(e);
		return NULL;
	}
	if (!e || (e->type == t->type && !t->precision))
		return e;
	return sql_node_cast(b, t->type, t->scale, t->precision, at, e);
}

struct sql_expr *sql_bind_cast(struct sql_bind *b, const PgQuery__TypeCast *c)
{
	struct target t = {0};
	struct sql_expr *e = sql_bind_expr(b, c->arg);

	if (!e)
		return NULL;
	if (!type_of_name(b, c->type_name, &t)) {
		sql_expr_free(e);
		return NULL;
	}
	return cast(b, &t, c->location >= 0 ? c->location : t.at, e);
}
