// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: writes to the rodata, which is read-only
#include "../parts.h"

static const u64 table[4] = {1, 2, 3, 4};

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	u64 *t = (u64 *)&table[r->kind & 3];

	HIDE(t);
	*t = 5;
	s->count += *t;
	return FOLD_MORE;
}

PLAIN_COMBINE
