/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_asm.c - one line, one instruction. Each form is tried by a pattern over the line's tokens;
 * labels are filled in when all lines are read.
 */
#include "tests/support/vm_asm.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "vm/vm_helper.h"

enum { MAX_LABELS = 256, MAX_WORD = 64 };

struct label {
	char name[MAX_WORD];
	uint32_t at;
};

struct fixup {
	char name[MAX_WORD];
	uint32_t insn;
	unsigned line;
};

struct assembler {
	struct bpf_insn *insns;
	size_t n, max;
	unsigned line;
	const char *p; /* the rest of the line */
	vm_asm_sub sub;
	void *sub_arg;
	struct label labels[MAX_LABELS];
	struct fixup fixups[MAX_LABELS];
	unsigned n_labels, n_fixups;
	char *error;
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct assembler *a, const char *fmt, ...)
{
	int n = snprintf(a->error, VM_ASM_ERROR_BYTES, "line %u: ", a->line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->error + n, VM_ASM_ERROR_BYTES - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

static void skip_space(struct assembler *a)
{
	while (*a->p == ' ' || *a->p == '\t')
		a->p++;
}

/* Take `text` if it stands here. A word must end where it ends. */
static bool take(struct assembler *a, const char *text)
{
	size_t n = strlen(text);

	skip_space(a);
	if (strncmp(a->p, text, n) != 0)
		return false;
	if (isalnum((unsigned char)text[n - 1]) &&
	    (isalnum((unsigned char)a->p[n]) || a->p[n] == '_'))
		return false;
	a->p += n;
	return true;
}

static bool take_word(struct assembler *a, char word[MAX_WORD])
{
	size_t n = 0;

	skip_space(a);
	while (n < MAX_WORD - 1 && (isalnum((unsigned char)a->p[n]) || a->p[n] == '_'))
		n++;
	memcpy(word, a->p, n);
	word[n] = 0;
	a->p += n;
	return n > 0;
}

static bool take_number(struct assembler *a, int64_t *ret)
{
	bool negative;
	char *end;

	skip_space(a);
	negative = *a->p == '-';
	if (!isdigit((unsigned char)a->p[*a->p == '-' || *a->p == '+']))
		return false;
	errno = 0;
	*ret = negative ? strtoll(a->p, &end, 0) : (int64_t)strtoull(a->p, &end, 0);
	if (errno || isalnum((unsigned char)*end))
		return false;
	a->p = end;
	return true;
}

static bool take_reg(struct assembler *a, uint8_t *reg, uint8_t *width)
{
	const char *p;
	char *end;
	unsigned long n;

	skip_space(a);
	p = a->p;
	if ((*p != 'r' && *p != 'w') || !isdigit((unsigned char)p[1]))
		return false;
	n = strtoul(p + 1, &end, 10);
	if (n > 15 || isalnum((unsigned char)*end) || *end == '_')
		return false;
	*reg = (uint8_t)n;
	*width = *p == 'w' ? 32 : 64;
	a->p = end;
	return true;
}

/* A register of the same width, or an immediate. */
static bool take_operand(struct assembler *a, struct vm_op *op)
{
	uint8_t width;

	if (take_reg(a, &op->src, &width)) {
		if (width != op->width)
			return wrong(a, "r and w registers in one operation");
		return true;
	}
	op->use_imm = true;
	if (!take_number(a, &op->imm))
		return wrong(a, "a register or number belongs here: %s", a->p);
	if (op->imm < INT32_MIN || op->imm > UINT32_MAX)
		return wrong(a, "an immediate has 32 bits; write \"r1 = N ll\"");
	op->imm = (int32_t)op->imm;
	return true;
}

static bool emit(struct assembler *a, struct vm_op *op)
{
	struct bpf_insn insns[2];
	unsigned n;

	op->kind = vm_op_infos[op->op].kind;
	n = vm_encode(op, insns);
	if (!n)
		return wrong(a, "there is no such instruction");
	if (a->n + n > a->max)
		return wrong(a, "too many instructions");
	memcpy(a->insns + a->n, insns, n * sizeof(insns[0]));
	a->n += n;
	return true;
}

/* "*(u32 *)(r2 + 4)" */
static bool take_memory(struct assembler *a, struct vm_op *op, uint8_t *base)
{
	static const struct {
		const char *name;
		uint8_t bytes;
		bool sign;
	} types[] = {{"u8", 1, false}, {"u16", 2, false}, {"u32", 4, false}, {"u64", 8, false},
		     {"s8", 1, true},  {"s16", 2, true},  {"s32", 4, true}};
	char type[MAX_WORD];
	uint8_t width;
	int64_t off = 0;
	bool minus;

	if (!take(a, "*") || !take(a, "(") || !take_word(a, type) || !take(a, "*") || !take(a, ")"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!strcmp(types[i].name, type)) {
			op->bytes = types[i].bytes;
			op->sign = types[i].sign;
		}
	}
	if (!op->bytes || !take(a, "(") || !take_reg(a, base, &width))
		return false;
	minus = take(a, "-");
	if (minus || take(a, "+")) {
		if (!take_number(a, &off))
			return false;
	}
	op->off = (int32_t)(minus ? -off : off);
	return take(a, ")");
}

static bool store_line(struct assembler *a)
{
	struct vm_op op = {.op = VM_OP_STORE, .width = 64};
	uint8_t width;

	if (!take_memory(a, &op, &op.dst) || !take(a, "="))
		return wrong(a, "expected *(TYPE *)(REG + OFF) = VALUE");
	if (take_reg(a, &op.src, &width))
		return emit(a, &op);
	return take_operand(a, &op) && emit(a, &op);
}

static bool target(struct assembler *a, struct vm_op *op)
{
	struct fixup *f = &a->fixups[a->n_fixups];
	int64_t distance;

	skip_space(a);
	if (*a->p == '+' || *a->p == '-') {
		if (!take_number(a, &distance))
			return wrong(a, "a distance belongs here: %s", a->p);
		op->off = (int32_t)distance;
		return emit(a, op);
	}
	if (a->n_fixups == MAX_LABELS)
		return wrong(a, "too many jumps");
	if (!take_word(a, f->name))
		return wrong(a, "a label belongs here: %s", a->p);
	f->insn = (uint32_t)a->n;
	f->line = a->line;
	a->n_fixups++;
	return emit(a, op);
}

static bool if_line(struct assembler *a)
{
	struct vm_op op = {0};
	/* longest first: ">=" before ">" */
	static const uint8_t order[] = {VM_OP_JSGE, VM_OP_JSLE, VM_OP_JSGT, VM_OP_JSLT,
					VM_OP_JGE,  VM_OP_JLE,  VM_OP_JGT,  VM_OP_JLT,
					VM_OP_JEQ,  VM_OP_JNE,  VM_OP_JSET};

	if (!take_reg(a, &op.dst, &op.width))
		return wrong(a, "a register belongs behind if");
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		op.op = order[i];
		if (take(a, vm_op_infos[order[i]].symbol)) {
			if (!take_operand(a, &op))
				return false;
			if (!take(a, "goto"))
				return wrong(a, "goto belongs here: %s", a->p);
			return target(a, &op);
		}
	}
	return wrong(a, "unknown comparison: %s", a->p);
}

static bool goto_line(struct assembler *a, unsigned width)
{
	struct vm_op op = {.op = VM_OP_JA, .use_imm = true, .width = (uint8_t)width};

	return target(a, &op);
}

static bool call_line(struct assembler *a)
{
	struct vm_op op = {.op = VM_OP_CALL, .use_imm = true, .width = 64};
	char name[MAX_WORD];
	int index;

	if (take_number(a, &op.imm))
		return emit(a, &op);
	if (!take_word(a, name))
		return wrong(a, "a function's name or number belongs behind call");
	for (size_t i = 0; i < vm_n_helpers; i++) {
		if (!strcmp(vm_helpers[i].name, name)) {
			op.imm = VM_HELPER_BASE + (int64_t)i;
			return emit(a, &op);
		}
	}
	index = a->sub ? a->sub(a->sub_arg, name) : -1;
	if (index < 0)
		return wrong(a, "no helper or sub-function %s", name);
	op.op = VM_OP_CALL_SUB;
	op.imm = index;
	return emit(a, &op);
}

static bool raw_line(struct assembler *a)
{
	int64_t v[5];

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		if (!take_number(a, &v[i]))
			return wrong(a, ".insn takes code, dst, src, off, imm");
	}
	if (a->n == a->max)
		return wrong(a, "too many instructions");
	a->insns[a->n++] = (struct bpf_insn){.code = (uint8_t)v[0],
					     .dst_reg = v[1] & 0xf,
					     .src_reg = v[2] & 0xf,
					     .off = (int16_t)v[3],
					     .imm = (int32_t)v[4]};
	return true;
}

