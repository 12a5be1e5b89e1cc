/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What counts as a reduction of cell C, x being free of the state and c a condition free of it:
 *
 *	C					nothing: operand = the neutral element
 *	C + x, C - x, C | x, C & x, C ^ x	and the same over another reduction of that kind
 *	c ? A : B				both reductions of one kind (or one of them nothing)
 *	(x < C) ? x : C and its variants	minimum, maximum; the condition may have further,
 *						state-free parts, which become `when`
 *	ADD128(C, x)				a 128-bit sum
 */
#include "vm/vm_branchfree_merge.h"

#include <stdlib.h>
#include <string.h>

struct merge {
	enum bf_merge kind;
	uint32_t operand, when;
};

struct finder {
	struct bf_builder *b;
	uint32_t cell;  /* the node of the old value */
	unsigned bytes;
	unsigned fuel;  /* shared operands: a graph is larger than its nodes */
};

/* The node without extensions that keep the cell's bytes. */
static uint32_t strip(const struct finder *f, uint32_t n)
{
	const struct bf_node *nodes = f->b->nodes;

	while ((nodes[n].op == BF_ZEXT || nodes[n].op == BF_SEXT) && nodes[n].bytes >= f->bytes)
		n = nodes[n].a;
	return n;
}

static uint32_t neutral(struct finder *f, enum bf_merge kind)
{
	return bf_const(f->b, kind == BF_MERGE_AND ? UINT64_MAX : 0);
}

static bool combine_binary(struct finder *f, const struct bf_node *n, struct merge *ret);
static bool combine_select(struct finder *f, const struct bf_node *n, struct merge *ret);

/* Is n a reduction of the cell? kind BF_MERGE_NONE: it is the cell itself. */
static bool find(struct finder *f, uint32_t i, struct merge *ret)
{
	if (!f->fuel--) {
		f->fuel = 0;
		return false;
	}
	i = strip(f, i);
	if (i == f->cell) {
		*ret = (struct merge){BF_MERGE_NONE, BF_NONE, BF_NONE};
		return true;
	}

	struct bf_node n = f->b->nodes[i];

	return n.op == BF_SELECT ? combine_select(f, &n, ret) : combine_binary(f, &n, ret);
}

static bool combine_binary(struct finder *f, const struct bf_node *n, struct merge *ret)
{
	static const struct {
		uint8_t op, merge, join;
	} table[] = {
		{BF_ADD, BF_MERGE_ADD, BF_ADD}, {BF_SUB, BF_MERGE_ADD, BF_SUB},
		{BF_OR, BF_MERGE_OR, BF_OR},    {BF_AND, BF_MERGE_AND, BF_AND},
		{BF_XOR, BF_MERGE_XOR, BF_XOR}, {BF_ADD128, BF_MERGE_ADD128, BF_ADD},
	};
	struct bf_node *nodes = f->b->nodes;
	struct merge inner;

	for (unsigned t = 0; t < sizeof(table) / sizeof(table[0]); t++) {
		if (table[t].op != n->op)
			continue;
		bool swap = nodes[n->a].state == 0 && n->op != BF_SUB && n->op != BF_ADD128;
		uint32_t left = swap ? n->b : n->a, x = swap ? n->a : n->b;

		if (nodes[x].state || !find(f, left, &inner))
			return false;
		if (inner.kind == BF_MERGE_NONE)
			inner.operand = neutral(f, table[t].merge);
		else if (inner.kind != table[t].merge || inner.kind == BF_MERGE_ADD128)
			return false;
		*ret = (struct merge){
			table[t].merge,
			n->op == BF_ADD128 ? x : bf_binary(f->b, table[t].join, inner.operand, x),
			BF_NONE};
		return true;
	}
	return false;
}

/* Does the comparison n order the cell against x? Gives the kind of (n ? x : cell). */
static bool is_order(const struct finder *f, const struct bf_node *n, uint32_t x, bool negated,
		     enum bf_merge *ret)
{
	uint32_t cell = f->cell;
	bool sign = n->op == BF_SLT;
	uint32_t l = strip(f, n->a), r = strip(f, n->b);

	if (n->op != BF_ULT && n->op != BF_SLT)
		return false;
	/* The extension of the cell in the comparison must be that of the comparison's sign, and
	 * the operand's likewise: whole words need none. */
	if (f->bytes < 8) {
		uint8_t want = sign ? BF_SEXT : BF_ZEXT;

		for (int side = 0; side < 2; side++) {
			const struct bf_node *o = &f->b->nodes[side ? n->b : n->a];
			bool ok = (o->op == want && o->bytes == f->bytes) ||
				  (!sign && (o->op == BF_LOAD || o->op == BF_CELL) &&
				   o->bytes <= f->bytes) ||
				  o->op == BF_CONST;

			if (!ok)
				return false;
		}
	}
	x = strip(f, x);
	if (l == x && r == cell) /* x < cell ? x */
		*ret = sign ? BF_MERGE_SMIN : BF_MERGE_UMIN;
	else if (l == cell && r == x) /* cell < x ? x */
		*ret = sign ? BF_MERGE_SMAX : BF_MERGE_UMAX;
	else
		return false;
	if (negated) /* !(x < cell), x >= cell: the larger of the two; on a tie they are equal */
		*ret = *ret == BF_MERGE_SMIN   ? BF_MERGE_SMAX
		       : *ret == BF_MERGE_UMIN ? BF_MERGE_UMAX
		       : *ret == BF_MERGE_SMAX ? BF_MERGE_SMIN
					       : BF_MERGE_UMIN;
	return true;
}

