/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rpc_reply.c - what the server sends for one call: HEADERS, DATA from the queue of messages,
 * trailers with the status.
 *
 * Sending is pull: nghttp2 calls on_read() only when both flow-control windows and the socket let
 * it, and that is the back-pressure. Payload is never copied into nghttp2 (NO_COPY); it goes from
 * the queue to the socket with one writev().
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/rpc_internal.h"

enum { MAX_FRAME_MESSAGES = 15 }; /* two pieces each, in rpc_buffer_write() */

/* Names and values are copied by nghttp2. */
static nghttp2_nv header(const char *name, const char *value)
{
	return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value),
			    NGHTTP2_NV_FLAG_NONE};
}

static size_t message_bytes(const struct rpc_message *m)
{
	return m->prefix_bytes + m->size;
}

static size_t status_headers(const struct rpc_call *call, char code[16], nghttp2_nv *ret)
{
	size_t n = 0;

	snprintf(code, 16, "%d", (int)call->code);
	ret[n++] = header("grpc-status", code);
	if (call->status_message)
		ret[n++] = header("grpc-message", call->status_message);
	if (call->status_details)
		ret[n++] = header("grpc-status-details-bin", call->status_details);
	return n;
}

/* ---- nghttp2 pulls --------------------------------------------------------------------------- */

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *buf, size_t length,
		       uint32_t *data_flags, nghttp2_data_source *source, void *user)
{
	struct rpc_call *call = source->ptr;
	struct rpc_message *m;
	size_t n = 0, messages = 0, offset = call->head_sent;

	(void)buf;
	(void)user;
	STAILQ_FOREACH(m, &call->queue, next)
	{
		n += message_bytes(m) - offset;
		offset = 0;
		if (n >= length || ++messages == MAX_FRAME_MESSAGES)
			break;
	}
	if (n > length)
		n = length;
	if (n == call->queued_bytes && call->has_status) {
		*data_flags |= NGHTTP2_DATA_FLAG_EOF;
		if (!call->http_status) {
			nghttp2_nv trailers[3];
			char code[16];

			*data_flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
			if (nghttp2_submit_trailer(session, id, trailers,
						   status_headers(call, code, trailers)))
				return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
		}
	} else if (n == 0) {
		call->is_deferred = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	if (n > 0)
		*data_flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	call->packed = n;
	return (ssize_t)n;
}

/* The next size bytes of the queue as pieces. */
static int gather(const struct rpc_call *call, size_t size, struct iovec *ret)
{
	size_t offset = call->head_sent;
	struct rpc_message *m;
	int n = 0;

	STAILQ_FOREACH(m, &call->queue, next)
	{
		if (size == 0)
			break;
		if (offset < m->prefix_bytes) {
			size_t take =
				m->prefix_bytes - offset < size ? m->prefix_bytes - offset : size;

			ret[n++] = (struct iovec){m->prefix + offset, take};
			size -= take;
			offset += take;
		}
		size_t at = offset - m->prefix_bytes;
		size_t take = m->size - at < size ? m->size - at : size;
		if (take > 0)
			ret[n++] = (struct iovec){m->buffer + m->offset + at, take};
		size -= take;
		offset = 0;
	}
	return n;
}

static void drop_first(struct rpc_call *call)
{
	struct rpc_message *m = STAILQ_FIRST(&call->queue);

	STAILQ_REMOVE_HEAD(&call->queue, next);
	free(m->buffer);
	free(m);
	call->head_sent = 0;
}

static void consume(struct rpc_call *call, size_t size)
{
	call->queued_bytes -= size;
	while (size > 0) {
		size_t left = message_bytes(STAILQ_FIRST(&call->queue)) - call->head_sent;

		if (size < left) {
			call->head_sent += size;
			return;
		}
		size -= left;
		drop_first(call);
	}
}

int reply_send_data(struct rpc_call *call, const uint8_t *frame_header, size_t size)
{
	struct iovec pieces[1 + 2 * MAX_FRAME_MESSAGES];
	struct rpc_conn *c = call->conn;
	int r = 0;

	if (rpc_buffer_size(&c->out) >= SEND_BUFFER_BYTES) {
		r = rpc_buffer_flush(&c->out, c->transport);
		if (r)
			return r == -EAGAIN ? NGHTTP2_ERR_WOULDBLOCK : NGHTTP2_ERR_CALLBACK_FAILURE;
	}
	pieces[0] = (struct iovec){(uint8_t *)frame_header, 9};
	int n = 1 + gather(call, size, pieces + 1);
	if (size > SEND_COPY_BYTES)
		r = rpc_buffer_write(&c->out, c->transport, pieces, n);
	else
		for (int i = 0; i < n && !r; i++)
			r = rpc_buffer_append(&c->out, pieces[i].iov_base, pieces[i].iov_len);
	if (r)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	consume(call, size);
	call->packed = 0;
	return 0;
}

/* ---- the call pushes ------------------------------------------------------------------------- */

void reply_reset(struct rpc_call *call, uint32_t http2_code)
{
	nghttp2_submit_rst_stream(call->conn->session, NGHTTP2_FLAG_NONE, call->id, http2_code);
	conn_mark_dirty(call->conn);
}

/* Something new is there to send: begin the reply, or go on with it. */
static void reply_advance(struct rpc_call *call)
{
	nghttp2_session *session = call->conn->session;
	int r = 0;

	if (!call->has_response) {
		nghttp2_data_provider provider = {.source.ptr = call, .read_callback = on_read};
		nghttp2_nv headers[5] = {
			header(":status", call->http_status ? call->http_status : "200"),
			header("content-type",
			       call->http_status ? "text/plain" : "application/grpc"),
		};
		size_t n = 2;
		char code[16];
		/* An error before any message: "trailers only", one HEADERS frame in all. */
		bool is_only = !call->http_status && call->has_status && call->code != NF_OK &&
			       STAILQ_EMPTY(&call->queue);

		if (is_only)
			n += status_headers(call, code, headers + n);
		call->has_response = true;
		r = nghttp2_submit_response(session, call->id, headers, n,
					    is_only ? NULL : &provider);
	} else if (call->is_deferred) {
		call->is_deferred = false;
		r = nghttp2_session_resume_data(session, call->id);
	}
	if (r)
		reply_reset(call, NGHTTP2_INTERNAL_ERROR);
	conn_mark_dirty(call->conn);
}

int reply_queue(struct rpc_call *call, uint8_t *buffer, size_t offset, size_t size)
{
	struct rpc_message *m = size <= UINT32_MAX ? calloc(1, sizeof(*m)) : NULL;

	if (!m) {
		free(buffer);
		return -ENOMEM;
	}
	if (!call->http_status) {
		rpc_prefix_put(m->prefix, (uint32_t)size);
		m->prefix_bytes = RPC_PREFIX_BYTES;
	}
	m->buffer = buffer;
	m->offset = offset;
	m->size = size;
	STAILQ_INSERT_TAIL(&call->queue, m, next);
	call->queued_bytes += message_bytes(m);
	call->bytes_sent += message_bytes(m);
	if (!call->http_status)
		reply_advance(call);
	return 0;
}

void reply_end(struct rpc_call *call, enum nf_code code, const char *message,
	       const uint8_t *details, size_t details_bytes)
{
	call->has_status = true;
	call->code = code;
	if (message && *message && (call->status_message = malloc(RPC_MAX_MESSAGE_CHARS)))
		rpc_percent_encode(message, call->status_message, RPC_MAX_MESSAGE_CHARS);
	if (details_bytes > 0 && details_bytes <= RPC_MAX_DETAILS_BYTES &&
	    (call->status_details = malloc(RPC_BASE64_CHARS(details_bytes))))
		rpc_base64_encode(details, details_bytes, call->status_details);
	reply_advance(call);
}

void reply_end_http(struct rpc_call *call, const char *http_status, const char *text)
{
	uint8_t *copy = (uint8_t *)strdup(text);

	call->http_status = http_status;
	call->has_status = true;
	if (copy)
		reply_queue(call, copy, 0, strlen(text));
	reply_advance(call);
}

void reply_cut(struct rpc_call *call, enum nf_code code, const char *message)
{
	/* Half a message is on its way: no trailers can follow it. */
	if (call->head_sent > 0 || call->packed > 0) {
		reply_reset(call, NGHTTP2_CANCEL);
		return;
	}
	while (!STAILQ_EMPTY(&call->queue))
		drop_first(call);
	call->queued_bytes = 0;
	reply_end(call, code, message, NULL, 0);
}

void reply_done(struct rpc_call *call)
{
	while (!STAILQ_EMPTY(&call->queue))
		drop_first(call);
	free(call->status_message);
	free(call->status_details);
}
