/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * nearfold_execute.c - one node's part of a query: Execute, and its events
 *
 *	Started, Progress ..., Partial ..., Finished
 *
 * The first attempt names the program by its id, 32 bytes. A node that does not have it answers
 * NOT_FOUND with the detail "program", and gets the query again with the program inside.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "compute-client/client.h"

struct execution {
	struct nearfold_conn *conn;
	struct client_execution *x;
	const struct program *program;
	uint64_t began_ns;
	bool started, finished;
	struct nearfold_error *err;
};

static int on_started(struct execution *e, const Nearfold__V1__Started *m)
{
	struct client_execution *x = e->x;

	e->started = true;
	x->stats.query_id = m->query_id;
	x->stats.generation = m->generation;
	x->node_instance = m->node_instance;
	return 0;
}

static int on_progress(struct execution *e, const Nearfold__V1__Progress *m)
{
	struct nearfold_progress p = {
		.bytes_done = m->bytes_done,
		.bytes_total = m->bytes_total,
		.records = m->records,
		.matched = m->matched,
		.elapsed_ns = clock_now_ns() - e->began_ns,
	};

	if (!e->x->progress)
		return 0;
	int r = e->x->progress(e->x->progress_arg, &p);

	return r < 0 ? client_fail(e->err, NF_CANCELLED, NULL, "cancelled") : 0;
}

static int on_partial(struct execution *e, const Nearfold__V1__Partial *m)
{
	struct nf_error why = {0};

	if (m->program_id.len != PROGRAM_ID_BYTES ||
	    memcmp(m->program_id.data, e->program->id, PROGRAM_ID_BYTES) != 0)
		return client_fail(e->err, NF_INTERNAL, "partial",
				   "the node sent a state of another program");

	int r = partials_add(e->x->parts, m->groups, m->keys.data, m->states.data, &why);

	return r < 0 ? client_error(e->err, &why, r) : 0;
}

static int on_finished(struct execution *e, const Nearfold__V1__Finished *m)
{
	struct client_execution *x = e->x;
	struct nearfold_stats *s = &x->stats;

	e->finished = true;
	snprintf(x->engine, sizeof(x->engine), "%s", m->engine);
	snprintf(x->engine_reason, sizeof(x->engine_reason), "%s", m->engine_reason);
	snprintf(x->reader, sizeof(x->reader), "%s", m->reader);
	s->engine = x->engine;
	s->engine_reason = x->engine_reason;
	s->reader = x->reader;
	s->threads = m->threads;
	s->queue_depth = m->queue_depth;
	s->chunk_bytes = m->chunk_bytes;
	s->bytes_scanned = m->bytes_scanned;
	s->records = m->records;
	s->matched = m->matched;
	s->scan_seconds = (double)m->scan_ns / NS_PER_SEC;
	s->prepare_seconds = (double)(m->spawn_ns + m->prepare_ns) / NS_PER_SEC;
	s->node_bytes_sent = m->bytes_sent;
	s->node_cpu_seconds = (double)m->cpu_ns / NS_PER_SEC;
	s->worker_memory_bytes = m->memory_bytes;
	snprintf(x->device, sizeof(x->device), "%s", m->device);
	s->device = x->device;
	s->read_commands = m->read_commands;
	s->read_retries = m->read_retries;
	return 0;
}

static int on_event(void *arg, const uint8_t *message, size_t size)
{
	struct execution *e = arg;
	struct nf_error why = {0};
	Nearfold__V1__ExecuteReply *m = wire_unpack_execute_reply(
		message, size, e->program->key_bytes, e->program->state_bytes, &why);
	int r;

	if (!m)
		return client_bad_reply(e->conn, &why, e->err);
	if (e->finished)
		r = client_fail(e->err, NF_INTERNAL, "reply", "a message after the last one");
	else if (m->event_case == NEARFOLD__V1__EXECUTE_REPLY__EVENT_STARTED)
		r = on_started(e, m->started);
	else if (m->event_case == NEARFOLD__V1__EXECUTE_REPLY__EVENT_PROGRESS)
		r = on_progress(e, m->progress);
	else if (m->event_case == NEARFOLD__V1__EXECUTE_REPLY__EVENT_PARTIAL)
		r = on_partial(e, m->partial);
	else if (m->event_case == NEARFOLD__V1__EXECUTE_REPLY__EVENT_FINISHED)
		r = on_finished(e, m->finished);
	else
		r = 0; /* of a newer node */
	nearfold__v1__execute_reply__free_unpacked(m, NULL);
	return r;
}

