/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Count and sum by one of `groups` keys. */
#include "record.h"

struct params {
	u32 groups;
};

struct key {
	u64 group;
};

struct total {
	u64 count;
	u64 sum;
};

FOLD_KEY by_group(const struct record *r, u32 len, const struct params *p, struct key *key)
{
	key->group = r->key % p->groups;
}

FOLD_REDUCE add(struct total *s, const struct record *r, u32 len, const struct params *p)
{
	s->count++;
	s->sum += r->value;
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct total *into, const struct total *from)
{
	into->count += from->count;
	into->sum += from->sum;
}
