/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * jit_exact.c - the scan loop of any program: filter, key, group, reduce, record after record, with
 * guards and the meter.
 */
#include "jit_body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"

/* ctx->at = index; return result */
static void leave(struct exact *x, LLVMValueRef index, enum jit_result result)
{
	struct jit_emit *e = x->e;

	jit_store(e, index, jit_field(e, offsetof(struct jit_ctx, at)));
	LLVMBuildRet(e->b, LLVMConstInt(e->i32, result, 0));
}

static LLVMValueRef call_find_group(struct exact *x)
{
	struct jit_emit *e = x->e;
	LLVMTypeRef types[] = {e->ptr, e->ptr};
	LLVMValueRef args[] = {e->ctx, x->key_given};
	LLVMValueRef fn = LLVMBuildLoad2(e->b, e->ptr,
					 jit_field(e, offsetof(struct jit_ctx, find_group)), "");

	return LLVMBuildCall2(e->b, LLVMFunctionType(e->ptr, types, 2, 0), fn, args, 2, "");
}

/* Keys of one or two bytes are an index. */
static LLVMValueRef dense_slot(struct exact *x, LLVMValueRef *ret_hit)
{
	struct jit_emit *e = x->e;
	unsigned bytes = x->e->vp->program->key_bytes;
	LLVMValueRef key = LLVMBuildZExt(e->b, jit_load(e, jit_int(e, bytes), x->key), e->i64, "");
	LLVMValueRef table =
		LLVMBuildLoad2(e->b, e->ptr, jit_field(e, offsetof(struct jit_ctx, dense)), "");
	LLVMValueRef slot = LLVMBuildGEP2(e->b, e->ptr, table, &key, 1, "");
	LLVMValueRef state = LLVMBuildLoad2(e->b, e->ptr, slot, "");

	*ret_hit = LLVMBuildIsNotNull(e->b, state, "");
	return slot;
}

/* Longer ones: a direct-mapped cache of keys. Words beyond key_bytes are zero in both. */
static LLVMValueRef cache_slot(struct exact *x, LLVMValueRef *ret_hit)
{
	struct jit_emit *e = x->e;
	unsigned words = (x->e->vp->program->key_bytes + 7) / 8;
	LLVMValueRef hash = jit_const(e, 0), entry, same, state, at;

	for (unsigned i = 0; i < words; i++) {
		LLVMValueRef w = jit_load(e, e->i64, jit_at_const(e, x->key, 8 * i));

		hash = LLVMBuildMul(e->b, LLVMBuildXor(e->b, hash, w, ""),
				    jit_const(e, 0x9e3779b97f4a7c15ull), "");
	}
	hash = LLVMBuildLShr(e->b, hash, jit_const(e, 64 - 12), "");
	_Static_assert(JIT_GROUP_CACHE == 1 << 12, "the shift above");
	entry = jit_at(
		e, LLVMBuildLoad2(e->b, e->ptr, jit_field(e, offsetof(struct jit_ctx, cache)), ""),
		LLVMBuildMul(e->b, hash, jit_const(e, sizeof(struct jit_group)), ""));
	at = jit_at_const(e, entry, offsetof(struct jit_group, state));
	state = LLVMBuildLoad2(e->b, e->ptr, at, "");
	same = LLVMBuildIsNotNull(e->b, state, "");
	for (unsigned i = 0; i < words; i++) {
		LLVMValueRef w = jit_load(e, e->i64, jit_at_const(e, x->key, 8 * i));
		LLVMValueRef c = jit_load(e, e->i64, jit_at_const(e, entry, 8 * i));

		same = LLVMBuildAnd(e->b, same, LLVMBuildICmp(e->b, LLVMIntEQ, w, c, ""), "");
	}
	*ret_hit = same;
	return entry;
}

