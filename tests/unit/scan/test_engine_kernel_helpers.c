/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Every helper called in the kernel, with results on the stack and in the state, and the reasons
 * for calls that cannot be made there. */
#include "scan_fixture.h"

#include "scan/engine_kernel_helper.h"
#include "scan/engine_kernel_load.h"
#include "tests/support/fold_run.h"
#include "tests/support/vm_asm.h"
#include "tests/support/vm_gen.h"
#include "tests/support/skip_unless.h"

/* Records of 48 bytes: two numbers, 24 bytes of text, two lengths below 12. State: 64 bytes. */
enum { RECORD_BYTES = 48, STATE_BYTES = 64, RECORDS = 20000 };

/* state[word] = state[word] * 31 + r0 */
#define MIX(word) \
	"r1 = *(u64 *)(r6 + " #word ")\n r1 *= 31\n r1 += r0\n *(u64 *)(r6 + " #word ") = r1\n"
#define BEGIN "r6 = r1\n r7 = r2\n"
#define END   "r0 = 0\n exit\n"
#define A     "r1 = *(u64 *)(r7 + 0)\n"
#define B     "r2 = *(u64 *)(r7 + 8)\n"

#define BINARY(name)                                         \
	{                                                    \
		name, BEGIN A B "call " name "\n" MIX(0) END \
	}
#define UNARY(name)                                        \
	{                                                  \
		name, BEGIN A "call " name "\n" MIX(0) END \
	}
/* The result on the stack, then in the state. */
#define OUT(name)                                                                                  \
	{name, BEGIN A B "r3 = r10\n r3 += -16\n call " name                                       \
			 "\n" MIX(0) "r0 = *(u64 *)(r10 - 16)\n" MIX(8) END},                      \
	{                                                                                          \
		name ", in the state", BEGIN A B "r3 = r6\n r3 += 16\n call " name "\n" MIX(0) END \
	}

