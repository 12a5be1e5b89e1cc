/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The values of the record at hand, in few registers. */
#include "scan/engine_kernel_sweep_internal.h"

int16_t sweep_new_slot(struct kernel_sweep *w)
{
	w->stack -= 8;
	w->failed |= w->stack < -MAX_STACK_BYTES;
	return w->stack;
}

/* A temp that nobody holds; if need be, what one holds goes to the stack. */
uint8_t sweep_take_temp(struct kernel_sweep *w)
{
	for (uint32_t i = 0; !w->free && i < w->bf->n_nodes; i++) {
		struct value *v = &w->v[i];

		if (v->where != IN_TEMP)
			continue;
		if (!v->slot)
			v->slot = sweep_new_slot(w);
		emit(w, SPLICE_STX(BPF_DW, BPF_REG_10, v->slot, v->reg));
		v->where = SPILLED;
		w->free |= (uint16_t)(1u << v->reg);
	}
	if (!w->free) {
		w->failed = true;
		return BPF_REG_0;
	}
	uint8_t reg = (uint8_t)__builtin_ctz(w->free);

	w->free &= (uint16_t)(w->free - 1);
	return reg;
}

void sweep_give_temp(struct kernel_sweep *w, uint8_t reg)
{
	w->free |= (uint16_t)(1u << reg & TEMPS);
}

static uint8_t compute(struct kernel_sweep *w, uint32_t i);

/* The node's value (a mask, if it makes one) in a temp of the caller's own. */
uint8_t sweep_take(struct kernel_sweep *w, uint32_t i)
{
	struct value *v = &w->v[i];
	uint8_t reg;

	if (v->where == NOWHERE) {
		reg = compute(w, i);
		if (v->to_come <= 1 || !v->varies) {
			v->to_come = 0;
			return reg;
		}
		v->where = IN_TEMP;
		v->reg = reg;
	}
	if (v->where == IN_TEMP && v->to_come <= 1) {
		v->where = NOWHERE;
		v->to_come = 0;
		return v->reg;
	}
	v->to_come -= v->to_come > 0;
	reg = sweep_take_temp(w); /* may spill v */
	if (v->where == IMMEDIATE)
		emit(w, SPLICE_MOV_K(reg, (int32_t)v->lo));
	else if (v->where == FIXED_REG || v->where == IN_TEMP)
		emit(w, SPLICE_MOV(reg, v->reg));
	else
		emit(w, SPLICE_LDX(BPF_DW, reg, BPF_REG_10, v->slot));
	return reg;
}

/* The same, where a number is wanted, and where a mask is. */
uint8_t sweep_take_number(struct kernel_sweep *w, uint32_t i)
{
	uint8_t reg = sweep_take(w, i);

	if (makes_mask(&w->bf->nodes[i]))
		emit(w, NEGATE(reg));
	return reg;
}

uint8_t sweep_take_mask(struct kernel_sweep *w, uint32_t i)
{
	uint8_t reg = sweep_take(w, i);

	if (!makes_mask(&w->bf->nodes[i]))
		emit(w, NEGATE(reg)); /* 0 or 1 */
	return reg;
}

/* Compute it now, and keep it where it may be spilled. */
void sweep_hold(struct kernel_sweep *w, uint32_t i)
{
	struct value *v = i == BF_NONE ? NULL : &w->v[i];

	if (!v || !v->varies || v->where != NOWHERE)
		return;
	v->reg = compute(w, i);
	v->where = IN_TEMP;
}

/* If it is used again, compute it now and keep it; can it be read where it is? */
static bool in_place(struct kernel_sweep *w, uint32_t i)
{
	struct value *v = &w->v[i];

	if (v->to_come > 1)
		sweep_hold(w, i);
	if (v->where == IN_TEMP && v->to_come > 1) {
		v->to_come--;
		return true;
	}
	return v->where == FIXED_REG;
}

