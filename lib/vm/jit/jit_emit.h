/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * jit_emit.h - what the parts of the compiler share: one LLVM module in the making.
 *
 * How bytecode becomes IR:
 *	registers	i64 allocas, which SROA turns into SSA values
 *	pointers	never host addresses: a pointer register holds JIT_POINTER + the offset into
 *			its region. The verifier knows the region of every access, so the
 *			address is base + offset, and LLVM sees a plain GEP from a noalias
 *			argument. JIT_POINTER keeps pointers apart from null.
 *	the stack	an alloca
 *	a guard, the meter	a compare and a jump to a cold block that fills ctx->trap
 */
#ifndef NF_VM_JIT_EMIT_H
#define NF_VM_JIT_EMIT_H

#include <llvm-c/Core.h>

#include "vm/jit.h"
#include "vm/vm_branchfree.h"
#include "vm/vm_helper.h"
#include "vm/vm_isa.h"

#define JIT_POINTER (INT64_C(1) << 40)

struct jit_emit {
	LLVMContextRef context;
	LLVMModuleRef module;
	LLVMBuilderRef b;
	LLVMTypeRef i1, i8, i16, i32, i64, i128, f64, ptr, void_;
	const struct vm_program *vp;
	const struct jit_options *options;
	const char *cpu, *features;
	unsigned vector_bytes; /* widest vector register */

	/* The function being made and its arguments. */
	LLVMValueRef fn, ctx, data, n, starts, state, params, rodata;
};

/* Begin a jit_fn called name; the builder stands at its entry block. */
void jit_emit_function(struct jit_emit *e, const char *name);
LLVMBasicBlockRef jit_block(struct jit_emit *e, const char *name);
LLVMValueRef jit_const(struct jit_emit *e, uint64_t x);
/* iN, N = 8 * bytes */
LLVMTypeRef jit_int(struct jit_emit *e, unsigned bytes);
/* base + offset bytes */
LLVMValueRef jit_at(struct jit_emit *e, LLVMValueRef base, LLVMValueRef offset);
LLVMValueRef jit_at_const(struct jit_emit *e, LLVMValueRef base, int64_t offset);
/* Unaligned load and store of a value of that type. */
LLVMValueRef jit_load(struct jit_emit *e, LLVMTypeRef type, LLVMValueRef at);
void jit_store(struct jit_emit *e, LLVMValueRef value, LLVMValueRef at);
/* ctx->field, by its offset. */
LLVMValueRef jit_field(struct jit_emit *e, size_t offset);
LLVMValueRef jit_intrinsic(struct jit_emit *e, const char *name, LLVMTypeRef type,
			   LLVMValueRef *args, unsigned n_args);
/* Fixed records: ask for what the program reads of n of them, some way behind `record`. A loop with
 * many instructions a record has too few records under way to keep the memory busy. A quick one has
 * not, and asking far ahead costs it a tenth of the memory's bandwidth (Zen 3). */
void jit_emit_prefetch(struct jit_emit *e, LLVMValueRef record, unsigned n, bool quick);
/* ctx->records += n, ctx->matched += matched */
void jit_emit_counters(struct jit_emit *e, LLVMValueRef n, LLVMValueRef matched);

/* Arithmetic of RFC 9669 on i64 values, scalars or vectors. */
LLVMValueRef jit_divide(struct jit_emit *e, LLVMValueRef a, LLVMValueRef b, bool is_signed,
			bool mod);
/* One of the helpers on doubles or integers that have an instruction sequence of their own; scalars
 * or vectors of i64. NULL: call it. */
LLVMValueRef jit_inline_helper(struct jit_emit *e, int32_t number, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef jit_splat_like(struct jit_emit *e, uint64_t x, LLVMTypeRef type);

/* The function that any program has, under that name; metered: with the meter, if there is a loop.
 * -ENOMEM. */
int jit_emit_exact(struct jit_emit *e, const char *name, bool metered);

/* The function "bulk"; what jit_fold() must know of it goes into head. 0, or -ENOTSUP when bf has
 * something it has no form for, or -ENOMEM; then there is no such function. */
int jit_emit_bulk(struct jit_emit *e, const struct vm_branchfree *bf, struct jit_image *head);

#endif