static const struct call {
	const char *name, *reduce;
} calls[] = {
	BINARY("fold_f64_add"),
	BINARY("fold_f64_sub"),
	BINARY("fold_f64_mul"),
	BINARY("fold_f64_div"),
	BINARY("fold_f64_lt"),
	BINARY("fold_f64_le"),
	BINARY("fold_f64_eq"),
	UNARY("fold_f64_from_i64"),
	UNARY("fold_f64_to_i64"),
	OUT("fold_mul_s64"),
	OUT("fold_add_s64"),
	OUT("fold_mul128"),
	{"fold_mul128, the upper half", BEGIN A B
	 "r3 = r10\n r3 += -32\n call fold_mul128\n r0 = *(u64 *)(r10 - 24)\n" MIX(0) END},
	{"fold_add128", BEGIN "r1 += 16\n r2 = *(u64 *)(r7 + 0)\n call fold_add128\n" MIX(0) END},
	{"fold_add128, on the stack", BEGIN A B
	 "*(u64 *)(r10 - 16) = r1\n *(u64 *)(r10 - 8) = r2\n r1 = r10\n r1 += -16\n"
	 "r2 = *(u64 *)(r7 + 16)\n call fold_add128\n" MIX(0) "r0 = *(u64 *)(r10 - 16)\n" MIX(
		 8) "r0 = *(u64 *)(r10 - 8)\n" MIX(16) END},
	{"fold_add128_128", BEGIN "r1 += 16\n r2 = r7\n call fold_add128_128\n" MIX(0) END},
	{"fold_add128_128, from the stack",
	 BEGIN A "*(u64 *)(r10 - 24) = r1\n r1 s>>= 3\n *(u64 *)(r10 - 16) = r1\n"
		 "r1 = r6\n r1 += 16\n r2 = r10\n r2 += -24\n call fold_add128_128\n" MIX(0) END},
	{"fold_add128_128, both on the stack",
	 BEGIN A B "*(u64 *)(r10 - 16) = r1\n *(u64 *)(r10 - 8) = r2\n *(u64 *)(r10 - 32) = r2\n"
		   "*(u64 *)(r10 - 24) = r1\n r1 = r10\n r1 += -16\n r2 = r10\n r2 += -32\n"
		   "call fold_add128_128\n" MIX(0) "r0 = *(u64 *)(r10 - 16)\n" MIX(
			   8) "r0 = *(u64 *)(r10 - 8)\n" MIX(16) END},
	{"fold_find",
	 BEGIN "r1 = r7\n r1 += 16\n r2 = 24\n r3 = r7\n r4 = *(u8 *)(r7 + 40)\n r4 &= 3\n"
	       "call fold_find\n" MIX(0) END},
	{"fold_find, any lengths",
	 BEGIN "r1 = r7\n r1 += 16\n r2 = *(u8 *)(r7 + 40)\n r2 &= 15\n r3 = r7\n"
	       "r4 = *(u8 *)(r7 + 41)\n r4 &= 3\n call fold_find\n" MIX(0) END},
	{"fold_parse_s64",
	 BEGIN "r1 = r7\n r1 += 16\n r2 = 24\n r3 = r10\n r3 += -8\n call fold_parse_s64\n" MIX(
		 0) "r0 = *(u64 *)(r10 - 8)\n" MIX(8) END},
	{"fold_parse_s64, into the state",
	 BEGIN "r1 = r7\n r1 += 16\n r2 = *(u8 *)(r7 + 40)\n r2 &= 15\n r3 = r6\n r3 += 8\n"
	       "call fold_parse_s64\n" MIX(0) "r0 = *(u64 *)(r6 + 8)\n" MIX(16) END},
	{"a loop that pays for what it reads",
	 BEGIN "r8 = 0\nagain:\n r1 = r7\n r1 += 16\n r2 = 24\n r3 = r7\n r4 = 2\n"
	       "call fold_find\n" MIX(0) "r8 += 1\n if r8 < 9 goto again\n" END},
	{"several of them", BEGIN A B
	 "call fold_f64_mul\n r2 = r0\n r1 = *(u64 *)(r6 + 32)\n call fold_f64_add\n"
	 "*(u64 *)(r6 + 32) = r0\n r1 = r0\n r2 = *(u64 *)(r7 + 8)\n call fold_f64_div\n" MIX(
		 0) "r1 = r0\n call fold_f64_to_i64\n r2 = r0\n r1 = r6\n r1 += 16\n"
		    "call fold_add128\n" MIX(8) END},
};

static void need(int r, const struct nf_error *err)
{
	if (r)
		fail_msg("%s: %s", err->where, err->text);
}

static struct vm_program *assemble(const char *name, const char *reduce)
{
	static struct bpf_insn code[256];
	struct bpf_insn combine[] = {{.code = BPF_JMP | BPF_EXIT}};
	struct program_func funcs[2] = {
		{.kind = PROGRAM_REDUCE, .name = "reduce", .insns = code},
		{.kind = PROGRAM_COMBINE, .name = "combine", .insns = combine, .n_insns = 1},
	};
	struct program draft = {.record_bytes = RECORD_BYTES,
				.state_bytes = STATE_BYTES,
				.funcs = funcs,
				.n_funcs = 2};
	struct vm_bounds bounds = {RECORD_BYTES, RECORD_BYTES};
	char error[VM_ASM_ERROR_BYTES];
	struct nf_error err = {0};
	struct vm_program *vp;
	struct program *p;
	int n = vm_asm(reduce, code, 256, NULL, NULL, error);

	if (n < 0)
		fail_msg("%s: %s", name, error);
	funcs[0].n_insns = (uint32_t)n;
	need(program_create(&draft, &p, &err), &err);
	need(vm_verify(p, &bounds, &vp, &err), &err);
	program_unref(p);
	return vp;
}

