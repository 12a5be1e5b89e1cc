/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_branchfree_node.h - building the expression graph of vm_branchfree.h: hash-consing and
 * simplification. Private to vm_branchfree*.c.
 *
 * Every constructor returns a node's index, an existing one where possible. When memory or
 * BF_MAX_NODES runs out the builder remembers it (`failed`) and returns node 0, so that callers
 * look once at the end.
 */
#ifndef NF_VM_BRANCHFREE_NODE_H
#define NF_VM_BRANCHFREE_NODE_H

#include "vm/vm_branchfree.h"

struct bf_builder {
	struct bf_node *nodes;
	uint32_t n_nodes;
	uint32_t *table; /* open addressing: node index + 1 */
	bool failed;
};

int bf_builder_init(struct bf_builder *b);
void bf_builder_done(struct bf_builder *b);

uint32_t bf_const(struct bf_builder *b, uint64_t x);
uint32_t bf_leaf(struct bf_builder *b, enum bf_op op, enum vm_region region, uint64_t imm,
		 uint8_t bytes);
uint32_t bf_unary(struct bf_builder *b, enum bf_op op, uint32_t a, uint8_t bytes);
uint32_t bf_binary(struct bf_builder *b, enum bf_op op, uint32_t a, uint32_t x);
uint32_t bf_call(struct bf_builder *b, uint64_t helper, uint32_t a, uint32_t x);
uint32_t bf_not(struct bf_builder *b, uint32_t a);
uint32_t bf_both(struct bf_builder *b, uint32_t a, uint32_t x);
uint32_t bf_either(struct bf_builder *b, uint32_t a, uint32_t x);
uint32_t bf_select(struct bf_builder *b, uint32_t cond, uint32_t a, uint32_t x);

bool bf_is_const(const struct bf_builder *b, uint32_t n, uint64_t x);

/* The node with every overflow of a 128-bit sum that depends on the state taken for false;
 * memo: n_nodes entries of BF_NONE before the first call. Sets *ret_used when there was one. */
uint32_t bf_assume_headroom(struct bf_builder *b, uint32_t n, uint32_t *memo, bool *ret_used);

#endif
