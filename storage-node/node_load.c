/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/node_load.h"

#include <stdlib.h>

#include "base/scope.h"
#include "storage-node/node_reply.h"

struct load {
	uv_work_t work;
	struct node *node;
	struct rpc_call *call; /* NULL: gone */
	struct program *program;
	struct vm_bounds bounds;
	struct checked_program *checked;
	int ret;
	struct nf_error err;
};

static void on_gone(void *arg, enum nf_code why)
{
	struct load *l = arg;

	(void)why;
	l->call = NULL;
}

static void reply_loaded(struct rpc_call *call, struct checked_program *c)
{
	Nearfold__V1__LoadProgramReply m = NEARFOLD__V1__LOAD_PROGRAM_REPLY__INIT;
	Nearfold__V1__EngineInfo info[ARRAY_SIZE(c->engines.list)];
	Nearfold__V1__EngineInfo *list[ARRAY_SIZE(info)];

	for (unsigned i = 0; i < c->engines.n; i++) {
		nearfold__v1__engine_info__init(&info[i]);
		info[i].name = c->engines.list[i].name;
		info[i].reason = c->engines.list[i].reason;
		info[i].available = !*info[i].reason;
		list[i] = &info[i];
	}
	m.program_id.data = c->program->id;
	m.program_id.len = PROGRAM_ID_BYTES;
	m.report = c->report;
	m.accesses_proven = c->n_proven;
	m.accesses_guarded = c->n_guarded;
	m.engines = list;
	m.n_engines = c->engines.n;
	reply_message(call, &m.base);
}

/* Reads program, bounds, the node's engines; writes checked, ret, err. */
static void load_work(uv_work_t *work)
{
	struct load *l = work->data;

	l->ret = checked_program_new(l->program, &l->bounds, &l->node->engines, &l->checked,
				     &l->err);
}

static void load_done(uv_work_t *work, int status)
{
	struct load *l = work->data;
	char report[sizeof(l->err.where) + sizeof(l->err.text) + 4];

	(void)status;
	l->node->loads--;
	if (!l->ret)
		program_cache_add(l->node->cache, l->checked);
	if (l->call && l->ret) {
		nf_error_message(&l->err, report, sizeof(report));
		reply_error(l->call, &l->err, &(struct reply_extra){.report = report});
	} else if (l->call) {
		reply_loaded(l->call, l->checked);
	}
	checked_program_unref(l->checked);
	program_unref(l->program);
	free(l);
}

void load_program(struct node *node, struct rpc_call *call, const uint8_t *message, size_t size)
{
	struct checked_program *known;
	struct program *p;
	struct nf_error err;
	struct vm_bounds bounds;
	struct load *l;

	if (wire_unpack_load_program(message, size, &p, &err)) {
		reply_error(call, &err, NULL);
		return;
	}
	bounds = vm_bounds_of(p);
	known = program_cache_find(node->cache, p->id, &bounds);
	if (known) {
		reply_loaded(call, known);
		checked_program_unref(known);
		program_unref(p);
		return;
	}
	if (node->loads >= node->config.limits.loads_running) {
		program_unref(p);
		node_limit_refuse(&err, "loads_running",
				  "%llu programs are being verified; try again later",
				  (unsigned long long)node->loads);
		reply_error(call, &err, &(struct reply_extra){.limit = "loads_running"});
		return;
	}
	l = calloc(1, sizeof(*l));
	if (!l) {
		program_unref(p);
		nf_error_set(&err, NF_RESOURCE_EXHAUSTED, NULL, "the node is out of memory");
		reply_error(call, &err, NULL);
		return;
	}
	l->work.data = l;
	l->node = node;
	l->call = call;
	l->program = p;
	l->bounds = bounds;
	rpc_call_set(call, on_gone, NULL, l);
	node->loads++;
	uv_queue_work(&node->loop, &l->work, load_work, load_done);
}
