/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* test_nearfold_sql.c - SQL by the public functions: refusals, results, what a node may say. */
#include "fake_node.h"

#include <errno.h>

#include "compute-client/client_sql.h"

static const char schema[] = "id:i32, price:decimal(9,2), name:char(4)";

/* A file of two such records: 1, 1.50, "a" and 2, -0.25, "". */
struct file {
	char path[64];
	const char *list[2];
};

static void make_file(struct file *f)
{
	static const struct {
		int32_t id;
		int64_t price;
		char name[4];
	} __attribute__((packed)) records[] = {{1, 150, "a"}, {2, -25, ""}};
	int fd;

	*f = (struct file){.path = "/tmp/nearfold-sql.XXXXXX"};
	f->list[0] = f->path;
	fd = mkstemp(f->path);
	assert_true(fd >= 0 && write(fd, records, sizeof(records)) == sizeof(records));
	close(fd);
}

static struct nearfold_program *prepare(const char *text)
{
	struct nearfold_program *p;
	struct nearfold_error err;

	if (nearfold_sql_prepare(text, schema, &p, &err) < 0)
		fail_msg("%s: %s: %s", text, err.where, err.text);
	return p;
}

static void expect_text(struct nearfold_result *r, uint64_t row, unsigned col, const char *want)
{
	const char *got = nearfold_result_text(r, row, col);

	if (want && got)
		assert_string_equal(got, want);
	else
		assert_true(want == got && errno == 0);
}

