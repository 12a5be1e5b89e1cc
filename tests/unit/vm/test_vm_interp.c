/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_vm_interp.c - the machine: its meter over several calls, observation, and the words of a
 * trap. What instructions do is in the data files of tests/vm (test_vm_data.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "tests/support/vm_asm.h"
#include "vm/vm_interp.h"

enum { MAX_INSNS = 64 };

struct made {
	struct program *p;
	struct vm_program *vp;
};

/* A program of filter and reduce over lines, with an 8-byte state. */
static struct made make(const char *filter, const char *reduce)
{
	static const char *const combine = "r0 = 0\nexit";
	const char *text[] = {filter, reduce, combine};
	static const enum program_kind kinds[] = {PROGRAM_FILTER, PROGRAM_REDUCE, PROGRAM_COMBINE};
	struct bpf_insn insns[3][MAX_INSNS];
	struct program_line line = {.insn = 0, .line = 14, .text = ""};
	const char *files[] = {"loop.bpf.c"};
	struct program_func funcs[3];
	struct program draft = {
		.funcs = funcs, .n_funcs = 3, .state_bytes = 8, .files = files, .n_files = 1};
	struct vm_bounds bounds = {0, 100};
	struct made m = {0};
	struct nf_error err;
	char error[VM_ASM_ERROR_BYTES];

	for (unsigned i = 0; i < 3; i++) {
		int n = vm_asm(text[i], insns[i], MAX_INSNS, NULL, NULL, error);

		if (n < 0)
			fail_msg("%s", error);
		funcs[i] = (struct program_func){.kind = kinds[i],
						 .name = program_kind_name(kinds[i]),
						 .insns = insns[i],
						 .n_insns = (uint32_t)n,
						 .n_lines = 1,
						 .lines = &line};
	}
	if (program_create(&draft, &m.p, &err) || vm_verify(m.p, &bounds, &m.vp, &err))
		fail_msg("%s: %s", err.where, err.text);
	return m;
}

static void drop(struct made *m)
{
	vm_program_unref(m->vp);
	program_unref(m->p);
}

/* 10 rounds of 2 instructions: 9 jumps back, 18 of the budget. */
static const char *const ten_rounds = "r3 = 10\n"
				      "r0 = 0\n"
				      "again:\n"
				      "r3 -= 1\n"
				      "if r3 != 0 goto again\n"
				      "exit";

/* The budget is for one record: filter, key and reduce together. */
static void test_meter_over_calls(void **state)
{
	struct made p = make(ten_rounds, ten_rounds);
	struct vm_memory mem = {.record = (const uint8_t *)"", .state = (uint8_t[8]){0}};
	struct vm_machine *m;
	struct vm_trap trap;
	uint64_t r0;

	(void)state;
	assert_int_equal(vm_machine_new(p.vp, 35, &m), 0);
	for (unsigned i = 0; i < 3; i++) {
		vm_machine_refill(m);
		assert_true(vm_interp(m, PROGRAM_FILTER, &mem, &r0, &trap));
		assert_false(vm_interp(m, PROGRAM_REDUCE, &mem, &r0, &trap));
		assert_int_equal(trap.kind, VM_TRAP_BUDGET);
		assert_int_equal(trap.entry, PROGRAM_REDUCE);
		assert_int_equal(trap.insn, 3);
		assert_int_equal(trap.budget, 35);
	}
	vm_machine_free(m);
	assert_int_equal(vm_machine_new(p.vp, 36, &m), 0);
	for (unsigned i = 0; i < 3; i++) {
		vm_machine_refill(m);
		assert_true(vm_interp(m, PROGRAM_FILTER, &mem, &r0, &trap));
		assert_true(vm_interp(m, PROGRAM_REDUCE, &mem, &r0, &trap));
	}
	vm_machine_free(m);
	vm_machine_free(NULL);
	drop(&p);
}

/* The machine holds what it needs of the program. */
static void test_outlives_references(void **state)
{
	struct made p = make(ten_rounds, ten_rounds);
	struct vm_memory mem = {.record = (const uint8_t *)"", .state = (uint8_t[8]){0}};
	struct vm_machine *m;
	struct vm_trap trap;
	uint64_t r0 = 7;

	(void)state;
	assert_int_equal(vm_machine_new(p.vp, 0, &m), 0);
	drop(&p);
	assert_true(vm_interp(m, PROGRAM_FILTER, &mem, &r0, &trap));
	assert_int_equal(r0, 0);
	vm_machine_free(m);
}

struct seen {
	unsigned n;
	uint32_t insn[64];
	uint64_t r3[64];
};

static void see(void *arg, const struct vm_view *view)
{
	struct seen *s = arg;

	assert_true(view->origin[VM_REGION_STACK] == view->reg[10]);
	s->insn[s->n] = view->insn;
	s->r3[s->n++] = view->reg[3];
}

static void test_observe(void **state)
{
	struct made p =
		make("r3 = 2\nagain:\nr3 -= 1\nif r3 != 0 goto again\nr0 = 5 ll\nexit", ten_rounds);
	static const uint32_t path[] = {0, 1, 2, 1, 2, 3, 5};
	static const uint64_t r3[] = {0, 2, 1, 1, 0, 0, 0}; /* r3 is the parameters at first */
	struct vm_memory mem = {.record = (const uint8_t *)""};
	struct vm_machine *m;
	struct vm_trap trap;
	struct seen s = {0};
	uint64_t r0;

	(void)state;
	assert_int_equal(vm_machine_new(p.vp, 0, &m), 0);
	vm_machine_observe(m, see, &s);
	assert_true(vm_interp(m, PROGRAM_FILTER, &mem, &r0, &trap));
	assert_int_equal(r0, 5);
	assert_int_equal(s.n, ARRAY_SIZE(path));
	assert_memory_equal(s.insn, path, sizeof(path));
	assert_memory_equal(s.r3 + 1, r3 + 1, sizeof(r3) - sizeof(r3[0]));
	vm_machine_observe(m, NULL, NULL);
	assert_true(vm_interp(m, PROGRAM_FILTER, &mem, &r0, &trap));
	assert_int_equal(s.n, ARRAY_SIZE(path));
	vm_machine_free(m);
	drop(&p);
}

static void check_trap(const struct made *p, const struct vm_trap *trap, const char *record,
		       const char *where, const char *text)
{
	struct nf_error err;

	assert_true(vm_trap_error(p->vp, trap, record, &err) < 0);
	assert_int_equal(err.code, NF_OUT_OF_RANGE);
	assert_string_equal(err.where, where);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" lacks \"%s\"", err.text, text);
}

