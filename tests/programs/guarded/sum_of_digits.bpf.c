// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: guarded
// gives: 6
#include "../parts.h"

static __attribute__((noinline)) u32 digit(const char *p)
{
	u32 d = *p - '0';

	return d <= 9 ? d : 0;
}

FOLD_REDUCE reduce(struct state *s, const char *line, u32 len)
{
	for (u32 i = 0; i < len; i++)
		s->count += digit(line + i);
	return FOLD_MORE;
}

PLAIN_COMBINE
