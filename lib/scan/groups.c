/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * groups.c - two arrays.
 *
 *	slots    open addressing with linear probing; 8 bytes each: 32 bits of the hash and the
 *		 entry's number + 1 (0: free). Eight slots share a cache line, and the 32 bits tell
 *		 nearly every stranger apart without a look at its key, so that a lookup touches
 *		 one line here and the entry itself.
 *	entries  in the order of arrival, state first (16-byte aligned), key behind it, in blocks
 *		 that never move. Growing rewrites slots only; it needs no key and no hashing.
 *
 * Slots double at 3/4 full. Nothing is ever deleted.
 */
#include "scan/groups.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"

enum {
	FIRST_SLOTS = 64,
	BLOCK_BYTES = 256 << 10, /* aim; a block holds a power of two of entries, at least one */
};

struct slot {
	uint32_t hash;
	uint32_t entry; /* number + 1 */
};

struct groups {
	struct slot *slots;
	uint64_t slot_mask;
	uint64_t count, max;
	uint8_t **blocks;
	size_t n_blocks, blocks_size;
	unsigned block_shift; /* log2 of entries per block */
	uint32_t key_bytes, state_bytes, key_offset, stride;
	uint8_t *init;
};

static uint64_t seed[2];
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void seed_make(void)
{
	/* Early boot or a sandbox without getrandom: time and address layout are what is left. */
	if (getrandom(seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed)) {
		seed[0] = clock_now_ns() * 0x9e3779b97f4a7c15ull ^ (uintptr_t)&seed;
		seed[1] = clock_read(CLOCK_REALTIME) ^ (uint64_t)(uintptr_t)seed << 17;
	}
	seed[1] |= 1;
}

/* Both halves of the 128-bit product: every input bit reaches every output bit. */
static inline uint64_t fold_multiply(uint64_t a, uint64_t b)
{
	__uint128_t p = (__uint128_t)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static uint32_t hash_key(const uint8_t *key, uint32_t n)
{
	uint64_t h = seed[0] ^ n, word;

	for (; n >= 8; n -= 8, key += 8) {
		memcpy(&word, key, 8);
		h = fold_multiply(h ^ word, seed[1] ^ 0x2d358dccaa6c78a5ull);
	}
	if (n) {
		word = 0;
		memcpy(&word, key, n);
		h = fold_multiply(h ^ word, seed[1] ^ 0x2d358dccaa6c78a5ull);
	}
	return (uint32_t)(fold_multiply(h ^ seed[1], 0x8bb84b93962eacc9ull) >> 32);
}

static inline uint8_t *entry_at(const struct groups *g, uint64_t i)
{
	return g->blocks[i >> g->block_shift] + (i & ((1ull << g->block_shift) - 1)) * g->stride;
}

int groups_new(uint32_t key_bytes, uint32_t state_bytes, const uint8_t *init, uint64_t max,
	       struct groups **ret)
{
	struct groups *g = calloc(1, sizeof(*g));

	pthread_once(&seed_once, seed_make);
	if (!g)
		return -ENOMEM;
	g->key_bytes = key_bytes;
	g->state_bytes = state_bytes;
	g->key_offset = state_bytes;
	/* 32-bit entry numbers, and number + 1 must fit. */
	g->max = max < UINT32_MAX - 1 ? max : UINT32_MAX - 1;
	g->stride = (uint32_t)(((uint64_t)state_bytes + key_bytes + 15) & ~15ull);
	while ((uint64_t)g->stride << (g->block_shift + 1) <= BLOCK_BYTES)
		g->block_shift++;
	g->slot_mask = FIRST_SLOTS - 1;
	g->slots = calloc(FIRST_SLOTS, sizeof(*g->slots));
	if (!g->slots)
		goto no_memory;
	if (init) {
		g->init = malloc(state_bytes ? state_bytes : 1);
		if (!g->init)
			goto no_memory;
		memcpy(g->init, init, state_bytes);
	}
	*ret = g;
	return 0;
no_memory:
	groups_free(g);
	return -ENOMEM;
}

void groups_free(struct groups *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->n_blocks; i++)
		free(g->blocks[i]);
	free(g->blocks);
	free(g->slots);
	free(g->init);
	free(g);
}

static bool grow_slots(struct groups *g)
{
	uint64_t n = (g->slot_mask + 1) * 2;
	struct slot *bigger = calloc(n, sizeof(*bigger));

	if (!bigger)
		return false;
	for (uint64_t i = 0; i <= g->slot_mask; i++) {
		if (!g->slots[i].entry)
			continue;
		uint64_t at = g->slots[i].hash & (n - 1);
		while (bigger[at].entry)
			at = (at + 1) & (n - 1);
		bigger[at] = g->slots[i];
	}
	free(g->slots);
	g->slots = bigger;
	g->slot_mask = n - 1;
	return true;
}

static bool add_block(struct groups *g)
{
	size_t bytes = (size_t)g->stride << g->block_shift;

	if (g->n_blocks == g->blocks_size) {
		size_t n = g->blocks_size ? g->blocks_size * 2 : 16;
		uint8_t **more = realloc(g->blocks, n * sizeof(*more));

		if (!more)
			return false;
		g->blocks = more;
		g->blocks_size = n;
	}
	uint8_t *block = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
	if (!block)
		return false;
	g->blocks[g->n_blocks++] = block;
	return true;
}

static uint8_t *add_entry(struct groups *g, uint32_t hash, const uint8_t *key)
{
	if (g->count >= g->max) {
		errno = ENOSPC;
		return NULL;
	}
	if ((g->count + 1) * 4 > (g->slot_mask + 1) * 3 && !grow_slots(g))
		goto no_memory;
	if (g->count >> g->block_shift == g->n_blocks && !add_block(g))
		goto no_memory;

	uint64_t at = hash & g->slot_mask;
	while (g->slots[at].entry)
		at = (at + 1) & g->slot_mask;
	uint8_t *entry = entry_at(g, g->count++);
	g->slots[at] = (struct slot){.hash = hash, .entry = (uint32_t)g->count};
	if (g->init)
		memcpy(entry, g->init, g->state_bytes);
	else
		memset(entry, 0, g->state_bytes);
	memcpy(entry + g->key_offset, key, g->key_bytes);
	return entry;
no_memory:
	errno = ENOMEM;
	return NULL;
}

uint8_t *groups_find(struct groups *g, const uint8_t *key, bool *ret_new)
{
	uint32_t hash = hash_key(key, g->key_bytes);

	for (uint64_t at = hash & g->slot_mask; g->slots[at].entry; at = (at + 1) & g->slot_mask) {
		if (g->slots[at].hash != hash)
			continue;
		uint8_t *entry = entry_at(g, g->slots[at].entry - 1);
		if (!memcmp(entry + g->key_offset, key, g->key_bytes)) {
			if (ret_new)
				*ret_new = false;
			return entry;
		}
	}
	uint8_t *entry = add_entry(g, hash, key);
	if (entry && ret_new)
		*ret_new = true;
	return entry;
}

uint64_t groups_count(const struct groups *g)
{
	return g->count;
}

bool groups_next(const struct groups *g, uint64_t *cursor, const uint8_t **ret_key,
		 uint8_t **ret_state)
{
	if (*cursor >= g->count)
		return false;
	uint8_t *entry = entry_at(g, (*cursor)++);
	*ret_key = entry + g->key_offset;
	*ret_state = entry;
	return true;
}
