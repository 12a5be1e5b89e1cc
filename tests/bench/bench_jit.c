/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench_jit.c - compiled programs over records in memory, against the same loops in C.
 *
 *	bench_jit PROGRAMS-FOLDER JIT-MODULE [--quick]
 */
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/scope.h"
#include "bench.h"
#include "program/program_elf.h"
#include "ref_dpdk.h"
#include "ref_loops.h"
#include "scan/engine.h"
#include "scan/lines.h"
#include "vm/jit.h"

static const char *folder;
static const struct jit_module *module;
static unsigned rounds = 15;

static void die(const struct nf_error *err)
{
	char text[1100];

	fprintf(stderr, "bench_jit: %s\n", nf_error_message(err, text, sizeof(text)));
	exit(1);
}

/* A program, compiled and opened as an engine over memory. */
struct subject {
	struct vm_program *vp;
	const struct engine_ops *ops;
	void *engine, *thread;
	struct span span;
	struct fold *fold;
};

static struct vm_program *load(const char *name, const struct vm_bounds *bounds)
{
	char path[4096];
	struct nf_error err;
	struct program *p;
	struct vm_program *vp;
	struct vm_bounds b;

	snprintf(path, sizeof(path), "%s/%s.bpf.o", folder, name);
	if (program_elf_open(path, &p, &err))
		die(&err);
	b = bounds ? *bounds : vm_bounds_of(p);
	if (vm_verify(p, &b, &vp, &err))
		die(&err);
	program_unref(p);
	return vp;
}

static void open_subject(struct subject *s, const struct engine_ops *ops, struct vm_program *vp,
			 const void *params, const void *data, size_t bytes)
{
	struct nf_error err;
	uint32_t record = vp->program->record_bytes;
	struct engine_config cfg = {
		.program = vp,
		.params = params,
		.format = record ? FORMAT_FIXED : FORMAT_LINES,
		.record_bytes = record,
		.jit_wait = true,
		.cpu_threads = 1,
	};

	s->vp = vp;
	s->ops = ops;
	if (ops->open(&cfg, &s->engine, &err) || ops->thread_open(s->engine, &s->thread, &err) ||
	    (ops->start && ops->start(s->engine, &err)))
		die(&err);
	s->fold = ops->thread_fold(s->thread);
	s->span = (struct span){data, bytes, "memory", 0};
}

static void close_subject(struct subject *s)
{
	s->ops->thread_close(s->thread);
	s->ops->close(s->engine);
}

static void run_subject(void *arg)
{
	struct subject *s = arg;
	struct nf_error err;

	if (s->ops->fold(s->thread, &s->span, &err) < 0)
		die(&err);
}

struct c_run {
	const void *data;
	size_t n;
	uint32_t bound;
	union {
		struct ref_total total;
		__int128 wide;
		struct ref_columns columns;
	} state;
	struct ref_q1 *groups;
};

#define C_RUNS(prefix)                                                        \
	static void prefix##_run_count_sum(void *arg)                         \
	{                                                                     \
		struct c_run *c = arg;                                        \
		prefix##_count_sum(c->data, c->n, c->bound, &c->state.total); \
	}                                                                     \
	static void prefix##_run_q6(void *arg)                                \
	{                                                                     \
		struct c_run *c = arg;                                        \
		prefix##_q6(c->data, c->n, &c->state.wide);                   \
	}                                                                     \
	static void prefix##_run_q1(void *arg)                                \
	{                                                                     \
		struct c_run *c = arg;                                        \
		prefix##_q1(c->data, c->n, c->groups);                        \
	}                                                                     \
	static void prefix##_run_columns(void *arg)                           \
	{                                                                     \
		struct c_run *c = arg;                                        \
		prefix##_columns(c->data, c->n, &c->state.columns);           \
	}                                                                     \
	static void prefix##_run_chain(void *arg)                             \
	{                                                                     \
		struct c_run *c = arg;                                        \
		prefix##_chain(c->data, c->n, &c->state.total);               \
	}

C_RUNS(gcc)
C_RUNS(clang)
C_RUNS(scalar)

static void gcc_run_find_byte(void *arg)
{
	struct c_run *c = arg;

	gcc_find_byte(c->data, c->n, &c->state.total);
}

static void clang_run_find_byte(void *arg)
{
	struct c_run *c = arg;

	clang_find_byte(c->data, c->n, &c->state.total);
}

