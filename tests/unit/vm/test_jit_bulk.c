/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_jit_bulk.c - reductions over fields of every size, at every place of records of every size,
 * in vectors of every number of lanes, against the interpreter.
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
#include "tests/support/fenced.h"
#include "tests/support/jit_path.h"
#include "tests/support/vm_asm.h"
#include "tests/support/vm_gen.h"
#include "vm/jit.h"
#include "vm/vm_interp.h"

enum { CELLS = 12, CELL_BYTES = 16, STATE_BYTES = CELLS * CELL_BYTES, RECORDS = 83 };

static const struct jit_module *jit;

static int load_jit(void **state)
{
	struct nf_error err;

	(void)state;
	if (jit_module_load(jit_path(), &jit, &err))
		print_message("SKIP: %s\n", err.text);
	return 0;
}

static unsigned below(uint64_t *seed, unsigned n)
{
	return (unsigned)(vm_gen_random(seed) % n);
}

/* A field of the record: `bytes` long, anywhere. */
static int field(uint64_t *seed, unsigned record_bytes, unsigned *ret_bytes)
{
	do
		*ret_bytes = 1u << below(seed, 4);
	while (*ret_bytes > record_bytes);
	return (int)below(seed, record_bytes - *ret_bytes + 1);
}

/* One cell's update in assembly. What is compared has the cell's size. */
static void add_cell(FILE *to, uint64_t *seed, unsigned record_bytes, unsigned k)
{
	static const char *const plain[] = {"+=", "-=", "|=", "&=", "^="};
	static const char *const compare[] = {"<=", ">=", "s<=", "s>="};
	unsigned bytes, kind = below(seed, 15), at = k * CELL_BYTES;
	int off = field(seed, record_bytes, &bytes);

	if (below(seed, 8))
		fprintf(to, "r3 = *(u%u *)(r7 + %d)\n", 8 * bytes, off);
	else
		fprintf(to, "r3 = r8\n");
	if (!below(seed, 4)) /* not all that match */
		fprintf(to, "if r3 < %u goto s%u\n", below(seed, 256), k);
	if (kind < 5) {
		static const char *const more[] = {"*=", "/=", "s%=", "<<="};
		unsigned extra = below(seed, 12);
		unsigned cell = 1u << below(seed, 4);

		if (extra < ARRAY_SIZE(more)) {
			off = field(seed, record_bytes, &bytes);
			fprintf(to, "r5 = *(u%u *)(r7 + %d)\nr3 %s r5\n", 8 * bytes, off,
				more[extra]);
		}
		fprintf(to, "r4 = *(u%u *)(r6 + %u)\nr4 %s r3\n*(u%u *)(r6 + %u) = r4\n", 8 * cell,
			at, plain[kind], 8 * cell, at);
	} else if (kind < 9) {
		/* Signed comparisons there are of 32 and 64 bits. */
		if (kind >= 7 && bytes < 4)
			kind -= 2;
		fprintf(to, "r4 = *(u%u *)(r6 + %u)\n", 8 * bytes, at);
		fprintf(to, bytes == 4 ? "if w4 %s w3 goto s%u\n" : "if r4 %s r3 goto s%u\n",
			compare[kind - 5], k);
		fprintf(to, "*(u%u *)(r6 + %u) = r3\n", 8 * bytes, at);
	} else if (kind < 11) {
		fprintf(to, "r1 = r6\nr1 += %u\nr2 = r3\ncall fold_add128\n", at);
		if (kind == 10)
			fprintf(to, "if r0 == 0 goto s%u\nr1 = 7\ncall fold_fail\n", k);
	} else if (kind == 11) {
		fprintf(to, "if r3 == 0 goto s%u\nr4 = *(u64 *)(r6 + %u)\nr4 += 1\n", k, at);
		fprintf(to, "*(u64 *)(r6 + %u) = r4\n", at);
	} else if (kind == 12) {
		/* 128 bits in two words, with the carry as fold_carry() has it */
		fprintf(to,
			"r4 = *(u64 *)(r6 + %u)\nr5 = r4\nr5 += r3\n*(u64 *)(r6 + %u) = r5\n"
			"r1 = r4\nr1 |= r3\nr5 ^= -1\nr1 &= r5\nr4 &= r3\nr1 |= r4\nr1 >>= 63\n"
			"r4 = *(u64 *)(r6 + %u)\nr4 += r1\n",
			at, at, at + 8);
		if (below(seed, 2))
			fprintf(to, "r3 s>>= 63\nr4 += r3\n");
		fprintf(to, "*(u64 *)(r6 + %u) = r4\n", at + 8);
	} else if (kind == 13) {
		fprintf(to, "if r3 != %u goto s%u\nr1 = %u\ncall fold_fail\n", below(seed, 256), k,
			k);
	} else {
		off = field(seed, record_bytes, &bytes);
		fprintf(to,
			"r1 = r3\nr2 = *(u%u *)(r7 + %d)\nr3 = r10\nr3 += -8\ncall fold_%s_s64\n"
			"if r0 == 0 goto f%u\nr1 = 8\ncall fold_fail\nf%u:\n"
			"r3 = *(u64 *)(r10 - 8)\nr4 = *(u64 *)(r6 + %u)\nr4 += r3\n"
			"*(u64 *)(r6 + %u) = r4\n",
			8 * bytes, off, below(seed, 2) ? "mul" : "add", k, k, at, at);
	}
	fprintf(to, "s%u:\n", k);
}

