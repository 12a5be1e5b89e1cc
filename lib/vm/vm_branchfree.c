/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Symbolic evaluation of loop-free code. Without backward jumps the order of the instructions is a
 * topological order of the control-flow graph, so one pass suffices: every jump leaves a copy of
 * the path (its condition, the registers, the memory) at its target, and a path that arrives at an
 * instruction where others wait is merged with them by selects.
 */
#include "vm/vm_branchfree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "vm/vm_branchfree_merge.h"
#include "vm/vm_branchfree_node.h"
#include "vm/vm_helper.h"
#include "vm/vm_isa.h"

enum { MAX_INSNS = 1024, MAX_SLOTS = 320, MAX_WAITING = 256 };

/* A register or a piece of memory: a scalar's node, or a pointer's offset into its region. */
struct value {
	uint8_t region; /* MIXED: of different kinds on different ways, for good */
	uint32_t node;  /* BF_NONE: not written, or mixed */
};

enum { MIXED = VM_REGIONS };

/* A piece of the stack or of the state; which of them exist is the same on every path. */
struct slot {
	uint8_t region;
	uint8_t bytes;
	int64_t offset;
};

struct path {
	uint32_t when; /* condition under which control comes this way */
	struct value regs[11];
	struct value slots[MAX_SLOTS]; /* by the evaluation's slot index */
};

struct eval {
	struct bf_builder b;
	const struct vm_program *vp;
	const struct vm_code *code;
	struct slot slots[MAX_SLOTS];
	uint32_t n_slots;
	struct path *waiting[MAX_INSNS + 1]; /* by target; n_insns: the end */
	unsigned n_waiting;
	uint32_t fails; /* condition */
	const char *why;
};

static bool refuse(struct eval *e, const char *why)
{
	if (!e->why)
		e->why = why;
	return false;
}

/* ---- memory -------------------------------------------------------------------------------- */

static bool is_unwritten(struct value v)
{
	return v.node == BF_NONE && v.region != MIXED;
}

static uint32_t initial_slot(struct eval *e, const struct slot *s)
{
	if (s->region == VM_REGION_STATE)
		return bf_leaf(&e->b, BF_CELL, VM_REGION_STATE, (uint64_t)s->offset, s->bytes);
	return BF_NONE;
}

/* The slot's index, made if it is new; -1 when it overlaps another or there are too many. */
static int find_slot(struct eval *e, unsigned region, int64_t offset, unsigned bytes)
{
	for (uint32_t i = 0; i < e->n_slots; i++) {
		const struct slot *s = &e->slots[i];

		if (s->region != region || s->offset >= offset + bytes ||
		    offset >= s->offset + s->bytes)
			continue;
		if (s->offset == offset && s->bytes == bytes)
			return (int)i;
		refuse(e, "it accesses the same bytes with different sizes");
		return -1;
	}
	if (e->n_slots == MAX_SLOTS) {
		refuse(e, "it uses too many pieces of memory");
		return -1;
	}
	e->slots[e->n_slots] = (struct slot){(uint8_t)region, (uint8_t)bytes, offset};
	return (int)e->n_slots++;
}

static uint32_t read_slot(struct eval *e, struct path *p, int slot, struct value *ret)
{
	*ret = p->slots[slot];
	if (is_unwritten(*ret))
		*ret = (struct value){0, initial_slot(e, &e->slots[slot])};
	if (ret->node == BF_NONE)
		refuse(e, "it reads memory in pieces it did not write");
	return ret->node;
}

/* Is it there for every record? Offsets into the stack are negative. */
static bool inside(const struct eval *e, unsigned region, int64_t offset, unsigned bytes)
{
	const struct program *p = e->vp->program;
	int64_t start = 0, end = 0;

	switch ((enum vm_region)region) {
	case VM_REGION_RECORD:
		end = e->vp->bounds.record_min_bytes;
		break;
	case VM_REGION_PARAMS:
		end = p->params_bytes;
		break;
	case VM_REGION_STATE:
		end = p->state_bytes;
		break;
	case VM_REGION_RODATA:
		end = p->rodata_bytes;
		break;
	case VM_REGION_STACK:
		start = -(int64_t)e->code->flat.stack_bytes;
		break;
	default:
		return false;
	}
	return offset >= start && offset <= end - (int64_t)bytes;
}

