/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The smallest and the largest of a file of signed 64-bit integers, and how many there are. A
 * start state other than zeroes makes the first value nothing special.
 *
 *	clang-19 -O2 -g -target bpf -mcpu=v3 -I bpf -c bpf/examples/min_max.bpf.c -o min_max.bpf.o
 *	nearfold run min_max.bpf.o --local numbers.bin --format fixed:8
 */
#include "nearfold.bpf.h"

struct number {
	s64 value;
};

struct extremes {
	u64 count;
	s64 min;
	s64 max;
};

FOLD_INIT struct extremes none = {
	.min = (s64)(~0ull >> 1),
	.max = -(s64)(~0ull >> 1) - 1,
};

FOLD_REDUCE widen(struct extremes *s, const struct number *rec, u32 len)
{
	s->count++;
	s->min = fold_min(s->min, rec->value);
	s->max = fold_max(s->max, rec->value);
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct extremes *into, const struct extremes *from)
{
	into->count += from->count;
	into->min = fold_min(into->min, from->min);
	into->max = fold_max(into->max, from->max);
}
