/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The value of expressions over records: logic of three values, what is looked at and what is not,
 * and that a comparison rewritten for its column is the one that was written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "sql/sql_plan.h"

static struct sql_schema schema;

static int make_schema(void **state)
{
	struct nf_error err;

	(void)state;
	return sql_schema_parse("i2:i16, i4:i32, d:date, n:decimal(6,2), f:f32, b:bool, s:char(4), "
				"u:u64, ts:timestamp, i1:i8, u4:u32",
				&schema, &err);
}

static int free_schema(void **state)
{
	(void)state;
	sql_schema_done(&schema);
	return 0;
}

/* ---- records --------------------------------------------------------------------------------- */

struct record_row {
	struct sql_row row;
	const uint8_t *record;
};

static int get_column(const struct sql_row *row, const struct sql_expr *e, struct sql_value *ret,
		      struct nf_error *err)
{
	const struct record_row *r = (const struct record_row *)row;

	assert_int_equal(e->op, SQL_COLUMN);
	return sql_record_value(&schema.columns[e->index], r->record, ret, err);
}

/* As schema.columns lie. */
struct __attribute__((packed)) record {
	int16_t i2;
	int32_t i4, d;
	int64_t n;
	float f;
	uint8_t b;
	char s[4];
	uint64_t u;
	int64_t ts;
	int8_t i1;
	uint32_t u4;
};

static struct sql_plan *plan_of(const char *query)
{
	struct sql_plan *p = NULL;
	struct nf_error err = {0};

	if (sql_plan_make(query, &schema, &p, &err))
		fail_msg("%s: %s: %s", query, err.where, err.text);
	return p;
}

/* The value of an expression for a record: as the key of a group. */
static int eval(const char *expr, const struct record *r, struct sql_value *ret,
		struct nf_error *err)
{
	char query[512];
	struct sql_plan *p;
	struct record_row row = {.row = {.get = get_column}, .record = (const uint8_t *)r};
	int result;

	snprintf(query, sizeof(query), "select %s as x from t group by x", expr);
	p = plan_of(query);
	row.row.text = p->text;
	assert_int_equal(p->n_keys, 1);
	result = sql_expr_eval(p->keys[0], &row.row, ret, err);
	sql_plan_free(p);
	return result;
}

static void value_is(const char *expr, const struct record *r, const char *want)
{
	struct sql_value v = {0};
	struct nf_error err = {0};
	char *got;

	if (eval(expr, r, &v, &err))
		fail_msg("%s: %s: %s", expr, err.where, err.text);
	got = sql_value_text(&v);
	if (strcmp(got ? got : "NULL", want) != 0)
		fail_msg("%s is %s, not %s", expr, got ? got : "NULL", want);
	free(got);
	sql_value_done(&v);
}

