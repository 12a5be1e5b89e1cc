/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_value.c - values come, go, are copied and compared. */
#include "sql/sql_value.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sql/sql_numeric.h"

static bool has_text(const struct sql_value *v)
{
	return v->type == SQL_TEXT || v->type == SQL_UNKNOWN;
}

void sql_value_done(struct sql_value *v)
{
	if (!v->null && v->type == SQL_NUMERIC)
		mpz_clear(v->number);
	else if (!v->null && has_text(v))
		free(v->text.bytes);
	*v = sql_value_null(SQL_UNKNOWN);
}

int sql_value_copy(const struct sql_value *from, struct sql_value *ret, struct nf_error *err)
{
	struct sql_value copy = *from;

	if (!from->null && has_text(from)) {
		int r = sql_value_bytes(from->text.bytes, from->text.n, &copy, err);
		if (r)
			return r;
		copy.type = from->type;
	}
	if (!from->null && from->type == SQL_NUMERIC)
		mpz_init_set(copy.number, from->number);
	*ret = copy;
	return 0;
}

/* ---- makers ---------------------------------------------------------------------------------- */

struct sql_value sql_value_null(enum sql_type type)
{
	return (struct sql_value){.type = type, .null = true};
}

struct sql_value sql_value_bool(bool b)
{
	return (struct sql_value){.type = SQL_BOOL, .boolean = b};
}

struct sql_value sql_value_integer(enum sql_type type, int64_t n)
{
	return (struct sql_value){.type = type, .integer = n};
}

struct sql_value sql_value_real(double d)
{
	return (struct sql_value){.type = SQL_FLOAT8, .real = d};
}

struct sql_value sql_value_number(__int128 n, int32_t scale)
{
	struct sql_value v = {.type = SQL_NUMERIC, .scale = scale};
	unsigned __int128 magnitude = n < 0 ? -(unsigned __int128)n : (unsigned __int128)n;

	mpz_init(v.number);
	mpz_set_ui(v.number, (uint64_t)(magnitude >> 64));
	mpz_mul_2exp(v.number, v.number, 64);
	mpz_add_ui(v.number, v.number, (uint64_t)magnitude);
	if (n < 0)
		mpz_neg(v.number, v.number);
	return v;
}

int sql_value_bytes(const char *bytes, size_t n, struct sql_value *ret, struct nf_error *err)
{
	char *copy = malloc(n + 1);

	if (!copy)
		return nf_error_no_memory(err, NULL);
	if (n)
		memcpy(copy, bytes, n);
	copy[n] = '\0';
	*ret = (struct sql_value){.type = SQL_TEXT, .text = {.bytes = copy, .n = n}};
	return 0;
}

/* ---- order ----------------------------------------------------------------------------------- */

static int order(bool less, bool greater)
{
	return (int)greater - (int)less;
}

static int compare_reals(double a, double b)
{
	if (isnan(a) || isnan(b))
		return order(!isnan(a), !isnan(b));
	return order(a<b, a> b);
}

static int compare_texts(const struct sql_value *a, const struct sql_value *b)
{
	size_t n = a->text.n < b->text.n ? a->text.n : b->text.n;
	int r = n ? memcmp(a->text.bytes, b->text.bytes, n) : 0;

	return r ? r : order(a->text.n<b->text.n, a->text.n> b->text.n);
}

/* A month has 30 days here and a day 24 hours. */
static __int128 interval_span(const struct sql_interval *i)
{
	return ((__int128)i->months * 30 + i->days) * SQL_DAY_US + i->us;
}

static int compare_intervals(const struct sql_value *a, const struct sql_value *b)
{
	__int128 x = interval_span(&a->interval), y = interval_span(&b->interval);

	return order(x<y, x> y);
}

/* A date is its midnight, also where no timestamp reaches. */
static __int128 microseconds(const struct sql_value *v)
{
	return v->integer * (__int128)(v->type == SQL_DATE ? SQL_DAY_US : 1);
}

int sql_value_compare(const struct sql_value *a, const struct sql_value *b)
{
	if (a->type != b->type && (a->type == SQL_DATE || b->type == SQL_DATE)) {
		__int128 x = microseconds(a), y = microseconds(b);

		return order(x<y, x> y);
	}
	switch (a->type) {
	case SQL_BOOL:
		return order(a->boolean<b->boolean, a->boolean> b->boolean);
	case SQL_INT2:
	case SQL_INT4:
	case SQL_INT8:
	case SQL_DATE:
	case SQL_TIMESTAMP:
		return order(a->integer<b->integer, a->integer> b->integer);
	case SQL_NUMERIC:
		return sql_numeric_compare(a, b);
	case SQL_FLOAT8:
		return compare_reals(a->real, b->real);
	case SQL_TEXT:
	case SQL_UNKNOWN:
		return compare_texts(a, b);
	case SQL_INTERVAL:
		return compare_intervals(a, b);
	case SQL_TYPES:
		break;
	}
	assert(!"a type of SQL");
	return 0;
}
