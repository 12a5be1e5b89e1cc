/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_range_arith.c - arithmetic over ranges (RFC 9669 section 4.1).
 *
 * Known bits under addition and multiplication follow Vishwanathan et al. (CGO 2022): the sum of
 * the smallest and of the largest members differ exactly where a carry is uncertain.
 */
#include "vm/vm_range.h"

/* Known bits only, bounds open. */
static struct vm_range from_bits(uint64_t value, uint64_t mask)
{
	struct vm_range r = vm_range_unknown();

	r.value = value & ~mask;
	r.mask = mask;
	return r;
}

static struct vm_range tightened(struct vm_range r)
{
	vm_range_tighten(&r);
	return r;
}

static void add_bits(struct vm_range *r, uint64_t av, uint64_t am, uint64_t bv, uint64_t bm)
{
	uint64_t least = av + bv;
	uint64_t most = least + am + bm;

	r->mask = (least ^ most) | am | bm;
	r->value = least & ~r->mask;
}

static struct vm_range range_add(const struct vm_range *a, const struct vm_range *b)
{
	struct vm_range r = vm_range_unknown();
	uint64_t umin, umax;
	int64_t smin, smax;
	bool wraps_low, wraps_high;

	add_bits(&r, a->value, a->mask, b->value, b->mask);
	/* An interval survives when both of its ends wrap, or neither. */
	wraps_low = __builtin_add_overflow(a->umin, b->umin, &umin);
	wraps_high = __builtin_add_overflow(a->umax, b->umax, &umax);
	if (wraps_low == wraps_high) {
		r.umin = umin;
		r.umax = umax;
	}
	wraps_low = __builtin_add_overflow(a->smin, b->smin, &smin);
	wraps_high = __builtin_add_overflow(a->smax, b->smax, &smax);
	if (!wraps_low && !wraps_high) {
		r.smin = smin;
		r.smax = smax;
	}
	return tightened(r);
}

static struct vm_range range_sub(const struct vm_range *a, const struct vm_range *b)
{
	struct vm_range r = vm_range_unknown();
	uint64_t umin, umax, least, most;
	int64_t smin, smax;
	bool wraps_low, wraps_high;

	least = a->value - (b->value + b->mask);
	most = a->value + a->mask - b->value;
	r.mask = (least ^ most) | a->mask | b->mask;
	r.value = (a->value - b->value) & ~r.mask;
	wraps_low = __builtin_sub_overflow(a->umin, b->umax, &umin);
	wraps_high = __builtin_sub_overflow(a->umax, b->umin, &umax);
	if (wraps_low == wraps_high) {
		r.umin = umin;
		r.umax = umax;
	}
	wraps_low = __builtin_sub_overflow(a->smin, b->smax, &smin);
	wraps_high = __builtin_sub_overflow(a->smax, b->smin, &smax);
	if (!wraps_low && !wraps_high) {
		r.smin = smin;
		r.smax = smax;
	}
	return tightened(r);
}

static struct vm_range range_mul(const struct vm_range *a, const struct vm_range *b)
{
	struct vm_range r = vm_range_unknown();
	uint64_t av = a->value, am = a->mask, umin, umax, sum_mask = 0;
	int64_t corner[4];

	/* Long multiplication: the certain part exactly, the uncertain bits of each partial
	 * product added up as pure masks. */
	for (uint64_t bv = b->value, bm = b->mask, pv = av, pm = am; bv | bm;
	     bv >>= 1, bm >>= 1, pv <<= 1, pm <<= 1) {
		struct vm_range sum;

		if (bm & 1)
			add_bits(&sum, 0, sum_mask, 0, pv | pm);
		else if (bv & 1)
			add_bits(&sum, 0, sum_mask, 0, pm);
		else
			continue;
		sum_mask = sum.mask;
	}
	add_bits(&r, av * b->value, 0, 0, sum_mask);

