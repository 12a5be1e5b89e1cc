/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * f64.bpf.c - IEEE 754 binary64 in integers: the kernel has no floating point.
 *
 * Every result is the exact one rounded once, to nearest even; a NaN is the canonical one.
 *
 *	bits       63 sign, 62..52 exponent e, 51..0 fraction f
 *	e = 0      f * 2^-1074                      (zero, subnormal)
 *	e < 2047   (2^52 + f) * 2^(e - 1075)
 *	e = 2047   infinity if f = 0, else NaN
 *
 * Between the operation and pack() a number is a significand m with its leading one at bit 62, ten
 * bits below what will be the fraction's last, and the exponent e that belongs to it. What does not
 * fit below bit 0 is or-ed into bit 0 ("sticky"): rounding only asks whether it is zero.
 */
#include "helper_bpf.h"

#define SIGN      (1ull << 63)
#define INFINITE  (2047ull << 52)
#define NOT_A_NUM 0x7ff8000000000000ull
#define ONE       (1ull << 52) /* the one before the fraction */

enum { LEADING = 62, EXTRA_BITS = 10, BIAS = 1023 };

INLINE u64 magnitude(u64 a)
{
	return a & ~SIGN;
}

/* Zeros above the highest one; x is not 0. A search by halves, without branches. */
INLINE u64 leading_zeros(u64 x)
{
	u64 n = 63, step;

	step = ((x >> 32) + 0xffffffff) >> 32 << 5;
	HIDE(step);
	x >>= step;
	n -= step;
	step = ((x >> 16) + 0xffff) >> 16 << 4;
	HIDE(step);
	x >>= step;
	n -= step;
	step = ((x >> 8) + 0xff) >> 8 << 3;
	HIDE(step);
	x >>= step;
	n -= step;
	step = ((x >> 4) + 0xf) >> 4 << 2;
	HIDE(step);
	x >>= step;
	n -= step;
	/* x is 1..15: the position of its highest one, two bits each */
	return n - (0xffffaa50u >> 2 * x & 3);
}

/* m >> n, sticky; n is 0..63. */
INLINE u64 shift_right(u64 m, u64 n)
{
	u64 shifted = m >> n;

	return shifted | nonzero(m ^ shifted << n);
}

/* Round to nearest even; m's leading one is at LEADING. */
INLINE u64 pack(u64 sign, s64 e, u64 m)
{
	if (e >= 2047)
		return sign | INFINITE;
	if (e < 1) { /* subnormal */
		s64 n = 1 - e;

		m = shift_right(m, n > 63 ? 63 : (u64)n);
		e = 1;
	}
	m += (1 << (EXTRA_BITS - 1)) - 1 + (m >> EXTRA_BITS & 1);
	/* the leading one, if it is there, adds 1 to the exponent; so does a carry */
	return sign | (((u64)(e - 1) << 52) + (m >> EXTRA_BITS));
}

INLINE u64 add_f64(u64 a, u64 b)
{
	u64 swap = (a ^ b) & -below(magnitude(a), magnitude(b));
	u64 x, y, ex, ey, normal, distance, unlike, n;

	a ^= swap; /* |a| >= |b| */
	b ^= swap;
	x = magnitude(a);
	y = magnitude(b);
	unlike = (a ^ b) >> 63;
	ex = x >> 52;
	ey = y >> 52;
	if (ex == 2047)
		return x > INFINITE || (unlike && y == INFINITE) ? NOT_A_NUM : a;
	normal = nonzero(ex);
	x = ((x & (ONE - 1)) | normal << 52) << (EXTRA_BITS - 1); /* room for a carry */
	ex += 1 - normal;
	normal = nonzero(ey);
	y = ((y & (ONE - 1)) | normal << 52) << (EXTRA_BITS - 1);
	ey += 1 - normal;
	distance = ex - ey;
	y = shift_right(y, distance > 63 ? 63 : distance);
	x += (y ^ -unlike) + unlike;
	if (!x)
		return a & b & SIGN; /* -0 only from two of them */
	n = leading_zeros(x) - (63 - LEADING);
	return pack(a & SIGN, (s64)(ex + 1 - n), x << n);
}

HELPER(fold_f64_add, u64 a, u64 b)
{
	return add_f64(a, b);
}

