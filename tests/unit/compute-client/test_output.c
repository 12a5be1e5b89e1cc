/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/output_grid.h"

/* What writing the grid in that form gives. */
static void expect(struct output_grid *g, enum nearfold_output form, const char *want)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(output_grid_write(g, form, out), 0);
	fclose(out);
	assert_string_equal(text, want);
	free(text);
}

static const struct output_column three[] = {
	{"name", "char[8]", OUTPUT_TEXT},
	{"sum", "s64", OUTPUT_INTEGER},
	{"average", "f64", OUTPUT_FLOAT},
};

static struct output_grid two_rows(void)
{
	struct output_grid g = {.columns = three, .n_columns = 3};

	output_grid_text(&g, "b\xc3\xa4r");
	output_grid_text(&g, "-12");
	output_grid_text(&g, "0.5");
	output_grid_text(&g, "\xe6\x97\xa5\xe6\x9c\xac");
	output_grid_text(&g, "1234567");
	output_grid_text(&g, "nan");
	return g;
}

static void test_table_aligns_by_columns_on_the_screen(void **state)
{
	struct output_grid g = two_rows();

	(void)state;
	expect(&g, NEARFOLD_TABLE,
	       "name      sum  average\n"
	       "----  -------  -------\n"
	       "b\xc3\xa4r       -12      0.5\n"
	       "\xe6\x97\xa5\xe6\x9c\xac  1234567      nan\n");
	output_grid_done(&g);
}

static void test_json_shape(void **state)
{
	struct output_grid g = two_rows();

	(void)state;
	expect(&g, NEARFOLD_JSON,
	       "{\"columns\": [{\"name\": \"name\", \"type\": \"char[8]\"}, "
	       "{\"name\": \"sum\", \"type\": \"s64\"}, {\"name\": \"average\", \"type\": "
	       "\"f64\"}],\n"
	       " \"rows\": [\n"
	       "  [\"b\xc3\xa4r\", -12, 0.5],\n"
	       "  [\"\xe6\x97\xa5\xe6\x9c\xac\", 1234567, \"nan\"]]}\n");
	output_grid_done(&g);
}

static void test_csv_quotes_what_needs_it(void **state)
{
	static const struct output_column columns[] = {
		{"a,b", "text", OUTPUT_TEXT},
		{"c", "text", OUTPUT_TEXT},
	};
	struct output_grid g = {.columns = columns, .n_columns = 2};

	(void)state;
	output_grid_text(&g, "plain");
	output_grid_text(&g, "say \"hi\"");
	output_grid_text(&g, "two\nlines");
	output_grid_text(&g, "");
	expect(&g, NEARFOLD_CSV, "\"a,b\",c\nplain,\"say \"\"hi\"\"\"\n\"two\nlines\",\n");
	output_grid_done(&g);
}

static void test_a_wide_row_stands_on_its_side(void **state)
{
	static struct output_column columns[16];
	struct output_grid g = {.columns = columns, .n_columns = ARRAY_SIZE(columns)};

	(void)state;
	for (unsigned i = 0; i < g.n_columns; i++) {
		columns[i] =
			(struct output_column){i ? "column" : "longcolumn", "u64", OUTPUT_INTEGER};
		output_grid_unsigned(&g, i);
	}
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(output_grid_write(&g, NEARFOLD_TABLE, out), 0);
	fclose(out);
	assert_ptr_equal(strstr(text, "longcolumn  0\ncolumn      1\n"), text);
	free(text);
	output_grid_done(&g);
}

static void test_no_spaces_at_the_end_of_a_line(void **state)
{
	static const struct output_column columns[] = {
		{"a", "text", OUTPUT_TEXT}, {"b", "text", OUTPUT_TEXT}, {"c", "text", OUTPUT_TEXT}};
	struct output_grid g = {.columns = columns, .n_columns = 3};

	(void)state;
	output_grid_text(&g, "x");
	output_grid_text(&g, "");
	output_grid_text(&g, "");
	output_grid_text(&g, "");
	output_grid_text(&g, "");
	output_grid_text(&g, "y");
	expect(&g, NEARFOLD_TABLE, "a  b  c\n-  -  -\nx\n      y\n");
	output_grid_done(&g);
}

