/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine_kernel_sweep.c - see the header.
 *
 *	r1       the record at hand          r2       records left
 *	r6..r9   accumulators, then what does not change from record to record
 *	r0, r3, r4, r5                       values of the record at hand
 *
 * What finds no register lies on the stack. A condition is a mask, 0 or -1: `a < b` is the sign of
 * a - b, spread, where that cannot overflow; so the kernel's verifier sees one way through a
 *record, and the processor has nothing to guess. A minimum keeps its jump: it is hardly ever taken.
 *
 * A 128-bit sum is kept as two sums, of the lower and of the upper halves of the 64-bit numbers:
 * they do not overflow within a sweep, and there is no carry to wait for.
 */
#include "scan/engine_kernel_sweep.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/scope.h"
#include "bpf/scan_abi.h"

enum {
	MAX_ACCUMULATORS = 20,
	MAX_STACK_BYTES = 240,
	MAX_COST = 100, /* instructions a record, about: beyond it a branch is cheaper */
	MAX_UNROLL = 8,
	UNROLLED_INSNS = 256,
	SMALL_SUM_BITS = 43, /* such numbers fit 64 bits 2^20 times */
	TEMPS = 1 << BPF_REG_0 | 1 << BPF_REG_3 | 1 << BPF_REG_4 | 1 << BPF_REG_5,
	LANE_SLOT = -8,
	DATA_SLOT = -16,
	LEFT_SLOT = -24,
};

#define ALU32(op, d, s)	    SPLICE_INSN(BPF_ALU | (op) | BPF_X, d, s, 0, 0)
#define NEGATE(d)	    SPLICE_INSN(BPF_ALU64 | BPF_NEG, d, 0, 0, 0)
#define SIGNED_MOV(d, bits) SPLICE_INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, d, bits, 0)

enum where {
	NOWHERE,
	IN_TEMP,
	SPILLED,
	FIXED_REG, /* for the whole loop */
	FIXED_SLOT,
	IMMEDIATE,
};

struct value {
	bool varies;	/* with the record */
	int64_t lo, hi; /* as signed numbers */
	enum where where;
	uint8_t reg;
	int16_t slot;
	unsigned temps;	  /* that computing it takes, about */
	unsigned uses;	  /* in a record */
	unsigned to_come; /* of them, in the record at hand */
};

enum accumulator_kind { ACC_CELL, ACC_SUM_LOW, ACC_SUM_HIGH, ACC_MATCHED };

struct accumulator {
	enum accumulator_kind kind;
	uint32_t cell;
	uint8_t reg; /* 0: on the stack */
	int16_t slot;
};

struct kernel_sweep {
	struct vm_branchfree *bf;
	const struct program *program;
	uint32_t record_bytes;
	struct value *v;
	struct accumulator acc[MAX_ACCUMULATORS];
	unsigned n_acc;
	uint32_t counter; /* a cell that counts what matches, or BF_NONE */
	unsigned unroll;

	struct splice *s;
	uint64_t rodata;
	uint16_t free; /* temps */
	int16_t stack;
	int32_t at;   /* of the record at hand, from r1 */
	uint8_t zero; /* a register: 0, which the kernel's verifier does not know; 0: none */
	bool failed;
};

/* ---- may it be done? ------------------------------------------------------------------------- */

static bool makes_mask(const struct bf_node *n)
{
	return n->op >= BF_EQ && n->op <= BF_EITHER;
}

static bool is_const(const struct kernel_sweep *w, uint32_t i)
{
	return w->bf->nodes[i].op == BF_CONST;
}

static bool emittable(const struct bf_node *n, const struct kernel_sweep *w)
{
	if (n->wide || n->state)
		return false;
	switch (n->op) {
	case BF_CONST:
	case BF_LEN:
	case BF_ADD:
	case BF_SUB:
	case BF_MUL:
	case BF_AND:
	case BF_OR:
	case BF_XOR:
	case BF_SHL:
	case BF_SHR:
	case BF_SAR:
	case BF_ZEXT:
	case BF_SEXT:
	case BF_EQ:
	case BF_ULT:
	case BF_SLT:
	case BF_NOT:
	case BF_BOTH:
	case BF_EITHER:
	case BF_SELECT:
		return true;
	case BF_LOAD:
		return n->region == VM_REGION_RODATA ||
		       n->imm + w->record_bytes <= INT16_MAX; /* room for the unrolled ones */
	case BF_UDIV:
	case BF_UMOD:
		return !is_const(w, n->b) || w->bf->nodes[n->b].imm;
	default:
		return false;
	}
}

static void set_range(struct value *v, int64_t lo, int64_t hi)
{
	v->lo = lo;
	v->hi = hi;
}

