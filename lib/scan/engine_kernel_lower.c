/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/engine_kernel_lower.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/scope.h"
#include "bpf/scan_abi.h"
#include "scan/engine_kernel_helper.h"
#include "scan/engine_kernel_regs.h"
#include "scan/engine_kernel_stack.h"
#include "vm/vm_helper.h"
#include "vm/vm_isa.h"

#define BIT(i) (1u << (i))

struct kernel_frame kernel_frame_below(uint32_t template_stack_bytes)
{
	int16_t at = (int16_t)-template_stack_bytes;
	struct kernel_frame f;

	f.slot = at -= 8;
	f.record = at -= 8;
	for (int i = 0; i < 4; i++)
		f.save[i] = at -= 8;
	f.out = at -= 8;
	f.base = at;
	return f;
}

struct kernel_frame kernel_frame_called(void)
{
	return (struct kernel_frame){.slot = -8, .save = {-16, -24}, .out = -16, .base = -24};
}

static int refuse(const struct vm_program *vp, enum program_kind kind, uint32_t i,
		  struct nf_error *why, const char *text)
{
	const struct flat_origin *o = &vp->code[kind].flat.origin[i];
	char where[256];

	return nf_error_set(why, NF_FAILED_PRECONDITION,
			    program_where(vp->program, o->func, o->insn, where, sizeof(where)),
			    "%s", text);
}

/* A helper that reads the record from its first byte: one comparison with the length guards it. */
static bool can_guard(const struct vm_insn *info, const struct vm_op *op,
		      const struct kernel_regs *k)
{
	const struct vm_helper *h = vm_helper_by_number((int32_t)op->imm);

	if (op->kind != VM_KIND_CALL)
		return false;
	for (unsigned i = 0; i < 5; i++)
		if (info->arg_guarded >> i & 1 &&
		    (h->arg[i] != VM_ARG_MEM_READ || info->arg_region[i] != VM_REGION_RECORD ||
		     !(k->record & BIT(1 + i))))
			return false;
	return true;
}

/* Is r10 an operand, other than of `rX = r10` and as the address of an access? It stands somewhere
 * else in the kernel (kernel_frame.base), which those two see to. */
static bool computes_with_r10(const struct vm_op *op)
{
	bool src = op->reads & BIT(BPF_REG_10) && !op->use_imm && op->src == BPF_REG_10;
	bool dst = op->reads & BIT(BPF_REG_10) && op->dst == BPF_REG_10;

	switch ((enum vm_op_kind)op->kind) {
	case VM_KIND_ALU:
		return src && (op->op != VM_OP_MOV || op->width != 64);
	case VM_KIND_STORE:
		return src;
	case VM_KIND_JUMP:
		return src || dst;
	default:
		return false;
	}
}

static const char *check_insn(const struct vm_insn *info, const struct vm_op *op,
			      const struct kernel_regs *k)
{
	if (info->verdict == VM_GUARDED && !can_guard(info, op, k))
		return "the access is guarded, not proven; the kernel engine takes proven "
		       "accesses, and helpers that read the record from its start "
		       "(nearfold check lists them)";
	if (vm_op_is_access(op) && info->region == VM_REGION_STACK &&
	    (info->offset_min % op->bytes || info->offset_max % op->bytes))
		return "an access to the stack that is not aligned to its size";
	if (op->op == VM_OP_SUB && k->stack & BIT(op->dst) && !info->pointers)
		return "it subtracts a number from a pointer to the stack; the kernel's verifier "
		       "wants "
		       "it added";
	if (computes_with_r10(op))
		return "it computes with r10 itself; copy r10 to another register first";
	if (info->far)
		return "it compares or subtracts pointers that may be far outside of their region; "
		       "in the kernel they have 32 bits";
	if (op->kind == VM_KIND_CALL)
		return kernel_helper_call_reason((int32_t)op->imm, info);
	return NULL;
}

