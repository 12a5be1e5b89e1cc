/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine_kernel_btf.h - type information for an image with functions, made up for it: the kernel
 * wants it to verify a function apart from its callers (a "global" one), and to know which of its
 * arguments point into the arena.
 */
#ifndef NF_SCAN_ENGINE_KERNEL_BTF_H
#define NF_SCAN_ENGINE_KERNEL_BTF_H

#include "scan/engine_kernel_link.h"

struct kernel_func_info { /* the kernel's struct bpf_func_info */
	uint32_t insn_off, type_id;
};

/* *ret_fd is the loaded BTF; info has one element per function of the image. */
int kernel_btf_load(const struct kernel_image *image, int *ret_fd,
		    struct kernel_func_info info[KERNEL_MAX_FUNCTIONS], struct nf_error *err);

#endif
