// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: values of different kinds on different ways
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	const u64 *from = r->kind ? &s->count : &r->id;

	HIDE(from);
	s->sum += *from;
	return FOLD_MORE;
}

PLAIN_COMBINE