/* DPDK: its code is the filter, called for every record; the sums are C. */
struct dpdk_run {
	ref_filter filter;
	struct ref_trade *t;
	size_t n;
	struct ref_total total;
};

static void run_dpdk(void *arg)
{
	struct dpdk_run *d = arg;

	for (size_t i = 0; i < d->n; i++) {
		if (d->filter(&d->t[i])) {
			d->total.count++;
			d->total.sum += d->t[i].price;
		}
	}
}

/* uBPF's published design: compiled code that is called for every record; here our own code, so
 * that only the design differs. */
struct call_run {
	struct jit_code code;
	struct jit_image *image;
	struct jit_ctx ctx;
	const uint8_t *params;
	struct ref_trade *t;
	size_t n;
	uint64_t state[2];
};

static void open_calls(struct call_run *c, struct vm_program *vp, const void *params)
{
	struct jit_options options = {.fixed = true, .plain = true};
	struct nf_error err;

	if (module->compile(vp, &options, &c->image, &err) ||
	    jit_image_map(c->image, sizeof(*c->image) + c->image->bytes, &c->code, &err))
		die(&err);
	c->ctx = (struct jit_ctx){.helpers = jit_helper_table(), .budget = VM_DEFAULT_BUDGET};
	c->params = params;
}

static void run_calls(void *arg)
{
	struct call_run *c = arg;

	for (size_t i = 0; i < c->n; i++)
		c->code.exact(&c->ctx, (const uint8_t *)&c->t[i], 1, NULL, (uint8_t *)c->state,
			      c->params, c->params);
}

static uint64_t sink;
static void run_plain_sum(void *arg)
{
	struct c_run *c = arg;

	sink += gcc_plain_sum(c->data, c->n * 4);
}

static uint64_t random_state = 88172645463325252ull;
static uint64_t random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void *memory(size_t bytes)
{
	void *p = aligned_alloc(2 << 20, (bytes + (2 << 20) - 1) & ~(size_t)((2 << 20) - 1));

	if (!p)
		exit(1);
	return p;
}

static void check_equal(const char *what, uint64_t a, uint64_t b)
{
	if (a == b)
		return;
	fprintf(stderr, "bench_jit: %s: %llu is not %llu\n", what, (unsigned long long)a,
		(unsigned long long)b);
	exit(1);
}

/* One run each from nothing: a figure for a wrong answer is worth nothing. */
static void check_count_sum(struct vm_program *vp, uint32_t bound, const struct ref_trade *t,
			    size_t n)
{
	struct ref_total want = {0}, got;
	struct subject s;

	open_subject(&s, &engine_jit, vp, &bound, t, n * sizeof(*t));
	run_subject(&s);
	memcpy(&got, s.fold->state, sizeof(got));
	close_subject(&s);
	scalar_count_sum(t, n, bound, &want);
	check_equal("count", got.count, want.count);
	check_equal("sum", got.sum, want.sum);
}

static void check_tpch(struct vm_program *q6, struct vm_program *q1, const struct ref_item *t,
		       size_t n)
{
	static struct ref_q1 want[65536];
	__int128 want_q6 = 0, got_q6;
	const uint8_t *key;
	uint8_t *state;
	uint64_t cursor = 0;
	struct subject s;

	scalar_q6(t, n, &want_q6);
	open_subject(&s, &engine_jit, q6, NULL, t, n * sizeof(*t));
	run_subject(&s);
	memcpy(&got_q6, s.fold->state, sizeof(got_q6));
	check_equal("q6", (uint64_t)got_q6, (uint64_t)want_q6);
	close_subject(&s);

	scalar_q1(t, n, want);
	open_subject(&s, &engine_jit, q1, NULL, t, n * sizeof(*t));
	run_subject(&s);
	check_equal("q1 groups", groups_count(s.fold->groups), 6);
	while (groups_next(s.fold->groups, &cursor, &key, &state)) {
		uint16_t k;
		struct ref_q1 got;

		memcpy(&k, key, sizeof(k));
		memcpy(&got, state, sizeof(got));
		check_equal("q1 charge", (uint64_t)got.charge, (uint64_t)want[k].charge);
		check_equal("q1 count", got.count, want[k].count);
	}
	close_subject(&s);
}

