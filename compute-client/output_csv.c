/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * output_csv.c - RFC 4180 with a header line, except that lines end as this system's do (LF). A
 * null is an empty field.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compute-client/output.h"

static void put_field(FILE *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

int output_csv(const struct output_rows *rows, FILE *out)
{
	struct output_cell cell = {0};

	for (unsigned c = 0; c < rows->n_columns; c++) {
		if (c)
			fputc(',', out);
		put_field(out, rows->columns[c].name);
	}
	fputc('\n', out);
	for (uint64_t r = 0; r < rows->n_rows; r++) {
		for (unsigned c = 0; c < rows->n_columns; c++) {
			const char *text = output_cell_get(&cell, rows, r, c);

			if (!text) {
				free(cell.text);
				return -ENOMEM;
			}
			if (c)
				fputc(',', out);
			if (rows->columns[c].kind != OUTPUT_DECIMAL || strcmp(text, "null") != 0)
				put_field(out, text);
		}
		fputc('\n', out);
	}
	free(cell.text);
	return 0;
}
