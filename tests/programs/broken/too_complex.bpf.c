// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: too complex to verify
#include "../parts.h"

#define LOOP(i, limit) for (u64 i = 0; i < (limit); i++)

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	u64 n = p->limit, x = 0;

	LOOP(a, n) LOOP(b, a) LOOP(c, b) LOOP(d, c) LOOP(e, d) LOOP(f, e) LOOP(g, f) LOOP(h, g)
	{
		x += a ^ f;
		HIDE(x);
	}
	s->count += x;
	return FOLD_MORE;
}

PLAIN_COMBINE
