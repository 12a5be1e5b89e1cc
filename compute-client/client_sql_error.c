/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * client_sql_error.c - what failed in a compiled query, said of the query.
 *
 * Engines, here and on a node, say of a program
 *
 *	SQL:1 in reduce 'reduce' (instruction 27), a.bin, record at byte 24:
 *	the program reported error 5 (fold_fail)
 *
 * and the program's line table, which stayed here, knows where instruction 27 comes from:
 *
 *	SQL, column 12, a.bin, record at byte 24: division by zero
 */
#include <stdlib.h>
#include <string.h>

#include "compute-client/client_sql.h"
#include "vm/vm_interp.h"

/* The place in the text, byte from 0, of a row of the line table; -1 unknown. */
static int32_t place_of(const char *text, const struct program_line *l)
{
	const char *at = text;

	if (!l || !l->column)
		return -1;
	for (uint32_t line = 1; line < l->line; line++) {
		at = strchr(at, '\n');
		if (!at++)
			return -1;
	}
	return strlen(at) >= l->column - 1 ? (int32_t)(at - text + l->column - 1) : -1;
}

/* where = BEFORE + the program's words for a place + BEHIND: the query's words instead. */
static void rewrite_where(const struct nearfold_program *p, struct nearfold_error *err)
{
	static const char marker[] = "(instruction ";
	const struct program *prog = p->program;
	const char *number = strstr(err->where, marker), *text = p->sql->plan->text;
	uint32_t insn;

	if (!number)
		return;
	insn = (uint32_t)strtoul(number + strlen(marker), NULL, 10);
	for (uint32_t f = 0; f < prog->n_funcs; f++) {
		char words[256], place[64], where[512];
		const char *at;

		program_where(prog, f, insn, words, sizeof(words));
		at = strstr(err->where, words);
		if (!at)
			continue;
		sql_where(text, place_of(text, program_line_at(prog, f, insn)), place,
			  sizeof(place));
		snprintf(where, sizeof(where), "%.*s%s%s", (int)(at - err->where), err->where,
			 place, at + strlen(words));
		snprintf(err->where, sizeof(err->where), "%s", where);
		return;
	}
}

void client_sql_source(const char *text, struct nearfold_error *err)
{
	const char *at = strstr(err->where, "SQL, ");
	unsigned line = 1, column;

	if (!at || (sscanf(at, "SQL, line %u, column %u", &line, &column) != 2 &&
		    sscanf(at, "SQL, column %u", &column) != 1))
		return;
	for (; line > 1; line--) {
		text = strchr(text, '\n');
		if (!text++)
			return;
	}
	snprintf(err->source, sizeof(err->source), "%.*s", (int)strcspn(text, "\n"), text);
}

void client_sql_words(const struct nearfold_program *p, struct nearfold_error *err)
{
	uint32_t code;

	rewrite_where(p, err);
	if (err->code == NF_OUT_OF_RANGE && vm_trap_fail_code(err->text, &code) &&
	    sql_failure_text(code))
		snprintf(err->text, sizeof(err->text), "%s", sql_failure_text(code));
	client_sql_source(p->sql->plan->text, err);
}
