// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: guarded
// gives: 97
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const char *line, u32 len)
{
	if (len > 0)
		s->count += line[len - 1];
	return FOLD_MORE;
}

PLAIN_COMBINE
