/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The shape of TPC-H Q1: grouped by two chars, eight aggregates (the averages are sums and counts).
 */
#include "nearfold.bpf.h"

struct item {
	s64 quantity;
	s64 extendedprice;
	s64 discount;
	s64 tax;
	s32 shipdate;
	s32 commitdate;
	char returnflag;
	char linestatus;
	char pad[22];
};

struct flags {
	char returnflag;
	char linestatus;
};

struct q1 {
	s64 quantity;
	s64 price;
	s64 discounted;
	s64 charge;
	s64 discount;
	u64 count;
};

FOLD_FILTER shipped(const struct item *i, u32 len)
{
	return i->shipdate <= 10471;
}

FOLD_KEY by_flags(const struct item *i, u32 len, const void *p, struct flags *key)
{
	key->returnflag = i->returnflag;
	key->linestatus = i->linestatus;
}

FOLD_REDUCE add(struct q1 *s, const struct item *i, u32 len)
{
	s64 discounted = i->extendedprice * (100 - i->discount);

	s->quantity += i->quantity;
	s->price += i->extendedprice;
	s->discounted += discounted;
	s->charge += discounted * (100 + i->tax);
	s->discount += i->discount;
	s->count++;
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct q1 *into, const struct q1 *from)
{
	into->quantity += from->quantity;
	into->price += from->price;
	into->discounted += from->discounted;
	into->charge += from->charge;
	into->discount += from->discount;
	into->count += from->count;
}
