/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_vm_verify_memory.c - each allocation of a verification fails once: the verifier says so, and
 * nothing else happens.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/scope.h"
#include "tests/support/failing_malloc.h"
#include "tests/support/vm_asm.h"
#include "vm/vm.h"

#if !OWN_MALLOC
static void test_allocations_fail(void **state)
{
	(void)state;
	print_message("SKIP: the sanitizer has its own malloc\n");
	skip();
}
#else
/* Nested loops, spilled values, joins, a helper, a loop with two ways in. */
static const char code[] =
	"r3 = *(u64 *)(r2 + 0)\n *(u64 *)(r10 - 8) = r1\n *(u64 *)(r10 - 16) = r3\n r4 = 0\n"
	"if r3 == 7 goto middle\n outer:\n r5 = 0\n inner:\n r6 = *(u64 *)(r10 - 8)\n r7 = r5\n"
	"r7 &= 7\n r6 += r7\n *(u8 *)(r6 + 0) = 1\n *(u64 *)(r10 - 24) = r5\n r5 += 1\n"
	"r8 = *(u64 *)(r10 - 16)\n if r5 < r8 goto inner\n middle:\n r4 += 1\n if r4 < 9 goto "
	"outer\n"
	"r1 = 1\n r2 = r4\n call fold_f64_add\n r0 = 0\n exit";

static void test_allocations_fail(void **state)
{
	static const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_insn insns[64];
	char error[VM_ASM_ERROR_BYTES];
	int n = vm_asm(code, insns, ARRAY_SIZE(insns), NULL, NULL, error);
	struct program_func funcs[] = {
		{.kind = PROGRAM_REDUCE, .name = "reduce", .insns = insns, .n_insns = (uint32_t)n},
		{.kind = PROGRAM_COMBINE, .name = "combine", .insns = nothing, .n_insns = 2},
	};
	struct program draft = {.funcs = funcs, .n_funcs = 2, .record_bytes = 8, .state_bytes = 8};
	struct vm_bounds bounds = {8, 8};
	struct program *p = NULL;
	struct nf_error err = {0};
	bool reached = true;
	long nth, failed = 0;
	int rc = -1;

	(void)state;
	if (n < 0)
		fail_msg("%s", error);
	if (program_create(&draft, &p, &err))
		fail_msg("%s: %s", err.where, err.text);
	for (nth = 1; reached && nth < 100000; nth++) {
		struct vm_program *vp = NULL;
		long before = atomic_load(&live);

		atomic_store(&fail_after, nth);
		rc = vm_verify(p, &bounds, &vp, &err);
		reached = atomic_exchange(&fail_after, 0) <= 0;
		if (rc && rc != -ENOMEM)
			fail_msg("allocation %ld fails: %d, %s", nth, rc, err.text);
		failed += rc != 0;
		if (rc)
			assert_null(vp);
		vm_program_unref(vp);
		if (atomic_load(&live) != before)
			fail_msg("allocation %ld fails: %ld left behind", nth,
				 atomic_load(&live) - before);
	}
	assert_int_equal(rc, 0);
	print_message("%ld allocations, %ld of them needed\n", nth - 2, failed);
	/* Those that only make a block smaller may fail, and those for functions that are not
	 * there. */
	assert_true(failed > 50 && failed >= nth - 2 - 16);
	program_unref(p);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allocations_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