/*
 * The offset of an access of some bytes through a pointer, when it is the same for every record.
 * That the verifier has proven the access is not enough: it did so for the ways that it believes
 * possible, and the graph reads for every record, on any way.
 */
static bool constant_offset(struct eval *e, const struct value *ptr, int64_t off, unsigned bytes,
			    int64_t *ret)
{
	if (!ptr->region || ptr->node == BF_NONE || e->b.nodes[ptr->node].op != BF_CONST)
		return refuse(e, "it addresses memory by a computed offset");
	*ret = (int64_t)(e->b.nodes[ptr->node].imm + (uint64_t)off);
	if (!inside(e, ptr->region, *ret, bytes))
		return refuse(e, "on some way it accesses memory outside of the shortest record, "
				 "or of another region");
	return true;
}

/* Has every register that the instruction reads a value? */
static bool has_values(struct eval *e, const struct path *p, const struct vm_op *op)
{
	bool reads_src = (op->kind == VM_KIND_ALU || op->kind == VM_KIND_STORE ||
			  op->kind == VM_KIND_JUMP) &&
			 !op->use_imm && op->op != VM_OP_JA && op->op != VM_OP_NEG &&
			 op->op != VM_OP_LE && op->op != VM_OP_BE && op->op != VM_OP_BSWAP;
	bool reads_dst =
		(op->kind == VM_KIND_ALU && op->op != VM_OP_MOV && op->op != VM_OP_MOVSX) ||
		op->kind == VM_KIND_STORE || (op->kind == VM_KIND_JUMP && op->op != VM_OP_JA);

	if ((!reads_src || p->regs[op->src].node != BF_NONE) &&
	    (!reads_dst || p->regs[op->dst].node != BF_NONE) &&
	    (op->kind != VM_KIND_LOAD || p->regs[op->src].node != BF_NONE) &&
	    (op->kind != VM_KIND_EXIT || p->regs[0].node != BF_NONE))
		return true;
	return refuse(e, "a register holds different things on different ways");
}

static bool load(struct eval *e, struct path *p, const struct vm_op *op)
{
	struct value v = {0, 0};
	int64_t offset;

	if (!constant_offset(e, &p->regs[op->src], op->off, op->bytes, &offset))
		return false;

	enum vm_region region = p->regs[op->src].region;

	switch (region) {
	case VM_REGION_RECORD:
	case VM_REGION_PARAMS:
	case VM_REGION_RODATA:
		v.node = bf_leaf(&e->b, BF_LOAD, region, (uint64_t)offset, op->bytes);
		break;
	case VM_REGION_STATE:
	case VM_REGION_STACK: {
		int slot = find_slot(e, region, offset, op->bytes);

		if (slot < 0 || read_slot(e, p, slot, &v) == BF_NONE)
			return false;
		break;
	}
	default:
		return refuse(e, "it reads a key");
	}
	if (!v.region) {
		v.node = bf_unary(&e->b, BF_ZEXT, v.node, op->bytes);
		if (op->sign)
			v.node = bf_unary(&e->b, BF_SEXT, v.node, op->bytes);
	}
	p->regs[op->dst] = v;
	return true;
}

