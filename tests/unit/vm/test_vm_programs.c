/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_vm_programs.c - whole programs in C, as clang compiles them: those of tests/programs/broken
 * are refused with function, instruction, source line and reason ("// expect: TEXT"); those of
 * tests/programs/guarded are accepted with guards, and run ("// gives: N" is state.count after one
 * record). Their objects stand beside this test in the build directory.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "program/program_elf.h"
#include "vm/vm_interp.h"

enum { MAX_PROGRAMS = 64 };

struct test_program {
	const char *folder;
	char name[64]; /* "record_overrun" */
};

static char build_dir[512];

static void free_program(struct program **p)
{
	program_unref(*p);
}

static void free_vm_program(struct vm_program **vp)
{
	vm_program_unref(*vp);
}

static void free_machine(struct vm_machine **m)
{
	vm_machine_free(*m);
}

/* What follows "// KEY: " in the program's source. */
static void source_says(const struct test_program *t, const char *key, char *buf, size_t size)
{
	char path[256], line[256], want[32];
	AUTO_FCLOSE FILE *f = NULL;

	snprintf(path, sizeof(path), "tests/programs/%s/%s.bpf.c", t->folder, t->name);
	snprintf(want, sizeof(want), "// %s: ", key);
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s: %s (run this from the root of the source tree)", path,
			 strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, want, strlen(want)) == 0) {
			snprintf(buf, size, "%s", line + strlen(want));
			return;
		}
	}
	fail_msg("%s does not say '%s'", path, want);
}

static struct program *open_program(const struct test_program *t)
{
	struct program *p = NULL;
	struct nf_error err = {0};
	char path[1024];

	snprintf(path, sizeof(path), "%s/programs/%s/%s.bpf.o", build_dir, t->folder, t->name);
	if (program_elf_open(path, &p, &err))
		fail_msg("%s: %s", err.where, err.text);
	return p;
}

static void test_broken(void **state)
{
	const struct test_program *t = *state;
	AUTO(free_program) struct program *p = open_program(t);
	AUTO(free_vm_program) struct vm_program *vp = NULL;
	struct vm_bounds bounds = vm_bounds_of(p);
	struct nf_error err = {0};
	char expect[192], file[80];

	source_says(t, "expect", expect, sizeof(expect));
	snprintf(file, sizeof(file), "%s.bpf.c:", t->name);
	if (!vm_verify(p, &bounds, &vp, &err))
		fail_msg("accepted");
	print_message("%s: %s\n", err.where, err.text);
	if (!strstr(err.text, expect))
		fail_msg("refused, but not because \"%s\"", expect);
	assert_non_null(strstr(err.where, file));
	assert_non_null(strstr(err.where, "(instruction "));
}

static void test_guarded(void **state)
{
	static const struct {
		uint64_t id;
		int64_t value;
		uint32_t kind, flags;
	} record = {3, 5, 2, 8};
	static const char line[] = "alpha,42,gamma delta";
	static uint8_t fold_state[4096];
	struct test_program *t = *state;
	AUTO(free_program) struct program *p = open_program(t);
	AUTO(free_vm_program) struct vm_program *vp = NULL;
	AUTO(free_machine) struct vm_machine *m = NULL;
	struct vm_bounds bounds = vm_bounds_of(p);
	struct nf_error err = {0};
	struct vm_memory mem = {0};
	struct vm_trap trap;
	struct {
		uint64_t limit;
		uint32_t weight[16];
	} params = {1, {0, 1, 2, 3, 4, 5, 6, 7, 8}};
	char gives[32], got[32];
	uint64_t r0, count;

	source_says(t, "gives", gives, sizeof(gives));
	if (vm_verify(p, &bounds, &vp, &err))
		fail_msg("refused: %s: %s", err.where, err.text);
	vm_report(vp, true, stdout);
	assert_true(vp->n_guarded > 0);
	assert_true(vp->code[PROGRAM_REDUCE].has_guard);

	memset(fold_state, 0, sizeof(fold_state));
	mem.record = p->record_bytes ? (const uint8_t *)&record : (const uint8_t *)line;
	mem.record_bytes = p->record_bytes ? p->record_bytes : sizeof(line) - 1;
	mem.params = (const uint8_t *)&params;
	mem.state = fold_state;
	assert_int_equal(vm_machine_new(vp, 1000, &m), 0);
	if (!vm_interp(m, PROGRAM_REDUCE, &mem, &r0, &trap)) {
		vm_trap_error(vp, &trap, NULL, &err);
		fail_msg("%s: %s", err.where, err.text);
	}
	memcpy(&count, fold_state, sizeof(count));
	snprintf(got, sizeof(got), "%lu", count);
	assert_string_equal(got, gives);
}

static size_t list(const char *folder, void (*run)(void **), struct CMUnitTest *tests,
		   struct test_program *programs)
{
	char path[1024];
	const struct dirent *e;
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/programs/%s", build_dir, folder);
	d = opendir(path);
	while (d && (e = readdir(d)) && n < MAX_PROGRAMS) {
		const char *end = strstr(e->d_name, ".bpf.o");

		if (!end || end[6])
			continue;
		programs[n].folder = folder;
		snprintf(programs[n].name, sizeof(programs[n].name), "%.*s", (int)(end - e->d_name),
			 e->d_name);
		tests[n] = (struct CMUnitTest){
			.name = programs[n].name, .test_func = run, .initial_state = &programs[n]};
		n++;
	}
	if (d)
		closedir(d);
	return n;
}

static size_t n_broken, n_guarded;

static void test_there_are_enough(void **state)
{
	(void)state;
	assert_true(n_broken >= 20);
	assert_true(n_guarded >= 10);
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[2 * MAX_PROGRAMS + 1];
	static struct test_program programs[2 * MAX_PROGRAMS];
	char *slash;

	/* BUILD/tests/unit/vm/test_vm_programs -> BUILD/tests */
	snprintf(build_dir, sizeof(build_dir), "%s", argc ? argv[0] : "");
	for (unsigned up = 0; up < 3; up++) {
		slash = strrchr(build_dir, '/');
		if (slash)
			*slash = '\0';
	}
	n_broken = list("broken", test_broken, tests, programs);
	n_guarded = list("guarded", test_guarded, tests + n_broken, programs + n_broken);
	tests[n_broken + n_guarded] = (struct CMUnitTest)cmocka_unit_test(test_there_are_enough);
	return _cmocka_run_group_tests("programs", tests, n_broken + n_guarded + 1, NULL, NULL);
}
