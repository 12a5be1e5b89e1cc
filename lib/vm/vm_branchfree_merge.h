/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_branchfree_merge.h - recognising reductions: cells whose new value is the old one combined
 * with something free of the state. Private to vm_branchfree*.c.
 */
#ifndef NF_VM_BRANCHFREE_MERGE_H
#define NF_VM_BRANCHFREE_MERGE_H

#include "vm/vm_branchfree_node.h"

/* Fill merge, operand and when of bf->cells, all_reductions, reduce_fails, needs_headroom. Adds
 * nodes to b, whose graph bf's indexes point into. False: out of memory. */
bool bf_find_merges(struct bf_builder *b, struct vm_branchfree *bf);

#endif
