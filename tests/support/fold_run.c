/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "fold_run.h"

#include <errno.h>
#include <inttypes.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/scope.h"

enum { SLACK_BYTES = 1 << 20 }; /* behind a window: lines may end there */

struct run {
	const struct engine_ops *engine;
	const struct engine_config *cfg;
	const struct fold_input *in;
	void *open, *thread;
	struct fold_output *out;
};

/* The bytes from `at` that make whole records, at most `most` unless one record is longer. */
static size_t whole_records(const struct run *r, size_t at, size_t most)
{
	size_t left = r->in->bytes - at, record = r->cfg->record_bytes;
	const uint8_t *from = r->in->data + at, *newline;

	if (!most || most >= left)
		return left;
	if (r->cfg->format == FORMAT_FIXED)
		return most < record ? record : most - most % record;
	newline = memrchr(from, '\n', most);
	if (!newline)
		newline = memchr(from, '\n', left);
	return newline ? (size_t)(newline + 1 - from) : left;
}

static int fold_spans(struct run *r, size_t from, size_t to)
{
	int status = 0;

	while (!status && from < to) {
		size_t most = r->in->span_bytes, n;

		if (!most || most > to - from)
			most = to - from;
		n = whole_records(r, from, most);
		struct span span = {r->in->data + from, n, "memory", from};

		status = r->engine->fold(r->thread, &span, &r->out->err);
		from += n;
	}
	return status;
}

/* One window, as a reader does it: arm, read, completed, the rest by fold(). Windows begin a byte
 * before the region that is theirs, so that skip_first_line has its newline. */
static int read_window(struct run *r, struct io_uring *ring, int fd, uint8_t *buffer, size_t start,
		       size_t end, size_t *next)
{
	size_t window = start ? start - 1 : 0, have = r->in->bytes - window;
	bool lines = r->cfg->format == FORMAT_LINES;
	struct engine_read read = {
		.file = "memory",
		.window_offset = window,
		.data_offset = (uint32_t)(start - window),
		.own_bytes = (uint32_t)(end - start),
		.skip_first_line = lines && start,
	};
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;
	uint32_t folded = 0;
	int status, res;

	if (have > end - window + SLACK_BYTES)
		have = end - window + SLACK_BYTES;
	read.window_bytes = (uint32_t)have;
	io_uring_prep_read(sqe, fd, buffer, (unsigned)have, window);
	io_uring_sqe_set_data64(sqe, r->engine->read_ops->arm(r->thread, &read));
	io_uring_submit_and_wait(ring, 1);
	if (io_uring_wait_cqe(ring, &cqe))
		return -EIO;
	res = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	status = r->engine->read_ops->completed(r->thread, 0, res, &folded, &r->out->err);
	if (res != (int)have)
		return -EIO;
	if (folded) {
		*next = start + folded;
	} else if (read.skip_first_line) {
		const uint8_t *newline = memchr(r->in->data + start - 1, '\n', end - start);

		*next = newline ? (size_t)(newline + 1 - r->in->data) : end;
	}
	/* Left over: at least the line that the end cuts. */
	while (!status && *next < end) {
		size_t n = whole_records(r, *next, end - *next);

		status = fold_spans(r, *next, *next + n);
		*next += n;
	}
	return status;
}

static int fold_reads(struct run *r)
{
	AUTO_CLOSE int fd = memfd_create("fold_run", MFD_CLOEXEC);
	struct io_uring_params p = {.flags = IORING_SETUP_SINGLE_ISSUER |
					     IORING_SETUP_DEFER_TASKRUN};
	struct io_uring ring;
	size_t step = r->in->read_bytes, next = 0;
	uint8_t *buffer;
	int status = 0;

	if (fd < 0 || write(fd, r->in->data, r->in->bytes) != (ssize_t)r->in->bytes)
		return -EIO;
	if (r->cfg->format == FORMAT_FIXED)
		step = step < r->cfg->record_bytes ? r->cfg->record_bytes
						   : step - step % r->cfg->record_bytes;
	status = r->engine->read_ops->buffers(r->thread, 1, step + SLACK_BYTES + 4096, &buffer,
					      &r->out->err);
	if (status || io_uring_queue_init_params(4, &ring, &p))
		return -EIO;
	for (size_t at = 0; !status && at < r->in->bytes; at += step) {
		size_t end = at + step < r->in->bytes ? at + step : r->in->bytes;

		if (next < at)
			next = at;
		if (next >= end)
			continue;
		status = read_window(r, &ring, fd, buffer, at, end, &next);
	}
	io_uring_queue_exit(&ring);
	return status;
}

