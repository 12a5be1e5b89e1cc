/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rpc_client.c - one connection of a client, blocking: connect, a call at a time, close.
 * What comes back in a call is rpc_client_reply.c's.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "rpc/rpc_client_internal.h"
#include "rpc/rpc_connect.h"

enum {
	STREAM_WINDOW_BYTES = 1 << 20,
	CONN_WINDOW_BYTES = 4 << 20,
	FRAME_BYTES = 256 << 10,
	HEADER_LIST_BYTES = 64 << 10,
	PING_MS = 30000, /* a server that is silent during a call: ping, ... */
	DEAD_MS = 60000, /* ... and give it up */
	READS_PER_STEP =
		4, /* then the deadline and cancel_fd are looked at, even if more is there */
};

/* ---- bytes ----------------------------------------------------------------------------------- */

static int lost(struct rpc_client *c, struct nf_error *err, const char *why)
{
	c->is_broken = true;
	nf_error_set(err, NF_UNAVAILABLE, c->address, c->goaway[0] ? "%s (%s)" : "%s", why,
		     c->goaway);
	return -ECONNRESET;
}

/* As much as the socket takes, as conn_send() in rpc_conn.c. false: the connection is dead. */
static bool client_send(struct rpc_client *c)
{
	uint64_t before;
	int r;

	do {
		before = c->out.written;
		if (nghttp2_session_send(c->session))
			return false;
		r = rpc_buffer_flush(&c->out, c->transport);
	} while (r == 0 && c->out.written != before && nghttp2_session_want_write(c->session));
	return r == 0 || r == -EAGAIN;
}

/* What has arrived, a few reads of it. 0 also when nothing has. */
static int client_receive(struct rpc_client *c, struct nf_error *err)
{
	for (int i = 0; i < READS_PER_STEP && !c->reply.is_closed && !c->reply.is_failed; i++) {
		ssize_t n = c->transport->ops->read(c->transport, c->receive, sizeof(c->receive));

		if (n == -EAGAIN)
			return 0;
		if (n == 0)
			return lost(c, err, "the node closed the connection");
		if (n < 0)
			return lost(c, err, "the connection was lost");
		c->bytes_received += (uint64_t)n;
		c->last_received_ns = clock_now_ns();
		n = nghttp2_session_mem_recv(c->session, c->receive, (size_t)n);
		if (n < 0)
			return lost(c, err, "what answers there does not speak gRPC (HTTP/2)");
	}
	return 0;
}

/*
 * One step: send, wait, receive. until_ns: UINT64_MAX is for ever. 0, -ECONNRESET with err;
 * -ECANCELED and -ETIMEDOUT without.
 */
static int client_step(struct rpc_client *c, uint64_t until_ns, struct nf_error *err)
{
	int r;

	if (!client_send(c)) {
		/* A node that hangs up may have said why, or have answered already. */
		r = client_receive(c, err);
		return r || c->reply.is_closed ? r : lost(c, err, "the connection was lost");
	}
	if (c->reply.is_closed)
		return 0;
	uint64_t wake_ns = c->last_received_ns + (c->is_pinged ? DEAD_MS : PING_MS) * NS_PER_MS;
	int want = c->transport->ops->want(c->transport, rpc_buffer_size(&c->out) > 0);
	short events = (short)((want & RPC_WANT_READ ? POLLIN : 0) |
			       (want & RPC_WANT_WRITE ? POLLOUT : 0));
	r = rpc_wait(c->transport->fd, events, c->options.cancel_fd,
		     until_ns < wake_ns ? until_ns : wake_ns);
	bool is_silent = r == -ETIMEDOUT && until_ns > wake_ns;
	if (!is_silent && (r == -ETIMEDOUT || r == -ECANCELED))
		return r;
	if (!is_silent && r)
		return lost(c, err, "waiting for the node failed");
	uint64_t before_ns = c->last_received_ns;
	r = client_receive(c, err);
	if (c->last_received_ns != before_ns)
		c->is_pinged = is_silent = false;
	if (r || !is_silent)
		return r;
	if (c->is_pinged)
		return lost(c, err, "the node has not answered for a minute");
	c->is_pinged = true;
	nghttp2_submit_ping(c->session, NGHTTP2_FLAG_NONE, NULL);
	return 0;
}

