/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/node_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scope.h"
#include "scan/nvme_device.h"
#include "storage-node/code_cache.h"
#include "storage-node/node_query.h"
#include "storage-node/node_reply.h"

/* Of programs: helper numbers, calling convention, Program message. */
enum { ABI_VERSION = 1, MAX_DEVICES = 256 /* as wire_walk.c allows */ };

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

/* Devices are asked, which may take a while: in the pool. */
struct capabilities {
	uv_work_t work;
	struct node *node;
	struct rpc_call *call; /* NULL: gone */
	struct nvme_device *devices;
	unsigned n_devices;
};

static void on_gone(void *arg, enum nf_code why)
{
	struct capabilities *c = arg;

	(void)why;
	c->call = NULL;
}

static void look_for_devices(uv_work_t *work)
{
	struct capabilities *c = work->data;

	/* None is what an error means here, too: the answer has more than devices. */
	if (nvme_devices_list(true, &c->devices, &c->n_devices, NULL))
		c->n_devices = 0;
}

static void fill_device(struct nvme_device *d, Nearfold__V1__Device *m)
{
	nearfold__v1__device__init(m);
	m->name = d->name;
	m->generic_name = d->generic;
	m->serial = d->serial;
	m->model = d->model;
	m->transport = d->transport;
	m->health = d->health;
	m->nsid = d->nsid;
	m->block_bytes = d->block_bytes;
	m->blocks = d->blocks;
	m->metadata_bytes = d->metadata_bytes;
	m->max_transfer_bytes = d->max_transfer_bytes;
	m->max_read_bytes = d->max_read_bytes;
	m->queues = d->queues;
	m->poll_queues = d->poll_queues;
	m->read_only = d->read_only;
	m->zoned = d->zoned;
	m->multipath = d->multipath;
}

static void reply_capabilities(struct capabilities *c)
{
	Nearfold__V1__Capabilities m = NEARFOLD__V1__CAPABILITIES__INIT;
	struct node *node = c->node;
	struct limits limits;
	Nearfold__V1__EngineInfo info[ARRAY_SIZE(node->engines.list)];
	Nearfold__V1__EngineInfo *list[ARRAY_SIZE(info)];
	Nearfold__V1__Device devices[MAX_DEVICES], *device_list[MAX_DEVICES];
	struct utsname kernel;

	for (unsigned i = 0; i < node->engines.n; i++) {
		nearfold__v1__engine_info__init(&info[i]);
		info[i].name = node->engines.list[i].name;
		info[i].reason = node->engines.list[i].reason;
		info[i].available = !*info[i].reason;
		list[i] = &info[i];
	}
	for (unsigned i = 0; i < c->n_devices && i < MAX_DEVICES; i++) {
		fill_device(&c->devices[i], &devices[i]);
		device_list[m.n_devices++] = &devices[i];
	}
	m.devices = device_list;
	m.version = (char *)NEARFOLD_VERSION;
	m.abi_version = ABI_VERSION;
	m.kernel = uname(&kernel) ? (char *)"" : kernel.release;
	m.engines = list;
	m.n_engines = node->engines.n;
	m.limits = fill_limits(&node->config.limits, &limits);
	m.processors = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
	reply_message(c->call, &m.base);
}

static void capabilities_done(uv_work_t *work, int status)
{
	struct capabilities *c = work->data;

	(void)status;
	if (c->call)
		reply_capabilities(c);
	free(c->devices);
	free(c);
}

void status_capabilities(struct node *node, struct rpc_call *call)
{
	struct capabilities *c = calloc(1, sizeof(*c));
	struct nf_error err;

	if (!c) {
		nf_error_set(&err, NF_RESOURCE_EXHAUSTED, NULL, "the node is out of memory");
		reply_error(call, &err, NULL);
		return;
	}
	c->work.data = c;
	c->node = node;
	c->call = call;
	rpc_call_set(call, on_gone, NULL, c);
	uv_queue_work(&node->loop, &c->work, look_for_devices, capabilities_done);
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
	m.spare_workers = node->spare_workers;
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
