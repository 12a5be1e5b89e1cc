/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_isa.h - the instruction table: RFC 9669's base64, divmul and base32/jmp32 groups, as clang
 * emits them up to -mcpu=v4, one row per encoding.
 *
 * vm_isa_decode() turns an instruction into a plain struct vm_op; the verifier, the engines and
 * the tests' assembler and generator work on that, so nobody else looks at opcode bytes. What
 * Nearfold refuses (atomics, legacy packet access, maps, callx, may_goto) has rows too, with the
 * reason. Pure functions over constant tables: any thread.
 *
 * Meaning of the operations (RFC 9669 section 4; every engine does exactly this):
 *	width 32	operates on the low halves; dst's upper half becomes zero (ALU); compares
 *			the low halves (jumps)
 *	imm		sign-extended to 64 bits; at width 32 its low half counts
 *	DIV SDIV	by zero gives 0; SDIV of the most negative number by -1 gives it back
 *	MOD SMOD	by zero leaves dst (at width 32 its upper half becomes zero); SMOD of the
 *			most negative number by -1 gives 0; the sign is the dividend's
 *	LSH RSH ARSH	the distance is taken modulo the width
 *	MOVSX		sign-extends the low `bytes` bytes of src to the width
 *	LE BE BSWAP	of the low `bytes` bytes; the rest of dst becomes zero
 *	LOAD		zero-extends to 64 bits, or sign-extends when `sign`
 */
#ifndef NF_VM_ISA_H
#define NF_VM_ISA_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

/* What the kernel's header of Debian 12 (6.1) lacks. */
#ifndef BPF_MEMSX
#define BPF_MEMSX 0x80 /* load with sign extension, mode of BPF_LDX */
#endif
#ifndef BPF_JCOND
#define BPF_JCOND 0xe0 /* may_goto */
#endif
#ifndef BPF_JA
#define BPF_JA 0x00
#endif

/* The variable address of RFC 9669 section 5.4 is Nearfold's address of rodata: the same value
 * as PROGRAM_PSEUDO_RODATA. */
#define VM_PSEUDO_RODATA 3
#define VM_PSEUDO_CALL   1

enum vm_opcode {
	/* ALU: dst = dst OP (src or imm) */
	VM_OP_ADD,
	VM_OP_SUB,
	VM_OP_MUL,
	VM_OP_DIV,
	VM_OP_SDIV,
	VM_OP_MOD,
	VM_OP_SMOD,
	VM_OP_OR,
	VM_OP_AND,
	VM_OP_XOR,
	VM_OP_LSH,
	VM_OP_RSH,
	VM_OP_ARSH,
	VM_OP_MOV,
	VM_OP_MOVSX, /* from `bytes` bytes of src */
	VM_OP_NEG,   /* dst = -dst */
	VM_OP_LE,    /* dst = htole(dst), `bytes` bytes */
	VM_OP_BE,
	VM_OP_BSWAP,
	/* jumps: if dst OP (src or imm) goto off */
	VM_OP_JA, /* always; no operands */
	VM_OP_JEQ,
	VM_OP_JNE,
	VM_OP_JSET, /* dst & operand */
	VM_OP_JGT,
	VM_OP_JGE,
	VM_OP_JLT,
	VM_OP_JLE,
	VM_OP_JSGT,
	VM_OP_JSGE,
	VM_OP_JSLT,
	VM_OP_JSLE,
	/* memory */
	VM_OP_LOAD,  /* dst = *(bytes *)(src + off) */
	VM_OP_STORE, /* *(bytes *)(dst + off) = src or imm */
	/* the rest */
	VM_OP_IMM64,    /* dst = imm, two slots */
	VM_OP_RODATA,   /* dst = address of rodata + imm, two slots */
	VM_OP_CALL,     /* helper number imm: r1..r5 -> r0; r1..r5 are lost */
	VM_OP_CALL_SUB, /* funcs[imm]; never in flattened code */
	VM_OP_EXIT,
	VM_OPCODES,
};

