/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/engine_kernel_helper.h"

#include <stddef.h>

#include "bpf/scan_abi.h"
#include "scan/engine_kernel_template.h"

/* Free in a call that pays or has something on the stack: no such helper has five arguments. */
#define SPARE BPF_REG_5

const struct splice_func *kernel_helper_form(int32_t number)
{
	const char *name = vm_helper_name(number);

	return name ? kernel_template(name) : NULL;
}

const char *kernel_helper_reason(int32_t number)
{
	if (number == VM_HELPER_BASE || kernel_helper_form(number))
		return NULL;
	return "the helper that is called here has no form in the kernel: fold_parse_f64 needs "
	       "numbers of any length to round correctly";
}

static bool on_stack(const struct vm_insn *info, unsigned arg)
{
	return info->arg_region[arg] == VM_REGION_STACK;
}

const char *kernel_helper_call_reason(int32_t number, const struct vm_insn *info)
{
	const struct vm_helper *h = vm_helper_by_number(number);

	for (unsigned i = 0; i < 5; i++)
		if (h->arg[i] == VM_ARG_MEM_READ && on_stack(info, i))
			return "the helper that is called here reads bytes on the stack; in the "
			       "kernel it reads record, params, state and constants only";
	return kernel_helper_reason(number);
}

unsigned kernel_helper_args(const struct vm_helper *h)
{
	unsigned n = 0;

	while (n < 5 && h->arg[n] != VM_ARG_NONE)
		n++;
	return n;
}

static bool is_fixed(const struct vm_helper *h, unsigned arg)
{
	return h->arg[arg] == VM_ARG_READ_FIXED || h->arg[arg] == VM_ARG_WRITE_FIXED;
}

uint16_t kernel_helper_arena_args(const struct vm_helper *h)
{
	uint16_t args = 0;

	for (unsigned i = 0; i < 5; i++)
		if (h->arg[i] == VM_ARG_MEM_READ || is_fixed(h, i))
			args |= (uint16_t)(2u << i);
	return args;
}

static int16_t scratch(unsigned arg, unsigned at)
{
	return (int16_t)(offsetof(struct scan_slot, scratch) + 16 * arg + at);
}

void kernel_helper_before(struct splice *s, const struct kernel_helper_call *c)
{
	const struct vm_helper *h = c->helper;

	for (unsigned i = 0; i < 5; i++) {
		uint8_t arg = (uint8_t)(BPF_REG_1 + i);
		bool written = h->arg[i] == VM_ARG_WRITE_FIXED;

		if (!is_fixed(h, i) || !on_stack(c->info, i))
			continue;
		splice_emit(s, SPLICE_LDX(BPF_DW, SPARE, BPF_REG_10, c->slot));
		for (unsigned at = 0; at < h->fixed_bytes && !(written && h->write_only); at += 8) {
			splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_0, arg, (int16_t)at));
			splice_emit(s, SPLICE_STX(BPF_DW, SPARE, scratch(i, at), BPF_REG_0));
		}
		if (written)
			splice_emit(s, SPLICE_STX(BPF_DW, BPF_REG_10, c->out, arg));
		splice_emit(s, SPLICE_MOV(arg, SPARE));
		splice_emit(s, SPLICE_ALU_K(BPF_ADD, arg, scratch(i, 0)));
	}
}

void kernel_helper_after(struct splice *s, const struct kernel_helper_call *c)
{
	const struct vm_helper *h = c->helper;

	for (unsigned i = 0; i < 5; i++) {
		if (h->arg[i] != VM_ARG_WRITE_FIXED || !on_stack(c->info, i))
			continue;
		splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_1, BPF_REG_10, c->slot));
		splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_2, BPF_REG_10, c->out));
		for (unsigned at = 0; at < h->fixed_bytes; at += 8) {
			splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_3, BPF_REG_1, scratch(i, at)));
			splice_emit(s, SPLICE_STX(BPF_DW, BPF_REG_2, (int16_t)at, BPF_REG_3));
		}
	}
}

void kernel_helper_charge(struct splice *s, const struct kernel_helper_call *c, splice_label out)
{
	const struct vm_helper *h = c->helper;

	_Static_assert(VM_HELPER_BYTES_PER_CHARGE == 16, "a shift by 4");
	splice_emit(s, SPLICE_MOV_K(BPF_REG_0, 0));
	for (unsigned i = 0; i < 5; i++) {
		if (h->arg[i] != VM_ARG_MEM_READ)
			continue;
		splice_emit(s, SPLICE_MOV(SPARE, (uint8_t)(BPF_REG_2 + i)));
		splice_emit(s, SPLICE_ALU_K(BPF_RSH, SPARE, 4));
		splice_emit(s, SPLICE_ALU(BPF_SUB, BPF_REG_0, SPARE));
	}
	splice_emit(s, SPLICE_LDX(BPF_DW, SPARE, BPF_REG_10, c->slot));
	/* -charge + meter, and back; with one register more it would be shorter */
	splice_emit(s, SPLICE_STX(BPF_DW, SPARE, scratch(0, 0), BPF_REG_0));
	splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_0, SPARE, offsetof(struct scan_slot, meter)));
	splice_emit(s, SPLICE_LDX(BPF_DW, SPARE, SPARE, scratch(0, 0)));
	splice_emit(s, SPLICE_ALU(BPF_ADD, BPF_REG_0, SPARE));
	splice_emit(s, SPLICE_LDX(BPF_DW, SPARE, BPF_REG_10, c->slot));
	splice_emit(s, SPLICE_STX(BPF_DW, SPARE, offsetof(struct scan_slot, meter), BPF_REG_0));
	splice_jump(s, SPLICE_JMP_K(BPF_JSLT, BPF_REG_0, 0), out);
}