/* dst OP= the node's number. */
static void apply(struct kernel_sweep *w, uint8_t op, uint8_t dst, uint32_t i)
{
	struct value *v = &w->v[i];
	uint8_t reg;

	if (v->where == IMMEDIATE) {
		emit(w, SPLICE_ALU_K(op, dst, (int32_t)v->lo));
		return;
	}
	if (!makes_mask(&w->bf->nodes[i]) && in_place(w, i)) {
		emit(w, SPLICE_ALU(op, dst, v->reg));
		return;
	}
	reg = sweep_take_number(w, i);
	emit(w, SPLICE_ALU(op, dst, reg));
	sweep_give_temp(w, reg);
}

/* dst OP= the node's mask. */
void sweep_apply_mask(struct kernel_sweep *w, uint8_t op, uint8_t dst, uint32_t i)
{
	uint8_t reg;

	if (makes_mask(&w->bf->nodes[i]) && in_place(w, i)) {
		emit(w, SPLICE_ALU(op, dst, w->v[i].reg));
		return;
	}
	reg = sweep_take_mask(w, i);
	emit(w, SPLICE_ALU(op, dst, reg));
	sweep_give_temp(w, reg);
}

/* dst = -1 if it is negative, else 0. */
static void spread_sign(struct kernel_sweep *w, uint8_t dst)
{
	emit(w, SPLICE_ALU_K(BPF_ARSH, dst, 63));
}

/* a < b as a mask. */
static uint8_t less(struct kernel_sweep *w, const struct bf_node *n)
{
	const struct value *va = &w->v[n->a], *vb = &w->v[n->b];
	int64_t difference;
	bool sign = n->op == BF_SLT;
	uint8_t a = sweep_take_number(w, n->a), b, x, same, other;

	if ((sign || (va->lo >= 0 && vb->lo >= 0)) &&
	    !__builtin_sub_overflow(va->lo, vb->hi, &difference) &&
	    !__builtin_sub_overflow(va->hi, vb->lo, &difference)) {
		apply(w, BPF_SUB, a, n->b);
		spread_sign(w, a);
		return a;
	}
	/* Their difference's sign, unless theirs differ: then a's own, or b's without a sign. */
	b = sweep_take_number(w, n->b);
	x = sweep_take_temp(w);
	same = sign ? b : a;
	other = sign ? a : b;
	emit(w, SPLICE_MOV(x, a));
	emit(w, SPLICE_ALU(BPF_SUB, x, b));
	emit(w, SPLICE_ALU(BPF_XOR, same, other));
	emit(w, SPLICE_ALU(BPF_XOR, other, x));
	emit(w, SPLICE_ALU(BPF_AND, same, other));
	emit(w, SPLICE_ALU(BPF_XOR, x, same));
	spread_sign(w, x);
	sweep_give_temp(w, a);
	sweep_give_temp(w, b);
	return x;
}

static uint8_t equal(struct kernel_sweep *w, const struct bf_node *n)
{
	const struct value *va = &w->v[n->a], *vb = &w->v[n->b];
	uint8_t d = sweep_take_number(w, n->a), t;

	apply(w, BPF_XOR, d, n->b);
	if (va->lo >= 0 && vb->lo >= 0) { /* so is d */
		emit(w, SPLICE_ALU_K(BPF_SUB, d, 1));
		spread_sign(w, d);
		return d;
	}
	t = sweep_take_temp(w);
	emit(w, SPLICE_MOV(t, d));
	emit(w, NEGATE(t));
	emit(w, SPLICE_ALU(BPF_OR, d, t));
	spread_sign(w, d);
	emit(w, SPLICE_ALU_K(BPF_XOR, d, -1));
	sweep_give_temp(w, t);
	return d;
}

