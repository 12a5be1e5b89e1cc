/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "sql/sql_schema.h"
#include "tests/support/failing_malloc.h"

#define AUTO_SCHEMA AUTO(sql_schema_done) struct sql_schema

static void parse(const char *text, struct sql_schema *ret)
{
	struct nf_error err = {0};

	if (sql_schema_parse(text, ret, &err))
		fail_msg("%s: %s", text, err.text);
}

static void refuse(const char *text, const char *says)
{
	AUTO_SCHEMA s = {0};
	struct nf_error err = {0};

	assert_int_equal(sql_schema_parse(text, &s, &err), -EINVAL);
	assert_int_equal(err.code, NF_INVALID_ARGUMENT);
	assert_string_equal(err.where, "schema");
	assert_null(s.columns);
	if (!strstr(err.text, says))
		fail_msg("'%.200s': wanted '%s', got '%s'", text, says, err.text);
}

static void each_type_has_its_size_and_type(void **state)
{
	static const struct {
		const char *text;
		enum sql_storage storage;
		enum sql_type type;
		uint32_t bytes;
	} types[] = {
		{"i8", SQL_STORED_I8, SQL_INT2, 1},
		{"i16", SQL_STORED_I16, SQL_INT2, 2},
		{"i32", SQL_STORED_I32, SQL_INT4, 4},
		{"i64", SQL_STORED_I64, SQL_INT8, 8},
		{"u8", SQL_STORED_U8, SQL_INT2, 1},
		{"u16", SQL_STORED_U16, SQL_INT4, 2},
		{"u32", SQL_STORED_U32, SQL_INT8, 4},
		{"u64", SQL_STORED_U64, SQL_INT8, 8},
		{"f32", SQL_STORED_F32, SQL_FLOAT8, 4},
		{"f64", SQL_STORED_F64, SQL_FLOAT8, 8},
		{"bool", SQL_STORED_BOOL, SQL_BOOL, 1},
		{"char(25)", SQL_STORED_CHAR, SQL_TEXT, 25},
		{"char(1048575)", SQL_STORED_CHAR, SQL_TEXT, 1048575},
		{"date", SQL_STORED_DATE, SQL_DATE, 4},
		{"timestamp", SQL_STORED_TIMESTAMP, SQL_TIMESTAMP, 8},
		{"decimal(15,2)", SQL_STORED_DECIMAL, SQL_NUMERIC, 8},
		{"Decimal ( 18 , 18 )", SQL_STORED_DECIMAL, SQL_NUMERIC, 8},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		AUTO_SCHEMA s = {0};
		char text[64];

		snprintf(text, sizeof(text), "pad(1), c: %s", types[i].text);
		parse(text, &s);
		assert_int_equal(s.n_columns, 1);
		assert_int_equal(s.columns[0].storage, types[i].storage);
		assert_int_equal(s.columns[0].type, types[i].type);
		assert_int_equal(s.columns[0].bytes, types[i].bytes);
		assert_int_equal(s.columns[0].offset, 1);
		assert_int_equal(s.record_bytes, types[i].bytes + 1);
	}
}

static void columns_are_packed_and_pads_pass_over(void **state)
{
	AUTO_SCHEMA s = {0};

	(void)state;
	parse(" Ts:u64 ,\n\tpad (3),price : decimal(9, 4), pad(4),flag:char(1),pad:i8 ", &s);
	assert_int_equal(s.n_columns, 4);
	assert_int_equal(s.record_bytes, 8 + 3 + 8 + 4 + 1 + 1);
	assert_int_equal(sql_schema_find(&s, "ts")->offset, 0);
	assert_int_equal(sql_schema_find(&s, "price")->offset, 11);
	assert_int_equal(sql_schema_find(&s, "price")->precision, 9);
	assert_int_equal(sql_schema_find(&s, "price")->scale, 4);
	assert_int_equal(sql_schema_find(&s, "flag")->offset, 23);
	assert_int_equal(sql_schema_find(&s, "pad")->offset, 24);
	assert_null(sql_schema_find(&s, "Ts"));
	assert_null(sql_schema_find(&s, ""));
}

