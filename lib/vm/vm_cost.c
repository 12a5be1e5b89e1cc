/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_cost.c - see the header.
 *
 * A loop has a bound when one of its registers counts: a single instruction in the loop writes it,
 * adds a constant to it or divides it by one, and stands on every way from the loop's head back to
 * the head. What the verifier believes of that register at the head (over all turns) is an
 * interval, so there are at most width / step + 1 turns, or as many as divisions lead from its
 * upper end to its lower one, which must not be 0. The program is verified once more for that, with
 * the records' length that is asked for.
 *
 * Between two visits of its head a loop enters each loop inside once at most and passes each other
 * block once at most (vm_cfg.h: without the head, what is left of a component has no cycle but
 * those of the components in it). So an instruction runs at most as often as the product of the
 * turns of the loops around it.
 */
#include "vm/vm_cost.h"

#include <errno.h>
#include <stdlib.h>

#include "base/scope.h"
#include "vm/vm_beliefs.h"
#include "vm/vm_cfg.h"
#include "vm/vm_helper.h"

enum { KINDS = PROGRAM_REDUCE + 1, REGS = 11 };

/* What was believed when control came to a block, over all ways and turns. */
struct arrival {
	bool any;
	struct vm_value reg[REGS]; /* VALUE_UNINIT: nothing is known */
};

struct function {
	struct vm_cfg cfg;
	struct arrival *arrivals; /* by block */
};

static void note(void *arg, enum program_kind entry, uint32_t insn, const struct vm_state *s)
{
	struct function *functions = arg, *f = &functions[entry];
	struct arrival *a;
	uint32_t b;

	if ((unsigned)entry >= KINDS || !f->arrivals)
		return;
	b = f->cfg.block_of[insn];
	a = &f->arrivals[b];
	if (f->cfg.blocks[b].first != insn || f->cfg.blocks[b].loop != f->cfg.blocks[b].place)
		return;
	for (unsigned r = 0; r < REGS; r++) {
		struct vm_value *v = &a->reg[r];

		if (!a->any)
			*v = s->reg[r];
		else if (v->kind != s->reg[r].kind || v->region != s->reg[r].region)
			v->kind = VALUE_UNINIT;
		else
			v->range = vm_range_join(&v->range, &s->reg[r].range);
	}
	a->any = true;
}

/* Does some way lead from the loop's head back to it without passing block `without`? */
static bool avoids(const struct vm_cfg *cfg, uint32_t head_place, uint32_t without, bool *seen,
		   uint32_t *stack)
{
	uint32_t head = cfg->order[head_place].block, n = 0;

	if (without == head)
		return false;
	for (uint32_t b = 0; b < cfg->n_blocks; b++)
		seen[b] = b == without;
	stack[n++] = head;
	while (n) {
		const struct vm_block *b = &cfg->blocks[stack[--n]];
		const uint32_t ways[] = {b->next, b->taken};

		for (unsigned i = 0; i < 2; i++) {
			uint32_t to = ways[i];

			if (to == head)
				return true;
			if (to == VM_CFG_NONE || seen[to] ||
			    !vm_cfg_loop_holds(cfg, head_place, cfg->blocks[to].place))
				continue;
			seen[to] = true;
			stack[n++] = to;
		}
	}
	return false;
}

/* RFC 9669, section 4.1: the low bits of the operand. */
static unsigned shift_of(const struct vm_op *op)
{
	return (unsigned)op->imm & (op->width - 1u);
}

/* r += imm, r >>= imm, r /= imm, or the same in 32 bits. */
static bool counts(const struct vm_op *op)
{
	if (op->kind != VM_KIND_ALU || !op->use_imm || !op->imm)
		return false;
	switch (op->op) {
	case VM_OP_ADD:
	case VM_OP_SUB:
		return true;
	case VM_OP_RSH:
		return shift_of(op) != 0;
	case VM_OP_DIV:
		return op->imm > 1;
	default:
		return false;
	}
}

