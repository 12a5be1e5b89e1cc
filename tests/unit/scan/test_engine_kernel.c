/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kernel engine gives what interp gives. Skipped, with the engine's reason, where it cannot
 * run. */
#include "scan_fixture.h"

#include <inttypes.h>

#include "program/program_elf.h"
#include "scan/engine_kernel_load.h"
#include "tests/support/fold_run.h"
#include "tests/support/vm_asm.h"
#include "tests/support/vm_gen.h"
#include "tests/support/skip_unless.h"

struct example {
	const char *object; /* below $B */
	const char *params; /* the first bytes of PARAMS */
	uint32_t params_bytes;
	enum record_format format;
	void (*fill)(uint8_t *data, size_t bytes);
};

static uint64_t random_state = 88172645463325252ull;

static uint64_t random64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Bytes whose 24-byte records look like symbols: small kinds, sizes over many magnitudes. */
static void fill_symbols(uint8_t *data, size_t bytes)
{
	for (size_t i = 0; i + 24 <= bytes; i += 24) {
		uint64_t size = random64() >> (random64() % 64);

		memset(data + i, 0, 24);
		data[i + 4] = (uint8_t)((random64() % 3) << 4 | random64() % 7);
		data[i + 6] = (uint8_t)(random64() % 4);
		memcpy(data + i + 16, &size, 8);
	}
}

static void fill_random(uint8_t *data, size_t bytes)
{
	for (size_t i = 0; i + 8 <= bytes; i += 8) {
		uint64_t x = random64();

		memcpy(data + i, &x, 8);
	}
}

/* Some NaNs, infinities and subnormals; mostly numbers that a sum feels. */
static void fill_doubles(uint8_t *data, size_t bytes)
{
	for (size_t i = 0; i + 8 <= bytes; i += 8) {
		uint64_t x = random64();

		if (random64() % 64)
			x = (x & ~(2047ull << 52)) | (1003 + random64() % 40) << 52;
		if (i > bytes / 2 || (x >> 52 & 2047) < 2047) /* no infinite sum too early */
			memcpy(data + i, &x, 8);
		else
			memset(data + i, 0, 8);
	}
}

static void fill_text(uint8_t *data, size_t bytes)
{
	static const char *const words[] = {
		"error", "err",        "warning",
		"e",     "\n",         "\n\n",
		" ",     "errorerror", "a rather long word that goes on and on"};
	size_t at = 0;

	while (at < bytes) {
		const char *w = words[random64() % 9];
		size_t n = strlen(w);

		n = n < bytes - at ? n : bytes - at;
		memcpy(data + at, w, n);
		at += n;
	}
}

static const struct example examples[] = {
	{"average", NULL, 0, FORMAT_FIXED, fill_symbols},
	{"group_by", "\x10\0\0\0\0\0\0", 8, FORMAT_FIXED, fill_symbols},
	{"histogram", NULL, 0, FORMAT_FIXED, fill_symbols},
	{"min_max", NULL, 0, FORMAT_FIXED, fill_random},
	{"top_k", NULL, 0, FORMAT_FIXED, fill_random},
	{"grep_count", "error", 64, FORMAT_LINES, fill_text},
	{"variance", NULL, 0, FORMAT_FIXED, fill_doubles},
};

static void need(int r, const struct nf_error *err)
{
	if (r)
		fail_msg("%s: %s", err->where, err->text);
}

static struct program *load(const char *name)
{
	const char *b = getenv("B");
	struct nf_error err = {0};
	struct program *p = NULL;
	char path[512];

	snprintf(path, sizeof(path), "%s/examples/%s.bpf.o", b ? b : "build/release", name);
	need(program_elf_open(path, &p, &err), &err);
	return p;
}

/* False: the kernel's verifier refuses the program. */
static bool compare(const struct engine_config *cfg, const struct fold_input *in, const char *what)
{
	struct fold_output want, got;
	char text[2048];

	assert_int_equal(fold_run(&engine_interp, cfg, in, &want), 0);
	if (fold_run(&engine_kernel, cfg, in, &got)) {
		print_message("# %s: %s: %s\n", what, got.err.where, got.err.text);
		fold_output_done(&want);
		if (!strstr(got.err.text, "the kernel's verifier refused it"))
			fail();
		return false;
	}
	if (!fold_output_same(&want, &got, text, sizeof(text)))
		fail_msg("%s: interp and kernel differ: %s", what, text);
	fold_output_done(&want);
	fold_output_done(&got);
	return true;
}

/* Ways to hand the bytes over: spans, reads. */
static const struct {
	size_t span, read;
} ways[] = {{0, 0}, {4096, 0}, {0, 256 << 10}, {0, 5000}};