/* ---- nghttp2's callbacks --------------------------------------------------------------------- */

static ssize_t on_send(nghttp2_session *session, const uint8_t *data, size_t size, int flags,
		       void *user)
{
	struct rpc_client *c = user;

	(void)session;
	(void)flags;
	if (rpc_buffer_size(&c->out) >= FRAME_BYTES) {
		int r = rpc_buffer_flush(&c->out, c->transport);

		if (r)
			return r == -EAGAIN ? NGHTTP2_ERR_WOULDBLOCK : NGHTTP2_ERR_CALLBACK_FAILURE;
	}
	return rpc_buffer_append(&c->out, data, size) ? NGHTTP2_ERR_CALLBACK_FAILURE
						      : (ssize_t)size;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct rpc_client *c = user;

	(void)session;
	if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
		c->has_settings = true;
	if (frame->hd.type == NGHTTP2_GOAWAY) {
		const nghttp2_goaway *goaway = &frame->goaway;
		size_t n = 0;

		c->is_going_away = true;
		for (size_t i = 0; i < goaway->opaque_data_len && n + 1 < sizeof(c->goaway); i++)
			if (goaway->opaque_data[i] >= 0x20 && goaway->opaque_data[i] < 0x7f)
				c->goaway[n++] = (char)goaway->opaque_data[i];
		c->goaway[n] = '\0';
		if (n == 0)
			snprintf(c->goaway, sizeof(c->goaway), "%s",
				 goaway->error_code == NGHTTP2_NO_ERROR
					 ? "the node is shutting down"
					 : nghttp2_http2_strerror(goaway->error_code));
	}
	return 0;
}

static int setup_session(struct rpc_client *c)
{
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES},
		{NGHTTP2_SETTINGS_MAX_FRAME_SIZE, FRAME_BYTES},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEADER_LIST_BYTES},
	};
	nghttp2_session_callbacks *cb;

	if (nghttp2_session_callbacks_new(&cb))
		return -ENOMEM;
	nghttp2_session_callbacks_set_send_callback(cb, on_send);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
	client_reply_callbacks(cb);
	int r = nghttp2_session_client_new(&c->session, cb, c);
	nghttp2_session_callbacks_del(cb);
	if (r || nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, settings, 4) ||
	    nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0,
						  CONN_WINDOW_BYTES))
		return -ENOMEM;
	return 0;
}

/* ---- connect --------------------------------------------------------------------------------- */

int rpc_client_connect(const char *address, const struct rpc_client_options *options,
		       struct rpc_client **ret, struct nf_error *err)
{
	struct rpc_client *c = calloc(1, sizeof(*c));
	int fd;

	if (!c)
		return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, ENOMEM, address, "a connection");
	if (options)
		c->options = *options;
	if (!c->options.connect_ms)
		c->options.connect_ms = 5000;
	if (!c->options.max_message_bytes)
		c->options.max_message_bytes = 8 << 20;
	snprintf(c->address, sizeof(c->address), "%s", address);
	uint64_t until_ns = clock_now_ns() + c->options.connect_ms * NS_PER_MS;

	int r = rpc_connect(address, c->options.cancel_fd, until_ns, &fd, err);
	if (r)
		goto fail;
	r = rpc_transport_new(c->options.tls, fd, false, &c->transport, err);
	if (r) {
		close(fd);
		goto fail;
	}
	r = setup_session(c);
	if (r) {
		nf_error_sys(err, NF_RESOURCE_EXHAUSTED, -r, address, "a connection");
		goto fail;
	}
	/* Its SETTINGS prove that it is alive and speaks HTTP/2. */
	c->last_received_ns = clock_now_ns();
	while (!c->has_settings) {
		r = client_step(c, until_ns, err);
		if (r == -ETIMEDOUT)
			nf_error_set(
				err, NF_UNAVAILABLE, address,
				"a connection was accepted there, but nothing answered in %llu ms",
				(unsigned long long)c->options.connect_ms);
		else if (r == -ECANCELED)
			nf_error_set(err, NF_CANCELLED, address, "cancelled while connecting");
		if (r)
			goto fail;
	}
	*ret = c;
	return 0;

