/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_interface.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/scope.h"

int bench_interface_bytes(const struct bench_interface *i, uint64_t *ret)
{
	char text[16384], *line;
	size_t n = 0, name_n = strlen(i->name);
	ssize_t got;

	if (i->fd < 0 || lseek(i->fd, 0, SEEK_SET) < 0)
		return -ENOENT;
	while (n < sizeof(text) - 1 && (got = read(i->fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	for (line = text; line; line = strchr(line, '\n')) {
		uint64_t received, sent;

		line += strspn(line, " \n");
		if (strncmp(line, i->name, name_n) != 0 || line[name_n] != ':')
			continue;
		/* bytes packets errs drop fifo frame compressed multicast | bytes */
		if (sscanf(line + name_n + 1, "%" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64,
			   &received, &sent) != 2)
			return -EIO;
		*ret = i->is_lo ? sent : sent + received;
		return 0;
	}
	return -ENOENT;
}

int bench_interface_open(const char *name, struct bench_interface *ret)
{
	struct bench_interface i = {.is_lo = strcmp(name, "lo") == 0};
	uint64_t bytes;
	int r;

	snprintf(i.name, sizeof(i.name), "%s", name);
	i.fd = open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
	if (i.fd < 0)
		return -errno;
	r = bench_interface_bytes(&i, &bytes);
	if (r < 0) {
		close(i.fd);
		return r;
	}
	*ret = i;
	return 0;
}

void bench_interface_close(struct bench_interface *i)
{
	if (i->fd >= 0)
		close(i->fd);
	i->fd = -1;
}

static bool same_host(const struct sockaddr *a, const struct sockaddr *b)
{
	if (!a || a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)b)->sin_addr.s_addr;
	return a->sa_family == AF_INET6 &&
	       memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
		      &((const struct sockaddr_in6 *)b)->sin6_addr, 16) == 0;
}

/* The address that the kernel would send from; nothing is sent. */
static int source_address(const char *host, struct sockaddr_storage *ret)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found;
	socklen_t n = sizeof(*ret);
	int r = -ENOENT;

	if (getaddrinfo(host, "9", &hints, &found) != 0)
		return -ENOENT;
	for (struct addrinfo *a = found; a && r < 0; a = a->ai_next) {
		AUTO_CLOSE int fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0 &&
		    getsockname(fd, (struct sockaddr *)ret, &n) == 0)
			r = 0;
	}
	freeaddrinfo(found);
	return r;
}

int bench_interface_towards(const char *address, struct bench_interface *ret)
{
	struct sockaddr_storage from;
	struct ifaddrs *all;
	char host[256], name[32] = "";

	if (strncmp(address, "unix:", 5) == 0)
		return -ENOENT;
	if (address[0] == '[')
		snprintf(host, sizeof(host), "%.*s", (int)strcspn(address + 1, "]"), address + 1);
	else
		snprintf(host, sizeof(host), "%.*s", (int)strcspn(address, ":"), address);
	if (source_address(host, &from) < 0 || getifaddrs(&all) < 0)
		return -ENOENT;
	for (struct ifaddrs *i = all; i && !name[0]; i = i->ifa_next)
		if (same_host(i->ifa_addr, (const struct sockaddr *)&from))
			snprintf(name, sizeof(name), "%s", i->ifa_name);
	freeifaddrs(all);
	return name[0] ? bench_interface_open(name, ret) : -ENOENT;
}
