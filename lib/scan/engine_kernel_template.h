/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine_kernel_template.h - our own BPF functions, compiled when this was built (bpf/embed.c):
 * scan loops and helpers.
 */
#ifndef NF_SCAN_ENGINE_KERNEL_TEMPLATE_H
#define NF_SCAN_ENGINE_KERNEL_TEMPLATE_H

#include "program/program_splice.h"

/* NULL: there is none of that name. */
const struct splice_func *kernel_template(const char *name);

#endif
