/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node_service.h - the methods that this node serves, in one table. Loop thread.
 */
#ifndef NF_NODE_SERVICE_H
#define NF_NODE_SERVICE_H

#include "storage-node/node.h"

/* Make node->server with every method; node outlives it. */
int service_new(struct node *node, struct nf_error *err);

#endif
