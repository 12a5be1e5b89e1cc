/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_branchfree_eval.h - symbolic evaluation: what vm_branchfree.c (paths through the code) and
 * vm_branchfree_insn.c (what an instruction does to a path) share.
 *
 * Internal to the graph's making; one thread. Functions that return a bool return false when there
 * is no graph: e->why says why, or e->b.failed that it has grown too large.
 */
#ifndef NF_VM_BRANCHFREE_EVAL_H
#define NF_VM_BRANCHFREE_EVAL_H

#include "vm/vm_branchfree_node.h"
#include "vm/vm_isa.h"

enum { BF_MAX_INSNS = 1024, BF_MAX_SLOTS = 320, BF_MAX_WAITING = 256 };

/* A register or a piece of memory: a scalar's node, or a pointer's offset into its region. */
struct bf_value {
	uint8_t region; /* BF_MIXED: of different kinds on different ways, for good */
	uint32_t node;  /* BF_NONE: not written, or mixed */
};

enum { BF_MIXED = VM_REGIONS };

/* A piece of the stack or of the state; which of them exist is the same on every path. */
struct bf_slot {
	uint8_t region;
	uint8_t bytes;
	int64_t offset;
};

struct bf_path {
	uint32_t when; /* condition under which control comes this way */
	struct bf_value regs[11];
	struct bf_value slots[BF_MAX_SLOTS]; /* by the evaluation's slot index */
};

struct bf_eval {
	struct bf_builder b;
	const struct vm_program *vp;
	const struct vm_code *code;
	struct bf_slot slots[BF_MAX_SLOTS];
	uint32_t n_slots;
	struct bf_path *waiting[BF_MAX_INSNS + 1]; /* by target; n_insns: the end */
	unsigned n_waiting;
	uint32_t fails; /* condition */
	const char *why;
};

/* The reason, if there is none yet; false. */
bool bf_refuse(struct bf_eval *e, const char *why);

static inline bool bf_is_unwritten(struct bf_value v)
{
	return v.node == BF_NONE && v.region != BF_MIXED;
}

/* What the slot holds before the function begins; BF_NONE: nothing (the stack). */
uint32_t bf_initial_slot(struct bf_eval *e, const struct bf_slot *s);

/* Has every register that the instruction reads a value? */
bool bf_has_values(struct bf_eval *e, const struct bf_path *p, const struct vm_op *op);

/* An instruction that is neither jump nor exit. *ret_ends: the path ends here (fold_fail). */
bool bf_eval_insn(struct bf_eval *e, struct bf_path *p, const struct vm_op *op, bool *ret_ends);

/* A conditional jump: the condition under which it is taken. */
bool bf_condition(struct bf_eval *e, struct bf_path *p, const struct vm_op *op, uint32_t *ret);

#endif
