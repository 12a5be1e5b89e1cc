/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* rpc_transport.c - plain bytes over a socket, and the choice between that and TLS. */
#include "rpc/rpc_tls.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static ssize_t plain_read(struct rpc_transport *t, void *buf, size_t size)
{
	ssize_t n;

	do {
		n = recv(t->fd, buf, size, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static ssize_t plain_write(struct rpc_transport *t, const struct iovec *iov, int n_iov)
{
	/* sendmsg() and not writev(): a peer that left must not raise SIGPIPE. */
	struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n_iov};
	ssize_t n;

	do {
		n = sendmsg(t->fd, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int plain_want(const struct rpc_transport *t, bool has_output)
{
	(void)t;
	return RPC_WANT_READ | (has_output ? RPC_WANT_WRITE : 0);
}

static void plain_close(struct rpc_transport *t)
{
	close(t->fd);
	free(t);
}

static const struct rpc_transport_ops plain_ops = {
	.read = plain_read,
	.write = plain_write,
	.want = plain_want,
	.close = plain_close,
};

int rpc_transport_new(struct rpc_tls *tls, int fd, bool is_server, struct rpc_transport **ret,
		      struct nf_error *err)
{
	if (tls)
		return tls->wrap(tls, fd, is_server, ret, err);

	struct rpc_transport *t = malloc(sizeof(*t));
	if (!t)
		return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, ENOMEM, NULL, "a connection");
	t->ops = &plain_ops;
	t->fd = fd;
	*ret = t;
	return 0;
}
