/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_cfg.c - basic blocks and their weak topological order.
 *
 * The order comes from strongly connected components, found by Tarjan's algorithm without
 * recursion (code from a stranger may chain thousands of blocks). A component's head is the block
 * by which the search came in; the rest of the component is ordered in the same way without it,
 * which is one level of recursion per nested loop.
 */
#include "vm/vm_cfg.h"

#include <errno.h>
#include <string.h>

#include "base/scope.h"
#include "vm/vm_helper.h"

/* ---- blocks --------------------------------------------------------------------------------- */

static bool falls_through(const struct vm_op *op)
{
	if (op->op == VM_OP_CALL) {
		const struct vm_helper *h = vm_helper_by_number((int32_t)op->imm);

		return !h || h->fn; /* a helper without a function ends the query */
	}
	return vm_op_falls_through(op);
}

static int decode(struct vm_cfg *cfg, const struct bpf_insn *insns, uint32_t *ret_insn,
		  const char **ret_reason)
{
	uint32_t at = 0, last = 0;

	while (at < cfg->n_insns) {
		const char *reason = vm_isa_decode(insns, cfg->n_insns, at, &cfg->ops[at]);

		if (reason) {
			*ret_insn = at;
			*ret_reason = reason;
			return -EINVAL;
		}
		last = at;
		at += cfg->ops[at].slots;
	}
	if (!cfg->n_insns || falls_through(&cfg->ops[last])) {
		*ret_insn = last;
		*ret_reason =
			"the code runs past the function's end; it must end in exit or a jump";
		return -EINVAL;
	}
	return 0;
}

/* leader[i]: instruction i starts a block. */
static int find_leaders(const struct vm_cfg *cfg, bool *leader, uint32_t *ret_insn,
			const char **ret_reason)
{
	leader[0] = true;
	for (uint32_t at = 0; at < cfg->n_insns; at += cfg->ops[at].slots) {
		const struct vm_op *op = &cfg->ops[at];
		uint32_t next = at + op->slots;

		if (op->kind == VM_KIND_JUMP) {
			int64_t target = vm_isa_jump_target(op, at);

			if (target < 0 || target >= cfg->n_insns || !cfg->ops[target].slots) {
				*ret_insn = at;
				*ret_reason = "jumps out of the function or into the middle of an "
					      "instruction";
				return -EINVAL;
			}
			leader[target] = true;
		}
		if ((op->kind == VM_KIND_JUMP || !falls_through(op)) && next < cfg->n_insns)
			leader[next] = true;
	}
	return 0;
}

static void make_blocks(struct vm_cfg *cfg, const bool *leader)
{
	for (uint32_t at = 0; at < cfg->n_insns; at++) {
		if (leader[at])
			cfg->blocks[cfg->n_blocks++].first = at;
		cfg->block_of[at] = cfg->n_blocks - 1;
	}
	for (uint32_t b = 0; b < cfg->n_blocks; b++) {
		struct vm_block *block = &cfg->blocks[b];
		uint32_t last;

		block->end = b + 1 < cfg->n_blocks ? cfg->blocks[b + 1].first : cfg->n_insns;
		for (last = block->end - 1; !cfg->ops[last].slots; last--)
			;
		block->next = falls_through(&cfg->ops[last]) ? b + 1 : VM_CFG_NONE;
		block->taken = VM_CFG_NONE;
		if (cfg->ops[last].kind == VM_KIND_JUMP)
			block->taken = cfg->block_of[vm_isa_jump_target(&cfg->ops[last], last)];
		block->place = block->loop = VM_CFG_NONE;
	}
}

/* ---- the order ------------------------------------------------------------------------------ */

/* Per block, for the search of one level. */
struct mark {
	uint32_t scope; /* which level's graph it belongs to now */
	uint32_t index; /* when the search met it, from 1; 0: not yet */
	uint32_t low;
	uint8_t edge; /* next successor to look at */
	bool open;    /* on Tarjan's stack */
};

struct search {
	struct vm_cfg *cfg;
	struct mark *marks;
	uint32_t n_scopes;
};

static uint32_t successor(const struct vm_block *b, unsigned i)
{
	return i ? b->taken : b->next;
}

static bool has_self_edge(const struct vm_cfg *cfg, uint32_t block)
{
	return cfg->blocks[block].next == block || cfg->blocks[block].taken == block;
}

/*
 * Strongly connected components of the blocks of `scope` that can be reached from `from`, appended
 * to found[] one after another, sinks first; the root comes last in each, start[] has where each
 * begins.
 */
static void find_components(struct search *s, uint32_t scope, uint32_t from, uint32_t *found,
			    uint32_t *ret_n_found, uint32_t *start, uint32_t *ret_n_start,
			    uint32_t *path, uint32_t *open, uint32_t *ret_index)
{
	struct mark *marks = s->marks;
	uint32_t n_path = 0, n_open = 0, n_found = *ret_n_found, index = *ret_index;

	if (from == VM_CFG_NONE || marks[from].scope != scope || marks[from].index)
		return;
	path[n_path++] = from;
	while (n_path) {
		uint32_t at = path[n_path - 1], to;
		struct mark *m = &marks[at];

		if (!m->index) {
			m->index = m->low = ++index;
			m->edge = 0;
			m->open = true;
			open[n_open++] = at;
		}
		if (m->edge < 2) {
			to = successor(&s->cfg->blocks[at], m->edge++);
			if (to == VM_CFG_NONE || marks[to].scope != scope)
				continue;
			if (!marks[to].index)
				path[n_path++] = to;
			else if (marks[to].open && marks[to].index < m->low)
				m->low = marks[to].index;
			continue;
		}
		n_path--;
		if (n_path && m->low < marks[path[n_path - 1]].low)
			marks[path[n_path - 1]].low = m->low;
		if (m->low == m->index) {
			start[(*ret_n_start)++] = n_found;
			do {
				to = open[--n_open];
				marks[to].open = false;
				found[n_found++] = to;
			} while (to != at);
		}
	}
	*ret_n_found = n_found;
	*ret_index = index;
}

