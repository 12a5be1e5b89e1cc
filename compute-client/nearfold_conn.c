/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/scope.h"
#include "compute-client/client.h"

#define DEFAULT_PORT "7411"

/* More of the message. */
__attribute__((format(printf, 2, 3))) static void add_text(struct nearfold_error *err,
							   const char *fmt, ...)
{
	size_t n = strlen(err->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text + n, sizeof(err->text) - n, fmt, ap);
	va_end(ap);
}

/* "host" -> "host:7411", "::1" -> "[::1]:7411"; a UNIX socket stays as it is. */
static int whole_address(const char *address, char *buf, size_t size)
{
	const char *colon = strchr(address, ':');
	int n;

	if (strncmp(address, "unix:", 5) == 0)
		n = snprintf(buf, size, "%s", address);
	else if (address[0] == '[')
		n = snprintf(buf, size, "%s%s", address,
			     strstr(address, "]:") ? "" : ":" DEFAULT_PORT);
	else if (!colon)
		n = snprintf(buf, size, "%s:" DEFAULT_PORT, address);
	else if (strchr(colon + 1, ':') && !strchr(address, '/'))
		n = snprintf(buf, size, "[%s]:" DEFAULT_PORT, address);
	else
		n = snprintf(buf, size, "%s", address);
	return n < 0 || (size_t)n >= size || !address[0] ? -EINVAL : 0;
}

static int read_options(const struct nearfold_conn_options *given,
			struct nearfold_conn_options *ret, struct nearfold_error *err)
{
	*ret = (struct nearfold_conn_options){.size = sizeof(*ret)};
	if (!given)
		return 0;
	if (given->size > sizeof(*ret))
		return client_fail(err, NF_INVALID_ARGUMENT, "connection options",
				   "this libnearfold (%s) is older than the program that uses it",
				   NEARFOLD_VERSION);
	memcpy(ret, given, given->size ? given->size : sizeof(*ret));
	return 0;
}

int nearfold_connect(const char *address, const struct nearfold_conn_options *options,
		     struct nearfold_conn **ret, struct nearfold_error *err)
{
	struct nearfold_conn_options o;
	struct nf_error why = {0};
	char whole[sizeof(why.where)];
	int r = read_options(options, &o, err);

	if (r < 0)
		return r;
	if (whole_address(address, whole, sizeof(whole)) < 0)
		return client_fail(err, NF_INVALID_ARGUMENT, address,
				   "not an address; give HOST:PORT, [IPV6]:PORT or unix:/PATH");

	struct nearfold_conn *c = calloc(1, sizeof(*c));

	if (!c)
		return client_no_memory(err);
	c->timeout_ns = o.timeout_ns;

	struct rpc_client_options rpc = {
		.connect_ms = o.connect_ms,
		.max_message_bytes = WIRE_MAX_REPLY_BYTES,
		.cancel_fd = o.cancel_fd,
	};

	r = rpc_client_connect(whole, &rpc, &c->rpc, &why);
	if (r < 0) {
		free(c);
		client_error(err, &why, r);
		if (err && err->code == NF_UNAVAILABLE) {
			if (!err->where[0])
				snprintf(err->where, sizeof(err->where), "%s", whole);
			if (r == -ECONNREFUSED || r == -ENOENT)
				add_text(err,
					 "; start one: nearfoldd --listen %s --export "
					 "NAME=PATH,format=...",
					 whole);
			if (r == -ECONNRESET)
				add_text(err, "; is it a nearfoldd that listens there?");
		}
		return r;
	}
	*ret = c;
	return 0;
}

void nearfold_close(struct nearfold_conn *c)
{
	if (!c)
		return;
	rpc_client_close(c->rpc);
	free(c);
}

void client_refusal_done(struct client_refusal *r)
{
	if (r->detail)
		nearfold__v1__error_detail__free_unpacked(r->detail, NULL);
	r->detail = NULL;
}

bool client_refusal_missing(const struct client_refusal *r, const char *what)
{
	return r->detail && strcmp(r->detail->missing, what) == 0;
}

