/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "vm/vm_branchfree_node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_SIZE = 2 * BF_MAX_NODES };

static bool commutes(unsigned op)
{
	return op == BF_ADD || op == BF_MUL || op == BF_AND || op == BF_OR || op == BF_XOR ||
	       op == BF_EQ || op == BF_ADDOVER || op == BF_MULOVER || op == BF_MUL128;
}

static bool op_is_condition(unsigned op)
{
	switch (op) {
	case BF_EQ:
	case BF_ULT:
	case BF_SLT:
	case BF_NOT:
	case BF_BOTH:
	case BF_EITHER:
	case BF_OVER128:
	case BF_OVERSUM128:
	case BF_MULOVER:
	case BF_ADDOVER:
		return true;
	default:
		return false;
	}
}

int bf_builder_init(struct bf_builder *b)
{
	memset(b, 0, sizeof(*b));
	b->nodes = calloc(BF_MAX_NODES, sizeof(*b->nodes));
	b->table = calloc(TABLE_SIZE, sizeof(*b->table));
	if (!b->nodes || !b->table) {
		bf_builder_done(b);
		return -ENOMEM;
	}
	bf_const(b, 0);
	return 0;
}

void bf_builder_done(struct bf_builder *b)
{
	free(b->nodes);
	free(b->table);
	memset(b, 0, sizeof(*b));
}

static uint64_t hash_node(const struct bf_node *n)
{
	uint64_t h = n->op * 0x9e3779b97f4a7c15ull + n->bytes + ((uint64_t)n->region << 8);

	h = (h ^ n->a) * 0xff51afd7ed558ccdull;
	h = (h ^ (h >> 29) ^ n->b) * 0xff51afd7ed558ccdull;
	h = (h ^ (h >> 31) ^ n->c) * 0xc4ceb9fe1a85ec53ull;
	h = (h ^ (h >> 33) ^ n->imm) * 0x9e3779b97f4a7c15ull;
	return h ^ (h >> 32);
}

static bool same_node(const struct bf_node *x, const struct bf_node *y)
{
	return x->op == y->op && x->bytes == y->bytes && x->region == y->region && x->a == y->a &&
	       x->b == y->b && x->c == y->c && x->imm == y->imm;
}

static uint32_t intern(struct bf_builder *b, struct bf_node n)
{
	uint64_t at = hash_node(&n) % TABLE_SIZE;

	for (; b->table[at]; at = (at + 1) % TABLE_SIZE)
		if (same_node(&b->nodes[b->table[at] - 1], &n))
			return b->table[at] - 1;
	if (b->n_nodes == BF_MAX_NODES) {
		b->failed = true;
		return 0;
	}
	n.state = n.op == BF_CELL;
	n.cond = op_is_condition(n.op) || (n.op == BF_CONST && n.imm <= 1);
	n.wide = n.op == BF_ADD128 || n.op == BF_SUM128 || n.op == BF_MUL128 ||
		 (n.op == BF_CELL && n.bytes == 16);
	const uint32_t operands[] = {n.a, n.b, n.c};
	for (unsigned i = 0; i < 3; i++)
		if (operands[i] != BF_NONE)
			n.state |= b->nodes[operands[i]].state;
	if (n.op == BF_SELECT) {
		n.wide = b->nodes[n.b].wide;
		n.cond = b->nodes[n.b].cond && b->nodes[n.c].cond;
	}
	b->nodes[b->n_nodes] = n;
	b->table[at] = ++b->n_nodes;
	return b->n_nodes - 1;
}

static uint32_t make(struct bf_builder *b, enum bf_op op, uint32_t a, uint32_t x, uint32_t y)
{
	return intern(b, (struct bf_node){.op = (uint8_t)op, .a = a, .b = x, .c = y});
}

uint32_t bf_const(struct bf_builder *b, uint64_t x)
{
	return intern(b,
		      (struct bf_node){
			      .op = BF_CONST, .a = BF_NONE, .b = BF_NONE, .c = BF_NONE, .imm = x});
}

uint32_t bf_leaf(struct bf_builder *b, enum bf_op op, enum vm_region region, uint64_t imm,
		 uint8_t bytes)
{
	return intern(b, (struct bf_node){.op = (uint8_t)op,
					  .bytes = bytes,
					  .region = (uint8_t)region,
					  .a = BF_NONE,
					  .b = BF_NONE,
					  .c = BF_NONE,
					  .imm = imm});
}

bool bf_is_const(const struct bf_builder *b, uint32_t n, uint64_t x)
{
	return b->nodes[n].op == BF_CONST && b->nodes[n].imm == x;
}

static bool is_const(const struct bf_builder *b, uint32_t n)
{
	return b->nodes[n].op == BF_CONST;
}

