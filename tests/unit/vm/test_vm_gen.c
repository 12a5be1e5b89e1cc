/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_vm_gen.c - random programs (support/vm_gen.h): what the verifier accepts must run without a
 * fault (ASan and UBSan watch the memory, which has exactly its size), stop only for one of
 * the promised reasons, and hold in its registers, before every instruction, what the verifier
 * believed there. NEARFOLD_SEED repeats a run, NEARFOLD_PROGRAMS makes it longer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "program/program_disasm.h"
#include "tests/support/vm_gen.h"
#include "vm/vm_beliefs.h"
#include "vm/vm_helper.h"
#include "vm/vm_interp.h"

enum {
	PROGRAMS = 2000,
	RECORDS = 4,
	MAX_WAYS = 512, /* remembered for one instruction; one that has more is not compared */
};

/* ---- what the verifier believed -------------------------------------------------------------- */

struct ways {
	unsigned n;
	struct vm_value (*reg)[11];
};

struct beliefs {
	struct ways *at[PROGRAM_ENTRIES]; /* PROGRAM_MAX_FLAT_INSNS each */
	unsigned used[PROGRAM_ENTRIES];   /* those from here on are empty */
};

static struct beliefs beliefs;

static void believe(void *arg, enum program_kind entry, uint32_t insn, const struct vm_state *s)
{
	struct beliefs *b = arg;
	struct ways *w = &b->at[entry][insn];

	if (insn >= b->used[entry])
		b->used[entry] = insn + 1;
	if (w->n >= MAX_WAYS) {
		w->n = MAX_WAYS + 1;
		return;
	}
	if (!(w->n & (w->n + 1))) /* room for 1, 3, 7, ... more */
		w->reg = realloc(w->reg, (2 * w->n + 2) * sizeof(*w->reg));
	memcpy(w->reg[w->n++], s->reg, sizeof(w->reg[0]));
}

static void forget(struct beliefs *b)
{
	for (unsigned e = 0; e < PROGRAM_ENTRIES; e++) {
		for (unsigned i = 0; i < b->used[e]; i++) {
			free(b->at[e][i].reg);
			b->at[e][i] = (struct ways){0};
		}
		b->used[e] = 0;
	}
}

static bool holds(const struct vm_value *v, uint64_t reg, const struct vm_view *view)
{
	switch ((enum vm_value_kind)v->kind) {
	case VALUE_SCALAR:
		return vm_range_contains(&v->range, reg);
	case VALUE_POINTER:
		return vm_range_contains(&v->range, reg - view->origin[v->region]);
	default:
		return true;
	}
}

static struct {
	unsigned accepted, refused, runs, guarded, traps[4], failures;
	uint64_t insns, compared;
	uint64_t seed; /* of the program at work */
	const struct vm_program *vp;
} total;

static void print_case(const struct vm_view *view)
{
	const struct vm_code *code = &total.vp->code[view->entry];

	for (uint32_t i = 0; i < code->flat.n_insns;) {
		char text[160];
		unsigned slots =
			disasm_insn(&code->flat.insns[i], vm_helper_name, text, sizeof(text));

		print_error("%s%4u: %s\n", i == view->insn ? "->" : "  ", i, text);
		i += slots;
	}
}

static void report(const struct vm_view *view, const struct ways *w)
{
	if (total.failures++ > 3)
		return;
	print_error("program of NEARFOLD_SEED=%" PRIu64 ", %s, instruction %u: no belief holds\n",
		    total.seed, program_kind_name(view->entry), view->insn);
	for (unsigned r = 0; r < 11 && w->n; r++) {
		const struct vm_value *v = &w->reg[0][r];

		if (!holds(v, view->reg[r], view))
			print_error("r%u is %#" PRIx64 ", believed kind %u region %u u[%" PRIu64
				    ", %" PRIu64 "] s[%" PRId64 ", %" PRId64 "]\n",
				    r, view->reg[r], v->kind, v->region, v->range.umin,
				    v->range.umax, v->range.smin, v->range.smax);
	}
	print_case(view);
}

static void compare(void *arg, const struct vm_view *view)
{
	const struct beliefs *b = arg;
	const struct ways *w = &b->at[view->entry][view->insn];

	total.insns++;
	if (w->n > MAX_WAYS)
		return;
	total.compared++;
	for (unsigned i = 0; i < w->n; i++) {
		unsigned r = 0;

		while (r < 11 && holds(&w->reg[i][r], view->reg[r], view))
			r++;
		if (r == 11)
			return;
	}
	report(view, w);
}

/* ---- running --------------------------------------------------------------------------------- */

static uint8_t *random_bytes(uint64_t *seed, size_t n)
{
	uint8_t *p = malloc(n ? n : 1);

	vm_gen_bytes(seed, p, n);
	return p;
}

