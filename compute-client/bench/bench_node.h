/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench_node.h - a node of the benchmark's own over data that it generates in a temporary folder.
 *
 * When this process ends, however it ends, the node ends: it asks the kernel for that.
 */
#ifndef NF_BENCH_NODE_H
#define NF_BENCH_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "compute-client/bench/bench_folder.h"
#include "compute-client/bench/bench_netns.h"

#define BENCH_NODE_DATASET "bench"

struct bench_node {
	pid_t pid; /* 0: none */
	struct bench_folder folder;
	char loopback[64]; /* address; inside of the node's namespace if there is one */
	char cable[64];    /* address on the cable; "" without namespaces */
};

/* ns may be NULL. bench_node_stop() in either case. */
int bench_node_start(struct bench_node *n, const struct bench_netns *ns, uint64_t bytes,
		     struct nf_error *err);
void bench_node_stop(struct bench_node *n);

/* A file that is installed beside this program: in its folder, in relative (to that folder), or,
 * if in_path, in PATH. NOT_FOUND. */
int bench_find_file(const char *name, const char *relative, bool in_path, char *buf, size_t size,
		    struct nf_error *err);

#endif
