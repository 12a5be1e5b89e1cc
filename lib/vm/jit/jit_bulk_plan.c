/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "jit_bulk_plan.h"

#include <errno.h>
#include <stdlib.h>

/* With so much to do for records that match, a branch that goes wrong now and then costs less, at
 * any share of them. */
enum { HEAVY_COST = 40 };

static uint32_t operand(const struct bf_node *n, unsigned i)
{
	return i == 0 ? n->a : i == 1 ? n->b : n->c;
}

static void need(bool *set, uint32_t root)
{
	if (root != BF_NONE)
		set[root] = true;
}

/* And what those need. */
static void close_set(const struct vm_branchfree *bf, bool *set)
{
	for (uint32_t i = bf->n_nodes; i-- > 0;)
		for (unsigned k = 0; set[i] && k < 3; k++)
			need(set, operand(&bf->nodes[i], k));
}

/* Does the filter keep every record that fails? */
static bool only_matches_fail(const struct vm_branchfree *bf)
{
	const struct bf_node *n;

	if (bf->reduce_fails == BF_NONE)
		return true;
	n = &bf->nodes[bf->reduce_fails];
	return n->op == BF_BOTH && (n->a == bf->match || n->b == bf->match);
}

/* About how many instructions a vector. Division has none, and goes lane by lane. */
static unsigned cost_of(enum bf_op op)
{
	switch (op) {
	case BF_UDIV:
	case BF_SDIV:
	case BF_UMOD:
	case BF_SMOD:
		return 16;
	case BF_MUL:
	case BF_MULOVER:
	case BF_CALL:
		return 4;
	default:
		return 1;
	}
}

/* Which nodes are used, when, and which of them differ from record to record. */
static void mark(struct bulk_plan *plan, const struct vm_branchfree *bf)
{
	unsigned late = 0;

	need(plan->needed, bf->match);
	need(plan->needed, bf->reduce_fails);
	for (uint32_t c = 0; c < bf->n_cells; c++) {
		if (bf->cells[c].merge == BF_MERGE_NONE)
			continue;
		late++;
		need(plan->needed, bf->cells[c].operand);
		need(plan->needed, bf->cells[c].high);
		need(plan->needed, bf->cells[c].when);
	}
	close_set(bf, plan->needed);
	need(plan->early, bf->match);
	plan->only_matches_fail = only_matches_fail(bf);
	if (!plan->only_matches_fail)
		need(plan->early, bf->reduce_fails);
	close_set(bf, plan->early);
	for (uint32_t i = 0; i < bf->n_nodes; i++) {
		const struct bf_node *n = &bf->nodes[i];

		plan->n_needed += plan->needed[i];
		plan->varies[i] =
			n->op == BF_LEN || (n->op == BF_LOAD && n->region == VM_REGION_RECORD);
		for (unsigned k = 0; k < 3; k++)
			if (operand(n, k) != BF_NONE)
				plan->varies[i] |= plan->varies[operand(n, k)];
		if (plan->needed[i] && plan->varies[i] && !plan->early[i])
			late += cost_of((enum bf_op)n->op);
	}
	plan->heavy = bf->match != BF_NONE && late >= HEAVY_COST;
}

int bulk_plan_init(struct bulk_plan *plan, const struct vm_branchfree *bf)
{
	*plan = (struct bulk_plan){
		.varies = calloc(bf->n_nodes, sizeof(bool)),
		.needed = calloc(bf->n_nodes, sizeof(bool)),
		.early = calloc(bf->n_nodes, sizeof(bool)),
		.counter = vm_branchfree_counter(bf),
	};
	if (!plan->varies || !plan->needed || !plan->early)
		return -ENOMEM;
	mark(plan, bf);
	return 0;
}

void bulk_plan_done(struct bulk_plan *plan)
{
	free(plan->varies);
	free(plan->needed);
	free(plan->early);
}
