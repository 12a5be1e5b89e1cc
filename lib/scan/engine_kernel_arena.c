/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/engine_kernel_arena.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm/vm.h"

enum {
	MAP_TYPE_ARENA = 33, /* BPF_MAP_TYPE_ARENA, Linux 6.9; Debian 12's headers predate it */
	PAGE = 4096,
	/* Stays out of use at both ends: programs compare pointers that are a little outside of
	 * their region (vm.h), of which the kernel compares the low 32 bits. */
	KERNEL_ARENA_MARGIN = VM_NEAR_BYTES,
};

struct kernel_arena {
	int fd;
	uint8_t *base;
	size_t used;
	pthread_mutex_t lock;
};

static int create(size_t bytes)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);

	return bpf_map_create((enum bpf_map_type)MAP_TYPE_ARENA, "nearfold_arena", 0, 0,
			      (uint32_t)(bytes / PAGE), &opts);
}

int kernel_arena_try(void)
{
	return create(PAGE);
}

int kernel_arena_new(struct kernel_arena **ret, struct nf_error *err)
{
	struct kernel_arena *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	pthread_mutex_init(&a->lock, NULL);
	a->fd = create(KERNEL_ARENA_BYTES);
	a->base = MAP_FAILED;
	if (a->fd >= 0) /* without map_extra the kernel finds a place that fits */
		a->base = mmap(NULL, KERNEL_ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, a->fd,
			       0);
	if (a->base == MAP_FAILED) {
		r = nf_error_sys(err, NF_RESOURCE_EXHAUSTED, errno, NULL,
				 "cannot make a BPF arena of %d MiB", KERNEL_ARENA_BYTES >> 20);
		kernel_arena_free(a);
		return r;
	}
	a->used = KERNEL_ARENA_MARGIN;
	*ret = a;
	return 0;
}

void kernel_arena_free(struct kernel_arena *a)
{
	if (!a)
		return;
	if (a->base != MAP_FAILED)
		munmap(a->base, KERNEL_ARENA_BYTES);
	if (a->fd >= 0)
		close(a->fd);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

int kernel_arena_fd(const struct kernel_arena *a)
{
	return a->fd;
}

void *kernel_arena_take(struct kernel_arena *a, size_t bytes)
{
	size_t size = (bytes + PAGE - 1) & ~(size_t)(PAGE - 1);
	uint8_t *p = NULL;

	pthread_mutex_lock(&a->lock);
	if (size >= bytes && size <= KERNEL_ARENA_BYTES - KERNEL_ARENA_MARGIN - a->used) {
		p = a->base + a->used;
		a->used += size;
	}
	pthread_mutex_unlock(&a->lock);
	for (size_t at = 0; p && at < size; at += PAGE)
		*(volatile uint8_t *)(p + at) = 0;
	return p;
}

bool kernel_arena_holds(const struct kernel_arena *a, const void *p, size_t bytes)
{
	uintptr_t at = (uintptr_t)p, base = (uintptr_t)a->base;

	return at >= base && bytes <= KERNEL_ARENA_BYTES && at - base <= KERNEL_ARENA_BYTES - bytes;
}