/* How often a register can be divided within its interval, plus one; UINT64_MAX: 0 stays 0. */
static uint64_t divisions_within(const struct vm_range *r, const struct vm_op *op)
{
	uint64_t turns = 1;

	if (!r->umin)
		return UINT64_MAX;
	for (uint64_t at = r->umax;; turns++) {
		at = op->op == VM_OP_RSH ? at >> shift_of(op) : at / (uint64_t)op->imm;
		if (at < r->umin)
			return turns;
	}
}

/* How often a register can take a step within its interval, plus one; UINT64_MAX: it may wrap. */
static uint64_t steps_within(const struct vm_range *r, int64_t step, unsigned width)
{
	uint64_t by = step < 0 ? -(uint64_t)step : (uint64_t)step, turns = UINT64_MAX, t;
	uint64_t most = width == 32 ? UINT32_MAX : UINT64_MAX;

	if (r->umax <= most - by)
		turns = (r->umax - r->umin) / by + 1;
	/* Offsets below a region's start, and numbers that count down past zero. */
	if (width == 64 && r->smax <= INT64_MAX - (int64_t)by &&
	    r->smin >= INT64_MIN + (int64_t)by) {
		t = ((uint64_t)r->smax - (uint64_t)r->smin) / by + 1;
		turns = t < turns ? t : turns;
	}
	return turns;
}

static uint64_t turns_within(const struct vm_range *r, const struct vm_op *op)
{
	if (op->op == VM_OP_RSH || op->op == VM_OP_DIV)
		return divisions_within(r, op);
	return steps_within(r, op->op == VM_OP_SUB ? -op->imm : op->imm, op->width);
}

/* The instruction that counts register r in the loop; false: there is none. */
static bool find_counter(const struct vm_cfg *cfg, uint32_t head_place, unsigned r, uint32_t *ret)
{
	bool found = false;

	for (uint32_t p = head_place; p < cfg->order[head_place].loop_end; p++) {
		const struct vm_block *b = &cfg->blocks[cfg->order[p].block];

		for (uint32_t at = b->first; at < b->end; at += cfg->ops[at].slots) {
			if (!(cfg->ops[at].writes & 1u << r))
				continue;
			if (found || b->loop != head_place || !counts(&cfg->ops[at]))
				return false;
			*ret = at;
			found = true;
		}
	}
	return found;
}

/* The most turns of the loop each time it is entered; UINT64_MAX: no bound is known. */
static uint64_t loop_turns(const struct function *f, uint32_t head_place, bool *seen,
			   uint32_t *stack)
{
	const struct vm_cfg *cfg = &f->cfg;
	const struct arrival *a = &f->arrivals[cfg->order[head_place].block];
	uint64_t best = UINT64_MAX;

	if (cfg->order[head_place].irreducible)
		return UINT64_MAX;
	if (!a->any)
		return 0;
	for (unsigned r = 0; r < REGS; r++) {
		const struct vm_value *v = &a->reg[r];
		uint64_t turns;
		uint32_t at = 0;

		if ((v->kind != VALUE_SCALAR && v->kind != VALUE_POINTER) ||
		    !find_counter(cfg, head_place, r, &at) ||
		    avoids(cfg, head_place, cfg->block_of[at], seen, stack))
			continue;
		turns = turns_within(&v->range, &cfg->ops[at]);
		if (turns < best)
			best = turns;
	}
	return best;
}

static uint64_t region_bytes(const struct vm_program *vp, uint32_t record_max, uint8_t region,
			     const struct vm_code *code)
{
	const struct program *p = vp->program;

	switch (region) {
	case VM_REGION_NONE:
		return 0;
	case VM_REGION_RECORD:
		return record_max;
	case VM_REGION_PARAMS:
		return p->params_bytes;
	case VM_REGION_STACK:
		return code->flat.stack_bytes;
	case VM_REGION_KEY:
		return p->key_bytes;
	case VM_REGION_RODATA:
		return p->rodata_bytes;
	default:
		return p->state_bytes;
	}
}

