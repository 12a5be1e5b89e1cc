/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Why a program does not run in the kernel: what the engine says, and the kernel's verifier. */
#include "scan_fixture.h"

#include "scan/engine_kernel_load.h"
#include "scan/engine_kernel_lower.h"
#include "tests/support/vm_asm.h"
#include "vm/vm_helper.h"
#include "tests/support/skip_unless.h"

static struct vm_program *verified(const char *reduce, uint32_t record_bytes)
{
	struct bpf_insn code[256], combine[] = {{.code = BPF_JMP | BPF_EXIT}};
	char error[VM_ASM_ERROR_BYTES] = "";
	int n = vm_asm(reduce, code, 256, NULL, NULL, error);
	struct program_func funcs[] = {
		{.kind = PROGRAM_REDUCE, .name = "take", .insns = code, .n_insns = (uint32_t)n},
		{.kind = PROGRAM_COMBINE, .name = "combine", .insns = combine, .n_insns = 1},
	};
	struct program draft = {
		.funcs = funcs, .n_funcs = 2, .record_bytes = record_bytes, .state_bytes = 8};
	struct nf_error err = {0};
	struct vm_program *vp;
	struct program *p;

	if (n < 0 || program_create(&draft, &p, &err))
		fail_msg("%s%s: %s", error, err.where, err.text);
	struct vm_bounds bounds = vm_bounds_of(p);

	if (vm_verify(p, &bounds, &vp, &err))
		fail_msg("%s: %s", err.where, err.text);
	program_unref(p);
	return vp;
}

