/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * output_csv.c - RFC 4180 with a header line, except that lines end as this system's do (LF). A
 * null is an empty field. Texts come from records, byte for byte; but on a terminal what is no
 * UTF-8, and control characters that it would act on, are U+FFFD.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compute-client/output.h"
#include "compute-client/utf8.h"

static bool is_harmful(uint32_t c)
{
	return (c < 0x20 && c != '\t' && c != '\r' && c != '\n') || (c >= 0x7f && c < 0xa0);
}

struct csv {
	FILE *out;
	bool terminal, quote_empty;
};

/* A quote in it is doubled: what has one stands in quotes. */
static void put_text(const struct csv *csv, const char *text)
{
	const char *end = text + strlen(text);

	while (text < end) {
		if (*text == '"')
			fputc('"', csv->out);
		if (csv->terminal) {
			uint32_t c = utf8_next(&text, end);

			utf8_put(csv->out, is_harmful(c) ? 0xfffd : c);
		} else {
			fputc(*text++, csv->out);
		}
	}
}

static void put_field(const struct csv *csv, const char *text)
{
	bool quote = *text ? strpbrk(text, ",\"\r\n") != NULL : csv->quote_empty;

	if (quote)
		fputc('"', csv->out);
	put_text(csv, text);
	if (quote)
		fputc('"', csv->out);
}

int output_csv(const struct output_rows *rows, FILE *out)
{
	const struct csv csv = {
		.out = out, .terminal = isatty(fileno(out)), .quote_empty = rows->quote_empty};
	struct output_cell cell = {0};

	for (unsigned c = 0; c < rows->n_columns; c++) {
		if (c)
			fputc(',', out);
		put_field(&csv, rows->columns[c].name);
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
			if (!cell.null)
				put_field(&csv, text);
		}
		fputc('\n', out);
	}
	free(cell.text);
	return 0;
}
