/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_asm.h - instructions of one function in the making: labels, places in the query's text, the
 * blocks that fail.
 *
 * An error (no memory, too many instructions) sticks: what follows is ignored, and sql_asm_end()
 * reports it.
 */
#ifndef NF_SQL_ASM_H
#define NF_SQL_ASM_H

#include <linux/bpf.h>

#include "program/program.h"

enum { SQL_SLOTS = 60 }; /* of 8 bytes, on the stack */

/* A place to jump to; zero is one that is not bound yet. Labels are numbers. */
typedef uint32_t sql_label;

struct sql_jump {
	uint32_t insn;
	sql_label to;
};

struct sql_failing {
	uint32_t code;
	int32_t at;
	sql_label label;
};

struct sql_asm {
	struct bpf_insn *insns;
	uint32_t n_insns, room_insns;
	int64_t *labels; /* instruction, -1: not bound */
	uint32_t n_labels, room_labels;
	struct sql_jump *jumps;
	uint32_t n_jumps, room_jumps;
	struct sql_failing *failings;
	uint32_t n_failings, room_failings;
	struct program_line *lines;
	uint32_t n_lines, room_lines;
	const char *text;  /* of the query */
	char **line_texts; /* by its lines, as the line table wants them */
	uint32_t n_texts;
	int32_t at;          /* place in the text of what comes next */
	uint32_t last_label; /* instruction where a label was bound last */
	int error;
};

/* The lines of the text, once for all functions: printable, cut. -ENOMEM. */
int sql_asm_lines(const char *text, char ***ret, uint32_t *ret_n);

void sql_asm_begin(struct sql_asm *a, const char *text, char **line_texts, uint32_t n_texts);
void sql_asm_done(struct sql_asm *a);

sql_label sql_asm_label(struct sql_asm *a);
void sql_asm_bind(struct sql_asm *a, sql_label l);
void sql_asm_at(struct sql_asm *a, int32_t at);

void sql_asm_insn(struct sql_asm *a, uint8_t code, unsigned dst, unsigned src, int16_t off,
		  int32_t imm);
/* dst = imm, any 64 bits */
void sql_asm_const(struct sql_asm *a, unsigned dst, int64_t imm);
void sql_asm_rodata(struct sql_asm *a, unsigned dst, uint32_t offset);
void sql_asm_mov(struct sql_asm *a, unsigned dst, unsigned src);
/* dst op= src; dst op= imm (any 64 bits: through r5). op: BPF_ADD ... */
void sql_asm_alu(struct sql_asm *a, uint8_t op, unsigned dst, unsigned src);
void sql_asm_alu_imm(struct sql_asm *a, uint8_t op, unsigned dst, int64_t imm);
/* dst /= src, dst %= src, signed */
void sql_asm_sdiv(struct sql_asm *a, uint8_t op, unsigned dst, unsigned src);
void sql_asm_load(struct sql_asm *a, unsigned bytes, unsigned dst, unsigned base, int32_t off);
void sql_asm_store(struct sql_asm *a, unsigned bytes, unsigned base, int32_t off, unsigned src);
void sql_asm_store_imm(struct sql_asm *a, unsigned bytes, unsigned base, int32_t off, int32_t imm);
void sql_asm_goto(struct sql_asm *a, sql_label to);
/* if (dst op src) goto; op: BPF_JEQ ... */
void sql_asm_if(struct sql_asm *a, uint8_t op, unsigned dst, unsigned src, sql_label to);
void sql_asm_if_imm(struct sql_asm *a, uint8_t op, unsigned dst, int64_t imm, sql_label to);
void sql_asm_call(struct sql_asm *a, const char *helper);
/* Where fold_fail(code) is called for the expression at the current place. */
sql_label sql_asm_failing(struct sql_asm *a, uint32_t code);
/* r0 = result; exit */
void sql_asm_exit(struct sql_asm *a, int32_t result);
/* The failing blocks, and all jumps. 0, -ENOMEM, -E2BIG. */
int sql_asm_end(struct sql_asm *a);

#endif
