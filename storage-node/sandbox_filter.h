/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sandbox_filter.h - the system calls of a scan, as a seccomp filter. Built once by libseccomp in
 * the spawner, installed by each worker with one system call.
 */
#ifndef NF_NODE_SANDBOX_FILTER_H
#define NF_NODE_SANDBOX_FILTER_H

#include <linux/filter.h>

#include "base/error.h"

struct sandbox_filter {
	struct sock_filter *insns;
	unsigned short n_insns;
};

int sandbox_filter_build(struct sandbox_filter *ret, struct nf_error *err);
/* In every thread of the process, for good. Needs no_new_privs. */
int sandbox_filter_install(const struct sandbox_filter *filter, struct nf_error *err);

#endif
