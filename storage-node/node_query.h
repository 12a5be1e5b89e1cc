/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node_query.h - the life of one Execute call, from the request to the log line. Loop thread.
 */
#ifndef NF_NODE_QUERY_H
#define NF_NODE_QUERY_H

#include "rpc/rpc_server.h"
#include "storage-node/node.h"
#include "wire/wire.h"

/* The handler of Execute. */
void query_start(struct node *node, struct rpc_call *call, const uint8_t *message, size_t size);

/* End every query that is not running yet (draining): UNAVAILABLE. */
void query_end_waiting(struct node *node);
/* Look at every running query's wall time; called each second. */
void query_check_time(struct node *node);

unsigned query_count(const struct node *node);
/* What GetStatus shows of query i, newest first; texts are valid until the loop goes on. */
void query_status(const struct node *node, unsigned i, Nearfold__V1__QueryStatus *ret);

#endif
