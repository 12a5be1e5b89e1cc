/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node_status.h - what a node is and what it is doing: GetCapabilities and GetStatus. Loop thread.
 */
#ifndef NF_NODE_STATUS_H
#define NF_NODE_STATUS_H

#include "rpc/rpc_server.h"
#include "storage-node/node.h"

void status_capabilities(struct node *node, struct rpc_call *call);
void status_get(struct node *node, struct rpc_call *call);

#endif
