/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "jit_body.h"

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"

/* Where a region begins and how long it is. */
static LLVMValueRef region_base(struct exact *x, enum vm_region region)
{
	struct jit_emit *e = x->e;

	switch (region) {
	case VM_REGION_RECORD:
		return x->record;
	case VM_REGION_PARAMS:
		return e->params;
	case VM_REGION_STATE:
		return x->state;
	case VM_REGION_KEY:
		return x->key;
	case VM_REGION_STACK:
		return jit_at_const(e, x->stack, x->stack_bytes);
	default:
		return e->rodata;
	}
}

static LLVMValueRef region_bytes(struct exact *x, enum vm_region region)
{
	const struct program *p = x->e->vp->program;

	switch (region) {
	case VM_REGION_RECORD:
		return x->length;
	case VM_REGION_PARAMS:
		return jit_const(x->e, p->params_bytes);
	case VM_REGION_STATE:
		return jit_const(x->e, p->state_bytes);
	case VM_REGION_KEY:
		return jit_const(x->e, p->key_bytes);
	default:
		return jit_const(x->e, p->rodata_bytes);
	}
}

LLVMValueRef jit_get(struct exact *x, unsigned reg)
{
	return LLVMBuildLoad2(x->e->b, x->e->i64, x->regs[reg], "");
}

void jit_set(struct exact *x, unsigned reg, LLVMValueRef v)
{
	LLVMBuildStore(x->e->b, v, x->regs[reg]);
}

static void set_trap_field(struct exact *x, size_t offset, LLVMValueRef v)
{
	jit_store(x->e, v, jit_field(x->e, offsetof(struct jit_ctx, trap) + offset));
}

/* In a cold block of its own: when cond holds, fill ctx->trap and leave. */
static void trap_if(struct exact *x, LLVMValueRef cond, enum vm_trap_kind kind,
		    enum program_kind entry, uint32_t insn, enum vm_region region,
		    LLVMValueRef access_bytes, LLVMValueRef offset, LLVMValueRef code)
{
	struct jit_emit *e = x->e;
	LLVMBasicBlockRef cold = jit_block(e, "trap"), on = jit_block(e, "");

	LLVMBuildCondBr(e->b, cond, cold, on);
	LLVMPositionBuilderAtEnd(e->b, cold);
	set_trap_field(x, offsetof(struct vm_trap, kind), LLVMConstInt(e->i32, kind, 0));
	set_trap_field(x, offsetof(struct vm_trap, entry), LLVMConstInt(e->i32, entry, 0));
	set_trap_field(x, offsetof(struct vm_trap, insn), LLVMConstInt(e->i32, insn, 0));
	if (kind == VM_TRAP_BOUNDS) {
		set_trap_field(x, offsetof(struct vm_trap, region), LLVMConstInt(e->i8, region, 0));
		LLVMValueRef most = jit_const(e, UINT32_MAX);

		access_bytes = LLVMBuildSelect(
			e->b, LLVMBuildICmp(e->b, LLVMIntUGT, access_bytes, most, ""), most,
			access_bytes, "");
		set_trap_field(x, offsetof(struct vm_trap, access_bytes),
			       LLVMBuildTrunc(e->b, access_bytes, e->i32, ""));
		set_trap_field(x, offsetof(struct vm_trap, offset), offset);
		set_trap_field(x, offsetof(struct vm_trap, region_bytes), region_bytes(x, region));
	}
	if (kind == VM_TRAP_FAIL)
		set_trap_field(x, offsetof(struct vm_trap, code),
			       LLVMBuildTrunc(e->b, code, e->i32, ""));
	LLVMBuildBr(e->b, x->trap);
	LLVMPositionBuilderAtEnd(e->b, on);
}

/* Trap unless [offset, offset + bytes) is inside the region; the stack is always proven. */
static void guard(struct exact *x, enum program_kind entry, uint32_t insn, enum vm_region region,
		  LLVMValueRef offset, LLVMValueRef bytes)
{
	LLVMBuilderRef b = x->e->b;
	LLVMValueRef size = region_bytes(x, region), out;

	if (LLVMIsAConstantInt(bytes)) { /* one comparison, with what seldom changes */
		LLVMValueRef args[] = {size, LLVMBuildSub(b, bytes, jit_const(x->e, 1), "")};

		out = LLVMBuildICmp(b, LLVMIntUGE, offset,
				    jit_intrinsic(x->e, "llvm.usub.sat", x->e->i64, args, 2), "");
	} else {
		LLVMValueRef room = LLVMBuildSub(b, size, bytes, "");

		out = LLVMBuildOr(b, LLVMBuildICmp(b, LLVMIntUGT, bytes, size, ""),
				  LLVMBuildICmp(b, LLVMIntUGT, offset, room, ""), "");
	}
	trap_if(x, out, VM_TRAP_BOUNDS, entry, insn, region, bytes, offset, NULL);
}

