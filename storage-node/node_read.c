/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/node_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/scope.h"
#include "storage-node/node_authorize.h"
#include "storage-node/node_reply.h"
#include "wire/wire.h"

enum { PIECE_BYTES = 512 << 10 };

struct reading {
	struct node *node;
	struct rpc_call *call; /* NULL: finished, or gone */
	uint64_t id;
	char who[256];
	struct wire_read_range req;
	const struct catalog_entry *entry;
	struct admission_ticket ticket;
	struct source *source;

	uv_work_t work;
	bool in_pool, waiting; /* waiting: for room in the connection */
	int work_ret;
	struct nf_error work_err;
	uint8_t *piece; /* a packed ReadRangeReply */
	size_t piece_bytes;

	uint64_t start, at, end; /* along the files, one after another */
	bool opened, over;
	uint64_t start_ns;
};

static void read_next(struct reading *r);

/* ---- the end ------------------------------------------------------------------------------- */

static void release(struct reading *r)
{
	if (r->in_pool)
		return;
	admission_leave(&r->node->admission, &r->ticket);
	source_free(r->source);
	wire_read_range_done(&r->req);
	free(r->piece);
	free(r);
}

static void finish(struct reading *r, const struct nf_error *err, const struct reply_extra *extra)
{
	struct rpc_call *call = TAKE_PTR(r->call);
	struct reply_extra x = extra ? *extra : (struct reply_extra){0};
	char reason[sizeof(err->where) + sizeof(err->text) + 8] = "";

	x.query_id = r->id;
	if (call) {
		r->node->bytes_sent += rpc_call_bytes_sent(call);
		if (err)
			reply_error(call, err, &x);
		else
			reply_ok(call);
	}
	if (err) {
		reason[0] = ' ';
		nf_error_message(err, reason + 1, sizeof(reason) - 1);
	}
	log_info("read %llu: who=%s dataset=%s bytes=%llu ms=%.1f outcome=%s%s",
		 (unsigned long long)r->id, r->who, r->entry ? r->entry->spec->name : "-",
		 (unsigned long long)(r->at - r->start),
		 (double)(clock_now_ns() - r->start_ns) / (double)NS_PER_MS,
		 nf_code_name(err ? err->code : NF_OK), reason);
	r->over = true;
	release(r);
}

static void on_gone(void *arg, enum nf_code why)
{
	struct reading *r = arg;
	struct nf_error err;

	r->call = NULL;
	nf_error_set(&err, why == NF_DEADLINE_EXCEEDED ? why : NF_CANCELLED, NULL,
		     why == NF_DEADLINE_EXCEEDED ? "the client's deadline passed"
						 : "the client cancelled or left");
	finish(r, &err, NULL);
}

/* ---- in the pool --------------------------------------------------------------------------- */

static int open_source(struct reading *r, struct nf_error *err)
{
	int ret = catalog_open(r->entry, r->node->config.limits.files_per_dataset, &r->source, err);
	uint64_t start = r->req.has_range ? r->req.range_start : 0;
	uint64_t end = r->req.has_range ? r->req.range_end : UINT64_MAX;

	if (ret)
		return ret;
	if (r->req.generation && r->req.generation != r->source->generation)
		return nf_error_set(err, NF_ABORTED, r->req.dataset,
				    "the data set has changed: it is at generation %016llx, the "
				    "request asks for %016llx",
				    (unsigned long long)r->source->generation,
				    (unsigned long long)r->req.generation);
	if (end == UINT64_MAX)
		end = r->source->total_bytes;
	if (start > end || end > r->source->total_bytes)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "range",
				    "%llu to %llu is not inside the data set's %llu bytes",
				    (unsigned long long)start, (unsigned long long)end,
				    (unsigned long long)r->source->total_bytes);
	r->start = r->at = start;
	r->end = end;
	return 0;
}

/* n bytes of the data set from `at` on; they may lie in several files. */
static int read_bytes(const struct source *src, uint64_t at, uint8_t *to, size_t n,
		      struct nf_error *err)
{
	for (uint32_t i = 0; i < src->n_files && n; i++) {
		const struct source_file *f = &src->files[i];

		if (at >= f->size_bytes) {
			at -= f->size_bytes;
			continue;
		}
		while (n && at < f->size_bytes) {
			size_t want = n < f->size_bytes - at ? n : (size_t)(f->size_bytes - at);
			ssize_t got = pread(f->fd, to, want, (off_t)(f->base_bytes + at));

			if (got < 0 && errno == EINTR)
				continue;
			if (got < 0)
				return nf_error_sys(err, NF_DATA_LOSS, errno, f->name,
						    "cannot read at byte %llu",
						    (unsigned long long)at);
			if (got == 0)
				return nf_error_set(err, NF_ABORTED, f->name,
						    "the file was cut to %llu bytes while it was "
						    "read",
						    (unsigned long long)at);
			to += got;
			at += (uint64_t)got;
			n -= (size_t)got;
		}
		at = 0;
	}
	return 0;
}