/* "le16 r1" and so on: 1 taken, 0 not this form, -1 wrong */
static int byte_swap(struct assembler *a, struct vm_op *op)
{
	static const struct {
		const char *name;
		uint8_t op, bytes;
	} swaps[] = {{"le16", VM_OP_LE, 2},       {"le32", VM_OP_LE, 4},
		     {"le64", VM_OP_LE, 8},       {"be16", VM_OP_BE, 2},
		     {"be32", VM_OP_BE, 4},       {"be64", VM_OP_BE, 8},
		     {"bswap16", VM_OP_BSWAP, 2}, {"bswap32", VM_OP_BSWAP, 4},
		     {"bswap64", VM_OP_BSWAP, 8}};
	uint8_t reg, width;

	for (size_t i = 0; i < ARRAY_SIZE(swaps); i++) {
		if (!take(a, swaps[i].name))
			continue;
		if (!take_reg(a, &reg, &width) || reg != op->dst || width != 64)
			return wrong(a, "a byte swap is of one r register"), -1;
		op->op = swaps[i].op;
		op->bytes = swaps[i].bytes;
		op->use_imm = true;
		return 1;
	}
	return 0;
}

static bool sign_extension(struct assembler *a, struct vm_op *op)
{
	static const char *const types[] = {"s8", "s16", "s32"};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!take(a, types[i]))
			continue;
		op->op = VM_OP_MOVSX;
		op->bytes = (uint8_t)(1u << i);
		return take(a, ")") && take_operand(a, op) && !op->use_imm && emit(a, op);
	}
	return wrong(a, "unknown type: %s", a->p);
}