static void quotes_keep_a_name_as_it_is(void **state)
{
	AUTO_SCHEMA s = {0};

	(void)state;
	parse("\"Unit Price, net\":i32,\"gr\xc3\xb6\xc3\x9f"
	      "e\" : i16,\"pad\":i8,\"TS\":u8,ts:u8",
	      &s);
	assert_non_null(sql_schema_find(&s, "Unit Price, net"));
	assert_non_null(sql_schema_find(&s, "gr\xc3\xb6\xc3\x9f"
					    "e"));
	assert_int_equal(sql_schema_find(&s, "pad")->offset, 6);
	assert_int_equal(sql_schema_find(&s, "TS")->offset, 7);
	assert_int_equal(sql_schema_find(&s, "ts")->offset, 8);
}

static void says_what_is_wrong_and_where(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"", "column 1: the schema is empty"},
		{"  ", "the schema is empty; it is like ts:timestamp"},
		{",", "column 1: nothing is between two commas"},
		{"a:i8,", "column 2: nothing follows the last comma; remove it"},
		{"a:i8,,b:i8", "column 2: nothing is between two commas; remove one"},
		{"a", "column 1, \"a\": a colon and a type must follow the name, not the end"},
		{"a i8", "column 1, \"a\": a colon and a type must follow the name, not 'i'"},
		{"a:", "a type must follow the colon, not the end; types are i8 i16"},
		{"a:,", "a type must follow the colon, not ','"},
		{"a:\033[2J", "a type must follow the colon, not byte 0x1b"},
		{"a-b:i8", "must follow the name, not '-'"},
		{"-a:i8", "no name can begin with '-'; names are letters, digits"},
		{"\xc3\xa4:i8", "no name can begin with byte 0xc3"},
		{":i8", "no name can begin with ':'"},
		{"x:i8, a:dubble", "column 2, \"a\": there is no type \"dubble\"; types are i8"},
		{"a:double", "there is no type \"double\" (did you mean f64?); types are i8 i16"},
		{"a:INT", "(did you mean i32?)"},
		{"a:int8", "did you mean i64?"},
		{"a:int8_t", "did you mean i8?"},
		{"a:uint16_t", "did you mean u16?"},
		{"a:varchar(20)", "did you mean char(n)?"},
		{"a:numeric(9,2)", "did you mean decimal(p, s)?"},
		{"a:datetime", "did you mean timestamp?"},
		{"a:i128", "there is no type \"i128\"; types are i8"},
		{"a:i8 b:i8", "column 1, \"a\": a comma or the end must follow, not 'b'"},
		{"a:i8;", "a comma or the end must follow, not ';'"},
		{"a:i8(3)", "a comma or the end must follow, not '('"},
		{"a:i8,b:i8,A:i16", "column 3, \"a\": there is a column of this name before"},
		{"a:i8,\"a\":i16", "column 2, \"a\": there is a column of this name before"},
		{"a:char", "char wants its length in bytes, like char(8)"},
		{"a:char()", "char wants its length in bytes, like char(8)"},
		{"a:char(-1)", "char wants its length in bytes, like char(8)"},
		{"a:char(3", "char wants its length in bytes, like char(8)"},
		{"a:char(0)", "char may be 1 to 1048576 bytes long"},
		{"a:char(1048577)", "char may be 1 to 1048576 bytes long"},
		{"a:char(4294967297)", "char may be 1 to 1048576 bytes long"},
		{"a:char(18446744073709551617)", "char may be 1 to 1048576 bytes long"},
		{"a:i8,pad(0)", "column 2: pad may be 1 to 1048576 bytes long"},
		{"a:i8,pad(x)", "column 2: pad wants its length in bytes, like pad(8)"},
		{"pad(8)", "there is nothing but pads"},
		{"a:decimal", "decimal wants its precision and its scale, like decimal(15, 2)"},
		{"a:decimal(9)", "decimal wants its precision and its scale"},
		{"a:decimal(19,2)", "a decimal's precision is 1 to 18 digits: more do not fit"},
		{"a:decimal(0,0)", "a decimal's precision is 1 to 18 digits"},
		{"a:decimal(9,10)", "a decimal's scale is 0 to its precision, here 9"},
		{"a:char(1048576),b:i8", "column 2, \"b\": it ends 1048577 bytes into the record"},
		{"a:i64,pad(1048569)", "column 2: it ends 1048577 bytes into the record; at most"},
		{"\"a:i8", "column 1: the name's second quote is missing"},
		{"\"\":i8", "the name between the quotes is empty"},
		{"\"a\nb\":i8", "the name has control characters, or is not UTF-8"},
		{"\"\xff\":i8", "the name has control characters, or is not UTF-8"},
		{"\"\xc3\":i8", "the name has control characters, or is not UTF-8"},
		{"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl:i8",
		 "the name has 64 bytes; at most 63 may be"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refuse(bad[i].text, bad[i].says);
}

