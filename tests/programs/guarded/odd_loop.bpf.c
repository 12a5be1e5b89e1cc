// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: guarded
// gives: 13
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	const u32 *words = (const u32 *)r;
	u32 i = r->kind;

	do {
		s->count += words[i];
		i += 3;
	} while (i < r->flags - 2);
	return FOLD_MORE;
}

PLAIN_COMBINE
