/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scope.h"
#include "storage-node/fd_pass.h"
#include "storage-node/node_engines.h"
#include "storage-node/sandbox.h"
#include "storage-node/worker_job.h"

/* Rings, maps, BPF programs and links of every scan thread, beside the data's files. */
enum { OPEN_FILES_SPARE = 256 };

struct worker {
	struct job job;
	struct source *source;
	struct vm_program *program;
	struct scan_result *result;
	const char *limit; /* which one the error is about, or NULL */
};

/* ---- frames ------------------------------------------------------------------------------- */

/* Where it came in, until the confinement moves it to SANDBOX_CHANNEL_FD. */
static int channel_fd;

/* All of it; the channel blocks, which is how a slow client holds a worker back. A channel that
 * is gone means that main has given this query up. */
static void send_all(const void *data, size_t size)
{
	const uint8_t *at = data;

	while (size) {
		ssize_t n = send(channel_fd, at, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(EXIT_FAILURE);
		at += n;
		size -= (size_t)n;
	}
}

static void send_frame(uint32_t type, const void *payload, size_t bytes)
{
	uint8_t frame[sizeof(struct frame_head) + sizeof(struct frame_failed)];
	struct frame_head head = {.bytes = (uint32_t)bytes, .type = type};

	memcpy(frame, &head, sizeof(head));
	memcpy(frame + sizeof(head), payload, bytes);
	send_all(frame, sizeof(head) + bytes);
}

static void __attribute__((noreturn)) fail(const struct worker *w, const struct nf_error *err)
{
	struct frame_failed f = {.code = err->code ? err->code : NF_INTERNAL};

	snprintf(f.where, sizeof(f.where), "%s", err->where);
	snprintf(f.text, sizeof(f.text), "%s", err->text);
	snprintf(f.limit, sizeof(f.limit), "%s", w->limit ? w->limit : "");
	send_frame(FRAME_FAILED, &f, sizeof(f));
	_exit(EXIT_FAILURE);
}

/* What a library's "no memory" means here. */
static void name_limit(struct worker *w, int ret, struct nf_error *err)
{
	if (ret == -ENOMEM) {
		w->limit = "memory_bytes_per_query";
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, err->where,
			     "the worker ran out of its %llu bytes of memory (limit %s)",
			     (unsigned long long)w->job.head.memory_bytes, w->limit);
	} else if (!strcmp(err->where, "memory_bytes")) { /* the scan's own estimate */
		w->limit = "memory_bytes_per_query";
	} else if (err->code == NF_RESOURCE_EXHAUSTED && !w->limit) {
		w->limit = w->program && w->program->program->key_bytes ? "groups" : NULL;
	}
}

/* ---- stages ------------------------------------------------------------------------------- */

static int confine(struct worker *w, int *job, struct nf_error *err)
{
	const struct job_head *h = &w->job.head;
	struct sandbox_limits limits = {
		.memory_bytes = h->memory_bytes,
		.cpu_seconds = h->cpu_seconds,
		.open_files = 3 * h->n_files + OPEN_FILES_SPARE,
	};
	bool needs_bpf =
		h->kernel_engine && (!strcmp(h->engine, "auto") || !strcmp(h->engine, "kernel"));
	int ret = sandbox_worker(channel_fd, job, needs_bpf, &limits, err);

	if (!ret)
		channel_fd = SANDBOX_CHANNEL_FD;
	return ret;
}

static int verify(struct worker *w, struct nf_error *err)
{
	const struct job_head *h = &w->job.head;
	struct vm_bounds bounds;
	struct program *p;
	int ret = wire_unpack_load_program(w->job.program, h->program_bytes, &p, err);

	if (ret)
		return ret;
	scan_bounds(&w->source->spec, &bounds);
	ret = vm_verify(p, &bounds, &w->program, err);
	program_unref(p);
	return ret;
}

static void on_progress(void *arg, const struct scan_progress *p)
{
	struct frame_progress f = {.progress = *p};

	(void)arg;
	send_frame(FRAME_PROGRESS, &f, sizeof(f));
}

/* Before the answer: behind it main has no ear for this worker any more. */
static void on_compiled(void *arg, const struct jit_image *image, size_t bytes)
{
	struct frame_head head = {.bytes = (uint32_t)bytes, .type = FRAME_CODE};

	(void)arg;
	if (bytes > CODE_MAX_BYTES)
		return;
	send_all(&head, sizeof(head));
	send_all(image, bytes);
}

