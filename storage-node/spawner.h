/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * spawner.h - the small process that forks workers.
 *
 * main forks it first of all: before the configuration is read, a secret is in memory or a
 * connection exists. So a worker inherits nothing worth stealing, and forking is cheap. One
 * SOCK_SEQPACKET pair joins the two:
 *
 *	main -> spawner   struct spawn_setup, once; nothing in it is a secret
 *	spawner -> main   struct spawn_ready
 *	main -> spawner   struct spawn_request + {the worker's channel, its job}
 *	spawner -> main   SPAWN_STARTED + pidfd, or SPAWN_FAILED; later SPAWN_EXITED
 *	spawner -> main   SPAWN_SPARES when their number has changed
 *
 * Spares are workers that are forked before they are needed: a fork takes longer than many a
 * query. A spare waits for one message with the channel and the job, can do nothing else, and is
 * replaced after it was taken. main knows their number, not their pids: it ends a worker through
 * the pidfd that comes with STARTED, with no one in between.
 *
 * When main is gone, the spawner and with it every worker, spares too, is killed by the kernel
 * (PR_SET_PDEATHSIG). When the spawner is gone main cannot run queries any more and ends, too, to
 * be started afresh.
 */
#ifndef NF_NODE_SPAWNER_H
#define NF_NODE_SPAWNER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "storage-node/node_engines.h"

enum { SPAWN_MAX_SPARES = 64 };

struct spawn_setup {
	uint32_t spares;       /* to keep, at most SPAWN_MAX_SPARES */
	char jit_module[1024]; /* "": where scan looks by itself */
};

struct spawn_ready {
	int ret; /* of engines_of_machine() */
	struct engine_set engines;
	struct nf_error err;
};

struct spawn_request {
	uint64_t query_id;
};

struct spawn_report {
	enum { SPAWN_STARTED, SPAWN_FAILED, SPAWN_EXITED, SPAWN_SPARES } what;
	uint64_t query_id;
	pid_t pid;
	int status;      /* EXITED: as waitpid() gives it */
	int errnum;      /* FAILED */
	uint32_t spares; /* SPARES: how many wait */
};

/* Fork it. *ret_socket is main's end, non-blocking. Call with one thread and no secret. */
int spawner_start(int *ret_socket, pid_t *ret_pid, struct nf_error *err);
/* Once, before anything else: what the configuration says, and which engines there are. Waits. */
int spawner_setup(int sock, uint32_t spares, const char *jit_module, struct engine_set *ret,
		  struct nf_error *err);
/* Both descriptors stay the caller's. -EAGAIN (UNAVAILABLE): it is busy; -EPIPE: it is gone. */
int spawner_ask(int sock, uint64_t query_id, int channel, int job, struct nf_error *err);
/* 1 and a report (*ret_pidfd >= 0 with STARTED, owned by the caller), 0 nothing more now,
 * -ECONNRESET it is gone. */
int spawner_report(int sock, struct spawn_report *ret, int *ret_pidfd);

#endif
