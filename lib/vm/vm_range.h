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
bool vm_range_is_const(const struct vm_range *r);
bool vm_range_contains(const struct vm_range *r, uint64_t x);

#endif
