/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/code_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry *prev, *next; /* most recently used first */
	char *who;
	uint8_t program_id[PROGRAM_ID_BYTES];
	struct vm_bounds bounds;
	enum record_format format;
	void *image;
	size_t bytes;
};

struct code_cache {
	struct entry *first, *last;
	uint64_t max_bytes, bytes;
	unsigned n;
};

int code_cache_new(uint64_t max_bytes, struct code_cache **ret)
{
	struct code_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->max_bytes = max_bytes;
	*ret = cache;
	return 0;
}

static uint64_t entry_bytes(const struct entry *e)
{
	return e->bytes + sizeof(*e) + strlen(e->who) + 1;
}

static void take_out(struct code_cache *cache, struct entry *e)
{
	*(e->prev ? &e->prev->next : &cache->first) = e->next;
	*(e->next ? &e->next->prev : &cache->last) = e->prev;
	cache->bytes -= entry_bytes(e);
	cache->n--;
}

static void put_first(struct code_cache *cache, struct entry *e)
{
	e->prev = NULL;
	e->next = cache->first;
	*(e->next ? &e->next->prev : &cache->last) = e;
	cache->first = e;
	cache->bytes += entry_bytes(e);
	cache->n++;
}

static void entry_free(struct entry *e)
{
	free(e->who);
	free(e->image);
	free(e);
}

void code_cache_free(struct code_cache *cache)
{
	if (!cache)
		return;
	for (struct entry *e = cache->first, *next; e; e = next) {
		next = e->next;
		entry_free(e);
	}
	free(cache);
}

static bool is_key(const struct entry *e, const struct code_key *key)
{
	return !memcmp(e->program_id, key->program_id, PROGRAM_ID_BYTES) &&
	       e->bounds.record_min_bytes == key->bounds.record_min_bytes &&
	       e->bounds.record_max_bytes == key->bounds.record_max_bytes &&
	       e->format == key->format && !strcmp(e->who, key->who);
}

static struct entry *find(struct code_cache *cache, const struct code_key *key)
{
	for (struct entry *e = cache->first; e; e = e->next)
		if (is_key(e, key))
			return e;
	return NULL;
}

const struct jit_image *code_cache_find(struct code_cache *cache, const struct code_key *key,
					size_t *ret_bytes)
{
	struct entry *e = find(cache, key);

	if (!e)
		return NULL;
	take_out(cache, e);
	put_first(cache, e);
	*ret_bytes = e->bytes;
	return e->image;
}

void code_cache_add(struct code_cache *cache, const struct code_key *key, void *image, size_t bytes)
{
	struct entry *old = find(cache, key), *e = calloc(1, sizeof(*e));

	if (old) {
		take_out(cache, old);
		entry_free(old);
	}
	if (e)
		e->who = strdup(key->who);
	if (!e || !e->who) {
		free(e);
		free(image);
		return;
	}
	memcpy(e->program_id, key->program_id, PROGRAM_ID_BYTES);
	e->bounds = key->bounds;
	e->format = key->format;
	e->image = image;
	e->bytes = bytes;
	if (entry_bytes(e) > cache->max_bytes) {
		entry_free(e);
		return;
	}
	while (cache->bytes + entry_bytes(e) > cache->max_bytes) {
		old = cache->last;
		take_out(cache, old);
		entry_free(old);
	}
	put_first(cache, e);
}

unsigned code_cache_count(const struct code_cache *cache)
{
	return cache->n;
}

uint64_t code_cache_bytes(const struct code_cache *cache)
{
	return cache->bytes;
}
