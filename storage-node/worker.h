/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * worker.h - the process of one query: from its job to its last frame. See worker_job.h for the
 * words it speaks, sandbox.h for what it may do.
 *
 * It begins as a spare: a message on `handoff` (SOCK_SEQPACKET, the spawner's) brings two
 * descriptors, its channel to main and its job.
 *
 * It trusts main for the job's facts (sizes, limits) and nobody for the program: that is unpacked,
 * validated and verified here again, whatever main found.
 */
#ifndef NF_NODE_WORKER_H
#define NF_NODE_WORKER_H

#include <sys/types.h>

void worker_main(int handoff, pid_t parent) __attribute__((noreturn));

#endif
