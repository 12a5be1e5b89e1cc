/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * output_json.c - one object:
 *
 *	{"columns": [{"name": ..., "type": ...}, ...],
 *	 "rows": [[...], ...],
 *	 "stats": {...}}
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compute-client/output.h"

/* JSON has no number that is not finite. */
static void put_double(struct json *j, const char *text)
{
	double v = strtod(text, NULL);

	if (isfinite(v))
		json_double(j, v);
	else
		json_string(j, text);
}

static void put_value(struct json *j, enum output_kind kind, const char *text)
{
	switch (kind) {
	case OUTPUT_INTEGER:
	case OUTPUT_DECIMAL:
		json_number_text(j, text);
		return;
	case OUTPUT_FLOAT:
		put_double(j, text);
		return;
	case OUTPUT_BOOL:
		json_bool(j, strcmp(text, "true") == 0);
		return;
	case OUTPUT_TEXT:
		json_string(j, text);
		return;
	}
}

static int put_rows(struct json *j, const struct output_rows *rows)
{
	struct output_cell cell = {0};

	for (uint64_t r = 0; r < rows->n_rows; r++) {
		json_newline(j);
		fputs("  ", j->out);
		json_open(j, '[');
		for (unsigned c = 0; c < rows->n_columns; c++) {
			const char *text = output_cell_get(&cell, rows, r, c);

			if (!text) {
				free(cell.text);
				return -ENOMEM;
			}
			if (cell.null)
				json_null(j);
			else
				put_value(j, rows->columns[c].kind, text);
		}
		json_close(j, ']');
	}
	free(cell.text);
	return 0;
}

int output_json(const struct output_rows *rows, FILE *out)
{
	struct json j = {.out = out};

	json_open(&j, '{');
	json_key(&j, "columns");
	json_open(&j, '[');
	for (unsigned c = 0; c < rows->n_columns; c++) {
		json_open(&j, '{');
		json_key(&j, "name");
		json_string(&j, rows->columns[c].name);
		json_key(&j, "type");
		json_string(&j, rows->columns[c].type);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_newline(&j);
	fputc(' ', out);
	json_key(&j, "rows");
	json_open(&j, '[');

	int ret = put_rows(&j, rows);

	if (ret < 0)
		return ret;
	json_close(&j, ']');
	if (rows->stats) {
		json_newline(&j);
		fputc(' ', out);
		json_key(&j, "stats");
		json_open(&j, '{');
		rows->stats(rows->arg, &j);
		json_close(&j, '}');
	}
	json_close(&j, '}');
	fputc('\n', out);
	return 0;
}
