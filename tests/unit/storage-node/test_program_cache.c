/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "storage-node/program_cache.h"

/* reduce: *state += constant; each constant is another program. */
static struct program *make_program(int32_t constant, uint32_t record_bytes)
{
	const struct bpf_insn reduce[] = {
		{.code = BPF_LDX | BPF_DW | BPF_MEM, .dst_reg = 2, .src_reg = 1},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = constant},
		{.code = BPF_STX | BPF_DW | BPF_MEM, .dst_reg = 1, .src_reg = 2},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	const struct program_func funcs[] = {
		{.kind = PROGRAM_REDUCE, .name = "reduce", .insns = reduce, .n_insns = 5},
		{.kind = PROGRAM_COMBINE, .name = "combine", .insns = reduce + 3, .n_insns = 2},
	};
	struct program draft = {
		.n_funcs = 2, .funcs = funcs, .record_bytes = record_bytes, .state_bytes = 8};
	struct nf_error err = {0};
	struct program *p;

	if (program_create(&draft, &p, &err))
		fail_msg("%s: %s", err.where, err.text);
	return p;
}

/* A machine with the interpreter and a JIT, and a kernel that is too old. */
static const struct engine_set here = {
	.n = 3, .list = {{"kernel", "too old"}, {"jit", ""}, {"interp", ""}}};

static struct checked_program *make_checked(int32_t constant, uint32_t record_bytes)
{
	struct program *p = make_program(constant, 0);
	struct vm_bounds bounds = {record_bytes, record_bytes};
	struct nf_error err = {0};
	struct checked_program *c;

	if (checked_program_new(p, &bounds, &here, &c, &err))
		fail_msg("%s: %s", err.where, err.text);
	program_unref(p);
	return c;
}

static bool is_cached(struct program_cache *cache, const struct checked_program *c)
{
	struct checked_program *found = program_cache_find(cache, c->program->id, &c->bounds);

	assert_true(!found || found == c);
	checked_program_unref(found);
	return found;
}

static void finds_by_id_and_bounds(void **state)
{
	struct checked_program *narrow = make_checked(1, 8), *wide = make_checked(1, 16);
	struct checked_program *other = make_checked(2, 8);
	struct program_cache *cache;
	struct program *p;

	(void)state;
	assert_int_equal(program_cache_new(8, 1 << 20, &cache), 0);
	program_cache_add(cache, narrow);
	assert_true(is_cached(cache, narrow));
	assert_false(is_cached(cache, wide));
	assert_false(is_cached(cache, other));
	p = program_cache_program(cache, wide->program->id);
	assert_ptr_equal(p, narrow->program);
	program_unref(p);
	assert_null(program_cache_program(cache, other->program->id));
	program_cache_add(cache, wide);
	program_cache_add(cache, wide); /* twice is once */
	assert_int_equal(program_cache_count(cache), 2);
	checked_program_unref(narrow);
	checked_program_unref(wide);
	checked_program_unref(other);
	program_cache_free(cache);
}

static void the_least_recently_used_goes_first(void **state)
{
	struct checked_program *c[4];
	struct program_cache *cache;

	(void)state;
	assert_int_equal(program_cache_new(3, 1 << 20, &cache), 0);
	for (int i = 0; i < 4; i++)
		c[i] = make_checked(i, 8);
	for (int i = 0; i < 3; i++)
		program_cache_add(cache, c[i]);
	assert_true(is_cached(cache, c[0])); /* used: now c[1] is the oldest */
	program_cache_add(cache, c[3]);
	assert_true(is_cached(cache, c[0]));
	assert_false(is_cached(cache, c[1]));
	assert_true(is_cached(cache, c[2]));
	assert_true(is_cached(cache, c[3]));
	for (int i = 0; i < 4; i++)
		checked_program_unref(c[i]);
	program_cache_free(cache);
}

static void bytes_are_bounded_too(void **state)
{
	struct checked_program *c[3];
	struct program_cache *cache;
	size_t one;

	(void)state;
	for (int i = 0; i < 3; i++)
		c[i] = make_checked(i + 1, 8);
	one = 2 * c[0]->message_bytes + strlen(c[0]->report) + sizeof(*c[0]);
	assert_int_equal(program_cache_new(100, 2 * one + one / 2, &cache), 0);
	for (int i = 0; i < 3; i++)
		program_cache_add(cache, c[i]);
	assert_int_equal(program_cache_count(cache), 2);
	assert_false(is_cached(cache, c[0]));
	assert_true(is_cached(cache, c[2]));
	for (int i = 0; i < 3; i++)
		checked_program_unref(c[i]);
	program_cache_free(cache);
}

static void a_reference_outlives_the_cache(void **state)
{
	struct checked_program *c = make_checked(1, 8);
	struct program_cache *cache;

	(void)state;
	assert_int_equal(program_cache_new(1, 1 << 20, &cache), 0);
	program_cache_add(cache, c);
	program_cache_free(cache);
	assert_int_equal(c->program->state_bytes, 8);
	checked_program_unref(c);
}

static bool is_mapped(const char *name)
{
	char line[4352];
	bool found = false;
	FILE *f = fopen("/proc/self/maps", "re");

	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, name);
	fclose(f);
	return found;
}

/* Nor does LLVM come into this process, which is main's. */
static void a_program_asks_only_engines_that_are_here(void **state)
{
	struct checked_program *c = make_checked(1, 8);

	(void)state;
	assert_int_equal(c->engines.n, 3);
	assert_string_equal(c->engines.list[0].name, "kernel");
	assert_string_equal(c->engines.list[0].reason, "too old");
	assert_string_equal(c->engines.list[1].reason, "");
	assert_string_equal(c->engines.list[2].reason, "");
	assert_false(is_mapped("libLLVM"));
	checked_program_unref(c);
}

static void the_machine_is_asked_once_for_all_engines(void **state)
{
	struct engine_set set;
	struct nf_error err;
	bool has_interp = false;

	(void)state;
	assert_int_equal(engines_of_machine("/nowhere.so", &set, &err), 0);
	for (unsigned i = 0; i < set.n; i++) {
		has_interp |= !strcmp(set.list[i].name, "interp") && !*set.list[i].reason;
		if (!strcmp(set.list[i].name, "jit"))
			assert_non_null(strstr(set.list[i].reason, "/nowhere.so"));
	}
	assert_true(has_interp);
	engines_off(&set, "interp", "switched off");
	for (unsigned i = 0; i < set.n; i++)
		if (!strcmp(set.list[i].name, "interp"))
			assert_string_equal(set.list[i].reason, "switched off");
}

static void what_does_not_verify_is_refused_with_its_place(void **state)
{
	struct program *p = make_program(1, 8);
	struct vm_bounds bounds = {16, 16};
	struct checked_program *c;
	struct nf_error err = {0};

	(void)state;
	assert_true(checked_program_new(p, &bounds, &here, &c, &err) < 0);
	assert_true(*err.text);
	program_unref(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_id_and_bounds),
		cmocka_unit_test(the_least_recently_used_goes_first),
		cmocka_unit_test(bytes_are_bounded_too),
		cmocka_unit_test(a_reference_outlives_the_cache),
		cmocka_unit_test(a_program_asks_only_engines_that_are_here),
		cmocka_unit_test(the_machine_is_asked_once_for_all_engines),
		cmocka_unit_test(what_does_not_verify_is_refused_with_its_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
