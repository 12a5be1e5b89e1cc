/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* vm_branchfree_insn.c - what one instruction does to a path: memory, arithmetic, helpers. */
#include <string.h>

#include "vm/vm_branchfree_eval.h"
#include "vm/vm_helper.h"

bool bf_refuse(struct bf_eval *e, const char *why)
{
	if (!e->why)
		e->why = why;
	return false;
}

/* ---- memory -------------------------------------------------------------------------------- */

uint32_t bf_initial_slot(struct bf_eval *e, const struct bf_slot *s)
{
	if (s->region == VM_REGION_STATE)
		return bf_leaf(&e->b, BF_CELL, VM_REGION_STATE, (uint64_t)s->offset, s->bytes);
	return BF_NONE;
}

/* The slot's index, made if it is new; -1 when it overlaps another or there are too many. */
static int find_slot(struct bf_eval *e, unsigned region, int64_t offset, unsigned bytes)
{
	for (uint32_t i = 0; i < e->n_slots; i++) {
		const struct bf_slot *s = &e->slots[i];

		if (s->region != region || s->offset >= offset + bytes ||
		    offset >= s->offset + s->bytes)
			continue;
		if (s->offset == offset && s->bytes == bytes)
			return (int)i;
		bf_refuse(e, "it accesses the same bytes with different sizes");
		return -1;
	}
	if (e->n_slots == BF_MAX_SLOTS) {
		bf_refuse(e, "it uses too many pieces of memory");
		return -1;
	}
	e->slots[e->n_slots] = (struct bf_slot){(uint8_t)region, (uint8_t)bytes, offset};
	return (int)e->n_slots++;
}

static uint32_t read_slot(struct bf_eval *e, struct bf_path *p, int slot, struct bf_value *ret)
{
	*ret = p->slots[slot];
	if (bf_is_unwritten(*ret))
		*ret = (struct bf_value){0, bf_initial_slot(e, &e->slots[slot])};
	if (ret->node == BF_NONE)
		bf_refuse(e, "it reads memory in pieces it did not write");
	return ret->node;
}

/* Is it there for every record? Offsets into the stack are negative. */
static bool inside(const struct bf_eval *e, unsigned region, int64_t offset, unsigned bytes)
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
static bool constant_offset(struct bf_eval *e, const struct bf_value *ptr, int64_t off,
			    unsigned bytes, int64_t *ret)
{
	if (!ptr->region || ptr->node == BF_NONE || e->b.nodes[ptr->node].op != BF_CONST)
		return bf_refuse(e, "it addresses memory by a computed offset");
	*ret = (int64_t)(e->b.nodes[ptr->node].imm + (uint64_t)off);
	if (!inside(e, ptr->region, *ret, bytes))
		return bf_refuse(e,
				 "on some way it accesses memory outside of the shortest record, "
				 "or of another region");
	return true;
}

bool bf_has_values(struct bf_eval *e, const struct bf_path *p, const struct vm_op *op)
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
	return bf_refuse(e, "a register holds different things on different ways");
}

static bool load(struct bf_eval *e, struct bf_path *p, const struct vm_op *op)
{
	struct bf_value v = {0, 0};
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
		return bf_refuse(e, "it reads a key");
	}
	if (!v.region) {
		v.node = bf_unary(&e->b, BF_ZEXT, v.node, op->bytes);
		if (op->sign)
			v.node = bf_unary(&e->b, BF_SEXT, v.node, op->bytes);
	}
	p->regs[op->dst] = v;
	return true;
}

static bool store(struct bf_eval *e, struct bf_path *p, const struct vm_op *op)
{
	struct bf_value v = op->use_imm ? (struct bf_value){0, bf_const(&e->b, (uint64_t)op->imm)}
					: p->regs[op->src];
	int64_t offset;
	int slot;

	if (!constant_offset(e, &p->regs[op->dst], op->off, op->bytes, &offset))
		return false;
	if (v.region && p->regs[op->dst].region != VM_REGION_STACK)
		return bf_refuse(e, "it stores a pointer, on a way that is never taken");
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

static bool alu(struct bf_eval *e, struct bf_path *p, const struct vm_op *op)
{
	struct bf_builder *b = &e->b;
	struct bf_value *dst = &p->regs[op->dst];
	struct bf_value x = op->use_imm ? (struct bf_value){0, bf_const(b, (uint64_t)op->imm)}
					: p->regs[op->src];
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
			return bf_refuse(e, "it computes with pointers");
		bool difference = x.region != 0;

		dst->node = bf_binary(b, ops[op->op], dst->node, x.node);
		if (difference)
			dst->region = 0;
		return true;
	}
	if (x.region && op->op == VM_OP_ADD && op->width == 64) {
		*dst = (struct bf_value){x.region, bf_binary(b, BF_ADD, x.node, dst->node)};
		return true;
	}
	if (x.region || (op->kind == VM_KIND_ALU && dst->node == BF_NONE && op->op != VM_OP_MOV &&
			 op->op != VM_OP_MOVSX))
		return bf_refuse(e, "it computes with pointers");

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
	*dst = (struct bf_value){0, r};
	return true;
}

