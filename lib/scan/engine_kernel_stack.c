/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/engine_kernel_stack.h"

#include <errno.h>
#include <stdlib.h>

#include "base/scope.h"
#include "scan/engine_kernel_regs.h"
#include "vm/vm_helper.h"
#include "vm/vm_isa.h"

enum { FRAME = PROGRAM_STACK_FRAME_BYTES };

struct use {
	int64_t lowest;                      /* of all */
	uint32_t frame[KERNEL_STACK_FRAMES]; /* bytes at the top of each */
	bool apart; /* every access keeps to one frame: they can be moved */
};

uint8_t kernel_stack_frame(int64_t offset)
{
	if (offset > 0 || -offset / FRAME >= KERNEL_STACK_FRAMES)
		return KERNEL_FRAME_UNKNOWN;
	return (uint8_t)(-offset / FRAME);
}

int32_t kernel_stack_map(const struct kernel_stack *s, int32_t offset)
{
	uint8_t frame = kernel_stack_frame(offset);

	return frame == KERNEL_FRAME_UNKNOWN ? offset : offset + s->shift[frame];
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
	uint32_t frame = kernel_stack_frame(low), bytes;

	u->lowest = low < u->lowest ? low : u->lowest;
	if (frame == KERNEL_FRAME_UNKNOWN || low % FRAME == 0 || high > -(int64_t)frame * FRAME) {
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

/* What is used through a register must be in the frame that the register was made for. */
static void note_frames(struct use *u, const struct vm_insn *info, const struct vm_op *op,
			const struct kernel_regs *k)
{
	const struct vm_helper *h = vm_helper_by_number((int32_t)op->imm);
	uint8_t frame = kernel_stack_frame(info->offset_min);

	if (vm_op_is_access(op) && info->region == VM_REGION_STACK) {
		note(u, info->offset_min, info->offset_max + op->bytes);
		u->apart &= k->frame[op->kind == VM_KIND_LOAD ? op->src : op->dst] == frame ||
			    (op->kind == VM_KIND_LOAD ? op->src : op->dst) == BPF_REG_10;
	} else if (info->pointers && info->region == VM_REGION_STACK) {
		u->apart &= k->frame[op->dst] == k->frame[op->src] &&
			    k->frame[op->dst] != KERNEL_FRAME_UNKNOWN;
	}
	for (unsigned a = 0; op->kind == VM_KIND_CALL && a < 5; a++) {
		if (info->arg_region[a] != VM_REGION_STACK)
			continue;
		/* The offsets are those of all arguments together. */
		note(u, info->offset_min, info->offset_max + h->fixed_bytes);
		u->apart &= k->frame[1 + a] == frame;
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
		struct vm_op op;

		if (!regs[i].seen || vm_isa_decode(code->flat.insns, code->flat.n_insns, i, &op))
			continue;
		note_frames(&u, &code->info[i], &op, &regs[i]);
		if (op.op == VM_OP_ADD && op.width == 64 && op.use_imm &&
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