/* What numbers the node may be; its operands are known. */
static void find_range(struct kernel_sweep *w, uint32_t i)
{
	const struct bf_node *n = &w->bf->nodes[i];
	struct value *v = &w->v[i], *a = n->a == BF_NONE ? v : &w->v[n->a],
		     *b = n->b == BF_NONE ? v : &w->v[n->b];
	int64_t lo, hi;

	set_range(v, INT64_MIN, INT64_MAX);
	switch (n->op) {
	case BF_CONST:
		set_range(v, (int64_t)n->imm, (int64_t)n->imm);
		break;
	case BF_LEN:
		set_range(v, w->record_bytes, w->record_bytes);
		break;
	case BF_LOAD:
	case BF_ZEXT:
		if (n->bytes < 8)
			set_range(v, 0, (int64_t)((1ull << 8 * n->bytes) - 1));
		break;
	case BF_SEXT:
		if (n->bytes < 8)
			set_range(v, -(1ll << (8 * n->bytes - 1)), (1ll << (8 * n->bytes - 1)) - 1);
		break;
	case BF_ADD:
		if (!__builtin_add_overflow(a->lo, b->lo, &lo) &&
		    !__builtin_add_overflow(a->hi, b->hi, &hi))
			set_range(v, lo, hi);
		break;
	case BF_SUB:
		if (!__builtin_sub_overflow(a->lo, b->hi, &lo) &&
		    !__builtin_sub_overflow(a->hi, b->lo, &hi))
			set_range(v, lo, hi);
		break;
	case BF_MUL:
		if (a->lo >= 0 && b->lo >= 0 && !__builtin_mul_overflow(a->hi, b->hi, &hi))
			set_range(v, a->lo * b->lo, hi);
		break;
	case BF_AND:
		if (a->lo >= 0 || b->lo >= 0)
			set_range(v, 0,
				  a->lo < 0	  ? b->hi
				  : b->lo < 0	  ? a->hi
				  : a->hi < b->hi ? a->hi
						  : b->hi);
		break;
	case BF_SHR:
		if (is_const(w, n->b) && b->lo > 0)
			set_range(v, 0, (int64_t)(UINT64_MAX >> b->lo));
		break;
	case BF_SAR:
		if (is_const(w, n->b))
			set_range(v, a->lo >> b->lo, a->hi >> b->lo);
		break;
	case BF_UDIV:
		if (a->lo >= 0 && b->lo >= 0)
			set_range(v, 0, a->hi);
		break;
	case BF_SELECT:
		a = &w->v[n->c];
		set_range(v, a->lo < b->lo ? a->lo : b->lo, a->hi > b->hi ? a->hi : b->hi);
		break;
	default:
		if (makes_mask(n))
			set_range(v, 0, 1);
	}
}

static void find_temps(struct kernel_sweep *w, uint32_t i)
{
	const struct bf_node *n = &w->bf->nodes[i];
	unsigned a = n->a == BF_NONE ? 0 : w->v[n->a].temps,
		 b = n->b == BF_NONE ? 0 : w->v[n->b].temps,
		 c = n->c == BF_NONE ? 0 : w->v[n->c].temps, most = a > b ? a : b;

	if (n->a != BF_NONE && !w->v[i].varies)
		w->v[i].temps = 1; /* computed before the loop */
	else if (n->op == BF_SELECT)
		w->v[i].temps = (most > c ? most : c) + 2;
	else
		w->v[i].temps = most + (a == b || n->op == BF_ULT || n->op == BF_SLT);
}

/* Count the uses of what the node needs, once; false: something cannot be emitted. */
static bool need(struct kernel_sweep *w, uint32_t i)
{
	const struct bf_node *n;
	struct value *v;

	if (i == BF_NONE)
		return true;
	n = &w->bf->nodes[i];
	v = &w->v[i];
	if (!emittable(n, w))
		return false;
	if (v->uses++)
		return true;
	return need(w, n->a) && need(w, n->b) && need(w, n->c);
}

static bool add_accumulator(struct kernel_sweep *w, enum accumulator_kind kind, uint32_t cell)
{
	if (w->n_acc == MAX_ACCUMULATORS)
		return false;
	w->acc[w->n_acc++] = (struct accumulator){.kind = kind, .cell = cell};
	return true;
}

static bool is_small(const struct value *v)
{
	return v->lo >= -(1ll << SMALL_SUM_BITS) && v->hi < 1ll << SMALL_SUM_BITS;
}

/* The upper half of what is added to a 128-bit sum: zero, or the sign. */
static bool is_unsigned_sum(const struct kernel_sweep *w, const struct bf_cell *c)
{
	return is_const(w, c->high) && w->bf->nodes[c->high].imm == 0;
}

static bool is_signed_sum(const struct kernel_sweep *w, const struct bf_cell *c)
{
	const struct bf_node *h = &w->bf->nodes[c->high];

	return h->op == BF_SAR && h->a == c->operand && is_const(w, h->b) &&
	       w->bf->nodes[h->b].imm == 63;
}

static bool plan_cell(struct kernel_sweep *w, uint32_t i)
{
	const struct bf_cell *c = &w->bf->cells[i];

	if (!c->written || c->upper)
		return true;
	if (c->merge == BF_MERGE_NONE || !need(w, c->operand) || !need(w, c->when) ||
	    !need(w, w->bf->match))
		return false;
	if (c->merge != BF_MERGE_ADD128)
		return c->bytes <= 8 && add_accumulator(w, ACC_CELL, i);
	if (is_signed_sum(w, c)) {
		if (is_small(&w->v[c->operand]))
			return add_accumulator(w, ACC_SUM_LOW, i);
	} else if (!is_unsigned_sum(w, c)) {
		return false;
	} else if (is_small(&w->v[c->operand]) && w->v[c->operand].lo >= 0) {
		return add_accumulator(w, ACC_SUM_LOW, i);
	}
	return add_accumulator(w, ACC_SUM_LOW, i) && add_accumulator(w, ACC_SUM_HIGH, i);
}

