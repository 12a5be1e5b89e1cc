/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_vm_range.c - properties of the value domain.
 *
 * Exhaustive: every set of values that is a hull of a subset of 8 neighbouring numbers, placed
 * around each number where a view changes (0, 2^31, 2^32, 2^63), against every other one, through
 * every operation, in 64 and 32 bits. Random: 64-bit ranges around boundary values. The reference
 * semantics below are written from RFC 9669, apart from the code under test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/scope.h"
#include "vm/vm_range.h"

static uint64_t reference_alu(enum vm_range_op op, bool is64, uint64_t a, uint64_t b)
{
	uint32_t a4 = (uint32_t)a, b4 = (uint32_t)b;

	switch (op) {
	case RANGE_ADD:
		return is64 ? a + b : (uint32_t)(a4 + b4);
	case RANGE_SUB:
		return is64 ? a - b : (uint32_t)(a4 - b4);
	case RANGE_MUL:
		return is64 ? a * b : (uint32_t)(a4 * b4);
	case RANGE_DIV:
		if (is64)
			return b ? a / b : 0;
		return b4 ? a4 / b4 : 0;
	case RANGE_MOD:
		if (is64)
			return b ? a % b : a;
		return b4 ? a4 % b4 : a4;
	case RANGE_SDIV:
		if (is64)
			return !b ? 0 : b == UINT64_MAX ? -a : (uint64_t)((int64_t)a / (int64_t)b);
		return !b4 ? 0 : b4 == UINT32_MAX ? -a4 : (uint32_t)((int32_t)a4 / (int32_t)b4);
	case RANGE_SMOD:
		if (is64)
			return !b ? a : b == UINT64_MAX ? 0 : (uint64_t)((int64_t)a % (int64_t)b);
		return !b4 ? a4 : b4 == UINT32_MAX ? 0 : (uint32_t)((int32_t)a4 % (int32_t)b4);
	case RANGE_AND:
		return is64 ? a & b : a4 & b4;
	case RANGE_OR:
		return is64 ? a | b : a4 | b4;
	case RANGE_XOR:
		return is64 ? a ^ b : a4 ^ b4;
	case RANGE_LSH:
		return is64 ? a << (b & 63) : a4 << (b4 & 31);
	case RANGE_RSH:
		return is64 ? a >> (b & 63) : a4 >> (b4 & 31);
	case RANGE_ARSH:
		return is64 ? (uint64_t)((int64_t)a >> (b & 63))
			    : (uint32_t)((int32_t)a4 >> (b4 & 31));
	case RANGE_OPS:
		break;
	}
	abort();
}

static bool reference_cond(enum vm_range_cond cond, bool is64, uint64_t a, uint64_t b)
{
	int64_t sa = is64 ? (int64_t)a : (int32_t)a, sb = is64 ? (int64_t)b : (int32_t)b;

	if (!is64) {
		a = (uint32_t)a;
		b = (uint32_t)b;
	}
	switch (cond) {
	case RANGE_EQ:
		return a == b;
	case RANGE_NE:
		return a != b;
	case RANGE_GT:
		return a > b;
	case RANGE_LE:
		return a <= b;
	case RANGE_GE:
		return a >= b;
	case RANGE_LT:
		return a < b;
	case RANGE_SGT:
		return sa > sb;
	case RANGE_SLE:
		return sa <= sb;
	case RANGE_SGE:
		return sa >= sb;
	case RANGE_SLT:
		return sa < sb;
	case RANGE_SET:
		return a & b;
	case RANGE_NSET:
		return !(a & b);
	case RANGE_CONDS:
		break;
	}
	abort();
}

static uint64_t reference_zext(uint64_t a, unsigned bits)
{
	return bits == 64 ? a : a & ((1ull << bits) - 1);
}

static uint64_t reference_sext(uint64_t a, unsigned bits)
{
	return bits == 8    ? (uint64_t)(int8_t)a
	       : bits == 16 ? (uint64_t)(int16_t)a
	       : bits == 32 ? (uint64_t)(int32_t)a
			    : a;
}

static uint64_t reference_bswap(uint64_t a, unsigned bits)
{
	return bits == 16   ? __builtin_bswap16((uint16_t)a)
	       : bits == 32 ? __builtin_bswap32((uint32_t)a)
			    : __builtin_bswap64(a);
}

static void print_range(const char *name, const struct vm_range *r)
{
	print_error("%s: unsigned [%#lx, %#lx] signed [%ld, %ld] bits %#lx/%#lx\n", name, r->umin,
		    r->umax, r->smin, r->smax, r->value, r->mask);
}

