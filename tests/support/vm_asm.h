/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_asm.h - a small assembler for tests: the pseudo-C of llvm-objdump and the kernel's verifier.
 *
 *	r1 = 5			w1 = -1			r1 = 0x123456789 ll
 *	r1 += r2		w1 s/= 3		r1 = -r1
 *	r1 = (s8)r2		r1 = be16 r1		r1 = bswap64 r1		r1 = rodata + 8
 *	r1 = *(u32 *)(r2 + 4)	r1 = *(s8 *)(r2 - 4)	*(u16 *)(r1 + 0) = r2	*(u64 *)(r10 - 8) =
 *7 if r1 s> r2 goto L	if w1 & 7 goto L	goto L			gotol L call fold_find
 *call NAME (a sub-function)			exit
 *	L:			.insn CODE DST SRC OFF IMM (any bytes)		// comment
 *
 * A target is a label or a distance in instructions, +2 or -3. Numbers are decimal or 0x..., with a
 *sign.
 */
#ifndef NF_TESTS_VM_ASM_H
#define NF_TESTS_VM_ASM_H

#include <stddef.h>

#include "vm/vm_isa.h"

enum { VM_ASM_ERROR_BYTES = 256 };

/* The index of the sub-function of that name, or -1. */
typedef int (*vm_asm_sub)(void *arg, const char *name);

/* How many instructions went to insns[0..max), or -1 with error = "line N: what is wrong". */
int vm_asm(const char *text, struct bpf_insn *insns, size_t max, vm_asm_sub sub, void *arg,
	   char error[VM_ASM_ERROR_BYTES]);

/* The instruction that vm_isa_decode() reads as op (of gotol: when its distance needs it), in 1
 * or 2 slots; 0 when there is none. */
unsigned vm_encode(const struct vm_op *op, struct bpf_insn insns[2]);

/* The same for a row of the table that is known to fit: of opcode byte code. */
unsigned vm_encode_row(const struct vm_isa_row *row, uint8_t code, const struct vm_op *op,
		       struct bpf_insn insns[2]);

#endif
