/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The JIT engine against the interpreter: random programs over random records give the same
 * bytes, the same counts and the same errors. NEARFOLD_SEED repeats a run, NEARFOLD_PROGRAMS says
 * how many programs.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/scope.h"
#include "scan/engine.h"
#include "tests/support/fenced.h"
#include "tests/support/jit_path.h"
#include "tests/support/vm_asm.h"
#include "tests/support/vm_gen.h"

enum { MAX_BYTES = 64 << 10 };

struct outcome {
	int ret;
	struct nf_error err;
	uint64_t records, matched;
	uint8_t *bytes; /* state, or key and state of each group in order */
	size_t n_bytes;
	struct jit_image *image; /* that the engine compiled, or NULL */
	size_t image_bytes;
};

static int compare_groups(const void *a, const void *b, void *n)
{
	return memcmp(a, b, *(const size_t *)n);
}

/* Fold the spans one after the other; keep what came out. */
static void run(const struct engine_ops *ops, const struct engine_config *cfg,
		const struct span *spans, unsigned n_spans, struct outcome *ret)
{
	const struct program *p = cfg->program->program;
	void *engine, *thread;
	struct fold *fold;

	memset(ret, 0, sizeof(*ret));
	if (ops->open(cfg, &engine, &ret->err) || ops->thread_open(engine, &thread, &ret->err) ||
	    (ops->start && ops->start(engine, &ret->err)))
		fail_msg("%s: %s", ops->name, ret->err.text);
	for (unsigned i = 0; i < n_spans && !ret->ret; i++)
		ret->ret = ops->fold(thread, &spans[i], &ret->err);
	fold = ops->thread_fold(thread);
	ret->records = fold->records;
	ret->matched = fold->matched;
	if (fold->groups) {
		size_t one = p->key_bytes + p->state_bytes, at = 0;
		const uint8_t *key;
		uint8_t *state;
		uint64_t cursor = 0;

		ret->n_bytes = groups_count(fold->groups) * one;
		ret->bytes = malloc(ret->n_bytes + 1);
		while (groups_next(fold->groups, &cursor, &key, &state)) {
			memcpy(ret->bytes + at, key, p->key_bytes);
			memcpy(ret->bytes + at + p->key_bytes, state, p->state_bytes);
			at += one;
		}
		qsort_r(ret->bytes, groups_count(fold->groups), one, compare_groups, &one);
	} else {
		ret->n_bytes = p->state_bytes;
		ret->bytes = malloc(ret->n_bytes + 1);
		memcpy(ret->bytes, fold->state, ret->n_bytes);
	}
	if (ops == &engine_jit && engine_jit_image(engine)) {
		const struct jit_image *image = engine_jit_image(engine);

		ret->image_bytes = sizeof(*image) + image->bytes;
		ret->image = malloc(ret->image_bytes);
		memcpy(ret->image, image, ret->image_bytes);
	}
	ops->thread_close(thread);
	ops->close(engine);
}

static void outcome_done(struct outcome *o)
{
	free(o->bytes);
	free(o->image);
}

static void check_same(const struct outcome *a, const struct outcome *b, uint64_t seed)
{
	if (a->ret != b->ret)
		fail_msg("seed %" PRIu64 ": interp gives %d (%s: %s), jit %d (%s: %s)", seed,
			 a->ret, a->err.where, a->err.text, b->ret, b->err.where, b->err.text);
	if (a->ret < 0) {
		/* The state is of no use then; the reason must be the same. */
		assert_string_equal(a->err.where, b->err.where);
		assert_string_equal(a->err.text, b->err.text);
		return;
	}
	if (a->records != b->records || a->matched != b->matched || a->n_bytes != b->n_bytes ||
	    memcmp(a->bytes, b->bytes, a->n_bytes))
		fail_msg("seed %" PRIu64 ": interp and jit differ: records %" PRIu64 " %" PRIu64
			 ", matched %" PRIu64 " %" PRIu64,
			 seed, a->records, b->records, a->matched, b->matched);
}

static size_t make_lines(uint64_t *random, uint8_t *data, size_t n)
{
	size_t at = 0;

	while (at < n) {
		size_t len = vm_gen_random(random) % 60;

		if (len > n - at)
			len = n - at;
		vm_gen_bytes(random, data + at, len);
		for (size_t i = 0; i < len; i++)
			if (data[at + i] == '\n')
				data[at + i] = ' ';
		at += len;
		if (at < n)
			data[at++] = '\n';
	}
	return n;
}

