/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_beliefs.h - what the verifier believed, for tests: at every instruction, before it, on each
 * way that the analysis went there. Whatever a run of an accepted program holds in its registers
 * and stack at that instruction must be inside one of them.
 */
#ifndef NF_VM_BELIEFS_H
#define NF_VM_BELIEFS_H

#include "vm/vm_state.h"

typedef void (*vm_believe_fn)(void *arg, enum program_kind entry, uint32_t insn,
			      const struct vm_state *s);

/* vm_verify(), telling fn (which may be called for a program that is refused in the end). */
int vm_verify_beliefs(struct program *p, const struct vm_bounds *bounds, vm_believe_fn fn,
		      void *arg, struct vm_program **ret, struct nf_error *err);

#endif
