/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A query goes through these stages, and this file reads in their order:
 *
 *	start    unpack, authorize, check against the limits, count it in          loop
 *	verify   only if the cache does not have the program for these records     pool
 *	wait     first come first served
 *	open     the data set's files, the job                                     pool
 *	run      a worker; its frames go to the client
 *	finish   one status, one log line; from anywhere, once
 *	release  when no worker, no pool job and no call knows it any more
 *
 * The program is verified here, in the pool, although it is a stranger's: the verifier is our own
 * bounded code, never runs what it reads, and a refusal is worth more before the queue than after
 * it. The worker does not rely on it and verifies again.
 */
#include "storage-node/node_query.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/scope.h"
#include "storage-node/code_cache.h"
#include "storage-node/node_authorize.h"
#include "storage-node/node_reply.h"
#include "storage-node/node_request.h"
#include "storage-node/node_worker.h"

/* In this order: from OPEN on a query has its turn. */
enum stage { STAGE_VERIFY, STAGE_WAIT, STAGE_OPEN, STAGE_RUN, STAGE_CHECK, STAGE_DONE };

struct query {
	struct node *node;
	struct query *prev, *next;
	uint64_t id;
	struct rpc_call *call; /* NULL: finished, or gone */
	char who[256];
	struct wire_execute req;
	const struct catalog_entry *entry;
	struct vm_bounds bounds;

	enum stage stage;
	struct admission_ticket ticket;
	uv_work_t work;
	bool in_pool; /* work is on its way: the pool reads this struct */
	int work_ret;
	struct nf_error work_err;
	struct program *program; /* to verify */
	struct checked_program *checked;
	struct source *source;
	int job_fd;
	struct node_worker *worker;

	uint64_t start_ns, wait_ns, granted_ns, run_ns;
	struct scan_progress progress;
	struct frame_started started;
	struct frame_finished finished;
	bool has_finished;
	bool is_probe; /* asked by id for a program that is not here: no query came of it */
	uint64_t bytes_sent;
	enum nf_code outcome;
};

static void query_verify(struct query *q);
static void query_wait(struct query *q);
static void query_granted(void *arg);
static void query_open(struct query *q);
static void query_run(struct query *q);
static void query_release(struct query *q);

/* ---- finish -------------------------------------------------------------------------------- */

/* One line: who, data set, engine, bytes, records, matched, milliseconds, outcome. */
static void log_query(const struct query *q, const struct nf_error *err)
{
	const struct frame_finished *f = &q->finished;
	char reason[sizeof(err->where) + sizeof(err->text) + 8] = "";
	const char *engine = *f->engine ? f->engine : *q->started.engine ? q->started.engine : "-";

	if (err) {
		reason[0] = ' ';
		nf_error_message(err, reason + 1, sizeof(reason) - 1);
	}
	log_info("query %llu: who=%s dataset=%s engine=%s bytes=%llu records=%llu matched=%llu "
		 "ms=%.1f outcome=%s%s",
		 (unsigned long long)q->id, q->who, q->entry ? q->entry->spec->name : "-", engine,
		 (unsigned long long)(q->has_finished ? f->bytes_scanned : q->progress.bytes_done),
		 (unsigned long long)(q->has_finished ? f->records : q->progress.records),
		 (unsigned long long)(q->has_finished ? f->matched : q->progress.matched),
		 (double)(clock_now_ns() - q->start_ns) / (double)NS_PER_MS,
		 nf_code_name(q->outcome), reason);
}

static void count_query(struct query *q)
{
	struct node *node = q->node;

	*(q->outcome == NF_OK ? &node->queries_done : &node->queries_failed) += 1;
	node->bytes_scanned += q->finished.bytes_scanned;
	node->bytes_sent += q->bytes_sent;
}

