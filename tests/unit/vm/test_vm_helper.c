/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_vm_helper.c - the helper table: its numbers, and each function at its edges. Expected bits
 * of doubles were computed with Python's floats and fractions (exact, correctly rounded).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "vm/vm_helper.h"

#define QNAN 0x7ff8000000000000ull
#define INF  0x7ff0000000000000ull
#define NEG  0x8000000000000000ull

static uint64_t call(const char *name, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	for (size_t i = 0; i < vm_n_helpers; i++) {
		if (!strcmp(vm_helpers[i].name, name))
			return vm_helpers[i].fn(a, b, c, d, 0);
	}
	fail_msg("no helper %s", name);
	return 0;
}

static uint64_t address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* Programs hold these numbers: they never change. */
static void test_numbers(void **state)
{
	static const char *const names[] = {
		"fold_fail",         "fold_f64_add",    "fold_f64_sub", "fold_f64_mul",
		"fold_f64_div",      "fold_f64_lt",     "fold_f64_le",  "fold_f64_eq",
		"fold_f64_from_i64", "fold_f64_to_i64", "fold_add128",  "fold_add128_128",
		"fold_mul_s64",      "fold_mul128",     "fold_find",    "fold_parse_s64",
		"fold_parse_f64",    "fold_add_s64",
	};

	(void)state;
	assert_int_equal(vm_n_helpers, ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int32_t number = 0x10000 + (int32_t)i;

		assert_string_equal(vm_helper_name(number), names[i]);
		assert_ptr_equal(vm_helper_by_number(number), &vm_helpers[i]);
		assert_non_null(strstr(vm_helpers[i].prototype, names[i]));
	}
	assert_null(vm_helper_by_number(0x10000 + (int32_t)vm_n_helpers));
	assert_null(vm_helper_by_number(0xffff));
	assert_null(vm_helper_by_number(-1));
	assert_null(vm_helper_name(1));
}

/* Only fold_fail lacks a function; a memory argument is followed by its size. */
static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < vm_n_helpers; i++) {
		const struct vm_helper *h = &vm_helpers[i];

		assert_int_equal(!h->fn, i == 0);
		for (unsigned a = 0; a < 5; a++) {
			if (h->arg[a] == VM_ARG_MEM_READ)
				assert_true(a < 4 && h->arg[a + 1] == VM_ARG_SIZE);
			if (h->arg[a] == VM_ARG_SIZE)
				assert_true(a > 0 && h->arg[a - 1] == VM_ARG_MEM_READ);
			if (h->arg[a] == VM_ARG_WRITE_FIXED || h->arg[a] == VM_ARG_READ_FIXED)
				assert_true(h->fixed_bytes > 0);
		}
	}
}

