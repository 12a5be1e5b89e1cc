/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_value_cast.c - from one type to another, by the type that it becomes. */
#include "sql/sql_value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "sql/sql_double.h"
#include "sql/sql_numeric.h"

static bool is_text(const struct sql_value *v)
{
	return v->type == SQL_TEXT || v->type == SQL_UNKNOWN;
}

static int no_cast(const struct sql_value *a, enum sql_type type, struct nf_error *err)
{
	return nf_error_set(err, NF_INVALID_ARGUMENT, NULL, "cannot cast type %s to %s",
			    sql_type_name(a->type), sql_type_name(type));
}

static int to_bool(const struct sql_value *a, struct sql_value *ret, struct nf_error *err)
{
	if (a->type != SQL_INT4)
		return no_cast(a, SQL_BOOL, err);
	*ret = sql_value_bool(a->integer != 0);
	return 0;
}

/* Half to even. False: not a number, or it does not fit. */
static bool real_integer(double d, int64_t *ret)
{
	d = rint(d);
	if (!(d >= -0x1p63 && d < 0x1p63))
		return false;
	*ret = (int64_t)d;
	return true;
}

static int to_integer(const struct sql_value *a, enum sql_type type, struct sql_value *ret,
		      struct nf_error *err)
{
	bool fits = true;
	int64_t n = 0;

	switch (a->type) {
	case SQL_BOOL:
		if (type != SQL_INT4)
			return no_cast(a, type, err);
		n = a->boolean;
		break;
	case SQL_INT2:
	case SQL_INT4:
	case SQL_INT8:
		n = a->integer;
		break;
	case SQL_NUMERIC:
		fits = sql_numeric_integer(a, &n);
		break;
	case SQL_FLOAT8:
		fits = real_integer(a->real, &n);
		break;
	default:
		return no_cast(a, type, err);
	}
	fits &= type == SQL_INT8 || n == (type == SQL_INT2 ? (int16_t)n : (int32_t)n);
	if (!fits)
		return nf_error_set(err, NF_OUT_OF_RANGE, NULL, "%s out of range",
				    sql_type_name(type));
	*ret = sql_value_integer(type, n);
	return 0;
}

static int real_numeric(double d, struct sql_value *ret, struct nf_error *err)
{
	char text[SQL_DOUBLE_TEXT_BYTES];

	if (!isfinite(d))
		return nf_error_set(err, NF_OUT_OF_RANGE, NULL, "cannot convert %s to numeric",
				    isnan(d) ? "NaN" : "infinity");
	return sql_numeric_parse(sql_double_text_15(d, text), ret, err);
}

static int to_numeric(const struct sql_value *a, struct sql_value *ret, struct nf_error *err)
{
	switch (a->type) {
	case SQL_INT2:
	case SQL_INT4:
	case SQL_INT8:
		*ret = sql_value_number(a->integer, 0);
		return 0;
	case SQL_FLOAT8:
		return real_numeric(a->real, ret, err);
	default:
		return no_cast(a, SQL_NUMERIC, err);
	}
}

static int to_real(const struct sql_value *a, struct sql_value *ret, struct nf_error *err)
{
	switch (a->type) {
	case SQL_INT2:
	case SQL_INT4:
	case SQL_INT8:
		*ret = sql_value_real((double)a->integer);
		return 0;
	case SQL_NUMERIC: {
		AUTO_FREE char *text = sql_numeric_text(a);
		if (!text)
			return nf_error_no_memory(err, NULL);
		return sql_value_parse(SQL_FLOAT8, text, ret, err);
	}
	default:
		return no_cast(a, SQL_FLOAT8, err);
	}
}

static int to_text(const struct sql_value *a, struct sql_value *ret, struct nf_error *err)
{
	AUTO_FREE char *text = NULL;

	if (is_text(a))
		return sql_value_bytes(a->text.bytes, a->text.n, ret, err);
	if (a->type == SQL_BOOL) { /* printed, it is t or f */
		const char *word = a->boolean ? "true" : "false";
		return sql_value_bytes(word, strlen(word), ret, err);
	}
	text = sql_value_text(a);
	if (!text)
		return nf_error_no_memory(err, NULL);
	return sql_value_bytes(text, strlen(text), ret, err);
}

static int to_date(const struct sql_value *a, struct sql_value *ret, struct nf_error *err)
{
	int64_t days = a->integer / SQL_DAY_US;

	if (a->type != SQL_TIMESTAMP)
		return no_cast(a, SQL_DATE, err);
	*ret = sql_value_integer(SQL_DATE, days - (a->integer % SQL_DAY_US < 0));
	return 0;
}

static int to_timestamp(const struct sql_value *a, struct sql_value *ret, struct nf_error *err)
{
	int64_t us;

	if (a->type != SQL_DATE)
		return no_cast(a, SQL_TIMESTAMP, err);
	if (__builtin_mul_overflow(a->integer, SQL_DAY_US, &us) || !sql_timestamp_in_range(us))
		return nf_error_set(err, NF_OUT_OF_RANGE, NULL, "date out of range for timestamp");
	*ret = sql_value_integer(SQL_TIMESTAMP, us);
	return 0;
}

/* Everything but NULL and rounding to a scale. */
static int convert(const struct sql_value *a, enum sql_type type, struct sql_value *ret,
		   struct nf_error *err)
{
	if (a->type == type)
		return sql_value_copy(a, ret, err);
	if (is_text(a) && type != SQL_TEXT)
		return sql_value_parse(type, a->text.bytes, ret, err);
	switch (type) {
	case SQL_BOOL:
		return to_bool(a, ret, err);
	case SQL_INT2:
	case SQL_INT4:
	case SQL_INT8:
		return to_integer(a, type, ret, err);
	case SQL_NUMERIC:
		return to_numeric(a, ret, err);
	case SQL_FLOAT8:
		return to_real(a, ret, err);
	case SQL_TEXT:
		return to_text(a, ret, err);
	case SQL_DATE:
		return to_date(a, ret, err);
	case SQL_TIMESTAMP:
		return to_timestamp(a, ret, err);
	default:
		return no_cast(a, type, err);
	}
}

int sql_value_cast(const struct sql_value *a, enum sql_type type, int32_t scale,
		   struct sql_value *ret, struct nf_error *err)
{
	struct sql_value v;
	int r;

	if (a->null) {
		*ret = sql_value_null(type);
		return 0;
	}
	if (type != SQL_NUMERIC || scale == SQL_NO_SCALE)
		return convert(a, type, ret, err);
	r = convert(a, type, &v, err);
	if (r)
		return r;
	r = sql_numeric_round(&v, scale, false, ret, err);
	sql_value_done(&v);
	return r;
}