	if (!__builtin_mul_overflow(a->umax, b->umax, &umax)) {
		umin = a->umin * b->umin;
		r.umin = umin;
		r.umax = umax;
	}
	if (!__builtin_mul_overflow(a->smin, b->smin, &corner[0]) &&
	    !__builtin_mul_overflow(a->smin, b->smax, &corner[1]) &&
	    !__builtin_mul_overflow(a->smax, b->smin, &corner[2]) &&
	    !__builtin_mul_overflow(a->smax, b->smax, &corner[3])) {
		r.smin = r.smax = corner[0];
		for (int i = 1; i < 4; i++) {
			if (corner[i] < r.smin)
				r.smin = corner[i];
			if (corner[i] > r.smax)
				r.smax = corner[i];
		}
	}
	return tightened(r);
}

static struct vm_range range_div(const struct vm_range *a, const struct vm_range *b)
{
	if (!b->umax)
		return vm_range_const(0);
	if (!b->umin) /* by zero gives 0, by one the most */
		return vm_range_unsigned(0, a->umax);
	return vm_range_unsigned(a->umin / b->umax, a->umax / b->umin);
}

static struct vm_range range_mod(const struct vm_range *a, const struct vm_range *b)
{
	struct vm_range r;

	if (a->umax < b->umin || !b->umax)
		return *a;
	if (vm_range_is_const(a) && vm_range_is_const(b))
		return vm_range_const(a->umin % b->umin);
	if (vm_range_is_const(b) && !(b->umin & (b->umin - 1))) {
		uint64_t low = b->umin - 1;

		r = from_bits(a->value & low, a->mask & low);
		return tightened(r);
	}
	/* By zero leaves a; otherwise it is below b and not above a. */
	r = vm_range_unsigned(0, b->umin && b->umax - 1 < a->umax ? b->umax - 1 : a->umax);
	return r;
}

/* a / b for one divisor, RFC 9669: INT64_MIN / -1 wraps to INT64_MIN. */
static int64_t sdiv_one(int64_t a, int64_t b)
{
	return b == -1 ? (int64_t) - (uint64_t)a : a / b;
}

/* The quotients by divisors of one sign, [low, high] without 0. */
static struct vm_range sdiv_by(const struct vm_range *a, int64_t low, int64_t high)
{
	int64_t corner[4], smin, smax;

	if (low <= -1 && high >= -1 && a->smin == INT64_MIN)
		return vm_range_unknown(); /* the one quotient that wraps breaks the order */
	corner[0] = sdiv_one(a->smin, low);
	corner[1] = sdiv_one(a->smin, high);
	corner[2] = sdiv_one(a->smax, low);
	corner[3] = sdiv_one(a->smax, high);
	smin = smax = corner[0];
	for (int i = 1; i < 4; i++) {
		if (corner[i] < smin)
			smin = corner[i];
		if (corner[i] > smax)
			smax = corner[i];
	}
	/* Truncation is monotone in the dividend for a fixed divisor, and in the divisor for a
	 * fixed dividend's sign: the corners bound it, with 0 between when the dividend's sign
	 * changes. */
	if (a->smin <= 0 && a->smax >= 0) {
		if (smin > 0)
			smin = 0;
		if (smax < 0)
			smax = 0;
	}
	return vm_range_signed(smin, smax);
}

static struct vm_range range_sdiv(const struct vm_range *a, const struct vm_range *b)
{
	struct vm_range r, part;
	bool any = false;

	if (b->smin <= 0 && b->smax >= 0) {
		r = vm_range_const(0);
		any = true;
	}
	if (b->smax > 0) {
		part = sdiv_by(a, b->smin > 0 ? b->smin : 1, b->smax);
		r = any ? vm_range_join(&r, &part) : part;
		any = true;
	}
	if (b->smin < 0) {
		part = sdiv_by(a, b->smin, b->smax < 0 ? b->smax : -1);
		r = any ? vm_range_join(&r, &part) : part;
	}
	return r;
}

