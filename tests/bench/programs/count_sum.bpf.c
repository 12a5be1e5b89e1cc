/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Count and sum of 32-byte records whose quantity is above a bound. */
#include "nearfold.bpf.h"

struct trade {
	u64 time;
	u32 symbol;
	u32 quantity;
	u64 price;
	u64 pad;
};

struct bound {
	u32 quantity;
};

struct total {
	u64 count;
	u64 sum;
};

FOLD_FILTER above(const struct trade *t, u32 len, const struct bound *p)
{
	return t->quantity > p->quantity;
}

FOLD_REDUCE add(struct total *s, const struct trade *t, u32 len, const struct bound *p)
{
	s->count++;
	s->sum += t->price;
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct total *into, const struct total *from)
{
	into->count += from->count;
	into->sum += from->sum;
}
