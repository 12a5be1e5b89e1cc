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
#include "storage-node/node_engines.h"
#include "vm/vm.h"

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

/* Verify for these bounds; here: the engines of this machine. *ret holds one reference; -EINVAL
 * with the verifier's reason. */
int checked_program_new(struct program *p, const struct vm_bounds *bounds,
			const struct engine_set *here, struct checked_program **ret,
			struct nf_error *err);
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
