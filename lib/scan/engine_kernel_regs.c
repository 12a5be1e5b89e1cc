/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/engine_kernel_regs.h"

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "scan/engine_kernel_stack.h"
#include "vm/vm_helper.h"
#include "vm/vm_isa.h"

#define BIT(i) (1u << (i))

struct analysis {
	const struct vm_code *code;
	struct kernel_regs *at;
	uint32_t *work;
	bool *queued;
	uint32_t n_work;
};

/* What is known on the way to instruction `to` is merged into what is known there. */
static void flow(struct analysis *a, uint32_t to, const struct kernel_regs *k)
{
	struct kernel_regs *t, was;

	if (to >= a->code->flat.n_insns || !a->code->info[to].reachable)
		return;
	t = &a->at[to];
	was = *t;
	if (t->seen) {
		t->arena &= k->arena;
		t->stack &= k->stack;
		t->init &= k->init;
		t->record &= k->record;
		t->slot_arena &= k->slot_arena;
		t->slot_stack &= k->slot_stack;
		t->slot_record &= k->slot_record;
		for (unsigned r = 0; r < 11; r++)
			if (t->frame[r] != k->frame[r])
				t->frame[r] = KERNEL_FRAME_UNKNOWN;
	} else {
		*t = *k;
		t->seen = true;
	}
	if (was.seen && was.arena == t->arena && was.stack == t->stack && was.init == t->init &&
	    was.record == t->record && was.slot_arena == t->slot_arena &&
	    was.slot_stack == t->slot_stack && was.slot_record == t->slot_record &&
	    !memcmp(was.frame, t->frame, sizeof(was.frame)))
		return;
	if (!a->queued[to]) {
		a->queued[to] = true;
		a->work[a->n_work++] = to;
	}
}

static void set(struct kernel_regs *k, unsigned reg, bool arena, bool stack)
{
	k->arena = (uint16_t)((k->arena & ~BIT(reg)) | (arena ? BIT(reg) : 0));
	k->stack = (uint16_t)((k->stack & ~BIT(reg)) | (stack ? BIT(reg) : 0));
}

static void set_record(struct kernel_regs *k, unsigned reg, bool record)
{
	k->record = (uint16_t)((k->record & ~BIT(reg)) | (record ? BIT(reg) : 0));
}

/* Only where a pointer is made from r10 does it get its frame: later arithmetic moves it as it is.
 */
static void alu_frame(struct kernel_regs *k, const struct vm_op *op, const struct vm_code *code,
		      uint32_t i)
{
	bool from_src = !op->use_imm && k->stack & BIT(op->src);

	if (kernel_stack_makes_pointer(code, i))
		k->frame[op->dst] = kernel_stack_frame(op->imm);
	else if (from_src && (op->op == VM_OP_MOV || !(k->stack & BIT(op->dst))))
		k->frame[op->dst] = k->frame[op->src];
	else if (!(k->stack & BIT(op->dst)))
		k->frame[op->dst] = KERNEL_FRAME_UNKNOWN;
}

static void alu(struct kernel_regs *k, const struct vm_op *op)
{
	bool dst_arena = k->arena & BIT(op->dst), dst_stack = k->stack & BIT(op->dst);
	bool src_arena = !op->use_imm && k->arena & BIT(op->src);
	bool src_stack = !op->use_imm && k->stack & BIT(op->src);

	set_record(k, op->dst,
		   op->op == VM_OP_MOV && op->width == 64 && !op->use_imm &&
			   k->record & BIT(op->src));
	if (op->width != 64)
		set(k, op->dst, false, false);
	else if (op->op == VM_OP_MOV)
		set(k, op->dst, src_arena, src_stack);
	else if (op->op == VM_OP_ADD)
		set(k, op->dst, dst_arena || src_arena, dst_stack || src_stack);
	else if (op->op == VM_OP_SUB)
		set(k, op->dst, dst_arena && !src_arena, dst_stack && !src_stack);
	else
		set(k, op->dst, false, false);
}

/* The bits of the slots that [min, max + bytes) touches. */
static uint64_t slots(int64_t min, int64_t max, unsigned bytes)
{
	uint64_t mask = 0;

	for (int i = 0; i < KERNEL_STACK_SLOTS; i++) {
		int64_t at = -8 * (int64_t)(i + 1);

		if (at < max + (int64_t)bytes && at + 8 > min)
			mask |= 1ull << i;
	}
	return mask;
}

