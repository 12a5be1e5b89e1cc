// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: guarded
// gives: 42
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const char *line, u32 len)
{
	u32 i = 0;
	s64 n;

	while (i < len && line[i] != ',')
		i++;
	if (i < len && fold_parse_s64(line + i + 1, len - i - 1, &n) > 0)
		s->count += n;
	return FOLD_MORE;
}

PLAIN_COMBINE