static int send_query(struct nearfold_conn *c, struct execution *e, uint64_t deadline_ns,
		      const Nearfold__V1__Program *program, struct client_refusal *refusal)
{
	const struct nearfold_query *q = e->x->query;
	Nearfold__V1__ExecuteRequest m;
	Nearfold__V1__Range range;

	nearfold__v1__execute_request__init(&m);
	nearfold__v1__range__init(&range);
	m.dataset = (char *)q->dataset;
	if (program) {
		m.which_case = NEARFOLD__V1__EXECUTE_REQUEST__WHICH_PROGRAM;
		m.program = (Nearfold__V1__Program *)program;
	} else {
		m.which_case = NEARFOLD__V1__EXECUTE_REQUEST__WHICH_PROGRAM_ID;
		m.program_id.data = (uint8_t *)e->program->id;
		m.program_id.len = PROGRAM_ID_BYTES;
	}
	m.params.data = q->program->param_bytes;
	m.params.len = e->program->params_bytes;
	if (q->engine)
		m.engine = (char *)q->engine;
	if (q->reader)
		m.reader = (char *)q->reader;
	m.threads = q->threads;
	m.queue_depth = q->queue_depth;
	m.chunk_bytes = q->chunk_bytes;
	m.instructions_per_record = q->instructions_per_record;
	m.max_groups = q->max_groups;
	if (q->has_range) {
		range.start_bytes = q->range_start;
		range.end_bytes = q->range_end == UINT64_MAX ? 0 : q->range_end;
		m.range = &range;
	}
	return client_call(c, WIRE_EXECUTE, &m.base, deadline_ns, on_event, e, refusal, e->err);
}

static int send_whole(struct nearfold_conn *c, struct execution *e, uint64_t deadline_ns,
		      struct client_refusal *refusal)
{
	Nearfold__V1__Program *program = NULL;

	if (wire_program_to(e->program, &program) < 0)
		return client_no_memory(e->err);

	int r = send_query(c, e, deadline_ns, program, refusal);

	wire_program_to_free(program);
	return r;
}

int client_execute(struct nearfold_conn *c, struct client_execution *x, struct nearfold_error *err)
{
	struct execution e = {
		.conn = c,
		.x = x,
		.program = x->query->program->program,
		.began_ns = clock_now_ns(),
		.err = err,
	};
	uint64_t timeout = x->query->timeout_ns ? x->query->timeout_ns : c->timeout_ns;
	uint64_t deadline = timeout ? e.began_ns + timeout : 0;
	struct client_refusal refusal = {0};
	int r = send_query(c, &e, deadline, NULL, &refusal);

	if (r < 0 && !e.started && client_refusal_missing(&refusal, "program")) {
		client_refusal_done(&refusal);
		r = send_whole(c, &e, deadline, &refusal);
	}
	x->stats.wire_bytes_sent = rpc_client_bytes_sent(c->rpc) - c->sent_mark;
	x->stats.wire_bytes_received = rpc_client_bytes_received(c->rpc) - c->received_mark;
	c->sent_mark += x->stats.wire_bytes_sent;
	c->received_mark += x->stats.wire_bytes_received;
	x->stats.total_seconds = (double)(clock_now_ns() - e.began_ns) / NS_PER_SEC;
	if (r == 0 && !(e.finished && partials_whole(x->parts)))
		r = client_fail(err, NF_INTERNAL, rpc_client_address(c->rpc),
				"the node ended the query without %s",
				e.finished ? "an answer" : "its statistics");
	if (r < 0) {
		if (err && !err->query_id)
			err->query_id = x->stats.query_id;
		client_program_source(x->query->program, err);
		if (client_refusal_missing(&refusal, "dataset"))
			client_name_datasets(c, err);
	}
	client_refusal_done(&refusal);
	return r;
}
