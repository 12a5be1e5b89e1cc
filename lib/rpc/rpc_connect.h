/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* rpc_connect.h - a connected socket, in bounded time. */
#ifndef NF_RPC_CONNECT_H
#define NF_RPC_CONNECT_H

#include <stdint.h>

#include "base/error.h"

/*
 * Wait until fd has one of events (poll(2)) or until_ns (clock_now_ns(); UINT64_MAX: for ever) has
 * come. cancel_fd: <= 0 is none. 0; -ECANCELED: cancel_fd is readable; -ETIMEDOUT: until_ns has
 * come, also when there is something to do on fd. (A steady flow must not hide either of them.)
 */
int rpc_wait(int fd, short events, int cancel_fd, uint64_t until_ns);

/*
 * Connect to "HOST:PORT" ... by until_ns; each address of the host is tried. The socket is
 * non-blocking and close-on-exec. UNAVAILABLE, INVALID_ARGUMENT, CANCELLED.
 */
int rpc_connect(const char *address, int cancel_fd, uint64_t until_ns, int *ret_fd,
		struct nf_error *err);

#endif
