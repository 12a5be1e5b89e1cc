/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "compute-client/cmd/cmd_options.h"

enum { MAX_WORDS = 48 };

/* Parse "run a.o --threads 2"; ~ is a space in a word. What went to stderr is in text. */
static int parse(const struct command *c, const char *line, struct cmd_options *o, char *text,
		 size_t size)
{
	static char words[1024];
	char *argv[MAX_WORDS + 1] = {0};
	int argc = 0, saved = dup(STDERR_FILENO);
	FILE *file = tmpfile();

	assert_non_null(file);
	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok(words, " "); w; w = strtok(NULL, " ")) {
		assert_true(argc < MAX_WORDS);
		argv[argc++] = w;
		for (char *p = w; *p; p++)
			*p = *p == '~' ? ' ' : *p;
	}
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	int status = cmd_options_parse(c, argc, argv, o);

	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(file);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
	return status;
}

static void expect_good(const struct command *c, const char *line, struct cmd_options *o)
{
	char text[1024];

	assert_int_equal(parse(c, line, o, text, sizeof(text)), EXIT_DONE);
	assert_string_equal(text, "");
}

static void test_everything_once(void **state)
{
	struct cmd_options o;

	(void)state;
	expect_good(
		&command_run,
		"run p.bpf.o --node a:1,unix:/s --dataset d --engine interp --threads 3 --reader "
		"uring --chunk 64K --depth 8 --range 1K:2K --param a=1 --param=b=2=3 --max-groups "
		"9 "
		"--budget 50 --timeout 30s --output csv --stats --no-progress",
		&o);
	assert_string_equal(o.program, "p.bpf.o");
	assert_int_equal(o.n_nodes, 2);
	assert_string_equal(o.nodes[0], "a:1");
	assert_string_equal(o.nodes[1], "unix:/s");
	assert_string_equal(o.dataset, "d");
	assert_string_equal(o.engine, "interp");
	assert_int_equal(o.threads, 3);
	assert_string_equal(o.reader, "uring");
	assert_int_equal(o.chunk_bytes, 65536);
	assert_int_equal(o.depth, 8);
	assert_true(o.has_range);
	assert_int_equal(o.range_start, 1024);
	assert_int_equal(o.range_end, 2048);
	assert_int_equal(o.n_params, 2);
	assert_string_equal(o.params[1], "b=2=3");
	assert_int_equal(o.max_groups, 9);
	assert_int_equal(o.budget, 50);
	assert_int_equal(o.timeout_ns, 30000000000);
	assert_int_equal(o.output, NEARFOLD_CSV);
	assert_true(o.stats && o.no_progress);
	cmd_options_done(&o);
}

static void test_words_after_local_are_files(void **state)
{
	static const char *const lines[] = {
		"run p.o --local x y --format lines",
		"run --format lines p.o --local x y",
		"run --local x y --format lines p.o",
		"run p.o --local x --format lines y",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct cmd_options o;

		expect_good(&command_run, lines[i], &o);
		assert_string_equal(o.program, "p.o");
		assert_int_equal(o.n_files, 2);
		assert_string_equal(o.files[0], "x");
		assert_string_equal(o.files[1], "y");
		assert_null(o.files[2]);
		assert_int_equal(cmd_options_where(&o), EXIT_DONE);
		cmd_options_done(&o);
	}
}

