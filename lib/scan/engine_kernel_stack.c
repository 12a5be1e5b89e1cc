/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/engine_kernel_stack.h"

#include <errno.h>
#include <stdlib.h>

#include "base/scope.h"
#include "scan/engine_kernel_regs.h"
#include "vm/vm_isa.h"

enum { FRAME = PROGRAM_STACK_FRAME_BYTES };

struct use {
	int64_t lowest;                      /* of all */
	uint32_t frame[KERNEL_STACK_FRAMES]; /* bytes at the top of each */
	bool apart; /* every access keeps to one frame: they can be moved */
};

/* The frame of an offset: its top, a multiple of FRAME, counts to it, its lowest byte to the next.
 */
static uint32_t frame_of(int64_t offset)
{
	return (uint32_t)(-offset / FRAME);
}

int32_t kernel_stack_map(const struct kernel_stack *s, int32_t offset)
{
	return offset + s->shift[frame_of(offset)];
}

static bool is_add(const struct bpf_insn *insn, uint8_t reg)
{
	return insn->code == (BPF_ALU64 | BPF_ADD | BPF_K) && insn->dst_reg == reg;
}

bool kernel_stack_makes_pointer(const struct vm_code *code, uint32_t i)
{
	const struct bpf_insn *insn = &code->flat.insns[i];

	return i && is_add(insn, insn->dst_reg) && !code->info[i].jump_target &&
	       insn[-1].code == (BPF_ALU64 | BPF_MOV | BPF_X) && insn[-1].src_reg == BPF_REG_10 &&
	       insn[-1].dst_reg == insn->dst_reg;
}

/* [low, high) from r10 on is used. */
static void note(struct use *u, int64_t low, int64_t high)
{
	uint32_t frame = frame_of(low), bytes;

	u->lowest = low < u->lowest ? low : u->lowest;
	if (frame >= KERNEL_STACK_FRAMES || low % FRAME == 0 || high > -(int64_t)frame * FRAME) {
		u->apart &= low == 0 && high == 0;
		return;
	}
	bytes = (uint32_t)(-low - (int64_t)frame * FRAME + 7) & ~7u;
	u->frame[frame] = bytes > u->frame[frame] ? bytes : u->frame[frame];
}

/* A pointer into the stack that instruction i makes, or moves. */
static void note_pointer(struct use *u, const struct vm_code *code, uint32_t i)
{
	const struct bpf_insn *insn = &code->flat.insns[i];
	int64_t offset = insn->imm;

	if (kernel_stack_makes_pointer(code, i)) {
		/* r10 - 512 * depth first, and then down from there */
		if (i + 1 < code->flat.n_insns && is_add(&insn[1], insn->dst_reg) &&
		    !code->info[i + 1].jump_target)
			offset += insn[1].imm;
		if (insn->imm % FRAME || offset != insn->imm)
			note(u, offset, offset);
	} else if (insn->imm <= -FRAME || insn->imm >= FRAME) {
		u->apart = false;
	}
}

int kernel_stack_of(const struct vm_program *vp, enum program_kind kind, struct kernel_stack *ret)
{
	const struct vm_code *code = &vp->code[kind];
	AUTO_FREE struct kernel_regs *regs = kernel_regs_new(code, kind);
	struct use u = {.apart = true};

	if (!regs)
		return -ENOMEM;
	for (uint32_t i = 0; i < code->flat.n_insns; i++) {
		const struct vm_insn *info = &code->info[i];
		struct vm_op op;

		if (!regs[i].seen || vm_isa_decode(code->flat.insns, code->flat.n_insns, i, &op))
			continue;
		if (vm_op_is_access(&op) && info->region == VM_REGION_STACK)
			note(&u, info->offset_min, info->offset_max + op.bytes);
		else if (op.op == VM_OP_ADD && op.width == 64 && op.use_imm &&
			 regs[i].stack >> op.dst & 1)
			note_pointer(&u, code, i);
	}
	*ret = (struct kernel_stack){.bytes = (uint32_t)(-u.lowest + 7) & ~7u};
	if (!u.apart)
		return 0;
	ret->bytes = 0;
	for (uint32_t j = 0; j < KERNEL_STACK_FRAMES; j++) {
		ret->shift[j] = (int32_t)(j * FRAME - ret->bytes);
		ret->bytes += u.frame[j];
	}
	return 0;
}