static void error_is(const char *expr, const struct record *r, const char *where, const char *text)
{
	struct sql_value v = {0};
	struct nf_error err = {0};

	assert_int_equal(eval(expr, r, &v, &err), -ERANGE);
	if (strcmp(err.where, where) != 0 || strncmp(err.text, text, strlen(text)) != 0)
		fail_msg("%s: '%s: %s', not '%s: %s'", expr, err.where, err.text, where, text);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static const struct record sample = {.i2 = -3,
				     .i4 = 7,
				     .d = 10561, /* 1998-12-01 */
				     .n = -12345,
				     .f = 2.5f,
				     .b = 4,
				     .s = {'a', 'b', 0, 'z'},
				     .u = 9,
				     .ts = -1,
				     .i1 = -128,
				     .u4 = UINT32_MAX};

static void columns_are_read_as_the_schema_says(void **state)
{
	static const struct {
		const char *expr, *want;
	} rows[] = {
		{"i2", "-3"},
		{"i4", "7"},
		{"d", "1998-12-01"},
		{"n", "-123.45"},
		{"f", "2.5"},
		{"b", "t"},
		{"s", "ab"},
		{"u", "9"},
		{"i1", "-128"},
		{"u4", "4294967295"},
		{"ts", "1969-12-31 23:59:59.999999"},
	};
	struct record full = sample;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		value_is(rows[i].expr, &sample, rows[i].want);
	memcpy(full.s, "abcd", 4);
	value_is("s", &full, "abcd");
}

static void a_record_that_breaks_its_schema_is_refused(void **state)
{
	struct record r = sample;

	(void)state;
	r.n = 999999;
	value_is("n", &r, "9999.99");
	r.n = -1000000;
	error_is("n", &r, "n", "a stored decimal has more digits");
	r.u = UINT64_C(1) << 63;
	error_is("u + 1", &r, "u", "a stored u64 is 2^63 or more: 9223372036854775808");
	r.d = INT32_MAX;
	error_is("d", &r, "d", "date out of range");
	r.ts = INT64_MIN;
	error_is("ts", &r, "ts", "timestamp out of range");
}

static void null_is_neither_true_nor_false(void **state)
{
	/* nullif(b, b) is NULL for any record. */
	static const struct {
		const char *expr, *want;
	} rows[] = {
		{"nullif(b, b)", "NULL"},
		{"nullif(b, b) and b", "NULL"},
		{"nullif(b, b) and not b", "f"},
		{"not b and nullif(b, b)", "f"},
		{"nullif(b, b) or b", "t"},
		{"nullif(b, b) or not b", "NULL"},
		{"not nullif(b, b)", "NULL"},
		{"nullif(i4, i4) + 1", "NULL"},
		{"nullif(i4, i4) = 1", "NULL"},
		{"nullif(i4, i4) is null", "t"},
		{"nullif(i4, 1) is null", "f"},
		{"i4 in (1, nullif(i4, i4))", "NULL"},
		{"i4 in (7, nullif(i4, i4))", "t"},
		{"i4 not in (7, nullif(i4, i4))", "f"},
		{"i4 not in (1, nullif(i4, i4))", "NULL"},
		{"nullif(b, b) is true", "f"},
		{"nullif(b, b) is not true", "t"},
		{"nullif(b, b) is not false", "t"},
		{"nullif(b, b) is unknown", "t"},
		{"nullif(i4, i4) is distinct from 7", "t"},
		{"nullif(i4, i4) is distinct from nullif(i4, i4)", "f"},
		{"nullif(i4, i4) is not distinct from nullif(i4, i4)", "t"},
		{"i4 is not distinct from nullif(i4, i4)", "f"},
		{"case when nullif(b, b) then 1 else 2 end", "2"},
		{"case when not b then 1 end", "NULL"},
		{"coalesce(nullif(i4, i4), i2, 5)", "-3"},
		{"coalesce(nullif(i4, i4), nullif(i2, i2))", "NULL"},
		{"nullif(s, s) like '%'", "NULL"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		value_is(rows[i].expr, &sample, rows[i].want);
}

static void nothing_is_looked_at_that_need_not_be(void **state)
{
	(void)state;
	value_is("not b and 1 / (i4 - 7) = 1", &sample, "f");
	value_is("b or 1 / (i4 - 7) = 1", &sample, "t");
	value_is("case when b then 1 else 1 / (i4 - 7) end", &sample, "1");
	value_is("coalesce(i4, 1 / (i4 - 7))", &sample, "7");
	value_is("b or 1 / 0 = 1", &sample, "t");
	/* From left to right. */
	error_is("1 / (i4 - 7) = 1 and not b", &sample, "SQL, column 10", "division by zero");
	error_is("nullif(b, b) and 1 % (i4 - 7) = 1", &sample, "SQL, column 27",
		 "division by zero");
	/* Both operands are looked at before it is seen that one is NULL. */
	error_is("nullif(i4, i4) + 1 / (i4 - 7)", &sample, "SQL, column 27", "division by zero");
}

static void errors_say_where_in_characters(void **state)
{
	(void)state;
	error_is("s = 'é' or 1 / (i4 - 7) = 1", &sample, "SQL, column 21", "division by zero");
	error_is("s = '\n' or 1 / (i4 - 7) = 1", &sample, "SQL, line 2, column 8",
		 "division by zero");
	error_is("i2 * 20000::int2", &sample, "SQL, column 11", "smallint out of range");
	error_is("(i4 * 1000)::numeric(4,1)", &sample, "SQL, column 19",
		 "numeric field overflow: a field with precision 4, scale 1 must round to an "
		 "absolute value less than 10^3");
	error_is("(i4 + 40000)::int2", &sample, "SQL, column 20", "smallint out of range");
}

static void functions_have_postgresqls_values(void **state)
{
	static const struct {
		const char *expr, *want;
	} rows[] = {
		{"i4 / i2", "-2"},
		{"i4 % i2", "1"},
		{"n / 2", "-61.7250000000000000"},
		{"abs(n)", "123.45"},
		{"abs(i2)", "3"},
		{"round(n)", "-123"},
		{"round(n, 1)", "-123.5"},
		{"round(n, -1)", "-120"},
		{"trunc(n, 1)", "-123.4"},
		{"floor(n)", "-124"},
		{"ceil(n)", "-123"},
		{"ceil(-n)", "124"},
		{"floor(n - n)", "0"},
		{"round(f)", "2"},
		{"round(f + 1)", "4"},
		{"floor(-f)", "-3"},
		{"trunc(-f)", "-2"},
		{"-n * 2.0", "246.900"},
		{"n::int", "-123"},
		{"f::int", "2"},
		{"n::numeric(5,1)", "-123.5"},
		{"b::text", "true"},
		{"i4::text", "7"},
		{"extract(year from d)", "1998"},
		{"extract(day from ts)", "31"},
		{"extract(minute from ts)", "59"},
		{"date_part('hour', d)", "0"},
		{"extract(year from (d - 999999))", "-740"},
		{"d + i4", "1998-12-08"},
		{"d + interval '1 month 2 hours'", "1999-01-01 02:00:00"},
		{"d - interval '1' day", "1998-11-30 00:00:00"},
		{"d - date '1998-11-01'", "30"},
		{"s like 'a_' and s not like 'a'", "t"},
		{"s < 'abc' and s > 'a'", "t"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		value_is(rows[i].expr, &sample, rows[i].want);
}

/* ---- rewritten comparisons ------------------------------------------------------------------- */

static const char *const comparisons[] = {"=", "<>", "<", "<=", ">", ">="};

static bool compared(size_t op, int order)
{
	const bool results[] = {order == 0, order != 0, order<0, order <= 0, order> 0, order >= 0};

	return results[op];
}

static int sign(int64_t n)
{
	return n < 0 ? -1 : n > 0;
}

/* Does WHERE let the record pass? */
static bool passes(const struct sql_plan *p, const struct record *r)
{
	struct record_row row = {.row = {.get = get_column}, .record = (const uint8_t *)r};
	struct sql_value v = {0};
	struct nf_error err;

	if (!p->where)
		return true;
	assert_int_equal(sql_expr_eval(p->where, &row.row, &v, &err), 0);
	assert_false(v.null);
	return v.boolean;
}

/* x op c and c op x, for x near c: x and c in half steps, so that c is whole or not. */
static void rewritten_is_written(const char *column, int32_t halves, const char *constant)
{
	char query[256];

	for (size_t op = 0; op < ARRAY_SIZE(comparisons); op++)
		for (int mirrored = 0; mirrored < 2; mirrored++) {
			struct sql_plan *p;

			snprintf(query, sizeof(query), "select count(*) from t where %s %s %s",
				 mirrored ? constant : column, comparisons[op],
				 mirrored ? column : constant);
			p = plan_of(query);
			for (int32_t x = -4; x <= 4; x++) {
				struct record r = {.i2 = (int16_t)x, .i4 = x, .d = x};
				int order = sign(2 * x - halves);

				if (passes(p, &r) != compared(op, mirrored ? -order : order))
					fail_msg("%s for %d", query, x);
			}
			sql_plan_free(p);
		}
}

static void rewritten_comparisons_are_those_that_were_written(void **state)
{
	char constant[64];

	(void)state;
	for (int32_t halves = -5; halves <= 5; halves++) {
		snprintf(constant, sizeof(constant), "%.1f", halves / 2.0);
		rewritten_is_written("i4", halves, constant);
		rewritten_is_written("i2", halves, constant);
		rewritten_is_written("(i2 + i4 - i2)", halves, constant);
		snprintf(constant, sizeof(constant), "date '1970-01-01' + interval '%d hours'",
			 halves * 12);
		rewritten_is_written("d", halves, constant);
	}
}

static void constants_beyond_the_type_decide_at_once(void **state)
{
	static const struct {
		const char *column, *least, *most;
	} rows[] = {
		{"i2", "-32768.0", "32767.0"},
		{"i4", "-2147483648.0", "2147483647.0"},
		{"u", "-9223372036854775808.0", "9223372036854775807.0"},
	};
	const struct record ends[] = {{.i2 = INT16_MIN, .i4 = INT32_MIN, .u = 0},
				      {.i2 = INT16_MAX, .i4 = INT32_MAX, .u = INT64_MAX}};
	char query[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t op = 0; op < ARRAY_SIZE(comparisons); op++)
			for (int above = 0; above < 2; above++)
				for (int end = 0; end < 2; end++) {
					struct sql_plan *p;

					snprintf(query, sizeof(query),
						 "select count(*) from t where %s %s %s %s 1",
						 rows[i].column, comparisons[op],
						 above ? rows[i].most : rows[i].least,
						 above ? "+" : "-");
					p = plan_of(query);
					if (passes(p, &ends[end]) != compared(op, above ? -1 : 1))
						fail_msg("%s", query);
					sql_plan_free(p);
				}
}

/* ---- equality -------------------------------------------------------------------------------- */

static bool same(const char *a, const char *b)
{
	char query[256];
	struct sql_plan *p;
	bool r;

	snprintf(query, sizeof(query), "select %s, %s from t group by i4, d, s", a, b);
	p = plan_of(query);
	r = sql_expr_equal(p->outputs[0].expr, p->outputs[1].expr);
	sql_plan_free(p);
	return r;
}

static void equal_means_the_same_in_every_digit(void **state)
{
	(void)state;
	assert_true(same("i4 + 1", "i4+1"));
	assert_true(same("1.0", "1.0"));
	assert_true(same("''", "''"));
	assert_true(same("null", "null"));
	assert_true(same("d + interval '1 day'", "d + interval '1' day"));
	assert_false(same("1.0", "1.00"));
	assert_false(same("1", "1::int8"));
	assert_false(same("0::float8", "-(0::float8)"));
	assert_false(same("i4 + 1", "1 + i4"));
	assert_false(same("i4", "i4::int8"));
	assert_false(same("i4::numeric(5,2)", "i4::numeric(6,2)"));
	assert_false(same("extract(year from d)", "extract(day from d)"));
	assert_false(same("d + interval '1 month'", "d + interval '30 days'"));
	assert_false(same("'a'", "'b'"));
	assert_false(same("null", "'a'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_read_as_the_schema_says),
		cmocka_unit_test(a_record_that_breaks_its_schema_is_refused),
		cmocka_unit_test(null_is_neither_true_nor_false),
		cmocka_unit_test(nothing_is_looked_at_that_need_not_be),
		cmocka_unit_test(errors_say_where_in_characters),
		cmocka_unit_test(functions_have_postgresqls_values),
		cmocka_unit_test(rewritten_comparisons_are_those_that_were_written),
		cmocka_unit_test(constants_beyond_the_type_decide_at_once),
		cmocka_unit_test(equal_means_the_same_in_every_digit),
	};

	return cmocka_run_group_tests(tests, make_schema, free_schema);
}
