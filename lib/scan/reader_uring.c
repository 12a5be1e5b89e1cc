/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * reader_uring.c - several reads in flight, each in a buffer of its own.
 *
 *	FREE --fill--> FLIGHT --complete--> READY --next--> OUT --done--> FREE
 *	                 ^  |
 *	                 +--+ a short read, or one that asks to be tried again
 *
 * What is in the page cache already is not worth a request: it is copied by pread, one chunk just
 * before it is folded, so that it is still in the CPU's cache then. An engine with read_ops wants
 *to see completions and gets these, too, as (buffered) requests.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/scope.h"
#include "scan/reader.h"
#include "scan/residency.h"
#include "scan/ring.h"

enum {
	WAIT_NS = 5 * 1000 * 1000, /* look at cancel and the clock that often */
	MAX_TRIES = 64,            /* of a read that asks to be tried again */
	REAP = 16,
};

enum slot_state { SLOT_FREE, SLOT_FLIGHT, SLOT_READY, SLOT_OUT };

struct slot {
	enum slot_state state;
	bool direct, armed;
	unsigned tries;
	uint64_t user_data;
	uint64_t order; /* of becoming ready */
	size_t bytes;   /* to ask for; the end of the file may be before */
	size_t got;
	struct piece piece; /* window.bytes: what must come */
};

struct reader_uring {
	struct reader_config cfg;
	const struct ring_ops *ops;
	void *ring;
	int *fds; /* file i: 2i through the page cache, 2i + 1 direct */
	uint8_t *memory;
	bool own_memory;
	size_t buffer_bytes;
	struct slot *slots;
	unsigned in_flight, n_ready;
	uint64_t ready_order;
	bool drained; /* no chunk is left */
	struct residency residency;
	uint64_t n_direct, n_buffered, n_copied;
};

static void queue(struct reader_uring *r, unsigned i)
{
	struct slot *slot = &r->slots[i];
	const struct window *w = &slot->piece.window;
	size_t from = slot->got;

	if (slot->direct)
		from &= ~(size_t)(r->cfg.plan->align - 1);
	struct ring_read read = {
		.file = 2 * slot->piece.chunk.file + slot->direct,
		.buffer = i,
		.data = r->memory + i * r->buffer_bytes + from,
		.bytes = (uint32_t)(slot->bytes - from),
		.offset_bytes = r->cfg.src->files[slot->piece.chunk.file].base_bytes +
				w->offset_bytes + from,
		.user_data = slot->user_data,
	};
	slot->got = from;
	r->ops->queue(r->ring, &read);
}

static void submit_slot(struct reader_uring *r, unsigned i)
{
	struct slot *slot = &r->slots[i];
	const struct chunk *chunk = &slot->piece.chunk;

	slot->user_data = i;
	if (r->cfg.read_ops) {
		struct engine_read read = {
			.buffer = i,
			.file = r->cfg.src->files[chunk->file].name,
			.window_offset = slot->piece.window.offset_bytes,
			.window_bytes = (uint32_t)slot->piece.window.bytes,
			.data_offset = (uint32_t)(chunk->start - slot->piece.window.offset_bytes),
			.own_bytes = (uint32_t)(chunk->end - chunk->start),
			.skip_first_line = !chunk->start_is_record,
			.is_command = r->ops == &ring_nvme,
		};

		slot->user_data = r->cfg.read_ops->arm(r->cfg.engine_thread, &read);
		slot->armed = true;
	}
	slot->state = SLOT_FLIGHT;
	r->in_flight++;
	queue(r, i);
}

static void make_ready(struct reader_uring *r, struct slot *slot)
{
	slot->state = SLOT_READY;
	slot->order = r->ready_order++;
	r->n_ready++;
}

static bool pick_direct(const struct reader_uring *r, const struct source_file *file, bool resident)
{
	if (file->direct_fd < 0 || r->cfg.direct == DIRECT_NEVER)
		return false;
	return r->cfg.direct == DIRECT_ALWAYS || !resident;
}

