// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: compares pointers into different regions
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	if ((u64)r < (u64)s)
		s->count++;
	return FOLD_MORE;
}

PLAIN_COMBINE
