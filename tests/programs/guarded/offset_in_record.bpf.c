// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: guarded
// gives: 5
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	const u8 *at = (const u8 *)r;

	s->count += at[r->flags];
	return FOLD_MORE;
}

PLAIN_COMBINE