/* One random program over random records; false: the verifier refused it. */
static bool one_program(uint64_t seed, const struct vm_gen_options *options, bool lines)
{
	struct vm_gen *gen = vm_gen_new(seed, options);
	struct program *p;
	struct vm_program *vp;
	struct vm_bounds bounds;
	uint8_t *data, *params;
	uint64_t random = seed;
	struct outcome a, b, c;
	size_t bytes;
	struct span spans[3];

	assert_non_null(gen);
	if (program_create(vm_gen_draft(gen), &p, NULL)) {
		vm_gen_free(gen);
		return false;
	}
	bounds = vm_bounds_of(p);
	if (!lines && !p->record_bytes)
		bounds.record_min_bytes = bounds.record_max_bytes = 40;
	if (vm_verify(p, &bounds, &vp, NULL)) {
		program_unref(p);
		vm_gen_free(gen);
		return false;
	}
	params = calloc(1, p->params_bytes + 1);
	vm_gen_bytes(&random, params, p->params_bytes);

	struct engine_config cfg = {
		.program = vp,
		.params = params,
		.format = lines ? FORMAT_LINES : FORMAT_FIXED,
		.record_bytes = bounds.record_max_bytes,
		.budget = 2000,
		.max_groups = 5000,
		.jit_module = jit_path(),
		.jit_wait = true,
		.cpu_threads = 1,
	};
	bytes = lines ? 6000 : (vm_gen_random(&random) % 120) * bounds.record_max_bytes;
	data = fenced_new(bytes);
	if (lines)
		make_lines(&random, data, bytes);
	else
		vm_gen_bytes(&random, data, bytes);
	size_t cut = lines ? 0 : bytes / 3 / bounds.record_max_bytes * bounds.record_max_bytes;
	spans[0] = (struct span){data, cut, "a", 0};
	spans[1] = (struct span){data + cut, bytes - cut, "a", cut};
	run(&engine_interp, &cfg, spans, 2, &a);
	run(&engine_jit, &cfg, spans, 2, &b);
	check_same(&a, &b, seed);
	assert_non_null(b.image);
	/* Again with that code from a cache, or compiled while the interpreter begins. */
	if (seed % 2) {
		cfg.jit_image = b.image;
		cfg.jit_image_bytes = b.image_bytes;
	}
	cfg.jit_wait = false;
	run(&engine_jit, &cfg, spans, 2, &c);
	check_same(&a, &c, seed);
	if (seed % 2)
		assert_null(c.image);
	outcome_done(&a);
	outcome_done(&b);
	outcome_done(&c);
	fenced_free(data, bytes);
	free(params);
	vm_program_unref(vp);
	program_unref(p);
	vm_gen_free(gen);
	return true;
}

/* Does not return when there is no JIT: call it before anything is allocated. */
static void skip_without_jit(void)
{
	const struct engine_config cfg = {.jit_module = jit_path()};
	struct nf_error why;

	if (!engine_jit.check(&cfg, &why))
		return;
	print_message("SKIP: %s\n", why.text);
	skip();
}

static void many(const struct vm_gen_options *options, bool lines)
{
	skip_without_jit();

	const char *text = getenv("NEARFOLD_SEED"), *count = getenv("NEARFOLD_PROGRAMS");
	uint64_t seed = text ? strtoull(text, NULL, 0) : 1,
		 n = count ? strtoull(count, NULL, 0) : 150;
	unsigned accepted = 0;

	for (uint64_t i = 0; i < n; i++)
		accepted += one_program(seed + i, options, lines);
	print_message("# seeds %" PRIu64 "..%" PRIu64 ": %u programs accepted and run\n", seed,
		      seed + n - 1, accepted);
	assert_true(accepted > n / 4);
}

static void random_programs_over_fixed_records(void **state)
{
	(void)state;
	many(&(struct vm_gen_options){.no_key = true}, false);
}

static void random_grouped_programs(void **state)
{
	(void)state;
	many(&(struct vm_gen_options){.pointers = true}, false);
}

static void random_reductions(void **state)
{
	(void)state;
	many(
		&(struct vm_gen_options){
			.no_key = true, .no_loops = true, .no_guards = true, .additive = true},
		false);
}