static void test_f64_arithmetic(void **state)
{
	static const struct {
		const char *op;
		uint64_t a, b, want;
	} rows[] = {
		/* 0.1 + 0.2 */
		{"fold_f64_add", 0x3fb999999999999a, 0x3fc999999999999a, 0x3fd3333333333334},
		/* 2^53 + 1: ties to even */
		{"fold_f64_add", 0x4340000000000000, 0x3ff0000000000000, 0x4340000000000000},
		{"fold_f64_add", INF, INF | NEG, QNAN},
		{"fold_f64_add", 0x7fefffffffffffff, 0x7fefffffffffffff, INF},
		{"fold_f64_add", NEG, NEG, NEG},
		{"fold_f64_add", NEG, 0, 0},
		{"fold_f64_add", 0xfff8000000000123, 0x3ff0000000000000, QNAN},
		{"fold_f64_add", 0x7ff0000000000001, 0x3ff0000000000000, QNAN}, /* signalling */
		{"fold_f64_add", 1, 1, 2},                                      /* subnormals */
		{"fold_f64_sub", 0x3ff0000000000000, 0x3ff0000000000000, 0},
		{"fold_f64_sub", INF, INF, QNAN},
		{"fold_f64_sub", 0x3fd3333333333333, 0x3fb999999999999a, 0x3fc9999999999999},
		{"fold_f64_mul", 0x3fb999999999999a, 0x3fb999999999999a, 0x3f847ae147ae147c},
		{"fold_f64_mul", 0, INF, QNAN},
		{"fold_f64_mul", 1, 0x3fe0000000000000, 0}, /* underflow, ties to even */
		{"fold_f64_mul", 3, 0x3fe0000000000000, 2},
		{"fold_f64_mul", 0xbff0000000000000, 0, NEG},
		{"fold_f64_div", 0x3ff0000000000000, 0x4008000000000000, 0x3fd5555555555555},
		{"fold_f64_div", 0x3ff0000000000000, 0, INF},
		{"fold_f64_div", 0xbff0000000000000, 0, INF | NEG},
		{"fold_f64_div", 0x3ff0000000000000, NEG, INF | NEG},
		{"fold_f64_div", 0, 0, QNAN},
		{"fold_f64_div", INF, INF, QNAN},
		{"fold_f64_lt", 0, NEG, 0},
		{"fold_f64_lt", NEG | 1, 0, 1},
		{"fold_f64_lt", QNAN, 0, 0},
		{"fold_f64_lt", 0, QNAN, 0},
		{"fold_f64_lt", INF | NEG, INF, 1},
		{"fold_f64_le", 0, NEG, 1},
		{"fold_f64_le", QNAN, QNAN, 0},
		{"fold_f64_le", 0x4000000000000000, 0x3ff0000000000000, 0},
		{"fold_f64_eq", 0, NEG, 1},
		{"fold_f64_eq", QNAN, QNAN, 0},
		{"fold_f64_eq", INF, INF, 1},
		{"fold_f64_from_i64", 0, 0, 0},
		{"fold_f64_from_i64", (uint64_t)-1, 0, 0xbff0000000000000},
		{"fold_f64_from_i64", (1ull << 53) + 1, 0, 0x4340000000000000},
		{"fold_f64_from_i64", (1ull << 53) + 3, 0, 0x4340000000000002},
		{"fold_f64_from_i64", INT64_MAX, 0, 0x43e0000000000000},
		{"fold_f64_from_i64", NEG, 0, 0xc3e0000000000000},
		{"fold_f64_to_i64", 0x4005c28f5c28f5c3, 0, 2}, /* 2.72 */
		{"fold_f64_to_i64", 0xc005c28f5c28f5c3, 0, (uint64_t)-2},
		{"fold_f64_to_i64", 0x43e0000000000000, 0, INT64_MAX},
		{"fold_f64_to_i64", 0xc3e0000000000000, 0, NEG},
		{"fold_f64_to_i64", 0xc3e0000000000001, 0, NEG},
		{"fold_f64_to_i64", 0x43dfffffffffffff, 0, 0x7ffffffffffffc00},
		{"fold_f64_to_i64", INF, 0, INT64_MAX},
		{"fold_f64_to_i64", INF | NEG, 0, NEG},
		{"fold_f64_to_i64", QNAN, 0, 0},
		{"fold_f64_to_i64", 0xfff8000000000000, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t got = call(rows[i].op, rows[i].a, rows[i].b, 0, 0);

		if (got != rows[i].want)
			fail_msg("row %zu: %s(%#llx, %#llx) = %#llx, not %#llx", i, rows[i].op,
				 (unsigned long long)rows[i].a, (unsigned long long)rows[i].b,
				 (unsigned long long)got, (unsigned long long)rows[i].want);
	}
}

struct words {
	uint64_t lo, hi;
};

static void check_add128(struct words acc, int64_t v, uint64_t want, struct words sum)
{
	struct words wide = {(uint64_t)v, v < 0 ? UINT64_MAX : 0};
	struct words one = acc, two = acc;

	assert_true(call("fold_add128", address(&one), (uint64_t)v, 0, 0) == want);
	assert_true(call("fold_add128_128", address(&two), address(&wide), 0, 0) == want);
	assert_memory_equal(&one, &sum, sizeof(sum));
	assert_memory_equal(&two, &sum, sizeof(sum));
}

static void test_add128(void **state)
{
	struct words most = {UINT64_MAX, INT64_MAX}, least = {0, NEG};
	struct words twice = {5, 7};

	(void)state;
	check_add128((struct words){0, 0}, -1, 0, (struct words){UINT64_MAX, UINT64_MAX});
	check_add128((struct words){UINT64_MAX, 0}, 1, 0, (struct words){0, 1});
	check_add128((struct words){0, 0}, INT64_MIN, 0, (struct words){NEG, UINT64_MAX});
	check_add128(most, 1, 1, most);
	check_add128(most, -1, 0, (struct words){UINT64_MAX - 1, INT64_MAX});
	check_add128(least, -1, 1, least);
	check_add128(least, 0, 0, least);
	assert_true(call("fold_add128_128", address(&most), address(&most), 0, 0) == 1);
	assert_true(call("fold_add128_128", address(&least), address(&least), 0, 0) == 1);
	assert_true(call("fold_add128_128", address(&twice), address(&twice), 0, 0) == 0);
	assert_true(twice.lo == 10 && twice.hi == 14);
}

static void test_add128_unaligned(void **state)
{
	uint8_t bytes[17] = {0, 0xff};

	(void)state;
	assert_true(call("fold_add128", address(bytes + 1), 1, 0, 0) == 0);
	assert_int_equal(bytes[1], 0);
	assert_int_equal(bytes[2], 1);
}

static void check_checked(const char *name, int64_t a, int64_t b, uint64_t want, int64_t out)
{
	int64_t got = 77;

	assert_true(call(name, (uint64_t)a, (uint64_t)b, address(&got), 0) == want);
	assert_true(got == out);
}

static void test_checked(void **state)
{
	(void)state;
	check_checked("fold_mul_s64", 6, -7, 0, -42);
	check_checked("fold_mul_s64", INT64_MIN, -1, 1, INT64_MIN);
	check_checked("fold_mul_s64", INT64_MIN, 1, 0, INT64_MIN);
	check_checked("fold_mul_s64", 1ll << 32, 1ll << 31, 1, INT64_MIN);
	check_checked("fold_mul_s64", 1ll << 32, -(1ll << 31), 0, INT64_MIN);
	check_checked("fold_mul_s64", INT64_MAX, 2, 1, -2);
	check_checked("fold_add_s64", INT64_MAX, 1, 1, INT64_MIN);
	check_checked("fold_add_s64", INT64_MIN, -1, 1, INT64_MAX);
	check_checked("fold_add_s64", INT64_MIN, INT64_MAX, 0, -1);
	check_checked("fold_add_s64", -5, 3, 0, -2);
}

static void test_mul128(void **state)
{
	static const struct {
		int64_t a, b;
		struct words want;
	} rows[] = {
		{3, 5, {15, 0}},
		{-3, 5, {(uint64_t)-15, UINT64_MAX}},
		{INT64_MIN, INT64_MIN, {0, 0x4000000000000000}},
		{INT64_MAX, INT64_MIN, {NEG, 0xc000000000000000}},
		{INT64_MAX, INT64_MAX, {1, 0x3fffffffffffffff}},
		{0, INT64_MIN, {0, 0}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct words got = {1, 2};

		assert_true(call("fold_mul128", (uint64_t)rows[i].a, (uint64_t)rows[i].b,
				 address(&got), 0) == 0);
		assert_memory_equal(&got, &rows[i].want, sizeof(got));
	}
}

static int64_t find(const char *hay, const char *needle)
{
	/* copies without a NUL, so that ASan sees a byte too far */
	size_t n = strlen(hay), m = strlen(needle);
	AUTO_FREE char *h = malloc(n ? n : 1), *k = malloc(m ? m : 1);

	memcpy(h, hay, n);
	memcpy(k, needle, m);
	return (int64_t)call("fold_find", address(h), n, address(k), m);
}

static void test_find(void **state)
{
	(void)state;
	assert_int_equal(find("hello, world", "world"), 7);
	assert_int_equal(find("hello", "hello"), 0);
	assert_int_equal(find("hello", "hellos"), -1);
	assert_int_equal(find("aaab", "ab"), 2);
	assert_int_equal(find("abcabd", "abd"), 3);
	assert_int_equal(find("abc", ""), 0);
	assert_int_equal(find("", ""), 0);
	assert_int_equal(find("", "a"), -1);
	assert_int_equal(find("abc", "c"), 2);
	assert_int_equal(find("abc", "d"), -1);
}

static void check_s64(const char *text, int64_t used, int64_t value)
{
	size_t n = strlen(text);
	AUTO_FREE char *s = malloc(n ? n : 1);
	int64_t got = 77, r;

	memcpy(s, text, n);
	r = (int64_t)call("fold_parse_s64", address(s), n, address(&got), 0);
	if (r != used || got != value)
		fail_msg("\"%s\": %lld bytes, %lld", text, (long long)r, (long long)got);
}

static void test_parse_s64(void **state)
{
	(void)state;
	check_s64("0", 1, 0);
	check_s64("42,17", 2, 42);
	check_s64("-42", 3, -42);
	check_s64("+7x", 2, 7);
	check_s64("007", 3, 7);
	check_s64("9223372036854775807", 19, INT64_MAX);
	check_s64("-9223372036854775808", 20, INT64_MIN);
	check_s64("9223372036854775808", -1, 0);
	check_s64("-9223372036854775809", -1, 0);
	check_s64("99999999999999999999999", -1, 0);
	check_s64("00000000000000000000000000000012", 32, 12);
	check_s64("", -1, 0);
	check_s64("-", -1, 0);
	check_s64("+", -1, 0);
	check_s64("--1", -1, 0);
	check_s64(" 1", -1, 0);
	check_s64("x", -1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),          cmocka_unit_test(test_rows),
		cmocka_unit_test(test_f64_arithmetic),   cmocka_unit_test(test_add128),
		cmocka_unit_test(test_add128_unaligned), cmocka_unit_test(test_checked),
		cmocka_unit_test(test_mul128),           cmocka_unit_test(test_find),
		cmocka_unit_test(test_parse_s64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
