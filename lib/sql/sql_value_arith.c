/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_value_arith.c - + - * / % and the sign, type by type, with PostgreSQL's words for failures.
 */
#include "sql/sql_value.h"

#include <math.h>

#include "sql/sql_numeric.h"

static int fail(struct nf_error *err, const char *text)
{
	return nf_error_set(err, NF_OUT_OF_RANGE, NULL, "%s", text);
}

static int out_of_range(enum sql_type type, struct nf_error *err)
{
	return nf_error_set(err, NF_OUT_OF_RANGE, NULL, "%s out of range",
			    type == SQL_TIMESTAMP ? "timestamp" : sql_type_name(type));
}

static int no_operator(enum sql_arith op, const struct sql_value *a, const struct sql_value *b,
		       struct nf_error *err)
{
	static const char signs[] = {[SQL_PLUS] = '+',
				     [SQL_MINUS] = '-',
				     [SQL_TIMES] = '*',
				     [SQL_DIVIDE] = '/',
				     [SQL_MODULO] = '%'};

	return nf_error_set(err, NF_INVALID_ARGUMENT, NULL, "operator does not exist: %s %c %s",
			    sql_type_name(a->type), signs[op], sql_type_name(b->type));
}

/* ---- integers -------------------------------------------------------------------------------- */

static bool is_integer(enum sql_type type)
{
	return type == SQL_INT2 || type == SQL_INT4 || type == SQL_INT8;
}

static bool fits(enum sql_type type, int64_t n)
{
	if (type == SQL_INT2)
		return n == (int16_t)n;
	return type == SQL_INT8 || n == (int32_t)n;
}

/* False: it does not fit 64 bits. y is not 0 for / and %. */
static bool integer_op(enum sql_arith op, int64_t x, int64_t y, int64_t *ret)
{
	switch (op) {
	case SQL_PLUS:
		return !__builtin_add_overflow(x, y, ret);
	case SQL_MINUS:
		return !__builtin_sub_overflow(x, y, ret);
	case SQL_TIMES:
		return !__builtin_mul_overflow(x, y, ret);
	case SQL_DIVIDE:
		if (y == -1) /* the machine's traps for the least number */
			return !__builtin_sub_overflow(0, x, ret);
		*ret = x / y;
		return true;
	case SQL_MODULO:
		*ret = y == -1 ? 0 : x % y;
		return true;
	}
	return false;
}

static int integer_arith(enum sql_arith op, const struct sql_value *a, const struct sql_value *b,
			 struct sql_value *ret, struct nf_error *err)
{
	enum sql_type type = a->type > b->type ? a->type : b->type;
	int64_t n;

	if ((op == SQL_DIVIDE || op == SQL_MODULO) && b->integer == 0)
		return fail(err, "division by zero");
	if (!integer_op(op, a->integer, b->integer, &n) || !fits(type, n))
		return out_of_range(type, err);
	*ret = sql_value_integer(type, n);
	return 0;
}

/* ---- doubles --------------------------------------------------------------------------------- */

static int real_result(double x, bool may_be_infinite, bool may_be_zero, struct sql_value *ret,
		       struct nf_error *err)
{
	if (isinf(x) && !may_be_infinite)
		return fail(err, "value out of range: overflow");
	if (x == 0 && !may_be_zero)
		return fail(err, "value out of range: underflow");
	*ret = sql_value_real(x);
	return 0;
}

static int real_arith(enum sql_arith op, const struct sql_value *a, const struct sql_value *b,
		      struct sql_value *ret, struct nf_error *err)
{
	double x = a->real, y = b->real;
	bool infinite = isinf(x) || isinf(y);

	switch (op) {
	case SQL_PLUS:
		return real_result(x + y, infinite, true, ret, err);
	case SQL_MINUS:
		return real_result(x - y, infinite, true, ret, err);
	case SQL_TIMES:
		return real_result(x * y, infinite, x == 0 || y == 0, ret, err);
	case SQL_DIVIDE:
		if (y == 0 && !isnan(x))
			return fail(err, "division by zero");
		return real_result(x / y, isinf(x), x == 0 || isinf(y), ret, err);
	case SQL_MODULO:
		break;
	}
	return no_operator(op, a, b, err);
}

/* ---- dates, timestamps, intervals ------------------------------------------------------------ */

static bool is_time(enum sql_type type)
{
	return type == SQL_DATE || type == SQL_TIMESTAMP;
}

static int date_and_days(enum sql_arith op, int64_t date, int64_t days, struct sql_value *ret,
			 struct nf_error *err)
{
	int64_t n;

	if (!integer_op(op, date, days, &n) || !sql_date_in_range(n))
		return out_of_range(SQL_DATE, err);
	*ret = sql_value_integer(SQL_DATE, n);
	return 0;
}