/* n columns named c0, c1, ... */
static char *many(unsigned n)
{
	char *text = malloc(n * 16 + 1), *at = text;

	assert_non_null(text);
	*at = '\0';
	for (unsigned i = 0; i < n; i++)
		at += sprintf(at, "%sc%u:i8", i ? "," : "", i);
	return text;
}

static void columns_have_a_limit(void **state)
{
	AUTO_FREE char *most = many(SQL_MAX_COLUMNS), *more = many(SQL_MAX_COLUMNS + 1);
	AUTO_SCHEMA s = {0};

	(void)state;
	parse(most, &s);
	assert_int_equal(s.n_columns, SQL_MAX_COLUMNS);
	assert_int_equal(sql_schema_find(&s, "c1023")->offset, 1023);
	refuse(more, "column 1025, \"c1024\": there are more than 1024 columns");
}

static void the_text_has_a_limit(void **state)
{
	const size_t n = 65536;
	AUTO_FREE char *text = malloc(n + 2);
	AUTO_SCHEMA s = {0};

	(void)state;
	assert_non_null(text);
	memset(text, ' ', n + 1);
	memcpy(text, "a:i8", 4);
	text[n] = '\0';
	parse(text, &s);
	text[n] = ' ';
	text[n + 1] = '\0';
	refuse(text, "the text is longer than 65536 bytes");
}

static void records_must_be_as_long_as_described(void **state)
{
	AUTO_SCHEMA s = {0};
	struct nf_error err;

	(void)state;
	parse("ts:u64,price:decimal(15,2),volume:u64", &s);
	assert_int_equal(sql_schema_check(&s, 24, &err), 0);
	assert_int_equal(sql_schema_check(&s, 32, &err), -EINVAL);
	assert_string_equal(err.where, "schema");
	assert_string_equal(err.text,
			    "the schema describes 24 bytes, the records have 32: add pad(8)");
	assert_int_equal(sql_schema_check(&s, 20, &err), -EINVAL);
	assert_string_equal(err.text, "the schema describes 24 bytes, the records have 20: "
				      "take away 4, or correct the format");
}

/* Whatever a text is cut to is a schema or is refused with a reason. */
static void every_beginning_of_a_text_has_an_answer(void **state)
{
	static const char whole[] = "Ts: u64, \"a b\":decimal ( 9 , 4 ),pad( 4 ),flag:char(12)";
	char text[sizeof(whole)];

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		AUTO_SCHEMA s = {0};
		struct nf_error err = {0};

		memcpy(text, whole, n);
		text[n] = '\0';
		if (sql_schema_parse(text, &s, &err))
			assert_memory_equal(err.text, "column ", 7);
		else
			assert_true(s.n_columns > 0);
	}
}

#if OWN_MALLOC
static void any_allocation_may_fail(void **state)
{
	AUTO_FREE char *text = many(100);
	bool done = false;

	(void)state;
	for (long n = 1; !done; n++) {
		struct sql_schema s = {0};
		struct nf_error err = {0};
		long before = live;

		fail_after = n;
		int r = sql_schema_parse(text, &s, &err);
		done = fail_after > 0;
		fail_after = 0;
		assert_int_equal(r, done ? 0 : -ENOMEM);
		if (!done)
			assert_string_equal(err.text, "out of memory");
		sql_schema_done(&s);
		assert_int_equal(live, before);
	}
}
#else
static void any_allocation_may_fail(void **state)
{
	(void)state;
	printf("SKIP: a sanitizer has its own malloc(): built without one, this runs\n");
	skip();
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_has_its_size_and_type),
		cmocka_unit_test(columns_are_packed_and_pads_pass_over),
		cmocka_unit_test(quotes_keep_a_name_as_it_is),
		cmocka_unit_test(says_what_is_wrong_and_where),
		cmocka_unit_test(columns_have_a_limit),
		cmocka_unit_test(the_text_has_a_limit),
		cmocka_unit_test(records_must_be_as_long_as_described),
		cmocka_unit_test(every_beginning_of_a_text_has_an_answer),
		cmocka_unit_test(any_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