static void test_trap_words(void **state)
{
	struct made p =
		make("r4 = *(u8 *)(r1 + 7)\nr0 = r4\nexit", "r1 = 9\ncall fold_fail\nr0 = 0\nexit");
	struct vm_memory mem = {
		.record = (const uint8_t *)"abc", .record_bytes = 3, .state = (uint8_t[8]){0}};
	struct vm_machine *m;
	struct vm_trap trap;
	uint64_t r0;

	(void)state;
	assert_int_equal(vm_machine_new(p.vp, 0, &m), 0);
	assert_false(vm_interp(m, PROGRAM_FILTER, &mem, &r0, &trap));
	check_trap(&p, &trap, "words.txt, line 3",
		   "loop.bpf.c:14 in filter 'filter' (instruction 0), words.txt, line 3",
		   "reads 1 bytes at offset 7 of the record, which has 3 bytes");
	check_trap(&p, &trap, NULL, "loop.bpf.c:14 in filter 'filter' (instruction 0)", "record");
	assert_false(vm_interp(m, PROGRAM_REDUCE, &mem, &r0, &trap));
	check_trap(&p, &trap, NULL, "loop.bpf.c:14 in reduce 'reduce' (instruction 1)",
		   "reported error 9");
	vm_machine_free(m);
	drop(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_meter_over_calls),
		cmocka_unit_test(test_outlives_references),
		cmocka_unit_test(test_observe),
		cmocka_unit_test(test_trap_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
