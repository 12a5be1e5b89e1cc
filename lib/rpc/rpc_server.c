/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* rpc_server.c - the server as a whole: its options, its clockwork, drain and end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "rpc/rpc_internal.h"

enum {
	TICK_MIN_MS = 10,
	TICK_MAX_MS = 1000,
	DRAIN_TICK_MS = 50, /* an end is waited for */
};

void server_hold(struct rpc_server *s)
{
	s->open_handles++;
}

void server_release(struct rpc_server *s)
{
	if (--s->open_handles > 0)
		return;
	nghttp2_session_callbacks_del(s->callbacks);
	nghttp2_option_del(s->option);
	free(s);
}

static void on_handle_closed(uv_handle_t *handle)
{
	server_release(handle->data);
}

static void on_idle(uv_idle_t *handle)
{
	(void)handle;
}

void server_wake(struct rpc_server *s)
{
	if (!s->is_closed)
		uv_idle_start(&s->idle, on_idle);
}

/* One turn for each connection that has something to send; those that have more wait for the next.
 */
static void server_flush(struct rpc_server *s)
{
	struct rpc_conn *c;

	uv_idle_stop(&s->idle);
	for (c = TAILQ_FIRST(&s->dirty); c; c = TAILQ_NEXT(c, next_dirty))
		c->pump_turn = true;
	while ((c = TAILQ_FIRST(&s->dirty)) && c->pump_turn) {
		TAILQ_REMOVE(&s->dirty, c, next_dirty);
		c->is_dirty = c->pump_turn = false;
		conn_pump(c);
	}
	if (s->drained && s->n_conns == 0) {
		void (*drained)(void *arg) = s->drained;

		s->drained = NULL;
		drained(s->drained_arg);
	}
}

static void on_prepare(uv_prepare_t *handle)
{
	server_flush(handle->data);
}

static void on_check(uv_check_t *handle)
{
	server_flush(handle->data);
}

static void on_tick(uv_timer_t *timer)
{
	struct rpc_server *s = timer->data;
	struct rpc_conn *c, *next;
	uint64_t now_ns = clock_now_ns();

	for (c = LIST_FIRST(&s->conns); c; c = next) {
		next = LIST_NEXT(c, next);
		conn_tick(c, now_ns);
	}
}

static uint64_t tick_ms(const struct rpc_server_options *o)
{
	const uint64_t limits[] = {o->first_request_ms, o->request_ms, o->ping_ms, o->dead_ms};
	uint64_t least = TICK_MAX_MS * 4;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limits[i] < least)
			least = limits[i];
	return least / 4 < TICK_MIN_MS ? TICK_MIN_MS : least / 4;
}

static void set_defaults(struct rpc_server_options *o)
{
#define DEFAULT(field, value) \
	if (!o->field)        \
	o->field = (value)
	DEFAULT(max_request_bytes, 256 << 10);
	DEFAULT(max_arriving_bytes, 64 << 20);
	DEFAULT(max_connections, 1000);
	DEFAULT(max_streams, 16);
	DEFAULT(send_high_bytes, 1 << 20);
	DEFAULT(first_request_ms, 10000);
	DEFAULT(request_ms, 30000);
	DEFAULT(ping_ms, 30000);
	DEFAULT(dead_ms, 60000);
#undef DEFAULT
}

int rpc_server_new(uv_loop_t *loop, const struct rpc_method *methods,
		   const struct rpc_server_options *options, struct rpc_server **ret,
		   struct nf_error *err)
{
	struct rpc_server *s = calloc(1, sizeof(*s));

	if (!s || nghttp2_session_callbacks_new(&s->callbacks) || nghttp2_option_new(&s->option))
		goto no_memory;
	if (options)
		s->options = *options;
	set_defaults(&s->options);
	s->loop = loop;
	s->methods = methods;
	LIST_INIT(&s->listeners);
	LIST_INIT(&s->conns);
	TAILQ_INIT(&s->dirty);
	session_setup_callbacks(s->callbacks);
	nghttp2_option_set_max_outbound_ack(s->option, MAX_OUTBOUND_ACKS);
	nghttp2_option_set_stream_reset_rate_limit(s->option, RESET_BURST, RESETS_PER_SECOND);
	nghttp2_option_set_max_continuations(s->option, MAX_CONTINUATIONS);
	nghttp2_option_set_no_closed_streams(s->option, 1);

	/* None of these can fail. */
	uv_prepare_init(loop, &s->prepare);
	uv_check_init(loop, &s->check);
	uv_idle_init(loop, &s->idle);
	uv_timer_init(loop, &s->tick);
	uv_handle_t *handles[] = {(uv_handle_t *)&s->prepare, (uv_handle_t *)&s->check,
				  (uv_handle_t *)&s->idle, (uv_handle_t *)&s->tick};
	for (size_t i = 0; i < 4; i++) {
		handles[i]->data = s;
		server_hold(s);
	}
	uv_prepare_start(&s->prepare, on_prepare);
	uv_check_start(&s->check, on_check);
	uv_timer_start(&s->tick, on_tick, tick_ms(&s->options), tick_ms(&s->options));
	/* The sockets keep the loop going, not the clockwork. */
	uv_unref((uv_handle_t *)&s->prepare);
	uv_unref((uv_handle_t *)&s->check);
	uv_unref((uv_handle_t *)&s->tick);
	*ret = s;
	return 0;

no_memory:
	if (s) {
		nghttp2_session_callbacks_del(s->callbacks);
		free(s);
	}
	return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, ENOMEM, NULL, "the RPC server");
}

static void close_listeners(struct rpc_server *s)
{
	while (!LIST_EMPTY(&s->listeners))
		listener_close(LIST_FIRST(&s->listeners));
}

void rpc_server_drain(struct rpc_server *s, void (*done)(void *arg), void *arg)
{
	struct rpc_conn *c, *next;

	if (s->is_closed)
		return;
	s->drained = done;
	s->drained_arg = arg;
	if (!s->is_draining) {
		s->is_draining = true;
		close_listeners(s);
		for (c = LIST_FIRST(&s->conns); c; c = next) {
			next = LIST_NEXT(c, next);
			conn_drain(c);
		}
		uv_timer_start(&s->tick, on_tick, DRAIN_TICK_MS, DRAIN_TICK_MS);
	}
	server_wake(s);
}

unsigned rpc_server_connections(const struct rpc_server *s)
{
	return s->n_conns;
}

void rpc_server_free(struct rpc_server *s)
{
	if (!s || s->is_closed)
		return;
	close_listeners(s);
	s->drained = NULL;
	while (!LIST_EMPTY(&s->conns))
		conn_close(LIST_FIRST(&s->conns), NF_UNAVAILABLE);
	s->is_closed = true;
	uv_close((uv_handle_t *)&s->prepare, on_handle_closed);
	uv_close((uv_handle_t *)&s->check, on_handle_closed);
	uv_close((uv_handle_t *)&s->idle, on_handle_closed);
	uv_close((uv_handle_t *)&s->tick, on_handle_closed);
}
