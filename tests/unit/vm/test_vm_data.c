/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_vm_data.c - every case of the data files of tests/vm (support/vm_case.h) through the
 * verifier and each engine of lib/vm. Reports all that fail, not just the first. Run with files as
 * arguments, it runs only those.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "tests/support/jit_path.h"
#include "tests/support/vm_case.h"
#include "vm/jit.h"
#include "vm/vm_interp.h"
#include "vm/vm_isa.h"

enum { MIN_CASES = 250 };

struct outcome {
	bool ok;
	bool no_r0; /* the engine does not give the number, only whether it is zero */
	uint64_t r0;
	struct vm_trap trap;
};

static bool run_interp(const struct vm_program *vp, enum program_kind entry, uint64_t budget,
		       const struct vm_memory *mem, struct outcome *ret)
{
	struct vm_machine *m;

	if (vm_machine_new(vp, budget, &m))
		return false;
	ret->ok = vm_interp(m, entry, mem, &ret->r0, &ret->trap);
	vm_machine_free(m);
	return true;
}

/* ---- the JIT ------------------------------------------------------------------------------- */

static const struct jit_module *jit;

/* The code of the program that was run last: a case has many runs. */
static struct {
	const struct vm_program *vp;
	bool plain;
	struct jit_image *image;
	struct jit_code code;
} compiled;

static void forget_code(void)
{
	jit_code_unmap(&compiled.code);
	free(compiled.image);
	compiled.image = NULL;
	compiled.vp = NULL;
}

/* plain: exact alone. Otherwise whatever is quickest, bulk with one lane where the program is a
 * reduction. */
static bool compile(const struct vm_program *vp, bool plain)
{
	struct jit_options options = {
		.fixed = vp->bounds.record_min_bytes == vp->bounds.record_max_bytes,
		.plain = plain,
		.lanes = 1,
	};
	struct nf_error err;

	if (compiled.vp == vp && compiled.plain == plain)
		return true;
	forget_code();
	if (jit->compile(vp, &options, &compiled.image, &err) ||
	    jit_image_map(compiled.image, sizeof(*compiled.image) + compiled.image->bytes,
			  &compiled.code, &err)) {
		print_error("jit: %s: %s\n", err.where, err.text);
		return false;
	}
	compiled.vp = vp;
	compiled.plain = plain;
	return true;
}

struct key_sink {
	uint8_t *key, *state;
	uint32_t key_bytes;
};

static uint8_t *take_key(struct jit_ctx *ctx, const uint8_t *key)
{
	struct key_sink *sink = ctx->owner;

	memcpy(sink->key, key, sink->key_bytes);
	return sink->state;
}

/* A scan of one record. combine is never compiled. */
static bool run_jit(const struct vm_program *vp, enum program_kind entry, uint64_t budget,
		    const struct vm_memory *mem, bool plain, struct outcome *ret)
{
	static const uint8_t nothing[1];
	uint32_t starts[2] = {0, mem->record_bytes + 1};
	bool fixed = vp->bounds.record_min_bytes == vp->bounds.record_max_bytes;
	struct key_sink sink = {mem->key, mem->state, vp->program->key_bytes};
	AUTO_FREE struct jit_group *cache = calloc(JIT_GROUP_CACHE, sizeof(*cache));
	AUTO_FREE uint8_t **dense = calloc(1 << 16, sizeof(*dense));
	struct jit_ctx ctx = {
		.helpers = jit_helper_table(),
		.budget = budget ? budget : VM_DEFAULT_BUDGET,
		.find_group = take_key,
		.cache = cache,
		.dense = dense,
		.owner = &sink,
	};

	if (entry == PROGRAM_COMBINE || !compile(vp, plain))
		return false;
	int r = jit_fold(&compiled.code, &ctx, mem->record, 1, mem->record_bytes,
			 fixed ? NULL : starts, mem->state, mem->params ? mem->params : nothing,
			 vp->program->rodata ? vp->program->rodata : nothing);

	ctx.trap.budget = ctx.budget;
	ret->trap = ctx.trap;
	ret->ok = r == JIT_DONE || r == JIT_STOP;
	ret->no_r0 = true;
	ret->r0 = entry == PROGRAM_FILTER ? ctx.matched : r == JIT_STOP;
	return true;
}

static bool run_jit_exact(const struct vm_program *vp, enum program_kind entry, uint64_t budget,
			  const struct vm_memory *mem, struct outcome *ret)
{
	return run_jit(vp, entry, budget, mem, true, ret);
}

