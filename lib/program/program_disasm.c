/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* program_disasm.c - the instruction set of RFC 9669 as text. The tables go by the opcode's bits.
 */
#include "program/program_disasm.h"

#include <inttypes.h>

#include "program/program_check.h"

static const char *const alu_ops[16] = {
	[BPF_ADD >> 4] = "+=",  [BPF_SUB >> 4] = "-=",  [BPF_MUL >> 4] = "*=",
	[BPF_DIV >> 4] = "/=",  [BPF_OR >> 4] = "|=",   [BPF_AND >> 4] = "&=",
	[BPF_LSH >> 4] = "<<=", [BPF_RSH >> 4] = ">>=", [BPF_MOD >> 4] = "%=",
	[BPF_XOR >> 4] = "^=",  [BPF_MOV >> 4] = "=",   [BPF_ARSH >> 4] = "s>>=",
};

static const char *const jmp_ops[16] = {
	[BPF_JEQ >> 4] = "==",   [BPF_JGT >> 4] = ">",    [BPF_JGE >> 4] = ">=",
	[BPF_JSET >> 4] = "&",   [BPF_JNE >> 4] = "!=",   [BPF_JSGT >> 4] = "s>",
	[BPF_JSGE >> 4] = "s>=", [BPF_JLT >> 4] = "<",    [BPF_JLE >> 4] = "<=",
	[BPF_JSLT >> 4] = "s<",  [BPF_JSLE >> 4] = "s<=",
};

/* By BPF_SIZE() >> 3: W, H, B, DW. */
static const char *const sizes[4] = {"u32", "u16", "u8", "u64"};
static const char *const signed_sizes[4] = {"s32", "s16", "s8"};

static const struct {
	int32_t imm;
	const char *plain, *fetch; /* as an operator, as a name */
} atomics[] = {
	{BPF_ADD, "+=", "add"},
	{BPF_OR, "|=", "or"},
	{BPF_AND, "&=", "and"},
	{BPF_XOR, "^=", "xor"},
};

enum { BPF_JCOND_OP = 0xe0, BPF_MEMSX_MODE = 0x80 };

static bool text_alu(const struct bpf_insn *i, char *buf, size_t size)
{
	bool wide = BPF_CLASS(i->code) == BPF_ALU64, reg = BPF_SRC(i->code) == BPF_X;
	char r = wide ? 'r' : 'w';
	unsigned dst = i->dst_reg, src = i->src_reg;
	uint8_t op = BPF_OP(i->code);
	const char *text = alu_ops[op >> 4];

	if (op == BPF_NEG && !reg) {
		snprintf(buf, size, "%c%u = -%c%u", r, dst, r, dst);
	} else if (op == BPF_END) {
		if ((wide && reg) || (i->imm != 16 && i->imm != 32 && i->imm != 64))
			return false;
		snprintf(buf, size, "r%u = %s%" PRId32 " r%u", dst,
			 wide  ? "bswap"
			 : reg ? "be"
			       : "le",
			 i->imm, dst);
	} else if (op == BPF_MOV && reg && i->off) {
		if (i->off != 8 && i->off != 16 && !(i->off == 32 && wide))
			return false;
		snprintf(buf, size, "%c%u = (s%d)%c%u", r, dst, i->off, r, src);
	} else if (text && (i->off == 0 || (i->off == 1 && (op == BPF_DIV || op == BPF_MOD)))) {
		const char *sign = i->off ? "s" : "";

		if (reg)
			snprintf(buf, size, "%c%u %s%s %c%u", r, dst, sign, text, r, src);
		else
			snprintf(buf, size, "%c%u %s%s %" PRId32, r, dst, sign, text, i->imm);
	} else {
		return false;
	}
	return true;
}

/* "*(u32 *)(r2 + 12)" without the star in front, into a buffer of 40 bytes. */
static const char *text_address(const char *type, unsigned base, int off, char buf[40])
{
	snprintf(buf, 40, "(%s *)(r%u %c %d)", type, base, off < 0 ? '-' : '+',
		 off < 0 ? -off : off);
	return buf;
}

static bool text_atomic(const struct bpf_insn *i, char *buf, size_t size)
{
	bool wide = BPF_SIZE(i->code) == BPF_DW;
	char r = wide ? 'r' : 'w', address[40];
	unsigned src = i->src_reg;

	if (!wide && BPF_SIZE(i->code) != BPF_W)
		return false;
	text_address(wide ? "u64" : "u32", i->dst_reg, i->off, address);
	if (i->imm == BPF_XCHG) {
		snprintf(buf, size, "%c%u = xchg(%s, %c%u)", r, src, address, r, src);
		return true;
	}
	if (i->imm == BPF_CMPXCHG) {
		snprintf(buf, size, "%c0 = cmpxchg(%s, %c0, %c%u)", r, address, r, r, src);
		return true;
	}
	for (size_t k = 0; k < sizeof(atomics) / sizeof(atomics[0]); k++) {
		if (i->imm == atomics[k].imm) {
			snprintf(buf, size, "lock *%s %s %c%u", address, atomics[k].plain, r, src);
			return true;
		}
		if (i->imm == (atomics[k].imm | BPF_FETCH)) {
			snprintf(buf, size, "%c%u = atomic_fetch_%s(%s, %c%u)", r, src,
				 atomics[k].fetch, address, r, src);
			return true;
		}
	}
	return false;
}