/* The one end. err NULL: well. The worker, if it still is, ends; release follows it. */
static void query_finish(struct query *q, const struct nf_error *err,
			 const struct reply_extra *extra)
{
	struct rpc_call *call = TAKE_PTR(q->call);

	if (q->stage == STAGE_DONE)
		return;
	q->stage = STAGE_DONE;
	q->outcome = err ? err->code : NF_OK;
	if (call) {
		struct reply_extra x = extra ? *extra : (struct reply_extra){0};

		q->bytes_sent = rpc_call_bytes_sent(call);
		x.query_id = q->id;
		/* No worker to be had, but bytes there still are. */
		x.fetch_instead = q->outcome == NF_UNAVAILABLE && !q->node->draining;
		if (err)
			reply_error(call, err, &x);
		else
			reply_ok(call);
	}
	if (!q->is_probe) {
		count_query(q);
		log_query(q, err);
	}
	/* One that has given its answer is about to end; it gets no time for anything else. */
	if (q->worker)
		node_worker_kill(q->worker);
	query_release(q);
}

static void query_fail(struct query *q, const struct nf_error *err)
{
	query_finish(q, err, NULL);
}

static void query_fail_limit(struct query *q, const struct nf_error *err, const char *limit)
{
	query_finish(q, err, &(struct reply_extra){.limit = limit});
}

/* The client left, or its deadline passed: whatever runs for it ends now. */
static void on_gone(void *arg, enum nf_code why)
{
	struct query *q = arg;
	struct nf_error err;

	q->call = NULL;
	if (why == NF_DEADLINE_EXCEEDED)
		nf_error_set(&err, why, NULL, "the client's deadline passed");
	else
		nf_error_set(&err, NF_CANCELLED, NULL, "the client cancelled or left");
	query_fail(q, &err);
}

static void query_release(struct query *q)
{
	struct node *node = q->node;

	if (q->worker || q->in_pool)
		return;
	admission_leave(&node->admission, &q->ticket);
	*(q->prev ? &q->prev->next : &node->queries) = q->next;
	if (q->next)
		q->next->prev = q->prev;
	if (q->job_fd >= 0)
		close(q->job_fd);
	program_unref(q->program);
	checked_program_unref(q->checked);
	source_free(q->source);
	wire_execute_done(&q->req);
	free(q);
}

/* ---- start --------------------------------------------------------------------------------- */

/* From the cache, or still to be verified: then q->program is set. */
static int find_program(struct query *q, struct nf_error *err)
{
	struct program_cache *cache = q->node->cache;
	const uint8_t *id = q->req.program ? q->req.program->id : q->req.program_id;

	q->checked = program_cache_find(cache, id, &q->bounds);
	if (q->checked)
		return request_check_program(&q->req, q->entry->spec, q->checked->program, err);
	q->program =
		q->req.program ? program_ref(q->req.program) : program_cache_program(cache, id);
	if (!q->program)
		return nf_error_set(err, NF_NOT_FOUND, "program_id",
				    "this node does not have the program; send it whole");
	return request_check_program(&q->req, q->entry->spec, q->program, err);
}

void query_start(struct node *node, struct rpc_call *call, const uint8_t *message, size_t size)
{
	struct query *q = calloc(1, sizeof(*q));
	struct reply_extra extra = {0};
	struct nf_error err;
	int ret;

	if (!q) {
		nf_error_set(&err, NF_RESOURCE_EXHAUSTED, NULL, "the node is out of memory");
		reply_error(call, &err, NULL);
		return;
	}
	q->node = node;
	q->id = ++node->last_query_id;
	q->call = call;
	q->job_fd = -1;
	q->start_ns = clock_now_ns();
	q->next = node->queries;
	if (q->next)
		q->next->prev = q;
	node->queries = q;
	q->ticket = (struct admission_ticket){.who = q->who, .granted = query_granted, .arg = q};
	authorize_who(rpc_call_peer(call), q->who);
	rpc_call_set(call, on_gone, NULL, q);

	ret = wire_unpack_execute(message, size, &q->req, &err);
	if (ret) {
		query_fail(q, &err);
		return;
	}
	if (node->draining) {
		nf_error_set(&err, NF_UNAVAILABLE, NULL,
			     "the node is shutting down; ask another one or try again later");
		query_fail(q, &err);
		return;
	}
	q->entry = catalog_find(node->catalog, q->req.dataset);
	if (!q->entry) {
		nf_error_set(&err, NF_NOT_FOUND, "dataset",
			     "no data set '%s' here; ListDatasets shows what there is",
			     q->req.dataset);
		query_finish(q, &err, &(struct reply_extra){.missing = "dataset"});
		return;
	}
	ret = authorize_dataset(q->entry->spec, rpc_call_peer(call), &err);
	if (!ret)
		ret = request_check(&q->req, &node->config, &extra.limit, &err);
	if (!ret)
		ret = admission_enter(&node->admission, &q->ticket, &extra.limit, &err);
	if (ret) {
		query_finish(q, &err, &extra);
		return;
	}
	scan_bounds(q->entry->spec, &q->bounds);
	ret = find_program(q, &err);
	if (ret) {
		if (err.code == NF_NOT_FOUND) {
			extra.missing = "program";
			q->is_probe = true;
		}
		query_finish(q, &err, &extra);
		return;
	}
	if (q->checked)
		query_wait(q);
	else
		query_verify(q);
}

