/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node_load.h - LoadProgram: verified in the pool against the record size that the program itself
 * asks for, kept, and answered with the report. Loop thread.
 */
#ifndef NF_NODE_LOAD_H
#define NF_NODE_LOAD_H

#include "rpc/rpc_server.h"
#include "storage-node/node.h"

void load_program(struct node *node, struct rpc_call *call, const uint8_t *message, size_t size);

#endif