/*
 * The message is packed without its data, and the data's field is put behind it by hand, so that
 * the bytes are read to where they are sent from. (Fields may come in any order; field 2, length-
 * delimited, is the tag byte 0x12 and a varint.)
 */
static int make_piece(struct reading *r, struct nf_error *err)
{
	Nearfold__V1__ReadRangeReply m = NEARFOLD__V1__READ_RANGE_REPLY__INIT;
	size_t n = r->end - r->at < PIECE_BYTES ? (size_t)(r->end - r->at) : PIECE_BYTES;
	uint8_t *p;

	m.offset_bytes = r->at;
	if (r->at == r->start) {
		m.generation = r->source->generation;
		m.total_bytes = r->end - r->start;
	}
	r->piece = malloc(nearfold__v1__read_range_reply__get_packed_size(&m) + 16 + n);
	if (!r->piece)
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "the node is out of memory");
	p = r->piece + nearfold__v1__read_range_reply__pack(&m, r->piece);
	*p++ = 0x12;
	for (size_t v = n;; v >>= 7) {
		*p++ = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		if (v <= 0x7f)
			break;
	}
	r->piece_bytes = (size_t)(p - r->piece) + n;
	return read_bytes(r->source, r->at, p, n, err);
}

/* Everything of a reading but call, in_pool, waiting and over, which are the loop's. */
static void read_work(uv_work_t *work)
{
	struct reading *r = work->data;
	struct nf_error *err = &r->work_err;

	r->work_ret = r->source ? 0 : open_source(r, err);
	if (r->work_ret)
		return;
	if (r->opened && r->at == r->end)
		r->work_ret = source_check(r->source, err);
	else
		r->work_ret = make_piece(r, err);
}

static void read_done(uv_work_t *work, int status)
{
	struct reading *r = work->data;
	bool was_last = r->opened && r->at == r->end;
	int room;

	(void)status;
	r->in_pool = false;
	if (r->over) {
		release(r);
		return;
	}
	if (r->work_ret || was_last) {
		finish(r, r->work_ret ? &r->work_err : NULL,
		       &(struct reply_extra){.limit = r->work_ret == -E2BIG ? "files_per_dataset"
									    : NULL});
		return;
	}
	r->opened = true;
	r->at = r->end - r->at < PIECE_BYTES ? r->end : r->at + PIECE_BYTES;
	room = rpc_call_send_owned(r->call, TAKE_PTR(r->piece), 0, r->piece_bytes);
	if (room < 0) {
		nf_error_set(&r->work_err, NF_RESOURCE_EXHAUSTED, NULL,
			     "the node has no memory for the reply");
		finish(r, &r->work_err, NULL);
	} else if (room) {
		read_next(r);
	} else {
		r->waiting = true;
	}
}

/* ---- on the loop --------------------------------------------------------------------------- */

static void read_next(struct reading *r)
{
	r->waiting = false;
	r->in_pool = true;
	r->work.data = r;
	uv_queue_work(&r->node->loop, &r->work, read_work, read_done);
}

static void on_writable(void *arg)
{
	struct reading *r = arg;

	if (r->waiting)
		read_next(r);
}

void read_start(struct node *node, struct rpc_call *call, const uint8_t *message, size_t size)
{
	struct reading *r = calloc(1, sizeof(*r));
	struct reply_extra extra = {0};
	struct nf_error err;

	if (!r) {
		nf_error_set(&err, NF_RESOURCE_EXHAUSTED, NULL, "the node is out of memory");
		reply_error(call, &err, NULL);
		return;
	}
	r->node = node;
	r->call = call;
	r->id = ++node->last_query_id;
	r->start_ns = clock_now_ns();
	r->ticket = (struct admission_ticket){.kind = ADMISSION_READ, .who = r->who};
	authorize_who(rpc_call_peer(call), r->who);
	rpc_call_set(call, on_gone, on_writable, r);

	if (wire_unpack_read_range(message, size, &r->req, &err)) {
		finish(r, &err, NULL);
		return;
	}
	r->entry = catalog_find(node->catalog, r->req.dataset);
	if (node->draining) {
		nf_error_set(&err, NF_UNAVAILABLE, NULL,
			     "the node is shutting down; ask another one or try again later");
		finish(r, &err, NULL);
	} else if (!r->entry) {
		nf_error_set(&err, NF_NOT_FOUND, "dataset",
			     "no data set '%s' here; ListDatasets shows what there is",
			     r->req.dataset);
		finish(r, &err, &(struct reply_extra){.missing = "dataset"});
	} else if (authorize_dataset(r->entry->spec, rpc_call_peer(call), &err) ||
		   admission_enter(&node->admission, &r->ticket, &extra.limit, &err)) {
		finish(r, &err, &extra);
	} else {
		read_next(r);
	}
}