static void count_sum(size_t bytes, const char *size)
{
	size_t n = bytes / sizeof(struct ref_trade);
	struct ref_trade *t = memory(bytes);
	struct vm_program *vp = load("count_sum", NULL);

	for (size_t i = 0; i < n; i++)
		t[i] = (struct ref_trade){i, (uint32_t)random_u64(), (uint32_t)(random_u64() % 100),
					  random_u64() >> 20, 0};
	for (unsigned k = 0; k < 3; k++) {
		static const unsigned percent[] = {1, 50, 99};
		uint32_t bound = 99 - percent[k];
		struct subject s;
		struct c_run c[4];
		char title[128];

		open_subject(&s, &engine_jit, vp, &bound, t, n * sizeof(*t));
		for (unsigned i = 0; i < 4; i++)
			c[i] = (struct c_run){.data = t, .n = n, .bound = bound};
		struct dpdk_run dpdk = {.filter = ref_dpdk_filter(bound), .t = t, .n = n};
		struct call_run calls = {.t = t, .n = n};

		open_calls(&calls, vp, &bound);
		const struct bench_rival rivals[] = {
			{"C, gcc -O3 -march=native", gcc_run_count_sum, &c[0]},
			{"C, clang-19 -O3 -march=native", clang_run_count_sum, &c[1]},
			{"C, gcc -O3, scalar", scalar_run_count_sum, &c[2]},
			{"plain sum of the same bytes (memory)", run_plain_sum, &c[3]},
			{"jit", run_subject, &s},
			{"jit, a call per record (uBPF's design)", run_calls, &calls},
			{"DPDK librte_bpf JIT, a call per record", run_dpdk, &dpdk},
		};
		snprintf(title, sizeof(title),
			 "filter + count + sum, 32-byte records, %s, %u %% pass", size, percent[k]);
		bench_group(title, rivals, dpdk.filter ? 7 : 6, 0, rounds, (double)(n * sizeof(*t)),
			    "GB/s");
		if (!dpdk.filter)
			bench_note("without DPDK: dpdk-dev is not installed, or has no JIT here");
		check_count_sum(vp, bound, t, n);
		close_subject(&s);
		jit_code_unmap(&calls.code);
		free(calls.image);
	}
	vm_program_unref(vp);
	free(t);
}

static void tpch(void)
{
	size_t n = (256u << 20) / sizeof(struct ref_item);
	struct ref_item *t = memory(n * sizeof(*t));
	struct vm_program *q6 = load("q6", NULL), *q1 = load("q1", NULL);
	struct ref_q1 *groups = calloc(65536, sizeof(*groups));
	struct subject s;
	struct c_run c[3];

	for (size_t i = 0; i < n; i++) {
		static const char flags[] = "ANR", status[] = "FO";
		uint64_t r = random_u64();

		t[i] = (struct ref_item){
			.quantity = (int64_t)(1 + r % 50) * 100,
			.extendedprice = (int64_t)(90000 + (r >> 8) % 10000000),
			.discount = (int64_t)((r >> 16) % 11),
			.tax = (int64_t)((r >> 24) % 9),
			.shipdate = (int32_t)(8036 + (r >> 32) % 2526),
			.returnflag = flags[(r >> 50) % 3],
			.linestatus = status[(r >> 55) % 2],
		};
	}
	for (unsigned i = 0; i < 3; i++)
		c[i] = (struct c_run){.data = t, .n = n, .groups = groups};
	open_subject(&s, &engine_jit, q6, NULL, t, n * sizeof(*t));
	const struct bench_rival q6_rivals[] = {
		{"C, gcc -O3 -march=native", gcc_run_q6, &c[0]},
		{"C, clang-19 -O3 -march=native", clang_run_q6, &c[1]},
		{"C, gcc -O3, scalar", scalar_run_q6, &c[2]},
		{"jit", run_subject, &s},
	};
	bench_group("TPC-H Q6's shape, 64-byte records, 256 MB", q6_rivals, 4, 0, rounds,
		    (double)(n * sizeof(*t)), "GB/s");
	check_tpch(q6, q1, t, n);
	close_subject(&s);

	open_subject(&s, &engine_jit, q1, NULL, t, n * sizeof(*t));
	const struct bench_rival q1_rivals[] = {
		{"C, gcc -O3 -march=native, perfect hash", gcc_run_q1, &c[0]},
		{"C, clang-19 -O3 -march=native", clang_run_q1, &c[1]},
		{"C, gcc -O3, scalar", scalar_run_q1, &c[2]},
		{"jit", run_subject, &s},
	};
	bench_group("TPC-H Q1's shape, grouped by two chars, 256 MB", q1_rivals, 4, 0, rounds,
		    (double)(n * sizeof(*t)), "GB/s");
	close_subject(&s);
	vm_program_unref(q6);
	vm_program_unref(q1);
	free(groups);
	free(t);
}