/* Take chunks for all free slots; but no further than to the first one that was copied. */
static int fill(struct reader_uring *r, struct nf_error *err)
{
	bool queued = false;
	int e = 0;

	for (unsigned i = 0; i < r->cfg.depth && !r->drained && !e; i++) {
		struct slot *slot = &r->slots[i];
		struct piece *piece = &slot->piece;

		if (slot->state != SLOT_FREE)
			continue;
		*slot = (struct slot){.piece.buffer = i};
		if (!reader_take_chunk(&r->cfg, &piece->chunk)) {
			r->drained = true;
			break;
		}
		const struct source_file *file = &r->cfg.src->files[piece->chunk.file];
		piece->window.data = r->memory + i * r->buffer_bytes;
		format_window(r->cfg.plan, &piece->chunk, file->size_bytes,
			      &piece->window.offset_bytes, &slot->bytes, &piece->window.bytes);

		/* A namespace ends where its blocks end, and commands go no further. */
		if (file->nvme.block_bytes)
			slot->bytes = piece->window.bytes;
		bool resident = r->cfg.direct == DIRECT_AUTO && !file->nvme.block_bytes &&
				residency_ask(&r->residency, file->fd, file->size_bytes,
					      piece->window.offset_bytes, piece->window.bytes);
		slot->direct = pick_direct(r, file, resident);
		if (resident && !r->cfg.read_ops) {
			r->n_copied++;
			e = reader_fill(file, piece->window.offset_bytes,
					r->memory + i * r->buffer_bytes, piece->window.bytes, err);
			if (!e)
				make_ready(r, slot);
			break;
		}
		*(slot->direct ? &r->n_direct : &r->n_buffered) += 1;
		submit_slot(r, i);
		queued = true;
		/* A resident read is done inside of submit. One by one the engine finds each in
		 * the CPU's cache. */
		if (resident)
			break;
	}
	int s = queued ? r->ops->submit(r->ring) : 0;
	if (s && !e)
		e = nf_error_sys(err, NF_INTERNAL, -s, "io_uring", "submitting reads");
	return e;
}

/* A completion that brought no data: try again another way, or say why not. */
static int complete_failed(struct reader_uring *r, unsigned i, int errnum, struct nf_error *err)
{
	struct slot *slot = &r->slots[i];
	const struct source_file *file = &r->cfg.src->files[slot->piece.chunk.file];
	uint64_t at = slot->piece.window.offset_bytes + slot->got;

	/* Some file systems take O_DIRECT at open and refuse it for a part of a file. */
	if (errnum == EINVAL && slot->direct)
		slot->direct = false;
	else if ((errnum != EAGAIN && errnum != EINTR) || ++slot->tries > MAX_TRIES)
		return reader_io_error(file, at, errnum, err);
	r->in_flight++;
	queue(r, i);
	return 0;
}

static int complete(struct reader_uring *r, unsigned i, int res, struct nf_error *err)
{
	struct slot *slot = &r->slots[i];
	struct piece *piece = &slot->piece;
	const struct source_file *file = &r->cfg.src->files[piece->chunk.file];

	r->in_flight--;
	if (slot->armed) {
		uint32_t folded = 0;
		int e = r->cfg.read_ops->completed(r->cfg.engine_thread, i, res, &folded, err);

		slot->armed = false;
		slot->user_data = i;
		if (e < 0)
			return e;
		piece->stopped = e > 0;
		if (folded)
			piece->resume =
				(size_t)(piece->chunk.start - piece->window.offset_bytes) + folded;
	}
	if (res < 0 && r->ops->failure)
		return r->ops->failure(r->ring, err);
	if (res < 0)
		return complete_failed(r, i, -res, err);
	if (res == 0)
		return reader_early_end(file, piece->window.offset_bytes + slot->got, err);
	slot->tries = 0;
	slot->got += (size_t)res;
	if (slot->got >= piece->window.bytes || piece->stopped) {
		make_ready(r, slot);
		return 0;
	}
	r->in_flight++;
	queue(r, i);
	return 0;
}

