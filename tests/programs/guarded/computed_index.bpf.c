// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: guarded
// gives: 1
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	s->bucket[r->kind]++;
	s->count += s->bucket[2];
	return FOLD_MORE;
}

PLAIN_COMBINE
