/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fuzz_engines.c - bytes become a program and records; the engines that can run it must give the
 * same bits, or the same error in the same words, and what the interpreter holds in registers and
 * stack must be what the verifier believed, at every instruction.
 *
 * Input: one byte that says how to read the rest, then
 *	bit 7 clear	a program as in tests/support/fuzz_program.h
 *	bit 7 set	8 bytes of seed for tests/support/vm_gen.h; the byte's other bits are its
 *			options
 * Records are made from the input, too. Compiling takes milliseconds: what is long is not tried.
 * The kernel engine takes part where it may run; where it may not, a line says why.
 * NEARFOLD_FUZZ_KERNEL=0 leaves it out. At the end: how many programs each engine ran.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "scan/engine_kernel_load.h"
#include "tests/support/fold_run.h"
#include "tests/support/fuzz_program.h"
#include "tests/support/jit_path.h"
#include "tests/support/vm_beliefs.h"
#include "tests/support/vm_gen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	MAX_INPUT_BYTES = 1024,
	BUDGET = 2000,
	MAX_GROUPS = 50,
	DATA_BYTES = 4000,
	MAX_BELIEVED = 64, /* records that are run against the beliefs: that is slow */
	MAX_STEPS = 20000,
};

enum {
	GENERATE = 0x80,
	ANY_LENGTH = 0x01,
	NO_KEY = 0x02,
	NO_LOOPS = 0x04,
	NO_GUARDS = 0x08,
	ADDITIVE = 0x10,
	MUTATE = 0x20,
	POINTERS = 0x40,
};

static struct {
	unsigned programs, jit, kernel, kernel_refused;
	uint64_t believed; /* instructions that ran within the beliefs */
} total;

static void print_total(void)
{
	fprintf(stderr,
		"%u programs in interp, %" PRIu64 " instructions of them as believed; %u in jit, "
		"%u in kernel, where %u more were refused\n",
		total.programs, total.believed, total.jit, total.kernel, total.kernel_refused);
}

/* Asked once, since asking takes milliseconds. */
static bool has_kernel(void)
{
	static int has = -1;
	const char *wanted = getenv("NEARFOLD_FUZZ_KERNEL");
	struct kernel_host host;
	struct nf_error why = {.text = "NEARFOLD_FUZZ_KERNEL=0"};

	if (has < 0) {
		has = !(wanted && !strcmp(wanted, "0")) && !kernel_host_probe(&host, &why);
		if (!has)
			fprintf(stderr, "SKIP: the kernel engine: %s\n", why.text);
	}
	return has;
}

static int generated(const uint8_t *data, size_t size, struct fuzz_program *ret)
{
	struct vm_gen_options options = {
		.record_bytes = data[0] & ANY_LENGTH ? 0 : 1 + data[size - 1] % 64,
		.any_length = data[0] & ANY_LENGTH,
		.no_key = data[0] & NO_KEY,
		.no_loops = data[0] & NO_LOOPS,
		.no_guards = data[0] & NO_GUARDS,
		.additive = data[0] & ADDITIVE,
		.mutate_percent = data[0] & MUTATE ? 50 : 0,
		.pointers = data[0] & POINTERS,
	};
	struct vm_gen *gen;
	uint64_t seed;
	int r;

	if (size < 9)
		return -1;
	memcpy(&seed, data + 1, sizeof(seed));
	gen = vm_gen_new(seed, &options);
	if (!gen)
		return -1;
	r = program_create(vm_gen_draft(gen), &ret->program, NULL);
	vm_gen_free(gen);
	if (!r)
		ret->bounds = vm_bounds_of(ret->program);
	return r;
}

/* The input over and over, each time a little different: numbers that are equal, and some not. */
static void make_data(const uint8_t *in, size_t size, bool lines, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t turn = i / size;

		out[i] = (uint8_t)(in[i % size] + (turn % 3 == 2 ? turn : 0));
		if (lines && (in[i % size] % 23 == 0 || turn % 5 == 4))
			out[i] = i % 7 ? out[i] : '\n';
	}
}

/* Its own refusal (a guard, a helper that it lacks) is no answer that could be wrong: false. */
static bool compare(const struct engine_config *cfg, const struct fold_input *in, const char *name,
		    const struct fold_output *want)
{
	struct fold_output got = {0};
	char text[512];
	bool ran = !fold_run(engine_by_name(name), cfg, in, &got);

	if (ran && !fold_output_same(want, &got, text, sizeof(text))) {
		fprintf(stderr, "interp and %s differ: %s\n", name, text);
		abort();
	}
	if (!ran && getenv("NEARFOLD_VERBOSE"))
		fprintf(stderr, "%s: %s: %s\n", name, got.err.where, got.err.text);
	fold_output_done(&got);
	return ran;
}

/* One record, or one combine, in a machine that is held to the beliefs. False: it is the last. */
static bool run_believed(struct vm_machine *m, const struct program *p, struct vm_memory *mem,
			 enum program_kind first, enum program_kind last)
{
	struct vm_trap trap;
	uint64_t r0 = 1;

	vm_machine_refill(m);
	for (enum program_kind kind = first; kind <= last; kind++) {
		if (!program_entry(p, kind, NULL))
			continue;
		if (!vm_interp(m, kind, mem, &r0, &trap))
			return false;
		if (kind == PROGRAM_FILTER && !(uint32_t)r0)
			return true;
	}
	return !(uint32_t)r0;
}

