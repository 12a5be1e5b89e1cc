/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rpc_conn.c - one connection of the server: socket in and out, the nghttp2 session, its events
 * turned into those of calls (rpc_call.c), and what a peer may not do.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "rpc/rpc_internal.h"

/* ---- nghttp2's callbacks ---------------------------------------------------------------------- */

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
	case NGHTTP2_RST_STREAM:
		/* Stands for a handler that began in vain. nghttp2's own limit on them takes hold
		 * only when its GOAWAY is sent: a whole read of ours (64 KiB) too late. */
		return RESET_COST;
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

static void send_last_goaway(struct rpc_conn *c)
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
	if (cost && is_over_budget(c, cost)) {
		nghttp2_session_terminate_session(session, NGHTTP2_ENHANCE_YOUR_CALM);
		return NGHTTP2_ERR_CALLBACK_FAILURE; /* nothing more of this read either */
	}
	if (frame->hd.type == NGHTTP2_PING && frame->hd.flags & NGHTTP2_FLAG_ACK && c->drain_ns)
		send_last_goaway(c);
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

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code, void *user)
{
	struct rpc_call *call = call_of(session, id);
	struct rpc_conn *c = user;

	(void)error_code;
	if (call)
		call_close(call, NF_CANCELLED);
	return c->is_closed ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

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
	return rpc_buffer_append(&c->out, data, size) ? NGHTTP2_ERR_CALLBACK_FAILURE : (ssize_t)size;
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

void conn_setup_callbacks(nghttp2_session_callbacks *cb)
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

/* ---- end ----------------------------------------------------------------------------------------- */

static void on_poll_closed(uv_handle_t *handle)
{
	struct rpc_conn *c = handle->data;
	struct rpc_server *s = c->server;

	nghttp2_session_del(c->session);
	rpc_buffer_done(&c->out);
	free(c);
	server_release(s);
}

void conn_close(struct rpc_conn *c, enum nf_code why)
{
	if (c->is_closed)
		return;
	c->is_closed = true;
	if (c->is_dirty)
		TAILQ_REMOVE(&c->server->dirty, c, next_dirty);
	LIST_REMOVE(c, next);
	c->server->n_conns--;
	uv_poll_stop(&c->poll);
	c->transport->ops->close(c->transport);
	uv_close((uv_handle_t *)&c->poll, on_poll_closed);
	while (!LIST_EMPTY(&c->calls))
		call_close(LIST_FIRST(&c->calls), why);
	server_wake(c->server); /* it may wait for the last connection's end */
}

/*
 * Nothing more to say. Closing at once would reset the connection when the peer has sent something
 * that we have not read, and a reset can overtake our last words: half-close, and wait a little.
 */
static void conn_linger(struct rpc_conn *c)
{
	if (c->linger_ns)
		return;
	c->linger_ns = clock_now_ns();
	shutdown(c->transport->fd, SHUT_WR);
	while (!c->is_closed && !LIST_EMPTY(&c->calls))
		call_close(LIST_FIRST(&c->calls), NF_CANCELLED);
}

/* ---- in -------------------------------------------------------------------------------------------- */

/* A peer that does not speak HTTP/2 at all gets one answer that it may understand. */
static void answer_stranger(struct rpc_conn *c, const uint8_t *data, size_t size)
{
	static const char http[] =
		"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
		"This port speaks gRPC (HTTP/2 without TLS). Use a gRPC client, or the command nearfold.\n";
	static const uint8_t tls_alert[] = {21, 3, 1, 0, 2, 2, 40}; /* fatal, handshake_failure */
	struct rpc_buffer answer = {0};

	if (data[0] >= 'A' && data[0] <= 'Z')
		rpc_buffer_append(&answer, http, sizeof(http) - 1);
	else if (size >= 2 && data[0] == 22 && data[1] == 3)
		rpc_buffer_append(&answer, tls_alert, sizeof(tls_alert));
	rpc_buffer_flush(&answer, c->transport);
	rpc_buffer_done(&answer);
	conn_linger(c);
}

/* false: the connection has ended, one way or another */
static bool conn_feed(struct rpc_conn *c, const uint8_t *data, size_t size)
{
	if (!c->is_greeted) {
		size_t n = size < NGHTTP2_CLIENT_MAGIC_LEN ? size : NGHTTP2_CLIENT_MAGIC_LEN;

		/* The rest of a magic that came in pieces is nghttp2's to check. */
		if (memcmp(data, NGHTTP2_CLIENT_MAGIC, n) != 0) {
			answer_stranger(c, data, size);
			return false;
		}
		c->is_greeted = true;
	}
	ssize_t n = nghttp2_session_mem_recv(c->session, data, size);
	if (c->is_closed)
		return false;
	if (n < 0) {
		/* What nghttp2 has to say about it (GOAWAY) goes out, then it is over. */
		if (nghttp2_session_send(c->session) == 0)
			rpc_buffer_flush(&c->out, c->transport);
		if (!c->is_closed)
			conn_linger(c);
		return false;
	}
	if (nghttp2_session_get_outbound_queue_size(c->session) > MAX_OUTBOUND_FRAMES) {
		conn_close(c, NF_CANCELLED);
		return false;
	}
	return true;
}

static void conn_receive(struct rpc_conn *c)
{
	uint8_t *buf = c->server->receive;

	for (int i = 0; i < READS_PER_EVENT; i++) {
		ssize_t n = c->transport->ops->read(c->transport, buf, RECEIVE_BYTES);

		if (n == -EAGAIN)
			break;
		if (n <= 0) {
			conn_close(c, NF_CANCELLED);
			return;
		}
		if (c->linger_ns)
			continue; /* deaf by now; read only so that close() does not reset */
		c->last_received_ns = clock_now_ns();
		if (!conn_feed(c, buf, (size_t)n))
			break;
		if (n < RECEIVE_BYTES)
			break;
	}
	if (!c->is_closed)
		conn_mark_dirty(c);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct rpc_conn *c = poll->data;

	(void)events;
	if (status < 0) {
		conn_close(c, NF_CANCELLED);
		return;
	}
	/* A read also learns of the peer's end; TLS may have to read in order to write. */
	conn_receive(c);
}

/* ---- out ----------------------------------------------------------------------------------------- */

void conn_mark_dirty(struct rpc_conn *c)
{
	if (c->is_dirty || c->is_closed)
		return;
	c->is_dirty = true;
	c->pump_turn = false;
	TAILQ_INSERT_TAIL(&c->server->dirty, c, next_dirty);
	server_wake(c->server);
}

static void conn_update_poll(struct rpc_conn *c)
{
	bool has_output = rpc_buffer_size(&c->out) > 0 && !c->linger_ns;
	int want = c->transport->ops->want(c->transport, has_output);
	int events = (want & RPC_WANT_READ ? UV_READABLE : 0) |
		     (want & RPC_WANT_WRITE ? UV_WRITABLE : 0);

	if (events != c->poll_events && uv_poll_start(&c->poll, events, on_poll) == 0)
		c->poll_events = events;
}

void conn_pump(struct rpc_conn *c)
{
	struct rpc_call *call, *next;

	if (c->is_closed)
		return;
	if (c->is_greeted && !c->linger_ns) {
		int r = nghttp2_session_send(c->session);

		if (c->is_closed)
			return;
		if (r == 0)
			r = rpc_buffer_flush(&c->out, c->transport);
		if (r != 0 && r != -EAGAIN) {
			conn_close(c, NF_CANCELLED);
			return;
		}
		for (call = LIST_FIRST(&c->calls); call && !c->is_closed; call = next) {
			next = LIST_NEXT(call, next);
			call_notify_writable(call);
		}
		if (c->is_closed)
			return;
		if (rpc_buffer_size(&c->out) == 0 && !nghttp2_session_want_read(c->session) &&
		    !nghttp2_session_want_write(c->session))
			conn_linger(c);
	}
	conn_update_poll(c);
}

/* ---- time ---------------------------------------------------------------------------------------- */

static bool is_past(uint64_t now_ns, uint64_t since_ns, uint64_t limit_ms)
{
	return now_ns > since_ns && now_ns - since_ns > limit_ms * NS_PER_MS;
}

void conn_tick(struct rpc_conn *c, uint64_t now_ns)
{
	const struct rpc_server_options *o = &c->server->options;
	struct rpc_call *call;

	if (c->is_closed)
		return;
	if ((c->linger_ns && is_past(now_ns, c->linger_ns, LINGER_MS)) ||
	    (c->requests == 0 && is_past(now_ns, c->begun_ns, o->first_request_ms)) ||
	    is_past(now_ns, c->last_received_ns, o->dead_ms)) {
		conn_close(c, NF_CANCELLED);
		return;
	}
	if (c->linger_ns || !c->is_greeted)
		return;
	if (is_past(now_ns, c->last_received_ns, o->ping_ms) &&
	    is_past(now_ns, c->pinged_ns, o->ping_ms)) {
		c->pinged_ns = now_ns;
		nghttp2_submit_ping(c->session, NGHTTP2_FLAG_NONE, NULL);
		conn_mark_dirty(c);
	}
	if (c->drain_ns && is_past(now_ns, c->drain_ns, DRAIN_PING_MS)) {
		send_last_goaway(c);
		conn_mark_dirty(c);
	}
	LIST_FOREACH(call, &c->calls, next)
		if (call->state == CALL_RECEIVING && is_past(now_ns, call->begun_ns, o->request_ms))
			call_refuse(call, NF_DEADLINE_EXCEEDED,
				    "the request did not arrive within request_ms = %llu",
				    (unsigned long long)o->request_ms);
}

void conn_drain(struct rpc_conn *c)
{
	if (!c->is_greeted) {
		conn_close(c, NF_UNAVAILABLE);
		return;
	}
	if (c->linger_ns)
		return;
	c->drain_ns = clock_now_ns();
	nghttp2_submit_shutdown_notice(c->session);
	/* Its answer proves that the peer has seen the notice. */
	nghttp2_submit_ping(c->session, NGHTTP2_FLAG_NONE, NULL);
	conn_mark_dirty(c);
}

/* ---- begin --------------------------------------------------------------------------------------- */

void conn_open(struct rpc_server *s, struct rpc_tls *tls, int fd, const struct rpc_peer *peer)
{
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, s->options.max_streams},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, MAX_HEADER_BYTES},
	};
	struct rpc_conn *c = calloc(1, sizeof(*c));

	if (!c || rpc_transport_new(tls, fd, true, &c->transport, NULL)) {
		close(fd);
		free(c);
		return;
	}
	if (nghttp2_session_server_new2(&c->session, s->callbacks, c, s->option) ||
	    nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, settings, 3) ||
	    nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0,
						  CONN_WINDOW_BYTES) ||
	    uv_poll_init(s->loop, &c->poll, fd)) {
		nghttp2_session_del(c->session);
		c->transport->ops->close(c->transport);
		free(c);
		return;
	}
	c->server = s;
	c->peer = *peer;
	c->poll.data = c;
	c->begun_ns = c->last_received_ns = c->second_ns = clock_now_ns();
	LIST_INIT(&c->calls);
	LIST_INSERT_HEAD(&s->conns, c, next);
	s->n_conns++;
	server_hold(s);
	conn_update_poll(c);
}
