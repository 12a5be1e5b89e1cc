/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_helper.c - the helper table and what its rows do, except the parsing of doubles
 * (vm_parse_f64.c).
 *
 * Doubles are computed by the C compiler's own arithmetic: with FLT_EVAL_METHOD 0, contraction
 * off (Makefile) and the default rounding mode, + - * / on double are IEEE 754's operations.
 * Memory is read and written by memcpy: a program's pointers need not be aligned, and arguments
 * may overlap.
 */
#include "vm/vm_helper.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/scope.h"
#include "vm/vm_parse_f64.h"

_Static_assert(FLT_EVAL_METHOD == 0, "doubles must be evaluated as doubles");
_Static_assert(sizeof(double) == 8 && DBL_MANT_DIG == 53, "doubles must be IEEE 754 binary64");

#define CANONICAL_NAN 0x7ff8000000000000ull

typedef __int128 s128;

static double to_double(uint64_t bits)
{
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

static uint64_t to_bits(double d)
{
	uint64_t bits;

	if (isnan(d)) /* its sign and payload depend on the processor */
		return CANONICAL_NAN;
	memcpy(&bits, &d, sizeof(bits));
	return bits;
}

static uint64_t load64(uint64_t address)
{
	uint64_t v;

	memcpy(&v, (const void *)(uintptr_t)address, sizeof(v));
	return v;
}

static void store64(uint64_t address, uint64_t v)
{
	memcpy((void *)(uintptr_t)address, &v, sizeof(v));
}

/* In memory: the low half, then the high half. */
static s128 load128(uint64_t address)
{
	unsigned __int128 v = (unsigned __int128)load64(address + 8) << 64 | load64(address);

	return (s128)v;
}

static void store128(uint64_t address, s128 v)
{
	store64(address, (uint64_t)v);
	store64(address + 8, (uint64_t)((unsigned __int128)v >> 64));
}

/* Every row's function has the type vm_helper_fn; most need fewer arguments. */
#define HELPER(name) \
	static uint64_t name(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
#define UNUSED(x) ((void)(x))
#define USES_1    (UNUSED(b), UNUSED(c), UNUSED(d), UNUSED(e))
#define USES_2    (UNUSED(c), UNUSED(d), UNUSED(e))
#define USES_3    (UNUSED(d), UNUSED(e))
#define USES_4    UNUSED(e)

HELPER(f64_add)
{
	USES_2;
	return to_bits(to_double(a) + to_double(b));
}

HELPER(f64_sub)
{
	USES_2;
	return to_bits(to_double(a) - to_double(b));
}

HELPER(f64_mul)
{
	USES_2;
	return to_bits(to_double(a) * to_double(b));
}

/* Division by zero is IEEE 754's: infinity or NaN. C leaves it to the implementation (annex F). */
__attribute__((no_sanitize("float-divide-by-zero"))) HELPER(f64_div)
{
	USES_2;
	return to_bits(to_double(a) / to_double(b));
}

HELPER(f64_lt)
{
	USES_2;
	return to_double(a) < to_double(b);
}

HELPER(f64_le)
{
	USES_2;
	return to_double(a) <= to_double(b);
}

HELPER(f64_eq)
{
	USES_2;
	return to_double(a) == to_double(b);
}

HELPER(f64_from_i64)
{
	USES_1;
	return to_bits((double)(int64_t)a);
}

HELPER(f64_to_i64)
{
	double v = to_double(a);

	USES_1;
	if (isnan(v))
		return 0;
	if (v >= 0x1p63)
		return INT64_MAX;
	if (v < -0x1p63)
		return (uint64_t)INT64_MIN;
	return (uint64_t)(int64_t)v;
}

static uint64_t accumulate(uint64_t acc, s128 v)
{
	s128 sum;

	if (__builtin_add_overflow(load128(acc), v, &sum))
		return 1;
	store128(acc, sum);
	return 0;
}

HELPER(add128)
{
	USES_2;
	return accumulate(a, (int64_t)b);
}

HELPER(add128_128)
{
	USES_2;
	return accumulate(a, load128(b));
}

HELPER(mul_s64)
{
	int64_t product;
	bool overflow = __builtin_mul_overflow((int64_t)a, (int64_t)b, &product);

	USES_3;
	store64(c, (uint64_t)product);
	return overflow;
}

HELPER(mul128)
{
	USES_3;
	store128(c, (s128)(int64_t)a * (int64_t)b);
	return 0;
}

HELPER(add_s64)
{
	int64_t sum;
	bool overflow = __builtin_add_overflow((int64_t)a, (int64_t)b, &sum);

	USES_3;
	store64(c, (uint64_t)sum);
	return overflow;
}

HELPER(find)
{
	const uint8_t *hay = (const uint8_t *)(uintptr_t)a;
	const uint8_t *hit;

	USES_4;
	if (d == 0)
		return 0;
	if (d > b)
		return (uint64_t)-1;
	hit = memmem(hay, b, (const void *)(uintptr_t)c, d);
	return hit ? (uint64_t)(hit - hay) : (uint64_t)-1;
}

HELPER(parse_s64)
{
	const uint8_t *s = (const uint8_t *)(uintptr_t)a;
	bool negative = b > 0 && s[0] == '-';
	uint64_t i = b > 0 && (s[0] == '-' || s[0] == '+');
	uint64_t start = i;
	int64_t v = 0;

	USES_3;
	for (; i < b && s[i] >= '0' && s[i] <= '9'; i++) {
		int digit = s[i] - '0';

		/* towards the sign, so that the most negative number fits */
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, negative ? -digit : digit, &v)) {
			store64(c, 0);
			return (uint64_t)-1;
		}
	}
	store64(c, (uint64_t)v);
	return i == start ? (uint64_t)-1 : i;
}

