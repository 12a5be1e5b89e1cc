/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Programs without a branch per record: which take that form, and that it gives interp's bits. */
#include <inttypes.h>

#include "scan_fixture.h"

#include "scan/engine_kernel_load.h"
#include "scan/engine_kernel_sweep.h"
#include "tests/support/fold_run.h"
#include "tests/support/vm_asm.h"
#include "tests/support/vm_gen.h"
#include "tests/support/skip_unless.h"

/* Records of 40 bytes: 8, 8, 4, 4, 2, 1 bytes and padding. State: 96 bytes. */
enum { RECORD_BYTES = 40, STATE_BYTES = 96, RECORDS = 150001 };

#define REDUCE                                                                     \
	"r6 = *(u64 *)(r2 + 0)\n r7 = *(u64 *)(r2 + 8)\n r8 = *(u32 *)(r2 + 16)\n" \
	"r9 = *(u32 *)(r2 + 20)\n"
#define ADD(word, reg) \
	"r5 = *(u64 *)(r1 + " #word ")\n r5 += " #reg "\n *(u64 *)(r1 + " #word ") = r5\n"
#define END         "r0 = 0\n exit\n"
#define COUNT(word) "r5 = *(u64 *)(r1 + " #word ")\n r5 += 1\n *(u64 *)(r1 + " #word ") = r5\n"
/* Counts the records for which the jump is not taken. */
#define COUNT_UNLESS(jump, word, label) jump " goto " #label "\n" COUNT(word) #label ":\n"
#define EXTREME(size, word, load, jump, label)                                                  \
	"r4 = *(" load " *)(r2 + " #word ")\n r5 = *(" load " *)(r1 + " #word ")\n if r4 " jump \
	" r5 goto " #label "\n *(" size " *)(r1 + " #word ") = r4\n" #label ":\n"

/* Adds the number in r4, `high` in r3, to the 128 bits at word and word + 8. */
#define ADD_WIDE(low, upper, label)                                                \
	"r5 = *(u64 *)(r1 + " #low ")\n r4 += r5\n *(u64 *)(r1 + " #low ") = r4\n" \
	"r0 = 1\n if r4 < r5 goto " #label "\n r0 = 0\n" #label ":\n"              \
	"r5 = *(u64 *)(r1 + " #upper ")\n r5 += r3\n r5 += r0\n *(u64 *)(r1 + " #upper ") = r5\n"

