/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "rpc/rpc_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static int refuse(struct nf_error *err, const char *text, const char *why)
{
	return nf_error_set(err, NF_INVALID_ARGUMENT, text,
			    "%s; an address is HOST:PORT, [IPV6]:PORT or unix:/PATH", why);
}

static bool parse_port(const char *text, uint16_t *ret)
{
	unsigned value = 0;

	if (!*text || strlen(text) > 5)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (unsigned)(*text - '0');
	}
	if (value > UINT16_MAX)
		return false;
	*ret = (uint16_t)value;
	return true;
}

int rpc_address_parse(const char *text, struct rpc_address *ret, struct nf_error *err)
{
	struct rpc_address a = {0};
	const char *host = text, *colon = strrchr(text, ':');
	size_t host_len;

	if (strncmp(text, "unix:", 5) == 0) {
		a.is_unix = true;
		if (text[5] != '/')
			return refuse(err, text, "the path of a UNIX socket must start with '/'");
		if (strlen(text + 5) >= sizeof(a.path))
			return refuse(err, text,
				      "the path of a UNIX socket is at most 107 bytes long");
		memcpy(a.path, text + 5, strlen(text + 5) + 1);
		*ret = a;
		return 0;
	}
	if (!colon || !parse_port(colon + 1, &a.port))
		return refuse(err, text, "there is no port from 0 to 65535 after the last ':'");
	host_len = (size_t)(colon - text);
	if (strcspn(text, "/ \t\r\n") < host_len)
		return refuse(err, text,
			      "a host has no '/' or space in it (nor http:// before it)");
	if (*text == '[') {
		if (host_len < 3 || colon[-1] != ']')
			return refuse(err, text,
				      "the ']' of the IPv6 address is missing before ':'");
		host++;
		host_len -= 2;
		if (memchr(host, '[', host_len) || memchr(host, ']', host_len))
			return refuse(err, text, "there are too many brackets");
	} else if (memchr(host, ':', host_len)) {
		return refuse(err, text, "an IPv6 address must stand in brackets");
	}
	if (host_len == 0)
		return refuse(err, text, "the host is missing (0.0.0.0 means every interface)");
	if (host_len >= sizeof(a.host))
		return refuse(err, text, "the host is longer than 255 bytes");
	memcpy(a.host, host, host_len);
	*ret = a;
	return 0;
}

int rpc_address_resolve(const struct rpc_address *a, bool to_listen, struct addrinfo **ret,
			struct nf_error *err)
{
	struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV | (to_listen ? AI_PASSIVE : 0),
	};
	char port[8];

	snprintf(port, sizeof(port), "%u", a->port);
	int r = getaddrinfo(a->host, port, &hints, ret);
	if (r == 0)
		return 0;
	return nf_error_set(err, NF_UNAVAILABLE, a->host, "the host's address cannot be found: %s",
			    r == EAI_SYSTEM ? strerror(errno) : gai_strerror(r));
}

void rpc_address_unix(const struct rpc_address *a, struct sockaddr_un *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	memcpy(ret->sun_path, a->path, sizeof(ret->sun_path));
}

void rpc_address_format(const struct sockaddr *sa, socklen_t len, char *buf, size_t size)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getnameinfo(sa, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(buf, size, "unknown");
	else
		snprintf(buf, size, strchr(host, ':') ? "[%.64s]:%.8s" : "%.64s:%.8s", host, port);
}

bool rpc_address_is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)sa;

		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	}
	if (sa->sa_family == AF_INET6) {
		const struct in6_addr *in6 = &((const struct sockaddr_in6 *)sa)->sin6_addr;

		return IN6_IS_ADDR_LOOPBACK(in6) ||
		       (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == 127);
	}
	return false;
}