static LLVMValueRef address(struct exact *x, enum program_kind entry, uint32_t at,
			    const struct vm_op *op)
{
	struct jit_emit *e = x->e;
	const struct vm_insn *info = &e->vp->code[entry].info[at];
	unsigned reg = op->kind == VM_KIND_LOAD ? op->src : op->dst;
	LLVMValueRef base = region_base(x, info->region), offset;

	/* Known to the byte: SROA can then split the stack and a local state. */
	if (info->verdict == VM_PROVEN && info->offset_min == info->offset_max)
		return jit_at_const(e, base, info->offset_min);
	offset = LLVMBuildSub(e->b, jit_get(x, reg),
			      jit_const(e, (uint64_t)(JIT_POINTER - op->off)), "");
	if (info->verdict == VM_GUARDED)
		guard(x, entry, at, info->region, offset, jit_const(e, op->bytes));
	return jit_at(e, base, offset);
}

static void emit_load(struct exact *x, enum program_kind entry, uint32_t at, const struct vm_op *op)
{
	struct jit_emit *e = x->e;
	LLVMValueRef v = jit_load(e, jit_int(e, op->bytes), address(x, entry, at, op));

	jit_set(x, op->dst,
		op->sign ? LLVMBuildSExt(e->b, v, e->i64, "") : LLVMBuildZExt(e->b, v, e->i64, ""));
}

static void emit_store(struct exact *x, enum program_kind entry, uint32_t at,
		       const struct vm_op *op)
{
	struct jit_emit *e = x->e;
	LLVMValueRef to = address(x, entry, at, op);
	LLVMValueRef v = op->use_imm ? jit_const(e, (uint64_t)op->imm) : jit_get(x, op->src);

	jit_store(e, LLVMBuildTrunc(e->b, v, jit_int(e, op->bytes), ""), to);
}

static LLVMValueRef byte_swap(struct jit_emit *e, LLVMValueRef v, unsigned bytes)
{
	LLVMValueRef part = LLVMBuildTrunc(e->b, v, jit_int(e, bytes), "");

	return LLVMBuildZExt(e->b, jit_intrinsic(e, "llvm.bswap", jit_int(e, bytes), &part, 1),
			     e->i64, "");
}

static void emit_alu(struct exact *x, const struct vm_op *op)
{
	struct jit_emit *e = x->e;
	LLVMBuilderRef b = e->b;
	LLVMTypeRef type = op->width == 32 ? e->i32 : e->i64;
	LLVMValueRef a, y, r, mask = LLVMConstInt(type, op->width - 1u, 0);

	y = op->use_imm ? jit_const(e, (uint64_t)op->imm) : jit_get(x, op->src);
	a = op->op == VM_OP_MOV || op->op == VM_OP_MOVSX ? y : jit_get(x, op->dst);
	if (op->width == 32 && op->op != VM_OP_LE && op->op != VM_OP_BE && op->op != VM_OP_BSWAP) {
		a = LLVMBuildTrunc(b, a, e->i32, "");
		y = LLVMBuildTrunc(b, y, e->i32, "");
	}
	switch (op->op) {
	case VM_OP_ADD:
		r = LLVMBuildAdd(b, a, y, "");
		/* scalar + pointer and pointer + scalar both carry JIT_POINTER once; pointer -
		 * pointer loses it, as it must. */
		break;
	case VM_OP_SUB:
		r = LLVMBuildSub(b, a, y, "");
		break;
	case VM_OP_MUL:
		r = LLVMBuildMul(b, a, y, "");
		break;
	case VM_OP_DIV:
	case VM_OP_MOD:
		r = jit_divide(e, a, y, false, op->op == VM_OP_MOD);
		break;
	case VM_OP_SDIV:
	case VM_OP_SMOD:
		r = jit_divide(e, a, y, true, op->op == VM_OP_SMOD);
		break;
	case VM_OP_OR:
		r = LLVMBuildOr(b, a, y, "");
		break;
	case VM_OP_AND:
		r = LLVMBuildAnd(b, a, y, "");
		break;
	case VM_OP_XOR:
		r = LLVMBuildXor(b, a, y, "");
		break;
	case VM_OP_LSH:
		r = LLVMBuildShl(b, a, LLVMBuildAnd(b, y, mask, ""), "");
		break;
	case VM_OP_RSH:
		r = LLVMBuildLShr(b, a, LLVMBuildAnd(b, y, mask, ""), "");
		break;
	case VM_OP_ARSH:
		r = LLVMBuildAShr(b, a, LLVMBuildAnd(b, y, mask, ""), "");
		break;
	case VM_OP_MOV:
		r = y;
		break;
	case VM_OP_MOVSX:
		r = op->bytes * 8 >= op->width
			    ? y
			    : LLVMBuildSExt(b, LLVMBuildTrunc(b, y, jit_int(e, op->bytes), ""),
					    type, "");
		break;
	case VM_OP_NEG:
		r = LLVMBuildNeg(b, a, "");
		break;
	case VM_OP_LE:
		r = LLVMBuildZExt(b, LLVMBuildTrunc(b, a, jit_int(e, op->bytes), ""), e->i64, "");
		break;
	default: /* VM_OP_BE, VM_OP_BSWAP: the hosts that have a JIT are little-endian */
		r = byte_swap(e, a, op->bytes);
		break;
	}
	if (LLVMTypeOf(r) != e->i64)
		r = LLVMBuildZExt(b, r, e->i64, "");
	jit_set(x, op->dst, r);
}

