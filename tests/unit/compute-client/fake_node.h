/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fake_node.h - a server in a thread of its own that answers what a test tells it to, right or
 * wrong: for each call of Execute, ReadRange, ListDatasets and DescribeDataset the next of a list
 * of answers.
 */
#ifndef FAKE_NODE_H
#define FAKE_NODE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "compute-client/client.h"
#include "rpc/rpc_server.h"
#include "tests/unit/program/program_fixture.h"

enum { FAKE_MESSAGES = 8, FAKE_ANSWERS = 4, FAKE_METHODS = 4 };

/* What one call gets: messages (packed by fake_say), then a status. */
struct fake_answer {
	uint8_t *messages[FAKE_MESSAGES];
	size_t sizes[FAKE_MESSAGES];
	unsigned n;
	bool hangs; /* no status ever: the client must end it */
	enum nf_code code;
	const char *text;
	const char *missing, *where, *limit;
	bool fetch_instead;
	uint64_t query_id;
};

struct fake_method {
	struct fake_node *node;
	struct fake_answer answers[FAKE_ANSWERS];
	unsigned calls;
};

enum fake_which { FAKE_EXECUTE, FAKE_READ, FAKE_LIST, FAKE_DESCRIBE };

struct fake_node {
	pthread_t thread;
	uv_loop_t loop;
	uv_async_t stop;
	struct rpc_server *server;
	struct fake_method methods[FAKE_METHODS];
	struct rpc_method table[FAKE_METHODS + 1];
	char address[128];
	/* of the calls of Execute, by number */
	bool had_program[FAKE_ANSWERS], had_id[FAKE_ANSWERS];
};

static inline void fake_say(struct fake_answer *a, const ProtobufCMessage *m)
{
	assert_true(a->n < FAKE_MESSAGES);
	assert_int_equal(wire_pack(m, 0, &a->messages[a->n], &a->sizes[a->n]), 0);
	a->n++;
}

static inline void fake_gone(void *arg, enum nf_code why)
{
	(void)arg;
	(void)why;
}

static inline void fake_finish(struct rpc_call *call, const struct fake_answer *a)
{
	Nearfold__V1__ErrorDetail d = NEARFOLD__V1__ERROR_DETAIL__INIT;
	struct rpc_status status = {.code = a->code, .message = a->text};
	uint8_t *details = NULL;

	d.missing = (char *)(a->missing ? a->missing : "");
	d.where = (char *)(a->where ? a->where : "");
	d.limit = (char *)(a->limit ? a->limit : "");
	d.fetch_instead = a->fetch_instead;
	d.query_id = a->query_id;
	if (a->code != NF_OK &&
	    wire_pack_details(a->code, a->text, &d, &details, &status.details_bytes) == 0)
		status.details = details;
	rpc_call_finish(call, &status);
	free(details);
}

static inline void fake_start(struct rpc_call *call, const uint8_t *message, size_t size, void *arg)
{
	struct fake_method *m = arg;
	unsigned i = m->calls < FAKE_ANSWERS ? m->calls++ : FAKE_ANSWERS - 1;
	const struct fake_answer *a = &m->answers[i];

	if (m == &m->node->methods[FAKE_EXECUTE]) {
		struct wire_execute e = {0};

		if (wire_unpack_execute(message, size, &e, NULL) == 0) {
			m->node->had_program[i] = e.program != NULL;
			m->node->had_id[i] = e.program == NULL;
			wire_execute_done(&e);
		}
	}
	rpc_call_set(call, fake_gone, NULL, NULL);
	for (unsigned k = 0; k < a->n; k++)
		rpc_call_send(call, a->messages[k], a->sizes[k]);
	if (!a->hangs)
		fake_finish(call, a);
}

static inline void fake_stop(uv_async_t *async)
{
	struct fake_node *f = async->data;

	rpc_server_free(f->server);
	uv_close((uv_handle_t *)&f->stop, NULL);
}

static inline void *fake_loop(void *arg)
{
	struct fake_node *f = arg;

	uv_run(&f->loop, UV_RUN_DEFAULT);
	return NULL;
}

/* Fill f->methods[].answers first. */
static inline void fake_start_node(struct fake_node *f)
{
	static const char *const paths[] = {WIRE_EXECUTE, WIRE_READ_RANGE, WIRE_LIST_DATASETS,
					    WIRE_DESCRIBE_DATASET};
	struct nf_error err;

	for (unsigned i = 0; i < FAKE_METHODS; i++) {
		f->methods[i].node = f;
		f->table[i] = (struct rpc_method){
			.path = paths[i], .start = fake_start, .arg = &f->methods[i]};
	}
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(uv_async_init(&f->loop, &f->stop, fake_stop), 0);
	f->stop.data = f;
	assert_int_equal(rpc_server_new(&f->loop, f->table, NULL, &f->server, &err), 0);
	assert_int_equal(rpc_server_listen(f->server, "127.0.0.1:0", NULL, f->address, &err), 0);
	assert_int_equal(pthread_create(&f->thread, NULL, fake_loop, f), 0);
}

static inline void fake_stop_node(struct fake_node *f)
{
	uv_async_send(&f->stop);
	pthread_join(f->thread, NULL);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	for (unsigned i = 0; i < FAKE_METHODS; i++)
		for (unsigned k = 0; k < FAKE_ANSWERS; k++)
			for (unsigned n = 0; n < f->methods[i].answers[k].n; n++)
				free(f->methods[i].answers[k].messages[n]);
}

/* A program that counts: state one u64, combine adds; with or without a key of 4 bytes. */
static inline void counting_program(bool grouped, struct nearfold_program *ret)
{
	static const struct bpf_insn reduce[] = {
		LOAD(3, 1, 0), ADD_K(3, 1), STORE(1, 0, 3), MOV_K(0, 0), EXIT(),
	};
	static const struct bpf_insn combine[] = {
		LOAD(3, 2, 0), LOAD(4, 1, 0), ADD_X(4, 3), STORE(1, 0, 4), EXIT(),
	};
	static const struct bpf_insn key[] = {
		INSN(BPF_LDX | BPF_MEM | BPF_W, 3, 1, 0, 0),
		INSN(BPF_STX | BPF_MEM | BPF_W, 4, 3, 0, 0),
		EXIT(),
	};
	static const struct program_line lines[] = {
		{.insn = 0, .line = 7, .file = 0, .text = "\ts->count++;"},
	};
	static const char *const files[] = {"src/count.bpf.c"};
	const struct program_func funcs[] = {
		{.kind = PROGRAM_REDUCE,
		 .name = "count",
		 .insns = reduce,
		 .n_insns = ARRAY_SIZE(reduce),
		 .lines = lines,
		 .n_lines = 1},
		FUNC(PROGRAM_COMBINE, "merge", combine),
		FUNC(PROGRAM_KEY, "word", key),
	};
	const struct program draft = {
		.n_funcs = grouped ? 3 : 2,
		.funcs = funcs,
		.n_files = 1,
		.files = files,
		.record_bytes = 8,
		.key_bytes = grouped ? 4 : 0,
		.state_bytes = 8,
	};
	struct nf_error err = {0};

	memset(ret, 0, sizeof(*ret));
	if (program_create(&draft, &ret->program, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	ret->path = (char *)"count.bpf.o";
}

#endif
