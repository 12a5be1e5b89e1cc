/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/engine_kernel_groups.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

enum {
	FIRST_ENTRIES = 256,
	RECENT_BYTES = sizeof(struct scan_recent) << SCAN_RECENT_BITS,
};

/* Three quarters full, then it grows. */
static void use_table(struct kernel_groups *g, uint8_t *table, uint64_t entries)
{
	uint64_t limit = entries / 4 * 3;

	g->lane->table = (uintptr_t)table;
	g->lane->mask = entries - 1;
	g->lane->limit = limit < g->max ? limit : g->max;
	memset((void *)(uintptr_t)g->lane->recent, 0, RECENT_BYTES); /* they point elsewhere */
}

int kernel_groups_init(struct kernel_groups *g, struct kernel_arena *arena, struct scan_lane *lane,
		       const struct program *p, uint64_t max)
{
	uint8_t *table, *recent, *init;

	*g = (struct kernel_groups){
		.arena = arena,
		.lane = lane,
		.key_bytes = p->key_bytes,
		.key_words = (p->key_bytes + 7) / 8,
		.state_bytes = p->state_bytes,
		.max = max,
	};
	g->entry_bytes = SCAN_ENTRY_BYTES(g->key_words, g->state_bytes);
	if (getrandom(lane->seed, sizeof(lane->seed), 0) != sizeof(lane->seed))
		return -errno;
	lane->seed[1] |= 1;
	lane->tries = SCAN_TRIES;
	table = kernel_arena_take(arena, (size_t)FIRST_ENTRIES * g->entry_bytes);
	recent = kernel_arena_take(arena, RECENT_BYTES);
	if (!table || !recent)
		return -ENOSPC;
	lane->recent = (uintptr_t)recent;
	use_table(g, table, FIRST_ENTRIES);
	if (p->init_state) {
		init = kernel_arena_take(arena, g->state_bytes);
		if (!init)
			return -ENOSPC;
		memcpy(init, p->init_state, g->state_bytes);
		lane->init = (uintptr_t)init;
		lane->init_words = (g->state_bytes + 7) / 8;
	}
	return 0;
}

static const uint8_t *entry_at(const struct kernel_groups *g, const void *table, uint64_t i)
{
	return (const uint8_t *)table + i * g->entry_bytes;
}

static uint64_t tag_of(const uint8_t *entry)
{
	uint64_t tag;

	memcpy(&tag, entry, sizeof(tag));
	return tag;
}

int kernel_groups_grow(struct kernel_groups *g)
{
	const void *from = (const void *)(uintptr_t)g->lane->table;
	uint64_t was = g->lane->mask + 1, entries = 4 * was;
	uint8_t *to;

	errno = 0;
	if (g->lane->count >= g->max)
		return -ENOSPC;
	to = kernel_arena_take(g->arena, entries * g->entry_bytes);
	if (!to) {
		errno = ENOMEM;
		return -ENOSPC;
	}
	for (uint64_t i = 0; i < was; i++) {
		const uint8_t *entry = entry_at(g, from, i);
		uint64_t tag = tag_of(entry), at = tag >> 32;

		if (!tag)
			continue;
		while (tag_of(entry_at(g, to, at & (entries - 1))))
			at++;
		memcpy(to + (at & (entries - 1)) * g->entry_bytes, entry, g->entry_bytes);
	}
	use_table(g, to, entries);
	return 0;
}

int kernel_groups_copy(const struct kernel_groups *g, struct groups **ret)
{
	const void *table = (const void *)(uintptr_t)g->lane->table;
	struct groups *copy;
	int r = groups_new(g->key_bytes, g->state_bytes, NULL, g->max, &copy);

	for (uint64_t i = 0; !r && i <= g->lane->mask; i++) {
		const uint8_t *entry = entry_at(g, table, i);
		uint8_t *state;

		if (!tag_of(entry))
			continue;
		state = groups_find(copy, entry + 8, NULL);
		if (state)
			memcpy(state, entry + SCAN_ENTRY_STATE(g->key_words), g->state_bytes);
		else
			r = -ENOMEM;
	}
	if (r) {
		groups_free(copy);
		return r;
	}
	*ret = copy;
	return 0;
}
