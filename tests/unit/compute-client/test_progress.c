/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "compute-client/cmd/human.h"
#include "compute-client/cmd/progress.h"

static void test_half_way(void **state)
{
	const struct nearfold_progress half = {
		.bytes_done = 2000000000, .bytes_total = 4000000000, .elapsed_ns = 1000000000};
	char text[128];

	(void)state;
	progress_text(&half, 80, text, sizeof(text));
	assert_string_equal(
		text, "[####################                    ]  50%  2.00 GB/s, 1.00 s left");
}

static void test_it_fits_the_terminal(void **state)
{
	const struct nearfold_progress p = {
		.bytes_done = 900, .bytes_total = 1000, .elapsed_ns = 1};
	char text[128];

	(void)state;
	for (unsigned columns = 2; columns < 100; columns++) {
		progress_text(&p, columns, text, sizeof(text));
		assert_true(strlen(text) < columns);
	}
}

static void test_nothing_known_yet(void **state)
{
	const struct nearfold_progress none = {0};
	const struct nearfold_progress over = {
		.bytes_done = 20, .bytes_total = 10, .elapsed_ns = 1000000000};
	char text[128];

	(void)state;
	progress_text(&none, 80, text, sizeof(text));
	assert_non_null(strstr(text, "  0%  0 B/s"));
	progress_text(&over, 80, text, sizeof(text));
	assert_non_null(strstr(text, "100%"));
}

static void test_amounts(void **state)
{
	char b[32];

	(void)state;
	assert_string_equal(human_bytes(0, b), "0 B");
	assert_string_equal(human_bytes(999, b), "999 B");
	assert_string_equal(human_bytes(1000, b), "1.00 kB");
	assert_string_equal(human_bytes(12345678, b), "12.3 MB");
	assert_string_equal(human_bytes(999600, b), "1.00 MB");
	assert_string_equal(human_power_bytes(262144, b), "256 KiB");
	assert_string_equal(human_power_bytes(1 << 20, b), "1 MiB");
	assert_string_equal(human_power_bytes(4000, b), "4000 B");
	assert_string_equal(human_seconds(0.00045, b), "450 us");
	assert_string_equal(human_seconds(0.0123, b), "12.3 ms");
	assert_string_equal(human_seconds(1.5, b), "1.50 s");
	assert_string_equal(human_seconds(125, b), "2 min 5 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_half_way),
		cmocka_unit_test(test_it_fits_the_terminal),
		cmocka_unit_test(test_nothing_known_yet),
		cmocka_unit_test(test_amounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
