/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rpc_tls.h - the seam for TLS. Connections do their I/O through a struct rpc_transport, of which
 * the plain one is in rpc_transport.c; a listener or a client that has a struct rpc_tls gets its
 * transports from it instead. No constructor of a struct rpc_tls exists in this library yet: both
 * sides pass NULL.
 */
#ifndef NF_RPC_TLS_H
#define NF_RPC_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/error.h"

struct rpc_transport;

/* What a transport waits for; bits. */
enum { RPC_WANT_READ = 1, RPC_WANT_WRITE = 2 };

/*
 * Bytes over a non-blocking socket. Handshakes happen inside read and write. Threads: one at a
 * time.
 */
struct rpc_transport_ops {
	/* Bytes read; 0: the peer ended; -EAGAIN: none now, see want(); -errno. */
	ssize_t (*read)(struct rpc_transport *t, void *buf, size_t size);
	/* Bytes written, maybe fewer than asked for; -EAGAIN; -errno. */
	ssize_t (*write)(struct rpc_transport *t, const struct iovec *iov, int n_iov);
	/* RPC_WANT_*: what to poll the socket for before it makes sense to try again. */
	int (*want)(const struct rpc_transport *t, bool has_output);
	/* Ends the transport and frees it; closes the socket. */
	void (*close)(struct rpc_transport *t);
};

struct rpc_transport {
	const struct rpc_transport_ops *ops;
	int fd;
};

struct rpc_tls {
	/* Take over a connected socket; on failure it stays the caller's. */
	int (*wrap)(struct rpc_tls *tls, int fd, bool is_server, struct rpc_transport **ret,
		    struct nf_error *err);
};

/* The transport of a connected, non-blocking socket: tls->wrap(), or the plain one for NULL. */
int rpc_transport_new(struct rpc_tls *tls, int fd, bool is_server, struct rpc_transport **ret,
		      struct nf_error *err);

#endif
