/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* vm_range_refine.c - what a jump teaches about its operands on the way it takes. */
#include "vm/vm_range.h"

static bool refine_ne_const(struct vm_range *a, uint64_t x)
{
	/* A value can be taken away only at an end of an interval. */
	if (a->umin == x && a->umin++ == UINT64_MAX)
		return false;
	if (a->umax == x && a->umax-- == 0)
		return false;
	if (a->smin == (int64_t)x && a->smin++ == INT64_MAX)
		return false;
	if (a->smax == (int64_t)x && a->smax-- == INT64_MIN)
		return false;
	return true;
}

/* a < b (or a <= b), unsigned. */
static bool refine_below(struct vm_range *a, struct vm_range *b, unsigned strict)
{
	if (strict && (!b->umax || a->umin == UINT64_MAX))
		return false;
	if (b->umax - strict < a->umax)
		a->umax = b->umax - strict;
	if (a->umin + strict > b->umin)
		b->umin = a->umin + strict;
	return true;
}

static bool refine_below_signed(struct vm_range *a, struct vm_range *b, int strict)
{
	if (strict && (b->smax == INT64_MIN || a->smin == INT64_MAX))
		return false;
	if (b->smax - strict < a->smax)
		a->smax = b->smax - strict;
	if (a->smin + strict > b->smin)
		b->smin = a->smin + strict;
	return true;
}

/* a & x is zero: the bits of x are known to be 0. */
static bool refine_bits_clear(struct vm_range *a, uint64_t x)
{
	if (a->value & x)
		return false;
	a->mask &= ~x;
	return true;
}

/* a & x is not zero: with one bit it is known to be 1. */
static bool refine_bit_set(struct vm_range *a, uint64_t x)
{
	uint64_t may = (a->value | a->mask) & x;

	if (!may)
		return false;
	if (!(may & (may - 1))) {
		a->value |= may;
		a->mask &= ~may;
	}
	return true;
}

static bool refine64(enum vm_range_cond cond, struct vm_range *a, struct vm_range *b)
{
	bool feasible = true;

	switch (cond) {
	case RANGE_EQ:
		feasible = vm_range_intersect(a, b, a);
		*b = *a;
		return feasible;
	case RANGE_NE:
		if (vm_range_is_const(a) && vm_range_is_const(b) && a->umin == b->umin)
			return false;
		if (vm_range_is_const(b))
			feasible = refine_ne_const(a, b->umin);
		else if (vm_range_is_const(a))
			feasible = refine_ne_const(b, a->umin);
		break;
	case RANGE_GT:
		feasible = refine_below(b, a, 1);
		break;
	case RANGE_LE:
		feasible = refine_below(a, b, 0);
		break;
	case RANGE_GE:
		feasible = refine_below(b, a, 0);
		break;
	case RANGE_LT:
		feasible = refine_below(a, b, 1);
		break;
	case RANGE_SGT:
		feasible = refine_below_signed(b, a, 1);
		break;
	case RANGE_SLE:
		feasible = refine_below_signed(a, b, 0);
		break;
	case RANGE_SGE:
		feasible = refine_below_signed(b, a, 0);
		break;
	case RANGE_SLT:
		feasible = refine_below_signed(a, b, 1);
		break;
	case RANGE_SET:
		if (!((a->value | a->mask) & (b->value | b->mask)))
			return false;
		if (vm_range_is_const(b))
			feasible = refine_bit_set(a, b->umin);
		else if (vm_range_is_const(a))
			feasible = refine_bit_set(b, a->umin);
		break;
	case RANGE_NSET:
		/* Bits that are surely 1 on one side are surely 0 on the other. */
		feasible = refine_bits_clear(a, b->value) && refine_bits_clear(b, a->value);
		break;
	case RANGE_CONDS:
		break;
	}
	return feasible && vm_range_tighten(a) && vm_range_tighten(b);
}

/* The low half of *a is now believed to be `low` (zero-extended). */
static bool refine_low_half(struct vm_range *a, const struct vm_range *low)
{
	struct vm_range whole = vm_range_unknown();

	if (a->umin >> 32 == a->umax >> 32) {
		struct vm_range high = vm_range_const(a->umin & ~(uint64_t)UINT32_MAX);

		whole = vm_range_alu(RANGE_ADD, true, low, &high);
	} else if (a->smin >= INT32_MIN && a->smax <= INT32_MAX) {
		whole = vm_range_sext(low, 32);
	} else {
		whole.value = low->value & UINT32_MAX;
		whole.mask = low->mask | ~(uint64_t)UINT32_MAX;
		vm_range_tighten(&whole);
	}
	return vm_range_intersect(a, &whole, a);
}

bool vm_range_refine(enum vm_range_cond cond, bool is64, struct vm_range *a, struct vm_range *b)
{
	bool is_signed = cond >= RANGE_SGT && cond <= RANGE_SLT;
	struct vm_range x, y;

	if (is64)
		return refine64(cond, a, b);
	x = is_signed ? vm_range_sext(a, 32) : vm_range_zext(a, 32);
	y = is_signed ? vm_range_sext(b, 32) : vm_range_zext(b, 32);
	if (!refine64(cond, &x, &y))
		return false;
	if (is_signed) {
		x = vm_range_zext(&x, 32);
		y = vm_range_zext(&y, 32);
	}
	return refine_low_half(a, &x) && refine_low_half(b, &y);
}
