/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/lines.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>

/* The newlines of 64 bytes, a bit each. */
static inline uint64_t newlines(const uint8_t *p)
{
	const __m128i newline = _mm_set1_epi8('\n');
	uint64_t mask = 0;

	for (unsigned i = 0; i < 4; i++) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
		uint64_t m = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, newline));

		mask |= m << (16 * i);
	}
	return mask;
}
#else
static inline uint64_t newlines(const uint8_t *p)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < 64; i++)
		mask |= (uint64_t)(p[i] == '\n') << i;
	return mask;
}
#endif

size_t lines_split(const uint8_t *data, size_t bytes, uint32_t *starts, size_t max)
{
	size_t n = 0, at = 0;

	starts[0] = 0;
	for (; at + 64 <= bytes; at += 64) {
		for (uint64_t mask = newlines(data + at); mask; mask &= mask - 1) {
			starts[++n] = (uint32_t)(at + (unsigned)__builtin_ctzll(mask)) + 1;
			if (n == max)
				return n;
		}
	}
	for (; at < bytes; at++) {
		if (data[at] != '\n')
			continue;
		starts[++n] = (uint32_t)at + 1;
		if (n == max)
			return n;
	}
	if (starts[n] < bytes) {
		starts[n + 1] = (uint32_t)bytes + 1;
		n++;
	}
	return n;
}
