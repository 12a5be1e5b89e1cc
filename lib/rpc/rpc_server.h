/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rpc_server.h - gRPC over HTTP/2 (nghttp2), server side. Knows no message of ours: bytes in, bytes
 * out. Protocol: "gRPC over HTTP2" (PROTOCOL-HTTP2.md of gRPC), RFC 9113.
 *
 * One event loop (libuv), one thread: every function here is called from the loop's thread, and
 * every callback runs there.
 *
 * Life of a call: the whole request message arrives -> method->start(). The handler then sends any
 * number of messages and finishes once: rpc_call_finish(). A call that ends in any other way (the
 * client reset it, the connection broke, the deadline passed) gets on_gone() once, before which
 * the handler may do anything with the call and after which it may not touch it. After
 * rpc_call_finish() the handler must not touch it either; on_gone() is not called then.
 */
#ifndef NF_RPC_SERVER_H
#define NF_RPC_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"

/*
 * Stock clients accept 8 KiB of headers, the trailers' included: what rpc_call_finish() sends of a
 * message is cut after RPC_MAX_MESSAGE_CHARS of its encoded form, and details longer than
 * RPC_MAX_DETAILS_BYTES are left out.
 */
enum {
	RPC_MAX_MESSAGE_CHARS = 2048,
	RPC_MAX_DETAILS_BYTES = 4000,
};

struct rpc_server;
struct rpc_call;

struct rpc_method {
	const char *path; /* "/nearfold.v1.Nearfold/Execute" */
	/* message is valid during the call only. */
	void (*start)(struct rpc_call *call, const uint8_t *message, size_t size, void *arg);
	size_t max_request_bytes; /* 0: options.max_request_bytes */
	void *arg;
};

/* Who is calling: how the peer came in, and what it proved. */
struct rpc_peer {
	enum { RPC_PEER_TCP, RPC_PEER_UNIX } transport;
	char address[128]; /* "127.0.0.1:40312", "unix:pid=42" */
	bool loopback;
	int64_t uid;        /* UNIX socket: SO_PEERCRED; else -1 */
	char identity[256]; /* TLS: the client certificate's name; UNIX: "uid:1000"; "" unknown */
};

/* What the call ends with. message and details may be NULL. */
struct rpc_status {
	enum nf_code code;
	const char *message;
	const uint8_t *details; /* of grpc-status-details-bin, not yet base64 */
	size_t details_bytes;
};

/* Zero is the default (in brackets). */
struct rpc_server_options {
	size_t max_request_bytes;  /* [256 KiB] */
	size_t max_arriving_bytes; /* requests that are arriving, all connections [64 MiB] */
	unsigned max_connections;  /* [1000] */
	unsigned max_streams;      /* per connection [16] */
	size_t send_high_bytes;    /* rpc_call_send() says "full" above [1 MiB] */
	uint64_t first_request_ms; /* closes a connection with no request by then [10000] */
	uint64_t request_ms;       /* from a request's first byte to its last [30000] */
	/* A peer that is silent during a call: ping after [30000], close after [60000]. Without a
	 * call only the kernel's keepalive watches. */
	uint64_t ping_ms, dead_ms;
};

/* loop is borrowed. methods: ended by one with path NULL; borrowed. */
int rpc_server_new(uv_loop_t *loop, const struct rpc_method *methods,
		   const struct rpc_server_options *options, struct rpc_server **ret,
		   struct nf_error *err);

struct rpc_tls; /* rpc_tls.h; NULL below: plain text */

/*
 * "HOST:PORT", "[::1]:PORT", "unix:/path". Port 0: the kernel chooses; the real address goes to
 * ret_address (may be NULL). A UNIX socket is guarded by a lock file PATH.lock, so that a stale
 * socket is replaced and a live one refused; its mode is 0660.
 */
int rpc_server_listen(struct rpc_server *s, const char *address, struct rpc_tls *tls,
		      char ret_address[128], struct nf_error *err);

/* Stop accepting, tell the peers (GOAWAY), let running calls end; then done() is called. */
void rpc_server_drain(struct rpc_server *s, void (*done)(void *arg), void *arg);
unsigned rpc_server_connections(const struct rpc_server *s);
/* Close everything now (calls get on_gone); the memory goes when the loop has run once more. */
void rpc_server_free(struct rpc_server *s);

/* Callbacks of one call; set them in start(). */
void rpc_call_set(struct rpc_call *call, void (*on_gone)(void *arg, enum nf_code why),
		  void (*on_writable)(void *arg), void *arg);
const struct rpc_peer *rpc_call_peer(const struct rpc_call *call);
/* clock_now_ns() of the client's deadline; 0: none. */
uint64_t rpc_call_deadline_ns(const struct rpc_call *call);

/*
 * Queue a message (copied). Returns 1 while there is room for more, 0 when the queue is above
 * send_high_bytes: on_writable() comes when it has drained; -ENOMEM.
 */
int rpc_call_send(struct rpc_call *call, const uint8_t *message, size_t size);
/*
 * The same for a malloc()ed buffer, whose ownership passes, also on failure; bytes
 * [offset, offset + size) are sent.
 */
int rpc_call_send_owned(struct rpc_call *call, uint8_t *buffer, size_t offset, size_t size);
/* Bytes of messages queued so far on this call, framing included. */
uint64_t rpc_call_bytes_sent(const struct rpc_call *call);
void rpc_call_finish(struct rpc_call *call, const struct rpc_status *status);

#endif
