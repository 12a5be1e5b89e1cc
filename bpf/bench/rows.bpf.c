/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Each record that passes comes back as a group of its own: what offload is worst at. */
#include "record.h"

struct params {
	u32 bound; /* parts in a million */
};

struct key {
	u64 id;
};

struct row {
	u64 key;
	u32 value;
	u32 seen;
};

FOLD_FILTER passes(const struct record *r, u32 len, const struct params *p)
{
	return r->pick < p->bound;
}

FOLD_KEY by_id(const struct record *r, u32 len, const struct params *p, struct key *key)
{
	key->id = r->id;
}

FOLD_REDUCE keep(struct row *s, const struct record *r, u32 len, const struct params *p)
{
	s->key = r->key;
	s->value = r->value;
	s->seen++;
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct row *into, const struct row *from)
{
	into->key |= from->key;
	into->value |= from->value;
	into->seen += from->seen;
}
