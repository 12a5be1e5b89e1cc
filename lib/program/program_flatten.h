/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program_flatten.h - one entry function with every sub-function inlined.
 *
 * Verifier and engines never see a call to a sub-function. Each call is replaced by the callee's
 * body. The callee's `exit` becomes a jump to the instruction after the call.
 *
 * Stack: the frame of call depth d (the entry is 0) lies PROGRAM_STACK_FRAME_BYTES * d below the
 * entry's. In it, loads and stores through r10 get their offset moved, `rX = r10` is followed by
 * `rX += -512 * d` (`rX += r10` and `rX -= r10` likewise), and another use of r10's value goes
 * through a register that is dead there. Below all frames, depth d has four spill slots of 8 bytes:
 * a call saves those of r6..r9 there that the callee (or what it calls) writes and the caller still
 * needs.
 *
 * Registers follow the calling convention, which flat code no longer shows, so it is checked here:
 * a sub-function that reads r6..r9 before it writes them, and a caller that reads r1..r5 after a
 * call, are refused.
 *
 * The result has helper calls, rodata references and plain instructions only. Jumps always fit 16
 * bits because PROGRAM_MAX_FLAT_INSNS is less than 32768; a `gotol` stays one.
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
 * -EINVAL: more than PROGRAM_MAX_FLAT_INSNS after inlining, or against the calling convention
 * (where = program_where()). -ENOMEM.
 * flat_code_done() frees the members and zeroes the struct; it takes a zeroed one.
 */
int program_flatten(const struct program *p, enum program_kind kind, struct flat_code *ret,
		    struct nf_error *err);
void flat_code_done(struct flat_code *code);

#endif
