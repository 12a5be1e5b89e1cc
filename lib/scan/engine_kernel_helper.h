/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine_kernel_helper.h - calls of helpers in the kernel.
 *
 * The forms are functions of bpf/f64.bpf.c and bpf/helpers.bpf.c, appended to the image when they
 * are called; the kernel verifies each once, for any arguments. Their pointers point into the
 * arena, so 8 or 16 bytes on the stack go through the slot's scratch: copied there before the call,
 * and back after it.
 */
#ifndef NF_SCAN_ENGINE_KERNEL_HELPER_H
#define NF_SCAN_ENGINE_KERNEL_HELPER_H

#include "program/program_splice.h"
#include "vm/vm.h"
#include "vm/vm_helper.h"

/* Why the helper has no form in the kernel, or NULL. */
const char *kernel_helper_reason(int32_t number);
/* The same for one call: `info` is the call's instruction. */
const char *kernel_helper_call_reason(int32_t number, const struct vm_insn *info);

/* The form, an element of the table that bpf/embed.c makes. */
const struct splice_func *kernel_helper_form(int32_t number);
unsigned kernel_helper_args(const struct vm_helper *h);       /* how many */
uint16_t kernel_helper_arena_args(const struct vm_helper *h); /* bit i: r_i is a pointer */

/* slot, out: offsets from r10, of the slot's address and of 8 bytes of room. */
struct kernel_helper_call {
	const struct vm_helper *helper;
	const struct vm_insn *info;
	int16_t slot, out;
};

/* Around the call: arguments are in r1..r5, the result is in r0. */
void kernel_helper_before(struct splice *s, const struct kernel_helper_call *c);
void kernel_helper_after(struct splice *s, const struct kernel_helper_call *c);

/* The meter pays; less than nothing left: goes to `out`. r0 is clobbered, and an argument register
 * that the helper does not use. */
void kernel_helper_charge(struct splice *s, const struct kernel_helper_call *c, splice_label out);

#endif