/* A cell that does the lane's counting. */
static bool counts_matches(const struct kernel_sweep *w, const struct bf_cell *c)
{
	return c->written && c->merge == BF_MERGE_ADD && c->bytes == 8 && c->when == BF_NONE &&
	       is_const(w, c->operand) && w->bf->nodes[c->operand].imm == 1;
}

static bool plan(struct kernel_sweep *w)
{
	const struct vm_branchfree *bf = w->bf;
	unsigned cost = 2;

	for (uint32_t i = 0; i < bf->n_nodes; i++) {
		const struct bf_node *n = &bf->nodes[i];

		w->v[i].varies = (n->op == BF_LOAD && n->region == VM_REGION_RECORD) ||
				 (n->a != BF_NONE && w->v[n->a].varies) ||
				 (n->b != BF_NONE && w->v[n->b].varies) ||
				 (n->c != BF_NONE && w->v[n->c].varies);
		find_range(w, i);
		find_temps(w, i);
	}
	w->counter = BF_NONE;
	for (uint32_t i = 0; i < bf->n_cells; i++) {
		if (!plan_cell(w, i))
			return false;
		if (counts_matches(w, &bf->cells[i]))
			w->counter = i;
	}
	if (bf->match != BF_NONE && w->counter == BF_NONE &&
	    (!need(w, bf->match) || !add_accumulator(w, ACC_MATCHED, 0)))
		return false;
	for (uint32_t i = 0; i < bf->n_nodes; i++)
		cost += w->v[i].uses && w->v[i].varies ? makes_mask(&bf->nodes[i]) ? 3 : 2 : 0;
	cost += 3 * w->n_acc;
	if (cost > MAX_COST)
		return false;
	w->unroll = UNROLLED_INSNS / cost;
	if (w->unroll > MAX_UNROLL)
		w->unroll = MAX_UNROLL;
	while (w->unroll > 1 && (w->unroll + 1) * w->record_bytes > INT16_MAX)
		w->unroll--;
	return true;
}

struct kernel_sweep *kernel_sweep_new(const struct vm_program *vp, uint32_t record_bytes)
{
	struct kernel_sweep *w;
	const char *why;

	if (record_bytes > INT16_MAX / 2)
		return NULL;
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->program = vp->program;
	w->record_bytes = record_bytes;
	if (vm_branchfree_new(vp, &w->bf, &why))
		goto no;
	w->v = calloc(w->bf->n_nodes + 1, sizeof(*w->v));
	if (!w->v || !w->bf->all_reductions || w->bf->reduce_fails != BF_NONE || !plan(w))
		goto no;
	return w;
no:
	kernel_sweep_free(w);
	return NULL;
}

void kernel_sweep_free(struct kernel_sweep *w)
{
	if (!w)
		return;
	vm_branchfree_free(w->bf);
	free(w->v);
	free(w);
}

/* ---- values ---------------------------------------------------------------------------------- */

static void emit(struct kernel_sweep *w, struct bpf_insn insn)
{
	splice_emit(w->s, insn);
}

static int16_t new_slot(struct kernel_sweep *w)
{
	w->stack -= 8;
	w->failed |= w->stack < -MAX_STACK_BYTES;
	return w->stack;
}

/* A temp that nobody holds; if need be, what one holds goes to the stack. */
static uint8_t take_temp(struct kernel_sweep *w)
{
	for (uint32_t i = 0; !w->free && i < w->bf->n_nodes; i++) {
		struct value *v = &w->v[i];

		if (v->where != IN_TEMP)
			continue;
		if (!v->slot)
			v->slot = new_slot(w);
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

static void give_temp(struct kernel_sweep *w, uint8_t reg)
{
	w->free |= (uint16_t)(1u << reg & TEMPS);
}

static uint8_t compute(struct kernel_sweep *w, uint32_t i);

/* The node's value (a mask, if it makes one) in a temp of the caller's own. */
static uint8_t take(struct kernel_sweep *w, uint32_t i)
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
	reg = take_temp(w); /* may spill v */
	if (v->where == IMMEDIATE)
		emit(w, SPLICE_MOV_K(reg, (int32_t)v->lo));
	else if (v->where == FIXED_REG || v->where == IN_TEMP)
		emit(w, SPLICE_MOV(reg, v->reg));
	else
		emit(w, SPLICE_LDX(BPF_DW, reg, BPF_REG_10, v->slot));
	return reg;
}

/* The same, where a number is wanted, and where a mask is. */
static uint8_t take_number(struct kernel_sweep *w, uint32_t i)
{
	uint8_t reg = take(w, i);

	if (makes_mask(&w->bf->nodes[i]))
		emit(w, NEGATE(reg));
	return reg;
}

static uint8_t take_mask(struct kernel_sweep *w, uint32_t i)
{
	uint8_t reg = take(w, i);

	if (!makes_mask(&w->bf->nodes[i]))
		emit(w, NEGATE(reg)); /* 0 or 1 */
	return reg;
}

/* Compute it now, and keep it where it may be spilled. */
static void hold(struct kernel_sweep *w, uint32_t i)
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
		hold(w, i);
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
	reg = take_number(w, i);
	emit(w, SPLICE_ALU(op, dst, reg));
	give_temp(w, reg);
}

