/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * output_table.c - columns aligned for reading: numbers to the right, text to the left.
 *
 *	count    sum  average
 *	-----  -----  -------
 *	   12   1234   102.83
 *
 * One row too wide for that stands on its side, a line per column: "name  value".
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/output.h"
#include "compute-client/utf8.h"

enum { WIDEST_ROW = 100, GAP = 2 };

static void pad(FILE *out, size_t n)
{
	fprintf(out, "%*s", (int)n, "");
}

static void put_cell(FILE *out, const char *text, size_t width, bool right, bool last)
{
	size_t taken = utf8_put_printable(NULL, text), room = width > taken ? width - taken : 0;

	if (right)
		pad(out, room);
	utf8_put_printable(out, text);
	if (!right && !last)
		pad(out, room);
	if (!last)
		pad(out, GAP);
}

static bool is_number(enum output_kind kind)
{
	return kind == OUTPUT_INTEGER || kind == OUTPUT_DECIMAL || kind == OUTPUT_FLOAT;
}

static int put_sideways(const struct output_rows *rows, struct output_cell *cell, FILE *out)
{
	size_t width = 0;

	for (unsigned c = 0; c < rows->n_columns; c++) {
		size_t w = utf8_put_printable(NULL, rows->columns[c].name);

		width = w > width ? w : width;
	}
	for (unsigned c = 0; c < rows->n_columns; c++) {
		const char *text = output_cell_get(cell, rows, 0, c);

		if (!text)
			return -ENOMEM;
		put_cell(out, rows->columns[c].name, width, false, false);
		put_cell(out, text, 0, false, true);
		fputc('\n', out);
	}
	return 0;
}

static int measure(const struct output_rows *rows, struct output_cell *cell, size_t *width)
{
	for (unsigned c = 0; c < rows->n_columns; c++)
		width[c] = utf8_put_printable(NULL, rows->columns[c].name);
	for (uint64_t r = 0; r < rows->n_rows; r++) {
		for (unsigned c = 0; c < rows->n_columns; c++) {
			const char *text = output_cell_get(cell, rows, r, c);

			if (!text)
				return -ENOMEM;
			size_t w = utf8_put_printable(NULL, text);

			width[c] = w > width[c] ? w : width[c];
		}
	}
	return 0;
}

static int put_upright(const struct output_rows *rows, struct output_cell *cell,
		       const size_t *width, FILE *out)
{
	for (unsigned c = 0; c < rows->n_columns; c++)
		put_cell(out, rows->columns[c].name, width[c], is_number(rows->columns[c].kind),
			 c + 1 == rows->n_columns);
	fputc('\n', out);
	for (unsigned c = 0; c < rows->n_columns; c++) {
		for (size_t i = 0; i < width[c]; i++)
			fputc('-', out);
		if (c + 1 < rows->n_columns)
			pad(out, GAP);
	}
	fputc('\n', out);
	for (uint64_t r = 0; r < rows->n_rows; r++) {
		for (unsigned c = 0; c < rows->n_columns; c++) {
			const char *text = output_cell_get(cell, rows, r, c);

			if (!text)
				return -ENOMEM;
			put_cell(out, text, width[c], is_number(rows->columns[c].kind),
				 c + 1 == rows->n_columns);
		}
		fputc('\n', out);
	}
	return 0;
}

int output_table(const struct output_rows *rows, FILE *out)
{
	AUTO_FREE size_t *width = calloc(rows->n_columns + 1, sizeof(*width));
	struct output_cell cell = {0};
	size_t total = 0;
	int ret;

	if (!width)
		return -ENOMEM;
	ret = measure(rows, &cell, width);
	for (unsigned c = 0; c < rows->n_columns; c++)
		total += width[c] + GAP;
	if (ret == 0) {
		if (rows->n_rows == 1 && total > WIDEST_ROW + GAP)
			ret = put_sideways(rows, &cell, out);
		else
			ret = put_upright(rows, &cell, width, out);
	}
	free(cell.text);
	return ret;
}