/* The key function, then the state of its group. */
static LLVMValueRef emit_group(struct exact *x, LLVMValueRef index)
{
	struct jit_emit *e = x->e;
	unsigned key_bytes = e->vp->program->key_bytes, words = (key_bytes + 7) / 8;
	bool dense = key_bytes <= 2;
	LLVMBasicBlockRef miss = jit_block(e, "miss"), full = jit_block(e, "full");
	LLVMBasicBlockRef found = jit_block(e, "found"), hit_block = jit_block(e, "hit");
	LLVMBasicBlockRef known = jit_block(e, "known");
	LLVMValueRef slot, hit, state, phi, state_at;

	for (unsigned i = 0; i < words; i++)
		jit_store(e, jit_const(e, 0), jit_at_const(e, x->key, 8 * i));
	jit_emit_body(x, PROGRAM_KEY);
	slot = dense ? dense_slot(x, &hit) : cache_slot(x, &hit);
	state_at = dense ? slot : jit_at_const(e, slot, offsetof(struct jit_group, state));
	LLVMBuildCondBr(e->b, hit, hit_block, miss);

	LLVMPositionBuilderAtEnd(e->b, hit_block);
	LLVMValueRef cached = LLVMBuildLoad2(e->b, e->ptr, state_at, "");
	LLVMBuildBr(e->b, found);

	LLVMPositionBuilderAtEnd(e->b, miss);
	for (unsigned i = 0; i < words; i++)
		jit_store(e, jit_load(e, e->i64, jit_at_const(e, x->key, 8 * i)),
			  jit_at_const(e, x->key_given, 8 * i));
	state = call_find_group(x);
	LLVMBuildCondBr(e->b, LLVMBuildIsNull(e->b, state, ""), full, known);
	LLVMPositionBuilderAtEnd(e->b, full);
	leave(x, index, JIT_GROUP);

	LLVMPositionBuilderAtEnd(e->b, known);
	LLVMBuildStore(e->b, state, state_at);
	for (unsigned i = 0; !dense && i < words; i++)
		jit_store(e, jit_load(e, e->i64, jit_at_const(e, x->key, 8 * i)),
			  jit_at_const(e, slot, 8 * i));
	LLVMBuildBr(e->b, found);

	LLVMPositionBuilderAtEnd(e->b, found);
	phi = LLVMBuildPhi(e->b, e->ptr, "group");
	LLVMValueRef values[] = {cached, state};
	LLVMBasicBlockRef from[] = {hit_block, known};
	LLVMAddIncoming(phi, values, from, 2);
	return phi;
}

/* May the state live in registers: no computed offset, no pointer to it given away? */
static bool state_splits(const struct vm_program *vp)
{
	const struct vm_code *code = &vp->code[PROGRAM_REDUCE];

	if (vp->program->key_bytes || vp->program->state_bytes > 1024)
		return false;
	for (uint32_t i = 0; i < code->flat.n_insns; i++) {
		const struct vm_insn *info = &code->info[i];

		if (!info->reachable)
			continue;
		if (info->verdict != VM_NO_ACCESS && info->region == VM_REGION_STATE &&
		    (info->verdict != VM_PROVEN || info->offset_min != info->offset_max))
			return false;
		for (unsigned a = 0; a < 5; a++)
			if (info->arg_region[a] == VM_REGION_STATE)
				return false;
	}
	return true;
}

static void copy_state(struct jit_emit *e, LLVMValueRef to, LLVMValueRef from)
{
	uint32_t bytes = e->vp->program->state_bytes, at = 0;

	/* In pieces: a copy as a whole would become a call. */
	for (unsigned piece = 8; piece; piece /= 2)
		for (; at + piece <= bytes; at += piece)
			jit_store(e, jit_load(e, jit_int(e, piece), jit_at_const(e, from, at)),
				  jit_at_const(e, to, at));
}

