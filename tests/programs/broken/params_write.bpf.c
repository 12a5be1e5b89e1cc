// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: writes to the params, which is read-only
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	((struct params *)p)->limit--;
	return FOLD_MORE;
}

PLAIN_COMBINE
