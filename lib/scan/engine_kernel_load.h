/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine_kernel_load.h - what this kernel can, loading, attaching.
 *
 * Everything hangs on file descriptors: when the process ends, however it ends, program, link and
 * arena go with it. Nothing is pinned.
 */
#ifndef NF_SCAN_ENGINE_KERNEL_LOAD_H
#define NF_SCAN_ENGINE_KERNEL_LOAD_H

#include "scan/engine_kernel_link.h"

struct kernel_host {
	bool tracepoint_cqe;
	uint32_t tracepoint_id; /* BTF id of io_uring_complete's type */
};

/*
 * Can this process use the kernel engine here? FAILED_PRECONDITION with the reason: no BTF, no
 * arenas (before 6.9), no CAP_BPF and CAP_PERFMON, lockdown. What does not change is looked up
 * once a process (some 10 ms, reading the kernel's BTF); a fork inherits it.
 */
int kernel_host_probe(struct kernel_host *ret, struct nf_error *why);

/*
 * Load: *ret_fd is the program. Refused by the kernel's verifier: FAILED_PRECONDITION, where = the
 * user's source line, text = the verifier's last words; of a program too complex for it neither is
 * known, and to find that out takes seconds.
 */
int kernel_load(const struct kernel_host *host, const struct kernel_image *image,
		const struct vm_program *vp, int *ret_fd, struct nf_error *err);

/* Attach to io_uring_complete; the hook lasts as long as *ret_fd. */
int kernel_attach(int program_fd, int *ret_fd, struct nf_error *err);

#endif