/* Who has this user_data? There are few. */
static int complete_by_user_data(struct reader_uring *r, const struct ring_completion *c,
				 struct nf_error *err)
{
	for (unsigned i = 0; i < r->cfg.depth; i++)
		if (r->slots[i].state == SLOT_FLIGHT && r->slots[i].user_data == c->user_data)
			return complete(r, i, c->res, err);
	r->in_flight--;
	return nf_error_set(err, NF_INTERNAL, "io_uring",
			    "a completion that belongs to no read (user_data %llx)",
			    (unsigned long long)c->user_data);
}

static int reap(struct reader_uring *r, struct nf_error *err)
{
	struct ring_completion done[REAP];
	int n = r->ops->reap(r->ring, WAIT_NS, done, REAP), e = 0;

	if (n < 0)
		return nf_error_sys(err, NF_INTERNAL, -n, "io_uring", "waiting for reads");
	for (int i = 0; i < n; i++) {
		/* After an error the rest only counts: close() waits for what is in flight. */
		if (e)
			r->in_flight--;
		else
			e = complete_by_user_data(r, &done[i], err);
	}
	return e;
}

/* The one that has waited longest: likely the one that is nearest in the CPU's cache, too. */
static void take_ready(struct reader_uring *r, struct piece *ret)
{
	struct slot *first = NULL;

	for (unsigned i = 0; i < r->cfg.depth; i++)
		if (r->slots[i].state == SLOT_READY && (!first || r->slots[i].order < first->order))
			first = &r->slots[i];
	first->state = SLOT_OUT;
	r->n_ready--;
	*ret = first->piece;
}

static int uring_next(void *reader, struct piece *ret, struct nf_error *err)
{
	struct reader_uring *r = reader;
	int e = fill(r, err);

	if (!e && !r->n_ready && r->in_flight)
		e = reap(r, err);
	if (e)
		return e;
	if (r->n_ready) {
		take_ready(r, ret);
		return READER_PIECE;
	}
	return r->in_flight ? READER_WAIT : READER_END;
}

static void uring_done(void *reader, const struct piece *piece)
{
	struct reader_uring *r = reader;

	r->slots[piece->buffer].state = SLOT_FREE;
}

/* The kernel writes to the buffers until the last completion; nothing may be freed before. */
static bool drain(struct reader_uring *r)
{
	struct ring_completion done[REAP];

	if (r->ops->stop)
		r->ops->stop(r->ring);
	while (r->in_flight) {
		int n = r->ops->reap(r->ring, NS_PER_SEC, done, REAP);

		if (n < 0)
			return false;
		r->in_flight -= (unsigned)n < r->in_flight ? (unsigned)n : r->in_flight;
	}
	return true;
}

static void uring_reader_close(void *reader)
{
	struct reader_uring *r = reader;

	if (!r)
		return;
	bool quiet = !r->ring || drain(r);
	if (r->ring)
		r->ops->close(r->ring);
	/* Memory that might still be written to is better lost than given to somebody else. */
	if (r->own_memory && quiet)
		reader_memory_free(r->memory, r->buffer_bytes * r->cfg.depth);
	free(r->slots);
	free(r->fds);
	free(r);
}

static int get_memory(struct reader_uring *r, struct nf_error *err)
{
	size_t page = 4096;

	r->buffer_bytes = (chunk_plan_window_bytes(r->cfg.plan) + page - 1) & ~(page - 1);
	if (r->cfg.read_ops)
		return r->cfg.read_ops->buffers(r->cfg.engine_thread, r->cfg.depth, r->buffer_bytes,
						&r->memory, err);
	r->memory = reader_memory_new(r->buffer_bytes * r->cfg.depth);
	if (!r->memory) {
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory for %u read buffers",
			     r->cfg.depth);
		return -ENOMEM;
	}
	r->own_memory = true;
	return 0;
}

