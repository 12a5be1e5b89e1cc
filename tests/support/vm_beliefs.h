/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_beliefs.h - holds the verifier to its word: collects what it believes of registers and stack
 * before each instruction, and aborts when an observed machine is not within that.
 */
#ifndef NF_TESTS_VM_BELIEFS_H
#define NF_TESTS_VM_BELIEFS_H

#include "vm/vm_interp.h"

struct vm_beliefs;

/* vm_verify(), collecting. *ret_beliefs is NULL when the program is refused. */
int vm_beliefs_verify(struct program *p, const struct vm_bounds *bounds, struct vm_program **ret,
		      struct vm_beliefs **ret_beliefs, struct nf_error *err);
void vm_beliefs_free(struct vm_beliefs *b);

/* From now on each instruction that m runs is checked. */
void vm_beliefs_check(struct vm_beliefs *b, struct vm_machine *m);

/* How many instructions were checked. */
uint64_t vm_beliefs_checked(const struct vm_beliefs *b);

#endif