static void random_straight_programs(void **state)
{
	(void)state;
	many(&(struct vm_gen_options){.no_key = true, .no_loops = true, .no_guards = true}, false);
}

static void random_programs_over_lines(void **state)
{
	(void)state;
	many(&(struct vm_gen_options){.any_length = true}, true);
}

/* An image that is cut short, or for another CPU, is not mapped: the engine compiles. */
static void code_that_does_not_fit_is_compiled_anew(void **state)
{
	skip_without_jit();

	const struct vm_gen_options options = {.no_key = true};
	struct vm_gen *gen = vm_gen_new(3, &options);
	struct program *p;
	struct vm_program *vp;
	struct vm_bounds bounds;
	struct outcome good, other;
	static const uint8_t zeroes[PROGRAM_MAX_PARAMS_BYTES], data[1];
	struct span span = {data, 0, "a", 0};

	(void)state;
	assert_non_null(gen);
	assert_int_equal(program_create(vm_gen_draft(gen), &p, NULL), 0);
	vm_gen_free(gen);
	bounds = vm_bounds_of(p);
	if (!p->record_bytes)
		bounds.record_min_bytes = bounds.record_max_bytes = 40;
	assert_int_equal(vm_verify(p, &bounds, &vp, NULL), 0);

	struct engine_config cfg = {
		.program = vp,
		.params = zeroes,
		.format = FORMAT_FIXED,
		.record_bytes = bounds.record_max_bytes,
		.jit_module = jit_path(),
		.jit_wait = true,
		.cpu_threads = 1,
	};

	run(&engine_jit, &cfg, &span, 1, &good);
	assert_non_null(good.image);
	cfg.jit_image = good.image;
	cfg.jit_image_bytes = good.image_bytes;
	for (unsigned i = 0; i < 3; i++) {
		if (i == 0)
			cfg.jit_image_bytes = good.image_bytes - 1;
		else if (i == 1)
			cfg.jit_image_bytes = 3;
		else
			good.image->cpu[7] ^= 1;
		run(&engine_jit, &cfg, &span, 1, &other);
		assert_non_null(other.image);
		outcome_done(&other);
		cfg.jit_image_bytes = good.image_bytes;
	}
	good.image->cpu[7] ^= 1;
	run(&engine_jit, &cfg, &span, 1, &other);
	assert_null(other.image);
	outcome_done(&other);
	outcome_done(&good);
	vm_program_unref(vp);
	program_unref(p);
}

/* Counts the bytes of a line up to a colon: six metered instructions a byte. */
static struct vm_program *byte_search(uint32_t longest)
{
	static const char text[] = "r5 = 0\nif r3 == 0 goto out\nagain:\nr4 = r2\nr4 += r5\n"
				   "r0 = *(u8 *)(r4 + 0)\nif w0 == 58 goto out\nr5 += 1\n"
				   "if r5 < r3 goto again\nout:\nr4 = *(u64 *)(r1 + 0)\nr4 += r5\n"
				   "*(u64 *)(r1 + 0) = r4\nr0 = 0\nexit\n";
	struct bpf_insn reduce[32], combine[2];
	char error[VM_ASM_ERROR_BYTES] = "";
	int n = vm_asm(text, reduce, 32, NULL, NULL, error);
	struct program_func funcs[] = {
		{PROGRAM_REDUCE, "add", reduce, (uint32_t)n, 0, NULL},
		{PROGRAM_COMBINE, "merge", combine, 2, 0, NULL},
	};
	struct program draft = {.n_funcs = 2, .funcs = funcs, .state_bytes = 8};
	struct vm_bounds bounds = {0, longest};
	struct vm_program *vp;
	struct program *p;

	assert_int_equal(vm_asm("r0 = 0\nexit\n", combine, 2, NULL, NULL, error), 2);
	if (n < 0)
		fail_msg("%s", error);
	assert_int_equal(program_create(&draft, &p, NULL), 0);
	assert_int_equal(vm_verify(p, &bounds, &vp, NULL), 0);
	program_unref(p);
	return vp;
}