static uint32_t assemble(const char *text, struct bpf_insn *insns, size_t max)
{
	char error[VM_ASM_ERROR_BYTES] = "";
	int n = vm_asm(text, insns, max, NULL, NULL, error);

	if (n < 0)
		fail_msg("%s in\n%s", error, text);
	return (uint32_t)n;
}

/* What the filter keeps: most, few, or it fails. */
static void add_filter(FILE *to, uint64_t *seed, unsigned record_bytes)
{
	unsigned bytes;
	int off = field(seed, record_bytes, &bytes);

	if (!below(seed, 4))
		fprintf(to,
			"r3 = *(u%u *)(r1 + %d)\nif r3 != %u goto on\nr1 = 9\ncall "
			"fold_fail\non:\n",
			8 * bytes, off, below(seed, 256));
	off = field(seed, record_bytes, &bytes);
	fprintf(to,
		"r3 = *(u%u *)(r1 + %d)\nr3 &= 255\nr0 = 1\nif r3 %s %u goto out\nr0 = 0\nout:\n"
		"exit\n",
		8 * bytes, off, below(seed, 2) ? "<" : ">", below(seed, 256));
}

static struct vm_program *make_program(uint64_t *seed, unsigned record_bytes, unsigned more)
{
	struct bpf_insn filter[32], reduce[1024], combine[2];
	struct vm_bounds bounds = {record_bytes, record_bytes + more};
	char text[8192];
	FILE *to = fmemopen(text, sizeof(text), "w");
	struct program_func funcs[3] = {
		{.kind = PROGRAM_REDUCE, .name = "reduce", .insns = reduce},
		{.kind = PROGRAM_COMBINE, .name = "combine", .insns = combine},
		{.kind = PROGRAM_FILTER, .name = "filter", .insns = filter},
	};
	struct program draft = {.n_funcs = 2 + below(seed, 2),
				.funcs = funcs,
				.record_bytes = more ? 0 : record_bytes,
				.state_bytes = STATE_BYTES};
	struct vm_program *vp;
	struct program *p;
	struct nf_error err;

	assert_non_null(to);
	fprintf(to, "r6 = r1\nr7 = r2\nr8 = r3\n");
	for (unsigned k = 0; k < 1 + below(seed, CELLS); k++)
		add_cell(to, seed, record_bytes, k);
	fprintf(to, "r0 = 0\nexit\n");
	fclose(to);
	funcs[0].n_insns = assemble(text, reduce, ARRAY_SIZE(reduce));
	funcs[1].n_insns = assemble("r0 = 0\nexit\n", combine, ARRAY_SIZE(combine));
	to = fmemopen(text, sizeof(text), "w");
	assert_non_null(to);
	add_filter(to, seed, record_bytes);
	fclose(to);
	funcs[2].n_insns = assemble(text, filter, ARRAY_SIZE(filter));
	if (program_create(&draft, &p, &err) || vm_verify(p, &bounds, &vp, &err))
		fail_msg("%s", err.text);
	program_unref(p);
	return vp;
}

struct outcome {
	uint8_t state[STATE_BYTES];
	uint64_t records, matched;
	bool failed;
	struct vm_trap trap; /* of the last record */
};