int kernel_lower_check(const struct vm_program *vp, enum program_kind kind, struct nf_error *why)
{
	const struct vm_code *code = &vp->code[kind];
	AUTO_FREE struct kernel_regs *regs = kernel_regs_new(code, kind);

	if (!regs)
		return -ENOMEM;
	for (uint32_t i = 0; i < code->flat.n_insns; i++) {
		const struct vm_insn *info = &code->info[i];
		struct vm_op op;
		const char *no;

		if (!info->reachable || vm_isa_decode(code->flat.insns, code->flat.n_insns, i, &op))
			continue;
		no = check_insn(info, &op, &regs[i]);
		if (no)
			return refuse(vp, kind, i, why, no);
	}
	return 0;
}

/* ---- emitting -------------------------------------------------------------------------------- */

struct lowering {
	const struct kernel_lower *env;
	const struct vm_program *vp;
	const struct vm_code *code;
	const struct kernel_regs *regs;
	struct kernel_stack stack;
	struct splice *s;
	enum program_kind kind;
	splice_label first; /* of flat instruction 0 */
	splice_label end;
	uint8_t name[11]; /* the register that stands for r_i */
	uint16_t used;    /* after renaming */
	struct far {      /* jumps backwards: meters, after the code */
		splice_label label;
		uint32_t insn, target;
	} * far;
	uint32_t n_far;
};

/* End the scan loop, or the called function: the loop looks at the slot's status then. */
static void emit_trap(const struct lowering *l, uint32_t status, uint32_t trap, uint32_t insn)
{
	const struct kernel_frame *f = &l->env->frame;
	struct splice *s = l->s;

	splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_2, BPF_REG_10, f->slot));
	if (!l->env->called) {
		splice_emit(s, SPLICE_LDX(BPF_DW, BPF_REG_3, BPF_REG_10, f->record));
		splice_emit(s, SPLICE_STX(BPF_DW, BPF_REG_2, offsetof(struct scan_slot, record),
					  BPF_REG_3));
	}
	splice_emit(s,
		    SPLICE_ST(BPF_W, BPF_REG_2, offsetof(struct scan_slot, trap), (int32_t)trap));
	splice_emit(s, SPLICE_ST(BPF_W, BPF_REG_2, offsetof(struct scan_slot, trap_origin),
				 (int32_t)KERNEL_ORIGIN(l->kind, insn)));
	splice_emit(s, SPLICE_ST(BPF_W, BPF_REG_2, offsetof(struct scan_slot, status),
				 (int32_t)status));
	splice_emit(s, SPLICE_MOV_K(BPF_REG_0, 0));
	splice_emit(s, SPLICE_EXIT);
}

/* Every way through the function, jumps backwards left out. */
uint64_t kernel_paths(const struct vm_program *vp, enum program_kind kind)
{
	const struct vm_code *code = &vp->code[kind];
	uint32_t n = code->flat.n_insns;
	AUTO_FREE uint64_t *ways = calloc(n + 1, sizeof(*ways));

	if (!ways)
		return UINT64_MAX;
	for (uint32_t i = n; i-- > 0;) {
		struct vm_op op;
		int64_t target;

		if (!code->info[i].reachable || vm_isa_decode(code->flat.insns, n, i, &op))
			continue;
		target = vm_isa_jump_target(&op, i);
		if (vm_op_falls_through(&op))
			ways[i] += ways[i + op.slots];
		if (op.kind == VM_KIND_JUMP && target > i && target < n)
			ways[i] += ways[target];
		if (!ways[i])
			ways[i] = 1; /* exit, a jump backwards, fold_fail */
		if (ways[i] > KERNEL_MANY_PATHS)
			ways[i] = KERNEL_MANY_PATHS;
	}
	return n ? ways[0] : 0;
}

/* Give the function's r6..r9 the names of registers that it never mentions. A helper's call would
 * clobber those. */
static void rename_registers(struct lowering *l)
{
	uint16_t used = 0;

	for (unsigned r = 0; r <= 10; r++)
		l->name[r] = (uint8_t)r;
	for (uint32_t i = 0; i < l->code->flat.n_insns; i++) {
		struct vm_op op;

		if (!l->regs[i].seen ||
		    vm_isa_decode(l->code->flat.insns, l->code->flat.n_insns, i, &op))
			continue;
		used |= op.reads | op.writes;
	}
	for (unsigned r = 6; r <= 9 && !l->code->calls_helper && !l->env->called; r++) {
		for (unsigned to = 1; to <= 5 && used & BIT(r) && l->name[r] == r; to++) {
			if (used & BIT(to))
				continue;
			l->name[r] = (uint8_t)to;
			used = (uint16_t)((used & ~BIT(r)) | BIT(to));
		}
	}
	l->used = used;
}

