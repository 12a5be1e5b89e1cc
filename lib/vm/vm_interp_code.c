/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* vm_interp_code.c - from verified instructions to the interpreter's cells. */
#include "vm/vm_interp_code.h"

#include "base/scope.h"
#include "vm/vm_helper.h"
#include "vm/vm_isa.h"

/* Forms of an operation follow each other in enum interp_handler: 64 X, 64 K, 32 X, 32 K. */
static unsigned form(const struct vm_op *op)
{
	return (op->width == 32 ? 2u : 0u) + (op->use_imm ? 1u : 0u);
}

static unsigned alu_handler(const struct vm_op *op)
{
	unsigned by_bytes = op->bytes == 2 ? 0 : op->bytes == 4 ? 1 : 2; /* of a byte swap */

	switch (op->op) {
#define CASE(name)         \
	case VM_OP_##name: \
		return H_##name##_64_X + form(op);
		INTERP_ALU_OPS(CASE)
#undef CASE
	case VM_OP_MOV:
		if (op->use_imm)
			return H_SET;
		return op->width == 64 ? H_MOV_64_X : H_MOV_32_X;
	case VM_OP_MOVSX:
		if (op->width == 64)
			return op->bytes == 1   ? H_MOVSX_64_1
			       : op->bytes == 2 ? H_MOVSX_64_2
						: H_MOVSX_64_4;
		return op->bytes == 1 ? H_MOVSX_32_1 : H_MOVSX_32_2;
	case VM_OP_NEG:
		return op->width == 64 ? H_NEG_64 : H_NEG_32;
	case VM_OP_LE:
		return H_LE_2 + by_bytes;
	case VM_OP_BE:
		return H_BE_2 + by_bytes;
	case VM_OP_BSWAP:
		return H_BSWAP_2 + by_bytes;
	default:
		return H_UNREACHABLE;
	}
}

static unsigned jump_handler(const struct vm_op *op, bool back)
{
	switch (op->op) {
#define CASE(name)         \
	case VM_OP_##name: \
		return (back ? H_##name##_64_X_BACK : H_##name##_64_X) + form(op);
		INTERP_JUMP_OPS(CASE)
#undef CASE
	case VM_OP_JA:
		return back ? H_JA_BACK : H_JA;
	default:
		return H_UNREACHABLE;
	}
}

static unsigned load_handler(const struct vm_op *op, bool guarded)
{
	unsigned bare;

	if (op->sign)
		bare = op->bytes == 1 ? H_LOADS_1 : op->bytes == 2 ? H_LOADS_2 : H_LOADS_4;
	else
		bare = op->bytes == 1   ? H_LOAD_1
		       : op->bytes == 2 ? H_LOAD_2
		       : op->bytes == 4 ? H_LOAD_4
					: H_LOAD_8;
	return bare + guarded;
}

static unsigned store_handler(const struct vm_op *op, bool guarded)
{
	unsigned bare = op->bytes == 1   ? H_STORE_1_X
			: op->bytes == 2 ? H_STORE_2_X
			: op->bytes == 4 ? H_STORE_4_X
					 : H_STORE_8_X;

	return bare + op->use_imm + 2u * guarded;
}

static bool translate_call(const struct vm_insn *info, struct interp_cell *cell)
{
	const struct vm_helper *helper = vm_helper_by_number((int32_t)cell->imm);

	if (!helper)
		return false;
	cell->imm = (uint64_t)(uintptr_t)helper;
	cell->handler = !helper->fn                    ? H_FAIL
			: vm_helper_is_metered(helper) ? H_CALL_METER
			: info->arg_guarded            ? H_CALL_GUARD
						       : H_CALL;
	return true;
}

static bool translate_insn(const struct vm_program *vp, const struct vm_op *op,
			   const struct vm_insn *info, struct interp_cell *cell)
{
	bool guarded = info->verdict != VM_PROVEN;

	*cell = (struct interp_cell){
		.handler = H_UNREACHABLE,
		.dst = op->dst,
		.src = op->src,
		.region = info->region,
		.bytes = op->bytes,
		.off = op->off,
		.imm = (uint64_t)op->imm,
	};
	switch ((enum vm_op_kind)op->kind) {
	case VM_KIND_ALU:
		cell->handler = (uint16_t)alu_handler(op);
		if (op->width == 32)
			cell->imm = (uint32_t)cell->imm;
		break;
	case VM_KIND_JUMP:
		cell->handler = (uint16_t)jump_handler(op, op->off < 0);
		cell->off = op->off + 1;
		cell->charge = info->charge;
		break;
	case VM_KIND_LOAD:
		cell->handler = (uint16_t)load_handler(op, guarded);
		break;
	case VM_KIND_STORE:
		cell->handler = (uint16_t)store_handler(op, guarded);
		break;
	case VM_KIND_CONST:
		cell->handler = H_SET_WIDE;
		if (op->op == VM_OP_RODATA)
			cell->imm += (uint64_t)(uintptr_t)vp->program->rodata;
		break;
	case VM_KIND_CALL:
		return op->op == VM_OP_CALL && translate_call(info, cell);
	case VM_KIND_EXIT:
		cell->handler = H_EXIT;
		break;
	}
	return cell->handler != H_UNREACHABLE;
}

static int not_verified(uint32_t insn, const char *reason, struct nf_error *err)
{
	return nf_error_set(err, NF_INVALID_ARGUMENT, NULL,
			    "instruction %u cannot be interpreted: %s", insn, reason);
}

int interp_translate(const struct vm_program *vp, enum program_kind entry, struct interp_cell **ret,
		     struct nf_error *err)
{
	const struct vm_code *code = &vp->code[entry];
	uint32_t n = code->flat.n_insns;
	AUTO_FREE struct interp_cell *cells = NULL;

	*ret = NULL;
	if (n == 0)
		return 0;
	cells = calloc(n + 1u, sizeof(*cells));
	if (!cells)
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL,
				    "no memory to interpret %u instructions", n);
	for (uint32_t i = 0; i < n; i++) {
		struct vm_op op;
		const char *reason;

		cells[i].handler = H_UNREACHABLE;
		if (!code->info[i].reachable)
			continue;
		reason = vm_isa_decode(code->flat.insns, n, i, &op);
		if (reason)
			return not_verified(i, reason, err);
		if (!translate_insn(vp, &op, &code->info[i], &cells[i]))
			return not_verified(i, "the verifier must not let it through", err);
		if (op.kind == VM_KIND_JUMP &&
		    (vm_isa_jump_target(&op, i) < 0 || vm_isa_jump_target(&op, i) >= n))
			return not_verified(i, "it jumps out of the function", err);
		if (op.slots == 2)
			cells[++i].handler = H_UNREACHABLE;
	}
	cells[n].handler = H_UNREACHABLE; /* no way leads past the end */
	*ret = TAKE_PTR(cells);
	return 0;
}
