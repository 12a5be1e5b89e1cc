// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: fold_f64_add wants a number in r1
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	s->count = fold_f64_add((u64)r, r->id);
	return FOLD_MORE;
}

PLAIN_COMBINE
