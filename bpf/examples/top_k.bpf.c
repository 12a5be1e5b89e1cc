/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The ten largest of a file of unsigned 64-bit integers, largest first. Which of two equal values
 * came first makes no difference to the result, so any order of combining gives the same.
 *
 *	clang-19 -O2 -g -target bpf -mcpu=v3 -I bpf -c bpf/examples/top_k.bpf.c -o top_k.bpf.o
 *	nearfold run top_k.bpf.o --local numbers.bin --format fixed:8
 */
#include "nearfold.bpf.h"

enum { K = 10 };

struct number {
	u64 value;
};

struct top {
	u64 count; /* records seen; values beyond it are not filled yet */
	u64 value[K];
};

/* Each place keeps the larger of what it has and what comes, and hands on the smaller. Most values
 * are not among the largest: one look at the last place says so. A place not filled holds 0. */
static __always_inline void insert(struct top *t, u64 v)
{
	if (v <= t->value[K - 1])
		return;
	for (u32 i = 0; i < K; i++) {
		u64 have = t->value[i];

		t->value[i] = fold_max(have, v);
		v = fold_min(have, v);
	}
}

FOLD_REDUCE keep(struct top *t, const struct number *rec, u32 len)
{
	t->count++;
	insert(t, rec->value);
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct top *into, const struct top *from)
{
	into->count += from->count;
	for (u32 i = 0; i < K; i++)
		insert(into, from->value[i]);
}