/* dst OP= the node's mask. */
static void apply_mask(struct kernel_sweep *w, uint8_t op, uint8_t dst, uint32_t i)
{
	uint8_t reg;

	if (makes_mask(&w->bf->nodes[i]) && in_place(w, i)) {
		emit(w, SPLICE_ALU(op, dst, w->v[i].reg));
		return;
	}
	reg = take_mask(w, i);
	emit(w, SPLICE_ALU(op, dst, reg));
	give_temp(w, reg);
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
	uint8_t a = take_number(w, n->a), b, x, same, other;

	if ((sign || (va->lo >= 0 && vb->lo >= 0)) &&
	    !__builtin_sub_overflow(va->lo, vb->hi, &difference) &&
	    !__builtin_sub_overflow(va->hi, vb->lo, &difference)) {
		apply(w, BPF_SUB, a, n->b);
		spread_sign(w, a);
		return a;
	}
	/* Their difference's sign, unless theirs differ: then a's own, or b's without a sign. */
	b = take_number(w, n->b);
	x = take_temp(w);
	same = sign ? b : a;
	other = sign ? a : b;
	emit(w, SPLICE_MOV(x, a));
	emit(w, SPLICE_ALU(BPF_SUB, x, b));
	emit(w, SPLICE_ALU(BPF_XOR, same, other));
	emit(w, SPLICE_ALU(BPF_XOR, other, x));
	emit(w, SPLICE_ALU(BPF_AND, same, other));
	emit(w, SPLICE_ALU(BPF_XOR, x, same));
	spread_sign(w, x);
	give_temp(w, a);
	give_temp(w, b);
	return x;
}

static uint8_t equal(struct kernel_sweep *w, const struct bf_node *n)
{
	const struct value *va = &w->v[n->a], *vb = &w->v[n->b];
	uint8_t d = take_number(w, n->a), t;

	apply(w, BPF_XOR, d, n->b);
	if (va->lo >= 0 && vb->lo >= 0) { /* so is d */
		emit(w, SPLICE_ALU_K(BPF_SUB, d, 1));
		spread_sign(w, d);
		return d;
	}
	t = take_temp(w);
	emit(w, SPLICE_MOV(t, d));
	emit(w, NEGATE(t));
	emit(w, SPLICE_ALU(BPF_OR, d, t));
	spread_sign(w, d);
	emit(w, SPLICE_ALU_K(BPF_XOR, d, -1));
	give_temp(w, t);
	return d;
}

static uint8_t load(struct kernel_sweep *w, const struct bf_node *n)
{
	uint8_t size = n->bytes == 1   ? BPF_B
		       : n->bytes == 2 ? BPF_H
		       : n->bytes == 4 ? BPF_W
				       : BPF_DW;
	uint8_t reg = take_temp(w);

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

	hold(w, n->c);
	hold(w, n->b);
	switch (n->op) {
	case BF_CONST:
		d = take_temp(w);
		splice_load64(w->s, d, n->imm, 0);
		return d;
	case BF_LOAD:
		return load(w, n);
	case BF_ZEXT:
		d = take_number(w, n->a);
		if (n->bytes == 4)
			emit(w, ALU32(BPF_MOV, d, d));
		else if (n->bytes < 4)
			emit(w, SPLICE_ALU_K(BPF_AND, d, (1 << 8 * n->bytes) - 1));
		return d;
	case BF_SEXT:
		d = take_number(w, n->a);
		if (n->bytes < 8)
			emit(w, SIGNED_MOV(d, (int16_t)(8 * n->bytes)));
		return d;
	case BF_EQ:
		return equal(w, n);
	case BF_ULT:
	case BF_SLT:
		return less(w, n);
	case BF_NOT:
		d = take_mask(w, n->a);
		emit(w, SPLICE_ALU_K(BPF_XOR, d, -1));
		return d;
	case BF_BOTH:
	case BF_EITHER:
		d = take_mask(w, n->a);
		apply_mask(w, n->op == BF_BOTH ? BPF_AND : BPF_OR, d, n->b);
		return d;
	case BF_SELECT: /* c ^ ((b ^ c) & mask) */
		d = take_number(w, n->b);
		t = take_number(w, n->c);
		emit(w, SPLICE_ALU(BPF_XOR, d, t));
		apply_mask(w, BPF_AND, d, n->a);
		emit(w, SPLICE_ALU(BPF_XOR, d, t));
		give_temp(w, t);
		return d;
	default:
		d = take_number(w, n->a);
		apply(w, alu[n->op], d, n->b);
		return d;
	}
}

/* ---- accumulators ---------------------------------------------------------------------------- */

static uint8_t size_of(const struct bf_cell *c)
{
	return c->bytes == 1 ? BPF_B : c->bytes == 2 ? BPF_H : c->bytes == 4 ? BPF_W : BPF_DW;
}

/* The accumulator in a register; put_back() stores it if it lies on the stack. */
static uint8_t get(struct kernel_sweep *w, const struct accumulator *a)
{
	uint8_t reg;

	if (a->reg)
		return a->reg;
	reg = take_temp(w);
	emit(w, SPLICE_LDX(BPF_DW, reg, BPF_REG_10, a->slot));
	return reg;
}

static void put_back(struct kernel_sweep *w, const struct accumulator *a, uint8_t reg)
{
	if (a->reg)
		return;
	emit(w, SPLICE_STX(BPF_DW, BPF_REG_10, a->slot, reg));
	give_temp(w, reg);
}