/* Forty-one sums, minima and maxima over 72-byte records. */
static void columns(void)
{
	size_t n = (256u << 20) / sizeof(struct ref_reading);
	struct ref_reading *t = memory(n * sizeof(*t));
	struct vm_program *vp = load("wide", NULL);
	struct ref_columns want = {0};
	struct subject s;
	struct c_run c[3];

	for (size_t i = 0; i < n; i++) {
		for (unsigned k = 0; k < 8; k++)
			t[i].value[k] = (int64_t)random_u64() % 1000000;
		t[i].kind = (uint32_t)random_u64();
		t[i].flags = (uint32_t)(random_u64() % 1500000);
	}
	for (unsigned i = 0; i < 3; i++)
		c[i] = (struct c_run){.data = t, .n = n};
	open_subject(&s, &engine_jit, vp, NULL, t, n * sizeof(*t));
	const struct bench_rival rivals[] = {
		{"C, gcc -O3 -march=native", gcc_run_columns, &c[0]},
		{"C, clang-19 -O3 -march=native", clang_run_columns, &c[1]},
		{"C, gcc -O3, scalar", scalar_run_columns, &c[2]},
		{"jit", run_subject, &s},
	};
	bench_group("41 sums, minima and maxima, 72-byte records, 256 MB", rivals, 4, 0, rounds,
		    (double)(n * sizeof(*t)), "GB/s");
	close_subject(&s);
	open_subject(&s, &engine_jit, vp, NULL, t, n * sizeof(*t));
	run_subject(&s);
	scalar_columns(t, n, &want);
	for (unsigned k = 0; k < sizeof(want) / 8; k++) {
		uint64_t a, b;

		memcpy(&a, s.fold->state + 8 * (size_t)k, 8);
		memcpy(&b, (const uint8_t *)&want + 8 * (size_t)k, 8);
		check_equal("columns", a, b);
	}
	close_subject(&s);
	vm_program_unref(vp);
	free(t);
}

static void lines(void)
{
	size_t n = 128u << 20, at = 0;
	char *text = memory(n);
	struct vm_bounds bounds = {0, PROGRAM_MAX_RECORD_BYTES};
	struct vm_program *vp = load("find_byte", &bounds);
	struct subject jit, interp;
	struct c_run c[2];

	while (at < n) {
		size_t len = 20 + random_u64() % 80, colon = random_u64() % len;

		for (size_t i = 0; i < len && at < n; i++)
			text[at++] = i == len - 1 ? '\n' : i == colon ? ':' : 'x';
	}
	open_subject(&jit, &engine_jit, vp, NULL, text, n);
	open_subject(&interp, &engine_interp, vp, NULL, text, n);
	for (unsigned i = 0; i < 2; i++)
		c[i] = (struct c_run){.data = text, .n = n};
	const struct bench_rival rivals[] = {
		{"C, gcc -O3, the same checks", gcc_run_find_byte, &c[0]},
		{"C, clang-19 -O3", clang_run_find_byte, &c[1]},
		{"jit, guarded and metered", run_subject, &jit},
		{"interp", run_subject, &interp},
	};
	bench_group("lines of text, a byte search per line, 128 MB", rivals, 4, 0, 5, (double)n,
		    "GB/s");
	close_subject(&jit);
	close_subject(&interp);
	vm_program_unref(vp);
	free(text);
}

/* The same code with and without its meter, over lines that are split already. */
struct meter_run {
	jit_fn code;
	struct jit_ctx ctx;
	const uint8_t *text;
	const uint32_t *starts;
	size_t n;
	uint64_t state[2];
};

static void run_meter(void *arg)
{
	struct meter_run *m = arg;

	m->code(&m->ctx, m->text, m->n, m->starts, (uint8_t *)m->state, m->text, m->text);
}

