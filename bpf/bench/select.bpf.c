/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Count and sum of the records that pass: one state, whatever share that is. */
#include "record.h"

struct params {
	u32 bound; /* parts in a million */
};

struct total {
	u64 count;
	u64 sum;
};

FOLD_FILTER passes(const struct record *r, u32 len, const struct params *p)
{
	return r->pick < p->bound;
}

FOLD_REDUCE add(struct total *s, const struct record *r, u32 len, const struct params *p)
{
	s->count++;
	s->sum += r->value;
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct total *into, const struct total *from)
{
	into->count += from->count;
	into->sum += from->sum;
}
