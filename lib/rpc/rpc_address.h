/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * rpc_address.h - "HOST:PORT", "[::1]:PORT", "unix:/path": the text of an address, and sockets of
 * it.
 */
#ifndef NF_RPC_ADDRESS_H
#define NF_RPC_ADDRESS_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/error.h"

struct rpc_address {
	bool is_unix;
	char host[256]; /* without brackets */
	uint16_t port;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/* INVALID_ARGUMENT with err->where = text. */
int rpc_address_parse(const char *text, struct rpc_address *ret, struct nf_error *err);
/* The socket addresses of a TCP address; freeaddrinfo() them. UNAVAILABLE: the name is unknown. */
int rpc_address_resolve(const struct rpc_address *a, bool to_listen, struct addrinfo **ret,
			struct nf_error *err);
void rpc_address_unix(const struct rpc_address *a, struct sockaddr_un *ret);
/* "127.0.0.1:7411", "[::1]:7411" of a TCP socket address. */
void rpc_address_format(const struct sockaddr *sa, socklen_t len, char *buf, size_t size);
bool rpc_address_is_loopback(const struct sockaddr *sa);

#endif