static int on_sandbox(void *arg, struct nf_error *err)
{
	(void)arg;
	return sandbox_enter(err);
}

static struct scan_options scan_options(struct worker *w)
{
	const struct job_head *h = &w->job.head;

	return (struct scan_options){
		.engine = h->engine,
		.threads = h->threads,
		.chunk_bytes = h->chunk_bytes,
		.queue_depth = h->queue_depth,
		.reader = (enum scan_reader)h->reader,
		.has_range = h->has_range,
		.range_start = h->range_start,
		.range_end = h->range_end,
		.budget = h->budget,
		.max_groups = h->max_groups,
		.memory_bytes = h->memory_bytes,
		.params = w->job.params,
		.params_bytes = h->params_bytes,
		.jit_module = *h->jit_module ? h->jit_module : NULL,
		.jit_image = h->code_bytes ? (const struct jit_image *)w->job.code : NULL,
		.jit_image_bytes = h->code_bytes,
		.compiled = on_compiled,
		.deadline_ns = h->deadline_ns,
		.progress = on_progress,
		.sandbox = on_sandbox,
	};
}

/* What will run: the engine asked for, or the first that can. Finished has the last word. */
static void send_started(struct worker *w, const struct scan_options *options)
{
	struct frame_started f = {.threads = options->threads};
	struct scan_choice choices[SCAN_MAX_CHOICES];
	bool is_auto = !strcmp(options->engine, "auto");
	unsigned n =
		is_auto ? scan_predict(w->source, w->program, options, choices, ARRAY_SIZE(choices))
			: 0;

	if (!is_auto) {
		snprintf(f.engine, sizeof(f.engine), "%s", options->engine);
		snprintf(f.engine_reason, sizeof(f.engine_reason), "asked for");
	}
	for (unsigned i = 0; i < n; i++)
		if (choices[i].chosen)
			snprintf(f.engine, sizeof(f.engine), "%s", choices[i].engine);
	if (is_auto)
		scan_choice_reason(choices, n, f.engine_reason, sizeof(f.engine_reason));
	send_frame(FRAME_STARTED, &f, sizeof(f));
}

/* One Partial: its frame's head stands in front of the packed message, in the same buffer. */
static int send_partial(struct worker *w, uint32_t groups, uint8_t *keys, size_t key_bytes,
			uint8_t *states, size_t state_bytes)
{
	Nearfold__V1__ExecuteReply reply = NEARFOLD__V1__EXECUTE_REPLY__INIT;
	Nearfold__V1__Partial partial = NEARFOLD__V1__PARTIAL__INIT;
	struct frame_head head = {.type = FRAME_MESSAGE};
	AUTO_FREE uint8_t *frame = NULL;
	size_t size;
	int ret;

	partial.program_id.data = (uint8_t *)w->program->program->id;
	partial.program_id.len = PROGRAM_ID_BYTES;
	partial.groups = groups;
	partial.keys = (ProtobufCBinaryData){.data = keys, .len = key_bytes};
	partial.states = (ProtobufCBinaryData){.data = states, .len = state_bytes};
	reply.event_case = NEARFOLD__V1__EXECUTE_REPLY__EVENT_PARTIAL;
	reply.partial = &partial;
	ret = wire_pack(&reply.base, sizeof(head), &frame, &size);
	if (ret)
		return ret;
	head.bytes = (uint32_t)size;
	memcpy(frame, &head, sizeof(head));
	send_all(frame, sizeof(head) + size);
	return 0;
}

static int send_groups(struct worker *w)
{
	const struct program *p = w->program->program;
	struct groups *groups = w->result->groups;
	const uint32_t most = WIRE_PARTIAL_BYTES / (p->key_bytes + p->state_bytes);
	AUTO_FREE uint8_t *keys = malloc((size_t)most * p->key_bytes);
	AUTO_FREE uint8_t *states = malloc((size_t)most * p->state_bytes);
	const uint8_t *key;
	uint8_t *state;
	uint64_t cursor = 0;
	uint32_t n = 0;
	int ret = 0;

	if (!keys || !states)
		return -ENOMEM;
	while (!ret && groups_next(groups, &cursor, &key, &state)) {
		memcpy(keys + (size_t)n * p->key_bytes, key, p->key_bytes);
		memcpy(states + (size_t)n * p->state_bytes, state, p->state_bytes);
		if (++n < most)
			continue;
		ret = send_partial(w, n, keys, (size_t)n * p->key_bytes, states,
				   (size_t)n * p->state_bytes);
		n = 0;
	}
	if (!ret && n)
		ret = send_partial(w, n, keys, (size_t)n * p->key_bytes, states,
				   (size_t)n * p->state_bytes);
	return ret;
}

