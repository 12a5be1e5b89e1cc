/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* rpc_call.c - one call of the server: its request as it arrives, its handler, its deadline. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "rpc/rpc_internal.h"

/* ---- life ------------------------------------------------------------------------------------ */

struct rpc_call *call_new(struct rpc_conn *c, int32_t id)
{
	struct rpc_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->conn = c;
	call->server = c->server;
	call->id = id;
	call->begun_ns = clock_now_ns();
	STAILQ_INIT(&call->queue);
	uv_timer_init(c->server->loop, &call->deadline_timer);
	call->deadline_timer.data = call;
	server_hold(c->server);
	LIST_INSERT_HEAD(&c->calls, call, next);
	return call;
}

static void drop_request(struct rpc_call *call)
{
	call->server->request_bytes -= call->request_capacity;
	call->request_capacity = call->request_size = 0;
	free(call->request);
	call->request = NULL;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct rpc_call *call = handle->data;
	struct rpc_server *s = call->server;

	reply_done(call);
	free(call);
	server_release(s);
}

/* The handler's last word about this call. */
static void call_gone(struct rpc_call *call, enum nf_code why)
{
	call->state = CALL_ENDING;
	if (call->on_gone)
		call->on_gone(call->arg, why);
}

void call_close(struct rpc_call *call, enum nf_code why)
{
	if (call->is_closed)
		return;
	call->is_closed = true;
	LIST_REMOVE(call, next);
	drop_request(call);
	uv_close((uv_handle_t *)&call->deadline_timer, on_timer_closed);
	if (call->state == CALL_RUNNING)
		call_gone(call, why);
	call->state = CALL_ENDING;
}

void call_refuse(struct rpc_call *call, enum nf_code code, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (call->state != CALL_RECEIVING)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	drop_request(call);
	call->state = CALL_ENDING;
	reply_end(call, code, text, NULL, 0);
}

static void on_deadline(uv_timer_t *timer);

static void start_deadline_timer(struct rpc_call *call)
{
	uint64_t now_ns = clock_now_ns();
	uint64_t left_ns = call->deadline_ns > now_ns ? call->deadline_ns - now_ns : 0;

	uv_update_time(call->server->loop);
	uv_timer_start(&call->deadline_timer, on_deadline,
		       left_ns / NS_PER_MS + (left_ns % NS_PER_MS != 0), 0);
}

static void on_deadline(uv_timer_t *timer)
{
	struct rpc_call *call = timer->data;

	/* The loop's clock has whole milliseconds, so it can be early; the client would see a call
	 * that was cut off before its deadline. */
	if (clock_now_ns() < call->deadline_ns) {
		start_deadline_timer(call);
		return;
	}
	switch (call->state) {
	case CALL_RECEIVING:
		call_refuse(call, NF_DEADLINE_EXCEEDED,
			    "the deadline passed before the request had arrived");
		break;
	case CALL_RUNNING:
		call_gone(call, NF_DEADLINE_EXCEEDED);
		if (!call->is_closed)
			reply_cut(call, NF_DEADLINE_EXCEEDED, "the call's deadline passed");
		break;
	case CALL_ENDING:
		/* The client does not read its reply. */
		reply_reset(call, NGHTTP2_CANCEL);
		break;
	}
}

/* ---- the request arrives --------------------------------------------------------------------- */

static bool is_name(const char *name, size_t len, const char *want)
{
	return len == strlen(want) && memcmp(name, want, len) == 0;
}

static const struct rpc_method *find_method(const struct rpc_server *s, const char *path,
					    size_t len)
{
	for (const struct rpc_method *m = s->methods; m->path; m++)
		if (is_name(path, len, m->path))
			return m;
	return NULL;
}

static void set_deadline(struct rpc_call *call, const char *text, size_t len)
{
	uint64_t timeout_ns;

	if (!rpc_timeout_parse(text, len, &timeout_ns)) {
		call->has_bad_timeout = true;
		return;
	}
	if (__builtin_add_overflow(call->begun_ns, timeout_ns, &call->deadline_ns))
		call->deadline_ns = UINT64_MAX;
}

void call_header(struct rpc_call *call, const char *name, size_t name_len, const char *value,
		 size_t value_len)
{
	/* 32 a field is RFC 9113's measure (6.5.2). Past the limit nothing is looked at any more.
	 */
	call->header_bytes += name_len + value_len + 32;
	if (call->header_bytes > MAX_HEADER_BYTES)
		return;
	if (is_name(name, name_len, ":method")) {
		call->is_post = is_name(value, value_len, "POST");
	} else if (is_name(name, name_len, ":path")) {
		call->method = find_method(call->server, value, value_len);
		snprintf(call->path, sizeof(call->path), "%.*s", (int)value_len, value);
	} else if (is_name(name, name_len, "content-type")) {
		call->has_content_type = rpc_content_type_ok(value, value_len);
	} else if (is_name(name, name_len, "grpc-timeout")) {
		set_deadline(call, value, value_len);
	}
}

void call_headers_end(struct rpc_call *call)
{
	if (call->header_bytes > MAX_HEADER_BYTES) {
		call_refuse(call, NF_RESOURCE_EXHAUSTED,
			    "the request's headers are longer than %d bytes", MAX_HEADER_BYTES);
	} else if (!call->is_post || !call->has_content_type) {
		call->state = CALL_ENDING;
		if (!call->is_post)
			reply_end_http(call, "405",
				       "This is a gRPC service: it takes only POST.\n");
		else
			reply_end_http(call, "415",
				       "This is a gRPC service: it takes only the content type "
				       "application/grpc.\n");
	} else if (!call->method) {
		call_refuse(call, NF_UNIMPLEMENTED, "there is no method %s here", call->path);
	} else if (call->has_bad_timeout) {
		call_refuse(
			call, NF_INVALID_ARGUMENT,
			"grpc-timeout is malformed: it is 1 to 8 digits and one of H M S m u n");
	} else if (call->deadline_ns) {
		start_deadline_timer(call);
	}
}

