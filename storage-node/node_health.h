/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node_health.h - grpc.health.v1: SERVING, and NOT_SERVING while the node drains. A watcher hears
 * of the change. Loop thread.
 */
#ifndef NF_NODE_HEALTH_H
#define NF_NODE_HEALTH_H

#include "rpc/rpc_server.h"
#include "storage-node/node.h"

#define HEALTH_CHECK "/grpc.health.v1.Health/Check"
#define HEALTH_WATCH "/grpc.health.v1.Health/Watch"

void health_check(struct node *node, struct rpc_call *call, const uint8_t *message, size_t size);
void health_watch(struct node *node, struct rpc_call *call, const uint8_t *message, size_t size);
/* The node drains: tell the watchers and end their calls, which would hold the drain up. */
void health_drain(struct node *node);

#endif