/* ---- verify -------------------------------------------------------------------------------- */

/* Hand q to the pool; done() comes back on the loop, also when the query has ended meanwhile. */
static void to_pool(struct query *q, enum stage stage, uv_work_cb work, uv_after_work_cb done)
{
	q->stage = stage;
	q->in_pool = true;
	q->work.data = q;
	uv_queue_work(&q->node->loop, &q->work, work, done);
}

/* Back from the pool: is there anybody left to go on for? */
static bool from_pool(struct query *q)
{
	q->in_pool = false;
	if (q->stage == STAGE_DONE) {
		query_release(q);
		return false;
	}
	if (q->work_ret && q->stage != STAGE_VERIFY) {
		query_fail_limit(q, &q->work_err,
				 q->work_ret == -E2BIG ? "files_per_dataset" : NULL);
		return false;
	}
	return true;
}

/* Reads program, bounds, the node's engines; writes checked. */
static void verify_work(uv_work_t *work)
{
	struct query *q = work->data;

	q->work_ret = checked_program_new(q->program, &q->bounds, &q->node->engines, &q->checked,
					  &q->work_err);
}

static void verify_done(uv_work_t *work, int status)
{
	struct query *q = work->data;
	char report[sizeof(q->work_err.where) + sizeof(q->work_err.text) + 4];

	(void)status;
	/* Worth keeping even when its client has left. */
	if (!q->work_ret)
		program_cache_add(q->node->cache, q->checked);
	if (!from_pool(q))
		return;
	if (q->work_ret) {
		nf_error_message(&q->work_err, report, sizeof(report));
		query_finish(q, &q->work_err, &(struct reply_extra){.report = report});
		return;
	}
	query_wait(q);
}

static void query_verify(struct query *q)
{
	to_pool(q, STAGE_VERIFY, verify_work, verify_done);
}

/* ---- wait ---------------------------------------------------------------------------------- */

static void query_wait(struct query *q)
{
	q->stage = STAGE_WAIT;
	q->wait_ns = clock_now_ns();
	admission_queue(&q->node->admission, &q->ticket);
}

static void query_granted(void *arg)
{
	struct query *q = arg;

	q->granted_ns = clock_now_ns();
	query_open(q);
}

/* ---- open ---------------------------------------------------------------------------------- */

/* Whose code it is: nothing here is a worker's word. */
static struct code_key code_key(const struct query *q)
{
	return (struct code_key){
		.who = q->who,
		.program_id = q->checked->program->id,
		.bounds = q->bounds,
		.format = q->entry->spec->format,
	};
}

