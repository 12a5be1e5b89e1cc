/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine_kernel_nop.h - a ring that can do nothing but NOP, to run the hook over bytes that are in
 * the arena already: what a read left over, what was copied there, a scan that took a pause.
 *
 * Belongs to the thread that made it. About a microsecond a round.
 */
#ifndef NF_SCAN_ENGINE_KERNEL_NOP_H
#define NF_SCAN_ENGINE_KERNEL_NOP_H

#include <stdint.h>

#include "base/error.h"

struct kernel_nop;

int kernel_nop_new(struct kernel_nop **ret, struct nf_error *err);
void kernel_nop_free(struct kernel_nop *n); /* NULL is fine */
/* Complete a NOP with this user_data; the hook has run when it returns. */
int kernel_nop_run(struct kernel_nop *n, uint64_t user_data, struct nf_error *err);

#endif
