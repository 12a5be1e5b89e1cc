/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * code_cache.h - compiled code that workers made, kept by main for later workers; least recently
 * used out first.
 *
 * What a worker sends is machine code from a process that ran a stranger's program, so it must
 * never run for anybody else. Main files it under facts that are main's own, not the worker's word:
 * who asked (the identity), which program (the SHA-256 of what main verified) and for which
 * records. A worker that was taken over can so plant code only for the same program of the same
 * client, which runs in that client's sandboxed workers alone. Main checks sizes, and never maps or
 * runs it. A worker gets a copy in its job, so nothing is shared that one could change under
 * another. What the code was compiled for (CPU and features) is in the image; the worker that gets
 * it compares.
 *
 * The loop's thread only.
 */
#ifndef NF_CODE_CACHE_H
#define NF_CODE_CACHE_H

#include "scan/dataset.h"
#include "vm/jit.h"

struct code_cache;

struct code_key {
	const char *who;
	const uint8_t *program_id; /* PROGRAM_ID_BYTES */
	struct vm_bounds bounds;
	enum record_format format;
};

/* max_bytes 0: keeps nothing. -ENOMEM. */
int code_cache_new(uint64_t max_bytes, struct code_cache **ret);
void code_cache_free(struct code_cache *cache);

/* NULL: not there. Valid until the next call. */
const struct jit_image *code_cache_find(struct code_cache *cache, const struct code_key *key,
					size_t *ret_bytes);
/* Takes image, which is malloc()ed; what was there under this key is replaced. */
void code_cache_add(struct code_cache *cache, const struct code_key *key, void *image,
		    size_t bytes);
unsigned code_cache_count(const struct code_cache *cache);
uint64_t code_cache_bytes(const struct code_cache *cache);

#endif