static void accumulate(struct kernel_sweep *w, const struct accumulator *a, uint8_t op, uint8_t reg)
{
	uint8_t sum = get(w, a);

	emit(w, SPLICE_ALU(op, sum, reg));
	put_back(w, a, sum);
}

static bool conditional(const struct kernel_sweep *w, const struct bf_cell *c)
{
	return w->bf->match != BF_NONE || c->when != BF_NONE;
}

/* dst &= match and when, as far as there are such. */
static void mask_by(struct kernel_sweep *w, const struct bf_cell *c, uint8_t dst)
{
	if (w->bf->match != BF_NONE)
		apply_mask(w, BPF_AND, dst, w->bf->match);
	if (c->when != BF_NONE)
		apply_mask(w, BPF_AND, dst, c->when);
}

/* The operand where the record counts, else what changes nothing. */
static uint8_t blended(struct kernel_sweep *w, const struct bf_cell *c)
{
	uint8_t d = take_number(w, c->operand), m;

	if (c->bytes < 8 && (c->merge == BF_MERGE_SMIN || c->merge == BF_MERGE_SMAX)) {
		emit(w, SIGNED_MOV(d, (int16_t)(8 * c->bytes)));
	} else if (c->bytes < 8 && (c->merge == BF_MERGE_UMIN || c->merge == BF_MERGE_UMAX)) {
		emit(w, SPLICE_ALU_K(BPF_LSH, d, 64 - 8 * (int32_t)c->bytes));
		emit(w, SPLICE_ALU_K(BPF_RSH, d, 64 - 8 * (int32_t)c->bytes));
	}
	if (!conditional(w, c))
		return d;
	m = take_temp(w);
	emit(w, SPLICE_MOV_K(m, -1));
	mask_by(w, c, m);
	switch (c->merge) {
	case BF_MERGE_AND:
	case BF_MERGE_UMIN:
		emit(w, SPLICE_ALU_K(BPF_XOR, m, -1));
		emit(w, SPLICE_ALU(BPF_OR, d, m));
		break;
	case BF_MERGE_SMIN:
	case BF_MERGE_SMAX:
		emit(w, SPLICE_ALU(BPF_AND, d, m));
		emit(w, SPLICE_ALU_K(BPF_XOR, m, -1));
		emit(w, c->merge == BF_MERGE_SMIN ? SPLICE_ALU_K(BPF_RSH, m, 1)
						  : SPLICE_ALU_K(BPF_LSH, m, 63));
		emit(w, SPLICE_ALU(BPF_OR, d, m));
		break;
	default:
		emit(w, SPLICE_ALU(BPF_AND, d, m));
	}
	give_temp(w, m);
	return d;
}

static bool is_extreme(const struct bf_cell *c)
{
	return c->merge >= BF_MERGE_UMIN && c->merge <= BF_MERGE_SMAX;
}

/* acc = operand if it is less (or more). */
static void extreme(struct kernel_sweep *w, const struct accumulator *a, const struct bf_cell *c)
{
	static const uint8_t stays[] = {
		[BF_MERGE_UMIN] = BPF_JLE,
		[BF_MERGE_UMAX] = BPF_JGE,
		[BF_MERGE_SMIN] = BPF_JSLE,
		[BF_MERGE_SMAX] = BPF_JSGE,
	};
	uint8_t d = blended(w, c), best = get(w, a), t = take_temp(w);
	splice_label same = splice_label_new(w->s);

	/* The kernel's verifier must learn nothing of `best`, or it follows both ways on and on. */
	emit(w, SPLICE_MOV(t, best));
	emit(w, SPLICE_ALU(BPF_XOR, t, w->zero));
	splice_jump(w->s, SPLICE_JMP(stays[c->merge], t, d), same);
	emit(w, SPLICE_MOV(best, d));
	emit(w, SPLICE_ALU(BPF_XOR, best, w->zero));
	if (!a->reg)
		emit(w, SPLICE_STX(BPF_DW, BPF_REG_10, a->slot, best));
	splice_bind(w->s, same);
	if (!a->reg)
		give_temp(w, best);
	give_temp(w, d);
	give_temp(w, t);
}

static void add(struct kernel_sweep *w, const struct accumulator *a, const struct bf_cell *c)
{
	const struct bf_node *n = &w->bf->nodes[c->operand];
	bool one = n->op == BF_CONST && n->imm == 1;
	uint8_t d;

	if ((one || makes_mask(n)) && conditional(w, c)) { /* masks are -1: subtract */
		uint32_t first = w->bf->match != BF_NONE ? w->bf->match : c->when;

		if (one && (w->bf->match == BF_NONE || c->when == BF_NONE)) {
			uint8_t sum = get(w, a);

			apply_mask(w, BPF_SUB, sum, first);
			put_back(w, a, sum);
			return;
		}
		if (one) {
			d = take_temp(w);
			emit(w, SPLICE_MOV_K(d, -1));
		} else {
			d = take(w, c->operand);
		}
		mask_by(w, c, d);
		accumulate(w, a, BPF_SUB, d);
	} else {
		d = take_number(w, c->operand);
		mask_by(w, c, d);
		accumulate(w, a, BPF_ADD, d);
	}
	give_temp(w, d);
}

