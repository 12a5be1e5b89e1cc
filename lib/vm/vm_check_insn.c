/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* vm_check_insn.c - what an instruction does to the verifier's beliefs: arithmetic and jumps. */
#include "vm/vm_check.h"

#include "base/scope.h"

static const char *uninit_reason(const struct vm_value *v)
{
	return v->kind == VALUE_MIXED ? "holds values of different kinds on different ways here (a "
					"pointer on one, "
					"a number or a pointer into another region on another)"
				      : "is used before it is initialised (on some way here)";
}

/* The register holds a number or a pointer. */
static int need_value(struct vm_check *c, const struct vm_state *s, unsigned reg)
{
	const struct vm_value *v = &s->reg[reg];

	if (v->kind >= VALUE_SCALAR)
		return 0;
	return vm_check_refuse(c, "r%u %s", reg, uninit_reason(v));
}

static struct vm_value operand(const struct vm_state *s, const struct vm_op *op)
{
	return op->use_imm ? vm_value_scalar(vm_range_const((uint64_t)op->imm)) : s->reg[op->src];
}

static const enum vm_range_op range_ops[] = {
	[VM_OP_ADD] = RANGE_ADD,   [VM_OP_SUB] = RANGE_SUB,   [VM_OP_MUL] = RANGE_MUL,
	[VM_OP_DIV] = RANGE_DIV,   [VM_OP_SDIV] = RANGE_SDIV, [VM_OP_MOD] = RANGE_MOD,
	[VM_OP_SMOD] = RANGE_SMOD, [VM_OP_OR] = RANGE_OR,     [VM_OP_AND] = RANGE_AND,
	[VM_OP_XOR] = RANGE_XOR,   [VM_OP_LSH] = RANGE_LSH,   [VM_OP_RSH] = RANGE_RSH,
	[VM_OP_ARSH] = RANGE_ARSH,
};

/* Refuse an operation on two values, one of them a pointer: "what (left, right)hint". */
static int refuse_pair(struct vm_check *c, const char *what, const struct vm_value *a,
		       const struct vm_value *b, const char *hint)
{
	char left[96], right[96];

	return vm_check_refuse(c, "%s (%s, %s)%s", what, vm_value_text(a, left, sizeof(left)),
			       vm_value_text(b, right, sizeof(right)), hint);
}

static bool is_near(const struct vm_check *c, const struct vm_value *v)
{
	int64_t most = (int64_t)vm_check_region_max(c, v->region) + VM_NEAR_BYTES;

	return v->range.smin >= (v->region == VM_REGION_STACK ? -most : -VM_NEAR_BYTES) &&
	       v->range.smax <= (v->region == VM_REGION_STACK ? VM_NEAR_BYTES : most);
}

/* Two pointers into one region are compared or subtracted. */
static void note_pair(struct vm_check *c, const struct vm_value *a, const struct vm_value *b)
{
	struct vm_insn *info = &c->code->info[c->insn];

	if (!c->final)
		return;
	/* In another turn of a loop it may be another region: too much for whoever must know. */
	info->far |=
		!is_near(c, a) || !is_near(c, b) || (info->pointers && info->region != a->region);
	info->region = a->region;
	info->pointers = true;
}

static int pointer_arithmetic(struct vm_check *c, struct vm_state *s, const struct vm_op *op,
			      const struct vm_value *b)
{
	struct vm_value *a = &s->reg[op->dst], r;

	if (op->width == 32)
		return refuse_pair(c, "32-bit arithmetic on a pointer", a, b,
				   "; pointers have 64 bits");
	if (op->op == VM_OP_ADD && a->kind != b->kind) {
		r = a->kind == VALUE_POINTER ? *a : *b;
		r.range = vm_range_alu(RANGE_ADD, true, &a->range, &b->range);
		*a = r;
		return CHECK_GOES_ON;
	}
	if (op->op == VM_OP_SUB && a->kind == VALUE_POINTER) {
		if (b->kind == VALUE_POINTER && b->region != a->region)
			return refuse_pair(c, "subtracts pointers into different regions", a, b,
					   "");
		if (b->kind == VALUE_POINTER)
			note_pair(c, a, b);
		a->range = vm_range_alu(RANGE_SUB, true, &a->range, &b->range);
		if (b->kind == VALUE_POINTER)
			*a = vm_value_scalar(a->range);
		return CHECK_GOES_ON;
	}
	return refuse_pair(c, "arithmetic on a pointer", a, b,
			   "; only adding and subtracting numbers, and the distance of two "
			   "pointers, are allowed");
}

static struct vm_range swap_bytes(const struct vm_op *op, const struct vm_range *a)
{
	bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;

