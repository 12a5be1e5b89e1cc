/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * groups.h - (key, state) pairs of a grouped reduction: an open-addressing hash table that grows up
 * to a limit. Not thread-safe: one table per scan thread, merged at the end.
 *
 * The hash is keyed by a random seed of the process (a client chooses the keys: no collision
 * attack may turn the table into a list).
 */
#ifndef NF_SCAN_GROUPS_H
#define NF_SCAN_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GROUPS_DEFAULT_MAX = 1000000 };

struct groups;

/* New groups start as init (state_bytes), or zeroes when init is NULL. init is copied. */
int groups_new(uint32_t key_bytes, uint32_t state_bytes, const uint8_t *init, uint64_t max,
	       struct groups **ret);
void groups_free(struct groups *g);
/* The state of that key, 16-byte aligned, made if it is new (*ret_new); valid until the next call.
 * NULL: the limit is reached (errno ENOSPC) or memory ran out (ENOMEM). */
uint8_t *groups_find(struct groups *g, const uint8_t *key, bool *ret_new);
uint64_t groups_count(const struct groups *g);
/* In no particular order: *cursor starts at 0. False at the end. */
bool groups_next(const struct groups *g, uint64_t *cursor, const uint8_t **ret_key,
		 uint8_t **ret_state);

#endif
