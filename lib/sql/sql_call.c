/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_call.c - functions: those of one number, round and trunc to digits, parts of dates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/scope.h"
#include "sql/sql_bind.h"

enum { MAX_ARGS = 2, SIGNATURE_BYTES = 256 };

struct args {
	struct sql_expr *e[MAX_ARGS];
	size_t n;
};

typedef struct sql_expr *call_fn(struct sql_bind *b, const PgQuery__FuncCall *call, enum sql_op op,
				 struct args *args);

static void args_done(struct args *a)
{
	for (size_t i = 0; i < a->n; i++)
		sql_expr_free(a->e[i]);
	a->n = 0;
}

/* "function round(double precision, integer) does not exist" */
static struct sql_expr *no_function(struct sql_bind *b, const PgQuery__FuncCall *call,
				    const struct args *a, const char *why)
{
	char types[SIGNATURE_BYTES] = "";

	for (size_t i = 0; i < a->n; i++) {
		size_t used = strlen(types);

		snprintf(types + used, sizeof(types) - used, "%s%s", i ? ", " : "",
			 sql_type_name(a->e[i]->type));
	}
	return sql_refuse(b, NF_INVALID_ARGUMENT, call->location, "function %s%s(%s) %s",
			  call->n_funcname > 1 ? "pg_catalog." : "",
			  sql_last_word(call->funcname, call->n_funcname), types, why);
}

static struct sql_expr *take(struct args *a, size_t i)
{
	return TAKE_PTR(a->e[i]);
}

/* ---- functions of one number ----------------------------------------------------------------- */

static struct sql_expr *bind_abs(struct sql_bind *b, const PgQuery__FuncCall *call, enum sql_op op,
				 struct args *a)
{
	enum sql_type type = a->n == 1 ? a->e[0]->type : SQL_TEXT;

	/* PostgreSQL prefers double precision when it has nothing to choose by. */
	if (type == SQL_UNKNOWN)
		type = SQL_FLOAT8;
	if (!sql_is_number(type))
		return no_function(b, call, a, "does not exist");
	return sql_node_unary(b, op, type, call->location, sql_coerce(b, take(a, 0), type));
}

/* Of integers too it makes double precision of all but numerics. */
static enum sql_type rounded_type(enum sql_type t)
{
	if (t == SQL_NUMERIC)
		return SQL_NUMERIC;
	return sql_is_number(t) || t == SQL_UNKNOWN ? SQL_FLOAT8 : SQL_UNKNOWN;
}

static struct sql_expr *bind_whole(struct sql_bind *b, const PgQuery__FuncCall *call,
				   enum sql_op op, struct args *a)
{
	enum sql_type type = a->n == 1 ? rounded_type(a->e[0]->type) : SQL_UNKNOWN;

	if (type == SQL_UNKNOWN)
		return no_function(b, call, a, "does not exist");
	/* trunc is also there for addresses of networks. */
	if (op == SQL_TRUNC && a->e[0]->type == SQL_UNKNOWN)
		return no_function(b, call, a, "is not unique");
	return sql_node_unary(b, op, type, call->location, sql_coerce(b, take(a, 0), type));
}

static bool becomes(enum sql_type from, enum sql_type to)
{
	return from == SQL_UNKNOWN || (sql_is_number(from) && from <= to);
}

/* round(1.23, 1): always numeric. */
static struct sql_expr *bind_round(struct sql_bind *b, const PgQuery__FuncCall *call,
				   enum sql_op op, struct args *a)
{
	struct sql_expr *x, *digits;

	if (a->n != 2)
		return bind_whole(b, call, op, a);
	if (!becomes(a->e[0]->type, SQL_NUMERIC) || !becomes(a->e[1]->type, SQL_INT4))
		return no_function(b, call, a, "does not exist");
	x = sql_coerce(b, take(a, 0), SQL_NUMERIC);
	digits = sql_coerce(b, take(a, 1), SQL_INT4);
	return sql_node_binary(b, op, SQL_NUMERIC, call->location, x, digits);
}

/* ---- parts of dates -------------------------------------------------------------------------- */

static const struct {
	const char *name, *plural;
	enum sql_field field;
	bool of_date;
} fields[] = {
	{"year", "years", SQL_YEAR, true},        {"month", "months", SQL_MONTH, true},
	{"day", "days", SQL_DAY, true},           {"hour", "hours", SQL_HOUR, false},
	{"minute", "minutes", SQL_MINUTE, false},
};

/* PostgreSQL has more. */
static const char *const other_fields[] = {"second",  "seconds",    "milliseconds", "microseconds",
					   "quarter", "week",       "dow",          "isodow",
					   "doy",     "epoch",      "century",      "decade",
					   "julian",  "millennium", "isoyear",      "timezone"};

static bool find_field(struct sql_bind *b, const struct sql_expr *name, enum sql_type of,
		       enum sql_field *ret)
{
	const char *text = name->value.text.bytes;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (strcasecmp(text, fields[i].name) != 0 &&
		    strcasecmp(text, fields[i].plural) != 0)
			continue;
		*ret = fields[i].field;
		if (of == SQL_DATE && !fields[i].of_date)
			return sql_refuse(b, NF_INVALID_ARGUMENT, name->at,
					  "unit \"%s\" not supported for type date", text);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(other_fields); i++)
		if (strcasecmp(text, other_fields[i]) == 0)
			return sql_refuse(b, NF_UNIMPLEMENTED, name->at,
					  "extracting \"%s\" is not supported; there are year, "
					  "month, day, hour and minute",
					  text);
	return sql_refuse(b, NF_INVALID_ARGUMENT, name->at,
			  "unit \"%s\" not recognized for type %s", text, sql_type_name(of));
}

