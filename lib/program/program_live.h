/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program_live.h - which registers each instruction of a function still needs. For lib/program.
 *
 * The textbook's backward analysis: a register is live before an instruction when some way on from
 * there reads it before writing it. A set is a mask, bit i for ri. How many of r1..r5 a helper
 * reads is not known here: bits 1..5 assume all of them, bits 11..15 (REGS_SURE) none.
 */
#ifndef NF_PROGRAM_LIVE_H
#define NF_PROGRAM_LIVE_H

#include "program/program.h"

enum {
	REGS_ARGS = 0x03e,  /* r1..r5: clobbered by a call */
	REGS_SAVED = 0x3c0, /* r6..r9: kept by a call */
	REGS_CALL = REGS_ARGS | 1,
};

struct func_live {
	uint16_t *before; /* live before instruction i; zero for the second half of a pair */
	uint16_t *after;  /* live after it, on some way; of a call to a sub-function: after the
			     return */
	uint16_t written; /* registers that the function or what it calls may write */
};

/* Of r1..r5: those that a live set holds for sure. */
#define REGS_SURE(set) ((set) >> 10 & REGS_ARGS)

/*
 * Analyse all functions of a sealed program; ret has program.n_funcs elements, zeroed. On failure
 * the caller frees what is there. -ENOMEM.
 */
int program_live(const struct program *p, struct func_live *ret);
void program_live_done(struct func_live *live, uint32_t n_funcs);

/* What one instruction reads and writes, as masks. A helper call reads no more than r1..r5 and
 * writes r0..r5; an exit reads r0. A call to a sub-function: see program_live.c. */
void insn_registers(const struct bpf_insn *insn, uint16_t *ret_reads, uint16_t *ret_writes);

#endif
