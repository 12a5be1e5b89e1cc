// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: record + 24, always outside
#include "../parts.h"

static __attribute__((noinline)) u64 after(const struct rec *r)
{
	return *(const u64 *)(r + 1);
}

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	s->count += after(r);
	return FOLD_MORE;
}

PLAIN_COMBINE