HELPER(parse_f64)
{
	double v;
	int64_t used = vm_parse_f64((const char *)(uintptr_t)a, b, &v);

	USES_3;
	store64(c, to_bits(v));
	return (uint64_t)used;
}

#define ANY_RESULT    .ret_min = 0, .ret_max = -1
#define BOOL_RESULT   .ret_min = 0, .ret_max = 1
#define LENGTH_RESULT .ret_min = -1, .ret_max = INT32_MAX

/* Indexed by number - VM_HELPER_BASE: append only. */
const struct vm_helper vm_helpers[] = {
	{.name = "fold_fail",
	 .prototype = "void fold_fail(u32 code)",
	 .what = "ends the query: OUT_OF_RANGE, the program reported error CODE; never returns",
	 .arg = {VM_ARG_SCALAR},
	 ANY_RESULT},
	{.name = "fold_f64_add",
	 .prototype = "f64 fold_f64_add(f64 a, f64 b)",
	 .what = "a + b",
	 .fn = f64_add,
	 .arg = {VM_ARG_SCALAR, VM_ARG_SCALAR},
	 ANY_RESULT},
	{.name = "fold_f64_sub",
	 .prototype = "f64 fold_f64_sub(f64 a, f64 b)",
	 .what = "a - b",
	 .fn = f64_sub,
	 .arg = {VM_ARG_SCALAR, VM_ARG_SCALAR},
	 ANY_RESULT},
	{.name = "fold_f64_mul",
	 .prototype = "f64 fold_f64_mul(f64 a, f64 b)",
	 .what = "a * b",
	 .fn = f64_mul,
	 .arg = {VM_ARG_SCALAR, VM_ARG_SCALAR},
	 ANY_RESULT},
	{.name = "fold_f64_div",
	 .prototype = "f64 fold_f64_div(f64 a, f64 b)",
	 .what = "a / b; by zero: infinity, or NaN for 0 / 0",
	 .fn = f64_div,
	 .arg = {VM_ARG_SCALAR, VM_ARG_SCALAR},
	 ANY_RESULT},
	{.name = "fold_f64_lt",
	 .prototype = "int fold_f64_lt(f64 a, f64 b)",
	 .what = "1 if a < b, else 0; a NaN compares false",
	 .fn = f64_lt,
	 .arg = {VM_ARG_SCALAR, VM_ARG_SCALAR},
	 BOOL_RESULT},
	{.name = "fold_f64_le",
	 .prototype = "int fold_f64_le(f64 a, f64 b)",
	 .what = "1 if a <= b, else 0; a NaN compares false",
	 .fn = f64_le,
	 .arg = {VM_ARG_SCALAR, VM_ARG_SCALAR},
	 BOOL_RESULT},
	{.name = "fold_f64_eq",
	 .prototype = "int fold_f64_eq(f64 a, f64 b)",
	 .what = "1 if a == b, else 0; a NaN compares false",
	 .fn = f64_eq,
	 .arg = {VM_ARG_SCALAR, VM_ARG_SCALAR},
	 BOOL_RESULT},
	{.name = "fold_f64_from_i64",
	 .prototype = "f64 fold_f64_from_i64(s64 v)",
	 .what = "v as a double, rounded to nearest even",
	 .fn = f64_from_i64,
	 .arg = {VM_ARG_SCALAR},
	 ANY_RESULT},
	{.name = "fold_f64_to_i64",
	 .prototype = "s64 fold_f64_to_i64(f64 v)",
	 .what = "v without its fraction; too large or small: the nearest s64; NaN gives 0",
	 .fn = f64_to_i64,
	 .arg = {VM_ARG_SCALAR},
	 ANY_RESULT},
	{.name = "fold_add128",
	 .prototype = "int fold_add128(s128 *acc, s64 v)",
	 .what = "*acc += v; 1 on signed overflow (then *acc is unchanged), else 0",
	 .fn = add128,
	 .arg = {VM_ARG_WRITE_FIXED, VM_ARG_SCALAR},
	 .fixed_bytes = 16,
	 BOOL_RESULT},
	{.name = "fold_add128_128",
	 .prototype = "int fold_add128_128(s128 *acc, const s128 *v)",
	 .what = "*acc += *v; 1 on signed overflow (then *acc is unchanged), else 0",
	 .fn = add128_128,
	 .arg = {VM_ARG_WRITE_FIXED, VM_ARG_READ_FIXED},
	 .fixed_bytes = 16,
	 BOOL_RESULT},
	{.name = "fold_mul_s64",
	 .prototype = "int fold_mul_s64(s64 a, s64 b, s64 *out)",
	 .what = "*out = the low 64 bits of a * b; 1 when the product does not fit, else 0",
	 .fn = mul_s64,
	 .arg = {VM_ARG_SCALAR, VM_ARG_SCALAR, VM_ARG_WRITE_FIXED},
	 .fixed_bytes = 8,
	 .write_only = 1,
	 BOOL_RESULT},
	{.name = "fold_mul128",
	 .prototype = "int fold_mul128(s64 a, s64 b, s128 *out)",
	 .what = "*out = a * b, all of it; always 0",
	 .fn = mul128,
	 .arg = {VM_ARG_SCALAR, VM_ARG_SCALAR, VM_ARG_WRITE_FIXED},
	 .fixed_bytes = 16,
	 .write_only = 1,
	 .ret_min = 0,
	 .ret_max = 0},
	{.name = "fold_find",
	 .prototype = "s64 fold_find(const void *hay, u64 n, const void *needle, u64 m)",
	 .what = "the first offset of needle in hay, or -1; an empty needle is at 0",
	 .fn = find,
	 .arg = {VM_ARG_MEM_READ, VM_ARG_SIZE, VM_ARG_MEM_READ, VM_ARG_SIZE},
	 LENGTH_RESULT},
	{.name = "fold_parse_s64",
	 .prototype = "s64 fold_parse_s64(const void *s, u64 n, s64 *out)",
	 .what = "[+-]digits at the start of s: how many bytes they take, or -1 and *out = 0 "
		 "(no digit, or the number does not fit)",
	 .fn = parse_s64,
	 .arg = {VM_ARG_MEM_READ, VM_ARG_SIZE, VM_ARG_WRITE_FIXED},
	 .fixed_bytes = 8,
	 .write_only = 1,
	 LENGTH_RESULT},
	{.name = "fold_parse_f64",
	 .prototype = "s64 fold_parse_f64(const void *s, u64 n, f64 *out)",
	 .what = "[+-]digits[.digits][e[+-]digits] at the start of s: how many bytes they take, "
		 "or -1 and *out = 0 (no digit); correctly rounded, too large gives infinity",
	 .fn = parse_f64,
	 .arg = {VM_ARG_MEM_READ, VM_ARG_SIZE, VM_ARG_WRITE_FIXED},
	 .fixed_bytes = 8,
	 .write_only = 1,
	 LENGTH_RESULT},
	{.name = "fold_add_s64",
	 .prototype = "int fold_add_s64(s64 a, s64 b, s64 *out)",
	 .what = "*out = the low 64 bits of a + b; 1 when the sum does not fit, else 0",
	 .fn = add_s64,
	 .arg = {VM_ARG_SCALAR, VM_ARG_SCALAR, VM_ARG_WRITE_FIXED},
	 .fixed_bytes = 8,
	 .write_only = 1,
	 BOOL_RESULT},
};

const size_t vm_n_helpers = ARRAY_SIZE(vm_helpers);
_Static_assert(ARRAY_SIZE(vm_helpers) <= 64, "vm_program.helpers has a bit per row");

bool vm_helper_is_metered(const struct vm_helper *h)
{
	for (unsigned i = 0; i < 5; i++)
		if (h->arg[i] == VM_ARG_MEM_READ)
			return true;
	return false;
}

const struct vm_helper *vm_helper_by_number(int32_t number)
{
	if (number < VM_HELPER_BASE || (size_t)(number - VM_HELPER_BASE) >= vm_n_helpers)
		return NULL;
	return &vm_helpers[number - VM_HELPER_BASE];
}

const char *vm_helper_name(int32_t number)
{
	const struct vm_helper *h = vm_helper_by_number(number);

	return h ? h->name : NULL;
}
