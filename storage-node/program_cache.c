/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/program_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "scan/scan_constants.h"
#include "wire/wire.h"

enum { MAX_REPORT_BYTES = 32 << 10 };

struct program_cache {
	uint64_t max_entries, max_bytes, bytes;
	unsigned n;
	struct checked_program **entries; /* the most recently used first */
};

static int pack_message(const struct program *p, uint8_t **ret, size_t *ret_size)
{
	Nearfold__V1__LoadProgramRequest m = NEARFOLD__V1__LOAD_PROGRAM_REQUEST__INIT;
	int r = wire_program_to(p, &m.program);

	if (r)
		return r;
	r = wire_pack(&m.base, 0, ret, ret_size);
	wire_program_to_free(m.program);
	return r;
}

/* The report of the guarded accesses, cut at a line's end when it is very long. */
static char *write_report(const struct vm_program *vp)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	vm_report(vp, true, out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	if (size > MAX_REPORT_BYTES) {
		char *end = memrchr(text, '\n', MAX_REPORT_BYTES);

		*(end ? end + 1 : text) = '\0';
	}
	return text;
}

int checked_program_new(struct program *p, const struct vm_bounds *bounds,
			const struct engine_set *here, struct checked_program **ret,
			struct nf_error *err)
{
	struct checked_program *c;
	struct vm_program *vp;
	int r = vm_verify(p, bounds, &vp, err);

	if (r)
		return r;
	c = calloc(1, sizeof(*c));
	if (!c) {
		vm_program_unref(vp);
		return nf_error_no_memory(err, NULL);
	}
	c->refs = 1;
	c->program = program_ref(p);
	c->bounds = *bounds;
	c->n_proven = vp->n_proven;
	c->n_guarded = vp->n_guarded;
	c->report = write_report(vp);
	engines_for_program(vp, here, &c->engines);
	vm_program_unref(vp);
	r = pack_message(p, &c->message, &c->message_bytes);
	if (r || !c->report) {
		checked_program_unref(c);
		return nf_error_no_memory(err, NULL);
	}
	*ret = c;
	return 0;
}

struct checked_program *checked_program_ref(struct checked_program *c)
{
	c->refs++;
	return c;
}

void checked_program_unref(struct checked_program *c)
{
	if (!c || --c->refs)
		return;
	program_unref(c->program);
	free(c->message);
	free(c->report);
	free(c);
}

/* The message stands for the program, too, which holds the same once more. */
static uint64_t entry_bytes(const struct checked_program *c)
{
	return 2 * c->message_bytes + strlen(c->report) + sizeof(*c);
}

int program_cache_new(uint64_t max_entries, uint64_t max_bytes, struct program_cache **ret)
{
	struct program_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->entries = calloc(max_entries, sizeof(cache->entries[0]));
	if (!cache->entries) {
		free(cache);
		return -ENOMEM;
	}
	cache->max_entries = max_entries;
	cache->max_bytes = max_bytes;
	*ret = cache;
	return 0;
}

void program_cache_free(struct program_cache *cache)
{
	if (!cache)
		return;
	for (unsigned i = 0; i < cache->n; i++)
		checked_program_unref(cache->entries[i]);
	free(cache->entries);
	free(cache);
}

static bool same_id(const struct checked_program *c, const uint8_t *id)
{
	return !memcmp(c->program->id, id, PROGRAM_ID_BYTES);
}

static bool same_bounds(const struct vm_bounds *a, const struct vm_bounds *b)
{
	return a->record_min_bytes == b->record_min_bytes &&
	       a->record_max_bytes == b->record_max_bytes;
}

static void move_to_front(struct program_cache *cache, unsigned i)
{
	struct checked_program *c = cache->entries[i];

	memmove(&cache->entries[1], &cache->entries[0], i * sizeof(cache->entries[0]));
	cache->entries[0] = c;
}

struct checked_program *program_cache_find(struct program_cache *cache,
					   const uint8_t id[PROGRAM_ID_BYTES],
					   const struct vm_bounds *bounds)
{
	for (unsigned i = 0; i < cache->n; i++) {
		if (same_id(cache->entries[i], id) &&
		    same_bounds(&cache->entries[i]->bounds, bounds)) {
			move_to_front(cache, i);
			return checked_program_ref(cache->entries[0]);
		}
	}
	return NULL;
}

struct program *program_cache_program(struct program_cache *cache,
				      const uint8_t id[PROGRAM_ID_BYTES])
{
	for (unsigned i = 0; i < cache->n; i++) {
		if (same_id(cache->entries[i], id)) {
			move_to_front(cache, i);
			return program_ref(cache->entries[0]->program);
		}
	}
	return NULL;
}

static void drop_last(struct program_cache *cache)
{
	struct checked_program *c = cache->entries[--cache->n];

	cache->bytes -= entry_bytes(c);
	checked_program_unref(c);
}

void program_cache_add(struct program_cache *cache, struct checked_program *c)
{
	struct checked_program *old = program_cache_find(cache, c->program->id, &c->bounds);

	if (old) {
		checked_program_unref(old);
		return;
	}
	while (cache->n &&
	       (cache->n >= cache->max_entries || cache->bytes + entry_bytes(c) > cache->max_bytes))
		drop_last(cache);
	cache->entries[cache->n] = checked_program_ref(c);
	cache->bytes += entry_bytes(c);
	move_to_front(cache, cache->n++);
}

unsigned program_cache_count(const struct program_cache *cache)
{
	return cache->n;
}
