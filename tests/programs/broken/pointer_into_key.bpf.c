// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// expect: stores a pointer into the key
#include "../parts.h"

struct key {
	u64 id;
};

FOLD_KEY key(const struct rec *r, u32 len, const struct params *p, struct key *k)
{
	k->id = (u64)p;
}

FOLD_REDUCE reduce(struct state *s, const struct rec *r, u32 len, const struct params *p)
{
	s->count++;
	return FOLD_MORE;
}

PLAIN_COMBINE
