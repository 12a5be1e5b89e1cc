/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_verify.c - the order of the analysis.
 *
 * A forward abstract interpretation of one flat function at a time (vm_state.h: what is believed,
 * vm_check_*.c: what an instruction does to it). States are joined where ways meet, so the cost
 * does not grow with the number of ways. Loops (components of the weak topological order, see
 * vm_cfg.h) are treated in two stages:
 *
 * 1. Turn by turn, as long as that pays: the state that comes back to the head is followed by
 *    itself, not joined with earlier turns. A loop with a fixed number of turns ends like that,
 *    with exact indexes. A loop whose end depends on data is given up after UNROLL_OPEN turns.
 * 2. What is left is closed by induction: the head's state is widened until what comes back is
 *    within it, then narrowed again. Widening moves bounds on to thresholds (constants of the
 *    program and their neighbours), which keeps `i < 16` at 16. The inductive state is not
 *    trusted for how it was found: a last turn, the only one whose findings count, checks it.
 *
 * Findings of turns that search (not `final`) are dropped, and a wrong access there just ends
 * its way. Everything is paid in steps: one per instruction visited and per few slots joined;
 * VM_VERIFY_MAX_STEPS of them refuse the program.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "vm/vm_check.h"

enum {
	UNROLL_OPEN = 70,        /* turns of a loop whose end depends on data: the bits of a word, */
	UNROLL_OPEN_OUTER = 2,   /* when there are loops inside, */
	UNROLL_OPEN_QUIET = 1,   /* and while an outer loop is searching */
	UNROLL_STEPS = 200000,   /* for turn-by-turn analysis, all loops of a function together */
	WIDEN_BY_THRESHOLD = 32, /* widenings that stop at thresholds; the later ones go to the end */
	NARROW_ROUNDS = 2,
	SLOTS_PER_STEP = 32,
};

/* ---- refusals --------------------------------------------------------------------------------- */

static int refuse(struct vm_check *c, uint32_t insn, const char *fmt, va_list ap)
{
	const struct flat_origin *o = &c->code->flat.origin[insn];
	char where[256];

	return nf_error_vset(c->err, NF_INVALID_ARGUMENT,
			     program_where(c->program, o->func, o->insn, where, sizeof(where)), fmt,
			     ap);
}

int vm_check_refuse_at(struct vm_check *c, uint32_t insn, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = refuse(c, insn, fmt, ap);
	va_end(ap);
	return rc;
}

int vm_check_refuse(struct vm_check *c, const char *fmt, ...)
{
	va_list ap;
	int rc;

	if (!c->final)
		return CHECK_ENDS;
	va_start(ap, fmt);
	rc = refuse(c, c->insn, fmt, ap);
	va_end(ap);
	return rc;
}

