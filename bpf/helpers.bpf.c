/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * helpers.bpf.c - the helpers for integers and bytes in the kernel's form (helper_bpf.h).
 *
 * fold_parse_f64 has none: a correctly rounded result may take 770 digits.
 */
#include "helper_bpf.h"

/* a + b of 128 bits into *acc, unless that overflows. */
INLINE u64 accumulate(u64 acc, u64 lo, u64 hi)
{
	u64 old_lo = LOAD64(acc), old_hi = LOAD64(acc + 8), sum_lo = old_lo + lo, sum_hi;
	u64 carry = ((old_lo & lo) | ((old_lo | lo) & ~sum_lo)) >> 63;

	HIDE(carry);
	sum_hi = old_hi + hi + carry;
	if ((~(old_hi ^ hi) & (old_hi ^ sum_hi)) >> 63)
		return 1;
	STORE64(acc, sum_lo);
	STORE64(acc + 8, sum_hi);
	return 0;
}

HELPER(fold_add128, u64 acc, u64 v)
{
	u64 negative = v >> 63;

	HIDE(negative);
	return accumulate(acc, v, -negative);
}

HELPER(fold_add128_128, u64 acc, u64 v)
{
	return accumulate(acc, LOAD64(v), LOAD64(v + 8));
}

/* The product of two signed numbers. */
INLINE struct wide multiply_signed(u64 a, u64 b)
{
	struct wide product = multiply(a, b);
	u64 a_negative = a >> 63, b_negative = b >> 63;

	HIDE(a_negative);
	HIDE(b_negative);
	product.hi -= (b & -a_negative) + (a & -b_negative);
	return product;
}

HELPER(fold_mul_s64, u64 a, u64 b, u64 out)
{
	struct wide product = multiply_signed(a, b);
	u64 negative = product.lo >> 63;

	HIDE(negative);
	STORE64(out, product.lo);
	return nonzero(product.hi + negative); /* hi is 0, or -1 if lo is negative */
}

HELPER(fold_mul128, u64 a, u64 b, u64 out)
{
	struct wide product = multiply_signed(a, b);

	STORE64(out, product.lo);
	STORE64(out + 8, product.hi);
	return 0;
}

HELPER(fold_add_s64, u64 a, u64 b, u64 out)
{
	u64 sum = a + b;

	STORE64(out, sum);
	return (~(a ^ b) & (a ^ sum)) >> 63;
}

#define LOW_BITS 0x0101010101010101ull

/* The index of the first byte of word that is zero, 8 if none is. */
INLINE u64 zero_byte(u64 word)
{
	u64 hit = ((word - LOW_BITS) & ~word & LOW_BITS << 7) >> 7;

	/* The ones below the lowest hit, one kept of each byte, summed up in the top byte. */
	return hit ? (((hit - 1) & ~hit & LOW_BITS) * LOW_BITS) >> 56 : 8;
}

/* 1 the same, 0 not, SCAN_HELPER_CUT the kernel wants an end. *rounds counts them. */
INLINE u64 same_bytes(u64 a, u64 b, u64 n, u64 zero, u64 *rounds)
{
	for (u64 i = 0; i < n; i++, ++*rounds) {
		if (!CAN_LOOP)
			return SCAN_HELPER_CUT;
		FORGET(i, zero);
		FORGET(*rounds, zero);
		if (*ADDRESS(const u8, a + i) != *ADDRESS(const u8, b + i))
			return 0;
	}
	return 1;
}

enum { PRIME = 0x7fffffff }; /* 2^31 - 1 */

/*
 * The same from `at` on, in n + m rounds whatever the bytes are (Karp and Rabin, "Efficient
 * randomized pattern-matching algorithms", 1987): bytes are compared where a hash of them agrees,
 * and who does not know its base cannot make it agree elsewhere. at + m <= n.
 */
INLINE u64 find_by_hash(u64 hay, u64 at, u64 last, u64 needle, u64 m, u64 zero)
{
	u64 base = 256 + (RANDOM() >> 2), want = 0, have = 0, power = 1, same, rounds = zero;

	for (u64 i = 0; i < m; i++) {
		if (!CAN_LOOP)
			return SCAN_HELPER_CUT;
		FORGET(i, zero);
		FORGET(power, zero);
		want = (want * base + *ADDRESS(const u8, needle + i)) % PRIME;
		have = (have * base + *ADDRESS(const u8, hay + at + i)) % PRIME;
		power = power * base % PRIME;
	}
	for (;;) {
		if (!CAN_LOOP)
			return SCAN_HELPER_CUT;
		FORGET(at, zero);
		FORGET(have, zero);
		if (have == want) {
			same = same_bytes(hay + at, needle, m, zero, &rounds);
			if (same)
				return same == 1 ? at : same;
		}
		if (at >= last)
			return (u64)-1;
		have = (have * base + *ADDRESS(const u8, hay + at + m) +
			(PRIME - *ADDRESS(const u8, hay + at) * power % PRIME)) %
		       PRIME;
		at++;
	}
}

/*
 * Where the needle's first byte is found, eight bytes at a time, the rest is compared. Bytes that
 * make this slow (a needle that nearly fits everywhere) are searched by a hash: rounds in the
 * kernel hold a processor, and the meter knows only of n + m bytes.
 */
HELPER(fold_find, u64 hay, u64 n, u64 needle, u64 m)
{
	u64 zero = UNKNOWN_ZERO(n), last = n - m, at = 0, first, same, rounds = zero;

	if (!m)
		return 0;
	if (m > n)
		return (u64)-1;
	first = *ADDRESS(const u8, needle);
	while (at <= last) {
		if (!CAN_LOOP)
			return SCAN_HELPER_CUT;
		FORGET(at, zero);
		if (at + 8 <= n) {
			u64 skip = zero_byte(LOAD64(hay + at) ^ first * LOW_BITS);

			at += skip;
			if (skip == 8 || at > last)
				continue;
		} else if (*ADDRESS(const u8, hay + at) != first) {
			at++;
			continue;
		}
		if (rounds > n)
			return find_by_hash(hay, at, last, needle, m, zero);
		same = same_bytes(hay + at, needle, m, zero, &rounds);
		if (same)
			return same == 1 ? at : same;
		at++;
	}
	return (u64)-1;
}

HELPER(fold_parse_s64, u64 s, u64 n, u64 out)
{
	u64 zero = UNKNOWN_ZERO(n), i = 0, start, v = 0, limit = (1ull << 63) - 1;
	u64 negative = 0;

	if (n) {
		u64 c = *ADDRESS(const u8, s);

		negative = c == '-';
		start = i = c == '-' || c == '+';
	} else {
		start = 0;
	}
	limit += negative;
	for (; i < n; i++) {
		u64 digit;

		if (!CAN_LOOP)
			return SCAN_HELPER_CUT;
		FORGET(i, zero);
		FORGET(v, zero);
		digit = (u64)*ADDRESS(const u8, s + i) - '0';
		if (digit > 9)
			break;
		if (v > (1ull << 63) / 10 || v * 10 + digit > limit) {
			STORE64(out, 0);
			return (u64)-1;
		}
		v = v * 10 + digit;
	}
	HIDE(negative);
	STORE64(out, (v ^ -negative) + negative);
	return i == start ? (u64)-1 : i;
}
