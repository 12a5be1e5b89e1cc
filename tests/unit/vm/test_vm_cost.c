/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* test_vm_cost.c - the bound on what a record costs: the numbers of known loops, and random
 * programs, which never run out of a budget that is their bound. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "tests/support/vm_asm.h"
#include "tests/support/vm_gen.h"
#include "vm/vm_cost.h"
#include "vm/vm_interp.h"

enum { PROGRAMS = 1500, RECORDS = 4, LONGEST = 40 };

/* reduce's bound for records of at most max bytes; UINT64_MAX: none is known. */
static uint64_t bound_of(const char *reduce, uint32_t max)
{
	struct bpf_insn r[128], c[2];
	char error[VM_ASM_ERROR_BYTES] = "";
	int n_r = vm_asm(reduce, r, 128, NULL, NULL, error);
	int n_c = vm_asm("r0 = 0\nexit\n", c, 2, NULL, NULL, error);
	struct program_func funcs[] = {
		{PROGRAM_REDUCE, "add", r, (uint32_t)n_r, 0, NULL},
		{PROGRAM_COMBINE, "merge", c, (uint32_t)n_c, 0, NULL},
	};
	struct program draft = {.n_funcs = 2, .funcs = funcs, .state_bytes = 16};
	struct vm_program *vp;
	struct program *p;
	struct nf_error err;
	uint64_t cost = UINT64_MAX;

	if (n_r < 0 || n_c < 0)
		fail_msg("%s", error);
	if (program_create(&draft, &p, &err))
		fail_msg("%s: %s", err.where, err.text);
	struct vm_bounds bounds = vm_bounds_of(p);
	if (vm_verify(p, &bounds, &vp, &err))
		fail_msg("%s: %s", err.where, err.text);
	int e = vm_cost(vp, max, &cost);
	assert_true(e == 0 || e == -ENOTSUP);
	vm_program_unref(vp);
	program_unref(p);
	return cost;
}

static void loops_have_the_bounds_that_one_would_count(void **state)
{
	static const struct {
		const char *reduce;
		uint32_t max;
		uint64_t cost;
	} cases[] = {
		{"r0 = 0\nexit\n", 100, 0},
		/* 3 instructions from the target to the jump; the turn that leaves counts, too */
		{"r4 = 0\nagain:\nr5 = r4\nr4 += 1\nif r4 < 10 goto again\nr0 = 0\nexit\n", 100,
		 3 * 10},
		{"r4 = 10\nagain:\nr5 = r4\nr4 += -1\nif r4 != 0 goto again\nr0 = 0\nexit\n", 100,
		 3 * 10},
		/* for (i = 0; i < len; i++), with a way out before the end */
		{"r4 = 0\nif r3 == 0 goto out\nagain:\nr5 = r2\nr5 += r4\nr0 = *(u8 *)(r5 + 0)\n"
		 "if w0 == 58 goto out\nr4 += 1\nif r4 < r3 goto again\nout:\nr0 = 0\nexit\n",
		 4096, 6 * 4096},
		/* the same in steps of four, in 32 bits */
		{"w4 = 0\nagain:\nw4 += 4\nif w4 < w3 goto again\nr0 = 0\nexit\n", 4000, 2 * 1000},
		/* as often as the state says, but the guard of a pointer that counts ends it; the
		 * pointer may come to the head once behind the last byte */
		{"r3 = *(u64 *)(r1 + 0)\nr4 = 0\nagain:\nr5 = *(u8 *)(r2 + 0)\nr2 += 1\nr4 += 1\n"
		 "if r4 < r3 goto again\nr0 = 0\nexit\n",
		 100, 4 * 101},
		/* two loops, one inside the other: 5 * 10 * 7 turns inside */
		{"r4 = 0\nouter:\nr5 = 0\ninner:\nr5 += 1\nif r5 < 7 goto inner\nr4 += 1\n"
		 "if r4 < 10 goto outer\nr0 = 0\nexit\n",
		 100, 2 * 7 * 10 + 5 * 10},
		/* the bits and the digits of a number that is not 0 */
		{"r4 = *(u64 *)(r1 + 0)\nif r4 == 0 goto out\nagain:\nr5 = r4\nr4 >>= 1\n"
		 "if r4 != 0 goto again\nout:\nr0 = 0\nexit\n",
		 100, 3 * 64},
		{"w4 = *(u32 *)(r1 + 0)\nif w4 == 0 goto out\nagain:\nr5 = r4\nw4 /= 10\n"
		 "if w4 != 0 goto again\nout:\nr0 = 0\nexit\n",
		 100, 3 * 10},
		{"r4 = *(u16 *)(r1 + 0)\nif r4 < 1000 goto out\nagain:\nr5 = r4\nr4 >>= 2\n"
		 "if r4 > 99 goto again\nout:\nr0 = 0\nexit\n",
		 100, 3 * 5},
		/* shifts use the low bits of their operand */
		{"r4 = *(u64 *)(r1 + 0)\nif r4 == 0 goto out\nagain:\nr5 = r4\nr4 >>= -62\n"
		 "if r4 != 0 goto again\nout:\nr0 = 0\nexit\n",
		 100, 3 * 32},
		{"r4 = *(u64 *)(r1 + 0)\nif r4 == 0 goto out\nagain:\nr5 = r4\nr4 >>= -64\n"
		 "if r4 != 0 goto again\nout:\nr0 = 0\nexit\n",
		 100, UINT64_MAX},
		/* which is 0 at first, perhaps, and stays so */
		{"r4 = *(u64 *)(r1 + 0)\nagain:\nr5 = *(u64 *)(r1 + 8)\nr4 >>= 1\n"
		 "if r5 != 0 goto again\nr0 = 0\nexit\n",
		 100, UINT64_MAX},
		/* the counter is not on every way round */
		{"r4 = 0\nagain:\nr5 = *(u64 *)(r1 + 0)\nif r5 == 0 goto on\nr4 += 1\non:\n"
		 "if r4 < 10 goto again\nr0 = 0\nexit\n",
		 100, UINT64_MAX},
		/* or goes both ways */
		{"r4 = 1\nagain:\nr5 = *(u64 *)(r1 + 0)\nif r5 == 0 goto less\nr4 += 1\ngoto on\n"
		 "less:\nr4 += -1\non:\nr4 &= 15\nif r4 != 0 goto again\nr0 = 0\nexit\n",
		 100, UINT64_MAX},
		/* nothing counts */
		{"again:\nr4 = *(u64 *)(r1 + 0)\nif r4 != 0 goto again\nr0 = 0\nexit\n", 100,
		 UINT64_MAX},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t cost = bound_of(cases[i].reduce, cases[i].max);

		if (cost != cases[i].cost)
			fail_msg("case %u: the bound is %" PRIu64 ", not %" PRIu64, i, cost,
				 cases[i].cost);
	}
}