static bool run_jit_quickly(const struct vm_program *vp, enum program_kind entry, uint64_t budget,
			    const struct vm_memory *mem, struct outcome *ret)
{
	return run_jit(vp, entry, budget, mem, false, ret);
}

static int load_jit(void **state)
{
	struct nf_error err;

	(void)state;
	if (jit_module_load(jit_path(), &jit, &err))
		print_message("without the JIT: %s\n", err.text);
	return 0;
}

static const struct {
	const char *name;
	bool (*run)(const struct vm_program *vp, enum program_kind entry, uint64_t budget,
		    const struct vm_memory *mem, struct outcome *ret);
} engines[] = {{"interp", run_interp}, {"jit", run_jit_exact}, {"jit, quickest", run_jit_quickly}};

static struct {
	unsigned cases, runs, failures;
} total;

__attribute__((format(printf, 4, 5))) static void failed(const char *file, const struct vm_case *c,
							 unsigned line, const char *fmt, ...)
{
	va_list ap;

	total.failures++;
	print_error("%s:%u: %s: ", file, line, c->name);
	va_start(ap, fmt);
	vprint_error(fmt, ap);
	va_end(ap);
	print_error("\n");
}

static void hex(const uint8_t *p, size_t n, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = 0;
	for (size_t i = 0; i < n && at + 4 < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%02x ", p[i]);
}

static void compare(const char *file, const struct vm_case *c, const struct vm_run *run,
		    const char *engine, const char *what, const struct vm_bytes *want,
		    const uint8_t *got, size_t got_bytes)
{
	char a[256], b[256];

	if (!want->data)
		return;
	if (want->n == got_bytes && !memcmp(want->data, got, got_bytes))
		return;
	hex(want->data, want->n, a, sizeof(a));
	hex(got, got_bytes, b, sizeof(b));
	failed(file, c, run->line, "%s: %s is %s, not %s", engine, what, b, a);
}

/* Memory of exactly the right size, so that ASan sees a byte too far. */
static uint8_t *exactly(const struct vm_bytes *from, size_t n)
{
	uint8_t *p = malloc(n ? n : 1);

	memset(p, 0, n);
	if (from->data)
		memcpy(p, from->data, from->n < n ? from->n : n);
	return p;
}

static void run_one(const char *file, const struct vm_case *c, const struct vm_run *run,
		    const struct vm_program *vp, unsigned engine)
{
	const struct program *p = vp->program;
	AUTO_FREE uint8_t *record = exactly(&run->record, run->record.n);
	AUTO_FREE uint8_t *params = exactly(&c->params, c->params.n);
	AUTO_FREE uint8_t *state = exactly(&c->state, p->state_bytes);
	AUTO_FREE uint8_t *from = exactly(&c->from, p->state_bytes);
	AUTO_FREE uint8_t *key = exactly(&(struct vm_bytes){0}, p->key_bytes);
	const char *name = engines[engine].name;
	struct vm_memory mem = {
		.record = record,
		.record_bytes = run->record.n,
		.params = c->params.data ? params : NULL,
		.state = state,
		.from = from,
		.key = key,
	};
	struct outcome out = {0};
	struct nf_error err;
	char message[1200];

	if (engines[engine].run != run_interp && (!jit || c->entry == PROGRAM_COMBINE))
		return;
	total.runs++;
	if (!engines[engine].run(vp, c->entry, c->budget, &mem, &out)) {
		failed(file, c, run->line, "%s did not start", name);
		return;
	}
	if (!out.ok) {
		vm_trap_error(vp, &out.trap, NULL, &err);
		nf_error_message(&err, message, sizeof(message));
		if (!run->trap[0])
			failed(file, c, run->line, "%s trapped: %s", name, message);
		else if (!strstr(message, run->trap))
			failed(file, c, run->line, "%s: \"%s\" lacks \"%s\"", name, message,
			       run->trap);
		return;
	}
	if (run->trap[0])
		failed(file, c, run->line, "%s did not trap (%s)", name, run->trap);
	if (run->has_r0 &&
	    (out.no_r0 ? out.r0 != ((uint32_t)run->want_r0 != 0) : out.r0 != run->want_r0))
		failed(file, c, run->line, "%s: r0 is %#llx, not %#llx", name,
		       (unsigned long long)out.r0, (unsigned long long)run->want_r0);
	compare(file, c, run, name, "state", &run->want_state, state, p->state_bytes);
	compare(file, c, run, name, "key", &run->want_key, key, p->key_bytes);
	if (memcmp(record, run->record.data ? run->record.data : record, run->record.n))
		failed(file, c, run->line, "%s wrote to the record", name);
}

static struct vm_bounds bounds_of(const struct vm_case *c, const struct program *p)
{
	if (c->any_length)
		return (struct vm_bounds){c->record_min_bytes, c->record_max_bytes};
	return (struct vm_bounds){p->record_bytes, p->record_bytes};
}

/* Which rows of the instruction table some case runs: bit i of an opcode is its row i. */
static uint8_t rows_seen[256];

static void note_rows(const struct bpf_insn *insns, uint32_t n)
{
	for (uint32_t at = 0; at < n; at++) {
		unsigned n_rows;
		const struct vm_isa_row *rows = vm_isa_rows(insns[at].code, &n_rows);
		struct vm_op op;

		if (vm_isa_decode(insns, n, at, &op))
			continue;
		for (unsigned i = 0; i < n_rows; i++)
			if (!rows[i].refused && rows[i].op == op.op && rows[i].bytes == op.bytes)
				rows_seen[insns[at].code] |= (uint8_t)(1u << i);
		at += op.slots - 1u;
	}
}

static void check_refused(const char *file, const struct vm_case *c, const struct nf_error *err)
{
	char message[1200];

	nf_error_message(err, message, sizeof(message));
	if (!c->refused[0])
		failed(file, c, c->line, "refused: %s", message);
	else if (!strstr(message, c->refused))
		failed(file, c, c->line, "\"%s\" lacks \"%s\"", message, c->refused);
}

static void check_count(const char *file, const struct vm_case *c, const char *what, int want,
			uint32_t got)
{
	if (want >= 0 && (uint32_t)want != got)
		failed(file, c, c->line, "%u accesses are %s, not %d", got, what, want);
}

static void run_case(const char *file, const struct vm_case *c)
{
	struct program *p = NULL;
	struct vm_program *vp = NULL;
	struct vm_bounds bounds;
	struct nf_error err = {0};

	total.cases++;
	if (vm_case_program(c, &p, &err)) {
		check_refused(file, c, &err);
		return;
	}
	bounds = bounds_of(c, p);
	if (vm_verify(p, &bounds, &vp, &err)) {
		check_refused(file, c, &err);
	} else {
		if (c->refused[0])
			failed(file, c, c->line, "accepted (%s)", c->refused);
		check_count(file, c, "proven", c->want_proven, vp->n_proven);
		check_count(file, c, "guarded", c->want_guarded, vp->n_guarded);
		note_rows(c->code.insns, c->code.n_insns);
		for (unsigned e = 0; e < ARRAY_SIZE(engines) && !c->refused[0]; e++) {
			for (unsigned i = 0; i < c->n_runs; i++)
				run_one(file, c, &c->runs[i], vp, e);
		}
	}
	forget_code();
	vm_program_unref(vp);
	program_unref(p);
}

static void run_file(const char *file)
{
	struct vm_cases cases;
	char error[512];

	if (vm_cases_read(file, &cases, error, sizeof(error))) {
		total.failures++;
		print_error("%s\n", error);
	} else {
		for (unsigned i = 0; i < cases.n; i++)
			run_case(file, &cases.cases[i]);
	}
	vm_cases_free(&cases);
}

static void test_data_files(void **state)
{
	glob_t files;

	(void)state;
	assert_int_equal(glob("tests/vm/*.data", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		run_file(files.gl_pathv[i]);
	globfree(&files);
	print_message("%u cases, %u runs, %u failures\n", total.cases, total.runs, total.failures);
	assert_int_equal(total.failures, 0);
	assert_true(total.runs >= MIN_CASES); /* the files were found and read */
}

/* Every instruction of RFC 9669 that the table supports is run by some case, in every engine; those
 * that it refuses, and bytes that are no opcode, are test_vm_isa's. */
static void test_every_instruction_is_run(void **state)
{
	unsigned missing = 0;

	(void)state;
	for (unsigned code = 0; code < 256; code++) {
		unsigned n;
		const struct vm_isa_row *rows = vm_isa_rows((uint8_t)code, &n);

		for (unsigned i = 0; i < n; i++) {
			if (rows[i].refused || rows_seen[code] >> i & 1)
				continue;
			missing++;
			print_error("no case runs opcode %#x: %s, width %u, %u bytes\n", code,
				    vm_op_infos[rows[i].op].name, rows[i].width, rows[i].bytes);
		}
	}
	assert_int_equal(missing, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data_files),
		cmocka_unit_test(test_every_instruction_is_run),
	};

	if (argc > 1)
		load_jit(NULL);
	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	if (argc > 1)
		return total.failures != 0;
	return cmocka_run_group_tests(tests, load_jit, NULL);
}
