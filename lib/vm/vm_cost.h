/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_cost.h - what a verified program can take from the meter at most.
 *
 * An engine need not meter a record that cannot use up the budget, whatever the data: the answer
 * and every error stay the same. Pure, any thread.
 */
#ifndef NF_VM_COST_H
#define NF_VM_COST_H

#include "vm/vm.h"

/*
 * The most that filter, key and reduce together can take from the meter (vm.h) for one record of
 * at most record_max_bytes bytes, which may be less than vp's bounds say. Costs about as much as
 * the verification. -ENOTSUP: no bound is known; -ENOMEM.
 */
int vm_cost(const struct vm_program *vp, uint32_t record_max_bytes, uint64_t *ret);

#endif