static LLVMValueRef emit_compare(struct exact *x, const struct vm_op *op)
{
	struct jit_emit *e = x->e;
	static const LLVMIntPredicate orders[VM_OPCODES] = {
		[VM_OP_JEQ] = LLVMIntEQ,   [VM_OP_JNE] = LLVMIntNE,   [VM_OP_JGT] = LLVMIntUGT,
		[VM_OP_JGE] = LLVMIntUGE,  [VM_OP_JLT] = LLVMIntULT,  [VM_OP_JLE] = LLVMIntULE,
		[VM_OP_JSGT] = LLVMIntSGT, [VM_OP_JSGE] = LLVMIntSGE, [VM_OP_JSLT] = LLVMIntSLT,
		[VM_OP_JSLE] = LLVMIntSLE,
	};
	LLVMValueRef a = jit_get(x, op->dst);
	LLVMValueRef y = op->use_imm ? jit_const(e, (uint64_t)op->imm) : jit_get(x, op->src);

	if (op->width == 32) {
		a = LLVMBuildTrunc(e->b, a, e->i32, "");
		y = LLVMBuildTrunc(e->b, y, e->i32, "");
	}
	if (op->op == VM_OP_JSET)
		return LLVMBuildICmp(e->b, LLVMIntNE, LLVMBuildAnd(e->b, a, y, ""),
				     LLVMConstNull(LLVMTypeOf(a)), "");
	return LLVMBuildICmp(e->b, orders[op->op], a, y, "");
}

/* Take it off the meter, or trap. What is left is never negative, and no amount is above 2^62. */
static void charge(struct exact *x, enum program_kind entry, uint32_t at, LLVMValueRef amount)
{
	LLVMBuilderRef b = x->e->b;
	LLVMValueRef left;

	if (!x->meter)
		return;
	left = LLVMBuildSub(b, LLVMBuildLoad2(b, x->e->i64, x->meter, ""), amount, "");
	LLVMBuildStore(b, left, x->meter);
	trap_if(x, LLVMBuildICmp(b, LLVMIntSLT, left, jit_const(x->e, 0), ""), VM_TRAP_BUDGET,
		entry, at, VM_REGION_NONE, NULL, NULL, NULL);
}

/* What a helper that reads memory costs (vm.h). */
static void charge_helper(struct exact *x, enum program_kind entry, uint32_t at,
			  const struct vm_helper *h)
{
	LLVMBuilderRef b = x->e->b;
	LLVMValueRef amount = NULL, part;

	for (unsigned i = 0; i + 1 < 5; i++) {
		if (h->arg[i] != VM_ARG_MEM_READ)
			continue;
		part = LLVMBuildUDiv(b, jit_get(x, i + 2),
				     jit_const(x->e, VM_HELPER_BYTES_PER_CHARGE), "");
		amount = amount ? LLVMBuildAdd(b, amount, part, "") : part;
	}
	if (amount)
		charge(x, entry, at, amount);
}

