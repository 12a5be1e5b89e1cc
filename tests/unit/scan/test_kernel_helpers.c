/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The helpers' kernel forms, compiled natively, give what vm_helpers[] gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "bpf/f64.bpf.c"
#include "bpf/helpers.bpf.c"
#include "tests/support/vm_gen.h"
#include "vm/vm_helper.h"

enum { RANDOM_ROUNDS = 1500000 };

static const struct form {
	const char *name;
	unsigned n_args;
	union {
		u64 (*one)(u64);
		u64 (*two)(u64, u64);
	} fn;
} forms[] = {
	{"fold_f64_add", 2, {.two = fold_f64_add}},
	{"fold_f64_sub", 2, {.two = fold_f64_sub}},
	{"fold_f64_mul", 2, {.two = fold_f64_mul}},
	{"fold_f64_div", 2, {.two = fold_f64_div}},
	{"fold_f64_lt", 2, {.two = fold_f64_lt}},
	{"fold_f64_le", 2, {.two = fold_f64_le}},
	{"fold_f64_eq", 2, {.two = fold_f64_eq}},
	{"fold_f64_from_i64", 1, {.one = fold_f64_from_i64}},
	{"fold_f64_to_i64", 1, {.one = fold_f64_to_i64}},
};

static uint64_t seed = 20260731;

static vm_helper_fn reference(const char *name)
{
	for (size_t i = 0; i < vm_n_helpers; i++)
		if (!strcmp(vm_helpers[i].name, name))
			return vm_helpers[i].fn;
	fail_msg("no helper %s", name);
	return NULL;
}

static void compare(const struct form *f, vm_helper_fn want, u64 a, u64 b)
{
	u64 got = f->n_args == 1 ? f->fn.one(a) : f->fn.two(a, b), right = want(a, b, 0, 0, 0);

	if (got != right)
		fail_msg("%s(%#lx, %#lx) gives %#lx, should be %#lx", f->name, a, b, got, right);
}

/* Exponents and fractions at which something changes, both signs. */
static size_t edges(u64 *ret)
{
	static const u64 exponents[] = {0,    1,    2,    52,   53,   54,   1022, 1023, 1024,
					1074, 1075, 1076, 1085, 1086, 2045, 2046, 2047};
	static const u64 fractions[] = {0,
					1,
					2,
					3,
					(1ull << 51) - 1,
					1ull << 51,
					(1ull << 51) + 1,
					(1ull << 52) - 2,
					(1ull << 52) - 1,
					0x5555555555555,
					0xaaaaaaaaaaaaa};
	size_t n = 0;

	for (size_t e = 0; e < ARRAY_SIZE(exponents); e++)
		for (size_t f = 0; f < ARRAY_SIZE(fractions); f++)
			for (u64 sign = 0; sign < 2; sign++)
				ret[n++] = sign << 63 | exponents[e] << 52 | fractions[f];
	return n;
}

static void doubles_at_the_edges(void **state)
{
	static u64 values[17 * 11 * 2];
	size_t n = edges(values);

	(void)state;
	assert_int_equal(n, ARRAY_SIZE(values));
	for (size_t f = 0; f < ARRAY_SIZE(forms); f++) {
		vm_helper_fn want = reference(forms[f].name);

		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < n; k++)
				compare(&forms[f], want, values[i], values[k]);
	}
}

/* Anything; numbers close to each other; few bits; integers as doubles. */
static u64 random_double(u64 like)
{
	u64 r = vm_gen_random(&seed);

	switch (r >> 60 & 7) {
	case 0: /* the exponent of the other, or near */
		return (r & ~(2047ull << 52)) |
		       ((like + ((r & 127) - 64) * (1ull << 52)) & 2047ull << 52);
	case 1: /* differs in the last bits */
		return (like ^ (r & 15)) ^ (r << 10 & SIGN);
	case 2: /* few bits: ties */
		return r & ~((1ull << (r & 63)) - 1);
	case 3: /* subnormal or small */
		return r & ~(2032ull << 52);
	case 4: /* around 1 */
		return (r & ~(2047ull << 52)) | (1008 + (r >> 52 & 31)) << 52;
	default:
		return r;
	}
}

static void doubles_at_random(void **state)
{
	(void)state;
	for (size_t f = 0; f < ARRAY_SIZE(forms); f++) {
		vm_helper_fn want = reference(forms[f].name);

		for (unsigned i = 0; i < RANDOM_ROUNDS; i++) {
			u64 a = random_double(vm_gen_random(&seed)), b = random_double(a);

			compare(&forms[f], want, a, b);
			compare(&forms[f], want, b >> (a & 63), a); /* small integers, too */
		}
	}
}

static u64 random_integer(void)
{
	static const u64 special[] = {0,        1,        (u64)-1,    SIGN,
				      SIGN - 1, SIGN + 1, 1ull << 32, 1ull << 31};
	u64 r = vm_gen_random(&seed), k = vm_gen_random(&seed);

	return k & 1 ? special[k >> 1 & 7] : k & 2 ? (u64)((s64)r >> (k >> 2 & 63)) : r;
}

