/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_engine_kernel_data.c - the cases of tests/vm in the kernel engine: what interp gives for the
 * records of a case's runs, one after another, the kernel gives, too, or refuses for a reason. The
 * cases themselves say what is right (unit/vm/test_vm_data).
 */
#include "scan_fixture.h"

#include <glob.h>

#include "scan/engine_kernel_load.h"
#include "tests/support/fold_run.h"
#include "tests/support/vm_case.h"
#include "tests/support/skip_unless.h"

enum { MIN_CASES = 250 };

static struct {
	unsigned same, refused, failures;
} total;

static void compare(const char *file, const struct vm_case *c, const struct engine_config *cfg,
		    const struct fold_input *in)
{
	struct fold_output want, got;
	char text[512];

	assert_int_equal(fold_run(&engine_interp, cfg, in, &want), 0);
	if (fold_run(&engine_kernel, cfg, in, &got)) {
		total.refused++;
		assert_int_equal(got.err.code, NF_FAILED_PRECONDITION);
		if (getenv("NEARFOLD_VERBOSE"))
			print_message("# %s:%u: %s: %s\n", file, c->line, c->name, got.err.text);
	} else if (!fold_output_same(&want, &got, text, sizeof(text))) {
		total.failures++;
		print_error("%s:%u: %s: interp and kernel: %s\n", file, c->line, c->name, text);
	} else {
		total.same++;
	}
	fold_output_done(&want);
	fold_output_done(&got);
}

/* Records of one size only: a line of text cannot hold what these do. */
static void run_case(const char *file, const struct vm_case *c)
{
	struct program *p = NULL;
	struct vm_program *vp = NULL;
	struct nf_error err = {0};

	if (c->any_length || c->refused[0] || c->entry == PROGRAM_COMBINE)
		return;
	if (vm_case_program(c, &p, &err))
		fail_msg("%s:%u: %s", file, c->line, err.text);
	struct vm_bounds bounds = {p->record_bytes, p->record_bytes};
	AUTO_FREE uint8_t *records = malloc((size_t)p->record_bytes * c->n_runs + 1);
	AUTO_FREE uint8_t *params = calloc(1, p->params_bytes + 1);
	struct engine_config cfg = {
		.params = params,
		.format = FORMAT_FIXED,
		.record_bytes = p->record_bytes,
		.budget = c->budget,
		.cpu_threads = 1,
	};
	struct fold_input in = {.data = records, .bytes = (size_t)p->record_bytes * c->n_runs};

	for (unsigned i = 0; i < c->n_runs; i++)
		memcpy(records + (size_t)i * p->record_bytes, c->runs[i].record.data,
		       p->record_bytes);
	if (c->params.data)
		memcpy(params, c->params.data, c->params.n);
	if (p->record_bytes && !vm_verify(p, &bounds, &vp, &err)) {
		cfg.program = vp;
		compare(file, c, &cfg, &in);
	}
	vm_program_unref(vp);
	program_unref(p);
}

static void cases_give_the_same_bytes(void **state)
{
	skip_without_kernel();

	glob_t files;

	(void)state;
	assert_int_equal(glob("tests/vm/*.data", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		struct vm_cases cases;
		char error[512];

		if (vm_cases_read(files.gl_pathv[i], &cases, error, sizeof(error)))
			fail_msg("%s", error);
		for (unsigned k = 0; k < cases.n; k++)
			run_case(files.gl_pathv[i], &cases.cases[k]);
		vm_cases_free(&cases);
	}
	globfree(&files);
	print_message("# %u cases the same, %u refused, %u differ\n", total.same, total.refused,
		      total.failures);
	assert_int_equal(total.failures, 0);
	assert_true(total.same >= MIN_CASES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases_give_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