static uint64_t sign_extend(uint64_t x, unsigned bytes)
{
	unsigned shift = 64 - 8 * bytes;

	return (uint64_t)((int64_t)(x << shift) >> shift);
}

static uint64_t zero_extend(uint64_t x, unsigned bytes)
{
	return bytes >= 8 ? x : x & ((1ull << (8 * bytes)) - 1);
}

static uint64_t fold_unary(enum bf_op op, uint64_t a, unsigned bytes)
{
	if (op == BF_ZEXT)
		return zero_extend(a, bytes);
	if (op == BF_SEXT)
		return sign_extend(a, bytes);
	return __builtin_bswap64(a) >> (64 - 8 * bytes); /* BF_BSWAP */
}

static uint64_t fold_binary(enum bf_op op, uint64_t a, uint64_t x)
{
	int64_t r;

	switch (op) {
	case BF_ADD:
		return a + x;
	case BF_SUB:
		return a - x;
	case BF_MUL:
		return a * x;
	case BF_UDIV:
		return x ? a / x : 0;
	case BF_UMOD:
		return x ? a % x : a;
	case BF_SDIV:
		return !x ? 0 : x == UINT64_MAX ? -a : (uint64_t)((int64_t)a / (int64_t)x);
	case BF_SMOD:
		return !x ? a : x == UINT64_MAX ? 0 : (uint64_t)((int64_t)a % (int64_t)x);
	case BF_AND:
		return a & x;
	case BF_OR:
		return a | x;
	case BF_XOR:
		return a ^ x;
	case BF_SHL:
		return a << (x & 63);
	case BF_SHR:
		return a >> (x & 63);
	case BF_SAR:
		return (uint64_t)((int64_t)a >> (x & 63));
	case BF_EQ:
		return a == x;
	case BF_ULT:
		return a < x;
	case BF_SLT:
		return (int64_t)a < (int64_t)x;
	case BF_MULOVER:
		return __builtin_mul_overflow((int64_t)a, (int64_t)x, &r);
	case BF_ADDOVER:
		return __builtin_add_overflow((int64_t)a, (int64_t)x, &r);
	default:
		return 0;
	}
}

/* How deep simplification looks: shared operands make a graph exponentially larger than its nodes.
 */
enum { LOOK_DEPTH = 6 };

/* Does n fit `bytes` bytes without a sign? "No" when it is not seen at once. */
static bool fits_within(const struct bf_builder *b, uint32_t i, unsigned bytes, unsigned depth)
{
	const struct bf_node *n = &b->nodes[i];

	if (n->cond)
		return true;
	switch (n->op) {
	case BF_LOAD:
	case BF_ZEXT:
	case BF_BSWAP:
	case BF_CELL:
		return n->bytes <= bytes;
	case BF_LEN:
		return bytes >= 4;
	case BF_CONST:
		return zero_extend(n->imm, bytes) == n->imm;
	case BF_SELECT:
		return depth && fits_within(b, n->b, bytes, depth - 1) &&
		       fits_within(b, n->c, bytes, depth - 1);
	default:
		return false;
	}
}

static bool fits(const struct bf_builder *b, uint32_t i, unsigned bytes)
{
	return fits_within(b, i, bytes, LOOK_DEPTH);
}

uint32_t bf_unary(struct bf_builder *b, enum bf_op op, uint32_t a, uint8_t bytes)
{
	struct bf_node n = b->nodes[a];

	if (n.op == BF_CONST)
		return bf_const(b, fold_unary(op, n.imm, bytes));
	if (op != BF_BSWAP && bytes == 8)
		return a;
	if (op == BF_ZEXT && fits(b, a, bytes))
		return a;
	/* A second extension of at most as many bytes makes the first one idle. */
	if (op != BF_BSWAP && (n.op == BF_ZEXT || n.op == BF_SEXT) && n.bytes >= bytes)
		return bf_unary(b, op, n.a, bytes);
	return intern(
		b, (struct bf_node){
			   .op = (uint8_t)op, .bytes = bytes, .a = a, .b = BF_NONE, .c = BF_NONE});
}

/* (c ? k1 : k2) OP k3 with constants is a condition already. */
static bool fold_select(struct bf_builder *b, enum bf_op op, uint32_t a, uint32_t x, uint32_t *ret)
{
	struct bf_node n = b->nodes[a], m = b->nodes[x];
	bool left = n.op == BF_SELECT && is_const(b, n.b) && is_const(b, n.c) && m.op == BF_CONST;
	bool right = m.op == BF_SELECT && is_const(b, m.b) && is_const(b, m.c) && n.op == BF_CONST;

	if (left)
		*ret = bf_select(b, n.a, bf_const(b, fold_binary(op, b->nodes[n.b].imm, m.imm)),
				 bf_const(b, fold_binary(op, b->nodes[n.c].imm, m.imm)));
	else if (right)
		*ret = bf_select(b, m.a, bf_const(b, fold_binary(op, n.imm, b->nodes[m.b].imm)),
				 bf_const(b, fold_binary(op, n.imm, b->nodes[m.c].imm)));
	return left || right;
}

