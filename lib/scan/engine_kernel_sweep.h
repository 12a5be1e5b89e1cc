/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine_kernel_sweep.h - filter + reduce over many records without a branch per record.
 *
 * From the expression graph of a program whose state is nothing but reductions (vm_branchfree.h):
 * conditions are masks, the state lives in registers, records are taken several at a time. It
 * becomes a function of its own:
 *
 *	u64 nearfold_sweep(u64 lane, u64 data, u64 left)	records that are left: 0, usually
 *
 * which adds to the lane's state and `matched`. Records are fixed, and fewer than 2^20 a call. What
 * it leaves (the kernel wants an end; a 128-bit sum lacks headroom) is for the exact loop.
 */
#ifndef NF_SCAN_ENGINE_KERNEL_SWEEP_H
#define NF_SCAN_ENGINE_KERNEL_SWEEP_H

#include "program/program_splice.h"
#include "vm/vm_branchfree.h"

struct kernel_sweep;

/* NULL: there is no such form, it would not pay, or there is no memory. */
struct kernel_sweep *kernel_sweep_new(const struct vm_program *vp, uint32_t record_bytes);
void kernel_sweep_free(struct kernel_sweep *w); /* NULL is fine */

/* Append the function's code. rodata: its address in the arena. false: it needs more registers or
 * stack than there are; what was appended is unfinished. */
bool kernel_sweep_emit(struct kernel_sweep *w, struct splice *s, uint64_t rodata);

#endif