static struct vm_range range_smod(const struct vm_range *a, const struct vm_range *b)
{
	int64_t smin = a->smin < 0 ? a->smin : 0;
	int64_t smax = a->smax > 0 ? a->smax : 0;
	uint64_t low, high, most;

	if (b->smin == 0 && b->smax == 0)
		return *a;
	if (vm_range_is_const(a) && vm_range_is_const(b))
		return vm_range_const(b->smin == -1 ? 0 : (uint64_t)(a->smin % b->smin));
	if (b->smin <= 0 && b->smax >= 0) /* by zero leaves a */
		return vm_range_signed(smin, smax);
	/* The remainder has the dividend's sign and is smaller than the divisor. */
	low = b->smin < 0 ? -(uint64_t)b->smin : (uint64_t)b->smin;
	high = b->smax < 0 ? -(uint64_t)b->smax : (uint64_t)b->smax;
	most = (low > high ? low : high) - 1;
	if (most < (uint64_t)smax)
		smax = (int64_t)most;
	if (most < -(uint64_t)smin)
		smin = -(int64_t)most;
	return vm_range_signed(smin, smax);
}

static struct vm_range range_and(const struct vm_range *a, const struct vm_range *b)
{
	uint64_t known1 = a->value & b->value;
	struct vm_range r =
		from_bits(known1, ((a->value | a->mask) & (b->value | b->mask)) ^ known1);

	r.umax = a->umax < b->umax ? a->umax : b->umax;
	return tightened(r);
}

static struct vm_range range_or(const struct vm_range *a, const struct vm_range *b)
{
	uint64_t known1 = a->value | b->value;
	struct vm_range r = from_bits(known1, (a->mask | b->mask) & ~known1);

	r.umin = a->umin > b->umin ? a->umin : b->umin;
	return tightened(r);
}

static struct vm_range range_xor(const struct vm_range *a, const struct vm_range *b)
{
	return tightened(from_bits(a->value ^ b->value, a->mask | b->mask));
}

static struct vm_range shift_left(const struct vm_range *a, unsigned n)
{
	struct vm_range r = from_bits(a->value << n, a->mask << n);

	if (!n)
		return *a;
	if (!(a->umax >> (64 - n))) {
		r.umin = a->umin << n;
		r.umax = a->umax << n;
	}
	if ((int64_t)((uint64_t)a->smin << n) >> n == a->smin &&
	    (int64_t)((uint64_t)a->smax << n) >> n == a->smax) {
		r.smin = (int64_t)((uint64_t)a->smin << n);
		r.smax = (int64_t)((uint64_t)a->smax << n);
	}
	return tightened(r);
}

static struct vm_range shift_right(const struct vm_range *a, unsigned n)
{
	struct vm_range r = from_bits(a->value >> n, a->mask >> n);

	if (!n)
		return *a;
	r.umin = a->umin >> n;
	r.umax = a->umax >> n;
	return tightened(r);
}

static struct vm_range shift_right_signed(const struct vm_range *a, unsigned n)
{
	/* An unknown sign bit spreads as unknown, a known one as itself. */
	struct vm_range r =
		from_bits((uint64_t)((int64_t)a->value >> n), (uint64_t)((int64_t)a->mask >> n));

	r.smin = a->smin >> n;
	r.smax = a->smax >> n;
	return tightened(r);
}

/* Shift by every amount that is possible: there are 64 at most. */
static struct vm_range shift_by(const struct vm_range *a, const struct vm_range *b, unsigned bits,
				struct vm_range (*shift)(const struct vm_range *, unsigned))
{
	struct vm_range low = vm_range_const(bits - 1), r, one;
	struct vm_range amount = range_and(b, &low);
	bool any = false;

	for (uint64_t n = amount.umin; n <= amount.umax; n++) {
		if (!vm_range_contains(&amount, n))
			continue;
		one = shift(a, (unsigned)n);
		r = any ? vm_range_join(&r, &one) : one;
		any = true;
	}
	return any ? r : vm_range_unknown();
}

