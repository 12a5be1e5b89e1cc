/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_measure.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/scope.h"
#include "compute-client/fold_stream.h"

int bench_error(struct nf_error *to, const struct nearfold_error *from)
{
	to->code = (enum nf_code)from->code;
	memcpy(to->where, from->where, sizeof(to->where));
	memcpy(to->text, from->text, sizeof(to->text));
	return -nf_code_errno(to->code);
}

/* ---- the target ---------------------------------------------------------------------------- */

/* Shipping sees the files' bytes one behind the other, not where a file ends. */
static void find_can_ship(struct bench_target *t, const Nearfold__V1__Dataset *d)
{
	t->can_ship = d->files == 1 || (!d->skip_bytes && !d->tail_ignore);
	if (!t->can_ship)
		snprintf(t->ship_reason, sizeof(t->ship_reason),
			 "%s has %u files with a header or a cut tail each, and what is shipped "
			 "does not say where a file ends; benchmark one of them",
			 t->dataset, d->files);
}

static int set_spec(struct bench_target *t, const Nearfold__V1__Dataset *d, struct nf_error *err)
{
	char skip[24];
	int r = dataset_spec_set(&t->spec, "format", d->format, err);

	snprintf(skip, sizeof(skip), "%llu", (unsigned long long)d->skip_bytes);
	if (r == 0 && d->skip_bytes)
		r = dataset_spec_set(&t->spec, "skip", skip, err);
	if (r == 0 && d->tail_ignore)
		r = dataset_spec_set(&t->spec, "tail", "ignore", err);
	return r;
}

static int describe(struct bench_target *t, struct nf_error *err)
{
	Nearfold__V1__DescribeDatasetRequest m = NEARFOLD__V1__DESCRIBE_DATASET_REQUEST__INIT;
	AUTO_FREE uint8_t *data = NULL;
	struct nearfold_error why;
	size_t size;

	m.name = (char *)t->dataset;
	if (client_call_unary(t->watch, WIRE_DESCRIBE_DATASET, &m.base, &data, &size, &why) < 0)
		return bench_error(err, &why);

	Nearfold__V1__Dataset *d = wire_unpack_dataset(data, size, err);
	int r = d ? 0 : -EIO;

	if (d && d->problem[0])
		r = nf_error_set(err, NF_FAILED_PRECONDITION, t->dataset, "%s", d->problem);
	if (r == 0)
		r = set_spec(t, d, err);
	if (r == 0) {
		t->total_bytes = d->total_bytes;
		find_can_ship(t, d);
	}
	if (d)
		nearfold__v1__dataset__free_unpacked(d, NULL);
	return r;
}

static int verify(struct bench_target *t, struct nf_error *err)
{
	return t->program ? client_verify(t->program, &t->spec, &t->verified, err) : 0;
}

int bench_target_open(struct bench_target *t, const char *address, struct nf_error *err)
{
	struct nearfold_conn_options o = {.size = sizeof(o), .cancel_fd = t->cancel_fd};
	struct nearfold_error why;
	int r;

	t->interface.fd = -1;
	t->address = strdup(address);
	if (!t->address)
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
	if (nearfold_connect(address, &o, &t->watch, &why) < 0 ||
	    nearfold_connect(address, &o, &t->conn, &why) < 0)
		return bench_error(err, &why);
	bench_interface_towards(rpc_client_address(t->conn->rpc), &t->interface);
	r = describe(t, err);
	return r < 0 ? r : verify(t, err);
}

static void forget_program(struct bench_target *t)
{
	vm_program_unref(t->verified);
	nearfold_result_free(t->answer);
	free(t->image);
	t->verified = NULL;
	t->answer = NULL;
	t->image = NULL;
	t->answers_differ = false;
}

int bench_target_program(struct bench_target *t, struct nearfold_program *program,
			 struct nf_error *err)
{
	forget_program(t);
	t->program = program;
	return verify(t, err);
}

void bench_target_close(struct bench_target *t)
{
	forget_program(t);
	nearfold_close(t->conn);
	nearfold_close(t->watch);
	bench_interface_close(&t->interface);
	dataset_spec_done(&t->spec);
	free(t->address);
	t->conn = t->watch = NULL;
	t->address = NULL;
}

/* ---- answers ------------------------------------------------------------------------------- */

static bool same_texts(struct nearfold_result *a, struct nearfold_result *b)
{
	for (uint64_t i = 0; i < nearfold_result_rows(a); i++) {
		for (unsigned c = 0; c < nearfold_result_columns(a); c++) {
			const char *x = nearfold_result_text(a, i, c);
			const char *y = nearfold_result_text(b, i, c);

			if (x && y ? strcmp(x, y) != 0 : x != y)
				return false;
		}
	}
	return true;
}

static bool same_answer(const struct bench_target *t, struct nearfold_result *a,
			struct nearfold_result *b)
{
	const struct program *p = t->program->program;
	uint64_t n = nearfold_result_rows(a);