	if (op->op == VM_OP_BSWAP || (op->op == VM_OP_BE) == little)
		return vm_range_bswap(a, 8u * op->bytes);
	return vm_range_zext(a, 8u * op->bytes);
}

static int check_alu(struct vm_check *c, struct vm_state *s, const struct vm_op *op)
{
	struct vm_value *dst = &s->reg[op->dst], b;
	bool is64 = op->width == 64;
	int rc;

	if (op->op == VM_OP_MOV && is64 && !op->use_imm && s->reg[op->src].kind == VALUE_MIXED) {
		*dst = s->reg[op->src];
		return CHECK_GOES_ON;
	}
	for (unsigned reg = 0; reg < 11; reg++) {
		if (!(op->reads >> reg & 1))
			continue;
		rc = need_value(c, s, reg);
		if (rc)
			return rc;
	}
	b = operand(s, op);
	switch (op->op) {
	case VM_OP_MOV:
		if (!is64 && b.kind == VALUE_POINTER)
			break;
		if (!is64)
			b.range = vm_range_zext(&b.range, 32);
		*dst = b;
		return CHECK_GOES_ON;
	case VM_OP_MOVSX:
		if (b.kind == VALUE_POINTER)
			break;
		b.range = vm_range_sext(&b.range, 8u * op->bytes);
		if (!is64)
			b.range = vm_range_zext(&b.range, 32);
		*dst = b;
		return CHECK_GOES_ON;
	case VM_OP_NEG:
		b = *dst;
		if (b.kind == VALUE_POINTER)
			break;
		dst->range = vm_range_neg(is64, &b.range);
		return CHECK_GOES_ON;
	case VM_OP_LE:
	case VM_OP_BE:
	case VM_OP_BSWAP:
		b = *dst;
		if (b.kind == VALUE_POINTER)
			break;
		dst->range = swap_bytes(op, &b.range);
		return CHECK_GOES_ON;
	default:
		if (dst->kind == VALUE_POINTER || b.kind == VALUE_POINTER)
			return pointer_arithmetic(c, s, op, &b);
		/* x ^ x and x - x are 0 whatever x is. */
		if (!op->use_imm && op->src == op->dst &&
		    (op->op == VM_OP_XOR || op->op == VM_OP_SUB))
			dst->range = vm_range_const(0);
		else
			dst->range = vm_range_alu(range_ops[op->op], is64, &dst->range, &b.range);
		return CHECK_GOES_ON;
	}
	return pointer_arithmetic(c, s, op, &b);
}

static int check_exit(struct vm_check *c, const struct vm_state *s)
{
	const struct vm_value *r0 = &s->reg[0];
	char text[96];

	if (c->kind == PROGRAM_KEY || c->kind == PROGRAM_COMBINE)
		return CHECK_ENDS; /* they return nothing */
	if (r0->kind == VALUE_SCALAR)
		return CHECK_ENDS;
	if (r0->kind == VALUE_POINTER)
		return vm_check_refuse(c, "returns a pointer (r0 = %s); it must return a number",
				       vm_value_text(r0, text, sizeof(text)));
	return vm_check_refuse(c, "returns without a value: r0 %s", uninit_reason(r0));
}

int vm_check_insn(struct vm_check *c, struct vm_state *s, const struct vm_op *op)
{
	switch ((enum vm_op_kind)op->kind) {
	case VM_KIND_ALU:
		return check_alu(c, s, op);
	case VM_KIND_LOAD:
		return vm_check_load(c, s, op);
	case VM_KIND_STORE:
		return vm_check_store(c, s, op);
	case VM_KIND_CONST:
		s->reg[op->dst] = op->op == VM_OP_RODATA
					  ? vm_value_pointer(VM_REGION_RODATA, op->imm)
					  : vm_value_scalar(vm_range_const((uint64_t)op->imm));
		return CHECK_GOES_ON;
	case VM_KIND_CALL:
		return vm_check_call(c, s, op);
	case VM_KIND_EXIT:
		return check_exit(c, s);
	case VM_KIND_JUMP:
		break; /* JA does nothing to the state */
	}
	return CHECK_GOES_ON;
}

/* ---- conditional jumps ----------------------------------------------------------------------- */

static const enum vm_range_cond conditions[] = {
	[VM_OP_JEQ] = RANGE_EQ,   [VM_OP_JNE] = RANGE_NE,   [VM_OP_JSET] = RANGE_SET,
	[VM_OP_JGT] = RANGE_GT,   [VM_OP_JGE] = RANGE_GE,   [VM_OP_JLT] = RANGE_LT,
	[VM_OP_JLE] = RANGE_LE,   [VM_OP_JSGT] = RANGE_SGT, [VM_OP_JSGE] = RANGE_SGE,
	[VM_OP_JSLT] = RANGE_SLT, [VM_OP_JSLE] = RANGE_SLE,
};

