/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program_cache.h - verified programs, kept by id and record bounds, least recently used out first.
 *
 * What is kept is not the verifier's tables but the fact, the report and the packed message that a
 * worker gets: a worker trusts nobody's verdict but its own and verifies again in its sandbox. An
 * entry is immutable and counted; checked_program_new() may run in any thread, the rest in the
 * loop's.
 */
#ifndef NF_PROGRAM_CACHE_H
#define NF_PROGRAM_CACHE_H

#include "program/program.h"
#include "vm/vm.h"

/* Which engines can take it, and why others cannot. */
struct engine_set {
	unsigned n;
	struct {
		const char *name;
		char reason[256]; /* "": it can */
	} list[8];
};

struct checked_program {
	struct program *program;
	struct vm_bounds bounds;
	uint8_t *message; /* a packed LoadProgramRequest */
	size_t message_bytes;
	char *report; /* one line per guarded access */
	uint32_t n_proven, n_guarded;
	struct engine_set engines;
	unsigned refs;
};

/* Verify for these bounds. jit_module as in scan/engine.h. *ret holds one reference; -EINVAL with
 * the verifier's reason. */
int checked_program_new(struct program *p, const struct vm_bounds *bounds, const char *jit_module,
			struct checked_program **ret, struct nf_error *err);
/* What the engines say to a program that asks for nothing special. */
int program_engines(const char *jit_module, struct engine_set *ret, struct nf_error *err);
/* Say of one engine that it is not there. */
void program_engines_off(struct engine_set *set, const char *name, const char *reason);
/* Do once what libraries do at their first use (OpenSSL reads its configuration for the first hash,
 * the JIT's module brings LLVM: 12 ms): a spawner calls it, so that no worker has to. */
int program_warm_up(struct nf_error *err);

struct checked_program *checked_program_ref(struct checked_program *c);
void checked_program_unref(struct checked_program *c); /* NULL is fine */

struct program_cache;
int program_cache_new(uint64_t max_entries, uint64_t max_bytes, struct program_cache **ret);
void program_cache_free(struct program_cache *cache);
/* A reference, or NULL. */
struct checked_program *program_cache_find(struct program_cache *cache,
					   const uint8_t id[PROGRAM_ID_BYTES],
					   const struct vm_bounds *bounds);
/* The program of that id, verified for whatever bounds: a reference, or NULL. */
struct program *program_cache_program(struct program_cache *cache,
				      const uint8_t id[PROGRAM_ID_BYTES]);
/* Takes a reference of its own; an entry that is there already stays. */
void program_cache_add(struct program_cache *cache, struct checked_program *c);
unsigned program_cache_count(const struct program_cache *cache);

#endif
