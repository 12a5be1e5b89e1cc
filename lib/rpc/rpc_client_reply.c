/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* rpc_client_reply.c - what comes back in a call: headers, messages, and the status it ends with.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/scope.h"
#include "rpc/rpc_client_internal.h"

void client_reply_begin(struct rpc_reply *reply, const uint8_t *request, size_t size,
			int (*on_message)(void *arg, const uint8_t *message, size_t size),
			void *arg)
{
	*reply = (struct rpc_reply){
		.request = request,
		.request_size = size,
		.on_message = on_message,
		.arg = arg,
		.http_status = -1,
		.code = -1,
	};
	rpc_prefix_put(reply->prefix, (uint32_t)size);
}

void client_reply_done(struct rpc_reply *reply)
{
	free(reply->message);
	free(reply->details.data);
	*reply = (struct rpc_reply){0};
}

ssize_t client_reply_read(nghttp2_session *session, int32_t id, uint8_t *buf, size_t length,
			  uint32_t *data_flags, nghttp2_data_source *source, void *user)
{
	struct rpc_reply *reply = &((struct rpc_client *)user)->reply;
	size_t n = 0;

	(void)session;
	(void)source;
	if (id != reply->id)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	while (reply->request_sent < RPC_PREFIX_BYTES && n < length)
		buf[n++] = reply->prefix[reply->request_sent++];
	if (reply->request_sent >= RPC_PREFIX_BYTES) {
		size_t at = reply->request_sent - RPC_PREFIX_BYTES;
		size_t left = reply->request_size - at;
		size_t take = left < length - n ? left : length - n;

		if (take)
			memcpy(buf + n, reply->request + at, take);
		n += take;
		reply->request_sent += take;
		if (take == left)
			*data_flags |= NGHTTP2_DATA_FLAG_EOF;
	}
	return (ssize_t)n;
}

/* ---- headers --------------------------------------------------------------------------------- */

static int parse_number(const char *text, size_t len)
{
	int value = 0;

	if (len == 0 || len > 3)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

static void keep_details(struct rpc_reply *reply, const char *text, size_t len)
{
	uint8_t *data = malloc(len + 1);
	size_t size;

	if (!data || !rpc_base64_decode(text, len, data, &size)) {
		free(data);
		return; /* they only explain; the status stands without */
	}
	free(reply->details.data);
	reply->details = (struct rpc_details){data, size};
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
		     void *user)
{
	struct rpc_reply *reply = &((struct rpc_client *)user)->reply;
	const char *text = (const char *)value;

	(void)session;
	(void)flags;
	if (frame->hd.stream_id != reply->id)
		return 0;
#define IS(want) (name_len == sizeof(want) - 1 && memcmp(name, want, name_len) == 0)
	if (IS(":status")) {
		reply->http_status = parse_number(text, value_len);
	} else if (IS("content-type")) {
		reply->has_content_type = rpc_content_type_ok(text, value_len);
	} else if (IS("grpc-status")) {
		reply->code = parse_number(text, value_len);
		if (reply->code < 0)
			reply->code = NF_UNKNOWN;
	} else if (IS("grpc-message")) {
		rpc_percent_decode(text, value_len, reply->text, sizeof(reply->text));
	} else if (IS("grpc-status-details-bin")) {
		keep_details(reply, text, value_len);
	}
#undef IS
	return 0;
}

/* ---- messages -------------------------------------------------------------------------------- */

static void fail(struct rpc_reply *reply, int failure)
{
	reply->is_failed = true;
	reply->failure = failure;
}

static bool check_prefix(struct rpc_client *c)
{
	struct rpc_reply *reply = &c->reply;
	uint32_t size;
	uint8_t flag;

	rpc_prefix_get(reply->message_prefix, &flag, &size);
	if (flag != 0) {
		fail(reply,
		     nf_error_set(&reply->error, NF_INTERNAL, NULL,
				  "the node sent a compressed message, which nobody asked for"));
		return false;
	}
	if (size > c->options.max_message_bytes) {
		fail(reply,
		     nf_error_set(&reply->error, NF_RESOURCE_EXHAUSTED, NULL,
				  "the node sent a message of %u bytes; max_message_bytes is %zu",
				  size, c->options.max_message_bytes));
		return false;
	}
	reply->message_want = size;
	reply->message_size = 0;
	return true;
}

static bool reserve(struct rpc_reply *reply, size_t need)
{
	size_t capacity = reply->message_capacity ? reply->message_capacity : 4096;

	if (need <= reply->message_capacity)
		return true;
	while (capacity < need)
		capacity *= 2;
	uint8_t *grown = realloc(reply->message, capacity);
	if (!grown) {
		fail(reply, nf_error_sys(&reply->error, NF_RESOURCE_EXHAUSTED, ENOMEM, NULL,
					 "a message of %zu bytes", reply->message_want));
		return false;
	}
	reply->message = grown;
	reply->message_capacity = capacity;
	return true;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
			 size_t size, void *user)
{
	struct rpc_client *c = user;
	struct rpc_reply *reply = &c->reply;

	(void)session;
	(void)flags;
	if (id != reply->id || reply->http_status != 200 || !reply->has_content_type)
		return 0;
	while (size > 0 && !reply->is_failed) {
		if (reply->prefix_size < RPC_PREFIX_BYTES) {
			reply->message_prefix[reply->prefix_size++] = *data++;
			size--;
			if (reply->prefix_size < RPC_PREFIX_BYTES || !check_prefix(c) ||
			    reply->message_want > 0)
				continue;
		}
		size_t left = reply->message_want - reply->message_size;
		size_t take = left < size ? left : size;

		/* An empty message, too, is handed on with a pointer. */
		if (!reserve(reply, reply->message_size + take + 1))
			return 0;
		memcpy(reply->message + reply->message_size, data, take);
		reply->message_size += take;
		data += take;
		size -= take;
		if (take < left)
			continue;
		reply->prefix_size = 0;
		int r = reply->on_message
				? reply->on_message(reply->arg, reply->message, reply->message_size)
				: 0;
		if (r)
			fail(reply, r);
	}
	return 0;
}

/* ---- the end --------------------------------------------------------------------------------- */

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code, void *user)
{
	struct rpc_reply *reply = &((struct rpc_client *)user)->reply;

	(void)session;
	if (id == reply->id) {
		reply->is_closed = true;
		reply->http2_error = error_code;
	}
	return 0;
}