static const struct shape {
	const char *name, *filter, *reduce;
	bool sweeps;
} shapes[] = {
	{"count, no filter", NULL, REDUCE COUNT(0) END, true},
	{"sums", NULL,
	 REDUCE ADD(0, r6) ADD(8, r7) ADD(16, r8) ADD(24, r9) ADD(32, r6) ADD(40, r7) END, true},
	{"count and sum where a number of 32 bits is large",
	 "r0 = 0\n r1 = *(u32 *)(r1 + 16)\n if r1 < 0x7fffffff goto +1\n r0 = 1\n exit\n",
	 REDUCE COUNT(0) ADD(8, r6) END, true},
	{"a filter, no count",
	 "r0 = 0\n r1 = *(u32 *)(r1 + 16)\n if r1 < 1000 goto +1\n r0 = 1\n exit\n",
	 REDUCE ADD(8, r9) END, true},
	{"comparisons of 64 bits", NULL,
	 REDUCE COUNT_UNLESS("if r6 < r7", 0, a) COUNT_UNLESS("if r6 s< r7", 8, b)
		 COUNT_UNLESS("if r6 == r7", 16, c) COUNT_UNLESS("if r6 s> -5", 24, d) END,
	 true},
	{"comparisons of 32 bits", NULL,
	 REDUCE COUNT_UNLESS("if r8 <= r9", 0, a) COUNT_UNLESS("if w6 s>= w7", 8, b)
		 COUNT_UNLESS("if w8 != w9", 16, c) COUNT_UNLESS("if w8 & 3", 24, d) END,
	 true},
	{"conditions together", NULL,
	 REDUCE "if r8 < r9 goto a\n if r6 s> r7 goto b\n" COUNT(0) "goto c\na:\n" ADD(
		 8, r6) "goto c\nb:\n" ADD(16, r7) "c:\n" END,
	 true},
	{"minima and maxima of 64 bits", NULL,
	 REDUCE EXTREME("u64", 0, "u64", ">=", a) EXTREME("u64", 8, "u64", "s<=", b) END, true},
	{"and of fewer", "r0 = *(u8 *)(r1 + 26)\n r0 &= 1\n exit\n",
	 REDUCE EXTREME("u32", 16, "u32", ">=", a) EXTREME("u32", 20, "s32", "s<=", b)
		 EXTREME("u16", 24, "u16", "<=", c) EXTREME("u8", 26, "s8", "s>=", d) END,
	 true},
	{"bits", "r0 = *(u8 *)(r1 + 26)\n r0 &= 4\n exit\n",
	 REDUCE "r5 = *(u64 *)(r1 + 0)\n r5 |= r6\n *(u64 *)(r1 + 0) = r5\n"
		"r5 = *(u64 *)(r1 + 8)\n r5 &= r7\n *(u64 *)(r1 + 8) = r5\n"
		"r5 = *(u32 *)(r1 + 16)\n r5 ^= r8\n *(u32 *)(r1 + 16) = r5\n" END,
	 true},
	{"arithmetic", NULL,
	 REDUCE "r4 = r8\n r4 *= r9\n r4 += 77\n r4 ^= r6\n r4 >>= 3\n r4 -= r7\n" ADD(
		 0,
		 r4) "r4 = r6\n r4 /= 1000\n r4 %= 17\n r4 <<= 5\n" ADD(8,
									r4) "r4 = (s8)r6\n r3 = "
									    "(s32)r7\n r4 += r3\n "
									    "r4 s>>= 2\n w4 += "
									    "w8\n" ADD(16, r4) END,
	 true},
	{"a choice", NULL,
	 REDUCE "r4 = r6\n if r8 > r9 goto +1\n r4 = r7\n" ADD(
		 0, r4) "r4 = 3\n if r8 & 1 goto a\n r4 = 0x123456789abc ll\na:\n" ADD(8, r4) END,
	 true},
	{"unsigned sums of 128 bits", NULL,
	 REDUCE "r3 = 0\n r4 = r6\n" ADD_WIDE(0, 8, a) "r3 = 0\n r4 = r8\n" ADD_WIDE(16, 24, b) END,
	 true},
	{"signed sums of 128 bits", "r0 = *(u8 *)(r1 + 26)\n r0 &= 1\n exit\n",
	 REDUCE "r3 = r6\n r3 s>>= 63\n r4 = r6\n" ADD_WIDE(
		 0, 8, a) "r4 = (s32)r7\n r3 = r4\n r3 s>>= 63\n" ADD_WIDE(16, 24, b) END,
	 true},
	{"sums of 128 bits by the helper", NULL,
	 "r6 = r1\n r7 = r2\n r2 = *(u64 *)(r7 + 0)\n call fold_add128\n if w0 == 0 goto +2\n"
	 "r1 = 1\n call fold_fail\n" END,
	 true},
	{"more sums than registers", NULL,
	 REDUCE ADD(40, r6) ADD(48, r7) ADD(56, r8) ADD(64, r9) COUNT_UNLESS("if r6 < r7", 72, a)
		 COUNT_UNLESS("if r8 < r9", 80, b) EXTREME("u64", 0, "u64", ">=", c)
			 EXTREME("u64", 8, "u64", "<=", d) END,
	 true},
	{"a product of the state", NULL,
	 REDUCE "r5 = *(u64 *)(r1 + 0)\n r5 *= 31\n r5 += r6\n *(u64 *)(r1 + 0) = r5\n" END, false},
	{"the last record", NULL, REDUCE "*(u64 *)(r1 + 0) = r6\n" END, false},
};

static void need(int r, const struct nf_error *err)
{
	if (r)
		fail_msg("%s: %s", err->where, err->text);
}

static struct vm_program *assemble(const struct shape *shape, const uint8_t *init)
{
	static struct bpf_insn code[2][256];
	struct bpf_insn combine[] = {{.code = BPF_JMP | BPF_EXIT}};
	struct program_func funcs[3] = {{0}};
	struct program draft = {.record_bytes = RECORD_BYTES,
				.state_bytes = STATE_BYTES,
				.init_state = (uint8_t *)init,
				.funcs = funcs};
	const char *text[] = {shape->reduce, shape->filter};
	struct vm_bounds bounds = {RECORD_BYTES, RECORD_BYTES};
	struct nf_error err = {0};
	struct vm_program *vp;
	struct program *p;

	for (int i = 0; i < 2 && text[i]; i++) {
		char error[VM_ASM_ERROR_BYTES];
		int n = vm_asm(text[i], code[i], 256, NULL, NULL, error);

		if (n < 0)
			fail_msg("%s: %s", shape->name, error);
		funcs[draft.n_funcs++] =
			(struct program_func){.kind = i ? PROGRAM_FILTER : PROGRAM_REDUCE,
					      .name = i ? "filter" : "reduce",
					      .insns = code[i],
					      .n_insns = (uint32_t)n};
	}
	funcs[draft.n_funcs++] = (struct program_func){
		.kind = PROGRAM_COMBINE, .name = "combine", .insns = combine, .n_insns = 1};
	need(program_create(&draft, &p, &err), &err);
	need(vm_verify(p, &bounds, &vp, &err), &err);
	program_unref(p);
	return vp;
}

static bool sweeps(const struct vm_program *vp)
{
	struct kernel_sweep *w = kernel_sweep_new(vp, vp->program->record_bytes);
	struct splice *s = splice_new();
	bool yes = w && kernel_sweep_emit(w, s, 0);

	kernel_sweep_free(w);
	splice_free(s);
	return yes;
}

