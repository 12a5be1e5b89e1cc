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
#include "vm/vm_branchfree_eval.h"
#include "vm/vm_branchfree_merge.h"

/* ---- paths ----------------------------------------------------------------------------------- */

/* yes, no: the conditions that a, or x, is the value. */
static struct bf_value merge_value(struct bf_eval *e, uint32_t yes, uint32_t no, struct bf_value a,
				   struct bf_value x)
{
	const struct bf_node *nodes = e->b.nodes;

	if (a.node == x.node && a.region == x.region)
		return a;
	/* Written on one way only: either nobody reads it, or the verifier knows that the other way
	 * is never taken. */
	if (bf_is_unwritten(a) || bf_is_unwritten(x))
		return bf_is_unwritten(a) ? x : a;
	if (a.region != x.region ||
	    a.region == BF_MIXED) /* likewise, but bf_has_values() refuses it */
		return (struct bf_value){BF_MIXED, BF_NONE};
	/* What a filter returns: the ways on which it is not 0, without those on which it is. */
	if (!a.region && nodes[a.node].cond && nodes[x.node].cond &&
	    (nodes[a.node].op == BF_CONST || nodes[x.node].op == BF_CONST))
		return (struct bf_value){0, bf_either(&e->b, bf_both(&e->b, yes, a.node),
						      bf_both(&e->b, no, x.node))};
	return (struct bf_value){a.region, bf_select(&e->b, yes, a.node, x.node)};
}

/* A condition that tells the ways apart, given that one of them is taken: without what they share.
 */
static uint32_t telling(struct bf_eval *e, uint32_t a, uint32_t x)
{
	const struct bf_node *n = &e->b.nodes[a], *m = &e->b.nodes[x];

	return n->op == BF_BOTH && m->op == BF_BOTH && n->a == m->a ? n->b : a;
}

/* into is taken when into->when, other when other->when; never both. */
static void merge_paths(struct bf_eval *e, struct bf_path *into, const struct bf_path *other)
{
	uint32_t yes = telling(e, into->when, other->when);
	uint32_t no = telling(e, other->when, into->when);

	for (unsigned r = 0; r < 11; r++)
		into->regs[r] = merge_value(e, yes, no, into->regs[r], other->regs[r]);
	for (uint32_t s = 0; s < e->n_slots; s++) {
		struct bf_value a = into->slots[s], x = other->slots[s];
		struct bf_value old = {0, BF_NONE};

		if (bf_is_unwritten(a) && bf_is_unwritten(x))
			continue;
		if (bf_is_unwritten(a) || bf_is_unwritten(x))
			old.node = bf_initial_slot(e, &e->slots[s]);
		into->slots[s] = merge_value(e, yes, no, bf_is_unwritten(a) ? old : a,
					     bf_is_unwritten(x) ? old : x);
	}
	into->when = bf_either(&e->b, into->when, other->when);
}

/* Leave a path at its target. Takes it. */
static bool leave(struct bf_eval *e, uint32_t target, struct bf_path *p)
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
	if (++e->n_waiting > BF_MAX_WAITING)
		return bf_refuse(e, "it has too many jumps");
	return true;
}

static struct bf_path *path_copy(struct bf_eval *e, const struct bf_path *p, uint32_t when)
{
	struct bf_path *copy = malloc(sizeof(*copy));

	if (!copy) {
		e->b.failed = true;
		return NULL;
	}
	*copy = *p;
	copy->when = when;
	return copy;
}

/* One instruction of path *pp; sets *pp to NULL when the path ends here. */
static bool step(struct bf_eval *e, struct bf_path **pp, uint32_t at, const struct vm_op *op)
{
	struct bf_path *p = *pp, *taken;
	uint32_t end = e->code->flat.n_insns, cond;
	bool ends = false;

	if (!bf_has_values(e, p, op))
		return false;
	switch (op->kind) {
	case VM_KIND_EXIT:
		*pp = NULL;
		return leave(e, end, p);
	case VM_KIND_JUMP:
		break;
	default:
		if (!bf_eval_insn(e, p, op, &ends))
			return false;
		if (ends) {
			free(p);
			*pp = NULL;
		}
		return true;
	}

	uint32_t target = (uint32_t)vm_isa_jump_target(op, at);

	if (op->op == VM_OP_JA) {
		*pp = NULL;
		return leave(e, target, p);
	}
	if (!bf_condition(e, p, op, &cond))
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
static bool evaluate(struct bf_eval *e, enum program_kind kind, const struct bf_path *start,
		     struct bf_path **ret)
{
	const struct vm_code *code = &e->vp->code[kind];
	struct bf_path *p = path_copy(e, start, start->when);
	bool ok = p != NULL;

	e->code = code;
	for (uint32_t at = 0; ok && at < code->flat.n_insns;) {
		struct bf_path *other = e->waiting[at];
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
			ok = bf_refuse(e, "an instruction does not decode");
			break;
		}
		if (p && code->info[at].verdict == VM_GUARDED)
			ok = bf_refuse(e, "an access is guarded");
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
		ok = bf_refuse(e, "it returns different things on different ways");
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
		if (vp->code[k].flat.n_insns > BF_MAX_INSNS)
			return "it is too long";
	}
	return NULL;
}

static void start_path(struct bf_eval *e, struct bf_path *p, enum program_kind kind)
{
	const struct bf_value zero = {0, bf_const(&e->b, 0)};
	const struct bf_value length = {0, e->vp->bounds.record_min_bytes ==
							   e->vp->bounds.record_max_bytes
						   ? bf_const(&e->b, e->vp->bounds.record_min_bytes)
						   : bf_leaf(&e->b, BF_LEN, 0, 0, 4)};
	struct bf_value *r = &p->regs[1];

	for (unsigned i = 0; i < 11; i++)
		p->regs[i] = (struct bf_value){0, BF_NONE};
	for (unsigned i = 0; i < BF_MAX_SLOTS; i++)
		p->slots[i] = (struct bf_value){0, BF_NONE};
	if (kind == PROGRAM_REDUCE)
		*r++ = (struct bf_value){VM_REGION_STATE, zero.node};
	*r++ = (struct bf_value){VM_REGION_RECORD, zero.node};
	*r++ = length;
	*r = (struct bf_value){VM_REGION_PARAMS, zero.node};
	p->regs[10] = (struct bf_value){VM_REGION_STACK, zero.node};
	p->when = bf_const(&e->b, 1);
}

/* Filter, then reduce; leaves the graph in e->b, *match, and the final path of reduce. */
static bool evaluate_program(struct bf_eval *e, uint32_t *match, struct bf_path **ret_end)
{
	struct bf_builder *b = &e->b;
	AUTO_FREE struct bf_path *start = malloc(sizeof(*start));
	struct bf_path *end;

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
			return bf_refuse(e, "its filter always fails");
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
		return bf_refuse(e, "its reduce always fails");
	if (!bf_is_const(b, bf_unary(b, BF_ZEXT, end->regs[0].node, 4), 0)) {
		free(end);
		return bf_refuse(e, "it may stop early");
	}
	e->fails = bf_either(b, filter_fails, bf_both(b, *match, e->fails));
	*ret_end = end;
	return true;
}

static int collect(struct bf_eval *e, uint32_t match, const struct bf_path *end,
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
		const struct bf_slot *slot = &e->slots[s];
		uint32_t old = bf_initial_slot(e, slot);

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
	AUTO_FREE struct bf_eval *e = NULL;
	struct bf_path *end = NULL;
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
