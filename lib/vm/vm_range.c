/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_range.c - the lattice of the value domain: make, compare, tighten, join, widen.
 *
 * A range is three views of one set of 64-bit values: an unsigned interval, a signed interval and
 * the bits that are known. Each operation computes every view by itself, soundly, and then lets
 * the views tighten one another (vm_range_tighten), because what one view loses another often
 * keeps: x & 0xff is an interval only through its bits, x - 1 only through its sign.
 *
 * vm_range_arith.c holds the arithmetic, vm_range_refine.c what a taken jump teaches.
 */
#include "vm/vm_range.h"

struct vm_range vm_range_unknown(void)
{
	return (struct vm_range){
		.umin = 0,
		.umax = UINT64_MAX,
		.smin = INT64_MIN,
		.smax = INT64_MAX,
		.value = 0,
		.mask = UINT64_MAX,
	};
}

struct vm_range vm_range_const(uint64_t x)
{
	return (struct vm_range){
		.umin = x,
		.umax = x,
		.smin = (int64_t)x,
		.smax = (int64_t)x,
		.value = x,
		.mask = 0,
	};
}

struct vm_range vm_range_unsigned(uint64_t umin, uint64_t umax)
{
	struct vm_range r = vm_range_unknown();

	r.umin = umin;
	r.umax = umax;
	vm_range_tighten(&r);
	return r;
}

struct vm_range vm_range_signed(int64_t smin, int64_t smax)
{
	struct vm_range r = vm_range_unknown();

	r.smin = smin;
	r.smax = smax;
	vm_range_tighten(&r);
	return r;
}

bool vm_range_is_const(const struct vm_range *r)
{
	return r->umin == r->umax;
}

bool vm_range_contains(const struct vm_range *r, uint64_t x)
{
	return x >= r->umin && x <= r->umax && (int64_t)x >= r->smin && (int64_t)x <= r->smax &&
	       (x & ~r->mask) == r->value;
}

bool vm_range_is_equal(const struct vm_range *a, const struct vm_range *b)
{
	return a->umin == b->umin && a->umax == b->umax && a->smin == b->smin &&
	       a->smax == b->smax && a->value == b->value && a->mask == b->mask;
}

bool vm_range_within(const struct vm_range *a, const struct vm_range *b)
{
	return a->umin >= b->umin && a->umax <= b->umax && a->smin >= b->smin &&
	       a->smax <= b->smax && !(a->mask & ~b->mask) && (a->value & ~b->mask) == b->value;
}

/*
 * All members agree in the bits below the lowest unknown one: move both ends of an interval
 * [min, max] inwards to the next such value. The same arithmetic serves the signed interval with
 * its sign bit flipped, since the order is then the unsigned one.
 */
static bool tighten_low_bits(uint64_t *min, uint64_t *max, uint64_t value, uint64_t step)
{
	uint64_t low = step - 1; /* step 0 stands for 2^64: everything is known */
	uint64_t first = (*min & ~low) | (value & low);
	uint64_t last = (*max & ~low) | (value & low);

	if (first < *min && (!step || __builtin_add_overflow(first, step, &first)))
		return false;
	if (last > *max && (!step || __builtin_sub_overflow(last, step, &last)))
		return false;
	*min = first;
	*max = last;
	return first <= last;
}

static bool tighten_once(struct vm_range *r)
{
	const uint64_t sign = 1ull << 63;
	uint64_t step, smin, smax, differ, shared;

	/* Bits give bounds. */
	if (r->value > r->umin)
		r->umin = r->value;
	if ((r->value | r->mask) < r->umax)
		r->umax = r->value | r->mask;
	if ((int64_t)(r->value | (r->mask & sign)) > r->smin)
		r->smin = (int64_t)(r->value | (r->mask & sign));
	if ((int64_t)(r->value | (r->mask & ~sign)) < r->smax)
		r->smax = (int64_t)(r->value | (r->mask & ~sign));
	if (r->umin > r->umax || r->smin > r->smax)
		return false;

	/* An interval within one half of the number circle is the same in both orders. */
	if ((r->smin ^ r->smax) >= 0) {
		if ((uint64_t)r->smin > r->umin)
			r->umin = (uint64_t)r->smin;
		if ((uint64_t)r->smax < r->umax)
			r->umax = (uint64_t)r->smax;
	} else if (r->umin > (uint64_t)r->smax && r->umin < (uint64_t)r->smin) {
		r->umin = (uint64_t)r->smin; /* it starts in the gap between both ends */
	} else if (r->umax < (uint64_t)r->smin && r->umax > (uint64_t)r->smax) {
		r->umax = (uint64_t)r->smax;
	}
	if (r->umin > r->umax)
		return false;
	if ((int64_t)(r->umin ^ r->umax) >= 0) {
		if ((int64_t)r->umin > r->smin)
			r->smin = (int64_t)r->umin;
		if ((int64_t)r->umax < r->smax)
			r->smax = (int64_t)r->umax;
	}
	if (r->smin > r->smax)
		return false;

	/* Bounds give bits: those above the highest in which the ends differ. */
	differ = r->umin ^ r->umax;
	shared = differ ? ~(UINT64_MAX >> __builtin_clzll(differ)) : UINT64_MAX;
	if ((r->umin ^ r->value) & ~r->mask & shared)
		return false;
	r->value |= r->umin & shared & r->mask;
	r->mask &= ~shared;

	step = r->mask & -r->mask;
	smin = (uint64_t)r->smin ^ sign;
	smax = (uint64_t)r->smax ^ sign;
	if (!tighten_low_bits(&r->umin, &r->umax, r->value, step) ||
	    !tighten_low_bits(&smin, &smax, step ? r->value : r->value ^ sign, step))
		return false;
	r->smin = (int64_t)(smin ^ sign);
	r->smax = (int64_t)(smax ^ sign);
	return true;
}

