// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: record - 8, always outside; the record has 24 bytes
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	const u64 *before = &r->id;

	HIDE(before);
	s->count += before[-1];
	return FOLD_MORE;
}

PLAIN_COMBINE