static int write_job(struct query *q, struct nf_error *err)
{
	struct job_head head;

	request_to_job(&q->req, &q->node->config, q->entry->spec, &head);
	head.query_id = q->id;
	head.deadline_ns = rpc_call_deadline_ns(q->call);

	struct code_key key = code_key(q);
	size_t code_bytes = 0;
	const struct jit_image *code = code_cache_find(q->node->codes, &key, &code_bytes);
	const struct job_parts parts = {
		.params = q->req.params,
		.params_bytes = q->req.params_bytes,
		.program = q->checked->message,
		.program_bytes = (uint32_t)q->checked->message_bytes,
		.code = code,
		.code_bytes = (uint32_t)code_bytes,
	};

	return job_write(&head, q->source, &parts, &q->job_fd, err);
}

/* Reads entry, limits; writes source. */
static void open_work(uv_work_t *work)
{
	struct query *q = work->data;

	q->work_ret = catalog_open(q->entry, q->node->config.limits.files_per_dataset, &q->source,
				   &q->work_err);
}

static void open_done(uv_work_t *work, int status)
{
	struct query *q = work->data;
	struct nf_error err;

	(void)status;
	if (!from_pool(q))
		return;
	if (q->req.generation && q->req.generation != q->source->generation) {
		nf_error_set(&err, NF_ABORTED, q->req.dataset,
			     "the data set has changed: it is at generation %016llx, the request "
			     "asks for %016llx",
			     (unsigned long long)q->source->generation,
			     (unsigned long long)q->req.generation);
		query_fail(q, &err);
		return;
	}
	if (write_job(q, &err))
		query_fail(q, &err);
	else
		query_run(q);
}

static void query_open(struct query *q)
{
	to_pool(q, STAGE_OPEN, open_work, open_done);
}

/* ---- run ----------------------------------------------------------------------------------- */

static void on_writable(void *arg)
{
	struct query *q = arg;

	if (q->worker)
		node_worker_pause(q->worker, false);
}

/* A message is on its way; a full queue holds the worker back until on_writable(). */
static void after_send(struct query *q, int ret)
{
	struct nf_error err;

	if (ret < 0) {
		nf_error_set(&err, NF_RESOURCE_EXHAUSTED, NULL,
			     "the node has no memory for the reply");
		query_fail(q, &err);
	} else if (ret == 0) {
		node_worker_pause(q->worker, true);
	}
}

static void on_started(struct query *q, const struct frame_started *f)
{
	Nearfold__V1__ExecuteReply reply = NEARFOLD__V1__EXECUTE_REPLY__INIT;
	Nearfold__V1__Started m = NEARFOLD__V1__STARTED__INIT;

	q->started = *f;
	q->run_ns = clock_now_ns();
	m.query_id = q->id;
	m.generation = q->source->generation;
	m.total_bytes = q->source->total_bytes;
	m.engine = q->started.engine;
	m.engine_reason = q->started.engine_reason;
	m.threads = f->threads;
	m.program_id.data = q->checked->program->id;
	m.program_id.len = PROGRAM_ID_BYTES;
	m.node_instance = q->node->instance;
	reply.event_case = NEARFOLD__V1__EXECUTE_REPLY__EVENT_STARTED;
	reply.started = &m;
	after_send(q, reply_stream(q->call, &reply.base));
}

static void on_progress(struct query *q, const struct frame_progress *f)
{
	Nearfold__V1__ExecuteReply reply = NEARFOLD__V1__EXECUTE_REPLY__INIT;
	Nearfold__V1__Progress m = NEARFOLD__V1__PROGRESS__INIT;

	q->progress = f->progress;
	m.bytes_done = q->progress.bytes_done;
	m.bytes_total = q->progress.bytes_total;
	m.records = q->progress.records;
	m.matched = q->progress.matched;
	reply.event_case = NEARFOLD__V1__EXECUTE_REPLY__EVENT_PROGRESS;
	reply.progress = &m;
	after_send(q, reply_stream(q->call, &reply.base));
}

/* bytes_sent counts the message that it stands in, gRPC's five bytes included. */
static int send_finished(struct query *q, Nearfold__V1__Finished *m)
{
	Nearfold__V1__ExecuteReply reply = NEARFOLD__V1__EXECUTE_REPLY__INIT;
	uint64_t before = rpc_call_bytes_sent(q->call);

	reply.event_case = NEARFOLD__V1__EXECUTE_REPLY__EVENT_FINISHED;
	reply.finished = m;
	m->bytes_sent = before;
	m->bytes_sent = before + 5 + nearfold__v1__execute_reply__get_packed_size(&reply);
	m->bytes_sent = before + 5 + nearfold__v1__execute_reply__get_packed_size(&reply);
	return reply_stream(q->call, &reply.base);
}

