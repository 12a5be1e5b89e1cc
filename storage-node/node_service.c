/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/node_service.h"

#include <stdlib.h>

#include "base/scope.h"
#include "storage-node/node_datasets.h"
#include "storage-node/node_health.h"
#include "storage-node/node_load.h"
#include "storage-node/node_query.h"
#include "storage-node/node_read.h"
#include "storage-node/node_reply.h"
#include "storage-node/node_status.h"

/* A request that has no fields: is it at least a message? */
static bool is_empty_request(struct rpc_call *call, const uint8_t *message, size_t size)
{
	struct nf_error err;

	if (!wire_unpack_empty(message, size, &err))
		return true;
	reply_error(call, &err, NULL);
	return false;
}

static void get_capabilities(struct rpc_call *call, const uint8_t *message, size_t size, void *arg)
{
	if (is_empty_request(call, message, size))
		status_capabilities(arg, call);
}

static void get_status(struct rpc_call *call, const uint8_t *message, size_t size, void *arg)
{
	if (is_empty_request(call, message, size))
		status_get(arg, call);
}

static void list_datasets(struct rpc_call *call, const uint8_t *message, size_t size, void *arg)
{
	if (is_empty_request(call, message, size))
		datasets_list(arg, call);
}

static void describe_dataset(struct rpc_call *call, const uint8_t *message, size_t size, void *arg)
{
	AUTO_FREE char *name = NULL;
	struct nf_error err;

	if (wire_unpack_describe(message, size, &name, &err))
		reply_error(call, &err, NULL);
	else
		datasets_describe(arg, call, name);
}

static void load(struct rpc_call *call, const uint8_t *message, size_t size, void *arg)
{
	load_program(arg, call, message, size);
}

static void execute(struct rpc_call *call, const uint8_t *message, size_t size, void *arg)
{
	query_start(arg, call, message, size);
}

static void read_range(struct rpc_call *call, const uint8_t *message, size_t size, void *arg)
{
	read_start(arg, call, message, size);
}

static void check(struct rpc_call *call, const uint8_t *message, size_t size, void *arg)
{
	health_check(arg, call, message, size);
}

static void watch(struct rpc_call *call, const uint8_t *message, size_t size, void *arg)
{
	health_watch(arg, call, message, size);
}

enum request_size { SMALL, WITH_PROGRAM };

static const struct {
	const char *path;
	void (*start)(struct rpc_call *call, const uint8_t *message, size_t size, void *arg);
	enum request_size size;
} methods[] = {
	{WIRE_GET_CAPABILITIES, get_capabilities, SMALL},
	{WIRE_LIST_DATASETS, list_datasets, SMALL},
	{WIRE_DESCRIBE_DATASET, describe_dataset, SMALL},
	{WIRE_LOAD_PROGRAM, load, WITH_PROGRAM},
	{WIRE_EXECUTE, execute, WITH_PROGRAM},
	{WIRE_READ_RANGE, read_range, SMALL},
	{WIRE_GET_STATUS, get_status, SMALL},
	{HEALTH_CHECK, check, SMALL},
	{HEALTH_WATCH, watch, SMALL},
};

int service_new(struct node *node, struct nf_error *err)
{
	/* The server borrows the table for as long as it lives; there is one node a process. */
	static struct rpc_method table[ARRAY_SIZE(methods) + 1];
	const struct node_limits *l = &node->config.limits;
	struct rpc_server_options options = {
		.max_request_bytes = WIRE_MAX_REQUEST_BYTES,
		.max_connections = (unsigned)l->connections,
		.max_streams = (unsigned)l->streams_per_connection,
	};

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		table[i] = (struct rpc_method){
			.path = methods[i].path,
			.start = methods[i].start,
			.max_request_bytes = methods[i].size == WITH_PROGRAM ? l->message_bytes : 0,
			.arg = node,
		};
	if (l->message_bytes < options.max_request_bytes)
		options.max_request_bytes = l->message_bytes;
	return rpc_server_new(&node->loop, table, &options, &node->server, err);
}
