/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rpc_listener.c - sockets that accept: TCP, and UNIX sockets with their lock file.
 *
 * bind() refuses a path that exists, whether somebody listens there or a process died. The lock on
 * PATH.lock tells the two apart: whoever holds it may remove the socket and bind anew. The kernel
 * drops the lock with the process.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scope.h"
#include "rpc/rpc_internal.h"

enum { BACKLOG = 512 };

/* ---- making the socket ----------------------------------------------------------------------- */

static int lock_path(const char *path, int *ret_fd, struct nf_error *err)
{
	char name[sizeof(((struct rpc_listener *)0)->path) + 8];

	snprintf(name, sizeof(name), "%s.lock", path);
	for (;;) {
		AUTO_CLOSE int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		struct stat ours, there;

		if (fd < 0)
			return nf_error_sys(err, NF_UNAVAILABLE, errno, name,
					    "the socket's lock file cannot be opened");
		if (flock(fd, LOCK_EX | LOCK_NB)) {
			if (errno == EINTR)
				continue;
			if (errno == EWOULDBLOCK)
				return nf_error_sys(err, NF_UNAVAILABLE, EADDRINUSE, path,
						    "another process listens on this socket");
			return nf_error_sys(err, NF_UNAVAILABLE, errno, name, "locking it");
		}
		/* Its last holder may have removed the name between our open() and our lock. */
		if (fstat(fd, &ours) == 0 && stat(name, &there) == 0 &&
		    ours.st_ino == there.st_ino && ours.st_dev == there.st_dev) {
			*ret_fd = TAKE_FD(fd);
			return 0;
		}
	}
}

static int bind_unix(struct rpc_listener *l, const struct rpc_address *a, struct nf_error *err)
{
	struct sockaddr_un sun;
	struct stat st;

	memcpy(l->path, a->path, sizeof(l->path));
	int r = lock_path(a->path, &l->lock_fd, err);
	if (r)
		return r;
	if (lstat(a->path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode))
			return nf_error_sys(
				err, NF_UNAVAILABLE, EADDRINUSE, a->path,
				"there is a file that is not a socket; remove it or choose "
				"another path");
		unlink(a->path);
	}
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return nf_error_sys(err, NF_UNAVAILABLE, errno, a->path, "a socket");
	rpc_address_unix(a, &sun);
	if (bind(l->fd, (struct sockaddr *)&sun, sizeof(sun)))
		return nf_error_sys(err, NF_UNAVAILABLE, errno, a->path,
				    "the socket cannot be made");
	l->is_bound = true;
	/* Nobody can connect before listen(). */
	if (chmod(a->path, 0660) || listen(l->fd, BACKLOG))
		return nf_error_sys(err, NF_UNAVAILABLE, errno, a->path, "listening");
	return 0;
}

static int bind_tcp(struct rpc_listener *l, const struct rpc_address *a, const char *text,
		    struct nf_error *err)
{
	struct addrinfo *list;
	int one = 1, errnum = EADDRNOTAVAIL;

	int r = rpc_address_resolve(a, true, &list, err);
	if (r)
		return r;
	for (struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		AUTO_CLOSE int fd =
			socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
		    bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, BACKLOG)) {
			errnum = errno;
			continue;
		}
		l->fd = TAKE_FD(fd);
		break;
	}
	freeaddrinfo(list);
	if (l->fd < 0)
		return nf_error_sys(err, NF_UNAVAILABLE, errnum, text,
				    "listening there is not possible");
	return 0;
}

/* ---- accepting ------------------------------------------------------------------------------- */

static void describe_peer(int fd, const struct sockaddr_storage *sa, socklen_t len,
			  struct rpc_peer *ret)
{
	struct ucred cred;
	socklen_t cred_len = sizeof(cred);

	memset(ret, 0, sizeof(*ret));
	ret->uid = -1;
	if (sa->ss_family != AF_UNIX) {
		ret->transport = RPC_PEER_TCP;
		ret->loopback = rpc_address_is_loopback((const struct sockaddr *)sa);
		rpc_address_format((const struct sockaddr *)sa, len, ret->address,
				   sizeof(ret->address));
		return;
	}
	ret->transport = RPC_PEER_UNIX;
	ret->loopback = true;
	snprintf(ret->address, sizeof(ret->address), "unix:");
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &cred_len) == 0) {
		ret->uid = cred.uid;
		snprintf(ret->address, sizeof(ret->address), "unix:pid=%d", (int)cred.pid);
		snprintf(ret->identity, sizeof(ret->identity), "uid:%u", (unsigned)cred.uid);
	}
}

/*
 * One connection too many: say so in the peer's protocol (an empty SETTINGS, then GOAWAY with
 * ENHANCE_YOUR_CALM and a text), so that it can tell this from a crash. Best effort.
 */