static void test_no_rows(void **state)
{
	struct output_grid g = {.columns = three, .n_columns = 3};

	(void)state;
	expect(&g, NEARFOLD_TABLE, "name  sum  average\n----  ---  -------\n");
	expect(&g, NEARFOLD_CSV, "name,sum,average\n");
	output_grid_done(&g);
}

static void test_table_shows_control_characters(void **state)
{
	static const struct output_column columns[] = {{"x", "text", OUTPUT_TEXT}};
	struct output_grid g = {.columns = columns, .n_columns = 1};

	(void)state;
	output_grid_text(&g, "a\x1b[31m\n\t\xc2\x9b\xff");
	expect(&g, NEARFOLD_TABLE, "x\n------------------\na\\x1b[31m\\n\\t\\x9b\xef\xbf\xbd\n");
	output_grid_done(&g);
}

/* One row: a null of each kind, then what looks like one, or like a number that is none. */
static size_t odd_cell(const void *arg, uint64_t row, unsigned column, char *buf, size_t size)
{
	static const char *const texts[] = {NULL,   NULL,  NULL,       "null", "",
					    "true", "nan", "Infinity", "1.50"};

	(void)arg;
	(void)row;
	return texts[column] ? (size_t)snprintf(buf, size, "%s", texts[column]) : OUTPUT_NULL;
}

static void test_nulls_are_no_texts(void **state)
{
	static const struct output_column columns[] = {
		{"i", "bigint", OUTPUT_INTEGER},
		{"t", "text", OUTPUT_TEXT},
		{"b", "boolean", OUTPUT_BOOL},
		{"null", "text", OUTPUT_TEXT},
		{"e", "text", OUTPUT_TEXT},
		{"y", "boolean", OUTPUT_BOOL},
		{"n", "double precision", OUTPUT_FLOAT},
		{"f", "double precision", OUTPUT_FLOAT},
		{"d", "numeric", OUTPUT_DECIMAL},
	};
	static const char *const wants[] = {
		[NEARFOLD_TABLE] = "   i  t     b     null  e  y       n         f     d\n"
				   "----  ----  ----  ----  -  ----  ---  --------  ----\n"
				   "null  null  null  null     true  nan  Infinity  1.50\n",
		[NEARFOLD_JSON] = "  [null, null, null, \"null\", \"\", true, \"nan\", "
				  "\"Infinity\", 1.50]]}\n",
		[NEARFOLD_CSV] = "i,t,b,null,e,y,n,f,d\n,,,null,\"\",true,nan,Infinity,1.50\n",
	};
	struct output_rows rows = {
		.columns = columns,
		.n_columns = ARRAY_SIZE(columns),
		.n_rows = 1,
		.cell = odd_cell,
		.quote_empty = true,
	};

	(void)state;
	for (unsigned form = 0; form < ARRAY_SIZE(wants); form++) {
		char *text = NULL;
		const char *end;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		assert_int_equal(output_write(&rows, (enum nearfold_output)form, out), 0);
		fclose(out);
		end = strlen(text) >= strlen(wants[form]) ? text + size - strlen(wants[form])
							  : text;
		assert_string_equal(form == NEARFOLD_JSON ? end : text, wants[form]);
		free(text);
	}
}

/* Bytes of records, as they are: it is no terminal. */
static void test_csv_has_every_byte(void **state)
{
	static const struct output_column columns[] = {{"x", "text", OUTPUT_TEXT}};
	struct output_grid g = {.columns = columns, .n_columns = 1};

	(void)state;
	output_grid_text(&g, "a\x1b[31m\xff\x01");
	expect(&g, NEARFOLD_CSV, "x\na\x1b[31m\xff\x01\n");
	output_grid_done(&g);
}

static void test_a_full_stream_is_an_error(void **state)
{
	struct output_grid g = two_rows();
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_true(output_grid_write(&g, NEARFOLD_TABLE, full) < 0);
	fclose(full);
	output_grid_done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_aligns_by_columns_on_the_screen),
		cmocka_unit_test(test_json_shape),
		cmocka_unit_test(test_csv_quotes_what_needs_it),
		cmocka_unit_test(test_a_wide_row_stands_on_its_side),
		cmocka_unit_test(test_no_spaces_at_the_end_of_a_line),
		cmocka_unit_test(test_no_rows),
		cmocka_unit_test(test_table_shows_control_characters),
		cmocka_unit_test(test_nulls_are_no_texts),
		cmocka_unit_test(test_csv_has_every_byte),
		cmocka_unit_test(test_a_full_stream_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
