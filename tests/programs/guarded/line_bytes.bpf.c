// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: guarded
// gives: 5
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const char *line, u32 len)
{
	for (u32 i = 0; i < len; i++)
		s->count += line[i] == 'a';
	return FOLD_MORE;
}

PLAIN_COMBINE