/* Record i is at starts[i], and ends `gap` before the next one. */
static void interpret(const struct vm_program *vp, const uint8_t *data, const uint32_t *starts,
		      unsigned gap, uint64_t n, struct outcome *o)
{
	struct vm_machine *m;
	uint64_t r0;

	assert_int_equal(vm_machine_new(vp, 0, &m), 0);
	for (uint64_t i = 0; i < n && !o->failed; i++) {
		struct vm_memory mem = {.record = data + starts[i],
					.record_bytes = starts[i + 1] - starts[i] - gap,
					.state = o->state};

		vm_machine_refill(m);
		if (vp->code[PROGRAM_FILTER].flat.n_insns) {
			o->failed = !vm_interp(m, PROGRAM_FILTER, &mem, &r0, &o->trap);
			o->records++;
			if (o->failed || !(uint32_t)r0)
				continue;
		} else {
			o->records++;
		}
		o->matched++;
		o->failed = !vm_interp(m, PROGRAM_REDUCE, &mem, &r0, &o->trap);
	}
	vm_machine_free(m);
}

/* Returns whether the code has the function bulk. more: records are lines, and up to so many bytes
 * longer. */
static bool compare(const struct vm_program *vp, unsigned lanes, uint64_t seed,
		    unsigned record_bytes, unsigned more)
{
	struct jit_options options = {.fixed = !more, .lanes = more ? 0 : lanes};
	uint64_t n = below(&seed, RECORDS);
	uint32_t starts[RECORDS + 1] = {0};
	uint8_t *data;
	struct outcome want = {0}, got;
	struct jit_image *image;
	struct jit_code code;
	struct nf_error err;
	bool bulk;

	for (uint64_t i = 0; i < n; i++)
		starts[i + 1] = starts[i] + record_bytes + (more ? 1 + below(&seed, more + 1) : 0);
	data = fenced_new(starts[n]);
	vm_gen_bytes(&seed, data, starts[n]);
	vm_gen_bytes(&seed, want.state, sizeof(want.state));
	/* Now and then a 128-bit sum without room. */
	for (unsigned k = 0; below(&seed, 8) && k < CELLS; k++)
		want.state[k * CELL_BYTES + 15] = (uint8_t)below(&seed, 2) - 1;
	got = want;
	interpret(vp, data, starts, more ? 1 : 0, n, &want);
	if (jit->compile(vp, &options, &image, &err) ||
	    jit_image_map(image, sizeof(*image) + image->bytes, &code, &err))
		fail_msg("%s", err.text);
	bulk = image->bulk != JIT_NONE;
	if (bulk)
		assert_int_equal(image->lanes, more ? 1 : lanes);

	struct jit_ctx ctx = {.helpers = jit_helper_table(), .budget = VM_DEFAULT_BUDGET};
	static const uint8_t nothing[1];
	int r = jit_fold(&code, &ctx, data, n, record_bytes + more, more ? starts : NULL, got.state,
			 nothing, nothing);

	assert_int_equal(r, want.failed ? JIT_TRAP : JIT_DONE);
	if (want.failed) {
		assert_int_equal(ctx.at, want.records - 1);
		assert_int_equal(ctx.trap.kind, want.trap.kind);
		assert_int_equal(ctx.trap.entry, want.trap.entry);
		assert_int_equal(ctx.trap.insn, want.trap.insn);
		assert_int_equal(ctx.trap.code, want.trap.code);
	} else {
		assert_memory_equal(got.state, want.state, sizeof(want.state));
		assert_int_equal(ctx.records, want.records);
		assert_int_equal(ctx.matched, want.matched);
	}
	jit_code_unmap(&code);
	free(image);
	fenced_free(data, starts[n]);
	return bulk;
}

static void any_field_of_any_record(void **state)
{
	const char *text = getenv("NEARFOLD_SEED"), *count = getenv("NEARFOLD_PROGRAMS");
	uint64_t first = text ? strtoull(text, NULL, 0) : 1,
		 n = count ? strtoull(count, NULL, 0) : 300;
	unsigned n_bulk = 0;

	(void)state;
	if (!jit)
		skip();
	for (uint64_t i = first; i < first + n; i++) {
		uint64_t seed = i;
		unsigned record_bytes = 1 + below(&seed, i % 2 ? 40 : 150);
		unsigned more = below(&seed, 6) ? 0 : 1 + below(&seed, 30);
		struct vm_program *vp = make_program(&seed, record_bytes, more);

		if (getenv("NEARFOLD_VERBOSE"))
			print_message("# seed %" PRIu64 "\n", i);
		n_bulk += compare(vp, 1u << i % 5, seed, record_bytes, more);
		vm_program_unref(vp);
	}
	print_message("# %u of %" PRIu64 " in bulk\n", n_bulk, n);
	assert_true(n_bulk > n / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(any_field_of_any_record)};

	return cmocka_run_group_tests(tests, load_jit, NULL);
}
