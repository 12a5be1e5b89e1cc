/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_sql.c - a schema, a newline, a query: what is accepted becomes a program that the verifier
 * accepts, and what that makes of some records can be finished.
 */
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "sql/sql_finish.h"
#include "vm/vm_interp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS = 4, RECORD_MOST = 4096 };

/* One group with the records of the input's own bytes. */
static void run(const struct sql_plan *plan, const struct sql_layout *l, struct vm_program *vp,
		const uint8_t *data, size_t size)
{
	const struct program *p = vp->program;
	uint32_t bytes = p->record_bytes;
	AUTO_FREE uint8_t *record = malloc(bytes + 1), *state = calloc(1, p->state_bytes);
	uint8_t key[PROGRAM_MAX_KEY_BYTES] = {0};
	struct vm_memory mem = {
		.record = record, .record_bytes = bytes, .state = state, .key = key};
	struct vm_machine *m = NULL;
	struct vm_trap trap;
	struct sql_finish f;
	uint64_t r0 = 1;
	bool fine = true;

	if (!record || !state || bytes > RECORD_MOST || vm_machine_new(vp, 0, &m))
		return;
	if (p->init_state)
		memcpy(state, p->init_state, p->state_bytes);
	for (unsigned i = 0; i < RECORDS && fine; i++) {
		for (uint32_t k = 0; k < bytes; k++)
			record[k] = data[(k + i * bytes) % size];
		memset(key, 0, sizeof(key));
		vm_machine_refill(m);
		fine = !program_entry(p, PROGRAM_FILTER, NULL) ||
		       vm_interp(m, PROGRAM_FILTER, &mem, &r0, &trap);
		fine = fine && (!p->key_bytes || vm_interp(m, PROGRAM_KEY, &mem, &r0, &trap));
		fine = fine && vm_interp(m, PROGRAM_REDUCE, &mem, &r0, &trap);
	}
	vm_machine_free(m);
	if (!fine)
		return;
	sql_finish_begin(plan, l, &f);
	if (!sql_finish_add(&f, p->key_bytes ? key : NULL, state, NULL) &&
	    !sql_finish_end(&f, NULL))
		for (uint64_t i = 0; i < f.n_rows * plan->n_outputs; i++)
			free(sql_value_text(&f.cells[i]));
	sql_finish_done(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = malloc(size + 1);
	struct sql_schema schema = {0};
	struct sql_plan *plan = NULL;
	struct sql_layout layout = {0};
	struct program *p = NULL;
	struct vm_program *vp = NULL;
	struct nf_error err = {0};
	char *sql;

	if (!text || !size)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	sql = strchr(text, '\n');
	if (!sql)
		return 0;
	*sql++ = 0;
	if (sql_schema_parse(text, &schema, &err) || sql_plan_make(sql, &schema, &plan, &err) ||
	    sql_compile(plan, &layout, &p, &err)) {
		/* Every refusal says why. */
		if (!err.text[0])
			__builtin_trap();
	} else {
		struct vm_bounds bounds = vm_bounds_of(p);

		if (vm_verify(p, &bounds, &vp, &err)) {
			fprintf(stderr, "refused: %s: %s\n", err.where, err.text);
			__builtin_trap();
		}
		run(plan, &layout, vp, data, size);
	}
	vm_program_unref(vp);
	program_unref(p);
	sql_layout_done(&layout);
	sql_plan_free(plan);
	sql_schema_done(&schema);
	return 0;
}
