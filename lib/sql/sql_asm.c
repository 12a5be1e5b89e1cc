/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "sql/sql_asm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "vm/vm_helper.h"

enum { SCRATCH = 5 }; /* the register that large constants go through */

static bool grow(struct sql_asm *a, void *list, uint32_t *room, uint32_t n, size_t each)
{
	void **p = list, *more;

	if (a->error)
		return false;
	if (n < *room)
		return true;
	more = realloc(*p, (*room ? 2u * *room : 64) * each);
	if (!more) {
		a->error = -ENOMEM;
		return false;
	}
	*p = more;
	*room = *room ? 2u * *room : 64;
	return true;
}

int sql_asm_lines(const char *text, char ***ret, uint32_t *ret_n)
{
	char **lines = NULL;
	uint32_t n = 0;

	for (const char *p = text;; n++) {
		size_t len = strcspn(p, "\n");
		size_t keep = len < PROGRAM_MAX_LINE_BYTES ? len : PROGRAM_MAX_LINE_BYTES;
		char **more = realloc(lines, (n + 1) * sizeof(*lines));

		if (more)
			lines = more;
		while (keep < len && keep && ((unsigned char)p[keep] & 0xc0) == 0x80)
			keep--; /* not into the middle of a character */
		if (!more || !(lines[n] = strndup(p, keep))) {
			while (n)
				free(lines[--n]);
			free(lines);
			return -ENOMEM;
		}
		for (char *c = lines[n]; *c; c++)
			if ((unsigned char)*c < ' ' || *c == 0x7f)
				*c = ' ';
		if (!p[len])
			break;
		p += len + 1;
	}
	*ret = lines;
	*ret_n = n + 1;
	return 0;
}

void sql_asm_begin(struct sql_asm *a, const char *text, char **line_texts, uint32_t n_texts)
{
	*a = (struct sql_asm){
		.text = text,
		.line_texts = line_texts,
		.n_texts = n_texts,
		.at = -1,
		.last_label = UINT32_MAX,
	};
}

void sql_asm_done(struct sql_asm *a)
{
	free(a->insns);
	free(a->labels);
	free(a->jumps);
	free(a->failings);
	free(a->lines);
}

sql_label sql_asm_label(struct sql_asm *a)
{
	if (!grow(a, &a->labels, &a->room_labels, a->n_labels, sizeof(*a->labels)))
		return 0;
	a->labels[a->n_labels] = -1;
	return a->n_labels++;
}

/* A jump to where control goes anyway is taken out again. */
static void drop_jump(struct sql_asm *a, sql_label l)
{
	while (a->n_jumps && a->n_insns && a->last_label != a->n_insns) {
		const struct sql_jump *j = &a->jumps[a->n_jumps - 1];

		if (j->to != l || j->insn != a->n_insns - 1 ||
		    a->insns[j->insn].code != (BPF_JMP | BPF_JA))
			return;
		a->n_jumps--;
		a->n_insns--;
		while (a->n_lines && a->lines[a->n_lines - 1].insn >= a->n_insns)
			a->n_lines--;
	}
}

void sql_asm_bind(struct sql_asm *a, sql_label l)
{
	if (a->error)
		return;
	drop_jump(a, l);
	a->labels[l] = a->n_insns;
	a->last_label = a->n_insns;
}

void sql_asm_at(struct sql_asm *a, int32_t at)
{
	if (at >= 0)
		a->at = at;
}

/* The row of the line table for the place, if it is another one than the last. */
static void add_line(struct sql_asm *a)
{
	uint32_t line = 0;
	int32_t start = 0;

	if (a->at < 0)
		return;
	for (int32_t i = 0; i < a->at && a->text[i]; i++)
		if (a->text[i] == '\n') {
			line++;
			start = i + 1;
		}
	if (line >= a->n_texts)
		return;

	struct program_line row = {
		.insn = a->n_insns,
		.line = line + 1,
		.column = (uint32_t)(a->at - start) + 1,
		.text = a->line_texts[line],
	};

	if (a->n_lines && a->lines[a->n_lines - 1].line == row.line &&
	    a->lines[a->n_lines - 1].column == row.column)
		return;
	if (grow(a, &a->lines, &a->room_lines, a->n_lines, sizeof(*a->lines)))
		a->lines[a->n_lines++] = row;
}

void sql_asm_insn(struct sql_asm *a, uint8_t code, unsigned dst, unsigned src, int16_t off,
		  int32_t imm)
{
	if (a->n_insns >= PROGRAM_MAX_INSNS && !a->error)
		a->error = -E2BIG;
	if (!grow(a, &a->insns, &a->room_insns, a->n_insns, sizeof(*a->insns)))
		return;
	add_line(a);
	a->insns[a->n_insns++] = (struct bpf_insn){
		.code = code, .dst_reg = dst & 15, .src_reg = src & 15, .off = off, .imm = imm};
}

void sql_asm_const(struct sql_asm *a, unsigned dst, int64_t imm)
{
	if (imm == (int32_t)imm) {
		sql_asm_insn(a, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, (int32_t)imm);
		return;
	}
	sql_asm_insn(a, BPF_LD | BPF_IMM | BPF_DW, dst, 0, 0, (int32_t)imm);
	sql_asm_insn(a, 0, 0, 0, 0, (int32_t)((uint64_t)imm >> 32));
}

void sql_asm_rodata(struct sql_asm *a, unsigned dst, uint32_t offset)
{
	sql_asm_insn(a, BPF_LD | BPF_IMM | BPF_DW, dst, PROGRAM_PSEUDO_RODATA, 0, (int32_t)offset);
	sql_asm_insn(a, 0, 0, 0, 0, 0);
}