static void meter(void)
{
	const size_t bytes = 32u << 20;
	uint8_t *text = memory(bytes);
	uint32_t *starts = malloc((bytes / 20 + 2) * sizeof(*starts));
	struct vm_bounds bounds = {0, PROGRAM_MAX_RECORD_BYTES};
	struct vm_program *vp = load("find_byte", &bounds);
	struct meter_run m[2] = {0};
	struct jit_options options = {0};
	struct jit_image *image;
	struct jit_code code;
	struct nf_error err;
	size_t n;

	if (!starts)
		exit(1);
	for (size_t at = 0; at < bytes;) {
		size_t len = 20 + random_u64() % 80;

		for (size_t i = 0; i < len && at < bytes; i++, at++)
			text[at] = i == len - 1 ? '\n' : i == len / 2 ? ':' : 'x';
	}
	n = lines_split(text, bytes, starts, bytes / 20);
	if (module->compile(vp, &options, &image, &err) ||
	    jit_image_map(image, sizeof(*image) + image->bytes, &code, &err))
		die(&err);
	for (unsigned i = 0; i < 2; i++) {
		m[i] = (struct meter_run){.text = text, .starts = starts, .n = n};
		m[i].code = i == 0 ? code.unmetered : code.exact;
		m[i].ctx = (struct jit_ctx){.helpers = jit_helper_table(),
					    .budget = VM_DEFAULT_BUDGET};
	}
	const struct bench_rival rivals[] = {
		{"jit, lines that cannot use up the budget: no meter", run_meter, &m[0]},
		{"jit, longer lines: metered", run_meter, &m[1]},
	};
	bench_group("the meter's cost: a byte search per line, 32 MB", rivals, 2, 0, rounds,
		    (double)bytes, "GB/s");
	check_equal("the metered sum", m[1].state[1], m[0].state[1]);
	jit_code_unmap(&code);
	free(image);
	vm_program_unref(vp);
	free(starts);
	free(text);
}

/* Loops that nothing bounds always have the meter: lists of 256 random slots of a page. */
static void chains(void)
{
	enum { LINKS = 256, SLOTS = 1024 };
	size_t n = (256u << 10) / sizeof(struct ref_page);
	struct ref_page *t = memory(n * sizeof(*t));
	struct vm_program *vp = load("chain", NULL);
	struct ref_total want = {0, 0};
	struct subject s;
	struct c_run c[3];
	uint64_t got[2];

	for (size_t i = 0; i < n; i++) {
		uint16_t order[SLOTS];

		for (unsigned k = 0; k < SLOTS; k++) {
			order[k] = (uint16_t)k;
			t[i].slots[k].value = (uint16_t)random_u64();
		}
		for (unsigned k = 1; k < LINKS; k++) { /* slot 0 is the first of each */
			unsigned other = k + (unsigned)(random_u64() % (SLOTS - k));
			uint16_t swap = order[k];

			order[k] = order[other];
			order[other] = swap;
		}
		for (unsigned k = 0; k < LINKS; k++)
			t[i].slots[order[k]].next =
				k + 1 < LINKS ? (uint16_t)(order[k + 1] * sizeof(t[i].slots[0]))
					      : 0;
	}
	for (unsigned i = 0; i < 3; i++)
		c[i] = (struct c_run){.data = t, .n = n};
	open_subject(&s, &engine_jit, vp, NULL, t, n * sizeof(*t));
	const struct bench_rival rivals[] = {
		{"C, gcc -O3 -march=native, no meter", gcc_run_chain, &c[0]},
		{"C, clang-19 -O3 -march=native", clang_run_chain, &c[1]},
		{"C, gcc -O3, scalar", scalar_run_chain, &c[2]},
		{"jit, guarded and metered", run_subject, &s},
	};
	bench_group("the meter's cost where nothing bounds a loop: 256 links in a page, 256 KiB",
		    rivals, 4, 0, rounds, (double)n * LINKS, "M/s");
	close_subject(&s);
	open_subject(&s, &engine_jit, vp, NULL, t, n * sizeof(*t));
	run_subject(&s);
	gcc_chain(t, n, &want);
	memcpy(got, s.fold->state, sizeof(got));
	check_equal("links", got[0], want.count);
	check_equal("the sum of the lists", got[1], want.sum);
	close_subject(&s);
	vm_program_unref(vp);
	free(t);
}

