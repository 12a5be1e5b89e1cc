// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: arithmetic on a pointer
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	s->count += (u64)r * 3;
	return FOLD_MORE;
}

PLAIN_COMBINE
