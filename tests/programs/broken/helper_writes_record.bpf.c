// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: writes to the record, which is read-only
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	fold_mul_s64(r->value, 2, (s64 *)&r->value);
	s->count++;
	return FOLD_MORE;
}

PLAIN_COMBINE