static void must_contain(const struct vm_range *r, uint64_t want, const char *what, int op,
			 bool is64, const struct vm_range *a, uint64_t x, const struct vm_range *b,
			 uint64_t y)
{
	if (vm_range_contains(r, want))
		return;
	print_error("%s %d in %d bits: %#lx, %#lx gives %#lx\n", what, op, is64 ? 64 : 32, x, y,
		    want);
	print_range("a", a);
	print_range("b", b);
	print_range("result", r);
	fail();
}

/* ---- the exhaustive domain ---------------------------------------------------------------- */

enum { SPAN = 8, MAX_HULLS = 256 };

struct hulls {
	struct vm_range r[MAX_HULLS];
	unsigned n;
	uint64_t base;
};

static const uint64_t bases[] = {
	0, (uint64_t)-4, (1ull << 31) - 4, (1ull << 32) - 4, (1ull << 63) - 4, 28};

static void make_hulls(uint64_t base, struct hulls *h)
{
	h->n = 0;
	h->base = base;
	for (unsigned set = 1; set < 1u << SPAN; set++) {
		struct vm_range r, one;
		bool any = false, known = false;

		for (unsigned i = 0; i < SPAN; i++) {
			if (!(set >> i & 1))
				continue;
			one = vm_range_const(base + i);
			r = any ? vm_range_join(&r, &one) : one;
			any = true;
		}
		for (unsigned i = 0; i < SPAN; i++)
			if (set >> i & 1)
				assert_true(vm_range_contains(&r, base + i));
		for (unsigned i = 0; i < h->n && !known; i++)
			known = vm_range_is_equal(&h->r[i], &r);
		if (!known)
			h->r[h->n++] = r;
	}
}

/* Members of r among the span; a hull of 8 neighbours can hold others only around 2^63 or 0. */
static unsigned members(const struct hulls *h, const struct vm_range *r, uint64_t *ret)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SPAN; i++)
		if (vm_range_contains(r, h->base + i))
			ret[n++] = h->base + i;
	return n;
}

static void check_pair(const struct vm_range *a, const uint64_t *xs, unsigned nx,
		       const struct vm_range *b, const uint64_t *ys, unsigned ny)
{
	for (unsigned is64 = 0; is64 < 2; is64++) {
		for (unsigned op = 0; op < RANGE_OPS; op++) {
			struct vm_range r = vm_range_alu(op, is64, a, b);

			for (unsigned i = 0; i < nx; i++)
				for (unsigned j = 0; j < ny; j++)
					must_contain(&r, reference_alu(op, is64, xs[i], ys[j]),
						     "operation", (int)op, is64, a, xs[i], b,
						     ys[j]);
		}
		for (unsigned cond = 0; cond < RANGE_CONDS; cond++) {
			struct vm_range ra = *a, rb = *b;
			bool feasible = vm_range_refine(cond, is64, &ra, &rb);

			for (unsigned i = 0; i < nx; i++) {
				for (unsigned j = 0; j < ny; j++) {
					if (!reference_cond(cond, is64, xs[i], ys[j]))
						continue;
					assert_true(feasible);
					must_contain(&ra, xs[i], "condition (left)", (int)cond,
						     is64, a, xs[i], b, ys[j]);
					must_contain(&rb, ys[j], "condition (right)", (int)cond,
						     is64, a, xs[i], b, ys[j]);
				}
			}
			if (feasible) {
				assert_true(vm_range_within(&ra, a));
				assert_true(vm_range_within(&rb, b));
			}
		}
	}
}

static void test_pairs_exhaustively(void **state)
{
	static struct hulls left, right;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bases) - 1; i++) { /* 28 is there for shifts by it */
		make_hulls(bases[i], &left);
		for (unsigned j = 0; j < ARRAY_SIZE(bases); j++) {
			make_hulls(bases[j], &right);
			for (unsigned a = 0; a < left.n; a++) {
				uint64_t xs[SPAN], ys[SPAN];
				unsigned nx = members(&left, &left.r[a], xs);

				for (unsigned b = 0; b < right.n; b++) {
					unsigned ny = members(&right, &right.r[b], ys);

					check_pair(&left.r[a], xs, nx, &right.r[b], ys, ny);
				}
			}
		}
	}
}

static void check_unary(const struct vm_range *a, uint64_t x)
{
	static const unsigned widths[] = {8, 16, 32, 64};
	struct vm_range r;

	for (unsigned w = 0; w < ARRAY_SIZE(widths); w++) {
		r = vm_range_zext(a, widths[w]);
		must_contain(&r, reference_zext(x, widths[w]), "zext", (int)widths[w], true, a, x,
			     a, 0);
		r = vm_range_sext(a, widths[w]);
		must_contain(&r, reference_sext(x, widths[w]), "sext", (int)widths[w], true, a, x,
			     a, 0);
		if (widths[w] == 8)
			continue;
		r = vm_range_bswap(a, widths[w]);
		must_contain(&r, reference_bswap(x, widths[w]), "bswap", (int)widths[w], true, a, x,
			     a, 0);
	}
	r = vm_range_neg(true, a);
	must_contain(&r, -x, "neg", 0, true, a, x, a, 0);
	r = vm_range_neg(false, a);
	must_contain(&r, (uint32_t) - (uint32_t)x, "neg", 0, false, a, x, a, 0);
}

