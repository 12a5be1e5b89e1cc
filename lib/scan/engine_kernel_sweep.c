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
#include "scan/engine_kernel_sweep_internal.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/scope.h"
#include "bpf/scan_abi.h"

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
	reg = sweep_take_temp(w);
	emit(w, SPLICE_LDX(BPF_DW, reg, BPF_REG_10, a->slot));
	return reg;
}

static void put_back(struct kernel_sweep *w, const struct accumulator *a, uint8_t reg)
{
	if (a->reg)
		return;
	emit(w, SPLICE_STX(BPF_DW, BPF_REG_10, a->slot, reg));
	sweep_give_temp(w, reg);
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
		sweep_apply_mask(w, BPF_AND, dst, w->bf->match);
	if (c->when != BF_NONE)
		sweep_apply_mask(w, BPF_AND, dst, c->when);
}

/* The operand where the record counts, else what changes nothing. */
static uint8_t blended(struct kernel_sweep *w, const struct bf_cell *c)
{
	uint8_t d = sweep_take_number(w, c->operand), m;

	if (c->bytes < 8 && (c->merge == BF_MERGE_SMIN || c->merge == BF_MERGE_SMAX)) {
		emit(w, SIGNED_MOV(d, (int16_t)(8 * c->bytes)));
	} else if (c->bytes < 8 && (c->merge == BF_MERGE_UMIN || c->merge == BF_MERGE_UMAX)) {
		emit(w, SPLICE_ALU_K(BPF_LSH, d, 64 - 8 * (int32_t)c->bytes));
		emit(w, SPLICE_ALU_K(BPF_RSH, d, 64 - 8 * (int32_t)c->bytes));
	}
	if (!conditional(w, c))
		return d;
	m = sweep_take_temp(w);
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
	sweep_give_temp(w, m);
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
	uint8_t d = blended(w, c), best = get(w, a), t = sweep_take_temp(w);
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
		sweep_give_temp(w, best);
	sweep_give_temp(w, d);
	sweep_give_temp(w, t);
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

			sweep_apply_mask(w, BPF_SUB, sum, first);
			put_back(w, a, sum);
			return;
		}
		if (one) {
			d = sweep_take_temp(w);
			emit(w, SPLICE_MOV_K(d, -1));
		} else {
			d = sweep_take(w, c->operand);
		}
		mask_by(w, c, d);
		accumulate(w, a, BPF_SUB, d);
	} else {
		d = sweep_take_number(w, c->operand);
		mask_by(w, c, d);
		accumulate(w, a, BPF_ADD, d);
	}
	sweep_give_temp(w, d);
}

/* a: the sum of the lower halves, behind it that of the upper ones, or of whole numbers. */
static void add_wide(struct kernel_sweep *w, const struct accumulator *a, const struct bf_cell *c)
{
	uint8_t d = sweep_take_number(w, c->operand), low;

	mask_by(w, c, d);
	if (a + 1 == w->acc + w->n_acc || a[1].kind != ACC_SUM_HIGH) {
		accumulate(w, a, BPF_ADD, d);
	} else {
		low = sweep_take_temp(w);
		emit(w, ALU32(BPF_MOV, low, d));
		accumulate(w, a, BPF_ADD, low);
		sweep_give_temp(w, low);
		emit(w, SPLICE_ALU_K(sweep_is_unsigned_sum(w, c) ? BPF_RSH : BPF_ARSH, d, 32));
		accumulate(w, a + 1, BPF_ADD, d);
	}
	sweep_give_temp(w, d);
}

static void update(struct kernel_sweep *w, const struct accumulator *a)
{
	const struct bf_cell *c = &w->bf->cells[a->cell];
	uint8_t d;

	if (a->kind == ACC_SUM_HIGH)
		return;
	sweep_hold(w, w->bf->match);
	if (a->kind == ACC_CELL || a->kind == ACC_SUM_LOW)
		sweep_hold(w, c->when);
	if (a->kind == ACC_MATCHED) {
		d = get(w, a);
		sweep_apply_mask(w, BPF_SUB, d, w->bf->match);
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
		sweep_give_temp(w, d);
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
			a->slot = sweep_new_slot(w);
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
		reg = sweep_take(w, i);
		if (*next <= BPF_REG_9) {
			v->where = FIXED_REG;
			v->reg = (*next)++;
			emit(w, SPLICE_MOV(v->reg, reg));
		} else {
			v->where = FIXED_SLOT;
			v->slot = sweep_new_slot(w);
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
	uint8_t high_shift = both && sweep_is_unsigned_sum(w, c) ? BPF_RSH : BPF_ARSH;

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
