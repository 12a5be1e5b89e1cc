/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ring_base.h - an io_uring that can do nothing but what it was made for, and waits with a limit.
 *
 * What ring_uring.c and ring_nvme.c share. It belongs to the thread that opened it.
 */
#ifndef NF_SCAN_RING_BASE_H
#define NF_SCAN_RING_BASE_H

#include <liburing.h>

#include "scan/ring.h"

enum { RING_MAX_OPS = 4 };

struct ring_base {
	struct io_uring uring;
	bool opened;
	bool fixed_buffers; /* registered: no pinning of pages for each read */
	bool waits_with_timeout;
	bool polled; /* IORING_SETUP_IOPOLL */
};

struct ring_setup {
	unsigned entries, flags; /* IORING_SETUP_*, beside those that all rings get */
	const int *fds;          /* to register; -1: a hole */
	unsigned n_fds;
	uint8_t ops[RING_MAX_OPS]; /* IORING_OP_*: all that may be asked of it */
	unsigned n_ops;
};

/* cfg: depth buffers of memory are registered if the limit of locked memory allows. */
int ring_base_open(struct ring_base *r, const struct ring_config *cfg, const struct ring_setup *how,
		   struct nf_error *err);
void ring_base_close(struct ring_base *r); /* takes a zeroed one */
/* Hand what is queued to the kernel. 0 or -errno. */
int ring_base_submit(struct ring_base *r);
/* The same, and wait up to wait_ns until there is a completion. */
int ring_base_wait(struct ring_base *r, uint64_t wait_ns);

/* io_uring_queue_init_params() that waits for the memory of rings that were closed just now. */
int ring_init_params(unsigned entries, struct io_uring *uring, struct io_uring_params *p);
int ring_setup_error(int errnum, struct nf_error *err);

#endif
