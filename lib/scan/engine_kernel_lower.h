/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine_kernel_lower.h - a verified function in the form that the kernel's verifier takes.
 *
 * Our verifier has proven every access; the kernel's wants to see it again in its own terms:
 *
 *  - record, params, state, key, rodata are arena pointers. Arithmetic on them happens in 32 bits,
 * so a difference of two is made signed again, and `number += pointer` gets a cast.
 *  - The stack lies deeper, below the scan loop's own slots.
 *  - Sign-extending loads become a load and a move (6.12 has none from an arena).
 *  - Jumps backwards pass a meter and a may_goto; what our verifier found unreachable is left out.
 *  - r6..r9 belong to the scan loop: renamed to registers that the function leaves alone, or saved.
 *  - `exit` goes to the end of the code; helpers become calls or a trap.
 */
#ifndef NF_SCAN_ENGINE_KERNEL_LOWER_H
#define NF_SCAN_ENGINE_KERNEL_LOWER_H

#include "program/program_splice.h"
#include "vm/vm.h"

/*
 * The linker's slots on the stack, offsets from r10. In the scan loop they hold what in-line code
 * needs; a function that is called has the slot and the spills only, and little room:
 *
 * may_goto counts rounds. On 6.12 a program's loops end after 8 Mi; on 6.18 it asks a clock after
 * each 65535, and there is a trap: in functions whose stack the kernel puts elsewhere ("private
 * stack", 64 bytes and more) the count ended loops at the first question, 0.1 ms after the start.
 * It looks as if the start time were taken from the ordinary stack, where other things are. So the
 * scan loop ends itself before (SCAN_ROUNDS), and functions with loops of their own are called and
 * get by with KERNEL_SMALL_STACK bytes, for which it works.
 */
struct kernel_frame {
	int16_t slot;    /* the struct scan_slot of this completion */
	int16_t record;  /* the record at hand */
	int16_t save[4]; /* r6..r9; a called function: the first two are spills */
	int16_t out;     /* where on the stack a helper's result goes */
	int16_t base;    /* the user's r10 */
};

enum {
	/* The kernel's limit is 512 a call chain; helpers and the kernel's loop counter want some.
	 */
	KERNEL_STACK_BYTES = 512,
	KERNEL_STACK_RESERVED = 16,
	KERNEL_HELPER_STACK = 96,
	KERNEL_SMALL_STACK = 48,
	/* 6.12 ends a program's loops after 8 Mi rounds; a round costs at least 1. */
	KERNEL_MAX_BUDGET = 4 << 20,
};

struct kernel_frame kernel_frame_below(uint32_t template_stack_bytes); /* in the scan loop */
struct kernel_frame kernel_frame_called(void);

/* How many ways lead through the function, up to KERNEL_MANY_PATHS. */
enum { KERNEL_MANY_PATHS = 1 << 30 };
uint64_t kernel_paths(const struct vm_program *vp, enum program_kind kind);

/* Origins of instructions: which flat instruction of which entry; 0 is the scan loop's. */
#define KERNEL_ORIGIN(kind, insn) (((uint32_t)(kind) + 1) << 16 | (insn))
#define KERNEL_ORIGIN_KIND(o)     ((enum program_kind)(((o) >> 16) - 1))
#define KERNEL_ORIGIN_INSN(o)     ((o)&0xffff)

struct kernel_lower {
	const struct vm_program *program;
	struct kernel_frame frame;
	uint64_t rodata; /* address in the arena */
	bool called;     /* the code is a function of its own, with the frame below its r10 */
	/* Emit the call of that helper's function; arguments are in r1..r5. */
	void (*helper)(void *arg, struct splice *s, int32_t number);
	void *helper_arg;
};

/* Why the kernel engine cannot take the function, or NULL. `where` names the instruction. */
int kernel_lower_check(const struct vm_program *vp, enum program_kind kind, struct nf_error *why);

/* Append the function's code: arguments in r1.., the result in r0, r6..r9 kept, r1..r5 lost. */
int kernel_lower(const struct kernel_lower *lower, struct splice *s, enum program_kind kind,
		 struct nf_error *err);

#endif
