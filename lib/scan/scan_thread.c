/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "scan/scan_internal.h"

enum {
	/* Spans are cut so that a call of fold() takes some milliseconds: often enough to look at
	 * the clock and at cancel, whatever a record costs. The first are tiny, because a record
	 * may cost the whole budget; for a fast engine they soon span the chunk. */
	SLICE_MIN_BYTES = 64,
	SLICE_SHORT_NS = 1000 * 1000,
	SLICE_LONG_NS = 4000 * 1000,
	LINE_STEP_BYTES = 16 << 10,
	LINE_BUFFER_BYTES = PROGRAM_MAX_RECORD_BYTES + LINE_STEP_BYTES + 4096,
};

void scan_fail(struct scan *s, int ret, const struct nf_error *err)
{
	pthread_mutex_lock(&s->lock);
	if (!s->failed) {
		s->failed = true;
		s->error_ret = ret;
		s->error = *err;
	}
	atomic_store(&s->stop, STOP_FAILED);
	pthread_mutex_unlock(&s->lock);
}

void scan_report(struct scan *s, uint64_t now_ns, bool final)
{
	struct scan_progress p = {.bytes_total = s->plan.total_bytes};

	if (!s->options->progress || (!final && now_ns < s->next_progress_ns))
		return;
	s->next_progress_ns = now_ns + SCAN_PROGRESS_NS;
	for (unsigned i = 0; i < s->n_threads; i++) {
		struct scan_thread *t = &s->threads[i];

		p.bytes_done += atomic_load_explicit(&t->bytes, memory_order_relaxed);
		p.records += atomic_load_explicit(&t->records, memory_order_relaxed);
		p.matched += atomic_load_explicit(&t->matched, memory_order_relaxed);
	}
	s->options->progress(s->options->progress_arg, &p);
}

/* Between slices: has the client left, or its time run out? */
static void look_around(struct scan_thread *t, uint64_t now_ns)
{
	struct scan *s = t->scan;
	const struct scan_options *o = s->options;
	struct nf_error e;

	if (t->index == 0)
		scan_report(s, now_ns, false);
	if (o->cancel && atomic_load_explicit(o->cancel, memory_order_relaxed)) {
		int r = nf_error_set(&e, NF_CANCELLED, NULL, "the query was cancelled");
		scan_fail(s, r, &e);
	} else if (o->deadline_ns && now_ns >= o->deadline_ns) {
		int r = nf_error_set(
			&e, NF_DEADLINE_EXCEEDED, NULL,
			"the deadline passed during the scan: allow more time, or scan "
			"less");
		scan_fail(s, r, &e);
	}
}

static bool stopped(const struct scan_thread *t)
{
	return atomic_load_explicit(&t->scan->stop, memory_order_relaxed) != STOP_NONE;
}

/* The scan ends well, for all threads; unless it failed already. */
static void stop_by_program(struct scan *s)
{
	int none = STOP_NONE;

	atomic_compare_exchange_strong(&s->stop, &none, STOP_PROGRAM);
}

static void publish_counters(struct scan_thread *t)
{
	const struct fold *f = t->scan->engine_ops->thread_fold(t->engine_thread);

	atomic_store_explicit(&t->records, f->records, memory_order_relaxed);
	atomic_store_explicit(&t->matched, f->matched, memory_order_relaxed);
}

/* 0, or an error. What else there is to say is said by t->scan->stop. */
static int fold_span(struct scan_thread *t, struct span span, struct nf_error *err)
{
	struct scan *s = t->scan;
	uint64_t before = clock_now_ns();

	while (span.bytes && !stopped(t)) {
		struct span slice = span;

		slice.bytes = format_slice(&s->plan, span.data, span.bytes, t->slice_bytes);
		int r = s->engine_ops->fold(t->engine_thread, &slice, err);
		if (r < 0)
			return r;
		publish_counters(t);
		if (r > 0)
			stop_by_program(s);
		span.data += slice.bytes;
		span.offset_bytes += slice.bytes;
		span.bytes -= slice.bytes;

		uint64_t now = clock_now_ns(), took = now - before;
		if (took < SLICE_SHORT_NS && t->slice_bytes < SCAN_MAX_CHUNK_BYTES)
			t->slice_bytes *= 2;
		else if (took > SLICE_LONG_NS && t->slice_bytes > SLICE_MIN_BYTES)
			t->slice_bytes /= 2;
		before = now;
		look_around(t, now);
	}
	return 0;
}

/* The chunk's last line goes on behind the window: fetch the rest of it, and no more. */
static int fold_tail(struct scan_thread *t, const struct piece *piece, size_t at,
		     struct nf_error *err)
{
	const struct source_file *file = &t->scan->src->files[piece->chunk.file];
	struct span line = {
		.data = t->line,
		.file = file->name,
		.offset_bytes = piece->window.offset_bytes + at,
	};
	size_t n = piece->window.bytes - at;
	const uint8_t *newline = NULL;