static void memory(struct kernel_regs *k, const struct vm_op *op, const struct vm_insn *info)
{
	bool exact = info->region == VM_REGION_STACK && info->offset_min == info->offset_max &&
		     op->bytes == 8 && info->offset_min % 8 == 0;
	uint64_t touched = info->region == VM_REGION_STACK
				   ? slots(info->offset_min, info->offset_max, op->bytes)
				   : 0;

	if (op->kind == VM_KIND_LOAD) {
		k->frame[op->dst] = KERNEL_FRAME_UNKNOWN;
		set(k, op->dst, exact && k->slot_arena & touched, exact && k->slot_stack & touched);
		set_record(k, op->dst, exact && k->slot_record & touched);
		return;
	}
	k->slot_arena &= ~touched;
	k->slot_stack &= ~touched;
	k->slot_record &= ~touched;
	if (exact && !op->use_imm) {
		k->slot_arena |= k->arena & BIT(op->src) ? touched : 0;
		k->slot_stack |= k->stack & BIT(op->src) ? touched : 0;
		k->slot_record |= k->record & BIT(op->src) ? touched : 0;
	}
}

static void step(struct kernel_regs *k, const struct vm_op *op, const struct vm_code *code,
		 uint32_t i)
{
	const struct vm_insn *info = &code->info[i];

	k->init |= op->writes;
	if (op->kind == VM_KIND_CALL)
		k->init = (uint16_t)(k->init & ~0x3e);
	switch (op->kind) {
	case VM_KIND_ALU:
		alu_frame(k, op, code, i);
		alu(k, op);
		break;
	case VM_KIND_LOAD:
	case VM_KIND_STORE:
		memory(k, op, info);
		break;
	case VM_KIND_CONST:
		set(k, op->dst, op->op == VM_OP_RODATA, false);
		set_record(k, op->dst, false);
		break;
	case VM_KIND_CALL:
		for (unsigned r = 0; r <= 5; r++)
			set(k, r, false, false);
		k->record = (uint16_t)(k->record & ~0x3f);
		break;
	}
}

static bool is_fail(const struct vm_op *op)
{
	return op->kind == VM_KIND_CALL && op->imm == VM_HELPER_BASE; /* fold_fail never returns */
}

uint16_t kernel_args(enum program_kind kind)
{
	switch (kind) {
	case PROGRAM_FILTER:
		return BIT(1) | BIT(2) | BIT(3);
	case PROGRAM_COMBINE:
		return BIT(1) | BIT(2);
	default:
		return BIT(1) | BIT(2) | BIT(3) | BIT(4);
	}
}

uint16_t kernel_arena_args(enum program_kind kind)
{
	switch (kind) {
	case PROGRAM_FILTER:
		return BIT(1) | BIT(3);
	case PROGRAM_KEY:
		return BIT(1) | BIT(3) | BIT(4);
	case PROGRAM_REDUCE:
		return BIT(1) | BIT(2) | BIT(4);
	default:
		return BIT(1) | BIT(2);
	}
}

struct kernel_regs *kernel_regs_new(const struct vm_code *code, enum program_kind kind)
{
	uint32_t n = code->flat.n_insns;
	AUTO_FREE struct kernel_regs *at = calloc(n + 1, sizeof(*at));
	AUTO_FREE uint32_t *work = calloc(n + 1, sizeof(*work));
	AUTO_FREE bool *queued = calloc(n + 1, sizeof(*queued));
	struct analysis a = {code, at, work, queued, 0};
	struct kernel_regs entry = {.arena = kernel_arena_args(kind),
				    .stack = BIT(10),
				    .init = kernel_args(kind) | BIT(10),
				    .record = kind == PROGRAM_REDUCE ? BIT(2) : BIT(1)};

	if (!at || !work || !queued)
		return NULL;
	memset(entry.frame, KERNEL_FRAME_UNKNOWN, sizeof(entry.frame));
	entry.frame[10] = 0;
	flow(&a, 0, &entry);
	while (a.n_work) {
		uint32_t i = work[--a.n_work];
		struct kernel_regs k = at[i];
		struct vm_op op;

		queued[i] = false;
		if (vm_isa_decode(code->flat.insns, n, i, &op))
			continue;
		step(&k, &op, code, i);
		if (vm_op_falls_through(&op) && !is_fail(&op))
			flow(&a, i + op.slots, &k);
		if (op.kind == VM_KIND_JUMP)
			flow(&a, (uint32_t)vm_isa_jump_target(&op, i), &k);
	}
	return TAKE_PTR(at);
}
