/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_alu.h - what each ALU operation and comparison computes, at widths 32 and 64: RFC 9669
 * section 4 as C functions without undefined behaviour. vm_alu_ADD_64(a, b) and so on, the name as
 * in enum vm_opcode. Operands are unsigned; signed operations reinterpret them.
 */
#ifndef NF_VM_ALU_H
#define NF_VM_ALU_H

#include <stdbool.h>
#include <stdint.h>

#define VM_ALU_FN(name, w, expr)                                                    \
	static inline uint##w##_t vm_alu_##name##_##w(uint##w##_t a, uint##w##_t b) \
	{                                                                           \
		return (uint##w##_t)(expr);                                         \
	}
#define VM_CMP_FN(name, w, expr)                                             \
	static inline bool vm_cmp_##name##_##w(uint##w##_t a, uint##w##_t b) \
	{                                                                    \
		return (expr);                                               \
	}

/* Division by -1 is negation: the most negative number has no positive counterpart, and the
 * processor would trap. */
#define VM_ALU_FNS(w)                                                                      \
	VM_ALU_FN(ADD, w, a + b)                                                           \
	VM_ALU_FN(SUB, w, a - b)                                                           \
	VM_ALU_FN(MUL, w, a *b)                                                            \
	VM_ALU_FN(DIV, w, b ? a / b : 0)                                                   \
	VM_ALU_FN(MOD, w, b ? a % b : a)                                                   \
	VM_ALU_FN(SDIV, w,                                                                 \
		  b == 0                   ? 0                                             \
		  : b == (uint##w##_t) - 1 ? 0 - a                                         \
					   : (uint##w##_t)((int##w##_t)a / (int##w##_t)b)) \
	VM_ALU_FN(SMOD, w,                                                                 \
		  b == 0                   ? a                                             \
		  : b == (uint##w##_t) - 1 ? 0                                             \
					   : (uint##w##_t)((int##w##_t)a % (int##w##_t)b)) \
	VM_ALU_FN(OR, w, a | b)                                                            \
	VM_ALU_FN(AND, w, a &b)                                                            \
	VM_ALU_FN(XOR, w, a ^ b)                                                           \
	VM_ALU_FN(LSH, w, a << (b & (w - 1)))                                              \
	VM_ALU_FN(RSH, w, a >> (b & (w - 1)))                                              \
	VM_ALU_FN(ARSH, w, (int##w##_t)a >> (b & (w - 1)))                                 \
	VM_CMP_FN(JEQ, w, a == b)                                                          \
	VM_CMP_FN(JNE, w, a != b)                                                          \
	VM_CMP_FN(JSET, w, (a & b) != 0)                                                   \
	VM_CMP_FN(JGT, w, a > b)                                                           \
	VM_CMP_FN(JGE, w, a >= b)                                                          \
	VM_CMP_FN(JLT, w, a < b)                                                           \
	VM_CMP_FN(JLE, w, a <= b)                                                          \
	VM_CMP_FN(JSGT, w, (int##w##_t)a > (int##w##_t)b)                                  \
	VM_CMP_FN(JSGE, w, (int##w##_t)a >= (int##w##_t)b)                                 \
	VM_CMP_FN(JSLT, w, (int##w##_t)a < (int##w##_t)b)                                  \
	VM_CMP_FN(JSLE, w, (int##w##_t)a <= (int##w##_t)b)

VM_ALU_FNS(32)
VM_ALU_FNS(64)

#undef VM_ALU_FNS
#undef VM_CMP_FN
#undef VM_ALU_FN

#endif