fail:
	rpc_client_close(c);
	return r;
}

void rpc_client_close(struct rpc_client *c)
{
	if (!c)
		return;
	if (c->session && !c->is_broken) {
		nghttp2_session_terminate_session(c->session, NGHTTP2_NO_ERROR);
		client_send(c);
	}
	nghttp2_session_del(c->session);
	if (c->transport)
		c->transport->ops->close(c->transport);
	rpc_buffer_done(&c->out);
	free(c);
}

/* ---- a call ---------------------------------------------------------------------------------- */

static nghttp2_nv header(const char *name, const char *value)
{
	return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value),
			    NGHTTP2_NV_FLAG_NONE};
}

static int submit(struct rpc_client *c, const char *path, uint64_t deadline_ns,
		  struct nf_error *err)
{
	nghttp2_data_provider provider = {.read_callback = client_reply_read};
	uint64_t now_ns = clock_now_ns();
	char timeout[RPC_TIMEOUT_CHARS];
	nghttp2_nv headers[8] = {
		header(":method", "POST"),
		header(":scheme", "http"),
		header(":path", path),
		header(":authority", strncmp(c->address, "unix:", 5) ? c->address : "localhost"),
		header("content-type", "application/grpc"),
		header("te", "trailers"),
		header("user-agent", "nearfold"),
	};
	size_t n = 7;

	if (deadline_ns) {
		rpc_timeout_format(deadline_ns > now_ns ? deadline_ns - now_ns : 0, timeout);
		headers[n++] = header("grpc-timeout", timeout);
	}
	int32_t id = nghttp2_submit_request(c->session, NULL, headers, n, &provider, NULL);
	if (id < 0) {
		lost(c, err, "the connection takes no more calls");
		return -ECONNRESET;
	}
	c->reply.id = id;
	return 0;
}

/* Give the call up; the connection stays good. */
static void abandon(struct rpc_client *c)
{
	if (c->is_broken || c->reply.is_closed)
		return;
	nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, c->reply.id, NGHTTP2_CANCEL);
	client_send(c);
}

int rpc_client_call(struct rpc_client *c, const char *path, const uint8_t *request, size_t size,
		    uint64_t deadline_ns,
		    int (*on_message)(void *arg, const uint8_t *message, size_t size), void *arg,
		    struct rpc_details *ret_details, struct nf_error *err)
{
	struct rpc_reply *reply = &c->reply;

	if (ret_details)
		*ret_details = (struct rpc_details){0};
	if (c->is_broken)
		return lost(c, err, "the connection is gone");
	if (size > UINT32_MAX)
		return nf_error_set(err, NF_INVALID_ARGUMENT, path, "the request is too long");
	client_reply_begin(reply, request, size, on_message, arg);
	reply->deadline_ns = deadline_ns;
	c->last_received_ns = clock_now_ns();
	c->is_pinged = false;

	/* Has the node said good-bye while nobody looked? */
	int r = client_receive(c, err);
	if (!r && (c->is_going_away || !nghttp2_session_check_request_allowed(c->session)))
		r = lost(c, err, "the connection takes no more calls");
	if (!r)
		r = submit(c, path, deadline_ns, err);
	while (!r && !reply->is_closed && !reply->is_failed)
		r = client_step(c, deadline_ns ? deadline_ns : UINT64_MAX, err);

	if (r == -ECANCELED) {
		abandon(c);
		nf_error_set(err, NF_CANCELLED, NULL, "cancelled");
	} else if (r == -ETIMEDOUT) {
		abandon(c);
		nf_error_set(err, NF_DEADLINE_EXCEEDED, NULL,
			     "the node did not finish before the deadline");
	} else if (!r) {
		if (reply->is_failed)
			abandon(c);
		r = client_reply_result(c, ret_details, err);
	}
	client_reply_done(reply);
	return r;
}

uint64_t rpc_client_bytes_sent(const struct rpc_client *c)
{
	return c->out.written;
}

uint64_t rpc_client_bytes_received(const struct rpc_client *c)
{
	return c->bytes_received;
}

const char *rpc_client_address(const struct rpc_client *c)
{
	return c->address;
}
