// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: guarded
// gives: 99
#include "../parts.h"

static const u16 table[9] = {7, 6, 5, 4, 3, 2, 1, 0, 99};

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	s->count += table[r->flags];
	return FOLD_MORE;
}

PLAIN_COMBINE
