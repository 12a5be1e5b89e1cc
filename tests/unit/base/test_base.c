/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/checked.h"
#include "base/error.h"

static void error_carries_code_place_and_text(void **state)
{
	struct nf_error err;
	char buf[1100];

	(void)state;
	assert_int_equal(nf_error_set(&err, NF_NOT_FOUND, "trades", "no data set %d", 7), -ENOENT);
	assert_int_equal(err.code, NF_NOT_FOUND);
	assert_string_equal(nf_error_message(&err, buf, sizeof(buf)), "trades: no data set 7");
	nf_error_set(&err, NF_INTERNAL, NULL, "plain");
	assert_string_equal(nf_error_message(&err, buf, sizeof(buf)), "plain");
}

static void error_may_quote_itself(void **state)
{
	struct nf_error err;

	(void)state;
	nf_error_set(&err, NF_INTERNAL, "place", "inner");
	nf_error_set(&err, NF_DATA_LOSS, err.where, "outer: %s", err.text);
	assert_string_equal(err.where, "place");
	assert_string_equal(err.text, "outer: inner");
}

static void error_text_is_cut_between_characters(void **state)
{
	struct nf_error err;
	char text[sizeof(err.text) + 8];

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + sizeof(err.text) - 2, "\xe2\x82\xac", 4); /* a euro sign across the end */
	nf_error_set(&err, NF_INTERNAL, NULL, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 2);
	memcpy(text + sizeof(err.text) - 4, "\xe2\x82\xac", 4); /* and one that just fits */
	nf_error_set(&err, NF_INTERNAL, NULL, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void error_of_a_system_call_names_it(void **state)
{
	struct nf_error err;

	(void)state;
	assert_int_equal(nf_error_sys(&err, NF_DATA_LOSS, EIO, "f", "read"), -EIO);
	assert_non_null(strstr(err.text, "read: Input/output error"));
}

static void every_code_has_a_name_and_an_errno(void **state)
{
	(void)state;
	for (int c = 1; c <= 16; c++) {
		assert_true(nf_code_errno((enum nf_code)c) > 0);
		assert_string_not_equal(nf_code_name((enum nf_code)c), "UNKNOWN_CODE");
	}
	assert_string_equal(nf_code_name((enum nf_code)17), "UNKNOWN_CODE");
}

static void checked_arithmetic_refuses_overflow(void **state)
{
	uint64_t r = 5;

	(void)state;
	assert_false(checked_add_u64(UINT64_MAX, 1, &r));
	assert_false(checked_mul_u64(UINT64_MAX / 2, 3, &r));
	assert_int_equal(r, 5);
	assert_true(checked_add_u64(UINT64_MAX - 1, 1, &r) && r == UINT64_MAX);
	assert_true(checked_range(8, 0, 8));
	assert_false(checked_range(9, 0, 8));
	assert_false(checked_range(1, UINT64_MAX, 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_carries_code_place_and_text),
		cmocka_unit_test(error_may_quote_itself),
		cmocka_unit_test(error_text_is_cut_between_characters),
		cmocka_unit_test(error_of_a_system_call_names_it),
		cmocka_unit_test(every_code_has_a_name_and_an_errno),
		cmocka_unit_test(checked_arithmetic_refuses_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