void client_reply_callbacks(nghttp2_session_callbacks *cb)
{
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data_chunk);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
}

/* http-grpc-status-mapping.md of gRPC; anything else is UNKNOWN. */
static const struct {
	int http;
	enum nf_code code;
} http_codes[] = {
	{400, NF_INTERNAL},      {401, NF_UNAUTHENTICATED}, {403, NF_PERMISSION_DENIED},
	{404, NF_UNIMPLEMENTED}, {429, NF_UNAVAILABLE},     {502, NF_UNAVAILABLE},
	{503, NF_UNAVAILABLE},   {504, NF_UNAVAILABLE},
};

/* PROTOCOL-HTTP2.md of gRPC, "Errors"; anything else is INTERNAL. */
static const struct {
	uint32_t http2;
	enum nf_code code;
} reset_codes[] = {
	{NGHTTP2_REFUSED_STREAM, NF_UNAVAILABLE},
	{NGHTTP2_CANCEL, NF_CANCELLED},
	{NGHTTP2_ENHANCE_YOUR_CALM, NF_RESOURCE_EXHAUSTED},
	{NGHTTP2_INADEQUATE_SECURITY, NF_PERMISSION_DENIED},
};

int client_reply_result(struct rpc_client *c, struct rpc_details *ret_details, struct nf_error *err)
{
	struct rpc_reply *reply = &c->reply;

	if (reply->is_failed) {
		if (err && reply->error.code)
			*err = reply->error;
		return reply->failure;
	}
	if (reply->http_status != -1 && (reply->http_status != 200 || !reply->has_content_type)) {
		enum nf_code code = NF_UNKNOWN;

		for (size_t i = 0; i < ARRAY_SIZE(http_codes); i++)
			if (http_codes[i].http == reply->http_status)
				code = http_codes[i].code;
		return nf_error_set(err, code, c->address,
				    "what answers there is no gRPC service (HTTP status %d)",
				    reply->http_status);
	}
	if (reply->code < 0) {
		enum nf_code code = NF_INTERNAL;

		for (size_t i = 0; i < ARRAY_SIZE(reset_codes); i++)
			if (reset_codes[i].http2 == reply->http2_error)
				code = reset_codes[i].code;
		/* A node that cuts a message off at the deadline can only reset. */
		if (code == NF_CANCELLED && reply->deadline_ns &&
		    clock_now_ns() >= reply->deadline_ns)
			code = NF_DEADLINE_EXCEEDED;
		return nf_error_set(err, code, c->address,
				    "the node ended the call without a status (%s)",
				    nghttp2_http2_strerror(reply->http2_error));
	}
	if (reply->code == NF_OK && reply->prefix_size > 0)
		return nf_error_set(err, NF_INTERNAL, c->address,
				    "the reply ends in the middle of a message");
	if (reply->code == NF_OK)
		return 0;
	if (ret_details) {
		*ret_details = reply->details;
		reply->details = (struct rpc_details){0};
	}
	return nf_error_set(
		err, (enum nf_code)(reply->code <= NF_UNAUTHENTICATED ? reply->code : NF_UNKNOWN),
		NULL, "%s", reply->text[0] ? reply->text : nf_code_name((enum nf_code)reply->code));
}
