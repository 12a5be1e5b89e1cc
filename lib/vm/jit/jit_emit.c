/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "jit_emit.h"

#include <string.h>

static void function_attribute(struct jit_emit *e, const char *key, const char *value)
{
	LLVMAddAttributeAtIndex(e->fn, LLVMAttributeFunctionIndex,
				LLVMCreateStringAttribute(e->context, key, (unsigned)strlen(key),
							  value, (unsigned)strlen(value)));
}

static void enum_attribute(struct jit_emit *e, LLVMAttributeIndex at, const char *name)
{
	unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));

	LLVMAddAttributeAtIndex(e->fn, at, LLVMCreateEnumAttribute(e->context, kind, 0));
}

void jit_emit_function(struct jit_emit *e, const char *name)
{
	LLVMTypeRef args[] = {e->ptr, e->ptr, e->i64, e->ptr, e->ptr, e->ptr, e->ptr};

	e->fn = LLVMAddFunction(e->module, name, LLVMFunctionType(e->i32, args, 7, 0));
	e->ctx = LLVMGetParam(e->fn, 0);
	e->data = LLVMGetParam(e->fn, 1);
	e->n = LLVMGetParam(e->fn, 2);
	e->starts = LLVMGetParam(e->fn, 3);
	e->state = LLVMGetParam(e->fn, 4);
	e->params = LLVMGetParam(e->fn, 5);
	e->rodata = LLVMGetParam(e->fn, 6);
	/* Nothing that a record or a parameter is read from is ever written by the program. */
	for (unsigned i = 0; i < 7; i++)
		if (i != 2)
			enum_attribute(e, i + 1, "noalias");
	enum_attribute(e, 2, "readonly");
	enum_attribute(e, 4, "readonly");
	enum_attribute(e, 6, "readonly");
	enum_attribute(e, 7, "readonly");
	enum_attribute(e, LLVMAttributeFunctionIndex, "nounwind");
	function_attribute(e, "target-cpu", e->cpu);
	function_attribute(e, "target-features", e->features);
	/* The image has no imports: nothing may become a call of memcpy or of the like. */
	function_attribute(e, "no-builtins", "");
	LLVMPositionBuilderAtEnd(e->b, jit_block(e, "entry"));
}

LLVMBasicBlockRef jit_block(struct jit_emit *e, const char *name)
{
	return LLVMAppendBasicBlockInContext(e->context, e->fn, name);
}

LLVMValueRef jit_const(struct jit_emit *e, uint64_t x)
{
	return LLVMConstInt(e->i64, x, 0);
}

LLVMTypeRef jit_int(struct jit_emit *e, unsigned bytes)
{
	return LLVMIntTypeInContext(e->context, bytes * 8);
}

LLVMValueRef jit_at(struct jit_emit *e, LLVMValueRef base, LLVMValueRef offset)
{
	return LLVMBuildGEP2(e->b, e->i8, base, &offset, 1, "");
}

LLVMValueRef jit_at_const(struct jit_emit *e, LLVMValueRef base, int64_t offset)
{
	return offset ? jit_at(e, base, jit_const(e, (uint64_t)offset)) : base;
}

LLVMValueRef jit_load(struct jit_emit *e, LLVMTypeRef type, LLVMValueRef at)
{
	LLVMValueRef v = LLVMBuildLoad2(e->b, type, at, "");

	LLVMSetAlignment(v, 1);
	return v;
}

void jit_store(struct jit_emit *e, LLVMValueRef value, LLVMValueRef at)
{
	LLVMSetAlignment(LLVMBuildStore(e->b, value, at), 1);
}

LLVMValueRef jit_field(struct jit_emit *e, size_t offset)
{
	return jit_at_const(e, e->ctx, (int64_t)offset);
}

LLVMValueRef jit_intrinsic(struct jit_emit *e, const char *name, LLVMTypeRef type,
			   LLVMValueRef *args, unsigned n_args)
{
	unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
	LLVMValueRef fn = LLVMGetIntrinsicDeclaration(e->module, id, &type, 1);

	return LLVMBuildCall2(e->b, LLVMIntrinsicGetType(e->context, id, &type, 1), fn, args,
			      n_args, "");
}

void jit_emit_prefetch(struct jit_emit *e, LLVMValueRef record, unsigned n, bool quick)
{
	enum { LINE_BYTES = 64, MOST = 16, FOR_READING = 0, ALL_CACHES = 3, DATA = 1 };
	enum { AHEAD_QUICK = 256, AHEAD_RECORDS = 16, AHEAD_LEAST = 512, AHEAD_MOST = 2048 };
	const struct vm_program *vp = e->vp;
	uint32_t bytes = vp->bounds.record_max_bytes, ahead = AHEAD_RECORDS * bytes;
	uint32_t end = (n - 1) * bytes + vp->record_read_end;

	ahead = ahead < AHEAD_LEAST ? AHEAD_LEAST : ahead > AHEAD_MOST ? AHEAD_MOST : ahead;
	if (quick)
		ahead = AHEAD_QUICK;
	if (!vp->record_read_end)
		return;
	for (uint32_t k = 0, at = vp->record_read_start; k < MOST && at < end; k++) {
		LLVMValueRef args[] = {
			jit_at_const(e, record, (int64_t)ahead + at),
			LLVMConstInt(e->i32, FOR_READING, 0),
			LLVMConstInt(e->i32, ALL_CACHES, 0),
			LLVMConstInt(e->i32, DATA, 0),
		};

		jit_intrinsic(e, "llvm.prefetch", e->ptr, args, 4);
		at += LINE_BYTES;
	}
}

