// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: writes to the from, which is read-only
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	s->count++;
	return FOLD_MORE;
}

FOLD_COMBINE combine(struct state *into, const struct state *from)
{
	into->count += from->count;
	((struct state *)from)->count = 0;
}
