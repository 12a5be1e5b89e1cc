/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * jit_body.h - the instructions of one entry function, emitted inline into the scan loop of
 * jit_exact.c: loads and stores with their guards, arithmetic, jumps with the meter, helpers.
 */
#ifndef NF_VM_JIT_BODY_H
#define NF_VM_JIT_BODY_H

#include "jit_emit.h"

/* The loop that is being made, and where its parts live. */
struct exact {
	struct jit_emit *e;
	LLVMValueRef regs[11];       /* i64 allocas */
	LLVMValueRef stack;          /* alloca; stack_bytes of the largest function */
	LLVMValueRef key;            /* alloca of 64 bytes; never given away, so that it splits */
	LLVMValueRef key_given;      /* and its copy for find_group() */
	LLVMValueRef meter;          /* i64 alloca: what is left of the budget; NULL: no loop */
	LLVMValueRef budget;         /* of a record */
	LLVMValueRef index;          /* i64 alloca: the record's number */
	LLVMValueRef record, length; /* of this iteration */
	LLVMValueRef state; /* of this iteration: the argument, its local copy, or the group's */
	LLVMBasicBlockRef trap; /* returns JIT_TRAP */
	uint32_t stack_bytes;
	LLVMBasicBlockRef *blocks; /* by instruction of the function being emitted */
};

/* A register's value. */
LLVMValueRef jit_get(struct exact *x, unsigned reg);
void jit_set(struct exact *x, unsigned reg, LLVMValueRef v);

/* One function, inline. Ends with the builder at a new block, r0 in its register. */
void jit_emit_body(struct exact *x, enum program_kind entry);

#endif
