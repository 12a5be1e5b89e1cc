/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node_worker.h - main's end of a worker: its channel, its pidfd, its end. Loop thread.
 *
 * Life: node_worker_start() -> events->frame() any number of times -> events->gone() once, when the
 * channel is read to its end and the spawner has reaped the process (or could not fork it). The
 * object is freed after gone(); nobody may use it then.
 */
#ifndef NF_NODE_WORKER_H_
#define NF_NODE_WORKER_H_

#include <stdbool.h>

#include "storage-node/node.h"
#include "storage-node/worker_job.h"

struct node_worker_events {
	/* A checked frame. True: the callee keeps payload (malloc()ed) and frees it. */
	bool (*frame)(void *arg, uint32_t type, uint8_t *payload, size_t bytes);
	/* status as waitpid() gives it, or -1: err says why there is none. */
	void (*gone)(void *arg, int status, const struct nf_error *err);
};

/* Sends the source's files and the job on their way. The job's descriptor stays the caller's. */
int node_worker_start(struct node *node, uint64_t query_id, const struct source *src, int job,
		      const struct node_worker_events *events, void *arg, struct node_worker **ret,
		      struct nf_error *err);
/* SIGKILL, now, or as soon as it has a pid. gone() follows. */
void node_worker_kill(struct node_worker *w);
/* Stop and go on reading frames: the worker then waits for us. */
void node_worker_pause(struct node_worker *w, bool pause);
pid_t node_worker_pid(const struct node_worker *w); /* 0: not yet */

/* Listen to the spawner; when it is gone the node drains and ends with status 1. */
int node_workers_init(struct node *node, struct nf_error *err);
void node_workers_done(struct node *node);

#endif