static void fill(uint8_t *data, size_t bytes)
{
	uint64_t seed = 3;

	vm_gen_bytes(&seed, data, bytes);
	for (size_t i = 0; i + 16 < bytes; i += 5 * RECORD_BYTES)
		memcpy(data + i + 8, data + i, 8);
}

static void compare(const char *name, struct vm_program *vp, const uint8_t *params,
		    const uint8_t *data, size_t bytes, size_t read_bytes)
{
	struct engine_config cfg = {.program = vp,
				    .params = params,
				    .format = FORMAT_FIXED,
				    .record_bytes = vp->program->record_bytes};
	struct fold_input in = {data, bytes - bytes % cfg.record_bytes, 0, read_bytes};
	struct fold_output want, got;
	char text[2048];

	assert_int_equal(fold_run(&engine_interp, &cfg, &in, &want), 0);
	if (fold_run(&engine_kernel, &cfg, &in, &got))
		fail_msg("%s: %s: %s", name, got.err.where, got.err.text);
	if (!fold_output_same(&want, &got, text, sizeof(text)))
		fail_msg("%s: interp and kernel differ: %s", name, text);
	fold_output_done(&want);
	fold_output_done(&got);
}

static void shapes_have_the_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		struct vm_program *vp = assemble(&shapes[i], NULL);

		if (sweeps(vp) != shapes[i].sweeps)
			fail_msg("%s: %s", shapes[i].name,
				 shapes[i].sweeps ? "has no form without branches" : "has one");
		vm_program_unref(vp);
	}
}

static void shapes_give_the_same_bytes(void **state)
{
	skip_without_kernel();

	AUTO_FREE uint8_t *data = malloc(RECORDS * RECORD_BYTES);
	uint8_t init[STATE_BYTES];

	(void)state;
	fill(data, RECORDS * RECORD_BYTES);
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		struct vm_program *vp = assemble(&shapes[i], NULL);
		uint64_t seed = i;

		compare(shapes[i].name, vp, NULL, data, RECORDS * RECORD_BYTES, 0);
		vm_program_unref(vp);
		/* A state that is not zeroes: 128-bit sums near their ends, too. */
		vm_gen_bytes(&seed, init, sizeof(init));
		vp = assemble(&shapes[i], init);
		if (!strstr(shapes[i].name, "by the helper")) /* overflows, in both */
			compare(shapes[i].name, vp, NULL, data, RECORDS * RECORD_BYTES, 256 << 10);
		vm_program_unref(vp);
	}
}

static unsigned swept;

static void random_program(uint64_t seed, const struct vm_gen_options *options)
{
	enum { BYTES = 60000 };
	struct vm_gen *gen = vm_gen_new(seed, options);
	AUTO_FREE uint8_t *data = malloc(BYTES);
	AUTO_FREE uint8_t *params = NULL;
	uint64_t random = seed;
	struct vm_program *vp = NULL;
	struct program *p = NULL;
	char name[64];

	if (program_create(vm_gen_draft(gen), &p, NULL))
		goto out;
	struct vm_bounds bounds = vm_bounds_of(p);

	if (vm_verify(p, &bounds, &vp, NULL) || !sweeps(vp))
		goto out;
	params = malloc(p->params_bytes + 1);
	if (engine_kernel.check(&(struct engine_config){.program = vp,
							.params = params,
							.format = FORMAT_FIXED,
							.record_bytes = p->record_bytes},
				NULL))
		goto out; /* its exact form does not fit */
	vm_gen_bytes(&random, params, p->params_bytes);
	vm_gen_bytes(&random, data, BYTES);
	swept++;
	snprintf(name, sizeof(name), "seed %" PRIu64, seed);
	compare(name, vp, params, data, BYTES, seed % 3 ? 0 : 7 * 4096);
out:
	vm_program_unref(vp);
	program_unref(p);
	vm_gen_free(gen);
}

static void random_reductions_give_the_same_bytes(void **state)
{
	skip_without_kernel();

	const char *text = getenv("NEARFOLD_SEED"), *count = getenv("NEARFOLD_PROGRAMS");
	uint64_t seed = text ? strtoull(text, NULL, 0) : 1,
		 n = count ? strtoull(count, NULL, 0) : 300;

	(void)state;
	swept = 0;
	for (uint64_t i = seed; i < seed + n; i++)
		random_program(i, &(struct vm_gen_options){
					  .no_key = true,
					  .no_loops = true,
					  .no_guards = true,
					  .no_helpers = i % 4 != 0,
					  .no_fail = true,
					  .pointers = i % 2,
					  .additive = i % 8 != 0,
					  .max_insns = i % 3 ? 14 : 40,
				  });
	print_message("# seeds %" PRIu64 "..: %u of %" PRIu64 " swept\n", seed, swept, n);
	assert_true(n < 100 || swept > n / 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes_have_the_form),
		cmocka_unit_test(shapes_give_the_same_bytes),
		cmocka_unit_test(random_reductions_give_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