static void a_result_has_the_querys_columns(void **state)
{
	static const char *const names[] = {"n", "least", "sum", "bool_and", "nullif"};
	static const char *const types[] = {"bigint", "text", "numeric", "boolean", "integer"};
	struct nearfold_program *p = prepare("SELECT count(*) AS n, min(name) AS least, "
					     "sum(price), bool_and(id > 0), nullif(1, 1) FROM t");
	struct nearfold_result *r;
	struct nearfold_error err;
	struct file f;
	const void *key, *bytes;

	(void)state;
	make_file(&f);

	struct nearfold_query q = {.program = p, .files = f.list};

	if (nearfold_run(NULL, &q, &r, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	nearfold_program_free(p); /* the result needs it no more */
	assert_int_equal(nearfold_result_rows(r), 1);
	assert_int_equal(nearfold_result_columns(r), ARRAY_SIZE(names));
	for (unsigned c = 0; c < ARRAY_SIZE(names); c++) {
		assert_string_equal(nearfold_result_column_name(r, c), names[c]);
		assert_string_equal(nearfold_result_column_type(r, c), types[c]);
	}
	expect_text(r, 0, 0, "2");
	expect_text(r, 0, 1, "");
	expect_text(r, 0, 2, "1.25");
	expect_text(r, 0, 3, "true");
	expect_text(r, 0, 4, NULL);
	assert_null(nearfold_result_text(r, 1, 0));
	assert_int_equal(errno, ERANGE);
	assert_null(nearfold_result_text(r, 0, 5));
	assert_int_equal(errno, ERANGE);
	assert_int_equal(nearfold_result_row(r, 0, &key, &bytes), -ENOTSUP);
	assert_int_equal(nearfold_result_stats(r)->records, 2);
	nearfold_result_free(r);
	unlink(f.path);
}

static void groups_come_in_the_order_of_their_keys(void **state)
{
	struct nearfold_program *p = prepare("SELECT name, id FROM t GROUP BY name, id");
	struct nearfold_result *r;
	struct nearfold_error err;
	struct file f;

	(void)state;
	make_file(&f);

	struct nearfold_query q = {.program = p, .files = f.list, .engine = "interp"};

	assert_int_equal(nearfold_run(NULL, &q, &r, &err), 0);
	assert_int_equal(nearfold_result_rows(r), 2);
	assert_int_equal(nearfold_result_stats(r)->groups, 2);
	expect_text(r, 0, 0, "");
	expect_text(r, 0, 1, "2");
	expect_text(r, 1, 0, "a");
	expect_text(r, 1, 1, "1");
	nearfold_result_free(r);
	nearfold_program_free(p);
	unlink(f.path);
}

static void a_programs_cells_are_texts_too(void **state)
{
	struct nearfold_program p;
	struct nearfold_result *r;
	struct nearfold_error err;
	char path[] = "/tmp/nearfold-sql.XXXXXX";
	const char *files[] = {path, NULL};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0 && ftruncate(fd, 80) == 0);
	counting_program(false, &p);

	struct nearfold_query q = {.program = &p, .files = files, .format = "fixed:8"};

	assert_int_equal(nearfold_run(NULL, &q, &r, &err), 0);
	assert_string_equal(nearfold_result_text(r, 0, 0), "0a00000000000000");
	assert_null(nearfold_result_text(r, 0, 1));
	nearfold_result_free(r);
	program_unref(p.program);
	close(fd);
	unlink(path);
}

static void refusals_have_a_place(void **state)
{
	static const struct {
		const char *text, *schema;
		int code;
		const char *where, *says, *source;
	} rows[] = {
		{"SELECT count(*)\n  FROM", schema, NF_INVALID_ARGUMENT, "SQL, line 2",
		 "syntax error", "  FROM"},
		{"SELECT sum(pirce) FROM t", schema, NF_INVALID_ARGUMENT, "SQL, column 12", "price",
		 "SELECT sum(pirce) FROM t"},
		{"SELECT 1 FROM a, b", schema, NF_UNIMPLEMENTED, "SQL", "not supported", "SELECT"},
		{"SELECT count(*) FROM t", "id:i31", NF_INVALID_ARGUMENT, "schema", "i31", ""},
		{"SELECT count(*) FROM t", NULL, NF_INVALID_ARGUMENT, "schema", "give a schema",
		 ""},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct nearfold_program *p = NULL;
		struct nearfold_error err;

		assert_true(nearfold_sql_prepare(rows[i].text, rows[i].schema, &p, &err) < 0);
		assert_null(p);
		if (err.code != rows[i].code || !strstr(err.where, rows[i].where) ||
		    !strstr(err.text, rows[i].says) ||
		    strncmp(err.source, rows[i].source, strlen(rows[i].source)) != 0)
			fail_msg("%s: %d %s: %s | %s", rows[i].text, err.code, err.where, err.text,
				 err.source);
		assert_true(nearfold_sql_prepare(rows[i].text, rows[i].schema, &p, NULL) < 0);
	}
}

static void the_table_is_known_without_a_schema(void **state)
{
	struct nearfold_error err;
	char *table;

	(void)state;
	assert_int_equal(nearfold_sql_table("select 1 from \"My.Logs\" l", &table, &err), 0);
	assert_string_equal(table, "My.Logs");
	free(table);
	assert_int_equal(nearfold_sql_table("select 1 from Logs", &table, &err), 0);
	assert_string_equal(table, "logs");
	free(table);
	assert_true(nearfold_sql_table("select 1 frm logs", &table, &err) < 0);
	assert_int_equal(err.code, NF_INVALID_ARGUMENT);
}

static void a_failure_is_said_of_the_text(void **state)
{
	struct nearfold_program *p = prepare("SELECT count(*),\n       max(7 / (id - 2)) FROM t");
	struct nearfold_result *r;
	struct nearfold_error err;
	struct file f;
	static const char *const names[] = {"interp", "jit"};

	(void)state;
	make_file(&f);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		struct nearfold_query q = {.program = p, .files = f.list, .engine = names[i]};

		assert_true(nearfold_run(NULL, &q, &r, &err) < 0);
		if (err.code == NF_FAILED_PRECONDITION)
			continue; /* no JIT here */
		assert_int_equal(err.code, NF_OUT_OF_RANGE);
		assert_string_equal(err.text, "division by zero");
		assert_ptr_equal(strstr(err.where, "SQL, line 2, column 14, /tmp/"), err.where);
		assert_non_null(strstr(err.where, ", record at byte 16"));
		assert_string_equal(err.source, "       max(7 / (id - 2)) FROM t");
	}
	nearfold_program_free(p);
	unlink(f.path);
}