/* What stands behind "rD =". */
static bool assignment(struct assembler *a, struct vm_op *op)
{
	uint8_t reg, width;
	int swap = byte_swap(a, op);

	if (swap)
		return swap > 0 && emit(a, op);
	skip_space(a);
	if (*a->p == '*') {
		op->op = VM_OP_LOAD;
		op->width = 64;
		if (!take_memory(a, op, &op->src))
			return wrong(a, "expected *(TYPE *)(REG + OFF)");
		return emit(a, op);
	}
	if (take(a, "("))
		return sign_extension(a, op);
	if (a->p[0] == '-' && (a->p[1] == 'r' || a->p[1] == 'w')) {
		a->p++;
		if (!take_reg(a, &reg, &width) || reg != op->dst || width != op->width)
			return wrong(a, "negation is of one register");
		op->op = VM_OP_NEG;
		op->use_imm = true;
		return emit(a, op);
	}
	if (take(a, "rodata")) {
		op->op = VM_OP_RODATA;
		op->use_imm = true;
		if (!take(a, "+") || !take_number(a, &op->imm))
			return wrong(a, "expected rodata + OFFSET");
		return emit(a, op);
	}
	if (take_number(a, &op->imm)) {
		op->use_imm = true;
		op->op = take(a, "ll") ? VM_OP_IMM64 : VM_OP_MOV;
		if (op->op == VM_OP_MOV && (op->imm < INT32_MIN || op->imm > UINT32_MAX))
			return wrong(a, "an immediate has 32 bits; write \"r1 = N ll\"");
		return emit(a, op);
	}
	op->op = VM_OP_MOV;
	return take_operand(a, op) && emit(a, op);
}

