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

/* A line being written. Spaces wait until something follows them: none stand at a line's end. */
struct line {
	FILE *out;
	size_t spaces;
};

static void put_spaces(struct line *l, size_t n)
{
	l->spaces += n;
}

static void put_text(struct line *l, const char *text)
{
	if (!*text)
		return;
	fprintf(l->out, "%*s", (int)l->spaces, "");
	l->spaces = 0;
	utf8_put_printable(l->out, text);
}

static void end_line(struct line *l)
{
	l->spaces = 0;
	fputc('\n', l->out);
}

static void put_cell(struct line *l, const char *text, size_t width, bool right)
{
	size_t taken = utf8_put_printable(NULL, text), room = width > taken ? width - taken : 0;

	if (right)
		put_spaces(l, room);
	put_text(l, text);
	if (!right)
		put_spaces(l, room);
	put_spaces(l, GAP);
}

static bool is_number(enum output_kind kind)
{
	return kind == OUTPUT_INTEGER || kind == OUTPUT_DECIMAL || kind == OUTPUT_FLOAT;
}

static int put_sideways(const struct output_rows *rows, struct output_cell *cell, FILE *out)
{
	struct line line = {.out = out};
	size_t width = 0;

	for (unsigned c = 0; c < rows->n_columns; c++) {
		size_t w = utf8_put_printable(NULL, rows->columns[c].name);

		width = w > width ? w : width;
	}
	for (unsigned c = 0; c < rows->n_columns; c++) {
		const char *text = output_cell_get(cell, rows, 0, c);

		if (!text)
			return -ENOMEM;
		put_cell(&line, rows->columns[c].name, width, false);
		put_cell(&line, text, 0, false);
		end_line(&line);
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
	struct line line = {.out = out};

	for (unsigned c = 0; c < rows->n_columns; c++)
		put_cell(&line, rows->columns[c].name, width[c], is_number(rows->columns[c].kind));
	end_line(&line);
	for (unsigned c = 0; c < rows->n_columns; c++) {
		for (size_t i = 0; i < width[c]; i++)
			put_text(&line, "-");
		put_spaces(&line, GAP);
	}
	end_line(&line);
	for (uint64_t r = 0; r < rows->n_rows; r++) {
		for (unsigned c = 0; c < rows->n_columns; c++) {
			const char *text = output_cell_get(cell, rows, r, c);

			if (!text)
				return -ENOMEM;
			put_cell(&line, text, width[c], is_number(rows->columns[c].kind));
		}
		end_line(&line);
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
