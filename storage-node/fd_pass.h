/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fd_pass.h - file descriptors over a UNIX socket (SCM_RIGHTS), with the bytes they belong to.
 * Any thread.
 */
#ifndef NF_NODE_FD_PASS_H
#define NF_NODE_FD_PASS_H

#include <stddef.h>
#include <sys/types.h>

enum { FD_PASS_MAX = 250 }; /* the kernel's SCM_MAX_FD is 253 */

/* One message. 0, or -errno (-EAGAIN: a non-blocking socket is full). */
int fd_send(int sock, const void *data, size_t size, const int *fds, unsigned n_fds);
/* One message (SOCK_SEQPACKET) or what is there (SOCK_STREAM): bytes received, 0 at the end, or
 * -errno. Descriptors come with close-on-exec; *ret_n is at most max_fds <= FD_PASS_MAX. */
ssize_t fd_recv(int sock, void *data, size_t size, int *fds, unsigned max_fds, unsigned *ret_n);

#endif
