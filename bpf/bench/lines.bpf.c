/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where the first colon of a line is, summed over lines longer than a bound: a loop per line. */
#include "nearfold.bpf.h"

struct params {
	u32 longer;
};

struct total {
	u64 lines;
	u64 before_colon;
};

FOLD_FILTER long_enough(const char *line, u32 len, const struct params *p)
{
	return len > p->longer;
}

FOLD_REDUCE add(struct total *s, const char *line, u32 len, const struct params *p)
{
	u32 i = 0;

	while (i < len && line[i] != ':')
		i++;
	s->lines++;
	s->before_colon += i;
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct total *into, const struct total *from)
{
	into->lines += from->lines;
	into->before_colon += from->before_colon;
}