static void save_registers(const struct lowering *l, bool restore)
{
	if (l->env->called)
		return; /* the call has saved them */
	for (unsigned r = 6; r <= 9; r++) {
		int16_t slot = l->env->frame.save[r - 6];

		if (!(l->used & BIT(r)))
			continue;
		if (restore)
			splice_emit(l->s, SPLICE_LDX(BPF_DW, r, BPF_REG_10, slot));
		else
			splice_emit(l->s, SPLICE_STX(BPF_DW, BPF_REG_10, slot, r));
	}
}

/* dst - src, both arena pointers: their low halves differ by the same. */
static void pointer_difference(struct splice *s, uint8_t dst, uint8_t src)
{
	splice_emit(s, SPLICE_INSN(BPF_ALU | BPF_SUB | BPF_X, dst, src, 0, 0));
	splice_emit(s, SPLICE_INSN(BPF_ALU | BPF_MOV | BPF_X, dst, dst, 0, 0));
	splice_emit(s, SPLICE_INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, dst, 32, 0));
}

static bool is_division(const struct vm_op *op)
{
	return op->op == VM_OP_DIV || op->op == VM_OP_SDIV || op->op == VM_OP_MOD ||
	       op->op == VM_OP_SMOD;
}

/* Signed division by -1 is negation, its remainder is 0. Kernels before 6.12 without "bpf: Fix a
 * sdiv overflow issue" divide: for the most negative number that is a trap of the processor's. */
static void divide_by_minus_1(struct splice *s, const struct vm_op *op, const struct bpf_insn *insn)
{
	uint8_t class = BPF_CLASS(insn->code);

	if (op->op == VM_OP_SDIV)
		splice_emit(s, SPLICE_INSN(class | BPF_NEG, insn->dst_reg, 0, 0, 0));
	else
		splice_emit(s, SPLICE_INSN(class | BPF_MOV | BPF_K, insn->dst_reg, 0, 0, 0));
}

static void divide_signed(struct splice *s, const struct vm_op *op, struct bpf_insn insn)
{
	uint8_t class = op->width == 64 ? BPF_JMP : BPF_JMP32;
	splice_label other = splice_label_new(s), done = splice_label_new(s);

	if (op->use_imm && insn.imm == -1) {
		divide_by_minus_1(s, op, &insn);
		return;
	}
	if (!op->use_imm) {
		splice_jump(s, SPLICE_INSN(class | BPF_JNE | BPF_K, insn.src_reg, 0, 0, -1), other);
		divide_by_minus_1(s, op, &insn);
		splice_jump(s, SPLICE_JA, done);
		splice_bind(s, other);
	}
	splice_emit(s, insn);
	splice_bind(s, done);
}

static void lower_alu(struct lowering *l, uint32_t i, const struct vm_op *op, struct bpf_insn insn)
{
	const struct kernel_regs *k = &l->regs[i];
	const struct vm_insn *info = &l->code->info[i];

	if (info->pointers && info->region != VM_REGION_STACK) {
		pointer_difference(l->s, insn.dst_reg, insn.src_reg);
		return;
	}
	if (op->op == VM_OP_ADD && op->width == 64 && !op->use_imm && k->arena & BIT(op->src) &&
	    !(k->arena & BIT(op->dst)))
		splice_cast(l->s, insn.dst_reg);
	if (op->use_imm && (op->op == VM_OP_LSH || op->op == VM_OP_RSH || op->op == VM_OP_ARSH))
		insn.imm &= op->width - 1; /* the kernel refuses more, and divisions by 0 */
	if (op->use_imm && insn.imm == 0 && is_division(op)) {
		insn.code = (uint8_t)(BPF_CLASS(insn.code) | BPF_MOV | BPF_K);
		insn.off = 0;
		if (op->op == VM_OP_MOD || op->op == VM_OP_SMOD) {
			insn.code |= BPF_X;
			insn.src_reg = insn.dst_reg;
		}
	}
	if (insn.off == 1 && is_division(op)) {
		divide_signed(l->s, op, insn);
		return;
	}
	if (kernel_stack_makes_pointer(l->code, i))
		insn.imm = kernel_stack_map(&l->stack, insn.imm);
	splice_emit(l->s, insn);
	if (op->op == VM_OP_MOV && op->width == 64 && !op->use_imm && op->src == 10)
		splice_emit(l->s, SPLICE_ALU_K(BPF_ADD, insn.dst_reg, l->env->frame.base));
}

