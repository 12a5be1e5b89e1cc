/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is expected here is what PostgreSQL 15 answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "sql/sql_value.h"

#define AUTO_VALUE AUTO(sql_value_done) struct sql_value

static void make(enum sql_type type, const char *text, struct sql_value *ret)
{
	struct nf_error err = {0};

	if (sql_value_parse(type, text, ret, &err))
		fail_msg("%s: %s", text, err.text);
}

/* The value, or the error's text. */
static void expect(int r, const struct sql_value *v, const struct nf_error *err, const char *what,
		   const char *want)
{
	AUTO_FREE char *text = r ? strdup(err->text) : sql_value_text(v);

	if (strcmp(text, want) != 0)
		fail_msg("%s: wanted '%s', got '%s'", what, want, text);
	if (r)
		assert_int_equal(r, -nf_code_errno(err->code));
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

struct operation {
	enum sql_type type;
	const char *a;
	char op;
	const char *b, *result;
};

static enum sql_arith arith_of(char op)
{
	static const char ops[] = "+-*/%";

	return (enum sql_arith)(strchr(ops, op) - ops);
}

static void expect_operation(const struct operation *o, enum sql_type type_b)
{
	AUTO_VALUE a = {0};
	AUTO_VALUE b = {0};
	AUTO_VALUE v = {0};
	struct nf_error err = {0};
	char what[128];

	make(o->type, o->a, &a);
	make(type_b, o->b, &b);
	snprintf(what, sizeof(what), "%s %c %s", o->a, o->op, o->b);
	int r = sql_value_arith(arith_of(o->op), &a, &b, &v, &err);
	if (r)
		assert_int_equal(v.type, SQL_UNKNOWN);
	expect(r, &v, &err, what, o->result);
}

static void integers_stay_in_their_type(void **state)
{
	static const struct operation rows[] = {
		{SQL_INT4, "7", '+', "-9", "-2"},
		{SQL_INT4, "-7", '/', "2", "-3"},
		{SQL_INT4, "-7", '%', "2", "-1"},
		{SQL_INT4, "7", '%', "-2", "1"},
		{SQL_INT2, "32767", '+', "1", "smallint out of range"},
		{SQL_INT2, "-32768", '/', "-1", "smallint out of range"},
		{SQL_INT2, "-32768", '%', "-1", "0"},
		{SQL_INT4, "2147483647", '+', "1", "integer out of range"},
		{SQL_INT4, "-2147483648", '-', "1", "integer out of range"},
		{SQL_INT4, "65536", '*', "32768", "integer out of range"},
		{SQL_INT4, "-2147483648", '/', "-1", "integer out of range"},
		{SQL_INT4, "-2147483648", '%', "-1", "0"},
		{SQL_INT8, "9223372036854775807", '+', "1", "bigint out of range"},
		{SQL_INT8, "-9223372036854775808", '-', "1", "bigint out of range"},
		{SQL_INT8, "4294967296", '*', "2147483648", "bigint out of range"},
		{SQL_INT8, "-9223372036854775808", '/', "-1", "bigint out of range"},
		{SQL_INT8, "-9223372036854775808", '%', "-1", "0"},
		{SQL_INT8, "-9223372036854775808", '*', "1", "-9223372036854775808"},
		{SQL_INT4, "1", '/', "0", "division by zero"},
		{SQL_INT8, "1", '%', "0", "division by zero"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_operation(&rows[i], rows[i].type);
}

static void numerics_have_the_scales_of_postgresql(void **state)
{
	static const struct operation rows[] = {
		{SQL_NUMERIC, "1.10", '+', "2.2", "3.30"},
		{SQL_NUMERIC, "1.10", '-', "1.1", "0.00"},
		{SQL_NUMERIC, "1.10", '*', "-2.2", "-2.420"},
		{SQL_NUMERIC, "0", '*', "-2.2", "0.0"},
		{SQL_NUMERIC, "7.5", '%', "2", "1.5"},
		{SQL_NUMERIC, "-7.5", '%', "2.00", "-1.50"},
		{SQL_NUMERIC, "7.5", '%', "-2", "1.5"},
		{SQL_NUMERIC, "1", '/', "3", "0.33333333333333333333"},
		{SQL_NUMERIC, "2", '/', "3", "0.66666666666666666667"},
		{SQL_NUMERIC, "-2", '/', "3", "-0.66666666666666666667"},
		{SQL_NUMERIC, "10", '/', "2", "5.0000000000000000"},
		{SQL_NUMERIC, "9999", '/', "1", "9999.0000000000000000"},
		{SQL_NUMERIC, "10000", '/', "1", "10000.0000000000000000"},
		{SQL_NUMERIC, "10000", '/', "9999", "1.0001000100010001"},
		{SQL_NUMERIC, "0", '/', "7", "0.00000000000000000000"},
		{SQL_NUMERIC, "0.00", '/', "-7.000", "0.00000000000000000000"},
		{SQL_NUMERIC, "1", '/', "10000000", "0.000000100000000000000000"},
		{SQL_NUMERIC, "10000000", '/', "3", "3333333.333333333333"},
		{SQL_NUMERIC, "100000000000000000000", '/', "3", "33333333333333333333"},
		{SQL_NUMERIC, "1e20", '/', "3.00", "33333333333333333333.33"},
		{SQL_NUMERIC, "1e20", '/', "-6", "-16666666666666666667"},
		{SQL_NUMERIC, "1.5", '/', "0.00", "division by zero"},
		{SQL_NUMERIC, "1.5", '%', "0", "division by zero"},
		{SQL_NUMERIC, "1e131071", '*', "10", "value overflows numeric format"},
		{SQL_NUMERIC, "9e131071", '+', "1e131071", "value overflows numeric format"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_operation(&rows[i], SQL_NUMERIC);
}

static void quotients_have_a_greatest_scale(void **state)
{
	AUTO_VALUE a = {0};
	AUTO_VALUE b = {0};
	AUTO_VALUE v = {0};

	(void)state;
	make(SQL_NUMERIC, "1e-1200", &a);
	make(SQL_NUMERIC, "3e-700", &b);
	assert_int_equal(sql_value_arith(SQL_DIVIDE, &a, &b, &v, NULL), 0);
	assert_int_equal(v.scale, 1000);
	assert_int_equal(mpz_sizeinbase(v.number, 10), 500); /* 3333... / 10^1000 */
}

static void doubles_neither_overflow_nor_vanish(void **state)
{
	static const struct operation rows[] = {
		{SQL_FLOAT8, "0.1", '+', "0.2", "0.30000000000000004"},
		{SQL_FLOAT8, "1", '/', "3", "0.3333333333333333"},
		{SQL_FLOAT8, "1e308", '+', "1e308", "value out of range: overflow"},
		{SQL_FLOAT8, "-1e308", '-', "1e308", "value out of range: overflow"},
		{SQL_FLOAT8, "1e308", '*', "10", "value out of range: overflow"},
		{SQL_FLOAT8, "1e308", '/', "0.1", "value out of range: overflow"},
		{SQL_FLOAT8, "1e-308", '*', "1e-308", "value out of range: underflow"},
		{SQL_FLOAT8, "1e-308", '/', "1e308", "value out of range: underflow"},
		{SQL_FLOAT8, "0", '*', "1e-308", "0"},
		{SQL_FLOAT8, "1", '/', "-inf", "-0"},
		{SQL_FLOAT8, "inf", '+', "1", "Infinity"},
		{SQL_FLOAT8, "inf", '-', "inf", "NaN"},
		{SQL_FLOAT8, "inf", '*', "-2", "-Infinity"},
		{SQL_FLOAT8, "1", '/', "0", "division by zero"},
		{SQL_FLOAT8, "inf", '/', "-0", "division by zero"},
		{SQL_FLOAT8, "nan", '/', "0", "NaN"},
		{SQL_FLOAT8, "1", '%', "2",
		 "operator does not exist: double precision % double precision"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_operation(&rows[i], rows[i].type);
}

static void dates_take_days_and_intervals(void **state)
{
	static const struct {
		struct operation o;
		enum sql_type type_b;
	} rows[] = {
		{{SQL_DATE, "1998-12-01", '+', "31", "1999-01-01"}, SQL_INT4},
		{{SQL_DATE, "1998-12-01", '-', "1", "1998-11-30"}, SQL_INT4},
		{{SQL_INT4, "31", '+', "1998-12-01", "1999-01-01"}, SQL_DATE},
		{{SQL_DATE, "5874897-12-31", '+', "1", "date out of range"}, SQL_INT4},
		{{SQL_DATE, "4714-11-24 BC", '-', "1", "date out of range"}, SQL_INT4},
		{{SQL_DATE, "1999-01-01", '-', "1998-12-01", "31"}, SQL_DATE},
		{{SQL_DATE, "1998-12-01", '-', "90 days", "1998-09-02 00:00:00"}, SQL_INTERVAL},
		{{SQL_INTERVAL, "1 mon", '+', "1999-01-31", "1999-02-28 00:00:00"}, SQL_DATE},
		{{SQL_DATE, "5874897-12-31", '+', "1 day", "date out of range for timestamp"},
		 SQL_INTERVAL},
		{{SQL_TIMESTAMP, "1998-12-01 12:00", '+', "12:30", "1998-12-02 00:30:00"},
		 SQL_INTERVAL},
		{{SQL_TIMESTAMP, "1998-12-01", '+', "300000 years", "timestamp out of range"},
		 SQL_INTERVAL},
		{{SQL_INTERVAL, "1 mon 2 days", '-', "1 day 1:00", "1 mon 1 day -01:00:00"},
		 SQL_INTERVAL},
		{{SQL_INTERVAL, "178956970 years", '+', "8 mons", "interval out of range"},
		 SQL_INTERVAL},
		{{SQL_DATE, "1998-12-01", '*', "2", "operator does not exist: date * integer"},
		 SQL_INT4},
		{{SQL_INT4, "2", '-', "1998-12-01", "operator does not exist: integer - date"},
		 SQL_DATE},
		{{SQL_BOOL, "t", '+', "f", "operator does not exist: boolean + boolean"}, SQL_BOOL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect_operation(&rows[i].o, rows[i].type_b);
}

static void the_sign_turns(void **state)
{
	static const struct {
		enum sql_type type;
		const char *text, *result;
	} rows[] = {
		{SQL_INT2, "-32768", "smallint out of range"},
		{SQL_INT4, "-2147483648", "integer out of range"},
		{SQL_INT8, "-9223372036854775808", "bigint out of range"},
		{SQL_INT4, "5", "-5"},
		{SQL_NUMERIC, "1.50", "-1.50"},
		{SQL_NUMERIC, "0.0", "0.0"},
		{SQL_FLOAT8, "0", "-0"},
		{SQL_INTERVAL, "1 day -1:00", "-1 days +01:00:00"},
		{SQL_TEXT, "a", "operator does not exist: - text"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_VALUE a = {0};
		AUTO_VALUE v = {0};
		struct nf_error err = {0};

		make(rows[i].type, rows[i].text, &a);
		int r = sql_value_negate(&a, &v, &err);
		expect(r, &v, &err, rows[i].text, rows[i].result);
	}
}

static void rounding_is_half_away_from_zero(void **state)
{
	static const struct {
		const char *text;
		int32_t digits;
		const char *rounded, *truncated;
	} rows[] = {
		{"2.5", 0, "3", "2"},        {"-2.5", 0, "-3", "-2"},
		{"2.4999", 0, "2", "2"},     {"1.005", 2, "1.01", "1.00"},
		{"-0.05", 1, "-0.1", "0.0"}, {"1.5", 4, "1.5000", "1.5000"},
		{"155", -1, "160", "150"},   {"-155.55", -3, "0", "0"},
		{"555", -3, "1000", "0"},    {"5", INT32_MIN, "0", "0"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_VALUE a = {0};
		AUTO_VALUE rounded = {0};
		AUTO_VALUE truncated = {0};
		struct nf_error err = {0};

		make(SQL_NUMERIC, rows[i].text, &a);
		int r = sql_value_round(&a, rows[i].digits, false, &rounded, &err);
		expect(r, &rounded, &err, rows[i].text, rows[i].rounded);
		r = sql_value_round(&a, rows[i].digits, true, &truncated, &err);
		expect(r, &truncated, &err, rows[i].text, rows[i].truncated);
	}
}

/* ---- text ------------------------------------------------------------------------------------ */

static void texts_become_values_or_say_why_not(void **state)
{
	static const struct {
		enum sql_type type;
		const char *text, *result;
	} rows[] = {
		{SQL_BOOL, " YES ", "t"},
		{SQL_BOOL, "fal", "f"},
		{SQL_BOOL, "on", "t"},
		{SQL_BOOL, "of", "f"},
		{SQL_BOOL, "o", "invalid input syntax for type boolean: \"o\""},
		{SQL_BOOL, "", "invalid input syntax for type boolean: \"\""},
		{SQL_BOOL, "truely", "invalid input syntax for type boolean: \"truely\""},
		{SQL_INT2, " -32768 ", "-32768"},
		{SQL_INT2, "32768", "value \"32768\" is out of range for type smallint"},
		{SQL_INT4, "+7", "7"},
		{SQL_INT4, "abc", "invalid input syntax for type integer: \"abc\""},
		{SQL_INT4, "1.0", "invalid input syntax for type integer: \"1.0\""},
		{SQL_INT4, "- 1", "invalid input syntax for type integer: \"- 1\""},
		{SQL_INT8, "-9223372036854775808", "-9223372036854775808"},
		{SQL_INT8, "9223372036854775808",
		 "value \"9223372036854775808\" is out of range for type bigint"},
		{SQL_NUMERIC, " -1.50 ", "-1.50"},
		{SQL_NUMERIC, "1e3", "1000"},
		{SQL_NUMERIC, "1.25e1", "12.5"},
		{SQL_NUMERIC, "1e-5", "0.00001"},
		{SQL_NUMERIC, ".5", "0.5"},
		{SQL_NUMERIC, "5.", "5"},
		{SQL_NUMERIC, "-0.00", "0.00"},
		{SQL_NUMERIC, "-.007", "-0.007"},
		{SQL_NUMERIC, "0e999999999999999999999", "0"},
		{SQL_NUMERIC, "1e131072", "value overflows numeric format"},
		{SQL_NUMERIC, "1e99999999999999999999", "value overflows numeric format"},
		{SQL_NUMERIC, "1e-16384", "value overflows numeric format"},
		{SQL_NUMERIC, "1e", "invalid input syntax for type numeric: \"1e\""},
		{SQL_NUMERIC, ".", "invalid input syntax for type numeric: \".\""},
		{SQL_NUMERIC, "1,5", "invalid input syntax for type numeric: \"1,5\""},
		{SQL_FLOAT8, "1e400", "\"1e400\" is out of range for type double precision"},
		{SQL_FLOAT8, "1e-400", "\"1e-400\" is out of range for type double precision"},
		{SQL_FLOAT8, "1e-310", "1e-310"},
		{SQL_FLOAT8, " -infinity ", "-Infinity"},
		{SQL_FLOAT8, "NaN", "NaN"},
		{SQL_FLOAT8, "1x", "invalid input syntax for type double precision: \"1x\""},
		{SQL_FLOAT8, "", "invalid input syntax for type double precision: \"\""},
		{SQL_TEXT, " a ", " a "},
		{SQL_DATE, "1998-12-01", "1998-12-01"},
		{SQL_DATE, "x", "invalid input syntax for type date: \"x\""},
		{SQL_DATE, "1998-02-30", "date/time field value out of range: \"1998-02-30\""},
		{SQL_DATE, "5874898-01-01", "date out of range: \"5874898-01-01\""},
		{SQL_TIMESTAMP, "1998-12-01T12:30", "1998-12-01 12:30:00"},
		{SQL_TIMESTAMP, "x", "invalid input syntax for type timestamp: \"x\""},
		{SQL_TIMESTAMP, "294277-01-01", "timestamp out of range: \"294277-01-01\""},
		{SQL_INTERVAL, "90 days", "90 days"},
		{SQL_INTERVAL, "x", "invalid input syntax for type interval: \"x\""},
		{SQL_INTERVAL, "999999999999 days",
		 "interval field value out of range: \"999999999999 days\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_VALUE v = {0};
		struct nf_error err = {0};
		int r = sql_value_parse(rows[i].type, rows[i].text, &v, &err);

		expect(r, &v, &err, rows[i].text, rows[i].result);
		if (r)
			assert_int_equal(err.code, NF_INVALID_ARGUMENT);
	}
}

static const struct {
	double d;
	const char *text;
} doubles[] = {
	{0.0, "0"},
	{-0.0, "-0"},
	{1, "1"},
	{0.1, "0.1"},
	{-1234.5, "-1234.5"},
	{0.0001, "0.0001"},
	{0.00001, "1e-05"},
	{123456789012345, "123456789012345"},
	{1e14, "100000000000000"},
	{1e15, "1e+15"},
	{1e20, "1e+20"},
	{123456789012345678.0, "1.2345678901234568e+17"},
	{1e100, "1e+100"},
	{1e23, "9.999999999999999e+22"},    /* half-way to its neighbour */
	{0x1p-44, "5.684341886080802e-14"}, /* its lower neighbour is nearer */
	{0x1p-1074, "5e-324"},
	{0x1p-1022, "2.2250738585072014e-308"},
	{0x1.fffffffffffffp1023, "1.7976931348623157e+308"},
	{INFINITY, "Infinity"},
	{-INFINITY, "-Infinity"},
	{NAN, "NaN"},
	{-NAN, "NaN"},
};

static void doubles_print_the_fewest_digits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(doubles); i++) {
		struct sql_value v = sql_value_real(doubles[i].d);
		AUTO_FREE char *text = sql_value_text(&v);

		assert_string_equal(text, doubles[i].text);
	}
}

/* Few machines have one with a decimal comma installed: made here, in a folder of ours. */
static bool comma_locale(void)
{
	char folder[] = "/tmp/nearfold-locale.XXXXXX", command[160];
	bool found;

	assert_non_null(mkdtemp(folder));
	snprintf(command, sizeof(command),
		 "localedef -f UTF-8 -i de_DE %s/de_DE.UTF-8 >/dev/null 2>&1", folder);
	found = system(command) == 0 && setenv("LOCPATH", folder, 1) == 0 &&
		setlocale(LC_ALL, "de_DE.UTF-8");
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	return found;
}

static void the_locale_does_not_matter(void **state)
{
	char text[16];

	(void)state;
	if (!comma_locale()) {
		printf("SKIP: localedef makes no locale with a decimal comma (package locales)\n");
		skip();
	}
	snprintf(text, sizeof(text), "%.1f", 1.5);
	assert_string_equal(text, "1,5");
	AUTO_VALUE real = {0};
	AUTO_VALUE number = {0};
	AUTO_VALUE back = {0};
	AUTO_VALUE time = {0};
	make(SQL_FLOAT8, "-2.5e-1", &real);
	assert_int_equal(sql_value_cast(&real, SQL_NUMERIC, SQL_NO_SCALE, &number, NULL), 0);
	assert_int_equal(sql_value_cast(&number, SQL_FLOAT8, SQL_NO_SCALE, &back, NULL), 0);
	make(SQL_TIMESTAMP, "1998-12-01 12:30:15.25", &time);
	expect(0, &number, NULL, "number", "-0.25");
	expect(0, &back, NULL, "back", "-0.25");
	expect(0, &time, NULL, "time", "1998-12-01 12:30:15.25");
	setlocale(LC_ALL, "C");
}

/* ---- casts ----------------------------------------------------------------------------------- */

static void casts_round_and_refuse(void **state)
{
	static const struct {
		enum sql_type from;
		const char *text;
		enum sql_type to;
		int32_t scale;
		const char *result;
	} rows[] = {
		{SQL_NUMERIC, "2.5", SQL_INT4, -1, "3"},
		{SQL_NUMERIC, "-2.5", SQL_INT4, -1, "-3"},
		{SQL_NUMERIC, "2147483647.4", SQL_INT4, -1, "2147483647"},
		{SQL_NUMERIC, "2147483647.5", SQL_INT4, -1, "integer out of range"},
		{SQL_NUMERIC, "-32768.5", SQL_INT2, -1, "smallint out of range"},
		{SQL_NUMERIC, "9223372036854775807.5", SQL_INT8, -1, "bigint out of range"},
		{SQL_NUMERIC, "-9223372036854775808", SQL_INT8, -1, "-9223372036854775808"},
		{SQL_NUMERIC, "1.005", SQL_NUMERIC, 2, "1.01"},
		{SQL_NUMERIC, "1.5", SQL_NUMERIC, 4, "1.5000"},
		{SQL_NUMERIC, "1e400", SQL_FLOAT8, -1, NULL},
		{SQL_NUMERIC, "0.1", SQL_FLOAT8, -1, "0.1"},
		/* Half-way between two doubles, and a little more than that. */
		{SQL_NUMERIC, "9007199254740993", SQL_FLOAT8, -1, "9.007199254740992e+15"},
		{SQL_NUMERIC, "9007199254740993.000000000000000000001", SQL_FLOAT8, -1,
		 "9.007199254740994e+15"},
		{SQL_FLOAT8, "2.5", SQL_INT4, -1, "2"},
		{SQL_FLOAT8, "3.5", SQL_INT4, -1, "4"},
		{SQL_FLOAT8, "-2.5", SQL_INT8, -1, "-2"},
		{SQL_FLOAT8, "2147483647.5", SQL_INT4, -1, "integer out of range"},
		{SQL_FLOAT8, "9223372036854775807", SQL_INT8, -1, "bigint out of range"},
		{SQL_FLOAT8, "-9223372036854775808", SQL_INT8, -1, "-9223372036854775808"},
		{SQL_FLOAT8, "nan", SQL_INT4, -1, "integer out of range"},
		{SQL_FLOAT8, "0.30000000000000004", SQL_NUMERIC, -1, "0.3"},
		{SQL_FLOAT8, "1234567890123456789", SQL_NUMERIC, -1, "1234567890123460000"},
		{SQL_FLOAT8, "1e-7", SQL_NUMERIC, -1, "0.0000001"},
		{SQL_FLOAT8, "2.675", SQL_NUMERIC, 2, "2.68"},
		{SQL_FLOAT8, "nan", SQL_NUMERIC, -1, "cannot convert NaN to numeric"},
		{SQL_FLOAT8, "1e23", SQL_TEXT, -1, "9.999999999999999e+22"},
		{SQL_INT8, "9007199254740993", SQL_FLOAT8, -1, "9.007199254740992e+15"},
		{SQL_INT8, "2147483648", SQL_INT4, -1, "integer out of range"},
		{SQL_INT4, "32768", SQL_INT2, -1, "smallint out of range"},
		{SQL_INT4, "5", SQL_NUMERIC, 2, "5.00"},
		{SQL_INT4, "5", SQL_BOOL, -1, "t"},
		{SQL_INT8, "5", SQL_BOOL, -1, "cannot cast type bigint to boolean"},
		{SQL_BOOL, "t", SQL_INT4, -1, "1"},
		{SQL_BOOL, "t", SQL_INT8, -1, "cannot cast type boolean to bigint"},
		{SQL_BOOL, "t", SQL_TEXT, -1, "true"},
		{SQL_DATE, "1998-12-01", SQL_TIMESTAMP, -1, "1998-12-01 00:00:00"},
		{SQL_DATE, "5874897-12-31", SQL_TIMESTAMP, -1, "date out of range for timestamp"},
		{SQL_TIMESTAMP, "1969-12-31 23:59:59", SQL_DATE, -1, "1969-12-31"},
		{SQL_DATE, "1998-12-01", SQL_INT4, -1, "cannot cast type date to integer"},
		{SQL_TEXT, "12", SQL_INT4, -1, "12"},
		{SQL_TEXT, "1.255", SQL_NUMERIC, 2, "1.26"},
		{SQL_TEXT, "x", SQL_DATE, -1, "invalid input syntax for type date: \"x\""},
		{SQL_UNKNOWN, "12", SQL_TEXT, -1, "12"},
		{SQL_TEXT, "90 days", SQL_INTERVAL, -1, "90 days"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_VALUE a = {0};
		AUTO_VALUE v = {0};
		struct nf_error err = {0};

		make(rows[i].from, rows[i].text, &a);
		int r = sql_value_cast(&a, rows[i].to, rows[i].scale, &v, &err);
		if (rows[i].result)
			expect(r, &v, &err, rows[i].text, rows[i].result);
		else
			assert_non_null(strstr(err.text, "is out of range for type double"));
		if (!r)
			assert_int_equal(v.type, rows[i].to);
	}
}

static void null_stays_null(void **state)
{
	AUTO_VALUE v = {0};
	struct sql_value null = sql_value_null(SQL_TEXT), copy;

	(void)state;
	assert_int_equal(sql_value_cast(&null, SQL_NUMERIC, 2, &v, NULL), 0);
	assert_true(v.null);
	assert_int_equal(v.type, SQL_NUMERIC);
	errno = ENOMEM;
	assert_null(sql_value_text(&v));
	assert_int_equal(errno, 0);
	assert_int_equal(sql_value_copy(&v, &copy, NULL), 0);
	assert_true(copy.null);
	sql_value_done(&copy);
}

/* ---- the rest -------------------------------------------------------------------------------- */

static void values_have_an_order(void **state)
{
	static const struct {
		enum sql_type type;
		const char *a, *b;
		int order;
	} rows[] = {
		{SQL_BOOL, "f", "t", -1},
		{SQL_INT8, "-9223372036854775808", "9223372036854775807", -1},
		{SQL_NUMERIC, "1.50", "1.5", 0},
		{SQL_NUMERIC, "1.50", "1.501", -1},
		{SQL_NUMERIC, "-1e100", "1e-100", -1},
		{SQL_FLOAT8, "-0", "0", 0},
		{SQL_FLOAT8, "nan", "nan", 0},
		{SQL_FLOAT8, "nan", "inf", 1},
		{SQL_TEXT, "B", "a", -1},
		{SQL_TEXT, "a", "ab", -1},
		{SQL_TEXT, "a", "\xc3\xa4", -1},
		{SQL_TEXT, "", "", 0},
		{SQL_DATE, "0001-01-01 BC", "0001-01-01", -1},
		{SQL_TIMESTAMP, "1998-12-01 12:00", "1998-12-01 11:59:59.999999", 1},
		{SQL_INTERVAL, "1 mon", "30 days", 0},
		{SQL_INTERVAL, "1 day", "25:00", -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO_VALUE a = {0};
		AUTO_VALUE b = {0};

		make(rows[i].type, rows[i].a, &a);
		make(rows[i].type, rows[i].b, &b);
		int ab = sql_value_compare(&a, &b), ba = sql_value_compare(&b, &a);
		assert_int_equal((ab > 0) - (ab < 0), rows[i].order);
		assert_int_equal((ba > 0) - (ba < 0), -rows[i].order);
	}
}

static void wide_integers_become_numbers(void **state)
{
	const __int128 least = (__int128)((unsigned __int128)1 << 127);
	static const char *const texts[] = {"-170141183460469231731687303715884105728",
					    "170141183460469231731687303715884105727", "-0.01",
					    "184467440737095516.16"};
	const __int128 numbers[] = {least, ~least, -1, (__int128)1 << 64};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		AUTO_VALUE v = sql_value_number(numbers[i], i < 2 ? 0 : 2);
		expect(0, &v, NULL, "number", texts[i]);
	}
}

static void copies_are_their_own(void **state)
{
	AUTO_VALUE number = sql_value_number(-123, 1);
	AUTO_VALUE text = {0};
	struct sql_value copy;

	(void)state;
	assert_int_equal(sql_value_copy(&number, &copy, NULL), 0);
	mpz_set_ui(copy.number, 7);
	sql_value_done(&copy);
	expect(0, &number, NULL, "number", "-12.3");
	assert_int_equal(sql_value_bytes("a\0b", 3, &text, NULL), 0);
	text.type = SQL_UNKNOWN;
	assert_int_equal(sql_value_copy(&text, &copy, NULL), 0);
	assert_int_equal(copy.type, SQL_UNKNOWN);
	assert_int_equal(copy.text.n, 3);
	assert_memory_equal(copy.text.bytes, "a\0b", 4);
	sql_value_done(&copy);
	assert_true(copy.null);
	sql_value_done(&copy);
}

/* LIKE as its definition says, by recursion. */
static bool like_by_definition(const char *t, const char *p)
{
	if (!*p)
		return !*t;
	if (*p == '%')
		return like_by_definition(t, p + 1) || (*t && like_by_definition(t + 1, p));
	if (*p == '\\')
		return p[1] && *t == p[1] && like_by_definition(t + 1, p + 2);
	return *t && (*p == '_' || *p == *t) && like_by_definition(t + 1, p + 1);
}

/* Word number n over an alphabet. */
static void spell(unsigned n, const char *alphabet, char buf[16])
{
	unsigned letters = (unsigned)strlen(alphabet), i = 0;

	for (; n; n = (n - 1) / letters)
		buf[i++] = alphabet[(n - 1) % letters];
	buf[i] = '\0';
}

static void like_does_what_it_says(void **state)
{
	char text[16], pattern[16];

	(void)state;
	for (unsigned p = 0; p < 19531; p++) {
		spell(p, "ab%_\\", pattern);
		for (unsigned t = 0; t < 63; t++) {
			spell(t, "ab", text);
			bool like = sql_like(text, strlen(text), pattern, strlen(pattern));
			if (like != like_by_definition(text, pattern))
				fail_msg("'%s' LIKE '%s'", text, pattern);
		}
	}
}

static void like_counts_characters(void **state)
{
	static const struct {
		const char *text, *pattern;
		bool like;
	} rows[] = {
		{"gr\xc3\xb6n", "gr_n", true},
		{"gr\xc3\xb6n", "gr__n", false},
		{"\xe2\x82\xac", "_", true},
		{"\xe2\x82\xac", "%_", true},
		{"100%", "100\\%", true},
		{"1000", "100\\%", false},
		{"a\\b", "a\\\\b", true},
		{"aXb", "a\\\\b", false},
		{"special packages requests", "%special%requests%", true},
		{"special packages request", "%special%requests%", false},
	};
	/* Every % gives up only for the last one: this would take forever otherwise. */
	char text[4096], pattern[2048];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(sql_like(rows[i].text, strlen(rows[i].text), rows[i].pattern,
					  strlen(rows[i].pattern)),
				 rows[i].like);
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < sizeof(pattern); i += 2)
		memcpy(pattern + i, "%a", 2);
	assert_true(sql_like(text, sizeof(text), pattern, sizeof(pattern)));
	pattern[sizeof(pattern) - 1] = 'b';
	assert_false(sql_like(text, sizeof(text), pattern, sizeof(pattern)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_stay_in_their_type),
		cmocka_unit_test(numerics_have_the_scales_of_postgresql),
		cmocka_unit_test(quotients_have_a_greatest_scale),
		cmocka_unit_test(doubles_neither_overflow_nor_vanish),
		cmocka_unit_test(dates_take_days_and_intervals),
		cmocka_unit_test(the_sign_turns),
		cmocka_unit_test(rounding_is_half_away_from_zero),
		cmocka_unit_test(texts_become_values_or_say_why_not),
		cmocka_unit_test(doubles_print_the_fewest_digits),
		cmocka_unit_test(the_locale_does_not_matter),
		cmocka_unit_test(casts_round_and_refuse),
		cmocka_unit_test(null_stays_null),
		cmocka_unit_test(values_have_an_order),
		cmocka_unit_test(wide_integers_become_numbers),
		cmocka_unit_test(copies_are_their_own),
		cmocka_unit_test(like_does_what_it_says),
		cmocka_unit_test(like_counts_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