struct compile_run {
	struct vm_program *vp;
	struct jit_image *image;
};

static void run_compile(void *arg)
{
	struct compile_run *c = arg;
	struct jit_options options = {.fixed = true};
	struct nf_error err;

	free(c->image);
	if (module->compile(c->vp, &options, &c->image, &err))
		die(&err);
}

static void run_map(void *arg)
{
	struct compile_run *c = arg;
	struct jit_code code;
	struct nf_error err;

	if (jit_image_map(c->image, sizeof(*c->image) + c->image->bytes, &code, &err))
		die(&err);
	jit_code_unmap(&code);
}

/* Forty times: if a field is above a number, add it to one of eight sums; 202 instructions. */
static struct vm_program *many_instructions(void)
{
	static const struct bpf_insn end[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct bpf_insn insns[202];
	struct vm_bounds bounds = {32, 32};
	struct vm_program *vp;
	struct program *p;
	struct nf_error err;
	unsigned n = 0;

	for (int i = 0; i < 40; i++) {
		int16_t field = (int16_t)(i % 8 * 4), sum = (int16_t)(i % 8 * 8);

		insns[n++] = (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_W,
					       .dst_reg = 3,
					       .src_reg = 2,
					       .off = field};
		insns[n++] = (struct bpf_insn){
			.code = BPF_JMP | BPF_JLE | BPF_K, .dst_reg = 3, .off = 3, .imm = i * 1000};
		insns[n++] = (struct bpf_insn){
			.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 4, .src_reg = 1, .off = sum};
		insns[n++] = (struct bpf_insn){
			.code = BPF_ALU64 | BPF_ADD | BPF_X, .dst_reg = 4, .src_reg = 3};
		insns[n++] = (struct bpf_insn){
			.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 1, .src_reg = 4, .off = sum};
	}
	memcpy(&insns[n], end, sizeof(end));

	const struct program_func funcs[] = {
		{.kind = PROGRAM_REDUCE, .name = "reduce", .insns = insns, .n_insns = n + 2},
		{.kind = PROGRAM_COMBINE, .name = "combine", .insns = end, .n_insns = 2},
	};
	struct program draft = {
		.n_funcs = 2, .funcs = funcs, .record_bytes = 32, .state_bytes = 64};

	if (program_create(&draft, &p, &err) || vm_verify(p, &bounds, &vp, &err))
		die(&err);
	program_unref(p);
	return vp;
}

static void compile_times(void)
{
	static const char *const names[] = {"count_sum", "q6", "q1", "forty branches"};
	struct compile_run c[4] = {0};
	struct bench_rival rivals[5];
	char titles[4][64];

	for (unsigned i = 0; i < 4; i++) {
		c[i].vp = i < 3 ? load(names[i], NULL) : many_instructions();
		unsigned n = 0;
		for (unsigned k = 0; k < 3; k++)
			n += c[i].vp->code[k].flat.n_insns;
		snprintf(titles[i], sizeof(titles[i]), "compile %s, %u instructions", names[i], n);
		rivals[i] = (struct bench_rival){titles[i], run_compile, &c[i]};
		run_compile(&c[i]);
	}
	rivals[4] = (struct bench_rival){"map q6 from a cache", run_map, &c[1]};
	bench_group("from bytecode to code", rivals, 5, 0, 21, 1, "ms");
	for (unsigned i = 0; i < 4; i++) {
		bench_note("%s: %u bytes of code, %u lanes", names[i], c[i].image->bytes,
			   c[i].image->lanes);
		free(c[i].image);
		vm_program_unref(c[i].vp);
	}
}

int main(int argc, char **argv)
{
	struct nf_error err;

	if (argc < 3) {
		fprintf(stderr, "usage: bench_jit PROGRAMS-FOLDER JIT-MODULE [--quick]\n");
		return 2;
	}
	folder = argv[1];
	if (argc > 3)
		rounds = 5;
	if (jit_module_load(argv[2], &module, &err))
		die(&err);
	bench_begin("The JIT against C");
	compile_times();
	count_sum(256u << 20, "256 MB");
	count_sum(512u << 10, "512 KiB");
	count_sum(256u << 10, "256 KiB");
	tpch();
	columns();
	lines();
	meter();
	chains();
	bench_end();
	return 0;
}
