/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm.h - a verified program: what the verifier promises and every engine relies on.
 *
 * vm_verify() takes a sealed program and the length that a record of the data set can have, and
 * gives an immutable struct vm_program with, for every instruction of every flattened entry
 * function, a verdict. Engines emit a bare access for VM_PROVEN and a bounds check for VM_GUARDED.
 *
 * Calling convention of the entry functions (r1.. on entry, r10 = top of the stack frame):
 *	filter   r1 = record, r2 = len, r3 = params                 returns r0 (32 bits matter: int)
 *	key      r1 = record, r2 = len, r3 = params, r4 = key       key zeroed before
 *	reduce   r1 = state,  r2 = record, r3 = len, r4 = params    returns r0: 0 FOLD_MORE, 1
 *FOLD_STOP combine  r1 = into,   r2 = from `len` is zero-extended to 64 bits. A program without
 *parameters gets params = a pointer to a region of no bytes. A return value of reduce other than 0
 *and 1 counts as FOLD_STOP.
 *
 * Metering: every jump backwards that is taken costs `charge` (the instructions from its target
 * to itself); the sum over one record's filter + key + reduce, and over one combine, may not
 * exceed the budget. Straight-line code costs nothing, but for its helpers: one that reads n bytes
 * through a pointer and a size costs n / 16 a call (rounded down for each such argument), after its
 * arguments are found to be in bounds and before it runs. A search through a long line costs what
 * it takes, not one instruction, and there is room for thousands of them without a loop.
 *
 * Stack: the frame is zeroed by nobody; the verifier refuses reads of bytes that were not
 * written. Regions never overlap.
 *
 * Speculation: a VM_PROVEN load of record, params or rodata whose offset_min equals its offset_max
 * is readable whichever way the function goes, and has no side effects. With a computed offset it
 * is in bounds on the ways that lead to it (`if (i < 3) x = rec->v[i]` is proven), not before.
 *
 * Comparing two pointers into a region gives what comparing their offsets gives, as long as they
 *are between 64 KiB before and 8 GiB after its start; beyond, either answer.
 */
#ifndef NF_VM_H
#define NF_VM_H

#include <stdio.h>

#include "program/program_flatten.h"
#include "vm/vm_range.h"

enum { VM_DEFAULT_BUDGET = 1000000, VM_NEAR_BYTES = 65536 };

/* Where a pointer points. */
enum vm_region {
	VM_REGION_NONE,
	VM_REGION_RECORD, /* read only, record_min..record_max bytes */
	VM_REGION_PARAMS, /* read only */
	VM_REGION_STATE,  /* read and write: reduce's state, combine's into */
	VM_REGION_FROM,   /* read only: combine's from */
	VM_REGION_KEY,    /* read and write */
	VM_REGION_STACK,  /* read and write; offsets are negative, relative to r10 */
	VM_REGION_RODATA, /* read only */
	VM_REGIONS,
};

const char *vm_region_name(enum vm_region region);

enum vm_verdict {
	VM_NO_ACCESS, /* not a memory access, or unreachable */
	VM_PROVEN,
	VM_GUARDED,
};

/* What the verifier knows of one flat instruction. */
struct vm_insn {
	uint8_t verdict; /* enum vm_verdict; of a helper call: the worst of its arguments' */
	uint8_t region;  /* enum vm_region of a load's or store's address, of two pointers */
	bool reachable;
	bool jump_target; /* starts a basic block */
	bool back_edge;   /* a jump whose taken branch goes backwards: metered */
	uint32_t charge;  /* what the meter takes then */
	/* The address's offset into its region, over all ways here: [offset_min, offset_max].
	 * For a VM_PROVEN access these are exact enough to hoist by. */
	int64_t offset_min, offset_max;
	/* Two pointers into one region, `region`, are compared or subtracted here; far: one of them
	 * may be more than VM_NEAR_BYTES in front of the region or behind it. */
	bool pointers, far;
	/* Of a helper call: regions of r1..r5 where they are pointers, and which of those memory
	 * arguments need a check (bit i: argument i). */
	uint8_t arg_region[5];
	uint8_t arg_guarded;
};

struct vm_code {
	struct flat_code flat; /* n_insns 0: the program has no such function */
	struct vm_insn *info;
	bool has_loop;
	bool metered; /* has a loop, or calls a helper that costs what it reads */
	bool has_guard;
	bool calls_helper;
};

struct vm_bounds {
	uint32_t record_min_bytes, record_max_bytes; /* equal for fixed:N; 0 and 1 MiB for lines */
};

struct vm_program {
	const struct program *program; /* holds a reference */
	struct vm_bounds bounds;
	struct vm_code code[PROGRAM_ENTRIES];
	uint64_t helpers; /* bit i: row i of the helper table is called */
	/* The bytes of a record that the program reads: half-open, over all accesses that are
	 * proven; whole record when any is guarded. record_read_end 0: reads none. */
	uint32_t record_read_start, record_read_end;
	uint32_t n_proven, n_guarded;
	uint64_t verify_steps; /* instructions that the analysis visited: its cost */
};

/*
 * Verify. *ret holds one reference. On refusal: -EINVAL, err->where = "average.bpf.c:14 in reduce
 * 'sum' (instruction 7)", err->text = the reason and the values believed. Never takes more than
 * VM_VERIFY_MAX_STEPS steps: beyond it, refused ("too complex to verify").
 * A program with record_bytes != 0 wants bounds of exactly that size.
 */
enum { VM_VERIFY_MAX_STEPS = 1000000 };
int vm_verify(struct program *p, const struct vm_bounds *bounds, struct vm_program **ret,
	      struct nf_error *err);
struct vm_program *vm_program_ref(struct vm_program *vp);
void vm_program_unref(struct vm_program *vp);

/* The bounds that the program itself asks for: record_bytes, or any line. */
struct vm_bounds vm_bounds_of(const struct program *p);

/* One row per access, for `nearfold check`: function, instruction, source line, verdict, region,
 * offsets. guarded_only leaves out the proven ones. */
void vm_report(const struct vm_program *vp, bool guarded_only, FILE *out);

#endif
