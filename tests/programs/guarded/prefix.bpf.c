// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: guarded
// gives: 1
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const char *line, u32 len)
{
	if (len >= 8)
		s->count += *(const u32 *)line == 0x68706c61;
	return FOLD_MORE;
}

PLAIN_COMBINE