static void a_search_in_a_loop_costs_its_bytes(void **state)
{
	const char *find = "r6 = r1\nr7 = r2\nr8 = r3\nr9 = 3\n"
			   "r3 = 0\n*(u64 *)(r10 - 8) = r3\n"
			   "again:\nr1 = r7\nr2 = r8\nr3 = r10\nr3 += -8\nr4 = 1\n"
			   "call fold_find\nr9 += -1\nif r9 != 0 goto again\nr0 = 0\nexit\n";

	(void)state;
	/* 8 instructions a turn, and a sixteenth of the line and of the frame */
	assert_int_equal(bound_of(find, 1600), 3 * 8 + 3 * (100 + 512 / 16));
}

static void run(const struct vm_program *vp, uint64_t budget, uint64_t *seed)
{
	const struct program *p = vp->program;
	uint32_t len =
		p->record_bytes ? p->record_bytes : (uint32_t)(vm_gen_random(seed) % (LONGEST + 1));
	AUTO_FREE uint8_t *record = malloc(len + 1u);
	AUTO_FREE uint8_t *params = malloc(p->params_bytes + 1u);
	AUTO_FREE uint8_t *states = malloc(p->state_bytes + 1u);
	AUTO_FREE uint8_t *key = calloc(1, p->key_bytes + 1u);
	struct vm_memory mem = {record, len, params, states, NULL, key};
	struct vm_machine *m;

	vm_gen_bytes(seed, record, len);
	vm_gen_bytes(seed, params, p->params_bytes);
	vm_gen_bytes(seed, states, p->state_bytes);
	assert_int_equal(vm_machine_new(vp, budget ? budget : 1, &m), 0);
	vm_machine_refill(m);
	for (enum program_kind e = PROGRAM_FILTER; e <= PROGRAM_REDUCE; e++) {
		struct vm_trap trap = {0};
		uint64_t r0;

		if (!program_entry(p, e, NULL))
			continue;
		if (!vm_interp(m, e, &mem, &r0, &trap) && trap.kind == VM_TRAP_BUDGET)
			fail_msg("out of a budget of %" PRIu64, budget);
	}
	vm_machine_free(m);
}

static void random_programs_stay_within_their_bounds(void **state)
{
	unsigned metered = 0, bounded = 0;

	(void)state;
	for (uint64_t i = 1; i <= PROGRAMS; i++) {
		uint64_t seed = i, cost;
		struct vm_gen_options options = {.any_length = i % 2, .max_insns = 80};
		struct vm_gen *g = vm_gen_new(i, &options);
		struct vm_program *vp = NULL;
		struct program *p = NULL;

		assert_non_null(g);
		if (program_create(vm_gen_draft(g), &p, NULL) == 0) {
			struct vm_bounds bounds = vm_bounds_of(p);

			vm_verify(p, &bounds, &vp, NULL);
		}
		if (vp && (vp->code[0].metered || vp->code[1].metered || vp->code[2].metered)) {
			metered++;
			if (!vm_cost(vp, LONGEST, &cost)) {
				bounded++;
				for (unsigned k = 0; k < RECORDS; k++)
					run(vp, cost, &seed);
			}
		}
		vm_program_unref(vp);
		program_unref(p);
		vm_gen_free(g);
	}
	print_message("%u metered programs, %u with a bound\n", metered, bounded);
	assert_true(bounded > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loops_have_the_bounds_that_one_would_count),
		cmocka_unit_test(a_search_in_a_loop_costs_its_bytes),
		cmocka_unit_test(random_programs_stay_within_their_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
