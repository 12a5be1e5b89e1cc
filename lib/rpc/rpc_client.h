/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rpc_client.h - gRPC over HTTP/2, client side, blocking: one connection, one call at a time, one
 * thread. Several nodes at once: a client and a thread for each.
 */
#ifndef NF_RPC_CLIENT_H
#define NF_RPC_CLIENT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct rpc_client;
struct rpc_tls;

struct rpc_client_options {
	struct rpc_tls *tls;      /* NULL: plain text; borrowed */
	uint64_t connect_ms;      /* [5000] */
	size_t max_message_bytes; /* of a reply [8 MiB] */
	int cancel_fd;            /* an eventfd or pipe: readable means cancel; -1 or 0: none */
};

/* "HOST:PORT", "[::1]:PORT", "unix:/path". UNAVAILABLE with the reason when nobody answers. */
int rpc_client_connect(const char *address, const struct rpc_client_options *options,
		       struct rpc_client **ret, struct nf_error *err);
void rpc_client_close(struct rpc_client *c); /* NULL is fine */

/* What the server ended with, beside err: the raw bytes of grpc-status-details-bin. */
struct rpc_details {
	uint8_t *data; /* malloc()ed; free() it */
	size_t size;
};

/*
 * One call: send the request, hand every reply message to on_message (non-zero return: cancel the
 * call and return that value), return 0 when the server ended with OK. Otherwise err holds the
 * server's code and message and ret_details (may be NULL) its details. deadline_ns is
 * clock_now_ns()-based, 0: none; it is sent as grpc-timeout and also kept here.
 * -ECANCELED: cancel_fd became readable; the stream was reset (RST_STREAM CANCEL).
 * After -ECONNRESET and friends (UNAVAILABLE) the client can only be closed.
 */
int rpc_client_call(struct rpc_client *c, const char *path, const uint8_t *request, size_t size,
		    uint64_t deadline_ns,
		    int (*on_message)(void *arg, const uint8_t *message, size_t size), void *arg,
		    struct rpc_details *ret_details, struct nf_error *err);

/* Bytes through the socket since the connection was made, all overhead included. */
uint64_t rpc_client_bytes_sent(const struct rpc_client *c);
uint64_t rpc_client_bytes_received(const struct rpc_client *c);
/* "127.0.0.1:7411", for messages */
const char *rpc_client_address(const struct rpc_client *c);

#endif