/* a: the sum of the lower halves, behind it that of the upper ones, or of whole numbers. */
static void add_wide(struct kernel_sweep *w, const struct accumulator *a, const struct bf_cell *c)
{
	uint8_t d = take_number(w, c->operand), low;

	mask_by(w, c, d);
	if (a + 1 == w->acc + w->n_acc || a[1].kind != ACC_SUM_HIGH) {
		accumulate(w, a, BPF_ADD, d);
	} else {
		low = take_temp(w);
		emit(w, ALU32(BPF_MOV, low, d));
		accumulate(w, a, BPF_ADD, low);
		give_temp(w, low);
		emit(w, SPLICE_ALU_K(is_unsigned_sum(w, c) ? BPF_RSH : BPF_ARSH, d, 32));
		accumulate(w, a + 1, BPF_ADD, d);
	}
	give_temp(w, d);
}

static void update(struct kernel_sweep *w, const struct accumulator *a)
{
	const struct bf_cell *c = &w->bf->cells[a->cell];
	uint8_t d;

	if (a->kind == ACC_SUM_HIGH)
		return;
	hold(w, w->bf->match);
	if (a->kind == ACC_CELL || a->kind == ACC_SUM_LOW)
		hold(w, c->when);
	if (a->kind == ACC_MATCHED) {
		d = get(w, a);
		apply_mask(w, BPF_SUB, d, w->bf->match);
		put_back(w, a, d);
		return;
	}
	switch (c->merge) {
	case BF_MERGE_ADD:
		add(w, a, c);
		break;
	case BF_MERGE_ADD128:
		add_wide(w, a, c);
		break;
	case BF_MERGE_UMIN:
	case BF_MERGE_UMAX:
	case BF_MERGE_SMIN:
	case BF_MERGE_SMAX:
		extreme(w, a, c);
		break;
	default:
		d = blended(w, c);
		accumulate(w, a,
			   c->merge == BF_MERGE_OR    ? BPF_OR
			   : c->merge == BF_MERGE_AND ? BPF_AND
						      : BPF_XOR,
			   d);
		give_temp(w, d);
	}
}

/* ---- the function ---------------------------------------------------------------------------- */

static void one_record(struct kernel_sweep *w, int32_t at)
{
	w->at = at;
	w->free = TEMPS;
	for (uint32_t i = 0; i < w->bf->n_nodes; i++) {
		struct value *v = &w->v[i];

		v->to_come = v->uses;
		if (v->where == IN_TEMP || v->where == SPILLED)
			v->where = NOWHERE;
	}
	for (unsigned i = 0; i < w->n_acc; i++)
		update(w, &w->acc[i]);
}

/* r3 is unknown, and what it differs from itself by, too. */
static void make_zero(struct kernel_sweep *w, uint8_t *next)
{
	w->zero = 0;
	for (uint32_t i = 0; i < w->bf->n_cells && !w->zero; i++) {
		if (!w->bf->cells[i].written || !is_extreme(&w->bf->cells[i]))
			continue;
		w->zero = (*next)++;
		emit(w, SPLICE_MOV(w->zero, BPF_REG_3));
		emit(w, SPLICE_ALU(BPF_XOR, w->zero, BPF_REG_3));
	}
}

/* Registers r6..r9, then the stack. */
static void place_accumulators(struct kernel_sweep *w, uint8_t *next)
{
	for (unsigned i = 0; i < w->n_acc; i++) {
		struct accumulator *a = &w->acc[i];

		if (*next <= BPF_REG_9)
			a->reg = (*next)++;
		else
			a->slot = new_slot(w);
	}
}

/* What each begins with: r2 = state. */
static void load_accumulators(struct kernel_sweep *w)
{
	for (unsigned i = 0; i < w->n_acc; i++) {
		const struct accumulator *a = &w->acc[i];
		const struct bf_cell *c = &w->bf->cells[a->cell];
		uint8_t reg = a->reg ? a->reg : BPF_REG_0;

		if (a->kind != ACC_CELL) {
			emit(w, SPLICE_MOV_K(reg, 0));
		} else {
			emit(w, SPLICE_LDX(size_of(c), reg, BPF_REG_2, (int16_t)c->offset));
			if (c->bytes < 8 &&
			    (c->merge == BF_MERGE_SMIN || c->merge == BF_MERGE_SMAX))
				emit(w, SIGNED_MOV(reg, (int16_t)(8 * c->bytes)));
		}
		if (!a->reg)
			emit(w, SPLICE_STX(BPF_DW, BPF_REG_10, a->slot, reg));
	}
}

/* No cell of 128 bits is near its end, else to `out`: r2 = state. Is there such a cell? */
static bool check_headroom(struct kernel_sweep *w, splice_label out)
{
	bool any = false;

	for (uint32_t i = 0; i < w->bf->n_cells; i++) {
		const struct bf_cell *c = &w->bf->cells[i];

		if (!c->written || c->merge != BF_MERGE_ADD128)
			continue;
		emit(w, SPLICE_LDX(BPF_DW, BPF_REG_0, BPF_REG_2, (int16_t)(c->offset + 8)));
		emit(w, SPLICE_ALU_K(BPF_ARSH, BPF_REG_0, 61));
		emit(w, SPLICE_ALU_K(BPF_ADD, BPF_REG_0, 1));
		splice_jump(w->s, SPLICE_JMP_K(BPF_JGT, BPF_REG_0, 1), out);
		any = true;
	}
	return any;
}

