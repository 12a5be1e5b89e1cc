/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rpc_test.h - a server in a thread of its own, with methods that the tests of lib/rpc call.
 *
 * /t/Echo    the request comes back
 * /t/Small   the same, for at most 100 bytes
 * /t/Stream  "COUNT SIZE": COUNT messages of SIZE bytes, each filled with its number's low byte
 * /t/Fail    byte 0 is the code, then the message, NUL, then details
 * /t/Hang    answers with its first message only at TEST_RELEASE
 */
#ifndef RPC_TEST_H
#define RPC_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scope.h"
#include "rpc/rpc_client.h"
#include "rpc/rpc_server.h"

enum test_command { TEST_STOP = 1, TEST_DRAIN = 2, TEST_RELEASE = 4, TEST_COUNT = 8 };

struct test_server {
	pthread_t thread;
	uv_loop_t loop;
	uv_async_t async;
	struct rpc_server *server;
	struct rpc_method methods[8];
	char address[128];
	struct nf_error error;
	atomic_uint commands;

	/* what happened */
	atomic_uint started, gone, writable, full, drained;
	atomic_int gone_why;
	_Atomic uint64_t gone_ns;
	struct rpc_peer peer; /* of the last call; read it when the call is over */
	_Atomic uint64_t deadline_ns;

	LIST_HEAD(, test_hang) hanging;
	atomic_uint connections; /* as of the last command */
};

struct test_hang {
	LIST_ENTRY(test_hang) next;
	struct test_server *t;
	struct rpc_call *call;
};

struct test_stream {
	struct test_server *t;
	struct rpc_call *call;
	unsigned next, count;
	size_t size;
};

static inline void test_finish(struct rpc_call *call, enum nf_code code, const char *message)
{
	rpc_call_finish(call, &(struct rpc_status){.code = code, .message = message});
}

static inline void test_note_gone(struct test_server *t, enum nf_code why)
{
	t->gone_why = (int)why;
	t->gone_ns = clock_now_ns();
	t->gone++;
}

static inline void test_echo(struct rpc_call *call, const uint8_t *message, size_t size, void *arg)
{
	struct test_server *t = arg;

	t->started++;
	t->peer = *rpc_call_peer(call);
	t->deadline_ns = rpc_call_deadline_ns(call);
	rpc_call_send(call, message, size);
	test_finish(call, NF_OK, NULL);
}

static inline void test_stream_more(void *arg)
{
	struct test_stream *s = arg;
	int r = 1;

	s->t->writable++;
	while (s->next < s->count && r > 0) {
		uint8_t *data = malloc(s->size + 3);

		memset(data, (int)s->next, s->size + 3);
		r = rpc_call_send_owned(s->call, data, 3, s->size);
		s->next++;
	}
	if (r == 0)
		s->t->full++;
	if (s->next == s->count) {
		test_finish(s->call, NF_OK, NULL);
		free(s);
	}
}

static inline void test_stream_gone(void *arg, enum nf_code why)
{
	struct test_stream *s = arg;

	test_note_gone(s->t, why);
	free(s);
}

static inline void test_stream_start(struct rpc_call *call, const uint8_t *message, size_t size,
				     void *arg)
{
	struct test_stream *s = calloc(1, sizeof(*s));
	char text[64];

	snprintf(text, sizeof(text), "%.*s", (int)size, message);
	assert_int_equal(sscanf(text, "%u %zu", &s->count, &s->size), 2);
	s->t = arg;
	s->t->started++;
	s->call = call;
	rpc_call_set(call, test_stream_gone, test_stream_more, s);
	test_stream_more(s);
}

static inline void test_fail(struct rpc_call *call, const uint8_t *message, size_t size, void *arg)
{
	size_t text = strlen((const char *)message + 1);

	(void)arg;
	rpc_call_finish(call, &(struct rpc_status){
				      .code = (enum nf_code)message[0],
				      .message = (const char *)message + 1,
				      .details = message + text + 2,
				      .details_bytes = size - text - 2,
			      });
}

static inline void test_hang_gone(void *arg, enum nf_code why)
{
	struct test_hang *h = arg;

	test_note_gone(h->t, why);
	LIST_REMOVE(h, next);
	free(h);
}

static inline void test_hang_start(struct rpc_call *call, const uint8_t *message, size_t size,
				   void *arg)
{
	struct test_hang *h = calloc(1, sizeof(*h));

	(void)message;
	(void)size;
	h->t = arg;
	h->call = call;
	LIST_INSERT_HEAD(&h->t->hanging, h, next);
	rpc_call_set(call, test_hang_gone, NULL, h);
	h->t->started++;
}

static inline void test_on_drained(void *arg)
{
	((struct test_server *)arg)->drained++;
}

