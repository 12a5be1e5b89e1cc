/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node.h - main's own process: one event loop, and what hangs on it. One thread; functions named
 * *_work run in libuv's thread pool and touch only what their comment says.
 *
 * The stages of a query, a file each: node_service (which method) -> node_authorize (who) ->
 * program_cache (verified?) -> node_admission (when) -> node_catalog (open) -> spawner, worker
 * (run) -> node_reply (status). node_query calls them in this order.
 */
#ifndef NF_NODE_H
#define NF_NODE_H

#include <sys/types.h>
#include <uv.h>

#include "storage-node/node_admission.h"
#include "storage-node/node_catalog.h"
#include "storage-node/node_config.h"
#include "storage-node/program_cache.h"

struct code_cache;
struct node_worker;
struct query;
struct health_watch;

struct node {
	uv_loop_t loop;
	struct node_config config;
	struct catalog *catalog;
	struct admission admission;
	struct program_cache *cache;
	struct code_cache *codes;
	struct rpc_server *server;

	int spawner_sock; /* -1: it is gone */
	pid_t spawner_pid;
	uv_poll_t spawner_poll;
	uv_timer_t tick; /* every second while there are queries */
	uv_timer_t drain_timer;
	uv_signal_t sigterm, sigint;

	struct query *queries;       /* all that are not freed yet, newest first */
	struct node_worker *workers; /* the same */
	struct health_watch *watches;
	struct engine_set engines; /* as an ordinary program finds them; immutable after start */
	uint32_t spare_workers;    /* that wait in the spawner, as it says */

	uint64_t start_ns, last_query_id;
	uint64_t instance; /* which daemon this is; random; 0: nobody can tell */
	uint64_t loads;    /* LoadProgram calls in the pool */
	uint64_t queries_done, queries_failed, bytes_scanned, bytes_sent;
	bool draining;
	int exit_status;
};

/* Refuse new work, let running queries end, then stop the loop; at the latest after `seconds`. */
void node_drain(struct node *node, uint64_t seconds);

#endif
