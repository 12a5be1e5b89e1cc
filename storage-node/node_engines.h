/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node_engines.h - which engines can run, and why others cannot.
 *
 * What the machine says (is the JIT's module there, does the kernel have what the kernel engine
 * needs, may we) is asked once, in the spawner, whose rights are those that workers begin with;
 * main gets the answer as bytes, and neither maps LLVM nor loads the kernel's types. What a program
 * adds to it main finds out itself.
 */
#ifndef NF_NODE_ENGINES_H
#define NF_NODE_ENGINES_H

#include "base/error.h"
#include "vm/vm.h"

/* Flat: it crosses a socket between two processes of the same binary. */
struct engine_set {
	unsigned n;
	struct {
		char name[16];
		char reason[256]; /* "": it can */
	} list[8];
};

/*
 * Ask them about a program that wants nothing special. Does on the way what libraries do at their
 * first use (OpenSSL reads its configuration for the first hash, the JIT's module brings LLVM: 12
 * ms), so that no worker has to. jit_module as in scan/engine.h.
 */
int engines_of_machine(const char *jit_module, struct engine_set *ret, struct nf_error *err);
/* Verify something, and forget it. */
int engines_warm_up(struct nf_error *err);
/* Say of one engine that it is not there. */
void engines_off(struct engine_set *set, const char *name, const char *reason);
/* For one program: those that `here` has, asked about it. Any thread. */
void engines_for_program(struct vm_program *vp, const struct engine_set *here,
			 struct engine_set *ret);

#endif