void sql_asm_mov(struct sql_asm *a, unsigned dst, unsigned src)
{
	if (dst != src)
		sql_asm_insn(a, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

void sql_asm_alu(struct sql_asm *a, uint8_t op, unsigned dst, unsigned src)
{
	sql_asm_insn(a, BPF_ALU64 | BPF_X | op, dst, src, 0, 0);
}

void sql_asm_alu_imm(struct sql_asm *a, uint8_t op, unsigned dst, int64_t imm)
{
	if (imm == (int32_t)imm) {
		sql_asm_insn(a, BPF_ALU64 | BPF_K | op, dst, 0, 0, (int32_t)imm);
		return;
	}
	sql_asm_const(a, SCRATCH, imm);
	sql_asm_alu(a, op, dst, SCRATCH);
}

void sql_asm_sdiv(struct sql_asm *a, uint8_t op, unsigned dst, unsigned src)
{
	sql_asm_insn(a, BPF_ALU64 | BPF_X | op, dst, src, 1, 0); /* off 1: signed */
}

static uint8_t size_code(unsigned bytes)
{
	return bytes == 1 ? BPF_B : bytes == 2 ? BPF_H : bytes == 4 ? BPF_W : BPF_DW;
}

void sql_asm_load(struct sql_asm *a, unsigned bytes, unsigned dst, unsigned base, int32_t off)
{
	if (off != (int16_t)off) { /* records may be longer than an offset reaches */
		sql_asm_mov(a, dst, base);
		sql_asm_alu_imm(a, BPF_ADD, dst, off);
		base = dst;
		off = 0;
	}
	sql_asm_insn(a, BPF_LDX | BPF_MEM | size_code(bytes), dst, base, (int16_t)off, 0);
}

void sql_asm_store(struct sql_asm *a, unsigned bytes, unsigned base, int32_t off, unsigned src)
{
	if (off != (int16_t)off) {
		sql_asm_mov(a, SCRATCH, base);
		sql_asm_alu_imm(a, BPF_ADD, SCRATCH, off);
		base = SCRATCH;
		off = 0;
	}
	sql_asm_insn(a, BPF_STX | BPF_MEM | size_code(bytes), base, src, (int16_t)off, 0);
}

void sql_asm_store_imm(struct sql_asm *a, unsigned bytes, unsigned base, int32_t off, int32_t imm)
{
	sql_asm_insn(a, BPF_ST | BPF_MEM | size_code(bytes), base, 0, (int16_t)off, imm);
}

static void add_jump(struct sql_asm *a, sql_label to)
{
	if (grow(a, &a->jumps, &a->room_jumps, a->n_jumps, sizeof(*a->jumps)))
		a->jumps[a->n_jumps++] = (struct sql_jump){a->n_insns, to};
}

void sql_asm_goto(struct sql_asm *a, sql_label to)
{
	add_jump(a, to);
	sql_asm_insn(a, BPF_JMP | BPF_JA, 0, 0, 0, 0);
}

void sql_asm_if(struct sql_asm *a, uint8_t op, unsigned dst, unsigned src, sql_label to)
{
	add_jump(a, to);
	sql_asm_insn(a, BPF_JMP | BPF_X | op, dst, src, 0, 0);
}

void sql_asm_if_imm(struct sql_asm *a, uint8_t op, unsigned dst, int64_t imm, sql_label to)
{
	if (imm != (int32_t)imm) {
		sql_asm_const(a, SCRATCH, imm);
		sql_asm_if(a, op, dst, SCRATCH, to);
		return;
	}
	add_jump(a, to);
	sql_asm_insn(a, BPF_JMP | BPF_K | op, dst, 0, 0, (int32_t)imm);
}

void sql_asm_call(struct sql_asm *a, const char *helper)
{
	for (size_t i = 0; i < vm_n_helpers; i++)
		if (!strcmp(vm_helpers[i].name, helper)) {
			sql_asm_insn(a, BPF_JMP | BPF_CALL, 0, 0, 0, VM_HELPER_BASE + (int32_t)i);
			return;
		}
	a->error = -EINVAL; /* a misspelt name */
}

sql_label sql_asm_failing(struct sql_asm *a, uint32_t code)
{
	sql_label label;

	for (uint32_t i = 0; i < a->n_failings; i++)
		if (a->failings[i].code == code && a->failings[i].at == a->at)
			return a->failings[i].label;
	label = sql_asm_label(a);
	if (grow(a, &a->failings, &a->room_failings, a->n_failings, sizeof(*a->failings)))
		a->failings[a->n_failings++] = (struct sql_failing){code, a->at, label};
	return label;
}

void sql_asm_exit(struct sql_asm *a, int32_t result)
{
	sql_asm_const(a, 0, result);
	sql_asm_insn(a, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

int sql_asm_end(struct sql_asm *a)
{
	for (uint32_t i = 0; i < a->n_failings && !a->error; i++) {
		a->at = a->failings[i].at;
		sql_asm_bind(a, a->failings[i].label);
		sql_asm_const(a, 1, a->failings[i].code);
		sql_asm_call(a, "fold_fail");
		sql_asm_exit(a, 0);
	}
	for (uint32_t i = 0; i < a->n_jumps && !a->error; i++) {
		int64_t off = a->labels[a->jumps[i].to] - a->jumps[i].insn - 1;

		if (off != (int16_t)off || a->labels[a->jumps[i].to] < 0)
			a->error = -E2BIG;
		else
			a->insns[a->jumps[i].insn].off = (int16_t)off;
	}
	return a->error;
}
