// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: not surely inside the stack frame
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	u8 seen[16] = {0};
	u8 *first = seen;

	HIDE(first);
	first[r->kind] = 1;
	s->count += first[0];
	return FOLD_MORE;
}

PLAIN_COMBINE