/* What one execution of the instruction takes from the meter at most. */
static uint64_t charge_of(const struct vm_program *vp, const struct vm_code *code,
			  uint32_t record_max, uint32_t at, const struct vm_op *op)
{
	const struct vm_insn *info = &code->info[at];
	const struct vm_helper *h;
	uint64_t sum = 0;

	if (info->back_edge)
		return info->charge;
	if (op->kind != VM_KIND_CALL)
		return 0;
	h = vm_helper_by_number((int32_t)op->imm);
	for (unsigned i = 0; i < 5; i++)
		if (h->arg[i] == VM_ARG_MEM_READ)
			sum += region_bytes(vp, record_max, info->arg_region[i], code) /
			       VM_HELPER_BYTES_PER_CHARGE;
	return sum;
}

static int function_cost(const struct vm_program *vp, const struct function *f,
			 const struct vm_code *code, uint32_t record_max, uint64_t *sum)
{
	const struct vm_cfg *cfg = &f->cfg;
	AUTO_FREE uint64_t *turns = calloc(cfg->n_order + 1, sizeof(*turns));
	AUTO_FREE bool *seen = calloc(cfg->n_blocks + 1, sizeof(*seen));
	AUTO_FREE uint32_t *stack = calloc(cfg->n_blocks + 1, sizeof(*stack));

	if (!turns || !seen || !stack)
		return -ENOMEM;
	for (uint32_t p = 0; p < cfg->n_order; p++)
		if (cfg->order[p].loop_end)
			turns[p] = loop_turns(f, p, seen, stack);
	for (uint32_t p = 0; p < cfg->n_order; p++) {
		const struct vm_block *b = &cfg->blocks[cfg->order[p].block];

		for (uint32_t at = b->first; at < b->end; at += cfg->ops[at].slots) {
			uint64_t cost = charge_of(vp, code, record_max, at, &cfg->ops[at]);

			for (uint32_t l = b->loop; cost && l != VM_CFG_NONE;
			     l = cfg->order[l].outer)
				if (turns[l] == UINT64_MAX ||
				    __builtin_mul_overflow(cost, turns[l], &cost))
					return -ENOTSUP;
			if (__builtin_add_overflow(*sum, cost, sum))
				return -ENOTSUP;
		}
	}
	return 0;
}

static int prepare(const struct vm_code *code, struct function *f)
{
	const char *reason = NULL;
	uint32_t bad;

	if (vm_cfg_init(&f->cfg, code->flat.insns, code->flat.n_insns, &bad, &reason))
		return -ENOMEM; /* it is verified: there is no other reason */
	f->arrivals = calloc(f->cfg.n_blocks, sizeof(*f->arrivals));
	return f->arrivals ? 0 : -ENOMEM;
}

int vm_cost(const struct vm_program *vp, uint32_t record_max_bytes, uint64_t *ret)
{
	struct function functions[KINDS] = {0};
	struct vm_bounds bounds = vp->bounds;
	struct vm_program *again = NULL;
	uint64_t sum = 0;
	struct nf_error why;
	int r = 0;

	if (record_max_bytes < bounds.record_max_bytes)
		bounds.record_max_bytes = record_max_bytes;
	if (bounds.record_min_bytes > bounds.record_max_bytes)
		bounds.record_min_bytes = bounds.record_max_bytes;
	for (unsigned k = 0; k < KINDS && !r; k++)
		if (vp->code[k].flat.n_insns)
			r = prepare(&vp->code[k], &functions[k]);
	if (!r) {
		/* What is right for every record may overrun all that are so short. */
		r = vm_verify_beliefs((struct program *)vp->program, &bounds, note, functions,
				      &again, &why);
		r = r == -ENOMEM ? r : r ? -ENOTSUP : 0;
		vm_program_unref(again);
	}
	for (unsigned k = 0; k < KINDS && !r; k++)
		if (vp->code[k].flat.n_insns)
			r = function_cost(vp, &functions[k], &vp->code[k], bounds.record_max_bytes,
					  &sum);
	for (unsigned k = 0; k < KINDS; k++) {
		vm_cfg_done(&functions[k].cfg);
		free(functions[k].arrivals);
	}
	if (!r)
		*ret = sum;
	return r;
}
