/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine_kernel_sweep_internal.h - what the parts of a sweep share.
 *
 *	engine_kernel_sweep_plan.c   may it be done, and does it pay? ranges, uses, accumulators
 *	engine_kernel_sweep_value.c  a record's values: computing, keeping and spilling them
 *	engine_kernel_sweep.c        what they do to the state; the function around it
 */
#ifndef NF_SCAN_ENGINE_KERNEL_SWEEP_INTERNAL_H
#define NF_SCAN_ENGINE_KERNEL_SWEEP_INTERNAL_H

#include "scan/engine_kernel_sweep.h"

enum {
	MAX_ACCUMULATORS = 20,
	MAX_STACK_BYTES = 240,
	MAX_COST = 100, /* instructions a record, about: beyond it a branch is cheaper */
	MAX_UNROLL = 8,
	UNROLLED_INSNS = 256,
	SMALL_SUM_BITS = 43, /* such numbers fit 64 bits 2^20 times */
	TEMPS = 1 << BPF_REG_0 | 1 << BPF_REG_3 | 1 << BPF_REG_4 | 1 << BPF_REG_5,
	LANE_SLOT = -8,
	DATA_SLOT = -16,
	LEFT_SLOT = -24,
};

#define ALU32(op, d, s)     SPLICE_INSN(BPF_ALU | (op) | BPF_X, d, s, 0, 0)
#define NEGATE(d)           SPLICE_INSN(BPF_ALU64 | BPF_NEG, d, 0, 0, 0)
#define SIGNED_MOV(d, bits) SPLICE_INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, d, bits, 0)

enum where {
	NOWHERE,
	IN_TEMP,
	SPILLED,
	FIXED_REG, /* for the whole loop */
	FIXED_SLOT,
	IMMEDIATE,
};

struct value {
	bool varies;    /* with the record */
	int64_t lo, hi; /* as signed numbers */
	enum where where;
	uint8_t reg;
	int16_t slot;
	unsigned temps;   /* that computing it takes, about */
	unsigned uses;    /* in a record */
	unsigned to_come; /* of them, in the record at hand */
};

enum accumulator_kind { ACC_CELL, ACC_SUM_LOW, ACC_SUM_HIGH, ACC_MATCHED };

struct accumulator {
	enum accumulator_kind kind;
	uint32_t cell;
	uint8_t reg; /* 0: on the stack */
	int16_t slot;
};

struct kernel_sweep {
	struct vm_branchfree *bf;
	const struct program *program;
	uint32_t record_bytes;
	struct value *v;
	struct accumulator acc[MAX_ACCUMULATORS];
	unsigned n_acc;
	uint32_t counter; /* a cell that counts what matches, or BF_NONE */
	unsigned unroll;

	struct splice *s;
	uint64_t rodata;
	uint16_t free; /* temps */
	int16_t stack;
	int32_t at;   /* of the record at hand, from r1 */
	uint8_t zero; /* a register: 0, which the kernel's verifier does not know; 0: none */
	bool failed;
};

static inline bool makes_mask(const struct bf_node *n)
{
	return n->op >= BF_EQ && n->op <= BF_EITHER;
}

static inline bool is_const(const struct kernel_sweep *w, uint32_t i)
{
	return w->bf->nodes[i].op == BF_CONST;
}

static inline void emit(struct kernel_sweep *w, struct bpf_insn insn)
{
	splice_emit(w->s, insn);
}

/* Is the upper half of what is added to the 128-bit sum always zero? */
bool sweep_is_unsigned_sum(const struct kernel_sweep *w, const struct bf_cell *c);

int16_t sweep_new_slot(struct kernel_sweep *w);
/* A temp that nobody holds; if need be, what one holds goes to the stack. */
uint8_t sweep_take_temp(struct kernel_sweep *w);
void sweep_give_temp(struct kernel_sweep *w, uint8_t reg);
/* The node's value in a temp of the caller's own: as it is, as a number, as a mask. */
uint8_t sweep_take(struct kernel_sweep *w, uint32_t i);
uint8_t sweep_take_number(struct kernel_sweep *w, uint32_t i);
uint8_t sweep_take_mask(struct kernel_sweep *w, uint32_t i);
/* Compute it now, and keep it where it may be spilled. */
void sweep_hold(struct kernel_sweep *w, uint32_t i);
/* dst OP= the node's mask. */
void sweep_apply_mask(struct kernel_sweep *w, uint8_t op, uint8_t dst, uint32_t i);

#endif