uint32_t bf_binary(struct bf_builder *b, enum bf_op op, uint32_t a, uint32_t x)
{
	uint32_t r;
	bool wide = op == BF_ADD128 || op == BF_SUM128 || op == BF_MUL128 || op == BF_OVER128 ||
		    op == BF_OVERSUM128;

	if (!wide && is_const(b, a) && is_const(b, x))
		return bf_const(b, fold_binary(op, b->nodes[a].imm, b->nodes[x].imm));
	if (commutes(op) && (is_const(b, a) || (!is_const(b, x) && a > x))) {
		r = a;
		a = x;
		x = r;
	}
	bool zero = bf_is_const(b, x, 0), ones = bf_is_const(b, x, UINT64_MAX);

	switch (op) {
	case BF_ADD:
	case BF_SUB:
	case BF_XOR:
	case BF_OR:
	case BF_SHL:
	case BF_SHR:
	case BF_SAR:
		if (zero)
			return a;
		break;
	case BF_AND:
		if (zero)
			return x;
		if (ones)
			return a;
		/* A mask of whole low bytes is a zero-extension. */
		for (uint8_t bytes = 1; bytes < 8; bytes *= 2)
			if (bf_is_const(b, x, zero_extend(UINT64_MAX, bytes)))
				return bf_unary(b, BF_ZEXT, a, bytes);
		break;
	case BF_MUL:
		if (zero)
			return x;
		if (bf_is_const(b, x, 1))
			return a;
		break;
	case BF_EQ:
		if (a == x)
			return bf_const(b, 1);
		if (b->nodes[a].cond && zero)
			return bf_not(b, a);
		if (b->nodes[a].cond && bf_is_const(b, x, 1))
			return a;
		break;
	case BF_ULT:
	case BF_SLT:
		if (a == x)
			return bf_const(b, 0);
		break;
	default:
		break;
	}
	if (!wide && fold_select(b, op, a, x, &r))
		return r;
	return make(b, op, a, x, BF_NONE);
}

uint32_t bf_call(struct bf_builder *b, uint64_t helper, uint32_t a, uint32_t x)
{
	return intern(b,
		      (struct bf_node){.op = BF_CALL, .a = a, .b = x, .c = BF_NONE, .imm = helper});
}

uint32_t bf_not(struct bf_builder *b, uint32_t a)
{
	if (is_const(b, a))
		return bf_const(b, !b->nodes[a].imm);
	if (b->nodes[a].op == BF_NOT)
		return b->nodes[a].a;
	return make(b, BF_NOT, a, BF_NONE, BF_NONE);
}

static bool complementary(const struct bf_builder *b, uint32_t a, uint32_t x)
{
	return (b->nodes[a].op == BF_NOT && b->nodes[a].a == x) ||
	       (b->nodes[x].op == BF_NOT && b->nodes[x].a == a);
}

/* Is x a part of the conjunction a, or a of the disjunction x, as far as one looks? */
static bool implies_within(const struct bf_builder *b, uint32_t a, uint32_t x, unsigned depth)
{
	const struct bf_node *n = &b->nodes[a], *m = &b->nodes[x];

	if (a == x)
		return true;
	if (!depth--)
		return false;
	return (n->op == BF_BOTH &&
		(implies_within(b, n->a, x, depth) || implies_within(b, n->b, x, depth))) ||
	       (m->op == BF_EITHER &&
		(implies_within(b, a, m->a, depth) || implies_within(b, a, m->b, depth)));
}

static bool implies(const struct bf_builder *b, uint32_t a, uint32_t x)
{
	return implies_within(b, a, x, LOOK_DEPTH);
}

uint32_t bf_both(struct bf_builder *b, uint32_t a, uint32_t x)
{
	if (is_const(b, a))
		return b->nodes[a].imm ? x : a;
	if (is_const(b, x))
		return b->nodes[x].imm ? a : x;
	if (implies(b, a, x))
		return a;
	if (implies(b, x, a))
		return x;
	if (complementary(b, a, x))
		return bf_const(b, 0);
	return make(b, BF_BOTH, a, x, BF_NONE);
}