static void on_finished(struct query *q, const struct frame_finished *f)
{
	Nearfold__V1__Finished m = NEARFOLD__V1__FINISHED__INIT;

	q->finished = *f;
	q->has_finished = true;
	m.bytes_scanned = f->bytes_scanned;
	m.records = f->records;
	m.matched = f->matched;
	m.groups = f->groups;
	m.engine = q->finished.engine;
	m.engine_reason = q->finished.engine_reason;
	m.reader = q->finished.reader;
	m.threads = f->threads;
	m.queue_ns = q->granted_ns - q->wait_ns;
	m.spawn_ns = q->run_ns - q->granted_ns;
	m.prepare_ns = f->prepare_ns;
	m.scan_ns = f->scan_ns;
	m.combine_ns = f->combine_ns;
	m.cpu_ns = f->cpu_ns;
	m.chunk_bytes = f->chunk_bytes;
	m.queue_depth = f->queue_depth;
	m.memory_bytes = f->memory_bytes;
	m.read_commands = f->read_commands;
	m.read_retries = f->read_retries;
	m.device = q->finished.device;
	log_debug("query %llu: microseconds: queue %llu, open and spawn %llu, prepare %llu, scan "
		  "%llu, "
		  "combine %llu",
		  (unsigned long long)q->id, (unsigned long long)m.queue_ns / 1000,
		  (unsigned long long)m.spawn_ns / 1000, (unsigned long long)f->prepare_ns / 1000,
		  (unsigned long long)f->scan_ns / 1000, (unsigned long long)f->combine_ns / 1000);
	if (send_finished(q, &m) < 0)
		after_send(q, -ENOMEM);
	else
		query_finish(q, NULL, NULL);
}

static void on_failed(struct query *q, const struct frame_failed *f)
{
	struct nf_error err;

	nf_error_set(&err, (enum nf_code)f->code, f->where, "%s", f->text);
	query_fail_limit(q, &err, f->limit);
}

static void on_code(struct query *q, uint8_t *image, size_t bytes)
{
	struct code_key key = code_key(q);

	code_cache_add(q->node->codes, &key, image, bytes);
}

static bool on_frame(void *arg, uint32_t type, uint8_t *payload, size_t bytes)
{
	struct query *q = arg;

	if (!q->call)
		return false;
	switch (type) {
	case FRAME_STARTED:
		on_started(q, (const struct frame_started *)payload);
		return false;
	case FRAME_PROGRESS:
		on_progress(q, (const struct frame_progress *)payload);
		return false;
	case FRAME_MESSAGE:
		after_send(q, rpc_call_send_owned(q->call, payload, 0, bytes));
		return true;
	case FRAME_FINISHED:
		on_finished(q, (const struct frame_finished *)payload);
		return false;
	case FRAME_CODE:
		on_code(q, payload, bytes);
		return true;
	case FRAME_FAILED:
		on_failed(q, (const struct frame_failed *)payload);
		return false;
	}
	return false;
}

/* ---- a worker that died -------------------------------------------------------------------- */

/* Reads and checks source. A mapped file that shrinks kills its reader with SIGBUS. */
static void check_work(uv_work_t *work)
{
	struct query *q = work->data;

	q->work_ret = source_check(q->source, &q->work_err);
}

static void check_done(uv_work_t *work, int status)
{
	struct query *q = work->data;
	struct nf_error err;

	(void)status;
	if (!from_pool(q))
		return;
	nf_error_set(&err, NF_DATA_LOSS, q->req.dataset,
		     "a mapped page of the data set could not be read (an I/O error; the kernel's "
		     "log has the device), query %llu",
		     (unsigned long long)q->id);
	query_fail(q, &err);
}