static uint8_t load(struct kernel_sweep *w, const struct bf_node *n)
{
	uint8_t size = n->bytes == 1   ? BPF_B
		       : n->bytes == 2 ? BPF_H
		       : n->bytes == 4 ? BPF_W
				       : BPF_DW;
	uint8_t reg = sweep_take_temp(w);

	if (n->region == VM_REGION_RODATA) {
		splice_load64(w->s, reg, w->rodata + n->imm, 0);
		splice_cast(w->s, reg);
		emit(w, SPLICE_LDX(size, reg, reg, 0));
	} else { /* r1 points to the parameters before the loop */
		int64_t off = (int64_t)n->imm + (n->region == VM_REGION_RECORD ? w->at : 0);

		w->failed |= off > INT16_MAX;
		emit(w, SPLICE_LDX(size, reg, BPF_REG_1, (int16_t)off));
	}
	return reg;
}

/* The second operand is computed first: let it be the one that takes more temps. */
static struct bf_node ordered(const struct kernel_sweep *w, uint32_t i)
{
	struct bf_node n = w->bf->nodes[i];

	if ((n.op == BF_ADD || n.op == BF_MUL || n.op == BF_AND || n.op == BF_OR ||
	     n.op == BF_XOR || n.op == BF_BOTH || n.op == BF_EITHER || n.op == BF_EQ) &&
	    w->v[n.a].temps > w->v[n.b].temps) {
		n.a = w->bf->nodes[i].b;
		n.b = w->bf->nodes[i].a;
	}
	return n;
}

static uint8_t compute(struct kernel_sweep *w, uint32_t i)
{
	static const uint8_t alu[] = {
		[BF_ADD] = BPF_ADD,  [BF_SUB] = BPF_SUB, [BF_MUL] = BPF_MUL,  [BF_UDIV] = BPF_DIV,
		[BF_UMOD] = BPF_MOD, [BF_AND] = BPF_AND, [BF_OR] = BPF_OR,    [BF_XOR] = BPF_XOR,
		[BF_SHL] = BPF_LSH,  [BF_SHR] = BPF_RSH, [BF_SAR] = BPF_ARSH,
	};
	const struct bf_node copy = ordered(w, i), *n = &copy;
	uint8_t d, t;

	sweep_hold(w, n->c);
	sweep_hold(w, n->b);
	switch (n->op) {
	case BF_CONST:
		d = sweep_take_temp(w);
		splice_load64(w->s, d, n->imm, 0);
		return d;
	case BF_LOAD:
		return load(w, n);
	case BF_ZEXT:
		d = sweep_take_number(w, n->a);
		if (n->bytes == 4)
			emit(w, ALU32(BPF_MOV, d, d));
		else if (n->bytes < 4)
			emit(w, SPLICE_ALU_K(BPF_AND, d, (1 << 8 * n->bytes) - 1));
		return d;
	case BF_SEXT:
		d = sweep_take_number(w, n->a);
		if (n->bytes < 8)
			emit(w, SIGNED_MOV(d, (int16_t)(8 * n->bytes)));
		return d;
	case BF_EQ:
		return equal(w, n);
	case BF_ULT:
	case BF_SLT:
		return less(w, n);
	case BF_NOT:
		d = sweep_take_mask(w, n->a);
		emit(w, SPLICE_ALU_K(BPF_XOR, d, -1));
		return d;
	case BF_BOTH:
	case BF_EITHER:
		d = sweep_take_mask(w, n->a);
		sweep_apply_mask(w, n->op == BF_BOTH ? BPF_AND : BPF_OR, d, n->b);
		return d;
	case BF_SELECT: /* c ^ ((b ^ c) & mask) */
		d = sweep_take_number(w, n->b);
		t = sweep_take_number(w, n->c);
		emit(w, SPLICE_ALU(BPF_XOR, d, t));
		sweep_apply_mask(w, BPF_AND, d, n->a);
		emit(w, SPLICE_ALU(BPF_XOR, d, t));
		sweep_give_temp(w, t);
		return d;
	default:
		d = sweep_take_number(w, n->a);
		apply(w, alu[n->op], d, n->b);
		return d;
	}
}
