/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program_flatten.h - one entry function with every sub-function inlined.
 *
 * Verifier and engines never see a call to a sub-function. Each call is replaced by the callee's
 * body: its stack frame lies PROGRAM_STACK_FRAME_BYTES * depth below the entry's (r10 is
 * rewritten to r10 - 512 * depth through a free register or by adjusting offsets), the callee-saved
 * registers r6..r9 that the callee writes are kept in spill slots of its own below its frame, its
 * `exit` becomes a jump to the instruction after the call. Jumps that no longer fit 16 bits become
 * `gotol`. The result has helper calls, rodata references and plain instructions only.
 *
 * The same splicing puts a user's functions into the kernel's scan loop (bpf/scan.bpf.c).
 */
#ifndef NF_PROGRAM_FLATTEN_H
#define NF_PROGRAM_FLATTEN_H

#include "program/program.h"

/* Where a flat instruction came from, for messages. */
struct flat_origin {
	uint16_t func; /* index into program.funcs */
	uint16_t insn; /* instruction of that function */
};

struct flat_code {
	struct bpf_insn *insns;
	struct flat_origin *origin;
	uint32_t n_insns;
	uint32_t stack_bytes; /* below r10: at least one frame, a multiple of 8 */
};

/*
 * -ENOENT: the program has no such function (err untouched).
 * -EINVAL: more than PROGRAM_MAX_FLAT_INSNS after inlining. -ENOMEM.
 * flat_code_done() frees the members and zeroes the struct; it takes a zeroed one.
 */
int program_flatten(const struct program *p, enum program_kind kind, struct flat_code *ret,
		    struct nf_error *err);
void flat_code_done(struct flat_code *code);

#endif
