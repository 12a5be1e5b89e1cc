/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rpc_conn.c - one connection of the server: its socket in and out, its times, its end. What the
 * bytes mean is rpc_session.c's.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "rpc/rpc_internal.h"

/* ---- end ------------------------------------------------------------------------------------- */

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

/* ---- in -------------------------------------------------------------------------------------- */

/* A peer that does not speak HTTP/2 at all gets one answer that it may understand. */
static void answer_stranger(struct rpc_conn *c, const uint8_t *data, size_t size)
{
	static const char http[] =
		"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
		"This port speaks gRPC (HTTP/2 without TLS). Use a gRPC client, or the command "
		"nearfold.\n";
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

/* ---- out ------------------------------------------------------------------------------------- */

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

/*
 * As much as the socket takes. nghttp2 stops when the socket is full, and the flush after that may
 * find room again: then nothing is left to wait for, so nghttp2 has to be asked once more.
 */
static int conn_send(struct rpc_conn *c)
{
	uint64_t before;
	int r;

	do {
		before = c->out.written;
		r = nghttp2_session_send(c->session);
		if (r == 0 && !c->is_closed)
			r = rpc_buffer_flush(&c->out, c->transport);
	} while (r == 0 && !c->is_closed && c->out.written != before &&
		 nghttp2_session_want_write(c->session));
	return r;
}

void conn_pump(struct rpc_conn *c)
{
	struct rpc_call *call, *next;

	if (c->is_closed)
		return;
	if (c->is_greeted && !c->linger_ns) {
		int r = conn_send(c);

		if (c->is_closed)
			return;
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

/* ---- time ------------------------------------------------------------------------------------ */

static bool is_past(uint64_t now_ns, uint64_t since_ns, uint64_t limit_ms)
{
	return now_ns > since_ns && now_ns - since_ns > limit_ms * NS_PER_MS;
}

void conn_tick(struct rpc_conn *c, uint64_t now_ns)
{
	const struct rpc_server_options *o = &c->server->options;
	/* Without a call a client may well sleep: one that blocks (rpc_client.h) answers no pings
	 * then. A host that has died meanwhile is the kernel's keepalive to find. */
	bool is_busy = !LIST_EMPTY(&c->calls);

	if (c->is_closed)
		return;
	if ((c->linger_ns && is_past(now_ns, c->linger_ns, LINGER_MS)) ||
	    (c->requests == 0 && is_past(now_ns, c->begun_ns, o->first_request_ms)) ||
	    (is_busy && is_past(now_ns, c->last_received_ns, o->dead_ms))) {
		conn_close(c, NF_CANCELLED);
		return;
	}
	if (c->linger_ns || !c->is_greeted)
		return;
	if (is_busy && is_past(now_ns, c->last_received_ns, o->ping_ms) &&
	    is_past(now_ns, c->pinged_ns, o->ping_ms)) {
		c->pinged_ns = now_ns;
		nghttp2_submit_ping(c->session, NGHTTP2_FLAG_NONE, NULL);
		conn_mark_dirty(c);
	}
	if (c->drain_ns && is_past(now_ns, c->drain_ns, DRAIN_PING_MS)) {
		session_last_goaway(c);
		conn_mark_dirty(c);
	}
	for (struct rpc_call *call = LIST_FIRST(&c->calls); call; call = LIST_NEXT(call, next))
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

/* ---- begin ----------------------------------------------------------------------------------- */

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