enum vm_op_kind {
	VM_KIND_ALU,
	VM_KIND_JUMP, /* JA too */
	VM_KIND_LOAD,
	VM_KIND_STORE,
	VM_KIND_CONST, /* IMM64, RODATA */
	VM_KIND_CALL,
	VM_KIND_EXIT,
};

/* An operation's name ("sdiv") and its sign in pseudo-C ("s/="); for messages and assemblers.
 * symbol is NULL where the pseudo-C has no operator. */
struct vm_op_info {
	const char *name;
	const char *symbol;
	enum vm_op_kind kind;
};
extern const struct vm_op_info vm_op_infos[VM_OPCODES];

/* One decoded instruction. */
struct vm_op {
	uint8_t op;       /* enum vm_opcode */
	uint8_t kind;     /* enum vm_op_kind */
	uint8_t width;    /* 32 or 64, of ALU and JUMP; else 64 */
	uint8_t bytes;    /* 1, 2, 4, 8 of LOAD, STORE, MOVSX, LE, BE, BSWAP; else 0 */
	bool sign;        /* LOAD: sign-extends */
	bool use_imm;     /* the operand is imm, not src; true for IMM64 and RODATA, JA too */
	uint8_t dst, src; /* 0..10; 0 where there is none: look at reads and writes */
	uint8_t slots;    /* 1, or 2 for IMM64 and RODATA */
	/* Registers, bit i is r_i. CALL reads what its helper's row says (not in `reads`) and
	 * writes r0..r5; EXIT reads r0 where the function returns a value (not in `reads`). */
	uint16_t reads, writes;
	int32_t off; /* LOAD, STORE: added to the address; JUMP: slots from the next one */
	int64_t imm; /* sign-extended; IMM64: all 64 bits; RODATA: byte offset */
};

/*
 * Decode the instruction at insns[at], at < n_insns. Returns NULL and fills *ret, or the reason
 * why it is ill-formed or refused, e.g. "atomic operations are not supported"; then *ret is
 * untouched. Checks everything that one instruction shows: known opcode, registers r0..r10, r10
 * not written, reserved fields zero, both slots of a pair there. Targets are the caller's to
 * check.
 */
const char *vm_isa_decode(const struct bpf_insn *insns, uint32_t n_insns, uint32_t at,
			  struct vm_op *ret);

static inline bool vm_op_is_access(const struct vm_op *op)
{
	return op->kind == VM_KIND_LOAD || op->kind == VM_KIND_STORE;
}

/* A jump with two ways on. */
static inline bool vm_op_is_conditional(const struct vm_op *op)
{
	return op->kind == VM_KIND_JUMP && op->op != VM_OP_JA;
}

/* Does control go on to the next instruction (too)? */
static inline bool vm_op_falls_through(const struct vm_op *op)
{
	return op->op != VM_OP_JA && op->op != VM_OP_EXIT;
}

/* Where the jump at instruction `at` goes when taken; may be outside of the function. */
static inline int64_t vm_isa_jump_target(const struct vm_op *op, uint32_t at)
{
	return (int64_t)at + op->slots + op->off;
}

/* ---- the rows themselves: for the assembler, the generator and documentation --------------- */

enum vm_isa_field {
	VM_FIELD_DST = 1,
	VM_FIELD_SRC = 2,
	VM_FIELD_OFF = 4,
	VM_FIELD_IMM = 8,
};

struct vm_isa_row {
	const char *refused; /* NULL: supported */
	uint8_t op;
	uint8_t width;
	uint8_t bytes;
	uint8_t sign;
	uint8_t fields; /* enum vm_isa_field bits that carry operands; the others must be zero */
	uint8_t select; /* the field that tells this row from others of the same opcode, or 0 */
	int16_t value;  /* what it must be */
};

/* The rows of an opcode byte; *ret_n 0 when there is no such opcode. */
const struct vm_isa_row *vm_isa_rows(uint8_t code, unsigned *ret_n);

#endif