static void test_unary_exhaustively(void **state)
{
	static const uint64_t more[] = {0,     (uint64_t)-4,      124, 252, 32764,
					65532, 0x123456789abcdef0};
	static struct hulls h;
	uint64_t xs[SPAN];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(bases) + ARRAY_SIZE(more); i++) {
		make_hulls(i < ARRAY_SIZE(bases) ? bases[i] : more[i - ARRAY_SIZE(bases)], &h);
		for (unsigned a = 0; a < h.n; a++) {
			unsigned n = members(&h, &h.r[a], xs);

			for (unsigned k = 0; k < n; k++)
				check_unary(&h.r[a], xs[k]);
		}
	}
}

/* ---- random 64-bit ranges ------------------------------------------------------------------ */

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static uint64_t random_value(void)
{
	static const uint64_t edge[] = {0,          1,          7,         8,          31,
					32,         63,         64,        127,        128,
					255,        256,        65535,     INT32_MAX,  1ull << 31,
					UINT32_MAX, 1ull << 32, INT64_MAX, 1ull << 63, UINT64_MAX};
	uint64_t r = random_u64();

	switch (r & 3) {
	case 0:
		return edge[(r >> 8) % ARRAY_SIZE(edge)] + (r >> 4 & 3) - 1;
	case 1:
		return random_u64() >> (r >> 8 & 63);
	case 2:
		return -(random_u64() >> (r >> 8 & 63));
	default:
		return random_u64();
	}
}

/* A range that holds x: made from several independent beliefs, each of which holds. */
static struct vm_range random_range(uint64_t x)
{
	struct vm_range r = vm_range_unknown(), part;
	uint64_t kinds = random_u64(), other = random_value();

	if (!(kinds & 15))
		return vm_range_const(x);
	if (kinds & 16) {
		part = other < x ? vm_range_unsigned(other, x) : vm_range_unsigned(x, other);
		assert_true(vm_range_intersect(&r, &part, &r));
	}
	other = random_value();
	if (kinds & 32) {
		part = (int64_t)other < (int64_t)x ? vm_range_signed((int64_t)other, (int64_t)x)
						   : vm_range_signed((int64_t)x, (int64_t)other);
		assert_true(vm_range_intersect(&r, &part, &r));
	}
	if (kinds & 64) {
		part = vm_range_unknown();
		part.mask = random_value();
		part.value = x & ~part.mask;
		assert_true(vm_range_tighten(&part));
		assert_true(vm_range_contains(&part, x));
		assert_true(vm_range_intersect(&r, &part, &r));
	}
	if (kinds & 128) {
		part = vm_range_const(other);
		r = vm_range_join(&r, &part);
	}
	assert_true(vm_range_contains(&r, x));
	return r;
}

static void test_random_pairs(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t x = random_value(), y = random_value();
		struct vm_range a = random_range(x), b = random_range(y);

		check_pair(&a, &x, 1, &b, &y, 1);
		check_unary(&a, x);
	}
}

static void test_constants_stay_exact(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t x = random_value(), y = random_value();
		struct vm_range a = vm_range_const(x), b = vm_range_const(y);

		for (unsigned is64 = 0; is64 < 2; is64++) {
			for (unsigned op = 0; op < RANGE_OPS; op++) {
				struct vm_range r = vm_range_alu(op, is64, &a, &b);

				/* the one quotient whose sign wraps may be unknown */
				if (op == RANGE_SDIV && y == UINT64_MAX && x == 1ull << 63)
					continue;
				if (!vm_range_is_const(&r))
					must_contain(&a, x + 1, "not exact", (int)op, is64, &a, x,
						     &b, y);
				assert_int_equal(r.umin, reference_alu(op, is64, x, y));
			}
			for (unsigned cond = 0; cond < RANGE_CONDS; cond++) {
				struct vm_range ra = a, rb = b;

				assert_int_equal(vm_range_refine(cond, is64, &ra, &rb),
						 reference_cond(cond, is64, x, y));
			}
		}
	}
}

/* ---- the lattice ---------------------------------------------------------------------------- */

static void test_join_holds_both_and_is_least_for_equals(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 50000; i++) {
		uint64_t x = random_value(), y = random_value();
		struct vm_range a = random_range(x), b = random_range(y), j = vm_range_join(&a, &b);
		struct vm_range same = vm_range_join(&a, &a);

		assert_true(vm_range_within(&a, &j));
		assert_true(vm_range_within(&b, &j));
		assert_true(vm_range_within(&same, &a));
	}
}

