/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine_kernel_arena.h - memory that user space and a kernel program share.
 *
 * A BPF arena is a map whose pages exist on both sides; the program addresses them as base + 32
 * bits, so nothing it does reaches anything else. Pages are touched when they are handed out: on
 * an untouched page the kernel's side would read zeroes and lose writes.
 *
 * Memory is handed out and never taken back; the arena goes as a whole. Threads: any (a mutex).
 */
#ifndef NF_SCAN_ENGINE_KERNEL_ARENA_H
#define NF_SCAN_ENGINE_KERNEL_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { KERNEL_ARENA_BYTES = 1 << 30 };

struct kernel_arena;

/* A map descriptor if this kernel has arenas, else -1 and errno. The caller closes it. */
int kernel_arena_try(void);

int kernel_arena_new(struct kernel_arena **ret, struct nf_error *err);
void kernel_arena_free(struct kernel_arena *a); /* NULL is fine */
int kernel_arena_fd(const struct kernel_arena *a);
/* Zeroed, page-aligned; NULL: the arena is used up. */
void *kernel_arena_take(struct kernel_arena *a, size_t bytes);
/* Is [p, p + bytes) inside? */
bool kernel_arena_holds(const struct kernel_arena *a, const void *p, size_t bytes);

#endif