/* The prefix is here: what will come, and do we want it? Nothing is allocated for it yet. */
static void check_prefix(struct rpc_call *call)
{
	size_t limit = call->method->max_request_bytes;
	uint32_t size;
	uint8_t flag;

	if (!limit)
		limit = call->server->options.max_request_bytes;
	rpc_prefix_get(call->prefix, &flag, &size);
	call->request_want = size;
	if (flag == 1)
		call_refuse(call, NF_UNIMPLEMENTED,
			    "compressed messages are not supported: send grpc-encoding identity");
	else if (flag != 0)
		call_refuse(call, NF_INVALID_ARGUMENT,
			    "the message's flag byte is %u, neither 0 nor 1", flag);
	else if (size > limit)
		call_refuse(call, NF_RESOURCE_EXHAUSTED,
			    "the request is %u bytes long; max_request_bytes of %s is %zu", size,
			    call->path, limit);
}

/* Memory follows what has arrived, not what was announced. */
static bool reserve_request(struct rpc_call *call, size_t need)
{
	struct rpc_server *s = call->server;
	size_t capacity = call->request_capacity ? call->request_capacity : 1024;

	if (need <= call->request_capacity)
		return true;
	while (capacity < need)
		capacity *= 2;
	if (capacity > call->request_want)
		capacity = call->request_want;
	if (s->request_bytes + (capacity - call->request_capacity) >
	    s->options.max_arriving_bytes) {
		call_refuse(
			call, NF_RESOURCE_EXHAUSTED,
			"too many requests are arriving at once (max_arriving_bytes = %zu); try "
			"again later",
			s->options.max_arriving_bytes);
		return false;
	}
	uint8_t *grown = realloc(call->request, capacity);
	if (!grown) {
		call_refuse(call, NF_RESOURCE_EXHAUSTED, "out of memory");
		return false;
	}
	s->request_bytes += capacity - call->request_capacity;
	call->request = grown;
	call->request_capacity = capacity;
	return true;
}

void call_data(struct rpc_call *call, const uint8_t *data, size_t size)
{
	while (call->state == CALL_RECEIVING && call->prefix_size < RPC_PREFIX_BYTES && size > 0) {
		call->prefix[call->prefix_size++] = *data++;
		size--;
		if (call->prefix_size == RPC_PREFIX_BYTES)
			check_prefix(call);
	}
	if (call->state != CALL_RECEIVING || size == 0)
		return;
	if (size > call->request_want - call->request_size) {
		call_refuse(
			call, NF_INVALID_ARGUMENT,
			"the request goes on after its message of %zu bytes; one message is all",
			call->request_want);
		return;
	}
	if (!reserve_request(call, call->request_size + size))
		return;
	memcpy(call->request + call->request_size, data, size);
	call->request_size += size;
}

void call_request_end(struct rpc_call *call)
{
	static const uint8_t nothing[1];

	if (call->state != CALL_RECEIVING)
		return;
	if (call->prefix_size < RPC_PREFIX_BYTES || call->request_size < call->request_want) {
		call_refuse(call, NF_INVALID_ARGUMENT, "the request ended after %zu of %zu bytes",
			    call->prefix_size + call->request_size,
			    RPC_PREFIX_BYTES + call->request_want);
		return;
	}
	uint8_t *request = call->request;
	call->request = NULL;
	drop_request(call);
	call->state = CALL_RUNNING;
	call->method->start(call, request ? request : nothing, call->request_want,
			    call->method->arg);
	free(request);
}

/* ---- the handler's side ---------------------------------------------------------------------- */

void rpc_call_set(struct rpc_call *call, void (*on_gone)(void *arg, enum nf_code why),
		  void (*on_writable)(void *arg), void *arg)
{
	call->on_gone = on_gone;
	call->on_writable = on_writable;
	call->arg = arg;
}

const struct rpc_peer *rpc_call_peer(const struct rpc_call *call)
{
	return &call->conn->peer;
}

uint64_t rpc_call_deadline_ns(const struct rpc_call *call)
{
	return call->deadline_ns;
}

uint64_t rpc_call_bytes_sent(const struct rpc_call *call)
{
	return call->bytes_sent;
}

int rpc_call_send(struct rpc_call *call, const uint8_t *message, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return -ENOMEM;
	if (size)
		memcpy(copy, message, size);
	return rpc_call_send_owned(call, copy, 0, size);
}

int rpc_call_send_owned(struct rpc_call *call, uint8_t *buffer, size_t offset, size_t size)
{
	if (call->state != CALL_RUNNING) {
		free(buffer);
		return 0;
	}
	int r = reply_queue(call, buffer, offset, size);
	if (r)
		return r;
	call->is_full = call->queued_bytes > call->server->options.send_high_bytes;
	return !call->is_full;
}

void rpc_call_finish(struct rpc_call *call, const struct rpc_status *status)
{
	if (call->state != CALL_RUNNING)
		return;
	call->state = CALL_ENDING;
	reply_end(call, status->code, status->message, status->details, status->details_bytes);
}

void call_notify_writable(struct rpc_call *call)
{
	if (call->state != CALL_RUNNING || !call->is_full ||
	    call->queued_bytes > call->server->options.send_high_bytes / 2)
		return;
	call->is_full = false;
	if (call->on_writable)
		call->on_writable(call->arg);
}
