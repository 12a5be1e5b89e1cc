/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* vm_encode.c - the way back from a struct vm_op, by searching the instruction table. */
#include "tests/support/vm_asm.h"

static bool fits(const struct vm_isa_row *row, uint8_t code, const struct vm_op *op)
{
	bool is_gotol = row->op == VM_OP_JA && !(row->fields & VM_FIELD_OFF);

	if (row->refused || row->op != op->op || row->bytes != op->bytes ||
	    (bool)row->sign != op->sign)
		return false;
	if (op->op == VM_OP_JA)
		return is_gotol == (op->off < INT16_MIN || op->off > INT16_MAX || op->width == 32);
	if (row->width != op->width)
		return false;
	if (op->kind == VM_KIND_STORE)
		return (BPF_CLASS(code) == BPF_ST) == op->use_imm;
	if ((op->kind == VM_KIND_ALU || op->kind == VM_KIND_JUMP) &&
	    row->fields & (VM_FIELD_SRC | VM_FIELD_IMM))
		return !(row->fields & VM_FIELD_SRC) == op->use_imm;
	return true;
}

static void fill(const struct vm_isa_row *row, uint8_t code, const struct vm_op *op,
		 struct bpf_insn *insn)
{
	*insn = (struct bpf_insn){.code = code};
	if (row->fields & VM_FIELD_DST)
		insn->dst_reg = op->dst & 0xf;
	if (row->fields & VM_FIELD_SRC)
		insn->src_reg = op->src & 0xf;
	if (row->fields & VM_FIELD_OFF)
		insn->off = (int16_t)op->off;
	if (row->fields & VM_FIELD_IMM)
		insn->imm = op->op == VM_OP_JA ? op->off : (int32_t)op->imm;
	switch (row->select) {
	case VM_FIELD_SRC:
		insn->src_reg = row->value & 0xf;
		break;
	case VM_FIELD_OFF:
		insn->off = row->value;
		break;
	case VM_FIELD_IMM:
		insn->imm = row->value;
		break;
	}
}

unsigned vm_encode_row(const struct vm_isa_row *row, uint8_t code, const struct vm_op *op,
		       struct bpf_insn insns[2])
{
	fill(row, code, op, &insns[0]);
	if (vm_op_infos[row->op].kind != VM_KIND_CONST)
		return 1;
	insns[1] = (struct bpf_insn){0};
	if (row->op == VM_OP_IMM64)
		insns[1].imm = (int32_t)((uint64_t)op->imm >> 32);
	return 2;
}

unsigned vm_encode(const struct vm_op *op, struct bpf_insn insns[2])
{
	for (unsigned code = 0; code < 256; code++) {
		unsigned n;
		const struct vm_isa_row *rows = vm_isa_rows((uint8_t)code, &n);

		for (unsigned i = 0; i < n; i++) {
			if (fits(&rows[i], (uint8_t)code, op))
				return vm_encode_row(&rows[i], (uint8_t)code, op, insns);
		}
	}
	return 0;
}