static int uring_reader_open(const struct reader_config *cfg, void **ret_reader,
			     struct nf_error *err)
{
	struct reader_uring *r = calloc(1, sizeof(*r));
	uint32_t n_files = cfg->src->n_files;
	int e = -ENOMEM;

	if (!r)
		goto no_memory;
	r->cfg = *cfg;
	r->ops = cfg->ring ? cfg->ring : &ring_uring;
	r->slots = calloc(cfg->depth, sizeof(*r->slots));
	r->fds = calloc(2 * (size_t)n_files + 1, sizeof(*r->fds));
	if (!r->slots || !r->fds)
		goto no_memory;
	for (uint32_t i = 0; i < n_files; i++) {
		r->fds[2 * i] = cfg->src->files[i].fd;
		r->fds[2 * i + 1] = cfg->src->files[i].direct_fd;
	}
	e = get_memory(r, err);
	if (e)
		goto err;
	struct ring_config ring = {
		.depth = cfg->depth,
		.fds = r->fds,
		.n_fds = 2 * n_files,
		.memory = r->memory,
		.buffer_bytes = r->buffer_bytes,
		.files = cfg->src->files,
		.n_files = n_files,
		.polled = cfg->polled && cfg->direct != DIRECT_NEVER,
		.arg = cfg->ring_arg,
	};
	e = r->ops->open(&ring, &r->ring, err);
	if (e)
		goto err;
	*ret_reader = r;
	return 0;
no_memory:
	nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory for a reader");
err:
	uring_reader_close(r);
	return e;
}

static int nvme_reader_open(const struct reader_config *cfg, void **ret_reader,
			    struct nf_error *err)
{
	struct reader_config own = *cfg;

	if (!own.ring)
		own.ring = &ring_nvme;
	own.direct = DIRECT_ALWAYS;
	return uring_reader_open(&own, ret_reader, err);
}

static void uring_count(void *reader, struct reader_counts *ret)
{
	const struct reader_uring *r = reader;
	struct ring_counts c = {.commands = r->n_direct + r->n_buffered + r->n_copied};

	if (r->ops->count)
		r->ops->count(r->ring, &c);
	*ret = (struct reader_counts){c.commands, c.retries};
}

static const char *nvme_describe(void *reader)
{
	const struct reader_uring *r = reader;
	bool commands = true;
	struct ring_counts c;

	r->ops->count(r->ring, &c);
	for (uint32_t i = 0; i < r->cfg.src->n_files; i++)
		commands = commands && r->cfg.src->files[i].nvme.fd >= 0;
	if (c.refused || !commands)
		return c.polled ? "nvme block node, polled" : "nvme block node";
	return c.polled ? "nvme commands, polled" : "nvme commands";
}

static const char *uring_describe(void *reader)
{
	const struct reader_uring *r = reader;
	struct ring_counts c = {0};

	if (r->ops->count)
		r->ops->count(r->ring, &c);
	if (r->n_direct && c.polled)
		return r->n_copied || r->n_buffered ? "uring direct, polled, and page cache"
						    : "uring direct, polled";
	if (r->n_direct)
		return r->n_copied || r->n_buffered ? "uring direct and page cache"
						    : "uring direct";
	return r->n_copied && !r->n_buffered ? "page cache" : "uring buffered";
}

const struct reader_ops reader_uring = {
	.name = "uring",
	.open = uring_reader_open,
	.next = uring_next,
	.done = uring_done,
	.close = uring_reader_close,
	.describe = uring_describe,
	.count = uring_count,
};

const struct reader_ops reader_nvme = {
	.name = "nvme",
	.open = nvme_reader_open,
	.next = uring_next,
	.done = uring_done,
	.close = uring_reader_close,
	.describe = nvme_describe,
	.count = uring_count,
};