	if (nearfold_result_rows(b) != n)
		return false;
	if (t->program->sql)
		return same_texts(a, b);
	for (uint64_t i = 0; i < n; i++) {
		const void *key_a, *key_b, *state_a, *state_b;

		nearfold_result_row(a, i, &key_a, &state_a);
		nearfold_result_row(b, i, &key_b, &state_b);
		if (memcmp(state_a, state_b, p->state_bytes) != 0 ||
		    (p->key_bytes && memcmp(key_a, key_b, p->key_bytes) != 0))
			return false;
	}
	return true;
}

/* Takes the answer. */
static void compare_answer(struct bench_target *t, struct nearfold_result *answer)
{
	if (!t->answer) {
		t->answer = answer;
		return;
	}
	if (!same_answer(t, t->answer, answer))
		t->answers_differ = true;
	nearfold_result_free(answer);
}

/* ---- the two ways -------------------------------------------------------------------------- */

static uint64_t sent_bytes(const struct bench_target *t)
{
	return rpc_client_bytes_sent(t->conn->rpc);
}

static uint64_t received_bytes(const struct bench_target *t)
{
	return rpc_client_bytes_received(t->conn->rpc);
}

int bench_offload(struct bench_target *t, const char *engine, struct bench_outcome *ret,
		  struct nf_error *err)
{
	struct nearfold_query q = {
		.size = sizeof(q),
		.program = t->program,
		.dataset = t->dataset,
		.engine = engine,
		.threads = t->threads,
		.has_range = t->range_end != 0,
		.range_start = t->range_start,
		.range_end = t->range_end,
	};
	struct nearfold_result *result;
	struct nearfold_error why;
	uint64_t sent = sent_bytes(t), received = received_bytes(t);

	if (nearfold_run(t->conn, &q, &result, &why) < 0)
		return bench_error(err, &why);

	const struct nearfold_stats *s = nearfold_result_stats(result);

	*ret = (struct bench_outcome){
		.sent = sent_bytes(t) - sent,
		.received = received_bytes(t) - received,
		.node_sent = s->node_bytes_sent,
		.scanned = s->bytes_scanned,
		.records = s->records,
		.matched = s->matched,
		.groups = t->program->program->key_bytes ? nearfold_result_rows(result) : 0,
		.threads = s->threads,
		.worker_cpu_seconds = s->node_cpu_seconds,
		.prepare_seconds = s->prepare_seconds,
	};
	compare_answer(t, result);
	return 0;
}

struct shipping {
	struct fold_stream *stream;
	struct nf_error *err;
	uint64_t bytes;
	bool failed, stopped;
};

static int fold_piece(void *arg, const void *data, size_t n)
{
	struct shipping *s = arg;
	int r = fold_stream_add(s->stream, data, n, s->err);

	s->bytes += n;
	s->failed = r < 0;
	s->stopped = r > 0;
	return r;
}

static void free_stream(struct fold_stream **s)
{
	fold_stream_free(*s);
}

/* The next stream of this program need not compile, as a node's next worker need not. */
static void keep_image(struct bench_target *t, struct fold_stream *s)
{
	const struct jit_image *image = t->image ? NULL : fold_stream_jit_image(s);
	size_t n = image ? sizeof(*image) + image->bytes : 0;

	if (n && (t->image = malloc(n)))
		memcpy(t->image, image, n);
}

static int make_answer(struct bench_target *t, struct fold_stream *s, struct nf_error *err)
{
	const struct program *p = t->program->program;
	struct fold *fold = fold_stream_result(s);
	struct nearfold_stats stats = {.engine = "", .engine_reason = "", .reader = ""};
	struct nearfold_result *result;
	uint8_t *state = NULL;
	int r;

	if (!fold->groups) {
		state = aligned_alloc(16, (p->state_bytes + 15) / 16 * 16);
		if (!state)
			return nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
		memcpy(state, fold->state, p->state_bytes);
	}
	r = client_result_new(t->program, state, fold->groups, &stats, &result, err);
	if (r < 0) {
		free(state);
		return r;
	}
	fold->groups = NULL;
	compare_answer(t, result);
	return 0;
}

int bench_ship(struct bench_target *t, const char *engine, struct bench_outcome *ret,
	       struct nf_error *err)
{
	struct fold_stream_options o = {
		.engine = engine,
		.params = t->program->param_bytes,
		.tail_ignore = t->spec.tail_ignore,
		.name = t->dataset,
		.jit_image = t->image,
		.jit_image_bytes = t->image ? sizeof(*t->image) + t->image->bytes : 0,
	};
	AUTO(free_stream) struct fold_stream *stream = NULL;
	struct shipping shipping = {.err = err};
	struct nearfold_error why;
	uint64_t sent = sent_bytes(t), received = received_bytes(t);
	uint64_t began = clock_now_ns();
	int r;