static bool store(struct eval *e, struct path *p, const struct vm_op *op)
{
	struct value v = op->use_imm ? (struct value){0, bf_const(&e->b, (uint64_t)op->imm)}
				     : p->regs[op->src];
	int64_t offset;
	int slot;

	if (!constant_offset(e, &p->regs[op->dst], op->off, op->bytes, &offset))
		return false;
	if (v.region && p->regs[op->dst].region != VM_REGION_STACK)
		return refuse(e, "it stores a pointer, on a way that is never taken");
	slot = find_slot(e, p->regs[op->dst].region, offset, op->bytes);
	if (slot < 0)
		return false;
	/* What a slot holds is cut to its size when it is read; a cell keeps the short form, in
	 * which the sum of a 32-bit counter is a plain addition. */
	if (!v.region)
		while ((e->b.nodes[v.node].op == BF_ZEXT || e->b.nodes[v.node].op == BF_SEXT) &&
		       e->b.nodes[v.node].bytes >= op->bytes)
			v.node = e->b.nodes[v.node].a;
	p->slots[slot] = v;
	return true;
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

static bool alu(struct eval *e, struct path *p, const struct vm_op *op)
{
	struct bf_builder *b = &e->b;
	struct value *dst = &p->regs[op->dst];
	struct value x =
		op->use_imm ? (struct value){0, bf_const(b, (uint64_t)op->imm)} : p->regs[op->src];
	static const uint8_t ops[VM_OPCODES] = {
		[VM_OP_ADD] = BF_ADD,   [VM_OP_SUB] = BF_SUB,   [VM_OP_MUL] = BF_MUL,
		[VM_OP_DIV] = BF_UDIV,  [VM_OP_SDIV] = BF_SDIV, [VM_OP_MOD] = BF_UMOD,
		[VM_OP_SMOD] = BF_SMOD, [VM_OP_OR] = BF_OR,     [VM_OP_AND] = BF_AND,
		[VM_OP_XOR] = BF_XOR,   [VM_OP_LSH] = BF_SHL,   [VM_OP_RSH] = BF_SHR,
		[VM_OP_ARSH] = BF_SAR,
	};

	if (op->op == VM_OP_MOV && op->width == 64) {
		*dst = x;
		return true;
	}
	if (dst->region && op->op != VM_OP_MOV && op->op != VM_OP_MOVSX) {
		/* pointer + scalar, pointer - scalar, pointer - pointer */
		if (op->width != 64 || (op->op != VM_OP_ADD && op->op != VM_OP_SUB))
			return refuse(e, "it computes with pointers");
		bool difference = x.region != 0;

		dst->node = bf_binary(b, ops[op->op], dst->node, x.node);
		if (difference)
			dst->region = 0;
		return true;
	}
	if (x.region && op->op == VM_OP_ADD && op->width == 64) {
		*dst = (struct value){x.region, bf_binary(b, BF_ADD, x.node, dst->node)};
		return true;
	}
	if (x.region || (op->kind == VM_KIND_ALU && dst->node == BF_NONE && op->op != VM_OP_MOV &&
			 op->op != VM_OP_MOVSX))
		return refuse(e, "it computes with pointers");

	bool narrow = op->width == 32;
	uint32_t a = dst->node, y = x.node, r;

	switch (op->op) {
	case VM_OP_MOV:
		r = y;
		break;
	case VM_OP_MOVSX:
		r = bf_unary(b, BF_SEXT, y, op->bytes);
		break;
	case VM_OP_NEG:
		r = bf_binary(b, BF_SUB, bf_const(b, 0), a);
		break;
	case VM_OP_LE:
		r = bf_unary(b, BF_ZEXT, a, op->bytes);
		break;
	case VM_OP_BE:
	case VM_OP_BSWAP:
		r = bf_unary(b, BF_BSWAP, a, op->bytes);
		break;
	case VM_OP_LSH:
	case VM_OP_RSH:
	case VM_OP_ARSH:
		y = bf_binary(b, BF_AND, y, bf_const(b, op->width - 1u));
		if (narrow && op->op != VM_OP_LSH)
			a = bf_unary(b, op->op == VM_OP_ARSH ? BF_SEXT : BF_ZEXT, a, 4);
		r = bf_binary(b, ops[op->op], a, y);
		break;
	case VM_OP_DIV:
	case VM_OP_MOD:
	case VM_OP_SDIV:
	case VM_OP_SMOD:
		if (narrow) {
			bool sign = op->op == VM_OP_SDIV || op->op == VM_OP_SMOD;

			a = bf_unary(b, sign ? BF_SEXT : BF_ZEXT, a, 4);
			y = bf_unary(b, sign ? BF_SEXT : BF_ZEXT, y, 4);
		}
		r = bf_binary(b, ops[op->op], a, y);
		break;
	default:
		r = bf_binary(b, ops[op->op], a, y);
		break;
	}
	if (narrow)
		r = bf_unary(b, BF_ZEXT, r, 4);
	*dst = (struct value){0, r};
	return true;
}

/* The condition of a jump, 0 or 1. */
static bool jump_condition(struct eval *e, struct path *p, const struct vm_op *op, uint32_t *ret)
{
	struct bf_builder *b = &e->b;
	struct value x = p->regs[op->dst];
	struct value y =
		op->use_imm ? (struct value){0, bf_const(b, (uint64_t)op->imm)} : p->regs[op->src];
	uint32_t l = x.node, r = y.node;
	/* Of pointers the nodes are offsets, which may be negative (vm.h). */
	enum bf_op below = x.region ? BF_SLT : BF_ULT;

	if (x.region != y.region) {
		/* A pointer is never null; nothing else passes the verifier. */
		if (op->op != VM_OP_JEQ && op->op != VM_OP_JNE)
			return refuse(e, "it compares pointers");
		*ret = bf_const(b, op->op == VM_OP_JNE);
		return true;
	}
	if (op->width == 32) {
		bool sign = op->op >= VM_OP_JSGT && op->op <= VM_OP_JSLE;

		l = bf_unary(b, sign ? BF_SEXT : BF_ZEXT, l, 4);
		r = bf_unary(b, sign ? BF_SEXT : BF_ZEXT, r, 4);
	}
	switch (op->op) {
	case VM_OP_JEQ:
		*ret = bf_binary(b, BF_EQ, l, r);
		break;
	case VM_OP_JNE:
		*ret = bf_not(b, bf_binary(b, BF_EQ, l, r));
		break;
	case VM_OP_JSET:
		*ret = bf_not(b, bf_binary(b, BF_EQ, bf_binary(b, BF_AND, l, r), bf_const(b, 0)));
		break;
	case VM_OP_JGT:
		*ret = bf_binary(b, below, r, l);
		break;
	case VM_OP_JGE:
		*ret = bf_not(b, bf_binary(b, below, l, r));
		break;
	case VM_OP_JLT:
		*ret = bf_binary(b, below, l, r);
		break;
	case VM_OP_JLE:
		*ret = bf_not(b, bf_binary(b, below, r, l));
		break;
	case VM_OP_JSGT:
		*ret = bf_binary(b, BF_SLT, r, l);
		break;
	case VM_OP_JSGE:
		*ret = bf_not(b, bf_binary(b, BF_SLT, l, r));
		break;
	case VM_OP_JSLT:
		*ret = bf_binary(b, BF_SLT, l, r);
		break;
	default: /* VM_OP_JSLE */
		*ret = bf_not(b, bf_binary(b, BF_SLT, r, l));
		break;
	}
	return true;
}

/* ---- helpers --------------------------------------------------------------------------------- */

/* A helper's pointer argument: the slot of `bytes` bytes that it points to. */
static int pointer_slot(struct eval *e, struct path *p, unsigned reg, unsigned bytes)
{
	int64_t offset;

	if (!constant_offset(e, &p->regs[reg], 0, bytes, &offset))
		return -1;
	if (p->regs[reg].region != VM_REGION_STATE && p->regs[reg].region != VM_REGION_STACK) {
		refuse(e, "a helper reads memory");
		return -1;
	}
	return find_slot(e, p->regs[reg].region, offset, bytes);
}

/* acc = acc + x unless it overflows; r0 = does it. wide: x is 128 bits too. */
static bool accumulate(struct eval *e, struct path *p, bool wide)
{
	struct bf_builder *b = &e->b;
	struct value acc, x = p->regs[2];
	int slot = pointer_slot(e, p, 1, 16);

	if (slot < 0 || read_slot(e, p, slot, &acc) == BF_NONE)
		return false;
	if (wide) {
		int from = pointer_slot(e, p, 2, 16);

		if (from < 0 || read_slot(e, p, from, &x) == BF_NONE)
			return false;
	}

	uint32_t over = bf_binary(b, wide ? BF_OVERSUM128 : BF_OVER128, acc.node, x.node);
	uint32_t sum = bf_binary(b, wide ? BF_SUM128 : BF_ADD128, acc.node, x.node);

	p->slots[slot] = (struct value){0, bf_select(b, over, acc.node, sum)};
	p->regs[0] = (struct value){0, over};
	return true;
}

/* *r3 = r1 OP r2; r0 = did it overflow. */
static bool checked(struct eval *e, struct path *p, enum bf_op op, enum bf_op over, unsigned bytes)
{
	struct bf_builder *b = &e->b;
	uint32_t a = p->regs[1].node, x = p->regs[2].node;
	int slot = pointer_slot(e, p, 3, bytes);

	if (slot < 0)
		return false;
	p->slots[slot] = (struct value){0, bf_binary(b, op, a, x)};
	p->regs[0] = (struct value){0, bytes == 16 ? bf_const(b, 0) : bf_binary(b, over, a, x)};
	return true;
}

static bool call(struct eval *e, struct path *p, const struct vm_op *op, bool *ret_ends)
{
	struct bf_builder *b = &e->b;
	const struct vm_helper *h = vm_helper_by_number((int32_t)op->imm);
	const char *name = h ? h->name : "";
	bool ok;

	for (unsigned i = 0; h && i < 5; i++)
		if (h->arg[i] != VM_ARG_NONE && p->regs[i + 1].node == BF_NONE)
			return refuse(e, "a register holds different things on different ways");
	if (!strcmp(name, "fold_fail")) {
		e->fails = bf_either(b, e->fails, p->when);
		*ret_ends = true;
		return true;
	}
	if (!strcmp(name, "fold_add128"))
		ok = accumulate(e, p, false);
	else if (!strcmp(name, "fold_add128_128"))
		ok = accumulate(e, p, true);
	else if (!strcmp(name, "fold_mul_s64"))
		ok = checked(e, p, BF_MUL, BF_MULOVER, 8);
	else if (!strcmp(name, "fold_add_s64"))
		ok = checked(e, p, BF_ADD, BF_ADDOVER, 8);
	else if (!strcmp(name, "fold_mul128"))
		ok = checked(e, p, BF_MUL128, BF_MUL128, 16);
	else if (h && h->fn && h->arg[0] == VM_ARG_SCALAR && h->arg[2] == VM_ARG_NONE &&
		 (h->arg[1] == VM_ARG_SCALAR || h->arg[1] == VM_ARG_NONE)) {
		uint32_t second = h->arg[1] == VM_ARG_SCALAR ? p->regs[2].node : BF_NONE;

		p->regs[0] =
			(struct value){0, bf_call(b, (uint64_t)op->imm, p->regs[1].node, second)};
		ok = true;
	} else {
		return refuse(e, "it calls a helper that reads memory");
	}
	for (unsigned r = 1; r <= 5; r++)
		p->regs[r] = (struct value){0, BF_NONE};
	return ok;
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* yes, no: the conditions that a, or x, is the value. */
static struct value merge_value(struct eval *e, uint32_t yes, uint32_t no, struct value a,
				struct value x)
{
	const struct bf_node *nodes = e->b.nodes;

	if (a.node == x.node && a.region == x.region)
		return a;
	/* Written on one way only: either nobody reads it, or the verifier knows that the other way
	 * is never taken. */
	if (is_unwritten(a) || is_unwritten(x))
		return is_unwritten(a) ? x : a;
	if (a.region != x.region || a.region == MIXED) /* likewise, but has_values() refuses it */
		return (struct value){MIXED, BF_NONE};
	/* What a filter returns: the ways on which it is not 0, without those on which it is. */
	if (!a.region && nodes[a.node].cond && nodes[x.node].cond &&
	    (nodes[a.node].op == BF_CONST || nodes[x.node].op == BF_CONST))
		return (struct value){0, bf_either(&e->b, bf_both(&e->b, yes, a.node),
						   bf_both(&e->b, no, x.node))};
	return (struct value){a.region, bf_select(&e->b, yes, a.node, x.node)};
}

/* A condition that tells the ways apart, given that one of them is taken: without what they share.
 */
static uint32_t telling(struct eval *e, uint32_t a, uint32_t x)
{
	const struct bf_node *n = &e->b.nodes[a], *m = &e->b.nodes[x];

	return n->op == BF_BOTH && m->op == BF_BOTH && n->a == m->a ? n->b : a;
}

/* into is taken when into->when, other when other->when; never both. */
static void merge_paths(struct eval *e, struct path *into, const struct path *other)
{
	uint32_t yes = telling(e, into->when, other->when);
	uint32_t no = telling(e, other->when, into->when);

	for (unsigned r = 0; r < 11; r++)
		into->regs[r] = merge_value(e, yes, no, into->regs[r], other->regs[r]);
	for (uint32_t s = 0; s < e->n_slots; s++) {
		struct value a = into->slots[s], x = other->slots[s];
		struct value old = {0, BF_NONE};

		if (is_unwritten(a) && is_unwritten(x))
			continue;
		if (is_unwritten(a) || is_unwritten(x))
			old.node = initial_slot(e, &e->slots[s]);
		into->slots[s] = merge_value(e, yes, no, is_unwritten(a) ? old : a,
					     is_unwritten(x) ? old : x);
	}
	into->when = bf_either(&e->b, into->when, other->when);
}

/* Leave a path at its target. Takes it. */
static bool leave(struct eval *e, uint32_t target, struct path *p)
{
	if (bf_is_const(&e->b, p->when, 0)) {
		free(p);
		return true;
	}
	if (e->waiting[target]) {
		merge_paths(e, e->waiting[target], p);
		free(p);
		return true;
	}
	e->waiting[target] = p;
	if (++e->n_waiting > MAX_WAITING)
		return refuse(e, "it has too many jumps");
	return true;
}

static struct path *path_copy(struct eval *e, const struct path *p, uint32_t when)
{
	struct path *copy = malloc(sizeof(*copy));

	if (!copy) {
		e->b.failed = true;
		return NULL;
	}
	*copy = *p;
	copy->when = when;
	return copy;
}

/* One instruction of path *pp; sets *pp to NULL when the path ends here. */
static bool step(struct eval *e, struct path **pp, uint32_t at, const struct vm_op *op)
{
	struct path *p = *pp, *taken;
	uint32_t end = e->code->flat.n_insns, cond;
	bool ends = false;

	if (!has_values(e, p, op))
		return false;
	switch (op->kind) {
	case VM_KIND_ALU:
		return alu(e, p, op);
	case VM_KIND_LOAD:
		return load(e, p, op);
	case VM_KIND_STORE:
		return store(e, p, op);
	case VM_KIND_CONST:
		p->regs[op->dst] =
			(struct value){op->op == VM_OP_RODATA ? VM_REGION_RODATA : VM_REGION_NONE,
				       bf_const(&e->b, (uint64_t)op->imm)};
		return true;
	case VM_KIND_CALL:
		if (!call(e, p, op, &ends))
			return false;
		if (ends) {
			free(p);
			*pp = NULL;
		}
		return true;
	case VM_KIND_EXIT:
		*pp = NULL;
		return leave(e, end, p);
	default:
		break;
	}

	uint32_t target = (uint32_t)vm_isa_jump_target(op, at);

	if (op->op == VM_OP_JA) {
		*pp = NULL;
		return leave(e, target, p);
	}
	if (!jump_condition(e, p, op, &cond))
		return false;
	taken = path_copy(e, p, bf_both(&e->b, p->when, cond));
	if (!taken)
		return false;
	p->when = bf_both(&e->b, p->when, bf_not(&e->b, cond));
	if (!leave(e, target, taken))
		return false;
	if (bf_is_const(&e->b, p->when, 0)) {
		free(p);
		*pp = NULL;
	}
	return true;
}

/* Evaluate one function from `start`; *ret is the path at its end, NULL if none arrives there. */
static bool evaluate(struct eval *e, enum program_kind kind, const struct path *start,
		     struct path **ret)
{
	const struct vm_code *code = &e->vp->code[kind];
	struct path *p = path_copy(e, start, start->when);
	bool ok = p != NULL;

	e->code = code;
	for (uint32_t at = 0; ok && at < code->flat.n_insns;) {
		struct path *other = e->waiting[at];
		struct vm_op op;

		if (other && p) {
			merge_paths(e, p, other);
			free(other);
		} else if (other) {
			p = other;
		}
		e->waiting[at] = NULL;
		if (p && !code->info[at].reachable) {
			/* The verifier showed that nothing gets here, and checked nothing here:
			 * what it would read must not be read for every record. */
			free(p);
			p = NULL;
		}
		if (vm_isa_decode(code->flat.insns, code->flat.n_insns, at, &op)) {
			ok = refuse(e, "an instruction does not decode");
			break;
		}
		if (p && code->info[at].verdict == VM_GUARDED)
			ok = refuse(e, "an access is guarded");
		else if (p)
			ok = step(e, &p, at, &op);
		at += op.slots;
	}
	free(p);
	*ret = e->waiting[code->flat.n_insns];
	e->waiting[code->flat.n_insns] = NULL;
	for (uint32_t i = 0; i < code->flat.n_insns; i++) {
		free(e->waiting[i]);
		e->waiting[i] = NULL;
	}
	e->n_waiting = 0;
	if (ok && *ret && ((*ret)->regs[0].node == BF_NONE || (*ret)->regs[0].region))
		ok = refuse(e, "it returns different things on different ways");
	if (!ok) {
		free(*ret);
		*ret = NULL;
	}
	return ok && !e->b.failed;
}

static const char *check_shape(const struct vm_program *vp)
{
	if (vp->code[PROGRAM_KEY].flat.n_insns)
		return "it groups by a key";
	for (int k = PROGRAM_FILTER; k <= PROGRAM_REDUCE; k++) {
		if (vp->code[k].has_loop)
			return "it has a loop";
		if (vp->code[k].flat.n_insns > MAX_INSNS)
			return "it is too long";
	}
	return NULL;
}

static void start_path(struct eval *e, struct path *p, enum program_kind kind)
{
	const struct value zero = {0, bf_const(&e->b, 0)};
	const struct value length = {0, e->vp->bounds.record_min_bytes ==
							e->vp->bounds.record_max_bytes
						? bf_const(&e->b, e->vp->bounds.record_min_bytes)
						: bf_leaf(&e->b, BF_LEN, 0, 0, 4)};
	struct value *r = &p->regs[1];

	for (unsigned i = 0; i < 11; i++)
		p->regs[i] = (struct value){0, BF_NONE};
	for (unsigned i = 0; i < MAX_SLOTS; i++)
		p->slots[i] = (struct value){0, BF_NONE};
	if (kind == PROGRAM_REDUCE)
		*r++ = (struct value){VM_REGION_STATE, zero.node};
	*r++ = (struct value){VM_REGION_RECORD, zero.node};
	*r++ = length;
	*r = (struct value){VM_REGION_PARAMS, zero.node};
	p->regs[10] = (struct value){VM_REGION_STACK, zero.node};
	p->when = bf_const(&e->b, 1);
}

/* Filter, then reduce; leaves the graph in e->b, *match, and the final path of reduce. */
static bool evaluate_program(struct eval *e, uint32_t *match, struct path **ret_end)
{
	struct bf_builder *b = &e->b;
	AUTO_FREE struct path *start = malloc(sizeof(*start));
	struct path *end;

	if (!start) {
		b->failed = true;
		return false;
	}
	e->fails = bf_const(b, 0);
	*match = bf_const(b, 1);
	if (e->vp->code[PROGRAM_FILTER].flat.n_insns) {
		start_path(e, start, PROGRAM_FILTER);
		if (!evaluate(e, PROGRAM_FILTER, start, &end))
			return false;
		if (!end)
			return refuse(e, "its filter always fails");
		uint32_t r0 = bf_unary(b, BF_ZEXT, end->regs[0].node, 4);

		*match = bf_not(b, bf_binary(b, BF_EQ, r0, bf_const(b, 0)));
		free(end);
	}

	uint32_t filter_fails = e->fails;

	/* The two functions have frames of their own: forget the filter's stack. */
	e->n_slots = 0;
	e->fails = bf_const(b, 0);
	start_path(e, start, PROGRAM_REDUCE);
	if (!evaluate(e, PROGRAM_REDUCE, start, &end))
		return false;
	if (!end)
		return refuse(e, "its reduce always fails");
	if (!bf_is_const(b, bf_unary(b, BF_ZEXT, end->regs[0].node, 4), 0)) {
		free(end);
		return refuse(e, "it may stop early");
	}
	e->fails = bf_either(b, filter_fails, bf_both(b, *match, e->fails));
	*ret_end = end;
	return true;
}

static int collect(struct eval *e, uint32_t match, const struct path *end,
		   struct vm_branchfree **ret)
{
	struct vm_branchfree *bf = calloc(1, sizeof(*bf));

	if (!bf)
		return -ENOMEM;
	bf->cells = calloc(e->n_slots ? e->n_slots : 1, sizeof(*bf->cells));
	if (!bf->cells) {
		free(bf);
		return -ENOMEM;
	}
	for (uint32_t s = 0; s < e->n_slots; s++) {
		const struct slot *slot = &e->slots[s];
		uint32_t old = initial_slot(e, slot);

		if (slot->region != VM_REGION_STATE)
			continue;
		bf->cells[bf->n_cells++] = (struct bf_cell){
			.offset = (uint32_t)slot->offset,
			.bytes = slot->bytes,
			.value = end->slots[s].node == BF_NONE ? old : end->slots[s].node,
			.written = end->slots[s].node != BF_NONE && end->slots[s].node != old,
			.operand = BF_NONE,
			.high = BF_NONE,
			.when = BF_NONE,
		};
	}
	bf->match = bf_is_const(&e->b, match, 1) ? BF_NONE : match;
	bf->fails = bf_is_const(&e->b, e->fails, 0) ? BF_NONE : e->fails;
	bf->reduce_fails = BF_NONE;
	if (!bf_find_merges(&e->b, bf) || e->b.failed) {
		vm_branchfree_free(bf);
		return -ENOMEM;
	}
	bf->nodes = TAKE_PTR(e->b.nodes);
	bf->n_nodes = e->b.n_nodes;
	*ret = bf;
	return 0;
}

int vm_branchfree_new(const struct vm_program *vp, struct vm_branchfree **ret, const char **ret_why)
{
	const char *why = check_shape(vp);
	AUTO_FREE struct eval *e = NULL;
	struct path *end = NULL;
	uint32_t match;
	int err;

	if (why) {
		*ret_why = why;
		return -ENOTSUP;
	}
	e = calloc(1, sizeof(*e));
	if (!e || bf_builder_init(&e->b))
		return -ENOMEM;
	e->vp = vp;
	if (evaluate_program(e, &match, &end)) {
		err = collect(e, match, end, ret);
	} else {
		*ret_why = e->why ? e->why : "its expressions are too large";
		err = -ENOTSUP;
	}
	free(end);
	bf_builder_done(&e->b);
	return err;
}

void vm_branchfree_free(struct vm_branchfree *bf)
{
	if (!bf)
		return;
	free(bf->nodes);
	free(bf->cells);
	free(bf);
}

uint32_t vm_branchfree_counter(const struct vm_branchfree *bf)
{
	for (uint32_t c = 0; c < bf->n_cells; c++) {
		const struct bf_cell *cell = &bf->cells[c];

		if (cell->merge == BF_MERGE_ADD && cell->bytes == 8 && cell->when == BF_NONE &&
		    bf->nodes[cell->operand].op == BF_CONST && bf->nodes[cell->operand].imm == 1)
			return c;
	}
	return BF_NONE;
}
