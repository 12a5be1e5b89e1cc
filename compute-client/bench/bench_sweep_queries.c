/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* bench_sweep_queries.c - several clients at once, each with a connection and a thread of its own.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/bench/bench_data.h"
#include "compute-client/bench/bench_sweep_internal.h"

enum {
	MOST_AT_ONCE = 64,
	QUICK_EACH_BYTES = 8 << 20,
	EACH_BYTES = 64 << 20,
};

struct crowd;

struct member {
	struct crowd *crowd;
	struct bench_target target;
	struct bench_outcome outcome;
	struct nf_error err;
	int ret;
	pthread_t thread;
};

struct crowd {
	struct member members[MOST_AT_ONCE];
	unsigned n;
	enum bench_way way;
	const char *engine;
};

/* A contestant: one way by the same crowd. */
struct crowd_way {
	struct crowd *crowd;
	enum bench_way way;
};

static void *act(void *arg)
{
	struct member *m = arg;

	m->ret = (m->crowd->way == WAY_OFFLOAD ? bench_offload : bench_ship)(
		&m->target, m->crowd->engine, &m->outcome, &m->err);
	return NULL;
}

static int run_crowd(void *arg, struct bench_sample *ret, struct nf_error *err)
{
	struct crowd_way *w = arg;
	struct crowd *c = w->crowd;
	struct bench_outcome outcomes[MOST_AT_ONCE];
	struct bench_window window;
	unsigned started = 0;
	int r = bench_window_open(&window, &c->members[0].target, err);

	c->way = w->way;
	if (r < 0)
		return r;
	while (started < c->n &&
	       pthread_create(&c->members[started].thread, NULL, act, &c->members[started]) == 0)
		started++;
	for (unsigned i = 0; i < started; i++) {
		pthread_join(c->members[i].thread, NULL);
		outcomes[i] = c->members[i].outcome;
	}
	for (unsigned i = 0; i < started && r == 0; i++) {
		r = c->members[i].ret;
		*err = c->members[i].err;
	}
	if (r == 0 && started < c->n)
		r = nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "only %u of %u threads", started,
				 c->n);
	return r < 0 ? r
		     : bench_window_close(&window, &c->members[0].target, outcomes, started, w->way,
					  ret, err);
}

static int add_members(struct sweep *s, struct crowd *c, unsigned n, struct nearfold_program *prog,
		       struct nf_error *err)
{
	uint64_t each = s->o->quick ? QUICK_EACH_BYTES : EACH_BYTES;
	int r = 0;

	while (c->n < n && r == 0) {
		struct member *m = &c->members[c->n++];

		m->crowd = c;
		r = sweep_connect(s, PATH_LOOPBACK, &m->target, err);
		if (r == 0)
			r = bench_target_program(&m->target, prog, err);
		/* One scan thread each: together they fill the processors. */
		m->target.threads = 1;
		if (each < m->target.total_bytes)
			m->target.range_end = each;
	}
	return r;
}

static int measure(struct sweep *s, struct crowd *c, struct nf_error *err)
{
	struct crowd_way ways[WAYS] = {{c, WAY_OFFLOAD}, {c, WAY_SHIP}};
	AUTO_FREE struct bench_contestant *list = calloc(WAYS, sizeof(*list));
	char text[16];
	int r;

	if (!list)
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
	snprintf(text, sizeof(text), "%u", c->n);
	if (!sweep_begins(s, SECTION_QUERIES, text))
		return 0;
	for (unsigned i = 0; i < WAYS; i++) {
		list[i].way = (enum bench_way)i;
		list[i].run = run_crowd;
		list[i].arg = &ways[i];
		snprintf(list[i].engine, sizeof(list[i].engine), "%s", c->engine);
	}
	r = bench_rounds(list, WAYS, s->o->rounds, true, err);
	if (r == 0)
		bench_rounds_report(list, WAYS, SECTION_QUERIES, c->n, text, s->report);
	return r;
}

int sweep_queries(struct sweep *s, struct nf_error *err)
{
	static const unsigned few[] = {1, 4, 16, 64}, many[] = {1, 2, 4, 8, 16, 32, 64};
	const unsigned *counts = s->o->quick ? few : many;
	unsigned n = s->o->quick ? ARRAY_SIZE(few) : ARRAY_SIZE(many);
	AUTO_FREE struct crowd *c = calloc(1, sizeof(*c));
	struct nearfold_program *prog = NULL;
	int r;

	if (!c)
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
	c->engine = s->best;
	r = sweep_program("select", &prog, err);
	if (r == 0)
		r = sweep_param(prog, "bound", BENCH_PICK_RANGE / 2, err);
	for (unsigned i = 0; i < n && r == 0; i++) {
		r = add_members(s, c, counts[i], prog, err);
		if (r == 0)
			r = measure(s, c, err);
	}
	for (unsigned i = 0; i < c->n; i++)
		bench_target_close(&c->members[i].target);
	nearfold_program_free(prog);
	return r;
}