/* The condition of a jump, 0 or 1. */
bool bf_condition(struct bf_eval *e, struct bf_path *p, const struct vm_op *op, uint32_t *ret)
{
	struct bf_builder *b = &e->b;
	struct bf_value x = p->regs[op->dst];
	struct bf_value y = op->use_imm ? (struct bf_value){0, bf_const(b, (uint64_t)op->imm)}
					: p->regs[op->src];
	uint32_t l = x.node, r = y.node;
	/* Of pointers the nodes are offsets, which may be negative (vm.h). */
	enum bf_op below = x.region ? BF_SLT : BF_ULT;

	if (x.region != y.region) {
		/* A pointer is never null; nothing else passes the verifier. */
		if (op->op != VM_OP_JEQ && op->op != VM_OP_JNE)
			return bf_refuse(e, "it compares pointers");
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
static int pointer_slot(struct bf_eval *e, struct bf_path *p, unsigned reg, unsigned bytes)
{
	int64_t offset;

	if (!constant_offset(e, &p->regs[reg], 0, bytes, &offset))
		return -1;
	if (p->regs[reg].region != VM_REGION_STATE && p->regs[reg].region != VM_REGION_STACK) {
		bf_refuse(e, "a helper reads memory");
		return -1;
	}
	return find_slot(e, p->regs[reg].region, offset, bytes);
}

/* acc = acc + x unless it overflows; r0 = does it. wide: x is 128 bits too. */
static bool accumulate(struct bf_eval *e, struct bf_path *p, bool wide)
{
	struct bf_builder *b = &e->b;
	struct bf_value acc, x = p->regs[2];
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

	p->slots[slot] = (struct bf_value){0, bf_select(b, over, acc.node, sum)};
	p->regs[0] = (struct bf_value){0, over};
	return true;
}

/* *r3 = r1 OP r2; r0 = did it overflow. */
static bool checked(struct bf_eval *e, struct bf_path *p, enum bf_op op, enum bf_op over,
		    unsigned bytes)
{
	struct bf_builder *b = &e->b;
	uint32_t a = p->regs[1].node, x = p->regs[2].node;
	int slot = pointer_slot(e, p, 3, bytes);

	if (slot < 0)
		return false;
	p->slots[slot] = (struct bf_value){0, bf_binary(b, op, a, x)};
	p->regs[0] = (struct bf_value){0, bytes == 16 ? bf_const(b, 0) : bf_binary(b, over, a, x)};
	return true;
}

static bool call(struct bf_eval *e, struct bf_path *p, const struct vm_op *op, bool *ret_ends)
{
	struct bf_builder *b = &e->b;
	const struct vm_helper *h = vm_helper_by_number((int32_t)op->imm);
	const char *name = h ? h->name : "";
	bool ok;

	for (unsigned i = 0; h && i < 5; i++)
		if (h->arg[i] != VM_ARG_NONE && p->regs[i + 1].node == BF_NONE)
			return bf_refuse(e, "a register holds different things on different ways");
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

		p->regs[0] = (struct bf_value){
			0, bf_call(b, (uint64_t)op->imm, p->regs[1].node, second)};
		ok = true;
	} else {
		return bf_refuse(e, "it calls a helper that reads memory");
	}
	for (unsigned r = 1; r <= 5; r++)
		p->regs[r] = (struct bf_value){0, BF_NONE};
	return ok;
}

/* ---- any ------------------------------------------------------------------------------------- */

bool bf_eval_insn(struct bf_eval *e, struct bf_path *p, const struct vm_op *op, bool *ret_ends)
{
	switch (op->kind) {
	case VM_KIND_ALU:
		return alu(e, p, op);
	case VM_KIND_LOAD:
		return load(e, p, op);
	case VM_KIND_STORE:
		return store(e, p, op);
	case VM_KIND_CONST:
		p->regs[op->dst] = (struct bf_value){op->op == VM_OP_RODATA ? VM_REGION_RODATA
									    : VM_REGION_NONE,
						     bf_const(&e->b, (uint64_t)op->imm)};
		return true;
	default:
		return call(e, p, op, ret_ends);
	}
}
