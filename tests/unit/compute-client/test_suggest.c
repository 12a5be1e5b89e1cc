/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "compute-client/suggest.h"

static void test_distance_counts_edits(void **state)
{
	(void)state;
	assert_int_equal(suggest_distance("", ""), 0);
	assert_int_equal(suggest_distance("run", "run"), 0);
	assert_int_equal(suggest_distance("rnu", "run"), 1); /* swapped */
	assert_int_equal(suggest_distance("ru", "run"), 1);
	assert_int_equal(suggest_distance("runn", "run"), 1);
	assert_int_equal(suggest_distance("rum", "run"), 1);
	assert_int_equal(suggest_distance("kitten", "sitting"), 3);
	assert_int_equal(suggest_distance("abc", ""), 3);
}

static const char *nearest(const char *typed)
{
	static const char *const names[] = {"run",      "check",  "explain",
					    "datasets", "status", "read"};
	struct suggest s = {.typed = typed};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		suggest_offer(&s, names[i]);
	return s.best;
}

static void test_the_nearest_name_wins(void **state)
{
	(void)state;
	assert_string_equal(nearest("rnu"), "run");
	assert_string_equal(nearest("chekc"), "check");
	assert_string_equal(nearest("dataset"), "datasets");
	assert_string_equal(nearest("stats"), "status");
	assert_string_equal(nearest("expl"), "explain");
	assert_null(nearest("x"));
	assert_null(nearest("frobnicate"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distance_counts_edits),
		cmocka_unit_test(test_the_nearest_name_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
