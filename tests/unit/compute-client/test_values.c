/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/scope.h"
#include "compute-client/cmd/cmd_values.h"

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{"0", 0},
		{"4096", 4096},
		{"4K", 4096},
		{"1M", 1 << 20},
		{"3G", 3ull << 30},
		{"2T", 2ull << 40},
		{"9223372036854775807", INT64_MAX},
	};
	static const char *const bad[] = {"",
					  "K",
					  "4KB",
					  "4k",
					  "-1",
					  "1.5M",
					  " 1",
					  "1 ",
					  "0x10",
					  "9223372036854775808",
					  "18446744073709551616",
					  "18446744073709551615K"};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(value_size(good[i].text, &v));
		assert_int_equal(v, good[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(value_size(bad[i], &v));
}

static void test_times(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
		{"1ms", 1000000},     {"30s", 30000000000},  {"7", 7000000000},
		{"5m", 300000000000}, {"2h", 7200000000000},
	};
	static const char *const bad[] = {"",
					  "0s",
					  "0",
					  "s",
					  "1.5s",
					  "10x",
					  "1 s",
					  "-1s",
					  "1sec",
					  "99999999999999999999h",
					  "18446744073709551615s"};
	uint64_t v;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(value_time(good[i].text, &v));
		assert_int_equal(v, good[i].ns);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(value_time(bad[i], &v));
}

static void test_ranges(void **state)
{
	static const struct {
		const char *text;
		uint64_t start, end;
	} good[] = {
		{":", 0, UINT64_MAX},      {"0:1", 0, 1}, {"4K:1M", 4096, 1 << 20}, {":24", 0, 24},
		{"128:", 128, UINT64_MAX},
	};
	static const char *const bad[] = {"",
					  "5",
					  "5:5",
					  "6:5",
					  "a:b",
					  "1:2:3",
					  "-1:5",
					  ":0",
					  "0:0",
					  "1:x",
					  "123456789012345678901234567890123:"};
	uint64_t start, end;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(value_range(good[i].text, &start, &end));
		assert_int_equal(start, good[i].start);
		assert_int_equal(end, good[i].end);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(value_range(bad[i], &start, &end));
}

static void test_counts(void **state)
{
	uint64_t v = 77;

	(void)state;
	assert_true(value_count("12", 12, &v));
	assert_int_equal(v, 12);
	assert_false(value_count("13", 12, &v));
	assert_false(value_count("", 12, &v));
	assert_false(value_count("1x", 12, &v));
	assert_int_equal(v, 12);
}

static void test_choices(void **state)
{
	unsigned i = 9;

	(void)state;
	assert_true(value_choice("table", "table|json|csv", &i));
	assert_int_equal(i, 0);
	assert_true(value_choice("csv", "table|json|csv", &i));
	assert_int_equal(i, 2);
	assert_false(value_choice("cs", "table|json|csv", &i));
	assert_false(value_choice("", "table|json|csv", &i));
	assert_false(value_choice("table|json", "table|json|csv", &i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),   cmocka_unit_test(test_times),
		cmocka_unit_test(test_ranges),  cmocka_unit_test(test_counts),
		cmocka_unit_test(test_choices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
