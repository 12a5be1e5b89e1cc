/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_interp_code.h - the interpreter's own form of a function: one cell per flat instruction,
 * with the handler that executes it. What can be decided before a run is decided here: bare or
 * guarded, metered or not, register or immediate. Internal to vm_interp*.c.
 */
#ifndef NF_VM_INTERP_CODE_H
#define NF_VM_INTERP_CODE_H

#include "vm/vm.h"

/* Binary ALU operations, each with the handlers NAME_64_X, NAME_64_K, NAME_32_X, NAME_32_K. */
#define INTERP_ALU_OPS(X) \
	X(ADD) X(SUB) X(MUL) X(DIV) X(SDIV) X(MOD) X(SMOD) X(OR) X(AND) X(XOR) X(LSH) X(RSH) X(ARSH)

/* Comparisons, the same four forms, and again with _BACK for a metered jump. */
#define INTERP_JUMP_OPS(X) \
	X(JEQ) X(JNE) X(JSET) X(JGT) X(JGE) X(JLT) X(JLE) X(JSGT) X(JSGE) X(JSLT) X(JSLE)

/* name, C type that is loaded, C type it is extended to; with _GUARD too */
#define INTERP_LOADS(X)               \
	X(LOAD_1, uint8_t, uint64_t)  \
	X(LOAD_2, uint16_t, uint64_t) \
	X(LOAD_4, uint32_t, uint64_t) \
	X(LOAD_8, uint64_t, uint64_t) \
	X(LOADS_1, int8_t, int64_t)   \
	X(LOADS_2, int16_t, int64_t)  \
	X(LOADS_4, int32_t, int64_t)

/* name, C type that is stored; with _X and _K, each with _GUARD too */
#define INTERP_STORES(X) \
	X(STORE_1, uint8_t) X(STORE_2, uint16_t) X(STORE_4, uint32_t) X(STORE_8, uint64_t)

/* name, expression of the operand v (uint64_t): operations with one operand register */
#define INTERP_UNARY_OPS(X)                               \
	X(MOV_64_X, src, v)                               \
	X(MOV_32_X, src, (uint32_t)v)                     \
	X(MOVSX_64_1, src, (uint64_t)(int64_t)(int8_t)v)  \
	X(MOVSX_64_2, src, (uint64_t)(int64_t)(int16_t)v) \
	X(MOVSX_64_4, src, (uint64_t)(int64_t)(int32_t)v) \
	X(MOVSX_32_1, src, (uint32_t)(int8_t)v)           \
	X(MOVSX_32_2, src, (uint32_t)(int16_t)v)          \
	X(NEG_64, dst, 0 - v)                             \
	X(NEG_32, dst, (uint32_t)(0 - v))                 \
	X(LE_2, dst, htole16((uint16_t)v))                \
	X(LE_4, dst, htole32((uint32_t)v))                \
	X(LE_8, dst, htole64(v))                          \
	X(BE_2, dst, htobe16((uint16_t)v))                \
	X(BE_4, dst, htobe32((uint32_t)v))                \
	X(BE_8, dst, htobe64(v))                          \
	X(BSWAP_2, dst, __builtin_bswap16((uint16_t)v))   \
	X(BSWAP_4, dst, __builtin_bswap32((uint32_t)v))   \
	X(BSWAP_8, dst, __builtin_bswap64(v))

#define INTERP_OTHERS(X)                                                                 \
	X(SET)                                                                           \
	X(SET_WIDE) X(JA) X(JA_BACK) X(CALL) X(CALL_GUARD) X(CALL_METER) X(FAIL) X(EXIT) \
		X(UNREACHABLE) X(OBSERVE)

#define ENUM_ALU(name)  H_##name##_64_X, H_##name##_64_K, H_##name##_32_X, H_##name##_32_K,
#define ENUM_JUMP(name) ENUM_ALU(name)
#define ENUM_JUMP_BACK(name) \
	H_##name##_64_X_BACK, H_##name##_64_K_BACK, H_##name##_32_X_BACK, H_##name##_32_K_BACK,
#define ENUM_LOAD(name, t, e)  H_##name, H_##name##_GUARD,
#define ENUM_STORE(name, t)    H_##name##_X, H_##name##_K, H_##name##_X_GUARD, H_##name##_K_GUARD,
#define ENUM_UNARY(name, s, e) H_##name,
#define ENUM_OTHER(name)       H_##name,

enum interp_handler {
	INTERP_ALU_OPS(ENUM_ALU) INTERP_JUMP_OPS(ENUM_JUMP) INTERP_JUMP_OPS(ENUM_JUMP_BACK)
		INTERP_LOADS(ENUM_LOAD) INTERP_STORES(ENUM_STORE) INTERP_UNARY_OPS(ENUM_UNARY)
			INTERP_OTHERS(ENUM_OTHER) INTERP_HANDLERS
};

/* Cell i is flat instruction i; the second half of a pair, and the cell behind the last
 * instruction, are UNREACHABLE. */
struct interp_cell {
	uint16_t handler;  /* enum interp_handler */
	uint16_t observed; /* what OBSERVE goes on to */
	uint8_t dst, src;
	uint8_t region;  /* of a guarded access: enum vm_region */
	uint8_t bytes;   /* of an access */
	int32_t off;     /* access: added to the address; jump: cells from this one when taken */
	uint32_t charge; /* of a metered jump */
	uint64_t imm;    /* operand, constant, or the helper's row as a pointer */
};

/*
 * Translate one function; *ret is the caller's to free, NULL when the program has no such
 * function. -ENOMEM; -EINVAL with err when an instruction is not what a verifier lets through.
 */
int interp_translate(const struct vm_program *vp, enum program_kind entry, struct interp_cell **ret,
		     struct nf_error *err);

#endif