void jit_emit_counters(struct jit_emit *e, LLVMValueRef n, LLVMValueRef matched)
{
	LLVMValueRef at = jit_field(e, offsetof(struct jit_ctx, records));

	jit_store(e, LLVMBuildAdd(e->b, jit_load(e, e->i64, at), n, ""), at);
	at = jit_field(e, offsetof(struct jit_ctx, matched));
	jit_store(e, LLVMBuildAdd(e->b, jit_load(e, e->i64, at), matched, ""), at);
}

LLVMValueRef jit_splat_like(struct jit_emit *e, uint64_t x, LLVMTypeRef type)
{
	LLVMValueRef lanes[64], c;

	(void)e;
	if (LLVMGetTypeKind(type) != LLVMVectorTypeKind)
		return LLVMConstInt(type, x, 0);
	c = LLVMConstInt(LLVMGetElementType(type), x, 0);
	for (unsigned i = 0; i < LLVMGetVectorSize(type); i++)
		lanes[i] = c;
	return LLVMConstVector(lanes, LLVMGetVectorSize(type));
}

/* RFC 9669: division by zero gives 0, modulo by zero the dividend; the most negative number by -1
 * wraps. The divisor is replaced before the instruction, which would trap. */
LLVMValueRef jit_divide(struct jit_emit *e, LLVMValueRef a, LLVMValueRef d, bool is_signed,
			bool mod)
{
	LLVMTypeRef type = LLVMTypeOf(a);
	LLVMValueRef zero = LLVMConstNull(type), one = jit_splat_like(e, 1, type), safe, minus, q;
	LLVMValueRef by_zero = LLVMBuildICmp(e->b, LLVMIntEQ, d, zero, "");

	safe = LLVMBuildSelect(e->b, by_zero, one, d, "");
	if (!is_signed) {
		q = mod ? LLVMBuildURem(e->b, a, safe, "") : LLVMBuildUDiv(e->b, a, safe, "");
	} else {
		minus = LLVMBuildICmp(e->b, LLVMIntEQ, d, LLVMConstAllOnes(type), "");
		safe = LLVMBuildSelect(e->b, minus, one, safe, "");
		q = mod ? LLVMBuildSRem(e->b, a, safe, "") : LLVMBuildSDiv(e->b, a, safe, "");
		q = LLVMBuildSelect(e->b, minus, mod ? zero : LLVMBuildNeg(e->b, a, ""), q, "");
	}
	return LLVMBuildSelect(e->b, by_zero, mod ? a : zero, q, "");
}

static LLVMTypeRef double_like(struct jit_emit *e, LLVMTypeRef type)
{
	return LLVMGetTypeKind(type) == LLVMVectorTypeKind
		       ? LLVMVectorType(e->f64, LLVMGetVectorSize(type))
		       : e->f64;
}

/* The bits of a double, every NaN the canonical one. */
static LLVMValueRef canonical(struct jit_emit *e, LLVMValueRef v, LLVMTypeRef bits)
{
	LLVMValueRef nan = LLVMBuildFCmp(e->b, LLVMRealUNO, v, v, "");

	return LLVMBuildSelect(e->b, nan, jit_splat_like(e, 0x7ff8000000000000ull, bits),
			       LLVMBuildBitCast(e->b, v, bits, ""), "");
}

LLVMValueRef jit_inline_helper(struct jit_emit *e, int32_t number, LLVMValueRef a, LLVMValueRef x)
{
	const char *name = vm_helper_name(number);
	LLVMTypeRef bits = LLVMTypeOf(a), type = double_like(e, bits);
	LLVMValueRef l, r = NULL;

	if (!name || strncmp(name, "fold_f64_", 9))
		return NULL;
	name += 9;
	if (!strcmp(name, "from_i64"))
		return LLVMBuildBitCast(e->b, LLVMBuildSIToFP(e->b, a, type, ""), bits, "");
	l = LLVMBuildBitCast(e->b, a, type, "");
	if (!strcmp(name, "to_i64")) {
		LLVMTypeRef types[] = {bits, type};
		unsigned id = LLVMLookupIntrinsicID("llvm.fptosi.sat", 15);
		LLVMValueRef fn = LLVMGetIntrinsicDeclaration(e->module, id, types, 2);

		return LLVMBuildCall2(e->b, LLVMIntrinsicGetType(e->context, id, types, 2), fn, &l,
				      1, "");
	}
	if (!x)
		return NULL;
	r = LLVMBuildBitCast(e->b, x, type, "");
	if (!strcmp(name, "add"))
		return canonical(e, LLVMBuildFAdd(e->b, l, r, ""), bits);
	if (!strcmp(name, "sub"))
		return canonical(e, LLVMBuildFSub(e->b, l, r, ""), bits);
	if (!strcmp(name, "mul"))
		return canonical(e, LLVMBuildFMul(e->b, l, r, ""), bits);
	if (!strcmp(name, "div"))
		return canonical(e, LLVMBuildFDiv(e->b, l, r, ""), bits);

	static const struct {
		const char *name;
		LLVMRealPredicate order;
	} orders[] = {{"lt", LLVMRealOLT}, {"le", LLVMRealOLE}, {"eq", LLVMRealOEQ}};

	for (unsigned i = 0; i < 3; i++)
		if (!strcmp(name, orders[i].name))
			return LLVMBuildZExt(e->b, LLVMBuildFCmp(e->b, orders[i].order, l, r, ""),
					     bits, "");
	return NULL;
}
