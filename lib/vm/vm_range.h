/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_range.h - the value domain: what the verifier believes of a 64-bit scalar.
 *
 * A value x is inside r when umin <= x <= umax (unsigned), smin <= x <= smax (signed), and
 * (x & ~mask) == value ("known bits", tnum: Vishwanathan et al., "Sound, Precise, and Fast
 * Abstract Interpretation with Tristate Numbers", CGO 2022). Each operation returns a range that
 * holds every possible result (soundness); tests/unit/vm/test_vm_range.c checks it exhaustively at
 * small widths and at random at 64 bits. Pure functions, any thread.
 */
#ifndef NF_VM_RANGE_H
#define NF_VM_RANGE_H

#include <stdbool.h>
#include <stdint.h>

struct vm_range {
	uint64_t umin, umax;
	int64_t smin, smax;
	uint64_t value, mask; /* known bits: value where mask is 0 */
};

struct vm_range vm_range_const(uint64_t x);
struct vm_range vm_range_unknown(void);
struct vm_range vm_range_unsigned(uint64_t umin, uint64_t umax); /* umin <= umax */
struct vm_range vm_range_signed(int64_t smin, int64_t smax);     /* smin <= smax */
bool vm_range_is_const(const struct vm_range *r);
bool vm_range_contains(const struct vm_range *r, uint64_t x);
bool vm_range_is_equal(const struct vm_range *a, const struct vm_range *b);
/* Is every value of a believed possible by b? */
bool vm_range_within(const struct vm_range *a, const struct vm_range *b);

/* Let the three views (unsigned, signed, bits) tighten one another. False when they contradict: no
 * value is left, and *r is then meaningless. Every range that this module returns is tight. */
bool vm_range_tighten(struct vm_range *r);
/* Both beliefs hold. False when no value is left. */
bool vm_range_intersect(const struct vm_range *a, const struct vm_range *b, struct vm_range *ret);
/* One of both holds. */
struct vm_range vm_range_join(const struct vm_range *a, const struct vm_range *b);

/*
 * A range that holds `next` (which holds `old`) and that a loop can grow only a few times: a bound
 * that moved goes on to the next of the n ascending thresholds, or to the end of its type. Known
 * bits above the lowest one that was lost are given up, so that alignment survives.
 */
struct vm_range vm_range_widen(const struct vm_range *old, const struct vm_range *next,
			       const int64_t *thresholds, uint32_t n);

/* RFC 9669 section 4.1. In 32 bits the operands are cut to 32 bits and the result zero-extended.
 * Division by zero gives 0, modulo by zero leaves the first operand (cut to 32 bits in 32 bits),
 * shifts use the low 6 (5) bits of the second operand. */
enum vm_range_op {
	RANGE_ADD,
	RANGE_SUB,
	RANGE_MUL,
	RANGE_DIV,
	RANGE_SDIV,
	RANGE_MOD,
	RANGE_SMOD,
	RANGE_AND,
	RANGE_OR,
	RANGE_XOR,
	RANGE_LSH,
	RANGE_RSH,
	RANGE_ARSH,
	RANGE_OPS,
};

struct vm_range vm_range_alu(enum vm_range_op op, bool is64, const struct vm_range *a,
			     const struct vm_range *b);
struct vm_range vm_range_neg(bool is64, const struct vm_range *a);

/* The low `bits` (8, 16, 32, 64), zero- or sign-extended. */
struct vm_range vm_range_zext(const struct vm_range *a, unsigned bits);
struct vm_range vm_range_sext(const struct vm_range *a, unsigned bits);
/* The low `bits` (16, 32, 64) with their bytes reversed, zero-extended. */
struct vm_range vm_range_bswap(const struct vm_range *a, unsigned bits);

/* The conditions of jumps, RFC 9669 section 4.3; RANGE_NSET is "not JSET". */
enum vm_range_cond {
	RANGE_EQ,
	RANGE_NE,
	RANGE_GT,
	RANGE_LE,
	RANGE_GE,
	RANGE_LT,
	RANGE_SGT,
	RANGE_SLE,
	RANGE_SGE,
	RANGE_SLT,
	RANGE_SET,
	RANGE_NSET,
	RANGE_CONDS,
};

static inline enum vm_range_cond vm_range_negate(enum vm_range_cond cond)
{
	return (enum vm_range_cond)(cond ^ 1); /* they stand in pairs */
}

/* Both ranges given that "a cond b" holds in 64 or in the low 32 bits. False when it cannot hold;
 * the ranges are then meaningless. */
bool vm_range_refine(enum vm_range_cond cond, bool is64, struct vm_range *a, struct vm_range *b);

#endif