static void set_up(struct exact *x, bool with_meter)
{
	struct jit_emit *e = x->e;
	const struct vm_program *vp = e->vp;
	bool metered = false;

	x->stack_bytes = 8;
	for (int k = PROGRAM_FILTER; k <= PROGRAM_REDUCE; k++) {
		metered |= vp->code[k].metered;
		if (vp->code[k].flat.n_insns && vp->code[k].flat.stack_bytes > x->stack_bytes)
			x->stack_bytes = vp->code[k].flat.stack_bytes;
	}
	for (unsigned r = 0; r < 11; r++) {
		x->regs[r] = LLVMBuildAlloca(e->b, e->i64, "r");
		jit_set(x, r, jit_const(e, 0));
	}
	x->stack = LLVMBuildAlloca(e->b, LLVMArrayType2(e->i8, x->stack_bytes), "stack");
	LLVMSetAlignment(x->stack, 16);
	x->key = LLVMBuildAlloca(e->b, LLVMArrayType2(e->i8, 64), "key");
	LLVMSetAlignment(x->key, 16);
	x->key_given = LLVMBuildAlloca(e->b, LLVMArrayType2(e->i8, 64), "key_given");
	LLVMSetAlignment(x->key_given, 16);
	x->meter = metered && with_meter ? LLVMBuildAlloca(e->b, e->i64, "meter") : NULL;
	x->index = LLVMBuildAlloca(e->b, e->i64, "index");
	if (x->meter) {
		LLVMValueRef most = jit_const(e, INT64_MAX);

		x->budget = jit_load(e, e->i64, jit_field(e, offsetof(struct jit_ctx, budget)));
		x->budget =
			LLVMBuildSelect(e->b, LLVMBuildICmp(e->b, LLVMIntUGT, x->budget, most, ""),
					most, x->budget, "");
	}
}

/* r1.. of an entry function. */
static void set_arguments(struct exact *x, enum program_kind entry)
{
	struct jit_emit *e = x->e;
	LLVMValueRef pointer = jit_const(e, JIT_POINTER);
	unsigned r = 1;

	if (entry == PROGRAM_REDUCE)
		jit_set(x, r++, pointer);
	jit_set(x, r++, pointer);
	jit_set(x, r++, x->length);
	jit_set(x, r++, pointer);
	jit_set(x, r, pointer); /* the key; of filter and reduce nothing reads it */
	jit_set(x, 10, pointer);
}

static uint32_t longest_function(const struct vm_program *vp)
{
	uint32_t n = 0;

	for (int k = PROGRAM_FILTER; k <= PROGRAM_REDUCE; k++)
		if (vp->code[k].flat.n_insns > n)
			n = vp->code[k].flat.n_insns;
	return n;
}

