/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_cfg.h - the control-flow graph of one flat function: basic blocks, and a weak topological
 * order of those that can be reached (Bourdoncle, "Efficient chaotic iteration strategies with
 * widenings", 1993): an order in which every cycle lies in a component, whose first block is its
 * head. The verifier walks it, recursing into components; for reducible code the components are
 * the natural loops.
 *
 * Irreducible loops get a component too; `irreducible` marks those that can be entered past
 * their head. Unreachable code must decode, but gets no place in the order.
 */
#ifndef NF_VM_CFG_H
#define NF_VM_CFG_H

#include "base/error.h"
#include "vm/vm_isa.h"

enum {
	VM_CFG_NONE = UINT32_MAX,
	VM_CFG_MAX_DEPTH = 32, /* loops nested within one another */
};

struct vm_block {
	uint32_t first, end; /* instructions [first, end) */
	uint32_t next;  /* the block after it in the code when control falls through, or NONE */
	uint32_t taken; /* the target of its last instruction's jump, or NONE */
	uint32_t place; /* position in the order; NONE: unreachable */
	uint32_t loop;  /* place of the innermost component's head that holds it, or NONE */
};

/* What stands at one place of the order. */
struct vm_place {
	uint32_t block;
	uint32_t loop_end; /* a head: the component is [this place, loop_end); else 0 */
	uint32_t outer;    /* a head: place of the head of the component around it, or NONE */
	bool irreducible;  /* a head */
};

struct vm_cfg {
	struct vm_op *ops; /* one per slot; the second slot of a pair has slots 0 */
	uint32_t n_insns;
	struct vm_block *blocks;
	uint32_t n_blocks;
	uint32_t *block_of; /* instruction -> block */
	struct vm_place *order;
	uint32_t n_order;
};

/*
 * -EINVAL with *ret_insn and *ret_reason (a constant): an instruction that does not decode, a jump
 * out of the function or into a pair, code that runs past its end, loops nested too deeply.
 * -ENOMEM. vm_cfg_done() takes a zeroed struct.
 */
int vm_cfg_init(struct vm_cfg *cfg, const struct bpf_insn *insns, uint32_t n_insns,
		uint32_t *ret_insn, const char **ret_reason);
void vm_cfg_done(struct vm_cfg *cfg);

/* Does the component whose head is at place `head` hold that place? */
static inline bool vm_cfg_loop_holds(const struct vm_cfg *cfg, uint32_t head, uint32_t place)
{
	return place >= head && place < cfg->order[head].loop_end;
}

/* A jump whose taken branch goes backwards (or to itself). */
static inline bool vm_cfg_is_back_jump(const struct vm_op *op)
{
	return op->kind == VM_KIND_JUMP && op->off < 0;
}

#endif