static int send_answer(struct worker *w, struct nf_error *err)
{
	const struct program *p = w->program->program;
	uint64_t n = w->result->groups ? groups_count(w->result->groups) : 1;
	uint64_t bytes = n * (p->key_bytes + p->state_bytes);

	if (bytes > w->job.head.result_bytes) {
		w->limit = "result_bytes";
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL,
				    "the answer's %llu groups take %llu bytes, %llu are allowed "
				    "(limit %s)",
				    (unsigned long long)n, (unsigned long long)bytes,
				    (unsigned long long)w->job.head.result_bytes, w->limit);
	}
	if (w->result->groups)
		return send_groups(w);
	return send_partial(w, 1, NULL, 0, w->result->state, p->state_bytes);
}

static void send_finished(const struct worker *w)
{
	const struct scan_stats *s = &w->result->stats;
	struct frame_finished f = {
		.bytes_scanned = s->bytes_scanned,
		.records = s->records,
		.matched = s->matched,
		.groups = w->result->groups ? groups_count(w->result->groups) : 0,
		.prepare_ns = s->prepare_ns,
		.scan_ns = s->scan_ns,
		.combine_ns = s->combine_ns,
		.chunk_bytes = s->chunk_bytes,
		.threads = s->threads,
		.queue_depth = s->queue_depth,
		.read_commands = s->read_commands,
		.read_retries = s->read_retries,
	};
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u) == 0) {
		f.cpu_ns =
			((uint64_t)u.ru_utime.tv_sec + (uint64_t)u.ru_stime.tv_sec) * NS_PER_SEC +
			((uint64_t)u.ru_utime.tv_usec + (uint64_t)u.ru_stime.tv_usec) * 1000;
		f.memory_bytes = (uint64_t)u.ru_maxrss * 1024;
	}
	snprintf(f.engine, sizeof(f.engine), "%s", s->engine);
	snprintf(f.engine_reason, sizeof(f.engine_reason), "%s", s->engine_reason);
	snprintf(f.reader, sizeof(f.reader), "%s", s->reader);
	snprintf(f.device, sizeof(f.device), "%s", s->device);
	send_frame(FRAME_FINISHED, &f, sizeof(f));
}

/* A spare until then: no query, no descriptor but this one. */
static int wait_for_job(int handoff, pid_t parent)
{
	struct nf_error err;
	int fds[2];
	unsigned n;
	char byte;

	/* There is nobody to tell: the spawner sees it end, and forks another one. Verifying
	 * something brings the pages of code and heap that verifying something else needs, which
	 * takes a fork's child longer than the verifier itself. */
	if (sandbox_spare(&handoff, parent, &err) || engines_warm_up(&err) ||
	    fd_recv(handoff, &byte, 1, fds, 2, &n) != 1 || n != 2)
		_exit(EXIT_FAILURE);
	channel_fd = fds[0];
	return fds[1];
}

void worker_main(int handoff, pid_t parent)
{
	struct worker w = {0};
	struct nf_error err = {0};
	struct scan_options options;
	sigset_t none;
	int job, ret;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	job = wait_for_job(handoff, parent);
	/* The job is main's word, and holds the limits that the confinement needs. */
	ret = job_read(job, &w.job, &err);
	if (!ret)
		ret = confine(&w, &job, &err);
	close(job);
	if (!ret)
		ret = job_receive_source(channel_fd, &w.job, &w.source, &err);
	if (!ret)
		ret = verify(&w, &err);
	if (!ret) {
		options = scan_options(&w);
		send_started(&w, &options);
		ret = scan_run(w.source, w.program, &options, &w.result, &err);
	}
	if (!ret)
		ret = send_answer(&w, &err);
	if (ret) {
		name_limit(&w, ret, &err);
		fail(&w, &err);
	}
	send_finished(&w);
	_exit(EXIT_SUCCESS);
}