int jit_emit_exact(struct jit_emit *e, const char *name, bool metered)
{
	AUTO_FREE LLVMBasicBlockRef *blocks = calloc(longest_function(e->vp) + 1u, sizeof(*blocks));
	struct exact exact = {.e = e, .blocks = blocks}, *x = &exact;
	bool grouped = e->vp->program->key_bytes != 0, local;
	LLVMValueRef matched, i, local_state = NULL, r0;

	if (!blocks)
		return -ENOMEM;
	jit_emit_function(e, name);
	set_up(x, metered);
	matched = LLVMBuildAlloca(e->b, e->i64, "matched");
	LLVMBuildStore(e->b, jit_const(e, 0), matched);
	LLVMBuildStore(e->b, jit_const(e, 0), x->index);
	local = state_splits(e->vp);
	x->state = e->state;
	if (local) {
		local_state = LLVMBuildAlloca(
			e->b, LLVMArrayType2(e->i8, e->vp->program->state_bytes), "state");
		LLVMSetAlignment(local_state, 16);
		copy_state(e, local_state, e->state);
		x->state = local_state;
	}

	LLVMBasicBlockRef loop = jit_block(e, "loop"), body = jit_block(e, "body");
	LLVMBasicBlockRef next = jit_block(e, "next"), stop = jit_block(e, "stop");
	LLVMBasicBlockRef done = jit_block(e, "done");

	x->trap = jit_block(e, "trapped");
	LLVMBuildBr(e->b, loop);

	LLVMPositionBuilderAtEnd(e->b, loop);
	i = LLVMBuildLoad2(e->b, e->i64, x->index, "");
	LLVMBuildCondBr(e->b, LLVMBuildICmp(e->b, LLVMIntULT, i, e->n, ""), body, done);

	LLVMPositionBuilderAtEnd(e->b, body);
	if (e->options->fixed) {
		uint32_t bytes = e->vp->bounds.record_max_bytes;

		x->record = jit_at(e, e->data, LLVMBuildMul(e->b, i, jit_const(e, bytes), ""));
		jit_emit_prefetch(e, x->record, 1, false);
		x->length = jit_const(e, bytes);
	} else {
		LLVMValueRef at = LLVMBuildGEP2(e->b, e->i32, e->starts, &i, 1, ""), next_at;
		LLVMValueRef one = LLVMConstInt(e->i32, 1, 0);

		next_at = LLVMBuildGEP2(e->b, e->i32, at, &one, 1, "");
		at = LLVMBuildLoad2(e->b, e->i32, at, "");
		next_at = LLVMBuildLoad2(e->b, e->i32, next_at, "");
		x->record = jit_at(e, e->data, LLVMBuildZExt(e->b, at, e->i64, ""));
		/* In 32 bits: LLVM then knows that it has no more. */
		next_at = LLVMBuildSub(e->b, LLVMBuildSub(e->b, next_at, at, ""), one, "");
		x->length = LLVMBuildZExt(e->b, next_at, e->i64, "");
	}
	if (x->meter)
		LLVMBuildStore(e->b, x->budget, x->meter);
	if (e->vp->code[PROGRAM_FILTER].flat.n_insns) {
		LLVMBasicBlockRef keep = jit_block(e, "keep");

		set_arguments(x, PROGRAM_FILTER);
		jit_emit_body(x, PROGRAM_FILTER);
		r0 = LLVMBuildTrunc(e->b, jit_get(x, 0), e->i32, "");
		LLVMBuildCondBr(e->b, LLVMBuildIsNotNull(e->b, r0, ""), keep, next);
		LLVMPositionBuilderAtEnd(e->b, keep);
	}
	LLVMBuildStore(
		e->b,
		LLVMBuildAdd(e->b, LLVMBuildLoad2(e->b, e->i64, matched, ""), jit_const(e, 1), ""),
		matched);
	if (grouped) {
		set_arguments(x, PROGRAM_KEY);
		x->state = emit_group(x, i);
	}
	set_arguments(x, PROGRAM_REDUCE);
	jit_emit_body(x, PROGRAM_REDUCE);
	r0 = LLVMBuildTrunc(e->b, jit_get(x, 0), e->i32, "");
	LLVMBuildCondBr(e->b, LLVMBuildIsNotNull(e->b, r0, ""), stop, next);

	LLVMPositionBuilderAtEnd(e->b, next);
	LLVMBuildStore(e->b, LLVMBuildAdd(e->b, i, jit_const(e, 1), ""), x->index);
	LLVMBuildBr(e->b, loop);

	LLVMPositionBuilderAtEnd(e->b, stop);
	if (local)
		copy_state(e, e->state, local_state);
	jit_emit_counters(e, LLVMBuildAdd(e->b, i, jit_const(e, 1), ""),
			  LLVMBuildLoad2(e->b, e->i64, matched, ""));
	leave(x, i, JIT_STOP);

	LLVMPositionBuilderAtEnd(e->b, x->trap);
	leave(x, i, JIT_TRAP);

	LLVMPositionBuilderAtEnd(e->b, done);
	if (local)
		copy_state(e, e->state, local_state);
	jit_emit_counters(e, e->n, LLVMBuildLoad2(e->b, e->i64, matched, ""));
	LLVMBuildRet(e->b, LLVMConstInt(e->i32, JIT_DONE, 0));
	return 0;
}