static void lower_access(struct lowering *l, const struct vm_op *op, struct bpf_insn insn)
{
	unsigned address = op->kind == VM_KIND_LOAD ? op->src : op->dst;

	if (address == 10)
		insn.off = (int16_t)(kernel_stack_map(&l->stack, insn.off) + l->env->frame.base);
	if (!op->sign) {
		splice_emit(l->s, insn);
		return;
	}
	insn.code = (uint8_t)(BPF_LDX | BPF_MEM | BPF_SIZE(insn.code));
	splice_emit(l->s, insn);
	splice_emit(l->s, SPLICE_INSN(BPF_ALU64 | BPF_MOV | BPF_X, insn.dst_reg, insn.dst_reg,
				      8 * op->bytes, 0));
}

/* The record's length against the size that a helper shall read. */
static void guard_arguments(const struct lowering *l, uint32_t i)
{
	for (uint8_t a = 0; a < 4; a++) {
		uint8_t size = (uint8_t)(BPF_REG_2 + a);
		splice_label inside = splice_label_new(l->s);

		if (!(l->code->info[i].arg_guarded >> a & 1))
			continue;
		splice_emit(l->s, SPLICE_LDX(BPF_DW, BPF_REG_0, BPF_REG_10, l->env->frame.slot));
		splice_emit(l->s, SPLICE_STX(BPF_DW, BPF_REG_0,
					     offsetof(struct scan_slot, trap_bytes), size));
		splice_emit(l->s, SPLICE_LDX(BPF_W, BPF_REG_0, BPF_REG_0,
					     offsetof(struct scan_slot, record_bytes)));
		splice_jump(l->s, SPLICE_JMP(BPF_JLE, size, BPF_REG_0), inside);
		emit_trap(l, SCAN_TRAPPED, SCAN_TRAP_BOUNDS, i);
		splice_bind(l->s, inside);
	}
}

static int lower_call(struct lowering *l, uint32_t i, const struct vm_op *op)
{
	const struct kernel_frame *f = &l->env->frame;
	struct kernel_helper_call call = {
		.helper = vm_helper_by_number((int32_t)op->imm),
		.info = &l->code->info[i],
		.slot = f->slot,
		.out = f->out,
	};

	if (op->imm == VM_HELPER_BASE) { /* fold_fail */
		splice_emit(l->s, SPLICE_LDX(BPF_DW, BPF_REG_2, BPF_REG_10, l->env->frame.slot));
		splice_emit(l->s, SPLICE_STX(BPF_W, BPF_REG_2,
					     offsetof(struct scan_slot, trap_code), BPF_REG_1));
		emit_trap(l, SCAN_TRAPPED, SCAN_TRAP_FAIL, i);
		return 0;
	}
	guard_arguments(l, i);
	if (vm_helper_is_metered(call.helper)) {
		splice_label out = splice_label_new(l->s), paid = splice_label_new(l->s);

		kernel_helper_charge(l->s, &call, out);
		splice_jump(l->s, SPLICE_JA, paid);
		splice_bind(l->s, out);
		emit_trap(l, SCAN_TRAPPED, SCAN_TRAP_BUDGET, i);
		splice_bind(l->s, paid);
	}
	kernel_helper_before(l->s, &call);
	l->env->helper(l->env->helper_arg, l->s, (int32_t)op->imm);
	kernel_helper_after(l->s, &call);
	if (vm_helper_is_metered(call.helper)) { /* those loop */
		splice_label well = splice_label_new(l->s);

		splice_load64(l->s, BPF_REG_1, SCAN_HELPER_CUT, 0);
		splice_jump(l->s, SPLICE_JMP(BPF_JNE, BPF_REG_0, BPF_REG_1), well);
		emit_trap(l, SCAN_BROKEN, SCAN_TRAP_NONE, i);
		splice_bind(l->s, well);
	}
	return 0;
}

