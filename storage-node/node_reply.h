/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node_reply.h - how a call ends: a message and OK, or a status with its details. Loop thread.
 */
#ifndef NF_NODE_REPLY_H
#define NF_NODE_REPLY_H

#include "rpc/rpc_server.h"
#include "wire/wire.h"

/* What a refusal carries beside code, place and reason. Zero is the default; texts are borrowed. */
struct reply_extra {
	const char *limit;   /* RESOURCE_EXHAUSTED */
	const char *missing; /* NOT_FOUND: "program", "dataset" */
	const char *report;  /* INVALID_ARGUMENT: the verifier's */
	uint64_t query_id;
	bool fetch_instead;
};

/* The status "where: text" with an ErrorDetail. The call is finished. */
void reply_error(struct rpc_call *call, const struct nf_error *err,
		 const struct reply_extra *extra);
/* One message, then OK. */
void reply_message(struct rpc_call *call, const ProtobufCMessage *message);
void reply_ok(struct rpc_call *call);
/* Queue a message of a stream: like rpc_call_send(). */
int reply_stream(struct rpc_call *call, const ProtobufCMessage *message);

#endif
