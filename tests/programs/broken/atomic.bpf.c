// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: atomic
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	__sync_fetch_and_add(&s->count, r->id);
	return FOLD_MORE;
}

PLAIN_COMBINE