/* extract(field FROM x) is a call with two arguments. */
static struct sql_expr *bind_extract(struct sql_bind *b, const PgQuery__FuncCall *call,
				     enum sql_op op, struct args *a)
{
	bool date_part = op != SQL_EXTRACT;
	enum sql_type of = a->n == 2 ? a->e[1]->type : SQL_TEXT;
	enum sql_field field = SQL_YEAR;
	struct sql_expr *x;

	if (of == SQL_UNKNOWN)
		return no_function(b, call, a, "is not unique");
	if (of == SQL_INTERVAL)
		return sql_refuse(b, NF_UNIMPLEMENTED, call->location,
				  "parts of intervals are not supported");
	if ((of != SQL_DATE && of != SQL_TIMESTAMP) ||
	    (a->e[0]->type != SQL_UNKNOWN && a->e[0]->type != SQL_TEXT))
		return no_function(b, call, a, "does not exist");
	if (a->e[0]->op != SQL_CONST || a->e[0]->value.null)
		return sql_refuse(b, NF_UNIMPLEMENTED, call->location,
				  "a unit that is not constant is not supported");
	/* date_part() of a date goes by way of a timestamp, which has hours. */
	if (!find_field(b, a->e[0], date_part ? SQL_TIMESTAMP : of, &field))
		return NULL;
	x = take(a, 1);
	if (date_part && (field == SQL_HOUR || field == SQL_MINUTE))
		x = sql_coerce(b, x, SQL_TIMESTAMP);
	x = sql_node_extract(b, field, call->location, x);
	return date_part ? sql_coerce(b, x, SQL_FLOAT8) : x;
}

/* ---- by name --------------------------------------------------------------------------------- */

static const struct function {
	const char *name;
	call_fn *bind;
	enum sql_op op;
} functions[] = {
	{"abs", bind_abs, SQL_ABS},
	{"round", bind_round, SQL_ROUND},
	{"trunc", bind_round, SQL_TRUNC},
	{"floor", bind_whole, SQL_FLOOR},
	{"ceil", bind_whole, SQL_CEIL},
	{"ceiling", bind_whole, SQL_CEIL},
	{"extract", bind_extract, SQL_EXTRACT},
	{"date_part", bind_extract, SQL_CAST},
};

static const struct function *find_function(const PgQuery__FuncCall *call)
{
	const char *name = sql_last_word(call->funcname, call->n_funcname);

	if (call->n_funcname > 2 ||
	    (call->n_funcname == 2 && strcmp(sql_last_word(call->funcname, 1), "pg_catalog") != 0))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (strcmp(functions[i].name, name) == 0)
			return &functions[i];
	return NULL;
}

static bool plain_call(struct sql_bind *b, const PgQuery__FuncCall *call, const char *name)
{
	if (call->over)
		return sql_refuse(b, NF_UNIMPLEMENTED, call->location,
				  "window functions are not supported");
	if (call->agg_filter)
		return sql_refuse(b, NF_INVALID_ARGUMENT, call->location,
				  "FILTER specified, but %s is not an aggregate function", name);
	if (call->agg_distinct)
		return sql_refuse(b, NF_INVALID_ARGUMENT, call->location,
				  "DISTINCT specified, but %s is not an aggregate function", name);
	if (call->n_agg_order || call->agg_within_group || call->func_variadic)
		return sql_refuse(b, NF_UNIMPLEMENTED, call->location,
				  "a call of %s with ORDER BY or VARIADIC is not supported", name);
	if (call->agg_star)
		return sql_refuse(b, NF_INVALID_ARGUMENT, call->location,
				  "function %s() does not exist", name);
	return true;
}

struct sql_expr *sql_bind_call(struct sql_bind *b, const PgQuery__FuncCall *call)
{
	const char *name = sql_last_word(call->funcname, call->n_funcname);
	const struct function *f = find_function(call);
	struct args args = {0};
	struct sql_expr *e = NULL;

	if (sql_is_aggregate(call))
		return sql_bind_aggregate(b, call);
	if (!f)
		return sql_refuse(b, NF_UNIMPLEMENTED, call->location,
				  "function %s is not supported; there are count, sum, avg, min, "
				  "max, bool_and, bool_or, every, abs, round, trunc, floor, ceil, "
				  "extract and date_part",
				  name);
	if (!plain_call(b, call, name))
		return NULL;
	if (call->n_args > MAX_ARGS)
		return sql_refuse(b, NF_INVALID_ARGUMENT, call->location,
				  "function %s with %zu arguments does not exist", name,
				  call->n_args);
	for (; !b->failed && args.n < call->n_args; args.n++)
		args.e[args.n] = sql_bind_expr(b, call->args[args.n]);
	if (!b->failed)
		e = f->bind(b, call, f->op, &args);
	args_done(&args);
	return e;
}