/* A helper's argument as the helper wants it: pointers become addresses, checked where needed. */
static LLVMValueRef argument(struct exact *x, enum program_kind entry, uint32_t at,
			     const struct vm_helper *h, unsigned i)
{
	struct jit_emit *e = x->e;
	const struct vm_insn *info = &e->vp->code[entry].info[at];
	LLVMValueRef v = jit_get(x, i + 1), offset, bytes;

	if (!info->arg_region[i])
		return v;
	offset = LLVMBuildSub(e->b, v, jit_const(e, JIT_POINTER), "");
	if (info->arg_guarded & (1u << i)) {
		bytes = h->arg[i] == VM_ARG_MEM_READ ? jit_get(x, i + 2)
						     : jit_const(e, h->fixed_bytes);
		guard(x, entry, at, info->arg_region[i], offset, bytes);
	}
	return LLVMBuildPtrToInt(e->b, jit_at(e, region_base(x, info->arg_region[i]), offset),
				 e->i64, "");
}

static LLVMValueRef overflow_call(struct jit_emit *e, const char *name, LLVMTypeRef type,
				  LLVMValueRef a, LLVMValueRef y, LLVMValueRef *ret_over)
{
	LLVMValueRef args[] = {a, y}, pair = jit_intrinsic(e, name, type, args, 2);

	*ret_over = LLVMBuildExtractValue(e->b, pair, 1, "");
	return LLVMBuildExtractValue(e->b, pair, 0, "");
}

/* The helpers on integers through pointers, as instructions. False: call it. */
static bool emit_integer_helper(struct exact *x, enum program_kind entry, uint32_t at,
				const struct vm_helper *h)
{
	struct jit_emit *e = x->e;
	LLVMBuilderRef b = e->b;
	LLVMValueRef arg[3], a, y, sum, over;
	bool wide = !strcmp(h->name, "fold_add128_128"), narrow = !strcmp(h->name, "fold_add128");
	bool mul = !strcmp(h->name, "fold_mul_s64"), add = !strcmp(h->name, "fold_add_s64");
	bool mul128 = !strcmp(h->name, "fold_mul128");

	if (!wide && !narrow && !mul && !add && !mul128)
		return false;
	for (unsigned i = 0; i < (wide || narrow ? 2 : 3); i++) {
		arg[i] = argument(x, entry, at, h, i);
		if (h->arg[i] != VM_ARG_SCALAR)
			arg[i] = LLVMBuildIntToPtr(b, arg[i], e->ptr, "");
	}
	if (wide || narrow) {
		a = jit_load(e, e->i128, arg[0]);
		y = wide ? jit_load(e, e->i128, arg[1]) : LLVMBuildSExt(b, arg[1], e->i128, "");
		sum = overflow_call(e, "llvm.sadd.with.overflow", e->i128, a, y, &over);
		jit_store(e, LLVMBuildSelect(b, over, a, sum, ""), arg[0]);
	} else if (mul128) {
		jit_store(e,
			  LLVMBuildMul(b, LLVMBuildSExt(b, arg[0], e->i128, ""),
				       LLVMBuildSExt(b, arg[1], e->i128, ""), ""),
			  arg[2]);
		over = LLVMConstInt(e->i1, 0, 0);
	} else {
		sum = overflow_call(e, mul ? "llvm.smul.with.overflow" : "llvm.sadd.with.overflow",
				    e->i64, arg[0], arg[1], &over);
		jit_store(e, sum, arg[2]);
	}
	jit_set(x, 0, LLVMBuildZExt(b, over, e->i64, ""));
	return true;
}

static void emit_call(struct exact *x, enum program_kind entry, uint32_t at, const struct vm_op *op)
{
	struct jit_emit *e = x->e;
	const struct vm_helper *h = vm_helper_by_number((int32_t)op->imm);
	LLVMValueRef args[5], fn, v;
	LLVMTypeRef types[5] = {e->i64, e->i64, e->i64, e->i64, e->i64};

	if (!h->fn) { /* fold_fail */
		trap_if(x, LLVMConstInt(e->i1, 1, 0), VM_TRAP_FAIL, entry, at, VM_REGION_NONE, NULL,
			NULL, jit_get(x, 1));
		LLVMBuildUnreachable(e->b);
		return;
	}
	v = h->arg[0] == VM_ARG_SCALAR
		    ? jit_inline_helper(e, (int32_t)op->imm, jit_get(x, 1),
					h->arg[1] == VM_ARG_SCALAR ? jit_get(x, 2) : NULL)
		    : NULL;
	if (v) {
		jit_set(x, 0, v);
		return;
	}
	if (emit_integer_helper(x, entry, at, h))
		return;
	for (unsigned i = 0; i < 5; i++)
		args[i] = h->arg[i] == VM_ARG_NONE ? jit_const(e, 0) : argument(x, entry, at, h, i);
	charge_helper(x, entry, at, h);
	fn = LLVMBuildLoad2(e->b, e->ptr, jit_field(e, offsetof(struct jit_ctx, helpers)), "");
	fn = LLVMBuildLoad2(
		e->b, e->ptr,
		jit_at_const(e, fn, (op->imm - VM_HELPER_BASE) * (int64_t)sizeof(void *)), "");
	jit_set(x, 0, LLVMBuildCall2(e->b, LLVMFunctionType(e->i64, types, 5, 0), fn, args, 5, ""));
}