static void compare_all(struct program *p, const uint8_t *params, enum record_format format,
			const uint8_t *data, size_t bytes, const char *name)
{
	struct vm_bounds bounds = vm_bounds_of(p);
	struct nf_error err = {0};
	struct vm_program *vp;

	need(vm_verify(p, &bounds, &vp, &err), &err);
	struct engine_config cfg = {
		.program = vp, .params = params, .format = format, .record_bytes = p->record_bytes};

	for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
		struct fold_input in = {data, bytes, ways[w].span, ways[w].read};
		char what[128];

		if (p->record_bytes)
			in.bytes -= bytes % p->record_bytes;
		snprintf(what, sizeof(what), "%s, spans of %zu, reads of %zu", name, in.span_bytes,
			 in.read_bytes);
		assert_true(compare(&cfg, &in, what));
	}
	vm_program_unref(vp);
}

static void examples_give_the_same_bytes(void **state)
{
	skip_without_kernel();

	enum { BYTES = 24 * 40000 };
	AUTO_FREE uint8_t *data = malloc(BYTES);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		const struct example *ex = &examples[i];
		struct program *p = load(ex->object);
		uint8_t params[64] = {0};

		ex->fill(data, BYTES);
		if (ex->params)
			memcpy(params, ex->params, strlen(ex->params));
		compare_all(p, params, ex->format, data, BYTES, ex->object);
		program_unref(p);
	}
}

/* A program of one filter and one reduce in assembly. filter may be NULL. */
static struct program *assemble(const char *filter, const char *reduce, uint32_t record_bytes,
				uint32_t state_bytes, uint32_t params_bytes)
{
	static struct bpf_insn code[2][256];
	struct bpf_insn combine[] = {{.code = BPF_JMP | BPF_EXIT}};
	struct program_func funcs[3] = {0};
	struct program draft = {.record_bytes = record_bytes,
				.state_bytes = state_bytes,
				.params_bytes = params_bytes,
				.funcs = funcs};
	const char *text[] = {reduce, filter};
	const enum program_kind kinds[] = {PROGRAM_REDUCE, PROGRAM_FILTER};
	struct nf_error err = {0};
	struct program *p;

	for (int i = 0; i < 2 && text[i]; i++) {
		char error[VM_ASM_ERROR_BYTES];
		int n = vm_asm(text[i], code[i], 256, NULL, NULL, error);

		if (n < 0)
			fail_msg("%s", error);
		funcs[draft.n_funcs++] = (struct program_func){.kind = kinds[i],
							       .name = i ? "filter" : "reduce",
							       .insns = code[i],
							       .n_insns = (uint32_t)n};
	}
	funcs[draft.n_funcs++] = (struct program_func){
		.kind = PROGRAM_COMBINE, .name = "combine", .insns = combine, .n_insns = 1};
	need(program_create(&draft, &p, &err), &err);
	return p;
}

static void lines_are_found(void **state)
{
	skip_without_kernel();

	enum { BYTES = 500000 };
	/* lines, bytes, lines of more than 100 bytes, a sum that depends on the order */
	struct program *p = assemble("r0 = 1\n if w2 > 3 goto +1\n r0 = 0\n exit\n",
				     "r4 = *(u64 *)(r1 + 0)\n r4 += 1\n *(u64 *)(r1 + 0) = r4\n"
				     "r4 = *(u64 *)(r1 + 8)\n r4 += r3\n *(u64 *)(r1 + 8) = r4\n"
				     "r4 = *(u64 *)(r1 + 16)\n r4 *= 31\n r4 += r3\n"
				     "*(u64 *)(r1 + 16) = r4\n r0 = 0\n exit\n",
				     0, 24, 0);
	AUTO_FREE uint8_t *data = malloc(BYTES);

	(void)state;
	fill_text(data, BYTES);
	compare_all(p, NULL, FORMAT_LINES, data, BYTES, "lines");
	data[BYTES - 1] = '\n';
	compare_all(p, NULL, FORMAT_LINES, data, BYTES, "lines, the last with a newline");
	memset(data, 'x', BYTES);
	compare_all(p, NULL, FORMAT_LINES, data, BYTES, "one long line");
	memset(data, '\n', BYTES);
	compare_all(p, NULL, FORMAT_LINES, data, BYTES, "nothing but newlines");
	program_unref(p);
}

/* The kernel's own counter of rounds ends at 65535 and asks a clock then; both must be right. */
static void loops_of_many_rounds(void **state)
{
	skip_without_kernel();

	enum { BYTES = 8 * 20 };
	struct program *p = assemble(NULL,
				     "r5 = 300000\n L: r5 += -1\n if r5 != 0 goto L\n"
				     "r4 = *(u64 *)(r1 + 0)\n r4 += 1\n *(u64 *)(r1 + 0) = r4\n"
				     "r0 = 0\n exit\n",
				     8, 8, 0);
	AUTO_FREE uint8_t *data = calloc(1, BYTES);

	(void)state;
	compare_all(p, NULL, FORMAT_FIXED, data, BYTES, "300000 rounds a record");
	program_unref(p);
}

