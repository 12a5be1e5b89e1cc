/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "rpc/rpc_connect.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "base/clock.h"
#include "base/scope.h"
#include "rpc/rpc_address.h"

int rpc_wait(int fd, short events, int cancel_fd, uint64_t until_ns)
{
	struct pollfd fds[2] = {{.fd = fd, .events = events},
				{.fd = cancel_fd > 0 ? cancel_fd : -1, .events = POLLIN}};

	for (;;) {
		int timeout_ms = -1;

		if (until_ns != UINT64_MAX) {
			uint64_t now_ns = clock_now_ns();
			uint64_t left_ms = until_ns > now_ns
						   ? (until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS
						   : 0;

			timeout_ms = left_ms > INT_MAX ? INT_MAX : (int)left_ms;
		}
		int n = poll(fds, 2, timeout_ms);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && fds[1].revents)
			return -ECANCELED;
		if (n > 0 && timeout_ms != 0)
			return 0;
		if (n >= 0 && timeout_ms == 0)
			return -ETIMEDOUT;
	}
}

static int connect_one(int family, const struct sockaddr *sa, socklen_t len, int cancel_fd,
		       uint64_t until_ns, int *ret_fd)
{
	AUTO_CLOSE int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1, errnum = 0;
	socklen_t errnum_len = sizeof(errnum);

	if (fd < 0)
		return -errno;
	if (connect(fd, sa, len)) {
		if (errno != EINPROGRESS && errno != EINTR)
			return -errno;
		int r = rpc_wait(fd, POLLOUT, cancel_fd, until_ns);
		if (r)
			return r;
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &errnum_len) || errnum)
			return errnum ? -errnum : -errno;
	}
	if (family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int rpc_connect(const char *address, int cancel_fd, uint64_t until_ns, int *ret_fd,
		struct nf_error *err)
{
	struct rpc_address a;
	struct sockaddr_un sun;
	struct addrinfo *list;

	int r = rpc_address_parse(address, &a, err);
	if (r)
		return r;
	if (a.is_unix) {
		rpc_address_unix(&a, &sun);
		r = connect_one(AF_UNIX, (struct sockaddr *)&sun, sizeof(sun), cancel_fd, until_ns,
				ret_fd);
	} else {
		r = rpc_address_resolve(&a, false, &list, err);
		if (r)
			return r;
		for (struct addrinfo *ai = list; ai; ai = ai->ai_next) {
			r = connect_one(ai->ai_family, ai->ai_addr, ai->ai_addrlen, cancel_fd,
					until_ns, ret_fd);
			if (r == 0 || r == -ECANCELED)
				break;
		}
		freeaddrinfo(list);
	}
	if (r == -ECANCELED)
		return nf_error_set(err, NF_CANCELLED, address, "cancelled while connecting");
	/* A full backlog of a UNIX socket says EAGAIN. */
	if (r)
		return nf_error_sys(err, NF_UNAVAILABLE, -r, address, "no node answers there");
	return 0;
}
