/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node_datasets.h - ListDatasets and DescribeDataset: what of the catalog a peer may see, looked at
 * in the pool. Loop thread.
 */
#ifndef NF_NODE_DATASETS_H
#define NF_NODE_DATASETS_H

#include "rpc/rpc_server.h"
#include "storage-node/node.h"

void datasets_list(struct node *node, struct rpc_call *call);
void datasets_describe(struct node *node, struct rpc_call *call, const char *name);

#endif