static void test_a_query_is_a_word_that_begins_like_sql(void **state)
{
	static const struct {
		const struct command *command;
		const char *line, *sql;
	} rows[] = {
		{&command_query, "query --local x y --schema s SELECT~1", "SELECT 1"},
		{&command_query, "query SELECT~1 --schema s --local x y", "SELECT 1"},
		{&command_query, "query --schema s --local x y select~1", "select 1"},
		{&command_query, "query --schema s --local x Select(1) y", "Select(1)"},
		{&command_query, "query --schema s --local x y ~select*", " select*"},
		{&command_query, "query --schema s WITH~a --local x y", "WITH a"},
		{&command_query, "query --schema s --local x y WITH~a", "WITH a"},
		{&command_query, "query --schema s --local x y (explain~a)", "(explain a)"},
		{&command_query, "query --schema s --local x y /*~a~*/select~1", "/* a */select 1"},
		{&command_query, "query --schema s --local x y -", "-"},
		{&command_explain, "explain --schema s --local x y -", "-"},
		{&command_query, "query - --schema s --local x y", "-"},
		{&command_query, "query SELECT~1 --local x --schema s y", "SELECT 1"},
		{&command_explain, "explain --schema s --local x y --sql WITH~a", "WITH a"},
		{&command_explain, "explain --schema s --local x y --disasm SELECT~1", "SELECT 1"},
		{&command_explain, "explain --schema s --local x y SELECT~1", "SELECT 1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cmd_options o;

		expect_good(rows[i].command, rows[i].line, &o);
		if (!o.sql || o.program || o.n_files != 2)
			fail_msg("'%s': %s, %u files", rows[i].line, o.sql, o.n_files);
		assert_string_equal(o.sql, rows[i].sql);
		assert_string_equal(o.files[0], "x");
		assert_string_equal(o.files[1], "y");
		assert_int_equal(cmd_options_where(&o), EXIT_DONE);
		cmd_options_done(&o);
	}
}

static void test_wrong_lines_say_what_is_right(void **state)
{
	static const struct {
		const struct command *command;
		const char *line, *says;
	} wrong[] = {
		{&command_run, "run --thrads 2", "did you mean --threads?"},
		{&command_run, "run --thrads=2", "did you mean --threads?"},
		{&command_run, "run p.o --zzzz", "unknown option: --zzzz: nearfold run --help"},
		{&command_run, "run p.o -x", "unknown option: -x"},
		{&command_run, "run p.o --threads", "lacks its value: --threads: give --threads N"},
		{&command_run, "run --threads 0", "'0': give 1 to 1024"},
		{&command_run, "run --threads many", "--threads 'many'"},
		{&command_run, "run --timeout 30x", "not a time: --timeout '30x'"},
		{&command_run, "run --range 5", "not a range: --range '5'"},
		{&command_run, "run --chunk 4k", "not a size: --chunk '4k'"},
		{&command_run, "run --format fixed", "not a format: --format 'fixed'"},
		{&command_run, "run --format fixed:0", "not a format: --format 'fixed:0'"},
		{&command_run, "run --engine cpu", "give auto, kernel, jit or interp"},
		{&command_run, "run --output xml", "give table, json or csv"},
		{&command_run, "run --param x", "give NAME=VALUE"},
		{&command_run, "run --param =x", "give NAME=VALUE"},
		{&command_run, "run --node ,", "no address"},
		{&command_run, "run --stats=yes", "takes no value"},
		{&command_run, "run p.o q.o", "one word too many: q.o"},
		{&command_status, "status p.o", "one word too many: p.o"},
		{&command_status, "status --dataset d", "unknown option: --dataset"},
		{&command_check, "check --node a", "unknown option: --node"},
		{&command_query, "query SELECT a FROM t", "a query in pieces: SELECT: put the"},
		{&command_query, "query --local x select a", "a query in pieces: select: put the"},
		{&command_query, "query SELECT~a FROM t", "a query in pieces: FROM: put the"},
		{&command_query, "query SELECT~a SELECT~b", "a query in pieces: SELECT b: put the"},
		{&command_query, "query --dataset t", "leave it out: the table in FROM"},
		{&command_query, "query --param a=1", "leave it out: write the value"},
		{&command_query, "query --sql=SELECT~1", "leave it out: the query is a word"},
		{&command_explain, "explain p.o SELECT~1", "a query in pieces"},
		{&command_run, "run SELECT~1", "nearfold query runs SQL"},
		{&command_bench_savings, "bench SELECT~1", "nearfold query runs SQL"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct cmd_options o;
		char text[1024];
		int status = parse(wrong[i].command, wrong[i].line, &o, text, sizeof(text));

		cmd_options_done(&o);
		if (status != EXIT_USAGE || !strstr(text, wrong[i].says) ||
		    strncmp(text, "nearfold: ", 10) != 0)
			fail_msg("'%s' gave status %d and '%s', want '%s'", wrong[i].line, status,
				 text, wrong[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_once),
		cmocka_unit_test(test_words_after_local_are_files),
		cmocka_unit_test(test_a_query_is_a_word_that_begins_like_sql),
		cmocka_unit_test(test_wrong_lines_say_what_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
