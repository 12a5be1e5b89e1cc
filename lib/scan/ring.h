/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ring.h - reads that are in flight while others are looked at: io_uring, or a test's double.
 *
 * A ring belongs to the thread that opened it. It is set up so that it can do nothing but read the
 * files it was opened with (IORING_REGISTER_RESTRICTIONS), before the sandbox closes.
 */
#ifndef NF_SCAN_RING_H
#define NF_SCAN_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct source_file;

struct ring_config {
	unsigned depth; /* at most so many reads in flight */
	const int *fds; /* -1: a hole */
	unsigned n_fds;
	uint8_t *memory; /* depth buffers of buffer_bytes each */
	size_t buffer_bytes;
	const struct source_file *files; /* ring_nvme: fds 2i and 2i + 1 are file i's */
	unsigned n_files;
	bool polled; /* ring_uring: the disks can be polled for direct reads */
	void *arg;   /* the test's */
};

struct ring_read {
	unsigned file;   /* index into fds; odd: direct */
	unsigned buffer; /* the one that data lies in */
	uint8_t *data;
	uint32_t bytes;
	uint64_t offset_bytes;
	uint64_t user_data;
};

/* What a ring did for the reads so far. */
struct ring_counts {
	uint64_t commands, retries;
	bool refused; /* commands are not for us: they went as reads of the block node */
	bool polled;
};

struct ring_completion {
	uint64_t user_data;
	int res; /* bytes, or -errno */
};

struct ring_ops {
	int (*open)(const struct ring_config *cfg, void **ret_ring, struct nf_error *err);
	/* Put into the queue. There is room for depth reads. */
	void (*queue)(void *ring, const struct ring_read *read);
	/* Hand the queue to the kernel. 0 or -errno. */
	int (*submit)(void *ring);
	/* The same, then wait up to wait_ns for a completion. Returns how many it gave, or -errno.
	 */
	int (*reap)(void *ring, uint64_t wait_ns, struct ring_completion *ret, unsigned max);
	/* Optional: begin nothing any more and try nothing again, so that reap() waits for no more
	 * than what the kernel has. What is cut off completes with -ECANCELED. */
	void (*stop)(void *ring);
	void (*close)(void *ring); /* when nothing is in flight */
	/* Optional, and then no read completes short or wants to be tried again: say why the one
	 * that reap() gave a negative result for (the last one) failed. Returns like a reader. */
	int (*failure)(void *ring, struct nf_error *err);
	void (*count)(void *ring, struct ring_counts *ret); /* optional */
};

/* ring_nvme: every file is a namespace (source_file.nvme). */
extern const struct ring_ops ring_uring, ring_nvme;

/* Does the kernel let us have a ring? 0, or FAILED_PRECONDITION with the reason. */
int ring_uring_check(struct nf_error *why);

#endif
