/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sandbox.h - what a worker may still do, in steps that each only take away.
 *
 *	1 the spawner, once    every capability but CAP_BPF and CAP_PERFMON, the bounding set,
 *	                       new privileges for ever
 *	2 a worker's start     as a spare, before it has a query: every descriptor but the one that
 *	                       the query comes by; no ptrace, no core; dies with its parent. With
 *	                       the query: what its engine does not need of the capabilities;
 *	                       resource limits; every descriptor but the channel's
 *	3 before the scan      the last capabilities; seccomp: the system calls of a scan and no
 *	                       other
 *
 * Step 3 comes when the ring, the maps and the kernel program exist and before the first line of a
 * client's code runs or is compiled, in every thread at once (SECCOMP_FILTER_FLAG_TSYNC).
 *
 * Memory is writable or executable and never both: mmap() may not ask for PROT_EXEC at all, and
 * mprotect() may not ask for PROT_WRITE | PROT_EXEC. What is left is the JIT's way: mmap()
 *writable, fill, mprotect() to read and execute.
 */
#ifndef NF_NODE_SANDBOX_H
#define NF_NODE_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* The only descriptor that a worker may write to. */
enum { SANDBOX_CHANNEL_FD = 3 };

struct sandbox_limits {
	uint64_t memory_bytes, cpu_seconds;
	unsigned open_files; /* descriptors it will have, scan's own included */
};

/* Step 1; also compiles the filter of step 3, so that a worker only installs it. */
int sandbox_spawner(struct nf_error *err);
/* Step 2, before there is a query. Every descriptor but *handoff, which moves, is closed. */
int sandbox_spare(int *handoff, pid_t parent, struct nf_error *err);
/* Step 2, with it. channel becomes SANDBOX_CHANNEL_FD; every other descriptor but `keep` is closed.
 */
int sandbox_worker(int channel, int *keep, bool needs_bpf, const struct sandbox_limits *limits,
		   struct nf_error *err);
/* Step 3. */
int sandbox_enter(struct nf_error *err);

#endif
