/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/node_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scope.h"
#include "storage-node/code_cache.h"
#include "storage-node/node_query.h"
#include "storage-node/node_reply.h"

/* Of programs: helper numbers, calling convention, Program message. */
enum { ABI_VERSION = 1 };

/* The Limits message, and what it points to. */
struct limits {
	Nearfold__V1__Limits m;
	Nearfold__V1__NamedLimit rows[NODE_LIMITS], *list[NODE_LIMITS];
};

static Nearfold__V1__Limits *fill_limits(const struct node_limits *l, struct limits *ret)
{
	Nearfold__V1__Limits *m = &ret->m;

	nearfold__v1__limits__init(m);
	for (size_t i = 0; i < n_limit_rows; i++) {
		Nearfold__V1__NamedLimit *row = &ret->rows[i];

		nearfold__v1__named_limit__init(row);
		row->name = (char *)limit_rows[i].name;
		row->value = node_limit_value(l, &limit_rows[i]);
		row->what = (char *)limit_rows[i].what;
		ret->list[i] = row;
	}
	m->all = ret->list;
	m->n_all = n_limit_rows;
	m->queries_running = (uint32_t)l->queries_running;
	m->queries_queued = (uint32_t)l->queries_queued;
	m->threads_per_query = (uint32_t)l->threads_per_query;
	m->memory_bytes_per_query = l->memory_bytes_per_query;
	m->seconds_per_query = l->seconds_per_query;
	m->groups = l->groups;
	m->result_bytes = l->result_bytes;
	m->message_bytes = l->message_bytes;
	m->programs_cached = (uint32_t)l->programs_cached;
	m->instructions_per_record = l->instructions_per_record;
	m->queries_per_identity = (uint32_t)l->queries_per_identity;
	m->connections = (uint32_t)l->connections;
	return m;
}

void status_capabilities(struct node *node, struct rpc_call *call)
{
	Nearfold__V1__Capabilities m = NEARFOLD__V1__CAPABILITIES__INIT;
	struct limits limits;
	Nearfold__V1__EngineInfo info[ARRAY_SIZE(node->engines.list)];
	Nearfold__V1__EngineInfo *list[ARRAY_SIZE(info)];
	struct utsname kernel;

	for (unsigned i = 0; i < node->engines.n; i++) {
		nearfold__v1__engine_info__init(&info[i]);
		info[i].name = (char *)node->engines.list[i].name;
		info[i].reason = node->engines.list[i].reason;
		info[i].available = !*info[i].reason;
		list[i] = &info[i];
	}
	m.version = (char *)NEARFOLD_VERSION;
	m.abi_version = ABI_VERSION;
	m.kernel = uname(&kernel) ? (char *)"" : kernel.release;
	m.engines = list;
	m.n_engines = node->engines.n;
	m.limits = fill_limits(&node->config.limits, &limits);
	m.processors = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	reply_message(call, &m.base);
}

static uint64_t resident_bytes(void)
{
	AUTO_FCLOSE FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (!f || fscanf(f, "%*u %lu", &pages) != 1)
		return 0;
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void status_get(struct node *node, struct rpc_call *call)
{
	Nearfold__V1__Status m = NEARFOLD__V1__STATUS__INIT;
	struct limits limits;
	const unsigned n = query_count(node);
	AUTO_FREE Nearfold__V1__QueryStatus *queries = calloc(n + 1, sizeof(*queries));
	AUTO_FREE Nearfold__V1__QueryStatus **list = calloc(n + 1, sizeof(*list));
	struct nf_error err;

	if (!queries || !list) {
		nf_error_set(&err, NF_RESOURCE_EXHAUSTED, NULL, "the node is out of memory");
		reply_error(call, &err, NULL);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		nearfold__v1__query_status__init(&queries[i]);
		query_status(node, i, &queries[i]);
		list[i] = &queries[i];
	}
	m.version = (char *)NEARFOLD_VERSION;
	m.uptime_ns = clock_now_ns() - node->start_ns;
	m.queries = list;
	m.n_queries = n;
	m.connections = rpc_server_connections(node->server);
	m.programs_cached = program_cache_count(node->cache);
	m.codes_cached = code_cache_count(node->codes);
	m.code_bytes = code_cache_bytes(node->codes);
	m.queries_done = node->queries_done;
	m.queries_failed = node->queries_failed;
	m.bytes_scanned = node->bytes_scanned;
	m.bytes_sent = node->bytes_sent;
	m.limits = fill_limits(&node->config.limits, &limits);
	m.draining = node->draining;
	m.resident_bytes = resident_bytes();
	m.cpu_ns = clock_read(CLOCK_PROCESS_CPUTIME_ID);
	reply_message(call, &m.base);
}
