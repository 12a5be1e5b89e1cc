// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: not surely inside the stack frame
#include "../parts.h"

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	asm volatile("*(u64 *)(r10 - 520) = %0" : : "r"(r->id) : "memory");
	s->count++;
	return FOLD_MORE;
}

PLAIN_COMBINE