static void each_reason_is_told(void **state)
{
	static const struct {
		const char *reduce, *reason;
		uint32_t record_bytes;
		uint64_t budget;
	} cases[] = {
		{"r0 = 0\n exit\n", NULL, 8, 0},
		{"if r3 < 1 goto out\n r4 = *(u8 *)(r2 + 5)\n out: r0 = 0\n exit\n",
		 "guarded, not proven", 0, 0},
		{"r3 = r10\n r3 += -8\n r1 = r2\n r2 = 8\n call fold_parse_f64\n r0 = 0\n exit\n",
		 "has no form in the kernel", 8, 0},
		{"r0 = 0\n *(u64 *)(r10 - 480) = r0\n exit\n", "bytes of stack", 8, 0},
		{"r4 = 9\n L: r4 += -1\n *(u64 *)(r10 - 64) = r4\n if r4 != 0 goto L\n r0 = 0\n "
		 "exit\n",
		 "a kernel program with a loop has room for", 8, 0},
		{"r0 = 0\n *(u16 *)(r10 - 7) = r0\n exit\n", "not aligned", 8, 0},
		{"r4 = r10\n r4 -= 8\n r0 = 0\n exit\n", "wants it added", 8, 0},
		{"r4 = -8\n r4 += r10\n r0 = 0\n exit\n", "computes with r10 itself", 8, 0},
		{"r4 = *(u64 *)(r2 + 0)\n r5 = r2\n r5 += r4\n r5 -= r2\n r0 = 0\n exit\n",
		 "far outside of their region", 8, 0},
		{"r4 = *(u64 *)(r2 + 0)\n r4 &= 65535\n r5 = r2\n r5 += r4\n r5 -= r2\n r0 = 0\n "
		 "exit\n",
		 NULL, 8, 0},
		{"r4 = 9\n L: r4 += -1\n if r4 != 0 goto L\n r0 = 0\n exit\n",
		 "a budget of 5000000", 8, 5000000},
		{"r4 = 9\n L: r4 += -1\n if r4 != 0 goto L\n r0 = 0\n exit\n", NULL, 8, 4000000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct vm_program *vp = verified(cases[i].reduce, cases[i].record_bytes);
		struct engine_config cfg = {
			.program = vp,
			.format = cases[i].record_bytes ? FORMAT_FIXED : FORMAT_LINES,
			.record_bytes = cases[i].record_bytes,
			.budget = cases[i].budget,
		};
		struct nf_error why = {0};
		int r = kernel_link_check(&cfg, &why);

		if (!r != !cases[i].reason)
			fail_msg("case %zu: %d %s", i, r, why.text);
		if (r && !strstr(why.text, cases[i].reason))
			fail_msg("case %zu: \"%s\" does not say \"%s\"", i, why.text,
				 cases[i].reason);
		if (r)
			assert_int_equal(why.code, NF_FAILED_PRECONDITION);
		vm_program_unref(vp);
	}
}

static void the_kernels_refusal_names_the_users_instruction(void **state)
{
	skip_without_kernel();

	struct vm_program *vp = verified("r4 = 1\n r0 = 0\n exit\n", 8);
	struct bpf_insn insns[] = {
		SPLICE_MOV_K(BPF_REG_0, 0),
		SPLICE_LDX(BPF_DW, BPF_REG_0, BPF_REG_4, 0), /* never written */
		SPLICE_EXIT,
	};
	uint32_t origins[] = {0, KERNEL_ORIGIN(PROGRAM_REDUCE, 1), 0};
	struct kernel_image image = {
		.insns = insns, .origins = origins, .n_insns = 3, .n_functions = 1};
	struct kernel_host host;
	struct nf_error err = {0};
	int fd = -1;

	(void)state;
	assert_int_equal(kernel_host_probe(&host, &err), 0);
	assert_true(kernel_load(&host, &image, vp, &fd, &err) < 0);
	assert_int_equal(err.code, NF_FAILED_PRECONDITION);
	if (!strstr(err.where, "reduce 'take' (instruction 1)"))
		fail_msg("where: %s", err.where);
	if (!strstr(err.text, "the kernel's verifier refused it: R4 !read_ok"))
		fail_msg("text: %s", err.text);
	vm_program_unref(vp);
}

/* One branch for each bit of a number: as many ways as there are sums. Their first half is more
 * than the kernel looks at, and it takes seconds for that; reading the log of a second try took
 * more. */
static void what_is_too_complex_for_the_kernel_is_not_tried_twice(void **state)
{
	skip_without_kernel();

	struct vm_program *vp = verified("r0 = 0\n exit\n", 8);
	char source[4096];
	FILE *to = fmemopen(source, sizeof(source), "w");
	struct bpf_insn insns[128];
	uint32_t origins[128] = {0};
	char error[VM_ASM_ERROR_BYTES] = "";
	struct kernel_host host;
	struct nf_error err = {0};
	int fd = -1, n;

	(void)state;
	assert_non_null(to);
	fprintf(to, "r2 = *(u64 *)(r1 + 0)\nr6 = 0\n");
	for (unsigned i = 0; i < 24; i++)
		fprintf(to, "if r2 & %u goto +1\nr6 += %u\n", 1u << i, 1u << i);
	/* What is an address in the end is compared exactly. */
	fprintf(to, "r6 &= 7\nr3 = 0\n*(u64 *)(r10 - 8) = r3\n*(u64 *)(r10 - 16) = r3\nr3 = r10\n"
		    "r3 += -16\nr3 += r6\nr0 = *(u8 *)(r3 + 0)\nr0 = 0\nexit\n");
	fclose(to);
	n = vm_asm(source, insns, ARRAY_SIZE(insns), NULL, NULL, error);
	if (n < 0)
		fail_msg("%s", error);

	struct kernel_image image = {
		.insns = insns, .origins = origins, .n_insns = (uint32_t)n, .n_functions = 1};

	assert_int_equal(kernel_host_probe(&host, &err), 0);
	assert_true(kernel_load(&host, &image, vp, &fd, &err) < 0);
	assert_int_equal(err.code, NF_FAILED_PRECONDITION);
	if (!strstr(err.text, "too complex for the kernel's verifier"))
		fail_msg("text: %s", err.text);
	vm_program_unref(vp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason_is_told),
		cmocka_unit_test(the_kernels_refusal_names_the_users_instruction),
		cmocka_unit_test(what_is_too_complex_for_the_kernel_is_not_tried_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