	if (!t->can_ship)
		return nf_error_set(err, NF_FAILED_PRECONDITION, NULL, "%s", t->ship_reason);
	r = fold_stream_open(t->verified, t->spec.format, &o, &stream, err);
	if (r < 0)
		return r;
	shipping.stream = stream;
	*ret = (struct bench_outcome){
		.threads = 1,
		.prepare_seconds = (double)(clock_now_ns() - began) / NS_PER_SEC,
	};
	r = nearfold_read(t->conn, t->dataset, t->range_end ? t->range_start : t->spec.skip_bytes,
			  t->range_end ? t->range_end : UINT64_MAX, fold_piece, &shipping, &why);
	if (shipping.failed)
		return r;
	if (r < 0 && !shipping.stopped)
		return bench_error(err, &why);
	r = fold_stream_end(stream, err);
	if (r < 0)
		return r;

	struct fold *fold = fold_stream_result(stream);

	ret->sent = sent_bytes(t) - sent;
	ret->received = received_bytes(t) - received;
	ret->scanned = shipping.bytes;
	ret->records = fold->records;
	ret->matched = fold->matched;
	ret->groups = fold->groups ? groups_count(fold->groups) : 0;
	keep_image(t, stream);
	return make_answer(t, stream, err);
}

/* ---- counters around it -------------------------------------------------------------------- */

static double own_cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int bench_window_open(struct bench_window *w, struct bench_target *t, struct nf_error *err)
{
	struct nearfold_error why;

	if (client_node_counters(t->watch, &w->node, &why) < 0)
		return bench_error(err, &why);
	w->has_interface = bench_interface_bytes(&t->interface, &w->interface) == 0;
	w->client_cpu_seconds = own_cpu_seconds();
	w->start_ns = clock_now_ns();
	return 0;
}

int bench_window_close(struct bench_window *w, struct bench_target *t,
		       const struct bench_outcome *outcomes, unsigned n, enum bench_way way,
		       struct bench_sample *ret, struct nf_error *err)
{
	double seconds = (double)(clock_now_ns() - w->start_ns) / NS_PER_SEC;
	double client_cpu = own_cpu_seconds() - w->client_cpu_seconds;
	struct client_counters node;
	struct bench_outcome sum = {0};
	struct nearfold_error why;
	uint64_t interface = 0;

	if (w->has_interface)
		bench_interface_bytes(&t->interface, &interface);
	if (client_node_counters(t->watch, &node, &why) < 0)
		return bench_error(err, &why);
	for (unsigned i = 0; i < n; i++) {
		sum.sent += outcomes[i].sent;
		sum.received += outcomes[i].received;
		sum.node_sent += outcomes[i].node_sent;
		sum.scanned += outcomes[i].scanned;
		sum.records += outcomes[i].records;
		sum.matched += outcomes[i].matched;
		sum.groups += outcomes[i].groups;
		sum.threads += outcomes[i].threads;
		sum.worker_cpu_seconds += outcomes[i].worker_cpu_seconds;
		sum.prepare_seconds += outcomes[i].prepare_seconds / n;
	}
	if (way == WAY_SHIP)
		sum.node_sent = node.bytes_sent - w->node.bytes_sent;
	ret->v[FIGURE_SECONDS] = seconds;
	ret->v[FIGURE_CLIENT_SENT] = (double)sum.sent;
	ret->v[FIGURE_CLIENT_RECEIVED] = (double)sum.received;
	ret->v[FIGURE_WIRE] = (double)(sum.sent + sum.received);
	ret->v[FIGURE_NODE_SENT] = (double)sum.node_sent;
	if (w->has_interface)
		ret->v[FIGURE_INTERFACE] = (double)(interface - w->interface);
	ret->v[FIGURE_NODE_CPU] =
		sum.worker_cpu_seconds + (double)(node.cpu_ns - w->node.cpu_ns) / NS_PER_SEC;
	ret->v[FIGURE_CLIENT_CPU] = client_cpu;
	ret->v[FIGURE_SCANNED] = (double)sum.scanned;
	ret->v[FIGURE_RATE] = seconds > 0 ? (double)sum.scanned / seconds : 0;
	ret->v[FIGURE_RECORDS] = (double)sum.records;
	ret->v[FIGURE_MATCHED] = (double)sum.matched;
	ret->v[FIGURE_GROUPS] = (double)sum.groups;
	ret->v[FIGURE_THREADS] = sum.threads;
	ret->v[FIGURE_PREPARE] = sum.prepare_seconds;
	return 0;
}

int bench_subject_run(void *arg, struct bench_sample *ret, struct nf_error *err)
{
	struct bench_subject *s = arg;
	struct bench_outcome outcome = {0};
	struct bench_window w;
	int r = bench_window_open(&w, s->target, err);

	if (r == 0)
		r = (s->way == WAY_OFFLOAD ? bench_offload : bench_ship)(s->target, s->engine,
									 &outcome, err);
	return r < 0 ? r : bench_window_close(&w, s->target, &outcome, 1, s->way, ret, err);
}
