/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rpc_buffer.h - bytes on their way to a transport: what the socket did not take waits here.
 * Threads: one at a time.
 */
#ifndef NF_RPC_BUFFER_H
#define NF_RPC_BUFFER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct rpc_transport;

/* Zeroes are an empty buffer. */
struct rpc_buffer {
	uint8_t *data;
	size_t start, end, capacity; /* the bytes [start, end) wait */
	uint64_t written;            /* bytes that the transport took, ever */
};

static inline size_t rpc_buffer_size(const struct rpc_buffer *b)
{
	return b->end - b->start;
}

/* -ENOMEM */
int rpc_buffer_append(struct rpc_buffer *b, const void *data, size_t size);
/* 0: all is written; -EAGAIN: the rest waits; another -errno: the transport is dead. */
int rpc_buffer_flush(struct rpc_buffer *b, struct rpc_transport *t);
/*
 * What waits, then iov (at most 31 pieces), without copying what the transport takes at once; the
 * rest of iov is copied and waits. 0 also when something waits; -errno: the transport is dead.
 */
int rpc_buffer_write(struct rpc_buffer *b, struct rpc_transport *t, const struct iovec *iov,
		     int n_iov);
void rpc_buffer_done(struct rpc_buffer *b);

#endif