static bool alu_line(struct assembler *a)
{
	struct vm_op op = {0};
	/* "s>>=" and "<<=" before ">>=" and so on: no sign is the beginning of another here */
	static const uint8_t order[] = {VM_OP_ARSH, VM_OP_SDIV, VM_OP_SMOD, VM_OP_ADD, VM_OP_SUB,
					VM_OP_MUL,  VM_OP_DIV,  VM_OP_MOD,  VM_OP_OR,  VM_OP_AND,
					VM_OP_XOR,  VM_OP_LSH,  VM_OP_RSH};

	if (!take_reg(a, &op.dst, &op.width))
		return wrong(a, "unknown instruction: %s", a->p);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		op.op = order[i];
		if (take(a, vm_op_infos[order[i]].symbol))
			return take_operand(a, &op) && emit(a, &op);
	}
	if (!take(a, "="))
		return wrong(a, "unknown operation: %s", a->p);
	return assignment(a, &op);
}

/* "NAME:" */
static bool label_line(struct assembler *a)
{
	const char *start = a->p;
	struct label *l = &a->labels[a->n_labels];

	if (a->n_labels == MAX_LABELS || !take_word(a, l->name) || !take(a, ":")) {
		a->p = start;
		return false;
	}
	l->at = (uint32_t)a->n;
	a->n_labels++;
	return true;
}

static bool insn_line(struct assembler *a)
{
	struct vm_op exit_op = {.op = VM_OP_EXIT, .use_imm = true, .width = 64};

	if (*a->p == '*')
		return store_line(a);
	if (take(a, "if"))
		return if_line(a);
	if (take(a, "goto"))
		return goto_line(a, 64);
	if (take(a, "gotol"))
		return goto_line(a, 32);
	if (take(a, "call"))
		return call_line(a);
	if (take(a, "exit"))
		return emit(a, &exit_op);
	if (take(a, ".insn"))
		return raw_line(a);
	return alu_line(a);
}

static bool one_line(struct assembler *a, char *line)
{
	char *comment = strstr(line, "//");

	if (comment)
		*comment = 0;
	a->p = line;
	skip_space(a);
	if (!*a->p || label_line(a))
		skip_space(a);
	if (*a->p && !insn_line(a))
		return false;
	skip_space(a);
	return !*a->p || wrong(a, "too much on the line: %s", a->p);
}

static bool fill_label(struct assembler *a, const struct fixup *f)
{
	struct bpf_insn *insn = &a->insns[f->insn];

	a->line = f->line;
	for (unsigned i = 0; i < a->n_labels; i++) {
		if (!strcmp(a->labels[i].name, f->name)) {
			int32_t distance = (int32_t)a->labels[i].at - (int32_t)f->insn - 1;

			if (insn->code == (BPF_JMP32 | BPF_JA))
				insn->imm = distance;
			else
				insn->off = (int16_t)distance;
			return true;
		}
	}
	return wrong(a, "no label %s", f->name);
}

int vm_asm(const char *text, struct bpf_insn *insns, size_t max, vm_asm_sub sub, void *arg,
	   char error[VM_ASM_ERROR_BYTES])
{
	AUTO_FREE struct assembler *a = calloc(1, sizeof(*a));
	AUTO_FREE char *copy = strdup(text);
	char *next = copy, *line;

	if (!a || !copy) {
		snprintf(error, VM_ASM_ERROR_BYTES, "no memory");
		return -1;
	}
	*a = (struct assembler){
		.insns = insns, .max = max, .sub = sub, .sub_arg = arg, .error = error};
	while ((line = strsep(&next, "\n"))) {
		a->line++;
		if (!one_line(a, line))
			return -1;
	}
	for (unsigned i = 0; i < a->n_fixups; i++) {
		if (!fill_label(a, &a->fixups[i]))
			return -1;
	}
	return (int)a->n;
}
