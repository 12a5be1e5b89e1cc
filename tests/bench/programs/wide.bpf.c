/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Some 200 instructions in filter and reduce: what loading a program of that size takes. */
#include "nearfold.bpf.h"

struct reading {
	s64 value[8];
	u32 kind;
	u32 flags;
};

struct column {
	s64 min, max;
	u64 sum, nonzero, large;
};

struct columns {
	u64 count;
	struct column column[8];
};

FOLD_FILTER wanted(const struct reading *r, u32 len)
{
	return (r->kind & 3) != 1 && r->flags < 1000000;
}

static __always_inline void column_add(struct column *c, s64 v)
{
	c->min = fold_min(c->min, v);
	c->max = fold_max(c->max, v);
	c->sum += (u64)v;
	c->nonzero += v != 0;
	c->large ^= (u64)v >> 7;
}

FOLD_REDUCE add(struct columns *s, const struct reading *r, u32 len)
{
	s->count++;
#pragma unroll
	for (int i = 0; i < 8; i++)
		column_add(&s->column[i], r->value[i]);
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct columns *into, const struct columns *from)
{
	into->count += from->count;
	for (int i = 0; i < 8; i++) {
		into->column[i].min = fold_min(into->column[i].min, from->column[i].min);
		into->column[i].max = fold_max(into->column[i].max, from->column[i].max);
		into->column[i].sum += from->column[i].sum;
		into->column[i].nonzero += from->column[i].nonzero;
		into->column[i].large ^= from->column[i].large;
	}
}