uint32_t bf_either(struct bf_builder *b, uint32_t a, uint32_t x)
{
	if (is_const(b, a))
		return b->nodes[a].imm ? a : x;
	if (is_const(b, x))
		return b->nodes[x].imm ? x : a;
	if (implies(b, a, x))
		return x;
	if (implies(b, x, a))
		return a;
	if (complementary(b, a, x))
		return bf_const(b, 1);

	struct bf_node n = b->nodes[a], m = b->nodes[x];

	/* (p && c) || (p && !c) = p, and more generally (p && c) || (p && d) = p && (c || d):
	 * this is how the two ways around a jump meet again. */
	if (n.op == BF_BOTH && m.op == BF_BOTH) {
		if (n.a == m.a)
			return bf_both(b, n.a, bf_either(b, n.b, m.b));
		if (n.b == m.b)
			return bf_both(b, n.b, bf_either(b, n.a, m.a));
		if (n.a == m.b)
			return bf_both(b, n.a, bf_either(b, n.b, m.a));
		if (n.b == m.a)
			return bf_both(b, n.b, bf_either(b, n.a, m.b));
	}
	/* c || (!c && d) = c || d */
	if (m.op == BF_BOTH && complementary(b, a, m.a))
		return bf_either(b, a, m.b);
	if (m.op == BF_BOTH && complementary(b, a, m.b))
		return bf_either(b, a, m.a);
	if (n.op == BF_BOTH && complementary(b, x, n.a))
		return bf_either(b, x, n.b);
	if (n.op == BF_BOTH && complementary(b, x, n.b))
		return bf_either(b, x, n.a);
	return make(b, BF_EITHER, a, x, BF_NONE);
}

uint32_t bf_select(struct bf_builder *b, uint32_t cond, uint32_t a, uint32_t x)
{
	if (is_const(b, cond))
		return b->nodes[cond].imm ? a : x;
	if (a == x)
		return a;
	if (b->nodes[cond].op == BF_NOT)
		return bf_select(b, b->nodes[cond].a, x, a);
	if (bf_is_const(b, a, 1) && bf_is_const(b, x, 0))
		return cond;
	if (bf_is_const(b, a, 0) && bf_is_const(b, x, 1))
		return bf_not(b, cond);
	/* c ? y : (c ? . : z) and the other way round */
	if (b->nodes[x].op == BF_SELECT && b->nodes[x].a == cond)
		return bf_select(b, cond, a, b->nodes[x].c);
	if (b->nodes[a].op == BF_SELECT && b->nodes[a].a == cond)
		return bf_select(b, cond, b->nodes[a].b, x);
	return make(b, BF_SELECT, cond, a, x);
}

/* Is it what a 16-byte cell of the state holds, plus numbers of 64 bits? Only of that is it known
 * how far from overflow it is. */
static bool rests_on_cell(const struct bf_builder *b, uint32_t i, unsigned depth)
{
	const struct bf_node *n = &b->nodes[i];

	for (; depth; depth--, n = &b->nodes[n->a]) {
		if (n->op == BF_CELL)
			return n->bytes == 16;
		if (n->op == BF_SELECT)
			return rests_on_cell(b, n->b, depth - 1) &&
			       rests_on_cell(b, n->c, depth - 1);
		if (n->op != BF_ADD128)
			return false;
	}
	return false;
}

uint32_t bf_assume_headroom(struct bf_builder *b, uint32_t i, uint32_t *memo, bool *ret_used)
{
	struct bf_node n = b->nodes[i];
	uint32_t a, x, y, r;

	if (!n.state)
		return i;
	if (memo[i] != BF_NONE)
		return memo[i];
	if (n.op == BF_OVER128 && rests_on_cell(b, n.a, 16)) {
		*ret_used = true;
		return memo[i] = bf_const(b, 0);
	}
	a = n.a == BF_NONE ? BF_NONE : bf_assume_headroom(b, n.a, memo, ret_used);
	x = n.b == BF_NONE ? BF_NONE : bf_assume_headroom(b, n.b, memo, ret_used);
	y = n.c == BF_NONE ? BF_NONE : bf_assume_headroom(b, n.c, memo, ret_used);
	switch (n.op) {
	case BF_CELL:
		r = i;
		break;
	case BF_ZEXT:
	case BF_SEXT:
	case BF_BSWAP:
		r = bf_unary(b, n.op, a, n.bytes);
		break;
	case BF_NOT:
		r = bf_not(b, a);
		break;
	case BF_BOTH:
		r = bf_both(b, a, x);
		break;
	case BF_EITHER:
		r = bf_either(b, a, x);
		break;
	case BF_SELECT:
		r = bf_select(b, a, x, y);
		break;
	case BF_CALL:
		r = bf_call(b, n.imm, a, x);
		break;
	default:
		r = bf_binary(b, n.op, a, x);
		break;
	}
	return memo[i] = r;
}
