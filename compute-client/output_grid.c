/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/output_grid.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void output_grid_text(struct output_grid *g, const char *text)
{
	char **grown, *copy = strdup(text);

	if (g->n_cells % 64 == 0) {
		grown = realloc(g->cells, (g->n_cells + 64) * sizeof(*grown));
		if (!grown) {
			g->no_memory = true;
			free(copy);
			return;
		}
		g->cells = grown;
	}
	if (!copy) {
		g->no_memory = true;
		return;
	}
	g->cells[g->n_cells++] = copy;
}

void output_grid_unsigned(struct output_grid *g, uint64_t v)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, v);
	output_grid_text(g, digits);
}

static size_t cell(const void *arg, uint64_t row, unsigned column, char *buf, size_t size)
{
	const struct output_grid *g = arg;

	return (size_t)snprintf(buf, size, "%s", g->cells[row * g->n_columns + column]);
}

int output_grid_write(const struct output_grid *g, enum nearfold_output form, FILE *out)
{
	struct output_rows rows = {
		.columns = g->columns,
		.n_columns = g->n_columns,
		.n_rows = g->n_cells / g->n_columns,
		.cell = cell,
		.arg = g,
	};

	return g->no_memory ? -ENOMEM : output_write(&rows, form, out);
}

void output_grid_done(struct output_grid *g)
{
	for (size_t i = 0; i < g->n_cells; i++)
		free(g->cells[i]);
	free(g->cells);
	g->cells = NULL;
	g->n_cells = 0;
}
