/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The shape of TPC-H Q6: five predicates, one product, a 128-bit sum, over 64-byte records. */
#include "nearfold.bpf.h"

struct item {
	s64 quantity; /* hundredths, as are all amounts */
	s64 extendedprice;
	s64 discount;
	s64 tax;
	s32 shipdate; /* days */
	s32 commitdate;
	char returnflag;
	char linestatus;
	char pad[22];
};

struct q6 {
	s128 revenue;
};

FOLD_FILTER wanted(const struct item *i, u32 len)
{
	return i->shipdate >= 8766 && i->shipdate < 9131 && i->discount >= 5 && i->discount <= 7 &&
	       i->quantity < 2400;
}

FOLD_REDUCE add(struct q6 *s, const struct item *i, u32 len)
{
	s64 product;

	if (fold_mul_s64(i->extendedprice, i->discount, &product))
		fold_fail(1);
	if (fold_add128(&s->revenue, product))
		fold_fail(2);
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct q6 *into, const struct q6 *from)
{
	if (fold_add128_128(&into->revenue, &from->revenue))
		fold_fail(3);
}