	if (n <= PROGRAM_MAX_RECORD_BYTES)
		memcpy(t->line, piece->window.data + at, n);
	while (!newline) {
		uint64_t offset = line.offset_bytes + n;
		size_t step = LINE_STEP_BYTES;

		if (n > PROGRAM_MAX_RECORD_BYTES)
			return span_line_too_long(&line, line.data, err);
		if (offset == file->size_bytes)
			break;
		if (step > file->size_bytes - offset)
			step = (size_t)(file->size_bytes - offset);
		int r = reader_fill(file, offset, t->line + n, step, err);
		if (r)
			return r;
		newline = memchr(t->line + n, '\n', step);
		n += step;
	}
	line.bytes = newline ? (size_t)(newline - t->line) + 1 : n;
	return fold_span(t, line, err);
}

static int fold_piece(struct scan_thread *t, const struct piece *piece, struct nf_error *err)
{
	struct scan *s = t->scan;
	const struct source_file *file = &s->src->files[piece->chunk.file];
	struct split split;

	if (s->hooks && s->hooks->piece)
		s->hooks->piece(s->hooks->arg, t->index, &piece->chunk);
	/* An engine with read_ops may have folded all of it already. */
	publish_counters(t);
	if (piece->stopped) {
		stop_by_program(s);
		return 0;
	}
	format_split(&s->plan, &piece->chunk, file->size_bytes, &piece->window, piece->resume,
		     &split);
	struct span span = {
		.data = piece->window.data + split.from,
		.bytes = split.to - split.from,
		.file = file->name,
		.offset_bytes = piece->window.offset_bytes + split.from,
	};
	int r = fold_span(t, span, err);
	if (!r && split.tail && !stopped(t))
		r = fold_tail(t, piece, split.to, err);
	atomic_fetch_add_explicit(&t->bytes, piece->chunk.end - piece->chunk.start,
				  memory_order_relaxed);
	return r;
}

int scan_thread_setup(struct scan_thread *t, struct nf_error *err)
{
	struct scan *s = t->scan;
	struct reader_config cfg = {
		.src = s->src,
		.plan = &s->plan,
		.cursor = &s->cursor,
		.stop = &s->stop,
		.depth = s->depth,
		.polled = s->polled,
		.read_ops = s->engine_ops->read_ops,
		.mapping = s->mapping,
		.direct = s->hooks ? s->hooks->direct : DIRECT_AUTO,
		.ring = s->hooks ? s->hooks->ring : NULL,
		.ring_arg = s->hooks ? s->hooks->ring_arg : NULL,
	};
	int r = s->engine_ops->thread_open(s->engine, &t->engine_thread, err);

	if (r)
		return r;
	t->slice_bytes = SLICE_MIN_BYTES;
	if (s->plan.format == FORMAT_LINES) {
		t->line = reader_memory_new(LINE_BUFFER_BYTES);
		if (!t->line) {
			nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory for a line");
			return -ENOMEM;
		}
	}
	cfg.engine_thread = t->engine_thread;
	t->reader_ops = s->reader_ops;
	r = t->reader_ops->open(&cfg, &t->reader, err);
	/* One ring more than the limit of locked memory allows: this thread does without. */
	if (r && s->options->reader == READER_AUTO && !cfg.read_ops) {
		t->reader_ops = &reader_pread;
		r = t->reader_ops->open(&cfg, &t->reader, err);
	}
	return r;
}

void scan_thread_run(struct scan_thread *t)
{
	const struct reader_ops *reader = t->reader_ops;
	struct nf_error err;
	struct piece piece;
	int r = 0;

	while (r >= 0 && !stopped(t)) {
		r = reader->next(t->reader, &piece, &err);
		if (r == READER_END)
			break;
		if (r == READER_PIECE) {
			r = fold_piece(t, &piece, &err);
			reader->done(t->reader, &piece);
		}
		look_around(t, clock_now_ns());
	}
	const struct engine_ops *engine = t->scan->engine_ops;
	if (r >= 0 && engine->thread_end)
		r = engine->thread_end(t->engine_thread, &err);
	if (r < 0)
		scan_fail(t->scan, r, &err);
}

/* In the thread itself: a ring belongs to the thread that made it. */
void scan_thread_finish(struct scan_thread *t)
{
	if (t->reader) {
		t->reader_text = t->reader_ops->describe(t->reader);
		if (t->reader_ops->count)
			t->reader_ops->count(t->reader, &t->reads);
		t->reader_ops->close(t->reader);
		t->reader = NULL;
	}
	reader_memory_free(t->line, LINE_BUFFER_BYTES);
	t->line = NULL;
}