/* Order the blocks of `scope`, reached from the two given blocks first. */
static int order_scope(struct search *s, uint32_t scope, uint32_t n_blocks, uint32_t from0,
		       uint32_t from1, uint32_t outer, unsigned depth, uint32_t *ret_insn,
		       const char **ret_reason)
{
	struct vm_cfg *cfg = s->cfg;
	AUTO_FREE uint32_t *scratch = calloc(4 * (size_t)n_blocks, sizeof(*scratch));
	uint32_t *found = scratch, *start = scratch + n_blocks;
	uint32_t n_found = 0, n_start = 0, index = 0, end;
	int rc;

	if (!n_blocks)
		return 0;
	if (!scratch)
		return -ENOMEM;
	find_components(s, scope, from1, found, &n_found, start, &n_start, scratch + 2 * n_blocks,
			scratch + 3 * n_blocks, &index);
	find_components(s, scope, from0, found, &n_found, start, &n_start, scratch + 2 * n_blocks,
			scratch + 3 * n_blocks, &index);

	end = n_found;
	while (n_start) {
		uint32_t begin = start[--n_start], head = found[end - 1], inner;
		struct vm_place *place = &cfg->order[cfg->n_order];

		place->block = head;
		cfg->blocks[head].place = cfg->n_order++;
		cfg->blocks[head].loop = outer;
		if (end - begin > 1 || has_self_edge(cfg, head)) {
			if (depth == VM_CFG_MAX_DEPTH) {
				*ret_insn = cfg->blocks[head].first;
				*ret_reason = "loops are nested too deeply (32 is the most)";
				return -EINVAL;
			}
			cfg->blocks[head].loop = cfg->blocks[head].place;
			place->outer = outer;
			inner = ++s->n_scopes;
			for (uint32_t i = begin; i < end - 1; i++)
				s->marks[found[i]] = (struct mark){.scope = inner};
			s->marks[head].scope = 0;
			rc = order_scope(s, inner, end - 1 - begin, cfg->blocks[head].next,
					 cfg->blocks[head].taken, cfg->blocks[head].place,
					 depth + 1, ret_insn, ret_reason);
			if (rc)
				return rc;
			place->loop_end = cfg->n_order;
		}
		end = begin;
	}
	return 0;
}

/* An edge into a component past its head makes it irreducible. */
static void mark_irreducible(struct vm_cfg *cfg)
{
	for (uint32_t place = 0; place < cfg->n_order; place++) {
		const struct vm_block *from = &cfg->blocks[cfg->order[place].block];

		for (unsigned i = 0; i < 2; i++) {
			uint32_t to = successor(from, i), loop;

			if (to == VM_CFG_NONE)
				continue;
			loop = cfg->blocks[to].loop;
			if (loop == cfg->blocks[to].place)
				loop = cfg->order[loop].outer;
			for (; loop != VM_CFG_NONE && !vm_cfg_loop_holds(cfg, loop, place);
			     loop = cfg->order[loop].outer)
				cfg->order[loop].irreducible = true;
		}
	}
}

int vm_cfg_init(struct vm_cfg *cfg, const struct bpf_insn *insns, uint32_t n_insns,
		uint32_t *ret_insn, const char **ret_reason)
{
	AUTO_FREE bool *leader = calloc(n_insns + 1, sizeof(*leader));
	AUTO_FREE struct mark *marks = calloc(n_insns + 1, sizeof(*marks));
	struct search s = {.cfg = cfg, .marks = marks, .n_scopes = 1};
	int rc = -ENOMEM;

	memset(cfg, 0, sizeof(*cfg));
	cfg->n_insns = n_insns;
	cfg->ops = calloc(n_insns + 1, sizeof(*cfg->ops));
	cfg->blocks = calloc(n_insns + 1, sizeof(*cfg->blocks));
	cfg->block_of = calloc(n_insns + 1, sizeof(*cfg->block_of));
	cfg->order = calloc(n_insns + 1, sizeof(*cfg->order));
	if (!leader || !marks || !cfg->ops || !cfg->blocks || !cfg->block_of || !cfg->order)
		goto err;
	rc = decode(cfg, insns, ret_insn, ret_reason);
	if (!rc)
		rc = find_leaders(cfg, leader, ret_insn, ret_reason);
	if (rc)
		goto err;
	make_blocks(cfg, leader);
	for (uint32_t b = 0; b < cfg->n_blocks; b++)
		marks[b].scope = 1;
	rc = order_scope(&s, 1, cfg->n_blocks, 0, VM_CFG_NONE, VM_CFG_NONE, 0, ret_insn,
			 ret_reason);
	if (rc)
		goto err;
	mark_irreducible(cfg);
	return 0;
err:
	vm_cfg_done(cfg);
	return rc;
}

void vm_cfg_done(struct vm_cfg *cfg)
{
	free(cfg->ops);
	free(cfg->blocks);
	free(cfg->block_of);
	free(cfg->order);
	memset(cfg, 0, sizeof(*cfg));
}
