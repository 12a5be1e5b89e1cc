// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: guarded
// gives: 9
#include "../parts.h"

static const char word[] = "gamma";

FOLD_REDUCE reduce(struct state *s, const char *line, u32 len)
{
	s->count += fold_find(line, len, word, 5);
	return FOLD_MORE;
}

PLAIN_COMBINE