struct vm_range vm_range_zext(const struct vm_range *a, unsigned bits)
{
	uint64_t low = bits == 64 ? UINT64_MAX : (1ull << bits) - 1;
	struct vm_range r;

	if (a->umax <= low)
		return *a;
	r = from_bits(a->value & low, a->mask & low);
	if (a->umin >> bits == a->umax >> bits) {
		r.umin = a->umin & low;
		r.umax = a->umax & low;
	} else if (a->smin >> bits == a->smax >> bits) {
		r.umin = (uint64_t)a->smin & low;
		r.umax = (uint64_t)a->smax & low;
	}
	return tightened(r);
}

struct vm_range vm_range_sext(const struct vm_range *a, unsigned bits)
{
	int64_t top = (int64_t)(1ull << (bits - 1));
	struct vm_range r;

	if (bits == 64 || (a->smin >= -top && a->smax < top))
		return *a;
	r = vm_range_zext(a, bits);
	if (r.umax < (uint64_t)top)
		return r;
	if (r.umin >= (uint64_t)top) {
		struct vm_range high = vm_range_const(~((1ull << bits) - 1));

		return range_or(&r, &high);
	}
	/* Both signs: a value in [-top, top), and the sign bit repeats upwards. */
	r.mask |= ~(uint64_t)(top - 1);
	r.value &= ~r.mask;
	r.umin = 0;
	r.umax = UINT64_MAX;
	r.smin = -top;
	r.smax = top - 1;
	return tightened(r);
}

struct vm_range vm_range_bswap(const struct vm_range *a, unsigned bits)
{
	struct vm_range r = vm_range_zext(a, bits);

	return tightened(from_bits(__builtin_bswap64(r.value) >> (64 - bits),
				   __builtin_bswap64(r.mask) >> (64 - bits)));
}

static struct vm_range alu64(enum vm_range_op op, unsigned bits, const struct vm_range *a,
			     const struct vm_range *b)
{
	switch (op) {
	case RANGE_ADD:
		return range_add(a, b);
	case RANGE_SUB:
		return range_sub(a, b);
	case RANGE_MUL:
		return range_mul(a, b);
	case RANGE_DIV:
		return range_div(a, b);
	case RANGE_SDIV:
		return range_sdiv(a, b);
	case RANGE_MOD:
		return range_mod(a, b);
	case RANGE_SMOD:
		return range_smod(a, b);
	case RANGE_AND:
		return range_and(a, b);
	case RANGE_OR:
		return range_or(a, b);
	case RANGE_XOR:
		return range_xor(a, b);
	case RANGE_LSH:
		return shift_by(a, b, bits, shift_left);
	case RANGE_RSH:
		return shift_by(a, b, bits, shift_right);
	case RANGE_ARSH:
		return shift_by(a, b, bits, shift_right_signed);
	case RANGE_OPS:
		break;
	}
	return vm_range_unknown();
}

struct vm_range vm_range_alu(enum vm_range_op op, bool is64, const struct vm_range *a,
			     const struct vm_range *b)
{
	bool is_signed = op == RANGE_SDIV || op == RANGE_SMOD || op == RANGE_ARSH;
	struct vm_range x, y, r;

	if (is64)
		return alu64(op, 64, a, b);
	/* In 64 bits over the extended operands the low 32 bits come out the same. */
	x = is_signed ? vm_range_sext(a, 32) : vm_range_zext(a, 32);
	y = is_signed ? vm_range_sext(b, 32) : vm_range_zext(b, 32);
	r = alu64(op, 32, &x, &y);
	return vm_range_zext(&r, 32);
}

struct vm_range vm_range_neg(bool is64, const struct vm_range *a)
{
	struct vm_range zero = vm_range_const(0);

	return vm_range_alu(RANGE_SUB, is64, &zero, a);
}