/* The needle nearly fits everywhere: byte by byte it would be 2^30 rounds, and the kernel ends a
 * loop after 2^23. */
static void a_search_costs_what_it_reads(void **state)
{
	skip_without_kernel();

	enum { BYTES = 1 << 20 };
	struct program *p = assemble(NULL,
				     "r6 = r1\n r1 = r2\n r3 = r2\n r3 += 1047552\n"
				     "r2 = 1047552\n r4 = 1024\n call fold_find\n"
				     "*(u64 *)(r6 + 0) = r0\n r0 = 0\n exit\n",
				     BYTES, 8, 0);
	AUTO_FREE uint8_t *data = malloc(BYTES);

	(void)state;
	memset(data, 'a', BYTES);
	data[BYTES - 1] = 'b';
	compare_all(p, NULL, FORMAT_FIXED, data, BYTES, "a search for what is not there");
	data[BYTES - 1025] = 'b';
	compare_all(p, NULL, FORMAT_FIXED, data, BYTES, "a search for what is at the end");
	program_unref(p);
}

/* The meter: the same record, the same instruction, the same words. */
static void a_budget_ends_both_at_the_same_record(void **state)
{
	skip_without_kernel();

	enum { BYTES = 8 * 1000 };
	/* as many rounds as the record says */
	struct program *p = assemble(NULL,
				     "r5 = *(u32 *)(r2 + 0)\n L: r5 += -1\n if r5 s> 0 goto L\n"
				     "r4 = *(u64 *)(r1 + 0)\n r4 += 1\n *(u64 *)(r1 + 0) = r4\n"
				     "r0 = 0\n exit\n",
				     8, 8, 0);
	AUTO_FREE uint32_t *data = calloc(1, BYTES);

	(void)state;
	for (size_t i = 0; i < BYTES / 8; i++)
		data[2 * i] = 10;
	data[2 * 500] = 499999; /* 2 * 499998 is within the budget of 1000000 */
	compare_all(p, NULL, FORMAT_FIXED, (uint8_t *)data, BYTES, "within the budget");
	data[2 * 700] = 500010;
	compare_all(p, NULL, FORMAT_FIXED, (uint8_t *)data, BYTES, "over the budget");
	program_unref(p);
}

static void fold_fail_is_told_the_same_way(void **state)
{
	skip_without_kernel();

	enum { BYTES = 8 * 10000 };
	struct program *p = assemble("r0 = *(u32 *)(r1 + 0)\n exit\n",
				     "r5 = *(u32 *)(r2 + 4)\n if r5 != 7 goto +2\n r1 = 77\n"
				     "call fold_fail\n r4 = *(u64 *)(r1 + 0)\n r4 += r5\n"
				     "*(u64 *)(r1 + 0) = r4\n r0 = 0\n exit\n",
				     8, 8, 0);
	AUTO_FREE uint32_t *data = calloc(1, BYTES);

	(void)state;
	for (size_t i = 0; i < BYTES / 8; i++)
		data[2 * i] = i & 1;
	compare_all(p, NULL, FORMAT_FIXED, (uint8_t *)data, BYTES, "no failure");
	data[2 * 4001 + 1] = 7;
	compare_all(p, NULL, FORMAT_FIXED, (uint8_t *)data, BYTES, "one failure");
	program_unref(p);
}

/* A helper that reads the record from its start, as long as somebody says. */
static void a_guard_stops_both_at_the_same_record(void **state)
{
	skip_without_kernel();

	enum { BYTES = 100000 };
	struct program *p = assemble("r2 = *(u32 *)(r3 + 0)\n r4 = 1\n call fold_find\n"
				     "r0 += 1\n exit\n",
				     "r4 = *(u64 *)(r1 + 0)\n r4 += r3\n *(u64 *)(r1 + 0) = r4\n"
				     "r0 = 0\n exit\n",
				     0, 8, 8);
	AUTO_FREE uint8_t *data = malloc(BYTES);
	uint8_t params[8] = {20, 0, 0, 0, 0, 0, 0, 0};

	(void)state;
	memset(data, 'x', BYTES);
	for (size_t i = 20; i < BYTES; i += 21)
		data[i] = '\n';
	compare_all(p, params, FORMAT_LINES, data, BYTES, "every line is long enough");
	data[70000] = '\n';
	compare_all(p, params, FORMAT_LINES, data, BYTES, "one line is too short");
	program_unref(p);
}

