/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* state.h - a histogram of STATE_BYTES: one counter in eight bytes of state. */
#include "record.h"

enum { SLOTS = STATE_BYTES / 8 };

struct histogram {
	u64 slot[SLOTS];
};

FOLD_REDUCE count(struct histogram *s, const struct record *r, u32 len)
{
	s->slot[r->key & (SLOTS - 1)]++;
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct histogram *into, const struct histogram *from)
{
	for (u32 i = 0; i < SLOTS; i++)
		into->slot[i] += from->slot[i];
}