/* Is the node wanted by something that varies, or by an accumulator? */
static void place_constants(struct kernel_sweep *w, uint8_t *next)
{
	const struct vm_branchfree *bf = w->bf;
	AUTO_FREE bool *wanted = calloc(bf->n_nodes + 1, 1);

	if (!wanted) {
		w->failed = true;
		return;
	}
	for (uint32_t i = 0; i < bf->n_nodes; i++) {
		const struct bf_node *n = &bf->nodes[i];

		if (!w->v[i].uses || !w->v[i].varies)
			continue;
		if (n->a != BF_NONE)
			wanted[n->a] = true;
		if (n->b != BF_NONE)
			wanted[n->b] = true;
		if (n->c != BF_NONE)
			wanted[n->c] = true;
	}
	for (uint32_t i = 0; i < bf->n_cells; i++) {
		const struct bf_cell *c = &bf->cells[i];

		if (!c->written || c->upper)
			continue;
		wanted[c->operand] = true;
		if (c->when != BF_NONE)
			wanted[c->when] = true;
	}
	if (bf->match != BF_NONE)
		wanted[bf->match] = true;
	for (uint32_t i = 0; i < bf->n_nodes; i++) {
		struct value *v = &w->v[i];

		if ((is_const(w, i) || bf->nodes[i].op == BF_LEN) && v->lo == (int32_t)v->lo)
			v->where = IMMEDIATE;
	}
	for (uint32_t i = 0; i < bf->n_nodes; i++) {
		struct value *v = &w->v[i];
		uint8_t reg;

		if (!wanted[i] || v->varies || v->where != NOWHERE)
			continue;
		w->free = TEMPS;
		reg = take(w, i);
		if (*next <= BPF_REG_9) {
			v->where = FIXED_REG;
			v->reg = (*next)++;
			emit(w, SPLICE_MOV(v->reg, reg));
		} else {
			v->where = FIXED_SLOT;
			v->slot = new_slot(w);
			emit(w, SPLICE_STX(BPF_DW, BPF_REG_10, v->slot, reg));
		}
	}
}

/* reg = the lane or what a field of it points to, as a pointer. */
static void lane_pointer(struct kernel_sweep *w, uint8_t reg, size_t field)
{
	emit(w, SPLICE_LDX(BPF_DW, reg, BPF_REG_10, LANE_SLOT));
	splice_cast(w->s, reg);
	if (!field)
		return;
	emit(w, SPLICE_LDX(BPF_DW, reg, reg, (int16_t)field));
	splice_cast(w->s, reg);
}

/* The two sums go to the cell: r2 = state. */
static void store_wide(struct kernel_sweep *w, const struct accumulator *a, const struct bf_cell *c)
{
	bool both = a + 1 < w->acc + w->n_acc && a[1].kind == ACC_SUM_HIGH;
	splice_label none = splice_label_new(w->s), none2 = splice_label_new(w->s);
	uint8_t high_shift = both && is_unsigned_sum(w, c) ? BPF_RSH : BPF_ARSH;

	/* r3, r4 = low, high of what is added */
	w->free = TEMPS;
	if (a->reg)
		emit(w, SPLICE_MOV(BPF_REG_3, a->reg));
	else
		emit(w, SPLICE_LDX(BPF_DW, BPF_REG_3, BPF_REG_10, a->slot));
	if (both) {
		if (a[1].reg)
			emit(w, SPLICE_MOV(BPF_REG_4, a[1].reg));
		else
			emit(w, SPLICE_LDX(BPF_DW, BPF_REG_4, BPF_REG_10, a[1].slot));
		emit(w, SPLICE_MOV(BPF_REG_5, BPF_REG_4));
		emit(w, SPLICE_ALU_K(BPF_LSH, BPF_REG_5, 32));
		emit(w, SPLICE_ALU_K(high_shift, BPF_REG_4, 32));
		emit(w, SPLICE_ALU(BPF_ADD, BPF_REG_3, BPF_REG_5));
		splice_jump(w->s, SPLICE_JMP(BPF_JGE, BPF_REG_3, BPF_REG_5), none);
		emit(w, SPLICE_ALU_K(BPF_ADD, BPF_REG_4, 1));
		splice_bind(w->s, none);
	} else {
		emit(w, SPLICE_MOV(BPF_REG_4, BPF_REG_3));
		emit(w, SPLICE_ALU_K(BPF_ARSH, BPF_REG_4, 63));
	}
	emit(w, SPLICE_LDX(BPF_DW, BPF_REG_5, BPF_REG_2, (int16_t)c->offset));
	emit(w, SPLICE_ALU(BPF_ADD, BPF_REG_5, BPF_REG_3));
	emit(w, SPLICE_STX(BPF_DW, BPF_REG_2, (int16_t)c->offset, BPF_REG_5));
	splice_jump(w->s, SPLICE_JMP(BPF_JGE, BPF_REG_5, BPF_REG_3), none2);
	emit(w, SPLICE_ALU_K(BPF_ADD, BPF_REG_4, 1));
	splice_bind(w->s, none2);
	emit(w, SPLICE_LDX(BPF_DW, BPF_REG_5, BPF_REG_2, (int16_t)(c->offset + 8)));
	emit(w, SPLICE_ALU(BPF_ADD, BPF_REG_5, BPF_REG_4));
	emit(w, SPLICE_STX(BPF_DW, BPF_REG_2, (int16_t)(c->offset + 8), BPF_REG_5));
}