static void turn_away(const struct rpc_server *s, int fd)
{
	char text[128];
	uint8_t frames[9 + 9 + 8 + sizeof(text)] = {[3] = 0x04, [9 + 3] = 0x07};
	int n = snprintf(text, sizeof(text),
			 "the node has all its connections (max_connections = %u); "
			 "try again later",
			 s->options.max_connections);

	frames[9 + 2] = (uint8_t)(8 + n);
	frames[9 + 9 + 7] = NGHTTP2_ENHANCE_YOUR_CALM;
	memcpy(frames + 9 + 9 + 8, text, (size_t)n);
	if (send(fd, frames, 9 + 9 + 8 + (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		shutdown(fd, SHUT_WR);
	close(fd);
}

/* No waiting for more to send; and a host that is gone is found within a minute. */
static void set_tcp_options(int fd)
{
	const struct {
		int level, name, value;
	} rows[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},   {SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, 30}, {IPPROTO_TCP, TCP_KEEPINTVL, 10},
		{IPPROTO_TCP, TCP_KEEPCNT, 3},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		setsockopt(fd, rows[i].level, rows[i].name, &rows[i].value, sizeof(rows[i].value));
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_backoff(uv_timer_t *timer)
{
	struct rpc_listener *l = timer->data;

	uv_poll_start(&l->poll, UV_READABLE, on_readable);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct rpc_listener *l = poll->data;
	struct rpc_server *s = l->server;

	(void)status;
	(void)events;
	for (int i = 0; i < ACCEPTS_PER_EVENT && !l->is_closed; i++) {
		struct sockaddr_storage sa;
		socklen_t len = sizeof(sa);
		struct rpc_peer peer;
		int fd = accept4(l->fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0 && errno == EAGAIN)
			return;
		if (fd < 0) {
			/* EMFILE and friends: the event would come again at once, for ever. */
			uv_poll_stop(&l->poll);
			uv_timer_start(&l->backoff, on_backoff, ACCEPT_BACKOFF_MS, 0);
			return;
		}
		if (s->n_conns >= s->options.max_connections) {
			turn_away(s, fd);
			continue;
		}
		if (!l->is_unix)
			set_tcp_options(fd);
		describe_peer(fd, &sa, len, &peer);
		conn_open(s, l->tls, fd, &peer);
	}
}

/* ---- life ------------------------------------------------------------------------------------ */

static void on_listener_closed(uv_handle_t *handle)
{
	struct rpc_listener *l = handle->data;
	struct rpc_server *s = l->server;

	if (--l->open_handles == 0)
		free(l);
	server_release(s);
}

/* Also for one that is half made. */
static void drop_socket(struct rpc_listener *l)
{
	char name[sizeof(l->path) + 8];

	if (l->is_bound)
		unlink(l->path);
	if (l->fd >= 0)
		close(l->fd);
	if (l->lock_fd >= 0) {
		snprintf(name, sizeof(name), "%s.lock", l->path);
		unlink(name);
		close(l->lock_fd);
	}
}

void listener_close(struct rpc_listener *l)
{
	l->is_closed = true;
	LIST_REMOVE(l, next);
	uv_poll_stop(&l->poll);
	drop_socket(l);
	uv_close((uv_handle_t *)&l->poll, on_listener_closed);
	uv_close((uv_handle_t *)&l->backoff, on_listener_closed);
}

static int real_address(const struct rpc_listener *l, const char *text, char ret[128])
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	if (l->is_unix) {
		snprintf(ret, 128, "%s", text);
		return 0;
	}
	if (getsockname(l->fd, (struct sockaddr *)&sa, &len))
		return -errno;
	rpc_address_format((struct sockaddr *)&sa, len, ret, 128);
	return 0;
}

int rpc_server_listen(struct rpc_server *s, const char *address, struct rpc_tls *tls,
		      char ret_address[128], struct nf_error *err)
{
	struct rpc_address a;
	char real[128];

	int r = rpc_address_parse(address, &a, err);
	if (r)
		return r;
	if (s->is_draining || s->is_closed)
		return nf_error_set(err, NF_UNAVAILABLE, address, "the server is shutting down");
	struct rpc_listener *l = calloc(1, sizeof(*l));
	if (!l)
		return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, ENOMEM, address, "a listener");
	l->server = s;
	l->tls = tls;
	l->is_unix = a.is_unix;
	l->fd = l->lock_fd = -1;
	r = a.is_unix ? bind_unix(l, &a, err) : bind_tcp(l, &a, address, err);
	if (r)
		goto fail;
	r = real_address(l, address, real);
	if (!r)
		r = uv_poll_init(s->loop, &l->poll, l->fd);
	if (r) {
		nf_error_sys(err, NF_INTERNAL, -r, address, "watching the socket");
		goto fail;
	}
	uv_timer_init(s->loop, &l->backoff);
	l->poll.data = l->backoff.data = l;
	l->open_handles = 2;
	server_hold(s);
	server_hold(s);
	LIST_INSERT_HEAD(&s->listeners, l, next);
	uv_poll_start(&l->poll, UV_READABLE, on_readable);
	if (ret_address)
		snprintf(ret_address, 128, "%s", real);
	return 0;

fail:
	drop_socket(l);
	free(l);
	return r;
}