/* cond ? x : cell, the condition being an order of the two and maybe state-free parts. */
static bool find_extreme(struct finder *f, uint32_t cond, uint32_t x, bool negated,
			 struct merge *ret)
{
	struct bf_node n = f->b->nodes[cond];
	enum bf_merge kind;
	struct merge inner;

	if (n.op == BF_NOT)
		return find_extreme(f, n.a, x, !negated, ret);
	if (is_order(f, &n, x, negated, &kind)) {
		*ret = (struct merge){kind, x, BF_NONE};
		return true;
	}
	if (n.op != BF_BOTH || negated)
		return false;
	for (int side = 0; side < 2; side++) {
		uint32_t order = side ? n.a : n.b, rest = side ? n.b : n.a;

		if (f->b->nodes[rest].state || !find_extreme(f, order, x, false, &inner))
			continue;
		inner.when = inner.when == BF_NONE ? rest : bf_both(f->b, inner.when, rest);
		*ret = inner;
		return true;
	}
	return false;
}

static bool combine_select(struct finder *f, const struct bf_node *n, struct merge *ret)
{
	struct bf_node *nodes = f->b->nodes;
	struct merge yes, no;

	if (nodes[n->a].state) {
		if (f->bytes > 8)
			return false;
		if (strip(f, n->c) == f->cell && !nodes[n->b].state)
			return find_extreme(f, n->a, n->b, false, ret);
		if (strip(f, n->b) == f->cell && !nodes[n->c].state)
			return find_extreme(f, n->a, n->c, true, ret);
		return false;
	}
	if (!find(f, n->b, &yes) || !find(f, n->c, &no))
		return false;
	if (yes.kind == BF_MERGE_NONE && no.kind == BF_MERGE_NONE) {
		*ret = yes;
		return true;
	}

	enum bf_merge kind = yes.kind != BF_MERGE_NONE ? yes.kind : no.kind;
	bool extreme = kind >= BF_MERGE_UMIN && kind <= BF_MERGE_SMAX;

	if (yes.kind != BF_MERGE_NONE && no.kind != BF_MERGE_NONE && (extreme || yes.kind != no.kind))
		return false;
	if (extreme) {
		uint32_t when = yes.kind != BF_MERGE_NONE ? n->a : bf_not(f->b, n->a);

		*ret = yes.kind != BF_MERGE_NONE ? yes : no;
		ret->when = ret->when == BF_NONE ? when : bf_both(f->b, when, ret->when);
		return true;
	}
	if (yes.kind == BF_MERGE_NONE)
		yes.operand = neutral(f, kind);
	if (no.kind == BF_MERGE_NONE)
		no.operand = neutral(f, kind);
	*ret = (struct merge){kind, bf_select(f->b, n->a, yes.operand, no.operand), BF_NONE};
	return true;
}

bool bf_find_merges(struct bf_builder *b, struct vm_branchfree *bf)
{
	uint32_t *memo = malloc(BF_MAX_NODES * sizeof(*memo));
	bool headroom = false;

	if (!memo)
		return false;
	memset(memo, 0xff, BF_MAX_NODES * sizeof(*memo));
	bf->all_reductions = true;
	for (uint32_t c = 0; c < bf->n_cells; c++) {
		struct bf_cell *cell = &bf->cells[c];
		struct finder f = {b, bf_leaf(b, BF_CELL, VM_REGION_STATE, cell->offset, (uint8_t)cell->bytes),
				   cell->bytes, 1000};
		struct merge m = {BF_MERGE_NONE, BF_NONE, BF_NONE};

		if (!cell->written)
			continue;
		if (!find(&f, bf_assume_headroom(b, cell->value, memo, &headroom), &m) ||
		    (m.kind != BF_MERGE_NONE && b->nodes[m.operand].state)) {
			bf->all_reductions = false;
			continue;
		}
		cell->merge = m.kind;
		cell->operand = m.operand;
		cell->when = m.when;
	}
	if (bf->fails != BF_NONE) {
		uint32_t fails = bf_assume_headroom(b, bf->fails, memo, &headroom);

		if (b->nodes[fails].state)
			bf->all_reductions = false;
		else if (!bf_is_const(b, fails, 0))
			bf->reduce_fails = fails;
	}
	bf->needs_headroom = headroom;
	free(memo);
	return true;
}
