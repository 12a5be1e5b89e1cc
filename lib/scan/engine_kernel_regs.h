/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine_kernel_regs.h - which registers hold pointers, before each instruction of a function.
 *
 * Our verifier knows more, but keeps it to itself; the kernel's form of pointer arithmetic needs
 * only this. A register that is a pointer on one way and a number on another counts as a number:
 * the verifier has seen to it that nobody uses it as a pointer afterwards.
 */
#ifndef NF_SCAN_ENGINE_KERNEL_REGS_H
#define NF_SCAN_ENGINE_KERNEL_REGS_H

#include "vm/vm.h"

enum { KERNEL_STACK_SLOTS = 64 }; /* of 8 bytes: what the kernel's frame holds */

struct kernel_regs {
	uint16_t arena, stack; /* bit i: r_i points into the arena, to the stack */
	uint16_t init;         /* bit i: r_i holds something, on every way here */
	uint16_t record;       /* bit i: r_i is the record, its first byte */
	uint64_t slot_arena, slot_stack,
		slot_record; /* bit i: so is the word at r10 - 8 * (i + 1) */
	uint8_t frame[11];   /* of a pointer to the stack: the frame (engine_kernel_stack.h) that it
			      * was made for, and is moved with; or unknown */
	bool seen;           /* some way leads here */
};

/* One element per instruction, the caller frees; NULL: no memory. */
struct kernel_regs *kernel_regs_new(const struct vm_code *code, enum program_kind kind);

/* The registers that hold arguments on entry; those of them that point into the arena. */
uint16_t kernel_args(enum program_kind kind);
uint16_t kernel_arena_args(enum program_kind kind);

#endif