static int time_and_interval(enum sql_arith op, const struct sql_value *a,
			     const struct sql_interval *i, struct sql_value *ret,
			     struct nf_error *err)
{
	int64_t us = a->integer;

	if (a->type == SQL_DATE &&
	    (__builtin_mul_overflow(us, SQL_DAY_US, &us) || !sql_timestamp_in_range(us)))
		return fail(err, "date out of range for timestamp");
	if (!sql_timestamp_add(us, i, op == SQL_MINUS, &us))
		return out_of_range(SQL_TIMESTAMP, err);
	*ret = sql_value_integer(SQL_TIMESTAMP, us);
	return 0;
}

static int interval_arith(enum sql_arith op, const struct sql_interval *a,
			  const struct sql_interval *b, struct sql_value *ret, struct nf_error *err)
{
	int64_t months, days, us;

	if (!integer_op(op, a->months, b->months, &months) ||
	    !integer_op(op, a->days, b->days, &days) || !integer_op(op, a->us, b->us, &us) ||
	    !fits(SQL_INT4, months) || !fits(SQL_INT4, days))
		return out_of_range(SQL_INTERVAL, err);
	*ret = (struct sql_value){
		.type = SQL_INTERVAL,
		.interval = {.months = (int32_t)months, .days = (int32_t)days, .us = us}};
	return 0;
}

/* Operands whose types differ, and those that are not numbers: + and - only. */
static int time_arith(enum sql_arith op, const struct sql_value *a, const struct sql_value *b,
		      struct sql_value *ret, struct nf_error *err)
{
	bool plus = op == SQL_PLUS;

	if (!plus && op != SQL_MINUS)
		return no_operator(op, a, b, err);
	if (a->type == SQL_INTERVAL && b->type == SQL_INTERVAL)
		return interval_arith(op, &a->interval, &b->interval, ret, err);
	if (is_time(a->type) && b->type == SQL_INTERVAL)
		return time_and_interval(op, a, &b->interval, ret, err);
	if (plus && a->type == SQL_INTERVAL && is_time(b->type))
		return time_and_interval(op, b, &a->interval, ret, err);
	if (a->type == SQL_DATE && is_integer(b->type))
		return date_and_days(op, a->integer, b->integer, ret, err);
	if (plus && is_integer(a->type) && b->type == SQL_DATE)
		return date_and_days(op, b->integer, a->integer, ret, err);
	if (!plus && a->type == SQL_DATE && b->type == SQL_DATE) {
		*ret = sql_value_integer(SQL_INT4, a->integer - b->integer);
		return 0;
	}
	return no_operator(op, a, b, err);
}

int sql_value_arith(enum sql_arith op, const struct sql_value *a, const struct sql_value *b,
		    struct sql_value *ret, struct nf_error *err)
{
	if (is_integer(a->type) && is_integer(b->type))
		return integer_arith(op, a, b, ret, err);
	if (a->type == SQL_NUMERIC && b->type == SQL_NUMERIC)
		return sql_numeric_arith(op, a, b, ret, err);
	if (a->type == SQL_FLOAT8 && b->type == SQL_FLOAT8)
		return real_arith(op, a, b, ret, err);
	return time_arith(op, a, b, ret, err);
}

int sql_value_negate(const struct sql_value *a, struct sql_value *ret, struct nf_error *err)
{
	static const struct sql_interval none;
	struct sql_value zero;

	switch (a->type) {
	case SQL_INT2:
	case SQL_INT4:
	case SQL_INT8:
		zero = sql_value_integer(a->type, 0);
		return integer_arith(SQL_MINUS, &zero, a, ret, err);
	case SQL_NUMERIC: {
		int r = sql_value_copy(a, ret, err);
		if (!r)
			mpz_neg(ret->number, ret->number);
		return r;
	}
	case SQL_FLOAT8:
		*ret = sql_value_real(-a->real);
		return 0;
	case SQL_INTERVAL:
		return interval_arith(SQL_MINUS, &none, &a->interval, ret, err);
	default:
		return nf_error_set(err, NF_INVALID_ARGUMENT, NULL, "operator does not exist: - %s",
				    sql_type_name(a->type));
	}
}

int sql_value_round(const struct sql_value *a, int32_t digits, bool truncate, struct sql_value *ret,
		    struct nf_error *err)
{
	if (a->type != SQL_NUMERIC)
		return nf_error_set(err, NF_INVALID_ARGUMENT, NULL,
				    "function %s(%s, integer) does not exist",
				    truncate ? "trunc" : "round", sql_type_name(a->type));
	return sql_numeric_round(a, digits, truncate, ret, err);
}