static void fold_stop_ends_the_scan(void **state)
{
	skip_without_kernel();

	enum { BYTES = 8 * 10000 };
	struct program *p = assemble(NULL,
				     "r4 = *(u64 *)(r1 + 0)\n r4 += 1\n *(u64 *)(r1 + 0) = r4\n"
				     "r0 = *(u32 *)(r2 + 0)\n exit\n",
				     8, 8, 0);
	AUTO_FREE uint32_t *data = calloc(1, BYTES);

	(void)state;
	data[2 * 9000] = 1;
	compare_all(p, NULL, FORMAT_FIXED, (uint8_t *)data, BYTES, "stop at 9000");
	program_unref(p);
}

/* ---- random programs ------------------------------------------------------------------------- */

/* 0 compared, 1 not for the kernel (the reason goes to why), 2 not for anybody, 3 refused by the
 * kernel's verifier. */
static int random_program(uint64_t seed, const struct vm_gen_options *options, struct nf_error *why)
{
	enum { BYTES = 40000 };
	struct vm_gen *gen = vm_gen_new(seed, options);
	AUTO_FREE uint8_t *data = malloc(BYTES);
	AUTO_FREE uint8_t *params = NULL;
	uint64_t random = seed;
	struct vm_program *vp = NULL;
	struct program *p = NULL;
	char what[64];
	int r = 2;

	if (program_create(vm_gen_draft(gen), &p, NULL))
		goto out;
	struct vm_bounds bounds = vm_bounds_of(p);

	if (vm_verify(p, &bounds, &vp, NULL))
		goto out;
	params = malloc(p->params_bytes + 1);
	vm_gen_bytes(&random, params, p->params_bytes);
	vm_gen_bytes(&random, data, BYTES);
	if (!p->record_bytes)
		for (size_t i = 0; i < BYTES; i += 1 + random % 61)
			data[i] = (uint8_t)(vm_gen_random(&random) % 3 ? '\n' : ' ');
	struct engine_config cfg = {
		.program = vp,
		.params = params,
		.format = p->record_bytes ? FORMAT_FIXED : FORMAT_LINES,
		.record_bytes = p->record_bytes,
	};
	struct fold_input in = {data, BYTES, 0, seed % 3 ? 0 : 9000};

	if (p->record_bytes)
		in.bytes -= BYTES % p->record_bytes;
	snprintf(what, sizeof(what), "seed %" PRIu64, seed);
	r = 1;
	if (!engine_kernel.check(&cfg, why))
		r = compare(&cfg, &in, what) ? 0 : 3;
out:
	vm_program_unref(vp);
	program_unref(p);
	vm_gen_free(gen);
	return r;
}

/* NEARFOLD_PROGRAMS=N NEARFOLD_SEED=S for more, or for one that failed. */
static void random_programs_give_the_same_bytes(void **state)
{
	skip_without_kernel();

	const char *text = getenv("NEARFOLD_SEED"), *count = getenv("NEARFOLD_PROGRAMS");
	uint64_t seed = text ? strtoull(text, NULL, 0) : 1;
	uint64_t n = count ? strtoull(count, NULL, 0) : 1000;
	unsigned outcomes[4] = {0};

	(void)state;
	for (uint64_t i = seed; i < seed + n; i++) {
		struct nf_error why = {0};
		struct vm_gen_options options = {
			.any_length = i % 5 == 4,
			.no_key = i % 3 != 0,
			.no_guards = i % 4,
			.no_loops = i % 2,
			.no_helpers = i % 2,
			.pointers = i % 3,
			.max_insns = i % 7 < 3 ? 15 : 60,
		};

		outcomes[random_program(i, &options, &why)]++;
	}
	print_message("# seeds %" PRIu64
		      "..: %u compared, %u not for the kernel, %u refused by its "
		      "verifier, %u by ours\n",
		      seed, outcomes[0], outcomes[1], outcomes[3], outcomes[2]);
	assert_true(n < 100 || (outcomes[0] > n / 3 && outcomes[3] <= n / 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_give_the_same_bytes),
		cmocka_unit_test(lines_are_found),
		cmocka_unit_test(loops_of_many_rounds),
		cmocka_unit_test(a_search_costs_what_it_reads),
		cmocka_unit_test(a_budget_ends_both_at_the_same_record),
		cmocka_unit_test(fold_fail_is_told_the_same_way),
		cmocka_unit_test(a_guard_stops_both_at_the_same_record),
		cmocka_unit_test(fold_stop_ends_the_scan),
		cmocka_unit_test(random_programs_give_the_same_bytes),
	};

	if (getenv("NEARFOLD_SEED"))
		cmocka_set_test_filter("random*");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
