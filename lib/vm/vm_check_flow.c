/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_check_flow.c - the order of the analysis: blocks, and loops until nothing new comes back.
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
 *    within it, then narrowed again. Widening moves bounds on to thresholds (what the
 *    loop's jumps compare with, and its neighbours), which keeps `i < 16` at 16. The inductive
 * state is not trusted for how it was found: a last turn, the only one whose findings count, checks
 * it.
 *
 * Findings of turns that search (not `final`) are dropped, and a wrong access there just ends
 * its way. Everything is paid in steps: one per instruction visited, per few slots joined and per
 * few places of a loop looked at; VM_VERIFY_MAX_STEPS of them refuse the program.
 */
#include "base/scope.h"
#include "vm/vm_check.h"

enum {
	UNROLL_OPEN = 70,      /* turns of a loop whose end depends on data: the bits of a word */
	UNROLL_OPEN_OUTER = 2, /* the same, of one that has loops inside */
	UNROLL_OPEN_QUIET = 1, /* the same, while a loop around it is searching */
	UNROLL_STEPS = 200000, /* for turn-by-turn analysis, all loops of a function together */
	WIDEN_BY_THRESHOLD =
		32, /* widenings that stop at thresholds; the later ones go to the end */
	NARROW_ROUNDS = 2,
	PLACES_PER_STEP = 32,    /* passed by in a turn, whether a state is there or not */
	THRESHOLDS_PER_STEP = 4, /* sorted */
};

int vm_check_steps(struct vm_check *c, uint64_t n)
{
	c->steps += n;
	if (c->steps <= VM_VERIFY_MAX_STEPS)
		return 0;
	return vm_check_refuse_at(c, c->insn,
				  "too complex to verify: more than %d steps; use fewer "
				  "nested loops or fewer instructions in them",
				  VM_VERIFY_MAX_STEPS);
}

/* ---- one block ------------------------------------------------------------------------------- */

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
			       vm_cfg_loop_holds(&c->cfg, target->place, source->place)
		       ? &c->back[to]
		       : &c->in[to];
	if (!*slot) {
		*slot = s;
		return 0;
	}
	rc = vm_check_steps(c, 1 + vm_state_slots(s) / VM_SLOTS_PER_STEP);
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
	struct vm_jump_ways ways = {.next = true, .taken = b->next == VM_CFG_NONE};
	int rc = CHECK_GOES_ON;

	for (uint32_t at = b->first; at < b->end && rc == CHECK_GOES_ON;
	     at += c->cfg.ops[at].slots) {
		const struct vm_op *op = &c->cfg.ops[at];

		c->insn = at;
		rc = vm_check_steps(c, 1);
		if (rc)
			break;
		if (c->final) {
			c->code->info[at].reachable = true;
			if (c->believe)
				c->believe(c->believe_arg, c->kind, at, s);
		}
		rc = vm_op_is_conditional(op) ? vm_check_jump(c, s, op, &ways)
					      : vm_check_insn(c, s, op);
	}
	if (rc < 0 || rc == CHECK_ENDS) {
		vm_state_free(&c->states, s);
		return rc < 0 ? rc : 0;
	}
	rc = 0;
	if (ways.taken_state) {
		/* The first store on either way copies the stack. */
		rc = vm_check_steps(c, vm_state_slots(s) / VM_SLOTS_PER_STEP);
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

/* ---- loops ----------------------------------------------------------------------------------- */

static int check_loop(struct vm_check *c, uint32_t place);

int vm_check_places(struct vm_check *c, uint32_t start, uint32_t end)
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
	int rc;

	*ret_back = NULL;
	rc = vm_check_steps(c, (c->cfg.order[place].loop_end - place) / PLACES_PER_STEP);
	if (!rc && head)
		rc = vm_check_steps(c, 1 + vm_state_slots(head) / VM_SLOTS_PER_STEP);
	if (rc)
		return rc;
	if (head) {
		s = vm_state_copy(&c->states, head);
		rc = s ? check_block(c, block, s) : vm_check_no_memory(c);
	}
	if (!rc)
		rc = vm_check_places(c, place + 1, c->cfg.order[place].loop_end);
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
	int rc;

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
	rc = vm_check_steps(c, n / THRESHOLDS_PER_STEP);
	if (rc) {
		free(t);
		return rc;
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

/* Give back what widening took too much of: *head = entry or what comes back, while that is less.
 */
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
