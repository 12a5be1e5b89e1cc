/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rpc_session.c - the nghttp2 session of a connection: its events turned into those of calls
 * (rpc_call.c), its output, and what a peer may not do.
 */
#include <errno.h>

#include "base/clock.h"
#include "rpc/rpc_internal.h"

/* ---- what comes ------------------------------------------------------------------------------ */

static struct rpc_call *call_of(nghttp2_session *session, int32_t id)
{
	return nghttp2_session_get_stream_user_data(session, id);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct rpc_conn *c = user;

	if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	struct rpc_call *call = call_new(c, frame->hd.stream_id);
	if (!call)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call);
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
		     void *user)
{
	struct rpc_call *call = call_of(session, frame->hd.stream_id);

	(void)flags;
	(void)user;
	if (call && frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		call_header(call, (const char *)name, name_len, (const char *)value, value_len);
	return 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
			 size_t size, void *user)
{
	struct rpc_call *call = call_of(session, id);
	struct rpc_conn *c = user;

	(void)flags;
	if (call)
		call_data(call, data, size);
	return c->is_closed ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/* Frames that cost us work and bring none: a peer has a budget of them. 0: not such a frame. */
static unsigned frame_cost(const nghttp2_frame *frame)
{
	switch (frame->hd.type) {
	case NGHTTP2_PING:
	case NGHTTP2_SETTINGS:
		return !(frame->hd.flags & NGHTTP2_FLAG_ACK);
	case NGHTTP2_PRIORITY:
		return 1;
	case NGHTTP2_DATA:
		return frame->hd.length == 0 && !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM);
	default:
		return 0;
	}
}

static bool is_over_budget(struct rpc_conn *c, unsigned cost)
{
	if (c->last_received_ns - c->second_ns >= NS_PER_SEC) {
		c->second_ns = c->last_received_ns;
		c->spent = 0;
	}
	c->spent += cost;
	return c->spent > BUDGET_PER_SECOND;
}

/* The connection's end: of what has been read already, nothing more is looked at. */
static int calm_down(nghttp2_session *session)
{
	nghttp2_session_terminate_session(session, NGHTTP2_ENHANCE_YOUR_CALM);
	return NGHTTP2_ERR_CALLBACK_FAILURE;
}

void session_last_goaway(struct rpc_conn *c)
{
	if (c->is_last_goaway_sent)
		return;
	c->is_last_goaway_sent = true;
	nghttp2_submit_goaway(c->session, NGHTTP2_FLAG_NONE,
			      nghttp2_session_get_last_proc_stream_id(c->session), NGHTTP2_NO_ERROR,
			      NULL, 0);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct rpc_conn *c = user;

	unsigned cost = frame_cost(frame);
	if (cost && is_over_budget(c, cost))
		return calm_down(session);
	if (frame->hd.type == NGHTTP2_PING && frame->hd.flags & NGHTTP2_FLAG_ACK && c->drain_ns)
		session_last_goaway(c);
	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	struct rpc_call *call = call_of(session, frame->hd.stream_id);
	if (!call)
		return 0;
	if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
		c->requests++;
		call_headers_end(call);
	}
	if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		call_request_end(call);
	return c->is_closed ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/*
 * Our end of the stream is done. A client that still uploads (it was refused early) is told to stop
 * now and not before: a reset that overtakes the trailers would lose the status.
 */
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	(void)user;
	if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
	    frame->hd.flags & NGHTTP2_FLAG_END_STREAM &&
	    nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0)
		nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
					  NGHTTP2_NO_ERROR);
	return 0;
}

/*
 * Streams that end before their call does cost as well: work that was begun in vain. It does not
 * matter who reset them, for a peer can provoke our reset with a frame that is wrong. (nghttp2's
 * own limit counts RST_STREAM frames of the peer, and takes hold only when its GOAWAY is sent: a
 * whole read of ours, 64 KiB, too late.)
 */
static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code, void *user)
{
	struct rpc_call *call = call_of(session, id);
	struct rpc_conn *c = user;
	bool in_vain = call && error_code != NGHTTP2_NO_ERROR && call->state != CALL_ENDING;

	if (call)
		call_close(call, NF_CANCELLED);
	if (c->is_closed)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	return in_vain && is_over_budget(c, RESET_COST) ? calm_down(session) : 0;
}

/* ---- what goes ------------------------------------------------------------------------------- */

/* Bytes for the peer; WOULDBLOCK holds nghttp2 back until the buffer has drained. */
static ssize_t on_send(nghttp2_session *session, const uint8_t *data, size_t size, int flags,
		       void *user)
{
	struct rpc_conn *c = user;

	(void)session;
	(void)flags;
	if (rpc_buffer_size(&c->out) >= SEND_BUFFER_BYTES) {
		int r = rpc_buffer_flush(&c->out, c->transport);

		if (r == -EAGAIN)
			return NGHTTP2_ERR_WOULDBLOCK;
		if (r)
			return NGHTTP2_ERR_CALLBACK_FAILURE;
	}
	return rpc_buffer_append(&c->out, data, size) ? NGHTTP2_ERR_CALLBACK_FAILURE
						      : (ssize_t)size;
}

static int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *header,
			size_t size, nghttp2_data_source *source, void *user)
{
	(void)session;
	(void)frame;
	(void)user;
	return reply_send_data(source->ptr, header, size);
}

/* Without this, frames are 16 KiB whatever the peer allows. */
static ssize_t on_read_length(nghttp2_session *session, uint8_t type, int32_t id,
			      int32_t session_window, int32_t stream_window, uint32_t max_frame,
			      void *user)
{
	ssize_t n = SEND_FRAME_BYTES;

	(void)session;
	(void)type;
	(void)id;
	(void)user;
	if (n > session_window)
		n = session_window;
	if (n > stream_window)
		n = stream_window;
	return n > (ssize_t)max_frame ? (ssize_t)max_frame : n;
}

void session_setup_callbacks(nghttp2_session_callbacks *cb)
{
	nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data_chunk);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
	nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_sent);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
	nghttp2_session_callbacks_set_send_callback(cb, on_send);
	nghttp2_session_callbacks_set_send_data_callback(cb, on_send_data);
	nghttp2_session_callbacks_set_data_source_read_length_callback(cb, on_read_length);
}
