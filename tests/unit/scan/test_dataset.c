/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/dataset.h"
#include "scan_fixture.h"

static void parses_every_word(void **state)
{
	AUTO(dataset_spec_done) struct dataset_spec s = {0};
	struct nf_error err;

	(void)state;
	assert_int_equal(dataset_spec_parse("trades=/srv/trades/*.bin,format=fixed:32,skip=128,"
					    "tail=ignore,allow=alice+bob,schema=ts:u64, sym:u32",
					    &s, &err),
			 0);
	assert_string_equal(s.name, "trades");
	assert_string_equal(s.path, "/srv/trades/*.bin");
	assert_int_equal(s.format, FORMAT_FIXED);
	assert_int_equal(s.record_bytes, 32);
	assert_int_equal(s.skip_bytes, 128);
	assert_true(s.tail_ignore);
	assert_string_equal(s.allow[0], "alice");
	assert_string_equal(s.allow[1], "bob");
	assert_null(s.allow[2]);
	assert_string_equal(s.schema, "ts:u64, sym:u32");
}

static void parses_lines(void **state)
{
	AUTO(dataset_spec_done) struct dataset_spec s = {0};
	AUTO(dataset_spec_done) struct dataset_spec copy = {0};
	char text[32];

	(void)state;
	assert_int_equal(
		dataset_spec_parse("log=/var/log/x=y.log,format=lines,tail=error", &s, NULL), 0);
	assert_string_equal(s.path, "/var/log/x=y.log");
	assert_int_equal(s.format, FORMAT_LINES);
	dataset_format_text(&s, text);
	assert_string_equal(text, "lines");
	assert_int_equal(dataset_spec_set(&s, "format", "fixed:7", NULL), 0);
	dataset_format_text(&s, text);
	assert_string_equal(text, "fixed:7");
	assert_int_equal(dataset_spec_set(&s, "allow", "a+b+c", NULL), 0);
	assert_int_equal(dataset_spec_copy(&s, &copy), 0);
	assert_string_equal(copy.allow[2], "c");
	assert_string_equal(copy.name, "log");
	assert_int_equal(copy.record_bytes, 7);
}

static void refuses_each_bad_word(void **state)
{
	static const struct {
		const char *text, *where, *says;
	} bad[] = {
		{"", "", "name or '=' is missing"},
		{"trades", "trades", "name or '=' is missing"},
		{"=/srv,format=lines", "=/srv", "name or '=' is missing"},
		{"a b=/srv,format=lines", "name", "is not a data set's name"},
		{"../x=/srv,format=lines", "name", "is not a data set's name"},
		{"-x=/srv,format=lines", "name", "is not a data set's name"},
		{"t=,format=lines", "path", "the path is empty"},
		{"t=/srv", "format", "no format is given"},
		{"t=/srv,skip=1", "format", "no format is given"},
		{"t=/srv,format=", "format", "is not a format"},
		{"t=/srv,format=csvx", "format", "is not a format"},
		{"t=/srv,format=fixed", "format", "is not a format"},
		{"t=/srv,format=fixed:", "format", "is not a format"},
		{"t=/srv,format=fixed:0", "format", "is not a format"},
		{"t=/srv,format=fixed:-1", "format", "is not a format"},
		{"t=/srv,format=fixed:+8", "format", "is not a format"},
		{"t=/srv,format=fixed: 8", "format", "is not a format"},
		{"t=/srv,format=fixed:8x", "format", "is not a format"},
		{"t=/srv,format=fixed:1048577", "format", "is not a format"},
		{"t=/srv,format=fixed:99999999999999999999", "format", "is not a format"},
		{"t=/srv,format=lines,skip=", "skip", "is not a number of bytes"},
		{"t=/srv,format=lines,skip=-4", "skip", "is not a number of bytes"},
		{"t=/srv,format=lines,skip=4k", "skip", "is not a number of bytes"},
		{"t=/srv,format=lines,skip=9223372036854775808", "skip",
		 "is not a number of bytes"},
		{"t=/srv,format=fixed:4,tail=maybe", "tail", "tail=ignore or tail=error"},
		{"t=/srv,format=lines,tail=ignore", "tail", "tail=ignore is for fixed records"},
		{"t=/srv,format=lines,allow=", "allow", "empty identity"},
		{"t=/srv,format=lines,allow=a++b", "allow", "empty identity"},
		{"t=/srv,format=lines,allow=a+", "allow", "empty identity"},
		{"t=/srv,format=lines,schema=", "schema", "the schema has 0 bytes"},
		{"t=/srv,format=lines,colour=red", "colour", "no such key"},
		{"t=/srv,format=lines,format=fixed:3", "format", "given twice"},
		{"t=/srv,path=/etc,format=lines", "path", "given twice"},
		{"t=/srv,lines", "lines", "expected key=value"},
		{"t=/srv,format=lines,", "", "expected key=value"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct dataset_spec s = {0};
		struct nf_error err = {0};

		if (dataset_spec_parse(bad[i].text, &s, &err) != -EINVAL)
			fail_msg("accepted: %s", bad[i].text);
		assert_int_equal(err.code, NF_INVALID_ARGUMENT);
		assert_contains(err.where, bad[i].where);
		assert_contains(err.text, bad[i].says);
		assert_null(s.name);
	}
}

static void largest_record_is_one_mebibyte(void **state)
{
	AUTO(dataset_spec_done) struct dataset_spec s = {0};

	(void)state;
	assert_int_equal(dataset_spec_set(&s, "format", "fixed:1048576", NULL), 0);
	assert_int_equal(dataset_spec_check(&s, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_every_word),
		cmocka_unit_test(parses_lines),
		cmocka_unit_test(refuses_each_bad_word),
		cmocka_unit_test(largest_record_is_one_mebibyte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