static bool goes_to(const struct lowering *l, int64_t insn)
{
	return insn >= 0 && insn < l->code->flat.n_insns && l->regs[insn].seen;
}

static void lower_jump(struct lowering *l, uint32_t i, const struct vm_op *op, struct bpf_insn insn)
{
	int64_t target = vm_isa_jump_target(op, i);
	bool taken = goes_to(l, target), passed = goes_to(l, (int64_t)i + 1);
	splice_label to;

	if (!taken)
		return; /* our verifier knows that it never jumps */
	if (l->code->info[i].back_edge) {
		to = splice_label_new(l->s);
		l->far[l->n_far++] = (struct far){to, i, (uint32_t)target};
	} else {
		to = l->first + (splice_label)target;
	}
	if (op->op == VM_OP_JA || !passed)
		insn = SPLICE_JA;
	if (insn.code != SPLICE_JA.code || l->code->info[i].back_edge || target != (int64_t)i + 1)
		splice_jump(l->s, insn, to);
}

/* Numbers that change in the loop: what the kernel's verifier knows of them would grow with every
 * round, and it would follow each. */
static uint16_t changing_numbers(const struct lowering *l, const struct far *far)
{
	uint16_t written = 0;

	for (uint32_t i = far->target; i <= far->insn; i++) {
		struct vm_op op;

		if (l->regs[i].seen &&
		    !vm_isa_decode(l->code->flat.insns, l->code->flat.n_insns, i, &op))
			written |= op.writes;
	}
	return written & l->regs[far->insn].init &
	       (uint16_t) ~(l->regs[far->insn].arena | l->regs[far->insn].stack);
}

/* Two registers; what they hold, if they do, is kept in the frame. */
static void take_registers(const struct lowering *l, uint16_t hold, uint8_t ret[2])
{
	unsigned n = 0;

	for (uint8_t r = 0; r <= 9 && n < 2; r++)
		if (!(hold & BIT(r)))
			ret[n++] = r;
	for (uint8_t r = 0; n < 2; r++) {
		if (!(hold & BIT(r)))
			continue;
		splice_emit(l->s, SPLICE_STX(BPF_DW, BPF_REG_10, l->env->frame.save[n], r));
		ret[n++] = r;
	}
}

static void give_registers(const struct lowering *l, uint16_t hold, const uint8_t taken[2])
{
	for (unsigned n = 0; n < 2; n++)
		if (hold & BIT(taken[n]))
			splice_emit(l->s, SPLICE_LDX(BPF_DW, taken[n], BPF_REG_10,
						     l->env->frame.save[n]));
}

/* The way back of a loop: meter -= charge, and the kernel's own leave to go on. */
static void lower_far(struct lowering *l, const struct far *far)
{
	splice_label out = splice_label_new(l->s), cut = splice_label_new(l->s);
	uint16_t numbers = changing_numbers(l, far), hold = l->regs[far->insn].init;
	uint8_t reg[2];

	splice_origin(l->s, KERNEL_ORIGIN(l->kind, far->insn));
	splice_bind(l->s, far->label);
	take_registers(l, hold, reg);
	splice_emit(l->s, SPLICE_LDX(BPF_DW, reg[0], BPF_REG_10, l->env->frame.slot));
	splice_emit(l->s, SPLICE_LDX(BPF_DW, reg[1], reg[0], offsetof(struct scan_slot, meter)));
	splice_emit(l->s, SPLICE_ALU_K(BPF_ADD, reg[1], -(int32_t)l->code->info[far->insn].charge));
	splice_emit(l->s, SPLICE_STX(BPF_DW, reg[0], offsetof(struct scan_slot, meter), reg[1]));
	splice_jump(l->s, SPLICE_JMP_K(BPF_JSLT, reg[1], 0), out);
	splice_emit(l->s, SPLICE_LDX(BPF_DW, reg[1], reg[0], offsetof(struct scan_slot, zero)));
	for (unsigned r = 0; r <= 9; r++)
		if (numbers & BIT(r) && r != reg[0] && r != reg[1])
			splice_emit(l->s, SPLICE_ALU(BPF_XOR, r, reg[1]));
	give_registers(l, hold, reg);
	splice_jump(l->s, SPLICE_MAY_GOTO, cut);
	splice_jump(l->s, SPLICE_JA, l->first + far->target);
	splice_bind(l->s, out);
	emit_trap(l, SCAN_TRAPPED, SCAN_TRAP_BUDGET, far->insn);
	splice_bind(l->s, cut);
	emit_trap(l, SCAN_BROKEN, SCAN_TRAP_NONE, far->insn);
}