static u64 address(void *p)
{
	return (uintptr_t)p;
}

static void integers_and_sums(void **state)
{
	vm_helper_fn mul = reference("fold_mul_s64"), wide = reference("fold_mul128"),
		     plus = reference("fold_add_s64"), add = reference("fold_add128"),
		     add2 = reference("fold_add128_128");

	(void)state;
	for (unsigned i = 0; i < RANDOM_ROUNDS; i++) {
		u64 a = random_integer(), b = random_integer(), x[2] = {1, 2}, y[2] = {1, 2};
		u64 v[2] = {random_integer(), random_integer()};

		assert_int_equal(fold_mul_s64(a, b, address(x)), mul(a, b, address(y), 0, 0));
		assert_memory_equal(x, y, 16);
		assert_int_equal(fold_mul128(a, b, address(x)), wide(a, b, address(y), 0, 0));
		assert_memory_equal(x, y, 16);
		assert_int_equal(fold_add_s64(a, b, address(x)), plus(a, b, address(y), 0, 0));
		assert_memory_equal(x, y, 16);
		x[1] = y[1] = random_integer();
		assert_int_equal(fold_add128(address(x), a), add(address(y), a, 0, 0, 0));
		assert_memory_equal(x, y, 16);
		assert_int_equal(fold_add128_128(address(x), address(v)),
				 add2(address(y), address(v), 0, 0, 0));
		assert_memory_equal(x, y, 16);
		assert_int_equal(fold_add128_128(address(x), address(x)),
				 add2(address(y), address(y), 0, 0, 0));
		assert_memory_equal(x, y, 16);
	}
}

/* Exactly n bytes on the heap, so that a sanitizer sees what is read beyond. */
static uint8_t *letters(size_t n, unsigned kinds)
{
	uint8_t *p = malloc(n ? n : 1);

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)("ab\0\xff"[vm_gen_random(&seed) % kinds]);
	return p;
}

static void bytes_are_found(void **state)
{
	vm_helper_fn want = reference("fold_find");

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		size_t n = vm_gen_random(&seed) % 70, m = vm_gen_random(&seed) % 6;
		AUTO_FREE uint8_t *hay = letters(n, 2 + i % 3);
		AUTO_FREE uint8_t *needle = letters(m, 2 + i % 3);
		u64 a = address(hay), b = address(needle);

		assert_int_equal(fold_find(a, n, b, m), want(a, n, b, m, 0));
	}
}

/* A needle that nearly fits everywhere: the search by a hash takes over. */
static void bytes_are_found_in_what_repeats(void **state)
{
	vm_helper_fn want = reference("fold_find");
	unsigned found = 0;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		size_t n = 200 + vm_gen_random(&seed) % 200, m = 8 + vm_gen_random(&seed) % 60;
		size_t period = 1 + i % 4, at = vm_gen_random(&seed) % (n - m);
		AUTO_FREE uint8_t *hay = letters(n, 4), *needle = letters(m, 4);
		u64 a = address(hay), b = address(needle);

		for (size_t k = period; k < n; k++)
			hay[k] = hay[k - period];
		memcpy(needle, hay, m);
		needle[m - 1 - i % 7] ^= 1;
		if (i % 3)
			memcpy(hay + at, needle, m);
		found += want(a, n, b, m, 0) != (u64)-1;
		assert_int_equal(fold_find(a, n, b, m), want(a, n, b, m, 0));
	}
	assert_true(found > 10000 && found < 19000);
}

static void numbers_are_parsed(void **state)
{
	static const char *const edge[] = {
		"",
		"+",
		"-",
		"0",
		"-0",
		"+7x",
		"9223372036854775807",
		"9223372036854775808",
		"-9223372036854775808",
		"-9223372036854775809",
		"18446744073709551616",
		"99999999999999999999",
		"000000000000000000000000000012",
		"12/3",
		"12:",
		" 1",
		"--1",
	};
	vm_helper_fn want = reference("fold_parse_s64");

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		size_t n = i < ARRAY_SIZE(edge) ? strlen(edge[i]) : vm_gen_random(&seed) % 24;
		AUTO_FREE char *text = malloc(n ? n : 1);
		u64 x = 5, y = 6;

		if (i < ARRAY_SIZE(edge))
			memcpy(text, edge[i], n);
		for (size_t k = 0; i >= ARRAY_SIZE(edge) && k < n; k++)
			text[k] = "0123456789012345678901234567899999+-/: "[vm_gen_random(&seed) %
									    (k ? 36 : 39)];
		assert_int_equal(fold_parse_s64(address(text), n, address(&x)),
				 want(address(text), n, address(&y), 0, 0));
		assert_int_equal(x, y);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_at_the_edges),
		cmocka_unit_test(doubles_at_random),
		cmocka_unit_test(integers_and_sums),
		cmocka_unit_test(bytes_are_found),
		cmocka_unit_test(bytes_are_found_in_what_repeats),
		cmocka_unit_test(numbers_are_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