static void test_intersection_holds_common_values(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 50000; i++) {
		uint64_t x = random_value();
		struct vm_range a = random_range(x), b = random_range(x), c;

		assert_true(vm_range_intersect(&a, &b, &c));
		assert_true(vm_range_contains(&c, x));
		assert_true(vm_range_within(&c, &a));
	}
}

/* Any chain of growing ranges is stopped by widening after a few steps. */
static void test_widening_ends(void **state)
{
	static const int64_t thresholds[] = {-100, -1, 0, 15, 16, 4096};

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		struct vm_range r = random_range(random_value());
		unsigned grew = 0;

		for (unsigned k = 0; k < 400; k++) {
			struct vm_range more = random_range(random_value());
			struct vm_range next = vm_range_join(&r, &more), wide;

			if (vm_range_within(&next, &r))
				continue;
			wide = vm_range_widen(&r, &next, thresholds, ARRAY_SIZE(thresholds));
			assert_true(vm_range_within(&next, &wide));
			r = wide;
			grew++;
		}
		assert_true(grew <= 4 * (ARRAY_SIZE(thresholds) + 1) + 64);
	}
}

static void test_widening_stops_at_a_threshold(void **state)
{
	static const int64_t thresholds[] = {15, 16, 17};
	struct vm_range old = vm_range_const(0), next = vm_range_unsigned(0, 1);
	struct vm_range r = vm_range_widen(&old, &next, thresholds, ARRAY_SIZE(thresholds));

	(void)state;
	assert_int_equal(r.umin, 0);
	assert_int_equal(r.umax, 15);
}

static void test_widening_keeps_alignment(void **state)
{
	static const int64_t thresholds[] = {383, 384};
	struct vm_range old = vm_range_const(0), eight = vm_range_const(8), next, r;

	(void)state;
	next = vm_range_join(&old, &eight);
	r = vm_range_widen(&old, &next, thresholds, ARRAY_SIZE(thresholds));
	assert_int_equal(r.umin, 0);
	assert_int_equal(r.umax, 376);
	assert_int_equal(r.mask & 7, 0);
}

/* ---- precision that programs rely on --------------------------------------------------------- */

static void test_masked_index_is_bounded(void **state)
{
	struct vm_range x = vm_range_unknown(), mask = vm_range_const(15),
			size = vm_range_const(24);
	struct vm_range r = vm_range_alu(RANGE_AND, true, &x, &mask);

	(void)state;
	assert_int_equal(r.umax, 15);
	r = vm_range_alu(RANGE_MUL, true, &r, &size);
	assert_int_equal(r.umin, 0);
	assert_int_equal(r.umax, 360);
	r = vm_range_alu(RANGE_MOD, true, &x, &size);
	assert_int_equal(r.umax, 23);
}

static void test_sign_extension_by_shifts(void **state)
{
	struct vm_range x = vm_range_unsigned(0, 100), n = vm_range_const(32), r;

	(void)state;
	r = vm_range_alu(RANGE_LSH, true, &x, &n);
	r = vm_range_alu(RANGE_ARSH, true, &r, &n);
	assert_int_equal(r.smin, 0);
	assert_int_equal(r.smax, 100);
}

static void test_signed_check_after_unsigned_truncation(void **state)
{
	struct vm_range x = vm_range_unknown(), zero = vm_range_const(0), ten = vm_range_const(10),
			k;

	(void)state;
	x = vm_range_zext(&x, 32);
	k = vm_range_const(UINT32_MAX);
	assert_true(vm_range_refine(RANGE_SGT, false, &x, &k));
	assert_int_equal(x.umax, INT32_MAX);
	assert_true(vm_range_refine(RANGE_SLT, false, &x, &ten));
	assert_int_equal(x.umax, 9);
	assert_int_equal(x.smin, 0);
	assert_false(vm_range_refine(RANGE_SLT, false, &x, &zero));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs_exhaustively),
		cmocka_unit_test(test_unary_exhaustively),
		cmocka_unit_test(test_random_pairs),
		cmocka_unit_test(test_constants_stay_exact),
		cmocka_unit_test(test_join_holds_both_and_is_least_for_equals),
		cmocka_unit_test(test_intersection_holds_common_values),
		cmocka_unit_test(test_widening_ends),
		cmocka_unit_test(test_widening_stops_at_a_threshold),
		cmocka_unit_test(test_widening_keeps_alignment),
		cmocka_unit_test(test_masked_index_is_bounded),
		cmocka_unit_test(test_sign_extension_by_shifts),
		cmocka_unit_test(test_signed_check_after_unsigned_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
