/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench_interface.h - what a network interface has counted: /proc/thread-self/net/dev, of the
 * network namespace that the thread was in when it opened it.
 */
#ifndef NF_BENCH_INTERFACE_H
#define NF_BENCH_INTERFACE_H

#include <stdbool.h>
#include <stdint.h>

struct bench_interface {
	int fd;        /* -1: there is none */
	char name[32]; /* "lo", "eth0" */
	bool is_lo;    /* every packet counts as sent and as received: only one of them is taken */
};

/* By name. -errno when it cannot be read. */
int bench_interface_open(const char *name, struct bench_interface *ret);
/* The one that packets to "HOST:PORT" leave by; -ENOENT: not through one (a UNIX socket). */
int bench_interface_towards(const char *address, struct bench_interface *ret);
void bench_interface_close(struct bench_interface *i);
/* Both directions together, link-layer headers included. */
int bench_interface_bytes(const struct bench_interface *i, uint64_t *ret);

#endif