bool vm_range_tighten(struct vm_range *r)
{
	/* A view that gained may teach the others once more; a handful of rounds settles all but
	 * contrived cases, and stopping early only loses precision. */
	for (int round = 0; round < 4; round++) {
		struct vm_range before = *r;

		if (!tighten_once(r))
			return false;
		if (vm_range_is_equal(&before, r))
			break;
	}
	return true;
}

bool vm_range_intersect(const struct vm_range *a, const struct vm_range *b, struct vm_range *ret)
{
	struct vm_range r = {
		.umin = a->umin > b->umin ? a->umin : b->umin,
		.umax = a->umax < b->umax ? a->umax : b->umax,
		.smin = a->smin > b->smin ? a->smin : b->smin,
		.smax = a->smax < b->smax ? a->smax : b->smax,
		.value = a->value | b->value,
		.mask = a->mask & b->mask,
	};

	if ((a->value ^ b->value) & ~a->mask & ~b->mask)
		return false;
	if (!vm_range_tighten(&r))
		return false;
	*ret = r;
	return true;
}

struct vm_range vm_range_join(const struct vm_range *a, const struct vm_range *b)
{
	uint64_t mask = a->mask | b->mask | (a->value ^ b->value);
	struct vm_range r = {
		.umin = a->umin < b->umin ? a->umin : b->umin,
		.umax = a->umax > b->umax ? a->umax : b->umax,
		.smin = a->smin < b->smin ? a->smin : b->smin,
		.smax = a->smax > b->smax ? a->smax : b->smax,
		.value = a->value & ~mask,
		.mask = mask,
	};

	vm_range_tighten(&r);
	return r;
}

/* How many of the n ascending thresholds are below x. */
static uint32_t thresholds_below(int64_t x, const int64_t *thresholds, uint32_t n)
{
	uint32_t first = 0;

	while (n) {
		uint32_t half = n / 2;

		if (thresholds[first + half] < x) {
			first += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return first;
}

static int64_t threshold_up(int64_t x, const int64_t *thresholds, uint32_t n)
{
	uint32_t i = thresholds_below(x, thresholds, n);

	return i < n ? thresholds[i] : INT64_MAX;
}

static int64_t threshold_down(int64_t x, const int64_t *thresholds, uint32_t n)
{
	uint32_t i = thresholds_below(x, thresholds, n);

	if (i < n && thresholds[i] == x)
		return x;
	return i ? thresholds[i - 1] : INT64_MIN;
}

struct vm_range vm_range_widen(const struct vm_range *old, const struct vm_range *next,
			       const int64_t *thresholds, uint32_t n)
{
	struct vm_range r = *next;
	uint64_t lost = next->mask & ~old->mask;

	if (r.smax > old->smax)
		r.smax = threshold_up(r.smax, thresholds, n);
	if (r.smin < old->smin)
		r.smin = threshold_down(r.smin, thresholds, n);
	/* A threshold says something of an unsigned bound only where both orders agree. */
	if (r.umax > old->umax) {
		int64_t t = r.umax <= INT64_MAX ? threshold_up((int64_t)r.umax, thresholds, n)
						: INT64_MAX;

		r.umax = t == INT64_MAX ? UINT64_MAX : (uint64_t)t;
	}
	if (r.umin < old->umin) {
		int64_t t =
			r.umin <= INT64_MAX ? threshold_down((int64_t)r.umin, thresholds, n) : 0;

		r.umin = t < 0 ? 0 : (uint64_t)t;
	}
	if (lost)
		r.mask |= -(lost & -lost);
	r.value &= ~r.mask;
	vm_range_tighten(&r);
	return r;
}
