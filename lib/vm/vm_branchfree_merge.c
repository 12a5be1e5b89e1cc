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
 *	H + y + carry(C + x)			with C + x in the cell below H: the upper half of
 *						one, as C spells it (nearfold.bpf.h's fold_carry,
 *						or a comparison of the sum with an addend)
 */
#include "vm/vm_branchfree_merge.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CARRIES = 24 };

struct merge {
	enum bf_merge kind;
	uint32_t operand, when;
	uint32_t
		carry; /* what was added to the cell below when its carry was added here; BF_NONE */
};

struct finder {
	struct bf_builder *b;
	uint32_t cell; /* the node of the old value */
	unsigned bytes;
	/* The carries out of the cell below: the node, and what was added there. */
	struct {
		uint32_t node, added;
	} carries[MAX_CARRIES];
	unsigned n_carries;
	unsigned fuel; /* shared operands: a graph is larger than its nodes */
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
		*ret = (struct merge){BF_MERGE_NONE, BF_NONE, BF_NONE, BF_NONE};
		return true;
	}

	struct bf_node n = f->b->nodes[i];

	return n.op == BF_SELECT ? combine_select(f, &n, ret) : combine_binary(f, &n, ret);
}

/* Is the node a carry out of the cell below? Gives what was added there. */
static bool is_carry(const struct finder *f, uint32_t node, uint32_t *ret_added)
{
	for (unsigned i = 0; i < f->n_carries; i++) {
		if (f->carries[i].node != node)
			continue;
		*ret_added = f->carries[i].added;
		return true;
	}
	return false;
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
	uint32_t left = n->a, x = n->b, added = BF_NONE;
	struct merge inner;
	unsigned t = 0;

	while (t < sizeof(table) / sizeof(table[0]) && table[t].op != n->op)
		t++;
	if (t == sizeof(table) / sizeof(table[0]))
		return false;
	if (n->op != BF_SUB && n->op != BF_ADD128 &&
	    (!nodes[n->a].state || is_carry(f, n->a, &added))) {
		left = n->b;
		x = n->a;
	}
	if (n->op == BF_ADD && is_carry(f, x, &added))
		x = bf_const(f->b, 0);
	if (nodes[x].state || !find(f, left, &inner))
		return false;
	if (inner.kind == BF_MERGE_NONE)
		inner.operand = neutral(f, table[t].merge);
	else if (inner.kind != table[t].merge || inner.kind == BF_MERGE_ADD128)
		return false;
	if (inner.carry != BF_NONE && added != BF_NONE)
		return false;
	*ret = (struct merge){table[t].merge,
			      n->op == BF_ADD128 ? x
						 : bf_binary(f->b, table[t].join, inner.operand, x),
			      BF_NONE, added != BF_NONE ? added : inner.carry};
	return true;
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
			uint32_t node = side ? n->b : n->a;
			bool ok = (o->op == want && o->bytes == f->bytes) ||
				  (!sign && (o->op == BF_LOAD || o->op == BF_CELL) &&
				   o->bytes <= f->bytes) ||
				  (o->op == BF_CONST &&
				   bf_unary(f->b, want, node, (uint8_t)f->bytes) == node);

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
		*ret = (struct merge){kind, x, BF_NONE, BF_NONE};
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

	if (yes.kind != BF_MERGE_NONE && no.kind != BF_MERGE_NONE &&
	    (extreme || yes.kind != no.kind))
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
	*ret = (struct merge){kind, bf_select(f->b, n->a, yes.operand, no.operand), BF_NONE,
			      BF_NONE};
	if (yes.carry != BF_NONE || no.carry != BF_NONE)
		ret->carry =
			bf_select(f->b, n->a, yes.carry != BF_NONE ? yes.carry : bf_const(f->b, 0),
				  no.carry != BF_NONE ? no.carry : bf_const(f->b, 0));
	return true;
}

static void add_carry(struct finder *f, uint32_t node, uint32_t added)
{
	if (f->n_carries == MAX_CARRIES)
		return;
	f->carries[f->n_carries].node = node;
	f->carries[f->n_carries++].added = added;
}