static bool text_memory(const struct bpf_insn *i, char *buf, size_t size)
{
	uint8_t class = BPF_CLASS(i->code), mode = BPF_MODE(i->code);
	const char *const *types = mode == BPF_MEMSX_MODE ? signed_sizes : sizes;
	const char *type = types[BPF_SIZE(i->code) >> 3];
	char address[40];

	if (class == BPF_STX && mode == BPF_ATOMIC)
		return text_atomic(i, buf, size);
	if (!type || (mode != BPF_MEM && !(class == BPF_LDX && mode == BPF_MEMSX_MODE)))
		return false;
	text_address(type, class == BPF_LDX ? i->src_reg : i->dst_reg, i->off, address);
	if (class == BPF_LDX)
		snprintf(buf, size, "r%u = *%s", i->dst_reg, address);
	else if (class == BPF_STX)
		snprintf(buf, size, "*%s = r%u", address, i->src_reg);
	else
		snprintf(buf, size, "*%s = %" PRId32, address, i->imm);
	return true;
}

static bool text_call(const struct bpf_insn *i, disasm_helper_name names, char *buf, size_t size)
{
	const char *name = i->src_reg == 0 && names ? names(i->imm) : NULL;

	if (i->src_reg == BPF_PSEUDO_CALL)
		snprintf(buf, size, "call function %" PRId32, i->imm);
	else if (i->src_reg)
		return false;
	else if (name)
		snprintf(buf, size, "call %s", name);
	else
		snprintf(buf, size, "call %#" PRIx32, (uint32_t)i->imm);
	return true;
}

static bool text_jump(const struct bpf_insn *i, disasm_helper_name names, char *buf, size_t size)
{
	bool wide = BPF_CLASS(i->code) == BPF_JMP, reg = BPF_SRC(i->code) == BPF_X;
	uint8_t op = BPF_OP(i->code);
	const char *text = jmp_ops[op >> 4];
	char r = wide ? 'r' : 'w';

	if (text && reg)
		snprintf(buf, size, "if %c%u %s %c%u goto %+d", r, i->dst_reg, text, r, i->src_reg,
			 i->off);
	else if (text)
		snprintf(buf, size, "if %c%u %s %" PRId32 " goto %+d", r, i->dst_reg, text, i->imm,
			 i->off);
	else if (op == BPF_JA && !reg && wide)
		snprintf(buf, size, "goto %+d", i->off);
	else if (op == BPF_JA && !reg)
		snprintf(buf, size, "gotol %+" PRId32, i->imm);
	else if (op == BPF_CALL && !reg && wide)
		return text_call(i, names, buf, size);
	else if (op == BPF_EXIT && !reg && wide)
		snprintf(buf, size, "exit");
	else if (op == BPF_JCOND_OP && !reg && wide)
		snprintf(buf, size, "may_goto %+d", i->off);
	else
		return false;
	return true;
}

static bool text_ld_imm64(const struct bpf_insn *i, char *buf, size_t size)
{
	uint64_t v = (uint32_t)i[0].imm | (uint64_t)(uint32_t)i[1].imm << 32;

	if (i->src_reg == PROGRAM_PSEUDO_RODATA)
		snprintf(buf, size, "r%u = rodata + %" PRId32, i->dst_reg, i->imm);
	else if (i->src_reg == 0)
		snprintf(buf, size, "r%u = %#" PRIx64 " ll", i->dst_reg, v);
	else
		snprintf(buf, size, "r%u = reference %u to %#" PRIx64, i->dst_reg, i->src_reg, v);
	return true;
}

unsigned disasm_insn(const struct bpf_insn *i, disasm_helper_name names, char *buf, size_t size)
{
	bool known = false;

	switch (BPF_CLASS(i->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		known = text_alu(i, buf, size);
		break;
	case BPF_JMP:
	case BPF_JMP32:
		known = text_jump(i, names, buf, size);
		break;
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX:
		known = text_memory(i, buf, size);
		break;
	default:
		known = insn_is_ld_imm64(i) && text_ld_imm64(i, buf, size);
	}
	if (!known)
		snprintf(buf, size, ".byte 0x%02x, 0x%02x, 0x%04x, 0x%08" PRIx32, i->code,
			 (unsigned)(i->dst_reg | i->src_reg << 4), (unsigned)(uint16_t)i->off,
			 (uint32_t)i->imm);
	return insn_is_ld_imm64(i) ? 2 : 1;
}

void disasm_program(const struct program *p, disasm_helper_name names, FILE *out)
{
	for (uint32_t f = 0; f < p->n_funcs; f++) {
		const struct program_func *func = &p->funcs[f];
		const struct program_line *last = NULL;
		char text[160];

		fprintf(out, "%sfunction %" PRIu32 ": %s %s\n", f ? "\n" : "", f,
			program_kind_name(func->kind), func->name);
		for (uint32_t i = 0; i < func->n_insns;) {
			const struct program_line *line = program_line_at(p, f, i);

			if (line && (!last || line->line != last->line || line->file != last->file))
				fprintf(out, "; %s:%" PRIu32 "  %s\n", p->files[line->file],
					line->line, line->text);
			last = line;
			unsigned slots = disasm_insn(&func->insns[i], names, text, sizeof(text));
			fprintf(out, "%6" PRIu32 ":  %s\n", i, text);
			i += slots;
		}
	}
}
