// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: r9 is used before it is initialised
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	u64 x;

	asm volatile("%0 = r9" : "=r"(x));
	s->count += x;
	return FOLD_MORE;
}

PLAIN_COMBINE