static inline void test_on_async(uv_async_t *async)
{
	struct test_server *t = async->data;
	unsigned commands = atomic_exchange(&t->commands, 0);
	struct test_hang *h;

	if (commands & TEST_DRAIN)
		rpc_server_drain(t->server, test_on_drained, t);
	while (commands & TEST_RELEASE && (h = LIST_FIRST(&t->hanging))) {
		rpc_call_send(h->call, (const uint8_t *)"released", 8);
		test_finish(h->call, NF_OK, NULL);
		LIST_REMOVE(h, next);
		free(h);
	}
	if (commands & TEST_STOP) {
		rpc_server_free(t->server);
		uv_close((uv_handle_t *)&t->async, NULL);
	}
	t->connections = rpc_server_connections(t->server);
}

static inline void *test_thread(void *arg)
{
	struct test_server *t = arg;

	uv_run(&t->loop, UV_RUN_DEFAULT);
	return NULL;
}

static inline void test_command(struct test_server *t, unsigned command)
{
	atomic_fetch_or(&t->commands, command);
	uv_async_send(&t->async);
}

/* A server without a listener and a thread. */
static inline void test_server_init(struct test_server *t, const struct rpc_server_options *options)
{
	memset(t, 0, sizeof(*t));
	LIST_INIT(&t->hanging);
	const struct rpc_method methods[] = {
		{"/t/Echo", test_echo, 0, t},           {"/t/Small", test_echo, 100, t},
		{"/t/Stream", test_stream_start, 0, t}, {"/t/Fail", test_fail, 0, t},
		{"/t/Hang", test_hang_start, 0, t},     {NULL, NULL, 0, NULL},
	};
	memcpy(t->methods, methods, sizeof(methods));
	assert_int_equal(uv_loop_init(&t->loop), 0);
	assert_int_equal(uv_async_init(&t->loop, &t->async, test_on_async), 0);
	t->async.data = t;
	assert_int_equal(rpc_server_new(&t->loop, t->methods, options, &t->server, &t->error), 0);
}

/* address NULL: a port of loopback. -errno of rpc_server_listen(), with t->error: it is gone then.
 */
static inline int test_server_run(struct test_server *t, const char *address)
{
	int r = rpc_server_listen(t->server, address ? address : "127.0.0.1:0", NULL, t->address,
				  &t->error);
	if (r) {
		rpc_server_free(t->server);
		uv_close((uv_handle_t *)&t->async, NULL);
		uv_run(&t->loop, UV_RUN_DEFAULT);
		assert_int_equal(uv_loop_close(&t->loop), 0);
		return r;
	}
	assert_int_equal(pthread_create(&t->thread, NULL, test_thread, t), 0);
	return 0;
}

static inline int test_server_try(struct test_server *t, const char *address,
				  const struct rpc_server_options *options)
{
	test_server_init(t, options);
	return test_server_run(t, address);
}

static inline void test_server_start(struct test_server *t, const char *address,
				     const struct rpc_server_options *options)
{
	if (test_server_try(t, address, options))
		fail_msg("%s: %s", t->error.where, t->error.text);
}

/* Also proves that the loop is empty: no handle is left behind. */
static inline void test_server_stop(struct test_server *t)
{
	test_command(t, TEST_STOP);
	pthread_join(t->thread, NULL);
	assert_int_equal(uv_loop_close(&t->loop), 0);
}

/* Wait until *value is at least want; at most 20 seconds, which a busy machine may need. */
static inline void test_wait(atomic_uint *value, unsigned want)
{
	uint64_t until_ns = clock_now_ns() + 20 * NS_PER_SEC;

	while (atomic_load(value) < want && clock_now_ns() < until_ns)
		usleep(200);
	assert_true(atomic_load(value) >= want);
}

static inline struct rpc_client *test_connect(const struct test_server *t,
					      const struct rpc_client_options *options)
{
	struct rpc_client *c;
	struct nf_error err;

	if (rpc_client_connect(t->address, options, &c, &err))
		fail_msg("%s: %s", err.where, err.text);
	return c;
}

/* What came back in one call. */
struct test_reply {
	unsigned messages;
	size_t bytes;
	uint8_t last[64];
	size_t last_size;
	bool is_in_order; /* message i is filled with byte i */
	unsigned stop_after, delay_us;
};

static inline int test_on_message(void *arg, const uint8_t *message, size_t size)
{
	struct test_reply *r = arg;

	r->is_in_order = (r->messages == 0 || r->is_in_order) &&
			 (size == 0 || (message[0] == (uint8_t)r->messages &&
					message[size - 1] == (uint8_t)r->messages));
	r->messages++;
	r->bytes += size;
	r->last_size = size < sizeof(r->last) ? size : sizeof(r->last);
	memcpy(r->last, message, r->last_size);
	if (r->delay_us)
		usleep(r->delay_us);
	return r->stop_after && r->messages == r->stop_after ? -4711 : 0;
}

static inline int test_call(struct rpc_client *c, const char *path, const void *request,
			    size_t size, uint64_t timeout_ms, struct test_reply *ret,
			    struct nf_error *err)
{
	memset(err, 0, sizeof(*err));
	return rpc_client_call(c, path, request, size,
			       timeout_ms ? clock_now_ns() + timeout_ms * NS_PER_MS : 0,
			       test_on_message, ret, NULL, err);
}

#endif