HELPER(fold_f64_sub, u64 a, u64 b)
{
	return add_f64(a, b ^ SIGN);
}

/* A finite number other than 0: significand with its leading one at bit 52, exponent. */
INLINE u64 normalize(u64 x, s64 *ret_e)
{
	s64 e = (s64)(x >> 52);

	if (!e) {
		u64 n = leading_zeros(x) - 11;

		x <<= n;
		e = 1 - (s64)n;
	}
	*ret_e = e;
	return (x & (ONE - 1)) | ONE;
}

HELPER(fold_f64_mul, u64 a, u64 b)
{
	u64 sign = (a ^ b) & SIGN, x = magnitude(a), y = magnitude(b), top;
	struct wide product;
	s64 ex, ey;

	if (x >= INFINITE || y >= INFINITE)
		return x > INFINITE || y > INFINITE || !x || !y ? NOT_A_NUM : sign | INFINITE;
	if (!x || !y)
		return sign;
	x = normalize(x, &ex);
	y = normalize(y, &ey);
	product = multiply(x << 10, y << 11); /* 126 or 127 bits */
	top = product.hi >> LEADING;
	return pack(sign, ex + ey - BIAS + (s64)top,
		    (product.hi | nonzero(product.lo)) << (1 - top));
}

HELPER(fold_f64_div, u64 a, u64 b)
{
	enum { DIGIT = 11, DIGITS = 5 }; /* a 53-bit rest and a digit fill a word */
	u64 sign = (a ^ b) & SIGN, x = magnitude(a), y = magnitude(b), less, q = 1;
	s64 ex, ey;

	if (x >= INFINITE || y >= INFINITE) {
		if (x > INFINITE || y > INFINITE || x == y)
			return NOT_A_NUM;
		return x == INFINITE ? sign | INFINITE : sign;
	}
	if (!y)
		return x ? sign | INFINITE : NOT_A_NUM;
	if (!x)
		return sign;
	x = normalize(x, &ex);
	y = normalize(y, &ey);
	less = below(x, y);
	x = (x << less) - y; /* the quotient is 1..2: a one, and the digits of the rest */
#pragma GCC unroll 5
	for (int i = 0; i < DIGITS; i++) {
		u64 digit = (x << DIGIT) / y;

		x = (x << DIGIT) - digit * y;
		q = q << DIGIT | digit;
	}
	return pack(sign, ex - ey + BIAS - (s64)less, q << (LEADING - DIGIT * DIGITS) | nonzero(x));
}

/* A number's place on the line of all numbers; both zeros are at 0. */
INLINE s64 place(u64 a)
{
	u64 negative = a >> 63;

	HIDE(negative);
	return (s64)((magnitude(a) ^ -negative) + negative);
}

INLINE int ordered(u64 a, u64 b)
{
	return magnitude(a) <= INFINITE && magnitude(b) <= INFINITE;
}

HELPER(fold_f64_lt, u64 a, u64 b)
{
	return ordered(a, b) && place(a) < place(b);
}

HELPER(fold_f64_le, u64 a, u64 b)
{
	return ordered(a, b) && place(a) <= place(b);
}

HELPER(fold_f64_eq, u64 a, u64 b)
{
	return ordered(a, b) && place(a) == place(b);
}

HELPER(fold_f64_from_i64, u64 v)
{
	u64 negative = v >> 63, m, n;

	HIDE(negative);
	m = (v ^ -negative) + negative;
	if (!m)
		return 0;
	n = leading_zeros(m);
	/* by one bit too far, then back: 2^63 has no bit to spare, and nothing below */
	m = m << n >> 1 | (m << n & 1);
	return pack(negative << 63, (s64)(BIAS + 63 - n), m);
}

HELPER(fold_f64_to_i64, u64 a)
{
	u64 x = magnitude(a), e = x >> 52, negative = a >> 63;

	if (x > INFINITE || e < BIAS)
		return 0;
	if (e >= BIAS + 63)
		return SIGN - 1 + negative; /* 2^63 - 1 or -2^63 */
	x = (x & (ONE - 1)) | ONE;
	x = e < BIAS + 52 ? x >> (BIAS + 52 - e) : x << (e - BIAS - 52);
	HIDE(negative);
	return (x ^ -negative) + negative;
}