static uint64_t seed = 7;

/* Doubles that meet, integers that overflow, digits, two letters. */
static void fill(uint8_t *data)
{
	for (size_t i = 0; i < RECORDS; i++, data += RECORD_BYTES) {
		uint64_t a = vm_gen_random(&seed), b = vm_gen_random(&seed),
			 k = vm_gen_random(&seed);

		if (k & 1)
			b = (b & ~(2047ull << 52)) |
			    ((a + ((k >> 8 & 127) - 64) * (1ull << 52)) & 2047ull << 52);
		if (k & 2)
			a = (uint64_t)((int64_t)a >> (k >> 16 & 63));
		if ((k & 12) == 12)
			b = a ^ (k >> 30 & 3);
		if ((k & 0xf0) == 0xf0)
			a &= 0x800fffffffffffff;
		if ((k & 0xf0) == 0xe0)
			a |= 2047ull << 52;
		memcpy(data, &a, 8);
		memcpy(data + 8, &b, 8);
		for (int c = 16; c < 40; c++)
			data[c] = (k & 0x100 ? "ab"
					     : "01234567890123456789+-.")[vm_gen_random(&seed) %
									  (k & 0x100 ? 2
									   : c == 16 ? 23
										     : 21)];
		if (k & 0x100)
			memcpy(data, data + 16 + (k >> 40 & 15), 3); /* what is looked for */
		memcpy(data + 40, &k, 8);
	}
}

static void compare(const char *name, struct vm_program *vp, const uint8_t *data, uint64_t budget)
{
	struct engine_config cfg = {.program = vp,
				    .format = FORMAT_FIXED,
				    .record_bytes = RECORD_BYTES,
				    .budget = budget};
	struct fold_input in = {data, RECORDS * RECORD_BYTES, 0, 0};
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

static void every_helper_gives_the_same_bits(void **state)
{
	skip_without_kernel();

	AUTO_FREE uint8_t *data = malloc(RECORDS * RECORD_BYTES);
	uint64_t called = 0;

	(void)state;
	fill(data);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		struct vm_program *vp = assemble(calls[i].name, calls[i].reduce);

		called |= vp->helpers;
		compare(calls[i].name, vp, data, 0);
		if (vp->code[PROGRAM_REDUCE].has_loop) /* 8 rounds of 1 + the way back */
			for (uint64_t budget = 1; budget < 200; budget += 7)
				compare(calls[i].name, vp, data, budget);
		vm_program_unref(vp);
	}
	for (size_t i = 1; i < vm_n_helpers; i++)
		if (!(called >> i & 1) && !kernel_helper_reason(VM_HELPER_BASE + (int32_t)i))
			fail_msg("%s is not tested", vm_helpers[i].name);
}

static void refused(const char *reduce, const char *reason)
{
	struct vm_program *vp = assemble("refused", reduce);
	struct engine_config cfg = {
		.program = vp, .format = FORMAT_FIXED, .record_bytes = RECORD_BYTES};
	struct nf_error err = {0};

	assert_int_not_equal(kernel_link_check(&cfg, &err), 0);
	assert_int_equal(err.code, NF_FAILED_PRECONDITION);
	if (!strstr(err.text, reason))
		fail_msg("'%s' lacks '%s'", err.text, reason);
	vm_program_unref(vp);
}

static void what_cannot_be_called_has_a_reason(void **state)
{
	(void)state;
	refused(BEGIN "r1 = r7\n r2 = 24\n r3 = r6\n call fold_parse_f64\n" END, "fold_parse_f64");
	refused(BEGIN A
		"*(u64 *)(r10 - 8) = r1\n r1 = r7\n r2 = 24\n r3 = r10\n r3 += -8\n r4 = 2\n"
		"call fold_find\n" END,
		"on the stack");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_helper_gives_the_same_bits),
		cmocka_unit_test(what_cannot_be_called_has_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
