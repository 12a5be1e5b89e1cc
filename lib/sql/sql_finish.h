/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_finish.h - states to rows: HAVING, the outputs, DISTINCT, ORDER BY, OFFSET and LIMIT.
 *
 *	sql_finish_begin(plan, layout, &f)
 *	sql_finish_add(f, key, state, &err)	for every group; ungrouped: once, key NULL
 *	sql_finish_end(f, &err)
 *	f->cells[r * plan->n_outputs + c]
 *
 * Without ORDER BY, and among rows that it leaves equal, the rows are in the order in which they
 * came. Threads: one.
 */
#ifndef NF_SQL_FINISH_H
#define NF_SQL_FINISH_H

#include "sql/sql_code.h"

struct sql_finish {
	const struct sql_plan *plan;     /* borrowed */
	const struct sql_layout *layout; /* borrowed */
	struct sql_value *cells;         /* n_rows * n_outputs */
	struct sql_value *sort_keys;     /* n_rows * n_order; NULL at the end */
	uint64_t n_rows, room;
};

void sql_finish_begin(const struct sql_plan *plan, const struct sql_layout *layout,
		      struct sql_finish *ret);
/* OUT_OF_RANGE (division by zero ...), -ENOMEM. */
int sql_finish_add(struct sql_finish *f, const uint8_t *key, const uint8_t *state,
		   struct nf_error *err);
int sql_finish_end(struct sql_finish *f, struct nf_error *err);
void sql_finish_done(struct sql_finish *f); /* takes a zeroed one */

/* Groups come out of a hash table, whose order means nothing: added in this one, their keys' as
 * ORDER BY has it, an answer is the same every time. <0, 0, >0. */
int sql_finish_key_order(const struct sql_plan *plan, const struct sql_layout *layout,
			 const uint8_t *a, const uint8_t *b);

#endif