static void run_entries(struct vm_machine *m, const struct program *p, uint64_t *seed)
{
	uint32_t len = p->record_bytes ? p->record_bytes : (uint32_t)(vm_gen_random(seed) % 40);
	AUTO_FREE uint8_t *record = random_bytes(seed, len);
	AUTO_FREE uint8_t *params = random_bytes(seed, p->params_bytes);
	AUTO_FREE uint8_t *state = random_bytes(seed, p->state_bytes);
	AUTO_FREE uint8_t *from = random_bytes(seed, p->state_bytes);
	AUTO_FREE uint8_t *key = calloc(1, p->key_bytes + 1u);
	AUTO_FREE uint8_t *record_before = malloc(len + 1u);
	struct vm_memory mem = {record, len, p->params_bytes ? params : NULL, state, from, key};

	memcpy(record_before, record, len);
	for (enum program_kind e = 0; e < PROGRAM_ENTRIES; e++) {
		struct vm_trap trap = {0};
		uint64_t r0;

		if (!program_entry(p, e, NULL))
			continue;
		vm_machine_refill(m);
		total.runs++;
		if (!vm_interp(m, e, &mem, &r0, &trap)) {
			assert_true(trap.kind > VM_TRAP_NONE && trap.kind <= VM_TRAP_FAIL);
			assert_true(trap.insn < total.vp->code[e].flat.n_insns);
			total.traps[trap.kind]++;
		}
	}
	assert_memory_equal(record, record_before, len);
}

static void run_program(const struct program *draft, uint64_t *seed)
{
	struct program *p;
	struct vm_program *vp;
	struct vm_machine *m;
	struct vm_bounds bounds;
	struct nf_error err;

	if (program_create(draft, &p, &err)) {
		total.refused++;
		return;
	}
	bounds = vm_bounds_of(p);
	if (vm_verify_beliefs(p, &bounds, believe, &beliefs, &vp, &err)) {
		total.refused++;
		if (getenv("NEARFOLD_VERBOSE"))
			print_message("seed %" PRIu64 ": %s: %s\n", total.seed, err.where,
				      err.text);
	} else {
		total.accepted++;
		total.guarded += vp->n_guarded > 0;
		total.vp = vp;
		assert_int_equal(vm_machine_new(vp, *seed % 4 ? 100000 : 100, &m), 0);
		vm_machine_observe(m, compare, &beliefs);
		for (unsigned i = 0; i < RECORDS; i++)
			run_entries(m, p, seed);
		vm_machine_free(m);
		vm_program_unref(vp);
	}
	forget(&beliefs);
	program_unref(p);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static void test_random_programs(void **state)
{
	uint64_t first = from_environment("NEARFOLD_SEED", 1);
	uint64_t n = from_environment("NEARFOLD_PROGRAMS", PROGRAMS);

	(void)state;
	for (unsigned e = 0; e < PROGRAM_ENTRIES; e++)
		beliefs.at[e] = calloc(PROGRAM_MAX_FLAT_INSNS, sizeof(*beliefs.at[e]));
	for (uint64_t i = 0; i < n; i++) {
		uint64_t seed = total.seed = first + i;
		uint64_t kind = vm_gen_random(&seed);
		const struct vm_gen_options options = {
			.any_length = kind % 4 == 0,
			.no_guards = kind >> 2 & 1,
			.no_loops = (kind >> 3 & 3) == 0,
			.additive = (kind >> 5 & 3) == 0,
			.mutate_percent = 25,
			.pointers = kind >> 8 & 1,
			.max_insns = kind >> 7 & 1 ? 30 : 120,
		};
		struct vm_gen *g = vm_gen_new(seed, &options);

		assert_non_null(g);
		run_program(vm_gen_draft(g), &seed);
		vm_gen_free(g);
	}
	for (unsigned e = 0; e < PROGRAM_ENTRIES; e++)
		free(beliefs.at[e]);
	print_message("NEARFOLD_SEED=%" PRIu64 " NEARFOLD_PROGRAMS=%" PRIu64
		      ": %u accepted (%u with guards), %u refused; %u runs, %u out of bounds, "
		      "%u out of budget, %u fold_fail; %" PRIu64 " of %" PRIu64
		      " instructions compared\n",
		      first, n, total.accepted, total.guarded, total.refused, total.runs,
		      total.traps[VM_TRAP_BOUNDS], total.traps[VM_TRAP_BUDGET],
		      total.traps[VM_TRAP_FAIL], total.compared, total.insns);
	assert_int_equal(total.failures, 0);
	assert_true(total.accepted >= n / 2); /* the generator is worth its time */
	assert_true(total.compared >= total.insns / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_programs)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
