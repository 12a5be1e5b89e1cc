// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: reads 8 bytes at r2 + 24 = record + 24, always outside; the record has 24 bytes
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	s->count += (&r->id)[3];
	return FOLD_MORE;
}

PLAIN_COMBINE
