/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The constants' file, the estimate made of them, and that they can be measured. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "scan/scan_constants.h"
#include "scan_programs.h"

static char path[64];

static int make_file(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/nearfold-constants.XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void put(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void what_is_stored_is_loaded(void **state)
{
	struct scan_constants a = {
		2, {{"jit", 1e6, 2000, 0.5, 0.25, 0.125}, {"interp", 1, 2, 3, 4, 5}}};
	struct scan_constants b;

	(void)state;
	assert_int_equal(scan_constants_store(path, &a, NULL), 0);
	assert_int_equal(scan_constants_load(path, &b, NULL), 0);
	assert_memory_equal(&a, &b, sizeof(a));
}

static void a_bad_file_is_refused_with_its_line(void **state)
{
	static const char *const bad[] = {
		"jit 1 2 3 4\n",
		"jit 1 2 3 4 5 6\n",
		"jit 1 2 3 4 nan\n",
		"jit -1 2 3 4 5\n",
		"jit 1 2 3 4 1e13\n",
		"nonsense\n",
		"a-very-long-engine-name 1 2 3 4 5\n",
	};
	struct scan_constants c;
	struct nf_error err;
	char text[256], where[128];

	(void)state;
	snprintf(where, sizeof(where), "%s:2", path);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "# comment\n%s", bad[i]);
		put(text);
		assert_true(scan_constants_load(path, &c, &err) < 0);
		assert_string_equal(err.where, where);
	}
	for (unsigned i = 0; i < 9; i++)
		strcpy(text + i * 14, "aaa 1 2 3 4 5\n");
	put(text);
	assert_true(scan_constants_load(path, &c, &err) < 0);
	assert_true(scan_constants_load("/nonexistent/engines", &c, &err) < 0);
	assert_int_equal(err.code, NF_NOT_FOUND);
	assert_true(scan_constants_store("/nonexistent/engines", &c, &err) < 0);
}

static void the_estimate_follows_the_work(void **state)
{
	const struct scan_constants c = {
		2, {{"jit", 5e6, 1000, 1, 0, 0}, {"interp", 1000, 0, 10, 1, 0}}};
	AUTO_VM vp = program_sums(&(struct dataset_spec){
		.name = (char *)"d", .format = FORMAT_FIXED, .record_bytes = 8});
	struct scan_work small = {.program = vp, .bytes = 1000, .record_bytes = 8, .threads = 1};
	struct scan_work large = small, cached = small, two = small;

	(void)state;
	large.bytes = 1 << 30;
	two.threads = 2;
	cached.compiled = true;
	assert_true(scan_estimate_ns(&c, "interp", &small) < scan_estimate_ns(&c, "jit", &cached));
	cached.bytes = two.bytes = large.bytes;
	assert_true(scan_estimate_ns(&c, "interp", &small) < scan_estimate_ns(&c, "jit", &small));
	assert_true(scan_estimate_ns(&c, "jit", &large) < scan_estimate_ns(&c, "interp", &large));
	assert_true(scan_estimate_ns(&c, "jit", &cached) < scan_estimate_ns(&c, "jit", &large));
	assert_true(scan_estimate_ns(&c, "interp", &two) < scan_estimate_ns(&c, "interp", &large));
	assert_true(scan_estimate_ns(&c, "abacus", &small) == 0);
}

static void they_can_be_measured(void **state)
{
	struct scan_constants c;
	struct nf_error err;
	const struct engine_constants *last;

	(void)state;
	if (scan_constants_measure("/nonexistent/nearfold-jit.so", &c, &err))
		fail_msg("%s: %s", err.where, err.text);
	assert_true(c.n >= 1);
	last = &c.rows[c.n - 1];
	assert_string_equal(last->engine, "interp");
	assert_true(last->insn_ns > 0 && last->insn_ns < 1000);
	assert_true(last->start_ns > 0 && last->start_ns < 1e9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_stored_is_loaded, make_file, remove_file),
		cmocka_unit_test_setup_teardown(a_bad_file_is_refused_with_its_line, make_file,
						remove_file),
		cmocka_unit_test(the_estimate_follows_the_work),
		cmocka_unit_test(they_can_be_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
