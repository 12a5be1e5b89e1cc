/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "compute-client/key_order.h"

/* -1, 0, 1 for one member of that type over the whole key. */
static int order(enum layout_type type, uint8_t bits, const void *a, const void *b, uint32_t size)
{
	struct layout_member m = {.type = type, .size_bytes = size, .bit_size = bits};
	struct layout l = {.members = &m, .n_members = 1};
	int o = key_order(&l, size, a, b);

	return (o > 0) - (o < 0);
}

static void test_integers_are_ordered_as_numbers(void **state)
{
	uint32_t small = 1, large = 256; /* little-endian: the bytes say the opposite */
	int32_t minus = -1, one = 1;
	__int128 wide_minus = -5, wide = (__int128)1 << 100;

	(void)state;
	assert_int_equal(order(LAYOUT_UNSIGNED, 0, &small, &large, 4), -1);
	assert_int_equal(order(LAYOUT_SIGNED, 0, &minus, &one, 4), -1);
	assert_int_equal(order(LAYOUT_UNSIGNED, 0, &minus, &one, 4), 1);
	assert_int_equal(order(LAYOUT_SIGNED, 0, &wide_minus, &wide, 16), -1);
	assert_int_equal(order(LAYOUT_UNSIGNED, 0, &wide_minus, &wide, 16), 1);
	assert_int_equal(order(LAYOUT_SIGNED, 0, &one, &one, 4), 0);
}

static void test_bit_fields_keep_their_sign(void **state)
{
	uint8_t a = 0x7, b = 0x3; /* in 3 bits: -1 and 3 */

	(void)state;
	assert_int_equal(order(LAYOUT_SIGNED, 3, &a, &b, 1), -1);
	assert_int_equal(order(LAYOUT_UNSIGNED, 3, &a, &b, 1), 1);
}

static void test_floats_and_nan(void **state)
{
	double low = -1e9, high = 2.5, none = NAN;

	(void)state;
	assert_int_equal(order(LAYOUT_FLOAT, 0, &low, &high, 8), -1);
	assert_int_equal(order(LAYOUT_FLOAT, 0, &none, &high, 8), 1);
	assert_int_equal(order(LAYOUT_FLOAT, 0, &high, &none, 8), -1);
	assert_int_equal(order(LAYOUT_FLOAT, 0, &none, &none, 8), 0);
}

static void test_text_ends_at_its_nul(void **state)
{
	(void)state;
	assert_int_equal(order(LAYOUT_TEXT, 0, "ab\0\0", "abc\0", 4), -1);
	assert_int_equal(order(LAYOUT_TEXT, 0, "abcd", "abce", 4), -1);
}

static void test_members_in_turn_then_bytes(void **state)
{
	struct layout_member m[2] = {
		{.type = LAYOUT_UNSIGNED, .size_bytes = 2},
		{.type = LAYOUT_UNSIGNED, .size_bytes = 2, .offset_bytes = 2},
	};
	struct layout l = {.members = m, .n_members = 2};
	const uint8_t a[6] = {1, 0, 9, 0, 0, 0}, b[6] = {1, 0, 0, 1, 0, 0},
		      c[6] = {1, 0, 9, 0, 0, 1};

	(void)state;
	assert_true(key_order(&l, 6, a, b) < 0);
	assert_true(key_order(&l, 6, a, c) < 0); /* differ in bytes that belong to no member */
	assert_int_equal(key_order(&l, 6, a, a), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_are_ordered_as_numbers),
		cmocka_unit_test(test_bit_fields_keep_their_sign),
		cmocka_unit_test(test_floats_and_nan),
		cmocka_unit_test(test_text_ends_at_its_nul),
		cmocka_unit_test(test_members_in_turn_then_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