/*
 * Addresses are compared as unsigned numbers. That equals comparing offsets as signed numbers as
 * long as no address wraps: no region lies in the first 64 KiB or within 8 GiB of the end of the
 * address space. A pointer that may be further away is compared without learning from it: which
 * way it goes depends on where the region lies, but what is believed then holds on both.
 */
static bool offset_is_ordered(const struct vm_range *r)
{
	return r->smin >= -65536 && r->smax <= 1ll << 33;
}

/* How two pointers compare, as a condition on their offsets. False: nothing is learnt. */
static bool pointer_condition(const struct vm_op *op, const struct vm_value *a,
			      const struct vm_value *b, enum vm_range_cond *ret)
{
	static const struct {
		uint8_t op, cond;
	} ordered[] = {
		{VM_OP_JGT, RANGE_SGT},
		{VM_OP_JGE, RANGE_SGE},
		{VM_OP_JLT, RANGE_SLT},
		{VM_OP_JLE, RANGE_SLE},
	};

	if (op->op == VM_OP_JEQ || op->op == VM_OP_JNE) {
		*ret = conditions[op->op];
		return true;
	}
	if (!offset_is_ordered(&a->range) || !offset_is_ordered(&b->range))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(ordered); i++) {
		if (ordered[i].op == op->op) {
			*ret = ordered[i].cond;
			return true;
		}
	}
	return false;
}

/* Which ways are possible for a condition on the ranges of both operands, and what they teach. */
static int split(struct vm_check *c, struct vm_state *s, const struct vm_op *op,
		 enum vm_range_cond cond, bool is64, struct vm_jump_ways *ret)
{
	struct vm_range imm = vm_range_const((uint64_t)op->imm);
	struct vm_range a = s->reg[op->dst].range, b = op->use_imm ? imm : s->reg[op->src].range;
	struct vm_range not_a = a, not_b = b;

	ret->taken = vm_range_refine(cond, is64, &a, &b);
	ret->next = vm_range_refine(vm_range_negate(cond), is64, &not_a, &not_b);
	ret->taken_state = NULL;
	if (!ret->taken && !ret->next) /* only when the state itself is impossible */
		return CHECK_ENDS;
	if (ret->taken && ret->next) {
		ret->taken_state = vm_state_copy(&c->states, s);
		if (!ret->taken_state)
			return vm_check_no_memory(c);
		ret->taken_state->reg[op->dst].range = a;
		if (!op->use_imm)
			ret->taken_state->reg[op->src].range = b;
	} else if (ret->taken) {
		not_a = a;
		not_b = b;
	}
	s->reg[op->dst].range = not_a;
	if (!op->use_imm)
		s->reg[op->src].range = not_b;
	return CHECK_JUMPS;
}

int vm_check_jump(struct vm_check *c, struct vm_state *s, const struct vm_op *op,
		  struct vm_jump_ways *ret)
{
	struct vm_value *a = &s->reg[op->dst], b;
	const struct vm_value *number;
	enum vm_range_cond cond = conditions[op->op];
	int rc = need_value(c, s, op->dst);

	if (!rc && !op->use_imm)
		rc = need_value(c, s, op->src);
	if (rc)
		return rc;
	b = operand(s, op);
	if (a->kind == VALUE_SCALAR && b.kind == VALUE_SCALAR)
		return split(c, s, op, cond, op->width == 64, ret);

	if (op->width == 32)
		return refuse_pair(c, "32-bit comparison of a pointer", a, &b, "");
	if (a->kind == b.kind) {
		if (a->region != b.region)
			return refuse_pair(c, "compares pointers into different regions", a, &b,
					   "");
		if (op->op == VM_OP_JSET)
			return refuse_pair(c, "looks at the bits of a pointer", a, &b, "");
		note_pair(c, a, &b);
		if (pointer_condition(op, a, &b, &cond))
			return split(c, s, op, cond, true, ret);
		*ret = (struct vm_jump_ways){
			.taken = true, .next = true, .taken_state = vm_state_copy(&c->states, s)};
		return ret->taken_state ? CHECK_JUMPS : vm_check_no_memory(c);
	}
	number = a->kind == VALUE_SCALAR ? a : &b;
	if ((op->op == VM_OP_JEQ || op->op == VM_OP_JNE) && !number->range.umax) {
		/* No pointer is null. */
		*ret = (struct vm_jump_ways){.taken = op->op == VM_OP_JNE,
					     .next = op->op == VM_OP_JEQ};
		return CHECK_JUMPS;
	}
	return refuse_pair(c, "compares a pointer with a number", a, &b, "");
}