/* lane->matched += reg, and the lane's pointer is r1. */
static void add_matched(struct kernel_sweep *w, uint8_t reg)
{
	const int16_t matched = offsetof(struct scan_lane, matched);

	emit(w, SPLICE_LDX(BPF_DW, BPF_REG_4, BPF_REG_1, matched));
	emit(w, SPLICE_ALU(BPF_ADD, BPF_REG_4, reg));
	emit(w, SPLICE_STX(BPF_DW, BPF_REG_1, matched, BPF_REG_4));
}

/* Everything back to the lane and its state; r0 = records left, from r2. */
static void store_all(struct kernel_sweep *w)
{
	emit(w, SPLICE_MOV(BPF_REG_0, BPF_REG_2));
	lane_pointer(w, BPF_REG_1, 0);
	lane_pointer(w, BPF_REG_2, offsetof(struct scan_lane, state));
	if (w->bf->match == BF_NONE) {
		emit(w, SPLICE_LDX(BPF_DW, BPF_REG_3, BPF_REG_10, LEFT_SLOT));
		emit(w, SPLICE_ALU(BPF_SUB, BPF_REG_3, BPF_REG_0));
		add_matched(w, BPF_REG_3);
	}
	for (unsigned i = 0; i < w->n_acc; i++) {
		const struct accumulator *a = &w->acc[i];
		const struct bf_cell *c = &w->bf->cells[a->cell];
		uint8_t reg = a->reg ? a->reg : BPF_REG_3;

		if (a->kind == ACC_SUM_LOW)
			store_wide(w, a, c);
		if (a->kind == ACC_SUM_LOW || a->kind == ACC_SUM_HIGH)
			continue;
		if (!a->reg)
			emit(w, SPLICE_LDX(BPF_DW, reg, BPF_REG_10, a->slot));
		if (a->kind == ACC_MATCHED) {
			add_matched(w, reg);
			continue;
		}
		if (w->bf->match != BF_NONE && a->cell == w->counter) {
			emit(w, SPLICE_LDX(BPF_DW, BPF_REG_5, BPF_REG_2, (int16_t)c->offset));
			emit(w, NEGATE(BPF_REG_5));
			emit(w, SPLICE_ALU(BPF_ADD, BPF_REG_5, reg));
			add_matched(w, BPF_REG_5);
		}
		emit(w, SPLICE_STX(size_of(c), BPF_REG_2, (int16_t)c->offset, reg));
	}
}

/* Rounds of n records while there are so many; then on to `next`. */
static void loop(struct kernel_sweep *w, unsigned n, splice_label out)
{
	splice_label top = splice_label_new(w->s), next = splice_label_new(w->s);

	splice_bind(w->s, top);
	splice_jump(w->s, SPLICE_JMP_K(BPF_JLT, BPF_REG_2, (int32_t)n), next);
	splice_jump(w->s, SPLICE_MAY_GOTO, out);
	for (unsigned i = 0; i < n; i++)
		one_record(w, (int32_t)(i * w->record_bytes));
	emit(w, SPLICE_ALU_K(BPF_ADD, BPF_REG_1, (int32_t)(n * w->record_bytes)));
	emit(w, SPLICE_ALU_K(BPF_SUB, BPF_REG_2, (int32_t)n));
	splice_jump(w->s, SPLICE_JA, top);
	splice_bind(w->s, next);
}

bool kernel_sweep_emit(struct kernel_sweep *w, struct splice *s, uint64_t rodata)
{
	splice_label out = splice_label_new(s), no = splice_label_new(s);
	uint8_t next = BPF_REG_6;
	bool checks;

	w->s = s;
	w->rodata = rodata;
	w->stack = LEFT_SLOT;
	w->failed = false;
	for (uint32_t i = 0; i < w->bf->n_nodes; i++) {
		w->v[i].where = NOWHERE;
		w->v[i].slot = 0;
	}
	emit(w, SPLICE_STX(BPF_DW, BPF_REG_10, LANE_SLOT, BPF_REG_1));
	emit(w, SPLICE_STX(BPF_DW, BPF_REG_10, DATA_SLOT, BPF_REG_2));
	emit(w, SPLICE_STX(BPF_DW, BPF_REG_10, LEFT_SLOT, BPF_REG_3));
	lane_pointer(w, BPF_REG_2, offsetof(struct scan_lane, state));
	checks = check_headroom(w, no);
	make_zero(w, &next);
	place_accumulators(w, &next);
	load_accumulators(w);
	lane_pointer(w, BPF_REG_1, offsetof(struct scan_lane, params));
	place_constants(w, &next);
	emit(w, SPLICE_LDX(BPF_DW, BPF_REG_1, BPF_REG_10, DATA_SLOT));
	splice_cast(s, BPF_REG_1);
	emit(w, SPLICE_LDX(BPF_DW, BPF_REG_2, BPF_REG_10, LEFT_SLOT));
	if (w->unroll > 1)
		loop(w, w->unroll, out);
	loop(w, 1, out);
	splice_bind(s, out);
	store_all(w);
	emit(w, SPLICE_EXIT);
	if (checks) { /* the kernel refuses code that is never reached */
		splice_bind(s, no);
		emit(w, SPLICE_LDX(BPF_DW, BPF_REG_0, BPF_REG_10, LEFT_SLOT));
		emit(w, SPLICE_EXIT);
	}
	return !w->failed;
}
