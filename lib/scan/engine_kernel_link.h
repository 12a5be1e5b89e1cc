/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine_kernel_link.h - from a verified program to the instructions that are loaded: picks the
 * scan loop (bpf/scan.bpf.c) for the format, fills its holes with the user's functions, appends the
 * helpers that they call.
 */
#ifndef NF_SCAN_ENGINE_KERNEL_LINK_H
#define NF_SCAN_ENGINE_KERNEL_LINK_H

#include "scan/engine.h"

struct kernel_link_input {
	const struct engine_config *cfg;
	int arena_fd;
	uint64_t slot_table; /* address in the arena */
	uint32_t n_slots;
	uint64_t cookie;     /* user_data of slot 0 */
	uint64_t rodata;     /* address in the arena */
	bool tracepoint_cqe; /* io_uring_complete(ctx, req, cqe) */
};

enum { KERNEL_MAX_FUNCTIONS = 32 };

/* A function of the image: the loop first, then what is called. */
struct kernel_function {
	uint32_t insn; /* where it begins */
	char name[32];
	bool global; /* the kernel verifies it once, for any arguments, not at every call */
	uint8_t n_args;
	uint16_t arena_args; /* bit i: r_i points into the arena */
};

struct kernel_image {
	struct bpf_insn *insns;
	uint32_t *origins; /* KERNEL_ORIGIN of each, see engine_kernel_lower.h */
	uint32_t n_insns;
	struct kernel_function functions[KERNEL_MAX_FUNCTIONS];
	unsigned n_functions;
};

/* Why there is no form of this program for the kernel: FAILED_PRECONDITION with the reason. */
int kernel_link_check(const struct engine_config *cfg, struct nf_error *why);
int kernel_link(const struct kernel_link_input *in, struct kernel_image *ret, struct nf_error *err);
void kernel_image_done(struct kernel_image *image); /* takes a zeroed one */

#endif
