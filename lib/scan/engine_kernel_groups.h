/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine_kernel_groups.h - a scan thread's table of groups, in the arena.
 *
 * The hook looks keys up and adds entries (group_of() in bpf/scan.bpf.c); user space makes the
 * table larger when the hook reports it full, between two completions, and reads it in place at the
 * end. The hash is keyed at random per thread. One thread at a time.
 */
#ifndef NF_SCAN_ENGINE_KERNEL_GROUPS_H
#define NF_SCAN_ENGINE_KERNEL_GROUPS_H

#include "bpf/scan_abi.h"
#include "program/program.h"
#include "scan/engine_kernel_arena.h"
#include "scan/groups.h"

struct kernel_groups {
	struct kernel_arena *arena;
	struct scan_lane *lane;
	uint32_t key_bytes, key_words, state_bytes, entry_bytes;
	uint64_t max;
};

/* An empty table for the lane. -ENOSPC: the arena is used up. */
int kernel_groups_init(struct kernel_groups *g, struct kernel_arena *arena, struct scan_lane *lane,
		       const struct program *p, uint64_t max);
/* -ENOSPC: the limit is reached, or (errno ENOMEM) the arena is used up. */
int kernel_groups_grow(struct kernel_groups *g);
/* A copy that does not need the arena. -ENOMEM. */
int kernel_groups_copy(const struct kernel_groups *g, struct groups **ret);

#endif
