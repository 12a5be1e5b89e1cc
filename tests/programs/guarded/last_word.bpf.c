// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: guarded
// gives: 5
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const char *line, u32 len)
{
	const char *end = line + len, *p = end;

	while (p > line && p[-1] != ' ')
		p--;
	s->count += end - p;
	return FOLD_MORE;
}

PLAIN_COMBINE
