/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sql_layout.h - where keys and aggregates are; between sql_code.c and sql_layout.c. */
#ifndef NF_SQL_LAYOUT_H
#define NF_SQL_LAYOUT_H

#include "sql/sql_gen.h"

/* Does it need a count of its own: may a record not count for it? */
bool sql_aggregate_counts(const struct sql_aggregate *a);
/* 0, or g->error. Without GROUP BY key_bytes is 0. */
int sql_layout_make(struct sql_gen *g, struct sql_layout *ret, uint32_t *ret_key_bytes,
		    uint32_t *ret_state_bytes);

#endif