static int lower_insn(struct lowering *l, uint32_t i, const struct vm_op *op)
{
	struct bpf_insn insn = l->code->flat.insns[i];

	insn.dst_reg = l->name[insn.dst_reg];
	insn.src_reg = op->kind == VM_KIND_ALU || op->kind == VM_KIND_JUMP || vm_op_is_access(op)
			       ? l->name[insn.src_reg]
			       : insn.src_reg;
	switch (op->kind) {
	case VM_KIND_ALU:
		lower_alu(l, i, op, insn);
		return 0;
	case VM_KIND_LOAD:
	case VM_KIND_STORE:
		lower_access(l, op, insn);
		return 0;
	case VM_KIND_JUMP:
		lower_jump(l, i, op, insn);
		return 0;
	case VM_KIND_CONST:
		if (op->op == VM_OP_RODATA) {
			splice_load64(l->s, insn.dst_reg, l->env->rodata + (uint64_t)op->imm, 0);
			splice_cast(l->s, insn.dst_reg);
		} else {
			splice_load64(l->s, insn.dst_reg, (uint64_t)op->imm, 0);
		}
		return 0;
	case VM_KIND_CALL:
		return lower_call(l, i, op);
	default:
		splice_jump(l->s, SPLICE_JA, l->end);
		return 0;
	}
}

/* Does any way lead to an exit? */
static bool returns(const struct lowering *l)
{
	for (uint32_t i = 0; i < l->code->flat.n_insns; i++)
		if (l->regs[i].seen && l->code->flat.insns[i].code == (BPF_JMP | BPF_EXIT))
			return true;
	return false;
}

int kernel_lower(const struct kernel_lower *env, struct splice *s, enum program_kind kind,
		 struct nf_error *err)
{
	const struct vm_code *code = &env->program->code[kind];
	uint32_t n = code->flat.n_insns;
	AUTO_FREE struct kernel_regs *regs = kernel_regs_new(code, kind);
	AUTO_FREE struct far *far = calloc(n + 1, sizeof(*far));
	struct lowering l = {
		.env = env,
		.vp = env->program,
		.code = code,
		.regs = regs,
		.s = s,
		.kind = kind,
		.far = far,
	};

	if (!regs || !far || kernel_stack_of(env->program, kind, &l.stack))
		return -ENOMEM;
	l.end = splice_label_new(s);
	l.first = splice_labels_new(s, n);
	rename_registers(&l);
	save_registers(&l, false);
	if (!returns(&l)) { /* it always fails; but the kernel wants a way to what follows */
		splice_emit(s, SPLICE_MOV_K(BPF_REG_0, 0));
		splice_jump(s, SPLICE_JMP(BPF_JNE, BPF_REG_1, BPF_REG_1), l.end);
	}
	for (uint32_t i = 0; i < n; i++) {
		struct vm_op op;
		int r;

		if (!regs[i].seen)
			continue;
		if (vm_isa_decode(code->flat.insns, n, i, &op))
			return nf_error_set(err, NF_INTERNAL, NULL,
					    "an instruction changed after verification");
		splice_origin(s, KERNEL_ORIGIN(kind, i));
		splice_bind(s, l.first + i);
		r = lower_insn(&l, i, &op);
		if (r)
			return r;
	}
	for (uint32_t i = 0; i < l.n_far; i++)
		lower_far(&l, &far[i]);
	splice_origin(s, 0);
	splice_bind(s, l.end);
	save_registers(&l, true);
	return 0;
}
