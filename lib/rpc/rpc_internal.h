/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rpc_internal.h - the server's structures, shared by rpc_server.c, rpc_listener.c, rpc_conn.c,
 * rpc_session.c, rpc_call.c and rpc_reply.c.
 *
 * Who may call what: code of handlers runs only from on_poll (inside nghttp2's receive callbacks),
 * from timers, and from the flush below. rpc_call_send() and rpc_call_finish() therefore only queue
 * and mark the connection dirty; all sending happens in server_flush(), which runs before and
 * after each poll of the loop. A call or a connection can never vanish under a handler's feet.
 *
 * Memory: connections and calls are freed in the close callback of their last libuv handle, a later
 * phase of the loop than any code that may still hold the pointer.
 */
#ifndef NF_RPC_INTERNAL_H
#define NF_RPC_INTERNAL_H

#include <nghttp2/nghttp2.h>
#include <sys/queue.h>

#include "rpc/rpc_address.h"
#include "rpc/rpc_buffer.h"
#include "rpc/rpc_framing.h"
#include "rpc/rpc_server.h"
#include "rpc/rpc_tls.h"

enum {
	RECEIVE_BYTES = 64 << 10,     /* one read of a socket */
	READS_PER_EVENT = 4,          /* then the other connections have their turn */
	SEND_FRAME_BYTES = 256 << 10, /* largest DATA frame */
	SEND_COPY_BYTES = 4 << 10,    /* smaller frames are gathered in the buffer */
	SEND_BUFFER_BYTES = 64 << 10, /* above it, nothing more is packed */
	STREAM_WINDOW_BYTES = 256 << 10,
	CONN_WINDOW_BYTES = 1 << 20,
	MAX_HEADER_BYTES = 16 << 10, /* of one request, names and values */
	MAX_CONTINUATIONS = 8,       /* frames a header block may be spread over */
	MAX_OUTBOUND_ACKS = 256,     /* of PING and SETTINGS to a peer that does not read */
	MAX_OUTBOUND_FRAMES = 1024,  /* of any kind, to a peer that does not read */
	BUDGET_PER_SECOND = 1000,    /* of a connection: a PING, SETTINGS, ... costs 1 */
	RESET_COST = 10,             /* of that budget: a stream reset before its call ended */
	RESET_BURST = 100,           /* streams that a peer may reset at once, ... */
	RESETS_PER_SECOND = 33,      /* ... and then a second */
	LINGER_MS = 1000,            /* for the peer to read our last words */
	DRAIN_PING_MS = 1000,        /* for the peer to see the GOAWAY coming */
	ACCEPT_BACKOFF_MS = 100,     /* no descriptors left: wait, then try again */
	ACCEPTS_PER_EVENT = 16,
};

struct rpc_message {
	STAILQ_ENTRY(rpc_message) next;
	uint8_t prefix[RPC_PREFIX_BYTES];
	size_t prefix_bytes; /* 0: the text of an HTTP error, which has none */
	uint8_t *buffer;
	size_t offset, size;
};

enum call_state {
	CALL_RECEIVING, /* its request is arriving */
	CALL_RUNNING,   /* the handler has it */
	CALL_ENDING,    /* finished, refused or gone: what is queued may still be sent */
};

struct rpc_call {
	LIST_ENTRY(rpc_call) next;
	struct rpc_server *server;
	struct rpc_conn *conn; /* valid until the stream is closed */
	int32_t id;
	enum call_state state;
	const struct rpc_method *method; /* NULL: unknown */
	uv_timer_t deadline_timer;
	uint64_t deadline_ns, begun_ns;

	bool is_post, has_content_type, has_bad_timeout;
	char path[128]; /* cut; for messages */
	size_t header_bytes;

	uint8_t prefix[RPC_PREFIX_BYTES];
	size_t prefix_size; /* of it, arrived */
	uint8_t *request;   /* the message as far as it has arrived */
	size_t request_size, request_capacity, request_want;

	STAILQ_HEAD(, rpc_message) queue;
	size_t queued_bytes; /* of queue, what is not yet sent */
	size_t head_sent;    /* bytes of the first message that are sent */
	size_t packed;       /* bytes that nghttp2 was promised and has not sent yet */
	uint64_t bytes_sent;
	bool has_response, is_deferred, is_full, is_closed;

	bool has_status;
	enum nf_code code;
	char *status_message, *status_details; /* encoded; NULL: none */
	const char *http_status;

	void (*on_gone)(void *arg, enum nf_code why);
	void (*on_writable)(void *arg);
	void *arg;
};

struct rpc_conn {
	LIST_ENTRY(rpc_conn) next;
	TAILQ_ENTRY(rpc_conn) next_dirty;
	struct rpc_server *server;
	struct rpc_transport *transport;
	nghttp2_session *session;
	uv_poll_t poll;
	int poll_events;
	struct rpc_buffer out;
	struct rpc_peer peer;
	LIST_HEAD(, rpc_call) calls;
	uint64_t begun_ns, last_received_ns, pinged_ns, linger_ns, drain_ns;
	uint64_t second_ns;
	unsigned spent; /* of the budget, since second_ns */
	uint64_t requests;
	bool is_greeted, is_dirty, is_closed, is_last_goaway_sent;
	bool pump_turn; /* was dirty when the flush began */
};

struct rpc_listener {
	LIST_ENTRY(rpc_listener) next;
	struct rpc_server *server;
	struct rpc_tls *tls;
	uv_poll_t poll;
	uv_timer_t backoff;
	int fd, lock_fd;
	bool is_unix, is_bound, is_closed;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* of a UNIX socket */
	int open_handles;
};

struct rpc_server {
	uv_loop_t *loop;
	const struct rpc_method *methods;
	struct rpc_server_options options;
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;
	LIST_HEAD(, rpc_listener) listeners;
	LIST_HEAD(, rpc_conn) conns;
	TAILQ_HEAD(, rpc_conn) dirty;
	unsigned n_conns;
	size_t request_bytes; /* of requests that are arriving, all connections */
	uv_prepare_t prepare;
	uv_check_t check;
	uv_idle_t idle; /* active: there is something to flush, the loop must not sleep */
	uv_timer_t tick;
	int open_handles; /* of libuv, everywhere in this server; the last one frees it */
	bool is_draining, is_closed;
	void (*drained)(void *arg);
	void *drained_arg;
	uint8_t receive[RECEIVE_BYTES];
};

/* rpc_server.c */
void server_wake(struct rpc_server *s);
/* Pair with each uv_*_init and its close callback. */
void server_hold(struct rpc_server *s);
void server_release(struct rpc_server *s);

/* rpc_listener.c */
void listener_close(struct rpc_listener *l);

/* rpc_session.c */
void session_setup_callbacks(nghttp2_session_callbacks *cb);
/* The GOAWAY that names the last stream which is served; once. */
void session_last_goaway(struct rpc_conn *c);

/* rpc_conn.c */
/* Takes the socket over, also when it fails (then it is closed). */
void conn_open(struct rpc_server *s, struct rpc_tls *tls, int fd, const struct rpc_peer *peer);
void conn_mark_dirty(struct rpc_conn *c);
void conn_pump(struct rpc_conn *c);
void conn_tick(struct rpc_conn *c, uint64_t now_ns);
void conn_drain(struct rpc_conn *c);
void conn_close(struct rpc_conn *c, enum nf_code why);

/* rpc_call.c: events of a stream */
struct rpc_call *call_new(struct rpc_conn *c, int32_t id);
void call_header(struct rpc_call *call, const char *name, size_t name_len, const char *value,
		 size_t value_len);
void call_headers_end(struct rpc_call *call);
void call_data(struct rpc_call *call, const uint8_t *data, size_t size);
void call_request_end(struct rpc_call *call);
/* The stream is no more: tells the handler if it still runs, and frees. */
void call_close(struct rpc_call *call, enum nf_code why);
/* End a call whose handler has not begun. */
void call_refuse(struct rpc_call *call, enum nf_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void call_notify_writable(struct rpc_call *call);

/* rpc_reply.c: what is sent for a call */
/* Queue a message; takes buffer, also when it fails. 0, -ENOMEM. */
int reply_queue(struct rpc_call *call, uint8_t *buffer, size_t offset, size_t size);
/* What is queued, then the status, then the end. */
void reply_end(struct rpc_call *call, enum nf_code code, const char *message,
	       const uint8_t *details, size_t details_bytes);
/* An answer of HTTP and not of gRPC: http_status is three digits. */
void reply_end_http(struct rpc_call *call, const char *http_status, const char *text);
/* End a call whose deadline has passed, whatever is queued. */
void reply_cut(struct rpc_call *call, enum nf_code code, const char *message);
void reply_reset(struct rpc_call *call, uint32_t http2_code);
/* nghttp2's send_data callback: a DATA frame of size bytes from the queue. */
int reply_send_data(struct rpc_call *call, const uint8_t *frame_header, size_t size);
void reply_done(struct rpc_call *call);

#endif