static void on_worker_gone(void *arg, int status, const struct nf_error *why)
{
	struct query *q = arg;
	struct nf_error err;
	const char *limit = NULL;

	q->worker = NULL;
	if (q->stage == STAGE_DONE) {
		query_release(q);
		return;
	}
	if (status < 0) {
		query_fail(q, why);
		return;
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS) {
		to_pool(q, STAGE_CHECK, check_work, check_done);
		return;
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) {
		limit = "cpu_seconds_per_query";
		node_limit_refuse(&err, limit, "the query used up its processor time, query %llu",
				  (unsigned long long)q->id);
	} else if (WIFSIGNALED(status)) {
		nf_error_set(&err, NF_INTERNAL, NULL, "worker died by signal %d (%s), query %llu",
			     WTERMSIG(status), strsignal(WTERMSIG(status)),
			     (unsigned long long)q->id);
	} else {
		nf_error_set(&err, NF_INTERNAL, NULL,
			     "worker ended with status %d before its answer, query %llu",
			     WEXITSTATUS(status), (unsigned long long)q->id);
	}
	query_fail_limit(q, &err, limit);
}

static void query_run(struct query *q)
{
	static const struct node_worker_events events = {on_frame, on_worker_gone};
	struct nf_error err;

	q->stage = STAGE_RUN;
	if (node_worker_start(q->node, q->id, q->source, q->job_fd, &events, q, &q->worker, &err)) {
		query_fail(q, &err);
		return;
	}
	close(q->job_fd);
	q->job_fd = -1;
	rpc_call_set(q->call, on_gone, on_writable, q);
}

/* ---- seen from outside --------------------------------------------------------------------- */

void query_end_waiting(struct node *node)
{
	struct nf_error err;

	nf_error_set(&err, NF_UNAVAILABLE, NULL,
		     "the node is shutting down; ask another one or try again later");
	for (struct query *q = node->queries, *next; q; q = next) {
		next = q->next;
		if (q->stage == STAGE_VERIFY || q->stage == STAGE_WAIT)
			query_fail(q, &err);
	}
}

void query_check_time(struct node *node)
{
	uint64_t most_ns = node->config.limits.seconds_per_query * NS_PER_SEC;
	struct nf_error err;

	for (struct query *q = node->queries, *next; q; q = next) {
		next = q->next;
		if (q->stage < STAGE_OPEN || q->stage == STAGE_DONE ||
		    clock_now_ns() - q->granted_ns < most_ns)
			continue;
		/* A file system may hang; the thread that waits for it does so for itself then. */
		node_limit_refuse(&err, "seconds_per_query",
				  "the query has %s for %llu seconds, query %llu",
				  q->stage == STAGE_RUN ? "run" : "waited for its files",
				  (unsigned long long)node->config.limits.seconds_per_query,
				  (unsigned long long)q->id);
		query_fail_limit(q, &err, "seconds_per_query");
	}
}

unsigned query_count(const struct node *node)
{
	unsigned n = 0;

	for (const struct query *q = node->queries; q; q = q->next)
		n += q->stage != STAGE_DONE;
	return n;
}

void query_status(const struct node *node, unsigned i, Nearfold__V1__QueryStatus *ret)
{
	struct query *q = node->queries;

	while (q->stage == STAGE_DONE || i) {
		if (q->stage != STAGE_DONE)
			i--;
		q = q->next;
	}
	ret->query_id = q->id;
	ret->identity = q->who;
	ret->dataset = q->req.dataset;
	ret->engine = *q->started.engine ? q->started.engine : q->req.engine;
	ret->state =
		(char *)(q->stage == STAGE_RUN || q->stage == STAGE_OPEN || q->stage == STAGE_CHECK
				 ? "running"
				 : "queued");
	ret->bytes_done = q->progress.bytes_done;
	ret->bytes_total = q->progress.bytes_total;
	ret->age_ns = clock_now_ns() - q->start_ns;
	ret->worker_pid = q->worker ? (int32_t)node_worker_pid(q->worker) : 0;
}
