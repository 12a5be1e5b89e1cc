/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* output_grid.h - a small table in memory, filled row by row: for lists of data sets and the like.
 */
#ifndef NF_CLIENT_OUTPUT_GRID_H
#define NF_CLIENT_OUTPUT_GRID_H

#include <stdbool.h>

#include "compute-client/output.h"

struct output_grid {
	const struct output_column *columns; /* borrowed */
	unsigned n_columns;
	char **cells; /* row by row */
	size_t n_cells;
	bool no_memory; /* an addition failed; output_grid_write() says so */
};

/* The next cell, rows from left to right. */
void output_grid_text(struct output_grid *g, const char *text);
void output_grid_unsigned(struct output_grid *g, uint64_t v);
/* Like output_write(). */
int output_grid_write(const struct output_grid *g, enum nearfold_output form, FILE *out);
void output_grid_done(struct output_grid *g);

#endif