static uint32_t sort_bytes;

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sort_bytes);
}

static int take_answer(struct run *r)
{
	const struct program *p = r->cfg->program->program;
	const struct fold *f;
	struct fold_output *out = r->out;
	uint32_t each = p->key_bytes + p->state_bytes;
	const uint8_t *key;
	uint8_t *state;
	uint64_t i = 0;

	if (r->engine->thread_end && r->engine->thread_end(r->thread, &out->err))
		return -ENOMEM;
	f = r->engine->thread_fold(r->thread);
	out->records = f->records;
	out->matched = f->matched;
	out->state_bytes = p->state_bytes;
	out->key_bytes = p->key_bytes;
	out->n_states = p->key_bytes ? groups_count(f->groups) : 1;
	out->states = calloc(out->n_states + 1, each);
	if (!out->states)
		return -ENOMEM;
	if (!p->key_bytes) {
		memcpy(out->states, f->state, each);
		return 0;
	}
	for (uint64_t cursor = 0; groups_next(f->groups, &cursor, &key, &state); i++) {
		memcpy(out->states + i * each, key, p->key_bytes);
		memcpy(out->states + i * each + p->key_bytes, state, p->state_bytes);
	}
	sort_bytes = each;
	qsort(out->states, out->n_states, each, by_bytes);
	return 0;
}

int fold_run(const struct engine_ops *engine, const struct engine_config *cfg,
	     const struct fold_input *in, struct fold_output *ret)
{
	struct run r = {.engine = engine, .cfg = cfg, .in = in, .out = ret};
	int status;

	*ret = (struct fold_output){0};
	status = engine->check(cfg, &ret->err);
	if (!status)
		status = engine->open(cfg, &r.open, &ret->err);
	if (status)
		return status;
	status = engine->thread_open(r.open, &r.thread, &ret->err);
	if (!status && engine->start)
		status = engine->start(r.open, &ret->err);
	if (!status) {
		ret->status = in->read_bytes && engine->read_ops ? fold_reads(&r)
								 : fold_spans(&r, 0, in->bytes);
		if (ret->status >= 0)
			status = take_answer(&r);
	}
	engine->thread_close(r.thread);
	engine->close(r.open);
	return status;
}

void fold_output_done(struct fold_output *out)
{
	free(out->states);
	*out = (struct fold_output){0};
}

bool fold_output_same(const struct fold_output *a, const struct fold_output *b, char *text,
		      size_t size)
{
	uint32_t each = a->key_bytes + a->state_bytes;

	*text = 0;
	if (a->status != b->status) {
		snprintf(text, size, "status %d (%s: %s) and %d (%s: %s)", a->status, a->err.where,
			 a->err.text, b->status, b->err.where, b->err.text);
	} else if (a->status < 0) {
		if (a->err.code != b->err.code || strcmp(a->err.where, b->err.where) ||
		    strcmp(a->err.text, b->err.text))
			snprintf(text, size, "\"%s: %s\" and \"%s: %s\"", a->err.where, a->err.text,
				 b->err.where, b->err.text);
	} else if (a->status == 0 && (a->records != b->records || a->matched != b->matched)) {
		snprintf(text, size,
			 "records %" PRIu64 ", matched %" PRIu64 " and %" PRIu64 ", %" PRIu64,
			 a->records, a->matched, b->records, b->matched);
	} else if (a->n_states != b->n_states) {
		snprintf(text, size, "%" PRIu64 " and %" PRIu64 " groups", a->n_states,
			 b->n_states);
	} else if (memcmp(a->states, b->states, a->n_states * each)) {
		size_t i = 0;

		while (a->states[i] == b->states[i])
			i++;
		snprintf(text, size,
			 "states differ: group %zu, byte %zu (key has %u): %02x and %02x", i / each,
			 i % each, a->key_bytes, a->states[i], b->states[i]);
	}
	return !*text;
}
