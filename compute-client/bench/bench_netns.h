/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench_netns.h - two network namespaces with a cable between them that can be made slow.
 *
 *	client  10.99.0.1 nfc0 -------- nfn0 10.99.0.2  node
 *
 * The namespaces have no names: they are this process's descriptors, so that they, their
 * interfaces and their shaping are gone when it ends, however it ends. Links are made with ip and
 * shaped with tc (tbf at both ends). Needs CAP_SYS_ADMIN and CAP_NET_ADMIN.
 *
 * A namespace is a property of a thread: threads and processes made later start in it, and a
 * connection stays in the one that it was made in.
 */
#ifndef NF_BENCH_NETNS_H
#define NF_BENCH_NETNS_H

#include "base/error.h"

#define BENCH_NETNS_CLIENT_ADDRESS "10.99.0.1"
#define BENCH_NETNS_NODE_ADDRESS   "10.99.0.2"
#define BENCH_NETNS_CLIENT_LINK    "nfc0"

enum bench_netns_side { NETNS_HOME, NETNS_CLIENT, NETNS_NODE, NETNS_SIDES };

struct bench_netns {
	int fd[NETNS_SIDES];
};

/* PERMISSION_DENIED, or what ip said. */
int bench_netns_open(struct bench_netns *ret, struct nf_error *err);
void bench_netns_close(struct bench_netns *ns);
/* This thread moves there. */
int bench_netns_enter(const struct bench_netns *ns, enum bench_netns_side side,
		      struct nf_error *err);
/* Both ends of the cable; 0: as fast as it goes. The thread ends up at home. */
int bench_netns_shape(const struct bench_netns *ns, double mbit_per_second, struct nf_error *err);

#endif
