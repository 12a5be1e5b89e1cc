/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage-node/node_limits.h"

static void defaults_are_inside_their_bounds(void **state)
{
	struct node_limits l;

	(void)state;
	node_limits_default(&l);
	for (size_t i = 0; i < n_limit_rows; i++) {
		uint64_t v = node_limit_value(&l, &limit_rows[i]);

		assert_in_range(v, limit_rows[i].least, limit_rows[i].most);
	}
	/* One row per member: none is forgotten. */
	assert_int_equal(n_limit_rows * sizeof(uint64_t), sizeof(struct node_limits));
}

static void sets_by_name_with_units(void **state)
{
	struct node_limits l;
	struct nf_error err;

	(void)state;
	node_limits_default(&l);
	assert_int_equal(node_limits_set(&l, "queries_running", "3", &err), 0);
	assert_int_equal(l.queries_running, 3);
	assert_int_equal(node_limits_set(&l, "memory_bytes_per_query", "2G", &err), 0);
	assert_int_equal(l.memory_bytes_per_query, 2ull << 30);
	assert_int_equal(node_limits_set(&l, "result_bytes", "64K", &err), 0);
	assert_int_equal(l.result_bytes, 64 << 10);
}

static void refuses_what_is_no_number_in_bounds(void **state)
{
	static const char *const bad[] = {"",
					  "-1",
					  "0",
					  "1.5",
					  "x",
					  "12x",
					  "1GG",
					  " 1",
					  "99999999999999999999",
					  "17179869184G"};
	struct node_limits l;
	struct nf_error err;

	(void)state;
	node_limits_default(&l);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(node_limits_set(&l, "queries_running", bad[i], &err) < 0);
		assert_int_equal(err.code, NF_INVALID_ARGUMENT);
		assert_string_equal(err.where, "queries_running");
		assert_int_equal(l.queries_running, 8);
	}
}

static void unknown_name_lists_the_known_ones(void **state)
{
	struct node_limits l;
	struct nf_error err;

	(void)state;
	node_limits_default(&l);
	assert_true(node_limits_set(&l, "queries", "1", &err) < 0);
	assert_non_null(strstr(err.text, "queries_running"));
	assert_non_null(strstr(err.text, "drain_seconds"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_inside_their_bounds),
		cmocka_unit_test(sets_by_name_with_units),
		cmocka_unit_test(refuses_what_is_no_number_in_bounds),
		cmocka_unit_test(unknown_name_lists_the_known_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
