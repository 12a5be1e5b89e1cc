/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/output.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>

const char *output_cell_get(struct output_cell *cell, const struct output_rows *rows, uint64_t row,
			    unsigned column)
{
	for (;;) {
		size_t need = rows->cell(rows->arg, row, column, cell->text, cell->size);

		cell->null = need == OUTPUT_NULL;
		if (cell->null)
			return "null";
		if (need < cell->size)
			return cell->text;

		size_t size = need + 64;
		char *grown = realloc(cell->text, size);

		if (!grown)
			return NULL;
		cell->text = grown;
		cell->size = size;
	}
}

int output_write(const struct output_rows *rows, enum nearfold_output form, FILE *out)
{
	/* printf's decimal point must not follow the caller's locale. */
	locale_t plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
	locale_t before = plain ? uselocale(plain) : (locale_t)0;
	int ret = form == NEARFOLD_JSON  ? output_json(rows, out)
		  : form == NEARFOLD_CSV ? output_csv(rows, out)
					 : output_table(rows, out);

	if (before)
		uselocale(before);
	if (plain)
		freelocale(plain);
	if (ret == 0 && (fflush(out) != 0 || ferror(out)))
		ret = -EIO;
	return ret;
}