/* The greatest power of two from 256 on whose lines are affordable is among them. */
static void check_bounds(const struct jit_image *image, uint64_t budget)
{
	uint64_t greatest = 0;
	bool found = false;

	for (uint64_t bytes = 256; bytes <= PROGRAM_MAX_RECORD_BYTES; bytes *= 2)
		if (6 * bytes <= budget)
			greatest = bytes;
	for (unsigned k = 0; k < image->n_bounds; k++) {
		const struct jit_bound *bound = &image->bounds[k];

		assert_int_equal(bound->cost, 6 * bound->record_bytes);
		assert_true(!k || bound->record_bytes > bound[-1].record_bytes);
		found |= bound->record_bytes == greatest;
	}
	assert_true(found || !greatest);
}

/* Code without the meter takes lines for whose length, rounded up to a power of two, the budget is
 * enough. */
static void lines_that_cannot_use_up_the_budget_go_without_the_meter(void **state)
{
	skip_without_jit();

	static const struct {
		uint32_t longest;
		uint64_t budget;
	} cases[] = {
		{4096, 6 * 4096},
		{4096, 6 * 4095},
		{4096, 6 * 4095 - 1},
		{4097, 6 * 4096},
		{4097, 6 * 4096 - 1},
		{9000, 6 * 4096},
		{9000, 0},
		{131072, 0},
		{200000, 0},
		{262144, 6 * 262144},
		{262145, 6 * 262144},
		{300000, 6 * 524288},
		{PROGRAM_MAX_RECORD_BYTES, 6 * PROGRAM_MAX_RECORD_BYTES},
		{PROGRAM_MAX_RECORD_BYTES, 6 * PROGRAM_MAX_RECORD_BYTES - 7},
		{10, 5},
		{10, 54},
		{10, 53},
	};
	enum { BYTES = PROGRAM_MAX_RECORD_BYTES + 16 };
	AUTO_FREE uint8_t *data = malloc(BYTES);
	struct vm_program *vp = byte_search(PROGRAM_MAX_RECORD_BYTES);
	struct engine_config cfg = {
		.program = vp,
		.format = FORMAT_LINES,
		.jit_module = jit_path(),
		.jit_wait = true,
		.cpu_threads = 1,
	};
	unsigned trapped = 0;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct span span = {data, 0, "a", 0};
		struct outcome a, b;

		memset(data, 'x', BYTES);
		data[5] = ':';
		data[8] = '\n';
		data[9 + cases[i].longest] = '\n';
		span.bytes = 9 + cases[i].longest + 1;
		cfg.budget = cases[i].budget;
		run(&engine_interp, &cfg, &span, 1, &a);
		run(&engine_jit, &cfg, &span, 1, &b);
		assert_int_not_equal(b.image->unmetered, JIT_NONE);
		check_bounds(b.image, cases[i].budget ? cases[i].budget : VM_DEFAULT_BUDGET);
		check_same(&a, &b, i);
		trapped += a.ret < 0;
		outcome_done(&a);
		outcome_done(&b);
	}
	assert_int_equal(trapped, 7);
	vm_program_unref(vp);
}

static void the_shortest_records_have_a_bound_too(void **state)
{
	skip_without_jit();

	static const uint32_t longest[] = {1, 100, 128, 129, 255, 256, 257, 511};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(longest); i++) {
		static const uint8_t data[] = "x\n";
		struct span span = {data, 2, "a", 0};
		struct vm_program *vp = byte_search(longest[i]);
		struct engine_config cfg = {
			.program = vp,
			.format = FORMAT_LINES,
			.jit_module = jit_path(),
			.jit_wait = true,
			.cpu_threads = 1,
		};
		struct outcome o;

		run(&engine_jit, &cfg, &span, 1, &o);
		assert_int_equal(o.ret, 0);
		assert_true(o.image->n_bounds > 0);
		assert_int_equal(o.image->bounds[o.image->n_bounds - 1].record_bytes, longest[i]);
		assert_int_not_equal(o.image->unmetered, JIT_NONE);
		outcome_done(&o);
		vm_program_unref(vp);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_programs_over_fixed_records),
		cmocka_unit_test(random_grouped_programs),
		cmocka_unit_test(random_reductions),
		cmocka_unit_test(random_straight_programs),
		cmocka_unit_test(random_programs_over_lines),
		cmocka_unit_test(code_that_does_not_fit_is_compiled_anew),
		cmocka_unit_test(lines_that_cannot_use_up_the_budget_go_without_the_meter),
		cmocka_unit_test(the_shortest_records_have_a_bound_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