int vm_check_no_memory(struct vm_check *c)
{
	if (c->states.live_bytes > VM_VERIFY_MAX_BYTES / 2)
		return vm_check_refuse_at(c, c->insn, "too complex to verify: its states need more "
						      "than %d MiB",
					  VM_VERIFY_MAX_BYTES >> 20);
	return nf_error_set(c->err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory"), -ENOMEM;
}

static int count_steps(struct vm_check *c, uint64_t n)
{
	c->steps += n;
	if (c->steps <= VM_VERIFY_MAX_STEPS)
		return 0;
	return vm_check_refuse_at(c, c->insn, "too complex to verify: more than %d steps; use fewer "
					      "nested loops or fewer instructions in them",
				  VM_VERIFY_MAX_STEPS);
}

/* ---- one block -------------------------------------------------------------------------------- */

/* Hand a state to a block; takes ownership. */
static int deliver(struct vm_check *c, uint32_t from, uint32_t to, struct vm_state *s)
{
	const struct vm_block *source = &c->cfg.blocks[from], *target = &c->cfg.blocks[to];
	struct vm_state **slot;
	int rc;

	for (uint32_t loop = source->loop;
	     loop != VM_CFG_NONE && !vm_cfg_loop_holds(&c->cfg, loop, target->place);
	     loop = c->cfg.order[loop].outer)
		c->left[loop] = true;
	if (target->place < c->fence_start || target->place >= c->fence_end) {
		vm_state_free(&c->states, s);
		return 0;
	}
	slot = target->loop == target->place &&
			       vm_cfg_loop_holds(&c->cfg, target->place, source->place) ?
		       &c->back[to] :
		       &c->in[to];
	if (!*slot) {
		*slot = s;
		return 0;
	}
	rc = count_steps(c, 1 + vm_state_slots(s) / SLOTS_PER_STEP);
	if (!rc && vm_state_join(&c->states, *slot, s))
		rc = vm_check_no_memory(c);
	vm_state_free(&c->states, s);
	return rc;
}

/* Does a loop around the block (or headed by it) have a second way in? */
static bool keeps_state(const struct vm_check *c, uint32_t block)
{
	uint32_t loop = c->cfg.blocks[block].loop;

	for (; loop != VM_CFG_NONE; loop = c->cfg.order[loop].outer)
		if (c->cfg.order[loop].irreducible)
			return true;
	return false;
}

/*
 * What came to the block. In irreducible loops it stays there, because states that came in past
 * the head do not come again in each turn. NULL with *rc 0: nothing came.
 */
static struct vm_state *take_state(struct vm_check *c, uint32_t block, int *rc)
{
	struct vm_state *s = c->in[block];

	*rc = 0;
	if (!s)
		return NULL;
	if (!keeps_state(c, block)) {
		c->in[block] = NULL;
		return s;
	}
	s = vm_state_copy(&c->states, s);
	if (!s)
		*rc = vm_check_no_memory(c);
	return s;
}

/* Run one block on s (takes ownership) and hand on what comes out. */
static int check_block(struct vm_check *c, uint32_t block, struct vm_state *s)
{
	const struct vm_block *b = &c->cfg.blocks[block];
	struct vm_jump_ways ways = { .next = true, .taken = b->next == VM_CFG_NONE };
	int rc = CHECK_GOES_ON;

	for (uint32_t at = b->first; at < b->end && rc == CHECK_GOES_ON; at += c->cfg.ops[at].slots) {
		const struct vm_op *op = &c->cfg.ops[at];

		c->insn = at;
		rc = count_steps(c, 1);
		if (rc)
			break;
		if (c->final) {
			c->code->info[at].reachable = true;
			if (c->believe)
				c->believe(c->believe_arg, c->kind, at, s);
		}
		rc = vm_op_is_conditional(op) ? vm_check_jump(c, s, op, &ways) :
						vm_check_insn(c, s, op);
	}
	if (rc < 0 || rc == CHECK_ENDS) {
		vm_state_free(&c->states, s);
		return rc < 0 ? rc : 0;
	}
	rc = 0;
	if (ways.taken_state) {
		/* The first store on either way copies the stack. */
		rc = count_steps(c, vm_state_slots(s) / SLOTS_PER_STEP);
		if (rc)
			vm_state_free(&c->states, ways.taken_state);
		else
			rc = deliver(c, block, b->taken, ways.taken_state);
		if (rc) {
			vm_state_free(&c->states, s);
			return rc;
		}
		ways.taken = false;
	}
	return deliver(c, block, ways.taken ? b->taken : b->next, s);
}

/* ---- loops ------------------------------------------------------------------------------------ */

static int check_loop(struct vm_check *c, uint32_t place);

static int check_places(struct vm_check *c, uint32_t start, uint32_t end)
{
	int rc = 0;

	for (uint32_t place = start; place < end && !rc;) {
		uint32_t block = c->cfg.order[place].block;
		struct vm_state *s;

		if (c->cfg.order[place].loop_end) {
			rc = check_loop(c, place);
			place = c->cfg.order[place].loop_end;
			continue;
		}
		s = take_state(c, block, &rc);
		if (s)
			rc = check_block(c, block, s);
		place++;
	}
	return rc;
}

/* One turn from the head's state (may be NULL: the loop is entered elsewhere). *ret_back is what
 * comes back to the head, NULL when nothing does. */
static int check_turn(struct vm_check *c, uint32_t place, const struct vm_state *head,
		      struct vm_state **ret_back)
{
	uint32_t block = c->cfg.order[place].block;
	struct vm_state *s;
	int rc = 0;

	*ret_back = NULL;
	if (head) {
		rc = count_steps(c, 1 + vm_state_slots(head) / SLOTS_PER_STEP);
		if (rc)
			return rc;
		s = vm_state_copy(&c->states, head);
		rc = s ? check_block(c, block, s) : vm_check_no_memory(c);
	}
	if (!rc)
		rc = check_places(c, place + 1, c->cfg.order[place].loop_end);
	*ret_back = c->back[block];
	c->back[block] = NULL;
	if (rc) {
		vm_state_free(&c->states, *ret_back);
		*ret_back = NULL;
	}
	return rc;
}

/* The same, unseen: nothing is collected or refused, and no state leaves the loop. */
static int check_turn_quietly(struct vm_check *c, uint32_t place, const struct vm_state *head,
			      struct vm_state **ret_back)
{
	bool final = c->final;
	uint32_t fence_start = c->fence_start, fence_end = c->fence_end;
	int rc;

	c->final = false;
	c->fence_start = place;
	c->fence_end = c->cfg.order[place].loop_end;
	rc = check_turn(c, place, head, ret_back);
	c->final = final;
	c->fence_start = fence_start;
	c->fence_end = fence_end;
	return rc;
}

static void replace(struct vm_check *c, struct vm_state **s, struct vm_state *with)
{
	vm_state_free(&c->states, *s);
	*s = with;
}

static bool has_inner_loop(const struct vm_check *c, uint32_t place)
{
	for (uint32_t at = place + 1; at < c->cfg.order[place].loop_end; at++)
		if (c->cfg.order[at].loop_end)
			return true;
	return false;
}

/* Turn by turn from *head. Returns 1 when the loop is done with, 0 with *head = the state that the
 * turns not looked at begin with. */
static int unroll(struct vm_check *c, uint32_t place, struct vm_state **head)
{
	unsigned open = 0, most = UNROLL_OPEN;

	if (!c->final)
		most = UNROLL_OPEN_QUIET;
	else if (has_inner_loop(c, place))
		most = UNROLL_OPEN_OUTER;
	while (open < most && c->unroll_steps < UNROLL_STEPS) {
		uint64_t steps = c->steps, unroll_steps = c->unroll_steps;
		struct vm_state *back;
		bool within;
		int rc;

		c->left[place] = false;
		rc = check_turn(c, place, *head, &back);
		if (rc)
			return rc;
		/* Inner loops have counted theirs, which is a part of this turn's. */
		c->unroll_steps = unroll_steps + c->steps - steps;
		open += c->left[place];
		within = !back || vm_state_within(back, *head);
		replace(c, head, back);
		if (within)
			return 1;
	}
	return 0;
}

static int compare_thresholds(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * Where widening may stop in this loop: the constants that its jumps compare with and the sizes of
 * the regions, with the neighbours of each. Constants elsewhere in the program would only cost
 * rounds. *ret is the caller's to free.
 */
static int collect_thresholds(struct vm_check *c, uint32_t place, int64_t **ret, uint32_t *ret_n)
{
	size_t n = 0, unique = 0, max = 1 + VM_REGIONS;
	uint32_t end = c->cfg.order[place].loop_end;
	int64_t *t;

	t = calloc(3 * (max + end - place), sizeof(*t)); /* a block has one jump at most */
	if (!t)
		return vm_check_no_memory(c);
	for (uint32_t at = place; at < end; at++) {
		const struct vm_block *b = &c->cfg.blocks[c->cfg.order[at].block];
		const struct vm_op *op = &c->cfg.ops[b->end - 1];

		if (b->next != VM_CFG_NONE && b->taken != VM_CFG_NONE && op->use_imm)
			t[n++] = op->imm; /* of a jump: has 32 bits */
	}
	for (unsigned region = VM_REGION_RECORD; region < VM_REGIONS; region++)
		t[n++] = (int64_t)vm_check_region_max(c, region);
	t[n++] = 0;
	for (size_t i = 0, known = n; i < known; i++) {
		t[n++] = t[i] - 1;
		t[n++] = t[i] + 1;
	}
	qsort(t, n, sizeof(*t), compare_thresholds);
	for (size_t i = 0; i < n; i++)
		if (!unique || t[unique - 1] != t[i])
			t[unique++] = t[i];
	*ret = t;
	*ret_n = (uint32_t)unique;
	return 0;
}

/* Forget where the searches of the loops inside ended. */
static void forget_inner(struct vm_check *c, uint32_t place)
{
	for (uint32_t at = place + 1; at < c->cfg.order[place].loop_end; at++)
		replace(c, &c->memo[at], NULL);
}

/* *head = a state that holds itself and all that comes back to it; a guess until it is checked. The
 * loops inside see growing states, so that each search may go on where the one before ended. */
static int widen(struct vm_check *c, uint32_t place, struct vm_state **head, unsigned *rounds)
{
	uint32_t n_thresholds = c->states.n_thresholds;
	bool within = false;
	int rc = 0;

	forget_inner(c, place);
	while (!rc && !within) {
		struct vm_state *back;

		rc = check_turn_quietly(c, place, *head, &back);
		if (rc || !back)
			break;
		within = *head && vm_state_within(back, *head);
		if (!*head) {
			*head = back;
			continue;
		}
		if (++*rounds > WIDEN_BY_THRESHOLD)
			c->states.n_thresholds = 0;
		if (!within && vm_state_widen(&c->states, *head, back))
			rc = vm_check_no_memory(c);
		c->states.n_thresholds = n_thresholds;
		vm_state_free(&c->states, back);
	}
	return rc;
}

/* Give back what widening took too much of: *head = entry or what comes back, while that is less. */
static int narrow(struct vm_check *c, uint32_t place, const struct vm_state *entry,
		  struct vm_state **head)
{
	for (unsigned round = 0; round < NARROW_ROUNDS; round++) {
		struct vm_state *next, *back;
		int rc;

		forget_inner(c, place);
		rc = check_turn_quietly(c, place, *head, &back);

		if (rc)
			return rc;
		next = vm_state_copy(&c->states, entry);
		if (!next || (back && vm_state_join(&c->states, next, back)))
			rc = vm_check_no_memory(c);
		vm_state_free(&c->states, back);
		if (rc || !vm_state_within(next, *head) || vm_state_within(*head, next)) {
			vm_state_free(&c->states, next);
			return rc;
		}
		replace(c, head, next);
	}
	return 0;
}

/* Widen, narrow, check; again when the check fails. */
static int induce(struct vm_check *c, uint32_t place, const struct vm_state *entry,
		  struct vm_state **head)
{
	struct vm_state *back = NULL;
	unsigned rounds = 0;
	bool within = false, goes_on = !c->final && c->memo[place] && *head;
	int rc = 0;

	if (goes_on && vm_state_join(&c->states, *head, c->memo[place]))
		return vm_check_no_memory(c);
	while (!rc && !within) {
		bool first = !rounds && !goes_on;

		rc = widen(c, place, head, &rounds);
		if (!rc && first && entry && !c->cfg.order[place].irreducible)
			rc = narrow(c, place, entry, head);
		if (!rc)
			rc = check_turn(c, place, *head, &back);
		if (rc)
			break;
		within = !back || (*head && vm_state_within(back, *head));
		rounds++;
		if (!within && *head)
			rc = vm_state_widen(&c->states, *head, back) ? vm_check_no_memory(c) : 0;
		else if (!within)
			*head = TAKE_PTR(back);
		vm_state_free(&c->states, back);
	}
	if (!rc && !c->final && *head) {
		replace(c, &c->memo[place], vm_state_copy(&c->states, *head));
		rc = c->memo[place] ? 0 : vm_check_no_memory(c);
	}
	return rc;
}

/* Close the loop by induction, from *head on. */
static int close_loop(struct vm_check *c, uint32_t place, struct vm_state **head)
{
	const int64_t *outer = c->states.thresholds;
	uint32_t n_outer = c->states.n_thresholds, n = 0;
	AUTO_FREE int64_t *thresholds = NULL;
	struct vm_state *entry = NULL;
	int rc = collect_thresholds(c, place, &thresholds, &n);

	if (rc)
		return rc;
	if (*head) {
		entry = vm_state_copy(&c->states, *head);
		if (!entry)
			return vm_check_no_memory(c);
	}
	c->states.thresholds = thresholds;
	c->states.n_thresholds = n;
	rc = induce(c, place, entry, head);
	c->states.thresholds = outer;
	c->states.n_thresholds = n_outer;
	vm_state_free(&c->states, entry);
	return rc;
}

static int check_loop(struct vm_check *c, uint32_t place)
{
	int rc;
	struct vm_state *head = take_state(c, c->cfg.order[place].block, &rc);

	if (rc || (!head && !c->cfg.order[place].irreducible))
		return rc;
	if (!keeps_state(c, c->cfg.order[place].block))
		rc = unroll(c, place, &head);
	if (!rc)
		rc = close_loop(c, place, &head);
	vm_state_free(&c->states, head);
	return rc < 0 ? rc : 0;
}

/* ---- one function ----------------------------------------------------------------------------- */

static struct vm_state *entry_state(struct vm_check *c)
{
	struct vm_state *s = vm_state_new(&c->states);
	struct vm_value record = vm_value_pointer(VM_REGION_RECORD, 0);
	struct vm_value params = vm_value_pointer(VM_REGION_PARAMS, 0);
	struct vm_value len = vm_value_scalar(
		vm_range_unsigned(c->bounds->record_min_bytes, c->bounds->record_max_bytes));

	if (!s)
		return NULL;
	s->reg[10] = vm_value_pointer(VM_REGION_STACK, 0);
	switch (c->kind) {
	case PROGRAM_FILTER:
	case PROGRAM_KEY:
		s->reg[1] = record;
		s->reg[2] = len;
		s->reg[3] = params;
		if (c->kind == PROGRAM_KEY)
			s->reg[4] = vm_value_pointer(VM_REGION_KEY, 0);
		break;
	case PROGRAM_REDUCE:
		s->reg[1] = vm_value_pointer(VM_REGION_STATE, 0);
		s->reg[2] = record;
		s->reg[3] = len;
		s->reg[4] = params;
		break;
	case PROGRAM_COMBINE:
		s->reg[1] = vm_value_pointer(VM_REGION_STATE, 0);
		s->reg[2] = vm_value_pointer(VM_REGION_FROM, 0);
		break;
	case PROGRAM_SUB:
		break;
	}
	return s;
}

/* What the code itself shows: blocks and jumps. Also where each access's site is. */
static int describe_code(struct vm_check *c)
{
	uint32_t n_sites = 0;

	for (uint32_t at = 0; at < c->cfg.n_insns; at++) {
		const struct vm_op *op = &c->cfg.ops[at];
		struct vm_insn *info = &c->code->info[at];

		info->jump_target = c->cfg.blocks[c->cfg.block_of[at]].first == at;
		if (!op->slots)
			continue;
		if (vm_cfg_is_back_jump(op)) {
			info->back_edge = true;
			info->charge = (uint32_t)(at - vm_isa_jump_target(op, at) + 1);
		}
		c->site_of[at] = n_sites;
		n_sites += op->kind == VM_KIND_CALL ? 5 : vm_op_is_access(op);
	}
	c->sites = calloc(n_sites + 1, sizeof(*c->sites));
	return c->sites ? 0 : vm_check_no_memory(c);
}

static void check_done(struct vm_check *c)
{
	for (uint32_t b = 0; b < c->cfg.n_blocks; b++) {
		if (c->in)
			vm_state_free(&c->states, c->in[b]);
		if (c->back)
			vm_state_free(&c->states, c->back[b]);
	}
	free(c->in);
	free(c->back);
	for (uint32_t place = 0; c->memo && place < c->cfg.n_order; place++)
		vm_state_free(&c->states, c->memo[place]);
	free(c->memo);
	free(c->left);
	free(c->sites);
	free(c->site_of);
	vm_cfg_done(&c->cfg);
}

static int check_function(struct vm_check *c)
{
	struct flat_code *flat = &c->code->flat;
	const char *reason = NULL;
	uint32_t bad = 0;
	int rc = vm_cfg_init(&c->cfg, flat->insns, flat->n_insns, &bad, &reason);

	if (rc && reason)
		return vm_check_refuse_at(c, bad, "%s", reason);
	if (rc)
		return vm_check_no_memory(c);
	c->code->info = calloc(flat->n_insns, sizeof(*c->code->info));
	c->site_of = calloc(flat->n_insns, sizeof(*c->site_of));
	c->in = calloc(c->cfg.n_blocks, sizeof(*c->in));
	c->back = calloc(c->cfg.n_blocks, sizeof(*c->back));
	c->left = calloc(c->cfg.n_order, sizeof(*c->left));
	c->memo = calloc(c->cfg.n_order, sizeof(*c->memo));
	if (!c->code->info || !c->site_of || !c->in || !c->back || !c->left || !c->memo)
		return vm_check_no_memory(c);
	rc = describe_code(c);
	if (rc)
		return rc;
	c->fence_end = c->cfg.n_order;
	c->final = true;
	c->in[0] = entry_state(c);
	if (!c->in[0])
		return vm_check_no_memory(c);
	rc = check_places(c, 0, c->cfg.n_order);
	if (!rc)
		rc = vm_check_verdicts(c);
	return rc;
}

/* ---- the whole program ------------------------------------------------------------------------ */

struct shared_program {
	struct vm_program vp; /* first: the public part */
	atomic_uint refs;
};

static void note_record_bytes(struct vm_program *vp, const struct vm_site *site)
{
	uint32_t start = 0, end = vp->bounds.record_max_bytes;

	if (!site->guarded) {
		start = (uint32_t)site->offset_min;
		end = (uint32_t)(site->offset_max + (int64_t)site->size_max);
	}
	if (end <= start)
		return;
	if (!vp->record_read_end || start < vp->record_read_start)
		vp->record_read_start = start;
	if (end > vp->record_read_end)
		vp->record_read_end = end;
}

/* Sum up one function into the program. */
static void summarize(struct vm_program *vp, const struct vm_check *c)
{
	struct vm_code *code = c->code;

	for (uint32_t at = 0; at < c->cfg.n_insns; at++) {
		const struct vm_op *op = &c->cfg.ops[at];
		const struct vm_insn *info = &code->info[at];
		unsigned n = op->kind == VM_KIND_CALL ? 5 : vm_op_is_access(op);

		if (!info->reachable)
			continue;
		code->has_loop |= info->back_edge;
		code->has_guard |= info->verdict == VM_GUARDED;
		code->calls_helper |= op->kind == VM_KIND_CALL;
		vp->n_proven += info->verdict == VM_PROVEN;
		vp->n_guarded += info->verdict == VM_GUARDED;
		for (unsigned i = 0; i < n; i++)
			if (c->sites[c->site_of[at] + i].region == VM_REGION_RECORD)
				note_record_bytes(vp, &c->sites[c->site_of[at] + i]);
	}
	vp->helpers |= c->helpers;
	vp->verify_steps = c->steps;
}

struct vm_bounds vm_bounds_of(const struct program *p)
{
	if (p->record_bytes)
		return (struct vm_bounds){ p->record_bytes, p->record_bytes };
	return (struct vm_bounds){ 0, PROGRAM_MAX_RECORD_BYTES };
}

static int check_bounds(const struct program *p, const struct vm_bounds *bounds,
			struct nf_error *err)
{
	if (bounds->record_min_bytes > bounds->record_max_bytes ||
	    bounds->record_max_bytes > PROGRAM_MAX_RECORD_BYTES)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "record bounds",
				    "records of %u to %u bytes; the most is %d",
				    bounds->record_min_bytes, bounds->record_max_bytes,
				    PROGRAM_MAX_RECORD_BYTES);
	if (p->record_bytes && (bounds->record_min_bytes != p->record_bytes ||
				bounds->record_max_bytes != p->record_bytes))
		return nf_error_set(err, NF_INVALID_ARGUMENT, "record bounds",
				    "the program wants records of %u bytes, the data set has %u to %u; "
				    "use a data set of format fixed:%u",
				    p->record_bytes, bounds->record_min_bytes,
				    bounds->record_max_bytes, p->record_bytes);
	return 0;
}

int vm_verify(struct program *p, const struct vm_bounds *bounds, struct vm_program **ret,
	      struct nf_error *err)
{
	return vm_verify_beliefs(p, bounds, NULL, NULL, ret, err);
}

int vm_verify_beliefs(struct program *p, const struct vm_bounds *bounds, vm_believe_fn fn,
		      void *arg, struct vm_program **ret, struct nf_error *err)
{
	struct shared_program *shared;
	struct vm_program *vp;
	int rc = check_bounds(p, bounds, err);

	if (rc)
		return rc;
	shared = calloc(1, sizeof(*shared));
	if (!shared)
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory"), -ENOMEM;
	atomic_init(&shared->refs, 1);
	vp = &shared->vp;
	vp->program = program_ref(p);
	vp->bounds = *bounds;
	for (unsigned kind = 0; kind < PROGRAM_ENTRIES; kind++) {
		struct vm_check c = {
			.program = p,
			.bounds = bounds,
			.kind = kind,
			.code = &vp->code[kind],
			.believe = fn,
			.believe_arg = arg,
			.err = err,
			.steps = vp->verify_steps,
		};

		rc = program_flatten(p, kind, &vp->code[kind].flat, err);
		if (rc == -ENOENT)
			continue;
		if (!rc)
			rc = check_function(&c);
		if (!rc)
			summarize(vp, &c);
		check_done(&c);
		if (rc) {
			vm_program_unref(vp);
			return rc;
		}
	}
	*ret = vp;
	return 0;
}

struct vm_program *vm_program_ref(struct vm_program *vp)
{
	atomic_fetch_add_explicit(&((struct shared_program *)vp)->refs, 1, memory_order_relaxed);
	return vp;
}

void vm_program_unref(struct vm_program *vp)
{
	struct shared_program *shared = (struct shared_program *)vp;

	if (!vp || atomic_fetch_sub_explicit(&shared->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (unsigned kind = 0; kind < PROGRAM_ENTRIES; kind++) {
		flat_code_done(&vp->code[kind].flat);
		free(vp->code[kind].info);
	}
	program_unref((struct program *)vp->program);
	free(shared);
}