/* The first records into one state, whatever their keys, and that state into itself as it began. */
static void hold_to_beliefs(struct vm_program *vp, const struct engine_config *cfg,
			    const struct fold_input *in)
{
	const struct program *p = vp->program;
	AUTO_FREE uint8_t *state = calloc(1, p->state_bytes);
	AUTO_FREE uint8_t *from = calloc(1, p->state_bytes);
	AUTO_FREE uint8_t *key = calloc(1, p->key_bytes + !p->key_bytes);
	struct vm_memory mem = {.params = cfg->params, .state = state, .from = from, .key = key};
	struct vm_program *again;
	struct vm_beliefs *beliefs;
	struct vm_machine *m;
	size_t at = 0;

	if (!state || !from || !key ||
	    vm_beliefs_verify((struct program *)p, &vp->bounds, &again, &beliefs, NULL) ||
	    vm_machine_new(again, BUDGET, &m))
		abort();
	vm_beliefs_check(beliefs, m);
	if (p->init_state)
		memcpy(state, p->init_state, p->state_bytes);
	for (unsigned n = 0; n < MAX_BELIEVED && at < in->bytes; n++) {
		const uint8_t *newline = memchr(in->data + at, '\n', in->bytes - at);
		size_t bytes = cfg->record_bytes;

		if (cfg->format == FORMAT_LINES)
			bytes = newline ? (size_t)(newline - in->data) - at : in->bytes - at;
		/* To the byte, for the sanitizer. */
		AUTO_FREE uint8_t *record = malloc(bytes + !bytes);
		if (!record)
			abort();
		memcpy(record, in->data + at, bytes);
		mem.record = record;
		mem.record_bytes = (uint32_t)bytes;
		if (!run_believed(m, p, &mem, PROGRAM_FILTER, PROGRAM_REDUCE))
			break;
		memset(key, 0, p->key_bytes);
		at += bytes + (cfg->format == FORMAT_LINES);
	}
	memcpy(from, state, p->state_bytes);
	run_believed(m, p, &mem, PROGRAM_COMBINE, PROGRAM_COMBINE);
	total.believed += vm_beliefs_checked(beliefs);
	vm_machine_free(m);
	vm_beliefs_free(beliefs);
	vm_program_unref(again);
}

static void run(struct vm_program *vp, const uint8_t *input, size_t size)
{
	const struct program *p = vp->program;
	bool lines = vp->bounds.record_min_bytes != vp->bounds.record_max_bytes;
	size_t bytes = lines ? DATA_BYTES : DATA_BYTES - DATA_BYTES % vp->bounds.record_max_bytes;
	/* To the byte, for the sanitizer. */
	AUTO_FREE uint8_t *params = malloc(p->params_bytes + !p->params_bytes);
	AUTO_FREE uint8_t *data = malloc(bytes);
	struct engine_config cfg = {
		.program = vp,
		.params = params,
		.format = lines ? FORMAT_LINES : FORMAT_FIXED,
		.record_bytes = lines ? 0 : vp->bounds.record_max_bytes,
		.budget = BUDGET,
		.max_groups = MAX_GROUPS,
		.jit_module = jit_path(),
		.jit_wait = true,
		.cpu_threads = 1,
	};
	struct fold_input in = {.data = data, .bytes = bytes, .span_bytes = bytes / 3};
	struct fold_output want = {0};

	if (!params || !data)
		abort();
	make_data(input, size, false, params, p->params_bytes);
	make_data(input, size, lines, data, bytes);
	hold_to_beliefs(vp, &cfg, &in);
	if (fold_run(&engine_interp, &cfg, &in, &want)) {
		fprintf(stderr, "interp refuses: %s\n", want.err.text);
		abort();
	}
	total.programs++;
	if (!compare(&cfg, &in, "jit", &want)) {
		fprintf(stderr, "jit refuses: is %s there?\n", jit_path());
		abort();
	}
	total.jit++;
	if (has_kernel()) {
		/* One window, or several that cut lines. */
		in.read_bytes = 512u << size % 4;
		if (compare(&cfg, &in, "kernel", &want))
			total.kernel++;
		else
			total.kernel_refused++;
	}
	fold_output_done(&want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool begun;
	struct fuzz_program f = {0};
	struct vm_program *vp = NULL;

	if (!begun)
		atexit(print_total);
	begun = true;
	if (size < 2 || size > MAX_INPUT_BYTES)
		return 0;
	if (data[0] & GENERATE ? generated(data, size, &f) : fuzz_program(data + 1, size - 1, &f))
		return 0;
	/* A fold is over records of one size, or over lines, which have any. */
	if (f.bounds.record_min_bytes != f.bounds.record_max_bytes)
		f.bounds = (struct vm_bounds){0, PROGRAM_MAX_RECORD_BYTES};
	if (f.bounds.record_max_bytes && !vm_verify(f.program, &f.bounds, &vp, NULL)) {
		if (vp->verify_steps < MAX_STEPS)
			run(vp, data, size);
		vm_program_unref(vp);
	}
	program_unref(f.program);
	return 0;
}
