// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: passes 25 bytes at r1 = record + 0, always outside; the record has 24 bytes
#include "../parts.h"

static const char word[] = "word";

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	if (fold_find(r, sizeof(*r) + 1, word, 4) >= 0)
		s->count++;
	return FOLD_MORE;
}

PLAIN_COMBINE
