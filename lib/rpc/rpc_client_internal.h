/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* rpc_client_internal.h - the client's structures, shared by rpc_client.c and rpc_client_reply.c.
 */
#ifndef NF_RPC_CLIENT_INTERNAL_H
#define NF_RPC_CLIENT_INTERNAL_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>

#include "rpc/rpc_buffer.h"
#include "rpc/rpc_client.h"
#include "rpc/rpc_framing.h"
#include "rpc/rpc_tls.h"

/* The one call that is going on: what is sent, and what has come back. */
struct rpc_reply {
	int32_t id; /* of the stream; 0: none */
	uint8_t prefix[RPC_PREFIX_BYTES];
	const uint8_t *request;
	size_t request_size, request_sent; /* the prefix counted in request_sent */
	int (*on_message)(void *arg, const uint8_t *message, size_t size);
	void *arg;
	uint64_t deadline_ns; /* 0: none */

	int http_status, code; /* -1: not seen */
	bool has_content_type;
	char text[1024];
	struct rpc_details details;

	uint8_t message_prefix[RPC_PREFIX_BYTES];
	size_t prefix_size;
	uint8_t *message;
	size_t message_size, message_capacity, message_want;

	bool is_closed; /* the stream has ended, http2_error says how */
	uint32_t http2_error;
	bool is_failed; /* we do not want any more of it: failure and error say why */
	int failure;
	struct nf_error error;
};

struct rpc_client {
	struct rpc_client_options options;
	char address[128];
	struct rpc_transport *transport;
	nghttp2_session *session;
	struct rpc_buffer out;
	uint64_t bytes_received, last_received_ns;
	bool is_broken, has_settings, is_going_away, is_pinged;
	char goaway[256]; /* the node's reason */
	struct rpc_reply reply;
	uint8_t receive[64 << 10];
};

void client_reply_callbacks(nghttp2_session_callbacks *cb);
void client_reply_begin(struct rpc_reply *reply, const uint8_t *request, size_t size,
			int (*on_message)(void *arg, const uint8_t *message, size_t size),
			void *arg);
ssize_t client_reply_read(nghttp2_session *session, int32_t id, uint8_t *buf, size_t length,
			  uint32_t *data_flags, nghttp2_data_source *source, void *user);
/* What rpc_client_call() returns for a call that has ended. */
int client_reply_result(struct rpc_client *c, struct rpc_details *ret_details,
			struct nf_error *err);
void client_reply_done(struct rpc_reply *reply);

#endif
