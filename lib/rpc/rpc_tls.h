/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rpc_tls.h - the seam for TLS. Connections do their I/O through struct rpc_transport, of which the
 * plain one is in rpc_transport.c; a TLS one takes its place when a listener or a client has a
 * struct rpc_tls. No constructor exists yet: both sides pass NULL.
 */
#ifndef NF_RPC_TLS_H
#define NF_RPC_TLS_H

struct rpc_tls;

#endif
