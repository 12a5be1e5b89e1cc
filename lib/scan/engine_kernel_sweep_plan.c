/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a sweep would be made of, and whether it pays. */
#include "scan/engine_kernel_sweep_internal.h"

#include <stdlib.h>

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
				  a->lo < 0       ? b->hi
				  : b->lo < 0     ? a->hi
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
bool sweep_is_unsigned_sum(const struct kernel_sweep *w, const struct bf_cell *c)
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
	if (c->offset + c->bytes > INT16_MAX) /* the loads and stores have 16 bits for it */
		return false;
	if (c->merge == BF_MERGE_NONE || !need(w, c->operand) || !need(w, c->when) ||
	    !need(w, w->bf->match))
		return false;
	if (c->merge != BF_MERGE_ADD128)
		return c->bytes <= 8 && add_accumulator(w, ACC_CELL, i);
	if (is_signed_sum(w, c)) {
		if (is_small(&w->v[c->operand]))
			return add_accumulator(w, ACC_SUM_LOW, i);
	} else if (!sweep_is_unsigned_sum(w, c)) {
		return false;
	} else if (is_small(&w->v[c->operand]) && w->v[c->operand].lo >= 0) {
		return add_accumulator(w, ACC_SUM_LOW, i);
	}
	return add_accumulator(w, ACC_SUM_LOW, i) && add_accumulator(w, ACC_SUM_HIGH, i);
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
	w->counter = vm_branchfree_counter(bf);
	for (uint32_t i = 0; i < bf->n_cells; i++)
		if (!plan_cell(w, i))
			return false;
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