/* Where the verifier says that control never comes: should it be wrong, the worker dies at once. */
static void emit_never(struct jit_emit *e)
{
	unsigned id = LLVMLookupIntrinsicID("llvm.trap", 9);
	LLVMValueRef trap = LLVMGetIntrinsicDeclaration(e->module, id, NULL, 0);

	LLVMBuildCall2(e->b, LLVMIntrinsicGetType(e->context, id, NULL, 0), trap, NULL, 0, "");
	LLVMBuildUnreachable(e->b);
}

void jit_emit_body(struct exact *x, enum program_kind entry)
{
	struct jit_emit *e = x->e;
	const struct vm_code *code = &e->vp->code[entry];
	LLVMBasicBlockRef *blocks = x->blocks;
	LLVMBasicBlockRef end = jit_block(e, program_kind_name(entry));
	bool open = true; /* does control reach the builder's place? */
	struct vm_op op;

	memset(blocks, 0, (code->flat.n_insns + 1) * sizeof(*blocks));
	for (uint32_t at = 0; at < code->flat.n_insns; at++)
		if (code->info[at].jump_target && code->info[at].reachable)
			blocks[at] = jit_block(e, "");
	for (uint32_t at = 0; at < code->flat.n_insns; at += op.slots) {
		vm_isa_decode(code->flat.insns, code->flat.n_insns, at, &op);
		if (!code->info[at].reachable) {
			if (open)
				emit_never(e);
			open = false;
			continue;
		}
		if (blocks[at]) {
			if (open)
				LLVMBuildBr(e->b, blocks[at]);
			LLVMPositionBuilderAtEnd(e->b, blocks[at]);
			open = true;
		}
		if (!open) /* behind a jump, a target that nobody jumps to */
			continue;

		uint32_t target = (uint32_t)vm_isa_jump_target(&op, at);

		switch (op.kind) {
		case VM_KIND_ALU:
			emit_alu(x, &op);
			break;
		case VM_KIND_LOAD:
			emit_load(x, entry, at, &op);
			break;
		case VM_KIND_STORE:
			emit_store(x, entry, at, &op);
			break;
		case VM_KIND_CONST:
			jit_set(x, op.dst,
				jit_const(e, (uint64_t)op.imm +
						     (op.op == VM_OP_RODATA ? JIT_POINTER : 0)));
			break;
		case VM_KIND_CALL:
			emit_call(x, entry, at, &op);
			open = vm_helper_by_number((int32_t)op.imm)->fn != NULL;
			break;
		case VM_KIND_EXIT:
			LLVMBuildBr(e->b, end);
			open = false;
			break;
		case VM_KIND_JUMP: {
			LLVMValueRef cond = op.op == VM_OP_JA ? NULL : emit_compare(x, &op);
			LLVMBasicBlockRef taken = blocks[target], here;

			if (!taken) { /* never taken */
				here = LLVMGetInsertBlock(e->b);
				taken = jit_block(e, "never");
				LLVMPositionBuilderAtEnd(e->b, taken);
				emit_never(e);
				LLVMPositionBuilderAtEnd(e->b, here);
			}
			if (code->info[at].back_edge) {
				/* The way back goes through the meter. */
				LLVMBasicBlockRef back = jit_block(e, "meter");
				LLVMBasicBlockRef on = jit_block(e, "");

				if (cond)
					LLVMBuildCondBr(e->b, cond, back, on);
				else
					LLVMBuildBr(e->b, back);
				LLVMPositionBuilderAtEnd(e->b, back);
				charge(x, entry, at, jit_const(e, code->info[at].charge));
				LLVMBuildBr(e->b, taken);
				LLVMPositionBuilderAtEnd(e->b, on);
				open = cond != NULL;
				if (!open)
					LLVMBuildUnreachable(e->b);
			} else if (cond) {
				LLVMBasicBlockRef on = jit_block(e, "");

				LLVMBuildCondBr(e->b, cond, taken, on);
				LLVMPositionBuilderAtEnd(e->b, on);
			} else {
				LLVMBuildBr(e->b, taken);
				open = false;
			}
			break;
		}
		}
	}
	if (open) /* past the last instruction: a jump there that is always taken */
		emit_never(e);
	LLVMPositionBuilderAtEnd(e->b, end);
}