/* What the node said of the reason is better than the status line alone. */
static void apply_detail(struct nearfold_error *err, const Nearfold__V1__ErrorDetail *d)
{
	if (d->where[0])
		snprintf(err->where, sizeof(err->where), "%s", d->where);
	if (d->text[0])
		snprintf(err->text, sizeof(err->text), "%s", d->text);
	err->query_id = d->query_id;
	if (d->limit[0] && !strstr(err->text, d->limit))
		add_text(err, " (the limit %s; nearfold status shows it)", d->limit);
	if (d->fetch_instead)
		add_text(err, "; nearfold read can bring the data here meanwhile");
}

int client_bad_reply(struct nearfold_conn *c, const struct nf_error *why,
		     struct nearfold_error *err)
{
	return client_fail(err, NF_INTERNAL, rpc_client_address(c->rpc),
			   "the node's answer cannot be read: %s: %s", why->where, why->text);
}

/* on_message that failed has filled the caller's error; the call's own must not cover it. */
struct guarded_call {
	int (*on_message)(void *arg, const uint8_t *message, size_t size);
	void *arg;
	int failed;
};

static int guard_message(void *arg, const uint8_t *message, size_t size)
{
	struct guarded_call *g = arg;

	g->failed = g->on_message(g->arg, message, size);
	return g->failed;
}

int client_call(struct nearfold_conn *c, const char *path, const ProtobufCMessage *request,
		uint64_t deadline_ns,
		int (*on_message)(void *arg, const uint8_t *message, size_t size), void *arg,
		struct client_refusal *refusal, struct nearfold_error *err)
{
	struct guarded_call guard = {.on_message = on_message, .arg = arg};
	struct rpc_details details = {0};
	struct nf_error why = {0};
	AUTO_FREE uint8_t *packed = NULL;
	size_t size;

	if (wire_pack(request, 0, &packed, &size) < 0)
		return client_no_memory(err);
	if (!deadline_ns && c->timeout_ns)
		deadline_ns = clock_now_ns() + c->timeout_ns;

	int r = rpc_client_call(c->rpc, path, packed, size, deadline_ns, guard_message, &guard,
				&details, &why);

	if (guard.failed) {
		free(details.data);
		return guard.failed;
	}
	if (r < 0) {
		Nearfold__V1__ErrorDetail *d =
			details.data ? wire_unpack_details(details.data, details.size) : NULL;

		client_error(err, &why, r);
		if (err && d)
			apply_detail(err, d);
		if (err && !err->where[0])
			snprintf(err->where, sizeof(err->where), "%s", rpc_client_address(c->rpc));
		if (refusal)
			refusal->detail = TAKE_PTR(d);
		if (d)
			nearfold__v1__error_detail__free_unpacked(d, NULL);
	}
	free(details.data);
	return r;
}

struct one_reply {
	uint8_t *data;
	size_t size;
	unsigned count;
	struct nearfold_error *err;
};

static int keep_reply(void *arg, const uint8_t *message, size_t size)
{
	struct one_reply *one = arg;

	if (one->count++ > 0)
		return client_fail(one->err, NF_INTERNAL, "reply", "a second message arrived");
	one->data = malloc(size ? size : 1);
	if (!one->data)
		return client_no_memory(one->err);
	memcpy(one->data, message, size);
	one->size = size;
	return 0;
}

int client_call_unary(struct nearfold_conn *c, const char *path, const ProtobufCMessage *request,
		      uint8_t **ret, size_t *ret_size, struct nearfold_error *err)
{
	struct one_reply one = {.err = err};
	int r = client_call(c, path, request, 0, keep_reply, &one, NULL, err);

	c->sent_mark = rpc_client_bytes_sent(c->rpc);
	c->received_mark = rpc_client_bytes_received(c->rpc);
	if (r == 0 && one.count == 0)
		r = client_fail(err, NF_INTERNAL, rpc_client_address(c->rpc),
				"%s was answered without a message", path);
	if (r < 0) {
		free(one.data);
		return r;
	}
	*ret = one.data;
	*ret_size = one.size;
	return 0;
}
