/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * nearfold_gather.c - the same question to several nodes: a thread for each, and here the partial
 * states of all are combined. The first node that fails ends the others.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/scope.h"
#include "compute-client/client.h"

struct gather {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned running;
	atomic_bool failed;
	struct branch *first_failed;
};

/* One node's part. */
struct branch {
	struct gather *gather;
	struct nearfold_conn *conn;
	struct client_execution x;
	struct nearfold_progress progress; /* under the lock */
	struct nearfold_error err;
	int result;
	pthread_t thread;
	bool has_thread;
};

static int on_progress(void *arg, const struct nearfold_progress *p)
{
	struct branch *b = arg;

	pthread_mutex_lock(&b->gather->lock);
	b->progress = *p;
	pthread_mutex_unlock(&b->gather->lock);
	return atomic_load(&b->gather->failed) ? -ECANCELED : 0;
}

static void *run_branch(void *arg)
{
	struct branch *b = arg;
	struct gather *g = b->gather;

	b->result = client_execute(b->conn, &b->x, &b->err);
	pthread_mutex_lock(&g->lock);
	if (b->result < 0 && !g->first_failed) {
		g->first_failed = b;
		atomic_store(&g->failed, true);
	}
	g->running--;
	pthread_cond_signal(&g->changed);
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

static void sum_progress(const struct branch *branches, unsigned n, uint64_t began_ns,
			 struct nearfold_progress *ret)
{
	*ret = (struct nearfold_progress){.elapsed_ns = clock_now_ns() - began_ns};
	for (unsigned i = 0; i < n; i++) {
		ret->bytes_done += branches[i].progress.bytes_done;
		ret->bytes_total += branches[i].progress.bytes_total;
		ret->records += branches[i].progress.records;
		ret->matched += branches[i].progress.matched;
	}
}

/* The caller's progress function is called from the caller's thread only. */
static void wait_for_all(struct gather *g, const struct branch *branches, unsigned n,
			 const struct nearfold_query *q)
{
	uint64_t began = clock_now_ns(), next = began;

	pthread_mutex_lock(&g->lock);
	while (g->running > 0) {
		struct timespec at;
		struct nearfold_progress sum;

		next += 100 * NS_PER_MS;
		at.tv_sec = (time_t)(next / NS_PER_SEC);
		at.tv_nsec = (long)(next % NS_PER_SEC);
		while (g->running > 0 &&
		       pthread_cond_clockwait(&g->changed, &g->lock, CLOCK_MONOTONIC, &at) == 0)
			;
		if (g->running == 0 || !q->progress)
			continue;
		sum_progress(branches, n, began, &sum);
		pthread_mutex_unlock(&g->lock);
		q->progress(q->progress_arg, &sum);
		pthread_mutex_lock(&g->lock);
	}
	pthread_mutex_unlock(&g->lock);
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

/* Amounts add up; times are the slowest node's; a word that differs is "mixed". */
static void sum_stats(const struct branch *branches, unsigned n, struct nearfold_stats *ret)
{
	*ret = branches[0].x.stats;
	for (unsigned i = 1; i < n; i++) {
		const struct nearfold_stats *s = &branches[i].x.stats;

		if (strcmp(ret->engine, s->engine) != 0)
			ret->engine = "mixed";
		if (strcmp(ret->engine_reason, s->engine_reason) != 0)
			ret->engine_reason = "differs between the nodes";
		if (strcmp(ret->reader, s->reader) != 0)
			ret->reader = "mixed";
		if (strcmp(ret->device, s->device) != 0)
			ret->device = "differs between the nodes";
		ret->threads += s->threads;
		ret->bytes_scanned += s->bytes_scanned;
		ret->records += s->records;
		ret->matched += s->matched;
		ret->wire_bytes_sent += s->wire_bytes_sent;
		ret->wire_bytes_received += s->wire_bytes_received;
		ret->node_cpu_seconds += s->node_cpu_seconds;
		ret->scan_seconds = larger(ret->scan_seconds, s->scan_seconds);
		ret->prepare_seconds = larger(ret->prepare_seconds, s->prepare_seconds);
		ret->total_seconds = larger(ret->total_seconds, s->total_seconds);
		if (s->worker_memory_bytes > ret->worker_memory_bytes)
			ret->worker_memory_bytes = s->worker_memory_bytes;
	}
	if (n > 1) {
		ret->query_id = 0;
		ret->generation = 0;
	}
}

static int start(struct gather *g, struct branch *branches, struct nearfold_conn *const *conns,
		 unsigned n, const struct nearfold_query *q, struct nearfold_error *err)
{
	for (unsigned i = 0; i < n; i++) {
		struct branch *b = &branches[i];
		struct nf_error why = {0};

		b->gather = g;
		b->conn = conns[i];
		b->x = (struct client_execution){
			.query = q, .progress = on_progress, .progress_arg = b};

		int r = partials_new(q->program->program, q->instructions_per_record, q->max_groups,
				     &b->x.parts, &why);

		if (r < 0)
			return client_error(err, &why, r);
		pthread_mutex_lock(&g->lock);
		r = -pthread_create(&b->thread, NULL, run_branch, b);
		b->has_thread = r == 0;
		g->running += r == 0;
		pthread_mutex_unlock(&g->lock);
		if (r < 0)
			return client_fail(err, NF_RESOURCE_EXHAUSTED, "this process",
					   "no thread for another node: %s", strerror(-r));
	}
	return 0;
}

static int combine(struct branch *branches, unsigned n, const struct nearfold_query *q,
		   struct nearfold_result **ret, struct nf_error *err)
{
	struct nearfold_stats stats;
	uint8_t *state;
	struct groups *groups;

	for (unsigned i = 1; i < n; i++) {
		int r = partials_merge(branches[0].x.parts, branches[i].x.parts, err);

		if (r < 0)
			return r;
	}
	sum_stats(branches, n, &stats);
	partials_take(branches[0].x.parts, &state, &groups);

	int r = client_result_new(q->program, state, groups, &stats, ret, err);

	if (r < 0) {
		free(state);
		groups_free(groups);
	}
	return r;
}

/* A place on a node says little without the node. */
static void name_node(struct nearfold_error *err, const struct nearfold_conn *conn)
{
	const char *address = rpc_client_address(conn->rpc);
	char where[sizeof(err->where)];

	if (strstr(err->where, address))
		return;
	int n = snprintf(where, sizeof(where), "%s: %s", address, err->where);

	if (n > 0)
		memcpy(err->where, where, sizeof(where));
}

/* Two addresses may lead to one node. It says so when it has started. */
static int check_instances(const struct branch *branches, unsigned n, struct nearfold_error *err)
{
	for (unsigned i = 1; i < n; i++) {
		for (unsigned k = 0; k < i; k++) {
			uint64_t instance = branches[i].x.node_instance;

			if (instance && instance == branches[k].x.node_instance)
				return client_fail(err, NF_INVALID_ARGUMENT,
						   rpc_client_address(branches[i].conn->rpc),
						   "this is the node at %s, too, and its data "
						   "would count twice: name each node once",
						   rpc_client_address(branches[k].conn->rpc));
		}
	}
	return 0;
}

static int gather(struct branch *branches, struct nearfold_conn *const *conns, unsigned n,
		  const struct nearfold_query *q, struct nearfold_result **ret,
		  struct nearfold_error *err)
{
	struct gather g = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	struct nf_error why = {0};
	int r = start(&g, branches, conns, n, q, err);

	if (r < 0)
		atomic_store(&g.failed, true);
	wait_for_all(&g, branches, n, q);
	for (unsigned i = 0; i < n; i++)
		if (branches[i].has_thread)
			pthread_join(branches[i].thread, NULL);
	if (r < 0)
		return r;
	if (g.first_failed) {
		if (err) {
			*err = g.first_failed->err;
			name_node(err, g.first_failed->conn);
		}
		return g.first_failed->result;
	}
	r = check_instances(branches, n, err);
	if (r < 0)
		return r;
	r = combine(branches, n, q, ret, &why);
	if (r < 0) {
		client_error(err, &why, r);
		client_program_source(q->program, err);
	}
	return r;
}

static bool same_address(const struct nearfold_conn *a, const struct nearfold_conn *b)
{
	return strcmp(rpc_client_address(a->rpc), rpc_client_address(b->rpc)) == 0;
}

int nearfold_gather(struct nearfold_conn *const *conns, unsigned n_conns,
		    const struct nearfold_query *query, struct nearfold_result **ret,
		    struct nearfold_error *err)
{
	struct nearfold_query q;
	int r = client_query_read(query, &q, err);

	if (r < 0)
		return r;
	if (n_conns == 0 || !q.dataset)
		return client_fail(err, NF_INVALID_ARGUMENT, "query",
				   "no node or no data set is named");
	if (n_conns == 1)
		return nearfold_run(conns[0], &q, ret, err);
	for (unsigned i = 0; i < n_conns; i++)
		for (unsigned k = 0; k < i; k++)
			if (same_address(conns[i], conns[k]))
				return client_fail(err, NF_INVALID_ARGUMENT,
						   rpc_client_address(conns[i]->rpc),
						   "the node is named twice, and its data would "
						   "count twice: name each node once");

	struct branch *branches = calloc(n_conns, sizeof(*branches));

	if (!branches)
		return client_no_memory(err);
	r = gather(branches, conns, n_conns, &q, ret, err);
	for (unsigned i = 0; i < n_conns; i++)
		partials_free(branches[i].x.parts);
	free(branches);
	return r;
}