/* Every way to spell the carry out of low + x, for the additions to `low` that are found in its new
 * value. Built, not matched: equal expressions are one node. */
static void list_carries(struct finder *f, uint32_t low, uint32_t value, unsigned depth)
{
	struct bf_builder *b = f->b;
	struct bf_node n = b->nodes[value];
	uint32_t x, majority, sum, ones = bf_const(b, UINT64_MAX);

	if (n.op == BF_SELECT && depth) {
		list_carries(f, low, n.b, depth - 1);
		list_carries(f, low, n.c, depth - 1);
	}
	if (n.op != BF_ADD || (n.a != low && n.b != low))
		return;
	x = n.a == low ? n.b : n.a;
	sum = value;
	majority =
		bf_binary(b, BF_AND, bf_binary(b, BF_OR, low, x), bf_binary(b, BF_XOR, sum, ones));
	majority = bf_binary(b, BF_OR, majority, bf_binary(b, BF_AND, low, x));
	add_carry(f, bf_binary(b, BF_SHR, majority, bf_const(b, 63)), x);
	add_carry(f, bf_binary(b, BF_ULT, sum, x), x);
	add_carry(f, bf_binary(b, BF_ULT, sum, low), x);
}

static struct bf_cell *cell_below(struct vm_branchfree *bf, const struct bf_cell *cell)
{
	for (uint32_t c = 0; c < bf->n_cells; c++)
		if (cell->bytes == 8 && bf->cells[c].bytes == 8 && bf->cells[c].written &&
		    bf->cells[c].offset + 8 == cell->offset)
			return &bf->cells[c];
	return NULL;
}

static uint32_t cell_node(struct bf_builder *b, const struct bf_cell *cell)
{
	return bf_leaf(b, BF_CELL, VM_REGION_STATE, cell->offset, (uint8_t)cell->bytes);
}

/* The cell's merge. low, if not NULL, is the cell below with its value under headroom. */
static bool find_cell(struct bf_builder *b, const struct bf_cell *cell, uint32_t value,
		      const struct bf_cell *low, uint32_t low_value, struct merge *ret)
{
	struct finder f = {.b = b, .cell = cell_node(b, cell), .bytes = cell->bytes, .fuel = 1000};

	if (low)
		list_carries(&f, cell_node(b, low), low_value, 4);
	return find(&f, value, ret) &&
	       (ret->kind == BF_MERGE_NONE || !b->nodes[ret->operand].state);
}

/* Two cells of 8 bytes that are the halves of a 128-bit sum become one merge. */
static void join_halves(struct bf_cell *low, struct bf_cell *upper, uint32_t high)
{
	low->merge = BF_MERGE_ADD128;
	low->high = high;
	upper->merge = BF_MERGE_NONE;
	upper->operand = BF_NONE;
	upper->upper = true;
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
		struct bf_cell *cell = &bf->cells[c], *low = cell_below(bf, cell);
		struct merge m = {BF_MERGE_NONE, BF_NONE, BF_NONE, BF_NONE}, m_low = m;
		uint32_t value, low_value = BF_NONE;

		if (!cell->written || cell->high != BF_NONE)
			continue;
		value = bf_assume_headroom(b, cell->value, memo, &headroom);
		if (low)
			low_value = bf_assume_headroom(b, low->value, memo, &headroom);
		if (!find_cell(b, cell, value, low, low_value, &m)) {
			bf->all_reductions = false;
			continue;
		}
		cell->merge = m.kind;
		cell->operand = m.operand;
		cell->when = m.when;
		if (m.kind == BF_MERGE_ADD128)
			cell->high = bf_binary(b, BF_SAR, m.operand, bf_const(b, 63));
		if (m.carry == BF_NONE)
			continue;
		/* The carry is of this sum only if that is what the cell below gets. */
		if (!find_cell(b, low, low_value, NULL, BF_NONE, &m_low) ||
		    m_low.kind != BF_MERGE_ADD || m_low.operand != m.carry) {
			bf->all_reductions = false;
			continue;
		}
		low->operand = m_low.operand;
		join_halves(low, cell, m.operand);
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
