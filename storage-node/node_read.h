/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node_read.h - ReadRange: the bytes of a data set as they are, in order. Loop thread.
 *
 * One piece at a time is read in the pool and queued; the next one is read while the connection
 * has room and waits for it otherwise, so a slow client costs one piece of memory.
 */
#ifndef NF_NODE_READ_H
#define NF_NODE_READ_H

#include "rpc/rpc_server.h"
#include "storage-node/node.h"

void read_start(struct node *node, struct rpc_call *call, const uint8_t *message, size_t size);

#endif