/* As a node sends it; and what only looks so stays as it is. */
static void a_nodes_words_become_sqls(void **state)
{
	static const struct {
		int code;
		const char *where, *text, *new_where, *new_text;
	} rows[] = {
		{NF_OUT_OF_RANGE, "SQL:1 in reduce 'reduce' (instruction 99999), x.bin",
		 "the program reported error 5 (fold_fail)", "SQL, column ", "division by zero"},
		{NF_OUT_OF_RANGE, "SQL:1 in reduce 'reduce' (instruction 1)",
		 "the program reported error 4000000000 (fold_fail)", "SQL",
		 "the program reported error 4000000000 (fold_fail)"},
		{NF_OUT_OF_RANGE, "in nothing (instruction 3)", "the program reported error x",
		 "in nothing (instruction 3)", "the program reported error x"},
		{NF_OUT_OF_RANGE, "(instruction ", "", "(instruction ", ""},
		{NF_INTERNAL, "a.bin", "the program reported error 5 (fold_fail)", "a.bin",
		 "the program reported error 5 (fold_fail)"},
	};
	struct nearfold_program *p = prepare("SELECT sum(1 / id) FROM t");

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct nearfold_error err = {.code = rows[i].code};

		snprintf(err.where, sizeof(err.where), "%s", rows[i].where);
		snprintf(err.text, sizeof(err.text), "%s", rows[i].text);
		client_program_source(p, &err);
		assert_string_equal(err.text, rows[i].new_text);
		if (strncmp(err.where, rows[i].new_where, strlen(rows[i].new_where)) != 0)
			fail_msg("%s became %s", rows[i].where, err.where);
	}
	nearfold_program_free(p);
}

static void a_local_query_has_its_own_schema_and_format(void **state)
{
	static const struct {
		const char *schema, *format, *says;
	} rows[] = {
		{"id:i32", NULL, "compiled for another one"},
		{NULL, "fixed:20", "add pad(4)"},
		{NULL, "lines", "describes fixed records"},
	};
	struct nearfold_program *p = prepare("SELECT count(*) FROM t");
	struct nearfold_result *r;
	struct nearfold_error err;
	struct file f;

	(void)state;
	make_file(&f);
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct nearfold_query q = {.program = p,
					   .files = f.list,
					   .schema = rows[i].schema,
					   .format = rows[i].format};

		assert_true(nearfold_run(NULL, &q, &r, &err) < 0);
		assert_int_equal(err.code, NF_INVALID_ARGUMENT);
		assert_non_null(strstr(err.text, rows[i].says));
	}

	struct nearfold_query q = {
		.program = p, .files = f.list, .schema = schema, .format = "fixed:16"};

	assert_int_equal(nearfold_run(NULL, &q, &r, &err), 0);
	expect_text(r, 0, 0, "2");
	nearfold_result_free(r);
	nearfold_program_free(p);
	unlink(f.path);
}

static void a_program_with_a_schema_is_checked(void **state)
{
	struct nearfold_program p;
	struct nearfold_result *r;
	struct nearfold_error err;
	const char *files[] = {"/dev/null", NULL};

	(void)state;
	counting_program(false, &p);

	struct nearfold_query q = {
		.program = &p, .files = files, .format = "fixed:8", .schema = "id:i32"};

	assert_true(nearfold_run(NULL, &q, &r, &err) < 0);
	assert_string_equal(err.where, "schema");
	assert_non_null(strstr(err.text, "add pad(4)"));
	program_unref(p.program);
}

/* ---- what a node says of its data ------------------------------------------------------------ */

static void say_dataset(struct fake_answer *a, const char *format, const char *text)
{
	Nearfold__V1__Dataset m = NEARFOLD__V1__DATASET__INIT;

	m.name = (char *)"t";
	m.format = (char *)format;
	m.schema = (char *)text;
	fake_say(a, &m.base);
}

static int prepare_on(struct fake_node *nodes, unsigned n, struct nearfold_error *err)
{
	struct nearfold_conn *conns[2] = {0};
	struct nearfold_program *p = NULL;
	int r;

	memset(err, 0, sizeof(*err));
	for (unsigned i = 0; i < n; i++) {
		fake_start_node(&nodes[i]);
		assert_int_equal(nearfold_connect(nodes[i].address, NULL, &conns[i], err), 0);
	}
	r = nearfold_sql_prepare_on(conns, n, "SELECT sum(id) FROM t", &p, err);
	assert_true((r == 0) == (p != NULL));
	nearfold_program_free(p);
	for (unsigned i = 0; i < n; i++) {
		nearfold_close(conns[i]);
		fake_stop_node(&nodes[i]);
	}
	return r;
}

