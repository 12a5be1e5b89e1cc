/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * checked.h - arithmetic on sizes that came from outside. Each returns false and leaves *ret
 * alone when the result does not fit.
 */
#ifndef NF_BASE_CHECKED_H
#define NF_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool checked_add_u64(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t r;

	if (__builtin_add_overflow(a, b, &r))
		return false;
	*ret = r;
	return true;
}

static inline bool checked_mul_u64(uint64_t a, uint64_t b, uint64_t *ret)
{
	uint64_t r;

	if (__builtin_mul_overflow(a, b, &r))
		return false;
	*ret = r;
	return true;
}

/* Is [offset, offset + len) inside [0, size)? An empty range at the end is. */
static inline bool checked_range(uint64_t offset, uint64_t len, uint64_t size)
{
	return offset <= size && len <= size - offset;
}

#endif
