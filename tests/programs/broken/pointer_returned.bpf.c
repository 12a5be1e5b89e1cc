// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: returns a pointer (r0 = record + 8)
#include "../parts.h"

FOLD_FILTER keep(const struct rec *r, u32 len, const struct params *p)
{
	u64 x;

	asm volatile("r0 = %1\n\tr0 += 8\n\texit" : "=r"(x) : "r"(r));
	return x;
}

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	s->count++;
	return FOLD_MORE;
}

PLAIN_COMBINE
