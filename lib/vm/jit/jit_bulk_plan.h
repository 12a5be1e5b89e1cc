/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* jit_bulk_plan.h - what of the expression graph is emitted, and where: at the entry, for every
 * record, or only where one matches. */
#ifndef NF_VM_JIT_BULK_PLAN_H
#define NF_VM_JIT_BULK_PLAN_H

#include "vm/vm_branchfree.h"

struct bulk_plan {
	bool *needed; /* by node */
	bool *varies; /* by node: depends on the record */
	bool *early;  /* by node: needed whether a record matches or not */
	unsigned n_needed;
	bool only_matches_fail; /* a record that fails is one that the filter keeps */
	bool heavy;             /* what is only needed when one matches is worth a branch */
	uint32_t counter;       /* the cell that counts what matches, or BF_NONE */
};

/* -ENOMEM. bulk_plan_done() is due in any case; it takes a zeroed one, too. */
int bulk_plan_init(struct bulk_plan *plan, const struct vm_branchfree *bf);
void bulk_plan_done(struct bulk_plan *plan);

#endif
