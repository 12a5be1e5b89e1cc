/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_vm_parse_f64.c - decimal text to doubles. Expected bits come from Python's float(), which
 * is correctly rounded by an algorithm of its own (David Gay's).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "vm/vm_parse_f64.h"

enum { MANY = 1 << 20 };

static uint64_t bits_of(double d)
{
	uint64_t b;

	memcpy(&b, &d, sizeof(b));
	return b;
}

static void check(const char *text, size_t n, int64_t used, uint64_t bits)
{
	AUTO_FREE char *s = malloc(n ? n : 1); /* no NUL: ASan sees a byte too far */
	double got = 77;
	int64_t r;

	memcpy(s, text, n);
	r = vm_parse_f64(s, n, &got);
	if (r != used || bits_of(got) != bits)
		fail_msg("\"%.60s\": %lld bytes, %016llx, not %lld, %016llx", text, (long long)r,
			 (unsigned long long)bits_of(got), (long long)used,
			 (unsigned long long)bits);
}

static const struct {
	const char *text;
	int64_t used;
	uint64_t bits;
} rows[] = {
	{"0", 1, 0x0000000000000000},
	{"-0", 2, 0x8000000000000000},
	{"1", 1, 0x3ff0000000000000},
	{"-1", 2, 0xbff0000000000000},
	{"+1.5", 4, 0x3ff8000000000000},
	{"0.1", 3, 0x3fb999999999999a},
	{"1e22", 4, 0x4480f0cf064dd592},
	{"1e23", 4, 0x44b52d02c7e14af6},
	{"123456789012345678", 18, 0x437b69b4ba630f35},
	{"9007199254740993", 16, 0x4340000000000000},
	{"9007199254740992.5", 18, 0x4340000000000000},
	{"9007199254740993.0000000000000000000000000000000000000001", 57, 0x4340000000000001},
	{"1.7976931348623157e308", 22, 0x7fefffffffffffff},
	{"1.7976931348623159e308", 22, 0x7ff0000000000000},
	{"1e309", 5, 0x7ff0000000000000},
	{"-1e309", 6, 0xfff0000000000000},
	{"4.9406564584124654e-324", 23, 0x0000000000000001},
	{"2.4703282292062327e-324", 23, 0x0000000000000000},
	{"2.4703282292062328e-324", 23, 0x0000000000000001},
	{"1e-400", 6, 0x0000000000000000},
	{"-1e-400", 7, 0x8000000000000000},
	{"2.2250738585072014e-308", 23, 0x0010000000000000},
	{"2.2250738585072011e-308", 23, 0x000fffffffffffff},
	{"3.14159265358979323846264338327950288", 37, 0x400921fb54442d18},
	{"1E5", 3, 0x40f86a0000000000},
	{"1e+5", 4, 0x40f86a0000000000},
	{"1e-5", 4, 0x3ee4f8b588e368f1},
	{"123.456e-2", 10, 0x3ff3c0c1fc8f3238},
	{"0.000001", 8, 0x3eb0c6f7a0b5ed8d},
	{"000123.5000", 11, 0x405ee00000000000},
	{"1e0000000001", 12, 0x4024000000000000},
	{"0e999999999999999999999", 23, 0x0000000000000000},
	{"1e-99999999999999999999", 23, 0x0000000000000000},
	{"1e99999999999999999999", 22, 0x7ff0000000000000},
	{"7205759403792793199999e-5", 25, 0x436fffffffffffff},
	{"1090544144181609348835077142190.0", 33, 0x462b8779f2474dfb},
	{"6929495644600919.5", 18, 0x43389e56ee5e7a58},
	{"8.5", 3, 0x4021000000000000},
	{"2.5e-7", 6, 0x3e90c6f7a0b5ed8d},
	{"9007199254740991e22", 19, 0x47d0f0cf064dd591},
	{"9007199254740992e-22", 20, 0x3eae392010175ee6},
};

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check(rows[i].text, strlen(rows[i].text), rows[i].used, rows[i].bits);
}

/* What is not part of the number is left; what is no number is refused. */
static void test_grammar(void **state)
{
	static const struct {
		const char *text;
		int64_t used;
		uint64_t bits;
	} edges[] = {
		{"", -1, 0},
		{"-", -1, 0},
		{"+", -1, 0},
		{".5", -1, 0},
		{"e5", -1, 0},
		{" 1", -1, 0},
		{"inf", -1, 0},
		{"-inf", -1, 0},
		{"nan", -1, 0},
		{"0x10", 1, 0},
		{"--1", -1, 0},
		{"1.", 1, 0x3ff0000000000000},
		{"1.e5", 1, 0x3ff0000000000000},
		{"1e", 1, 0x3ff0000000000000},
		{"1e+", 1, 0x3ff0000000000000},
		{"1ex", 1, 0x3ff0000000000000},
		{"1,5", 1, 0x3ff0000000000000},
		{"1.5.5", 3, 0x3ff8000000000000},
		{"1.5e1e1", 5, 0x402e000000000000},
		{"1.5|2", 3, 0x3ff8000000000000},
		{"1_0", 1, 0x3ff0000000000000},
		{"2e-", 1, 0x4000000000000000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
		check(edges[i].text, strlen(edges[i].text), edges[i].used, edges[i].bits);
}

/* 1 + 2^-53, half-way between two doubles, has 53 decimals; a 1 a million digits later decides. */
static void test_long_tie(void **state)
{
	static const char tie[] = "1.00000000000000011102230246251565404236316680908203125";
	AUTO_FREE char *text = malloc(MANY);

	(void)state;
	memset(text, '0', MANY);
	memcpy(text, tie, sizeof(tie) - 1);
	check(text, MANY, MANY, 0x3ff0000000000000);
	text[MANY - 1] = '1';
	check(text, MANY, MANY, 0x3ff0000000000001);
}

static void test_long_integers(void **state)
{
	AUTO_FREE char *text = malloc(MANY + 16);

	(void)state;
	memset(text, '9', MANY);
	check(text, MANY, MANY, 0x7ff0000000000000);
	memcpy(text + MANY, "e-1048576", 9); /* 0.999... */
	check(text, MANY + 9, MANY + 9, 0x3ff0000000000000);
	memset(text, '0', MANY);
	check(text, MANY, MANY, 0);
	text[1] = '.';
	memcpy(text + MANY, "1e1048575", 9); /* the 1 is the 1048575th decimal */
	check(text, MANY + 9, MANY + 9, 0x3ff0000000000000);
}

/* The short way against the C library, at random. */
static void test_short_ones(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		char text[64];
		int n;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		n = snprintf(text, sizeof(text), "%llu.%04ue%d",
			     (unsigned long long)(seed >> (seed % 50 + 11)),
			     (unsigned)(seed >> 20) % 10000, (int)((seed >> 40) % 60) - 30);
		check(text, (size_t)n, n, bits_of(strtod(text, NULL)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),     cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_long_tie),   cmocka_unit_test(test_long_integers),
		cmocka_unit_test(test_short_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
