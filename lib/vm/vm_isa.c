/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_isa.c - the instruction table and its decoder.
 *
 * isa[] has an entry per opcode byte. Most have one row; where another field tells operations
 * apart (off of a division, imm of a byte swap, src of LD_IMM64 and CALL) there are several, and
 * the first whose field has the row's value counts.
 */
#include "vm/vm_isa.h"

#include <stddef.h>

#define D VM_FIELD_DST
#define S VM_FIELD_SRC
#define O VM_FIELD_OFF
#define I VM_FIELD_IMM

struct isa_entry {
	const struct vm_isa_row *rows;
	unsigned n;
};

#define ROWS(...)                                                          \
	{                                                                  \
		(const struct vm_isa_row[]){__VA_ARGS__},                  \
			sizeof((const struct vm_isa_row[]){__VA_ARGS__}) / \
				sizeof(struct vm_isa_row)                  \
	}

/* One row, of an operation; with a field that selects it; and one that is refused. */
#define ROW(o, w, b, f)                           \
	{                                         \
		NULL, VM_OP_##o, w, b, 0, f, 0, 0 \
	}
#define ROW_IF(o, w, b, f, s, v)                  \
	{                                         \
		NULL, VM_OP_##o, w, b, 0, f, s, v \
	}
#define NO(text)                  \
	{                         \
		.refused = (text) \
	}
#define NO_IF(text, s, v)                                      \
	{                                                      \
		.refused = (text), .select = (s), .value = (v) \
	}

/* An ALU operation in its four forms. */
#define ALU_FORMS(code, o)                                                             \
	[BPF_ALU | (code) | BPF_K] = ROWS(ROW(o, 32, 0, D | I)),                       \
			    [BPF_ALU | (code) | BPF_X] = ROWS(ROW(o, 32, 0, D | S)),   \
			    [BPF_ALU64 | (code) | BPF_K] = ROWS(ROW(o, 64, 0, D | I)), \
			    [BPF_ALU64 | (code) | BPF_X] = ROWS(ROW(o, 64, 0, D | S))

