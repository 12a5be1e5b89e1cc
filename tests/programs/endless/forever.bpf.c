// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// x is even after the first turn, so the loop never ends: the meter must stop it.
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	u64 x = r->id;

	while (x != 0x123456789) {
		x = x * 2 + 2;
		HIDE(x);
	}
	s->count += x;
	return FOLD_MORE;
}

PLAIN_COMBINE