static void a_nodes_schema_is_looked_at(void **state)
{
	static const struct {
		const char *format, *schema, *says;
	} rows[] = {
		{"fixed:16", "id:i32, price:decimal(9,2), name:char(4)", NULL},
		{"fixed:16", "", "no schema"},
		{"lines", "", "its format is lines"},
		{"lines", "id:i32", "its format is lines"},
		{"fixed:8", "id:i32, price:decimal(9,2), name:char(4)", "cannot be used"},
		{"fixed:4", "id:i32\x1b[31m", "cannot be used"},
		{"fixed:4", "id", "cannot be used"},
		{"fixed:4", "x:i32", "column \"id\" does not exist"},
		{"", "id:i32", "its format is "},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake_node f = {0};
		struct nearfold_error err;
		int r;

		say_dataset(&f.methods[FAKE_DESCRIBE].answers[0], rows[i].format, rows[i].schema);
		r = prepare_on(&f, 1, &err);
		if (!rows[i].says) {
			assert_int_equal(r, 0);
			continue;
		}
		assert_true(r < 0);
		if (!strstr(err.text, rows[i].says))
			fail_msg("'%s: %s', want '%s'", err.where, err.text, rows[i].says);
		if (!strstr(rows[i].says, "column"))
			assert_int_equal(err.code, NF_FAILED_PRECONDITION);
	}
}

static void nodes_must_have_one_schema(void **state)
{
	static const struct {
		const char *first, *second;
		bool alike;
	} rows[] = {
		{"id:i32, b:i32", "ID : i32,b:i32", true},
		{"id:i32, b:i32", "id:i32, b:u32", false},
		{"id:i32, b:i32", "id:i32, c:i32", false},
		{"id:i32, pad(4)", "pad(4), id:i32", false},
		{"id:decimal(9,2)", "id:decimal(9,3)", false},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake_node f[2] = {0};
		struct nearfold_error err;
		int r;

		say_dataset(&f[0].methods[FAKE_DESCRIBE].answers[0], "fixed:8", rows[i].first);
		say_dataset(&f[1].methods[FAKE_DESCRIBE].answers[0], "fixed:8", rows[i].second);
		r = prepare_on(f, 2, &err);
		if (rows[i].alike != (r == 0))
			fail_msg("'%s' and '%s': %d %s", rows[i].first, rows[i].second, r,
				 err.text);
		if (r < 0) {
			assert_int_equal(err.code, NF_FAILED_PRECONDITION);
			assert_non_null(strstr(err.text, rows[i].first));
			assert_non_null(strstr(err.text, rows[i].second));
			assert_non_null(strstr(err.text, f[0].address));
			assert_non_null(strstr(err.where, f[1].address));
		}
	}
}

static void capitals_want_quotes(void **state)
{
	struct fake_node f = {0};
	struct nearfold_error err;
	Nearfold__V1__ListDatasetsReply m = NEARFOLD__V1__LIST_DATASETS_REPLY__INIT;
	Nearfold__V1__Dataset d = NEARFOLD__V1__DATASET__INIT, *list[] = {&d};

	(void)state;
	f.methods[FAKE_DESCRIBE].answers[0] =
		(struct fake_answer){.code = NF_NOT_FOUND, .text = "no data set 't'"};
	d.name = (char *)"T";
	d.format = (char *)"fixed:4";
	m.n_datasets = 1;
	m.datasets = list;
	fake_say(&f.methods[FAKE_LIST].answers[0], &m.base);
	assert_true(prepare_on(&f, 1, &err) < 0);
	assert_int_equal(err.code, NF_NOT_FOUND);
	assert_non_null(strstr(err.text, "write FROM \"T\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_result_has_the_querys_columns),
		cmocka_unit_test(groups_come_in_the_order_of_their_keys),
		cmocka_unit_test(a_programs_cells_are_texts_too),
		cmocka_unit_test(refusals_have_a_place),
		cmocka_unit_test(the_table_is_known_without_a_schema),
		cmocka_unit_test(a_failure_is_said_of_the_text),
		cmocka_unit_test(a_nodes_words_become_sqls),
		cmocka_unit_test(a_local_query_has_its_own_schema_and_format),
		cmocka_unit_test(a_program_with_a_schema_is_checked),
		cmocka_unit_test(a_nodes_schema_is_looked_at),
		cmocka_unit_test(nodes_must_have_one_schema),
		cmocka_unit_test(capitals_want_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