/* Division and modulo: off 0 unsigned, 1 signed. */
#define DIV_FORM(class, w, code, src, f, o) \
	[(class) | (code) | (src)] =        \
		ROWS(ROW_IF(o, w, 0, D | (f), O, 0), ROW_IF(S##o, w, 0, D | (f), O, 1))
#define DIV_FORMS(code, o)                                                                  \
	DIV_FORM(BPF_ALU, 32, code, BPF_K, I, o), DIV_FORM(BPF_ALU, 32, code, BPF_X, S, o), \
		DIV_FORM(BPF_ALU64, 64, code, BPF_K, I, o),                                 \
		DIV_FORM(BPF_ALU64, 64, code, BPF_X, S, o)

#define SWAP_FORM(code, o)                                                    \
	[code] = ROWS(ROW_IF(o, 64, 2, D, I, 16), ROW_IF(o, 64, 4, D, I, 32), \
		      ROW_IF(o, 64, 8, D, I, 64))

#define JUMP_FORMS(code, o)                                                                \
	[BPF_JMP | (code) | BPF_K] = ROWS(ROW(o, 64, 0, D | I | O)),                       \
			    [BPF_JMP | (code) | BPF_X] = ROWS(ROW(o, 64, 0, D | S | O)),   \
			    [BPF_JMP32 | (code) | BPF_K] = ROWS(ROW(o, 32, 0, D | I | O)), \
			    [BPF_JMP32 | (code) | BPF_X] = ROWS(ROW(o, 32, 0, D | S | O))

#define MEM_FORMS(size, b)                                                                      \
	[BPF_LDX | BPF_MEM | (size)] = ROWS(ROW(LOAD, 64, b, D | S | O)),                       \
			     [BPF_ST | BPF_MEM | (size)] = ROWS(ROW(STORE, 64, b, D | I | O)),  \
			     [BPF_STX | BPF_MEM | (size)] = ROWS(ROW(STORE, 64, b, D | S | O)), \
			     [BPF_STX | BPF_ATOMIC | (size)] = ROWS(NO(no_atomic))
#define SIGNED_LOAD(size, b) \
	[BPF_LDX | BPF_MEMSX | (size)] = ROWS({NULL, VM_OP_LOAD, 64, b, 1, D | S | O, 0, 0})
#define PACKET_FORMS(size)                                 \
	[BPF_LD | BPF_ABS | (size)] = ROWS(NO(no_packet)), \
			    [BPF_LD | BPF_IND | (size)] = ROWS(NO(no_packet))

#define no_atomic                                                                                \
	"atomic operations are not supported: a state belongs to one thread, use a plain load, " \
	"add and store"
#define no_packet                                                                               \
	"legacy packet access (BPF_ABS, BPF_IND) is not supported: the record is memory, load " \
	"from its pointer"
#define no_map                                                                                  \
	"maps are not supported: a program has its record, parameters, key and state, nothing " \
	"else"

static const struct isa_entry isa[256] = {
	ALU_FORMS(BPF_ADD, ADD),
	ALU_FORMS(BPF_SUB, SUB),
	ALU_FORMS(BPF_MUL, MUL),
	DIV_FORMS(BPF_DIV, DIV),
	DIV_FORMS(BPF_MOD, MOD),
	ALU_FORMS(BPF_OR, OR),
	ALU_FORMS(BPF_AND, AND),
	ALU_FORMS(BPF_XOR, XOR),
	ALU_FORMS(BPF_LSH, LSH),
	ALU_FORMS(BPF_RSH, RSH),
	ALU_FORMS(BPF_ARSH, ARSH),
	[BPF_ALU | BPF_NEG] = ROWS(ROW(NEG, 32, 0, D)),
	[BPF_ALU64 | BPF_NEG] = ROWS(ROW(NEG, 64, 0, D)),

	[BPF_ALU | BPF_MOV | BPF_K] = ROWS(ROW(MOV, 32, 0, D | I)),
	[BPF_ALU64 | BPF_MOV | BPF_K] = ROWS(ROW(MOV, 64, 0, D | I)),
	[BPF_ALU | BPF_MOV | BPF_X] =
		ROWS(ROW_IF(MOV, 32, 0, D | S, O, 0), ROW_IF(MOVSX, 32, 1, D | S, O, 8),
		     ROW_IF(MOVSX, 32, 2, D | S, O, 16)),
	[BPF_ALU64 | BPF_MOV | BPF_X] =
		ROWS(ROW_IF(MOV, 64, 0, D | S, O, 0), ROW_IF(MOVSX, 64, 1, D | S, O, 8),
		     ROW_IF(MOVSX, 64, 2, D | S, O, 16), ROW_IF(MOVSX, 64, 4, D | S, O, 32),
		     NO_IF("address space casts are not supported: there are no arenas", O, 1)),

	SWAP_FORM(BPF_ALU | BPF_END | BPF_TO_LE, LE),
	SWAP_FORM(BPF_ALU | BPF_END | BPF_TO_BE, BE),
	SWAP_FORM(BPF_ALU64 | BPF_END, BSWAP),

	[BPF_JMP | BPF_JA] = ROWS(ROW(JA, 64, 0, O)),
	[BPF_JMP32 | BPF_JA] = ROWS(ROW(JA, 32, 0, I)), /* gotol */
	JUMP_FORMS(BPF_JEQ, JEQ),
	JUMP_FORMS(BPF_JNE, JNE),
	JUMP_FORMS(BPF_JSET, JSET),
	JUMP_FORMS(BPF_JGT, JGT),
	JUMP_FORMS(BPF_JGE, JGE),
	JUMP_FORMS(BPF_JLT, JLT),
	JUMP_FORMS(BPF_JLE, JLE),
	JUMP_FORMS(BPF_JSGT, JSGT),
	JUMP_FORMS(BPF_JSGE, JSGE),
	JUMP_FORMS(BPF_JSLT, JSLT),
	JUMP_FORMS(BPF_JSLE, JSLE),
	[BPF_JMP | BPF_JCOND] = ROWS(NO("may_goto is not supported: write a plain loop, loops are "
					"metered")),

	[BPF_JMP | BPF_CALL] =
		ROWS(ROW_IF(CALL, 64, 0, I, S, 0), ROW_IF(CALL_SUB, 64, 0, I, S, VM_PSEUDO_CALL),
		     NO("kernel functions cannot be called: use the helpers of nearfold.bpf.h")),
	[BPF_JMP | BPF_CALL | BPF_X] =
		ROWS(NO("calls through a register (callx) are not supported: call by name")),
	[BPF_JMP | BPF_EXIT] = ROWS(ROW(EXIT, 64, 0, 0)),

	[BPF_LD | BPF_IMM | BPF_DW] =
		ROWS(ROW_IF(IMM64, 64, 0, D | I, S, 0),
		     ROW_IF(RODATA, 64, 0, D | I, S, VM_PSEUDO_RODATA), NO_IF(no_map, S, 1),
		     NO_IF(no_map, S, 2),
		     NO_IF("addresses of functions are not supported: call by name", S, 4),
		     NO_IF(no_map, S, 5), NO_IF(no_map, S, 6)),

	MEM_FORMS(BPF_B, 1),
	MEM_FORMS(BPF_H, 2),
	MEM_FORMS(BPF_W, 4),
	MEM_FORMS(BPF_DW, 8),
	SIGNED_LOAD(BPF_B, 1),
	SIGNED_LOAD(BPF_H, 2),
	SIGNED_LOAD(BPF_W, 4),
	PACKET_FORMS(BPF_B),
	PACKET_FORMS(BPF_H),
	PACKET_FORMS(BPF_W),
};

const struct vm_op_info vm_op_infos[VM_OPCODES] = {
	[VM_OP_ADD] = {"add", "+=", VM_KIND_ALU},
	[VM_OP_SUB] = {"sub", "-=", VM_KIND_ALU},
	[VM_OP_MUL] = {"mul", "*=", VM_KIND_ALU},
	[VM_OP_DIV] = {"div", "/=", VM_KIND_ALU},
	[VM_OP_SDIV] = {"sdiv", "s/=", VM_KIND_ALU},
	[VM_OP_MOD] = {"mod", "%=", VM_KIND_ALU},
	[VM_OP_SMOD] = {"smod", "s%=", VM_KIND_ALU},
	[VM_OP_OR] = {"or", "|=", VM_KIND_ALU},
	[VM_OP_AND] = {"and", "&=", VM_KIND_ALU},
	[VM_OP_XOR] = {"xor", "^=", VM_KIND_ALU},
	[VM_OP_LSH] = {"lsh", "<<=", VM_KIND_ALU},
	[VM_OP_RSH] = {"rsh", ">>=", VM_KIND_ALU},
	[VM_OP_ARSH] = {"arsh", "s>>=", VM_KIND_ALU},
	[VM_OP_MOV] = {"mov", "=", VM_KIND_ALU},
	[VM_OP_MOVSX] = {"movsx", NULL, VM_KIND_ALU},
	[VM_OP_NEG] = {"neg", NULL, VM_KIND_ALU},
	[VM_OP_LE] = {"le", NULL, VM_KIND_ALU},
	[VM_OP_BE] = {"be", NULL, VM_KIND_ALU},
	[VM_OP_BSWAP] = {"bswap", NULL, VM_KIND_ALU},
	[VM_OP_JA] = {"goto", NULL, VM_KIND_JUMP},
	[VM_OP_JEQ] = {"jeq", "==", VM_KIND_JUMP},
	[VM_OP_JNE] = {"jne", "!=", VM_KIND_JUMP},
	[VM_OP_JSET] = {"jset", "&", VM_KIND_JUMP},
	[VM_OP_JGT] = {"jgt", ">", VM_KIND_JUMP},
	[VM_OP_JGE] = {"jge", ">=", VM_KIND_JUMP},
	[VM_OP_JLT] = {"jlt", "<", VM_KIND_JUMP},
	[VM_OP_JLE] = {"jle", "<=", VM_KIND_JUMP},
	[VM_OP_JSGT] = {"jsgt", "s>", VM_KIND_JUMP},
	[VM_OP_JSGE] = {"jsge", "s>=", VM_KIND_JUMP},
	[VM_OP_JSLT] = {"jslt", "s<", VM_KIND_JUMP},
	[VM_OP_JSLE] = {"jsle", "s<=", VM_KIND_JUMP},
	[VM_OP_LOAD] = {"load", NULL, VM_KIND_LOAD},
	[VM_OP_STORE] = {"store", NULL, VM_KIND_STORE},
	[VM_OP_IMM64] = {"imm64", NULL, VM_KIND_CONST},
	[VM_OP_RODATA] = {"rodata", NULL, VM_KIND_CONST},
	[VM_OP_CALL] = {"call", NULL, VM_KIND_CALL},
	[VM_OP_CALL_SUB] = {"call sub", NULL, VM_KIND_CALL},
	[VM_OP_EXIT] = {"exit", NULL, VM_KIND_EXIT},
};

const struct vm_isa_row *vm_isa_rows(uint8_t code, unsigned *ret_n)
{
	*ret_n = isa[code].n;
	return isa[code].rows;
}

static int32_t field_of(const struct bpf_insn *insn, uint8_t field)
{
	switch (field) {
	case VM_FIELD_DST:
		return insn->dst_reg;
	case VM_FIELD_SRC:
		return insn->src_reg;
	case VM_FIELD_OFF:
		return insn->off;
	default:
		return insn->imm;
	}
}

static const struct vm_isa_row *find_row(const struct bpf_insn *insn)
{
	const struct isa_entry *entry = &isa[insn->code];

	for (unsigned i = 0; i < entry->n; i++) {
		const struct vm_isa_row *row = &entry->rows[i];

		if (!row->select || field_of(insn, row->select) == row->value)
			return row;
	}
	return NULL;
}

/* Which value of the selecting field is wrong, when no row fits. */
static const char *no_row(const struct bpf_insn *insn)
{
	const struct isa_entry *entry = &isa[insn->code];

	if (!entry->n)
		return "unknown opcode";
	switch (entry->rows[0].select) {
	case VM_FIELD_OFF:
		return "unknown variant: the offset field has a value that this opcode lacks";
	case VM_FIELD_IMM:
		return "unknown variant: a byte swap is of 16, 32 or 64 bits";
	default:
		return "unknown variant: the source field has a value that this opcode lacks";
	}
}

static const char *check_fields(const struct bpf_insn *insn, const struct vm_isa_row *row)
{
	unsigned used = row->fields | row->select;

	if (!(used & D) && insn->dst_reg)
		return "reserved field not zero: destination register";
	if (!(used & S) && insn->src_reg)
		return "reserved field not zero: source register";
	if (!(used & O) && insn->off)
		return "reserved field not zero: offset";
	if (!(used & I) && insn->imm)
		return "reserved field not zero: immediate";
	if (((row->fields & D) && insn->dst_reg > BPF_REG_10) ||
	    ((row->fields & S) && insn->src_reg > BPF_REG_10))
		return "no such register: there are r0 to r10";
	return NULL;
}

static const char *decode_pair(const struct bpf_insn *insns, uint32_t left, struct vm_op *op)
{
	const struct bpf_insn *second = insns + 1;

	if (left < 2)
		return "the second half of a 64-bit immediate is missing";
	if (second->code || second->dst_reg || second->src_reg || second->off)
		return "the second half of a 64-bit immediate has fields that must be zero";
	op->slots = 2;
	if (op->op == VM_OP_RODATA) {
		if (second->imm)
			return "reserved field not zero: second half of a rodata address";
		op->imm = (uint32_t)insns->imm;
	} else {
		op->imm = (int64_t)((uint64_t)(uint32_t)second->imm << 32 | (uint32_t)insns->imm);
	}
	return NULL;
}

/* Registers read and written, by the operation's kind. */
static void registers(const struct vm_isa_row *row, struct vm_op *op)
{
	uint16_t dst = row->fields & D ? (uint16_t)(1u << op->dst) : 0;
	uint16_t src = row->fields & S ? (uint16_t)(1u << op->src) : 0;

	op->reads = src;
	op->writes = 0;
	switch (op->kind) {
	case VM_KIND_ALU:
		op->writes = dst;
		if (op->op != VM_OP_MOV && op->op != VM_OP_MOVSX)
			op->reads |= dst;
		break;
	case VM_KIND_JUMP:
	case VM_KIND_STORE:
		op->reads |= dst;
		break;
	case VM_KIND_LOAD:
	case VM_KIND_CONST:
		op->writes = dst;
		break;
	case VM_KIND_CALL:
		op->writes = 0x3f; /* r0, and r1..r5 are lost */
		break;
	default:
		break;
	}
}

const char *vm_isa_decode(const struct bpf_insn *insns, uint32_t n_insns, uint32_t at,
			  struct vm_op *ret)
{
	const struct bpf_insn *insn = insns + at;
	const struct vm_isa_row *row = find_row(insn);
	const char *reason;
	struct vm_op op;

	if (!row)
		return no_row(insn);
	if (row->refused)
		return row->refused;
	reason = check_fields(insn, row);
	if (reason)
		return reason;
	op = (struct vm_op){
		.op = row->op,
		.kind = vm_op_infos[row->op].kind,
		.width = row->width,
		.bytes = row->bytes,
		.sign = row->sign,
		.use_imm = !(row->fields & S),
		.dst = row->fields & D ? insn->dst_reg : 0,
		.src = row->fields & S ? insn->src_reg : 0,
		.slots = 1,
		.off = row->fields & O ? insn->off : 0,
		.imm = row->fields & I ? insn->imm : 0,
	};
	if (op.op == VM_OP_JA && op.width == 32) { /* gotol: the distance is in imm */
		op.off = insn->imm;
		op.imm = 0;
		op.width = 64;
	}
	if (op.kind == VM_KIND_CONST) {
		reason = decode_pair(insn, n_insns - at, &op);
		if (reason)
			return reason;
	}
	registers(row, &op);
	if (op.writes & 1u << BPF_REG_10)
		return "r10, the frame pointer, cannot be written";
	*ret = op;
	return NULL;
}
