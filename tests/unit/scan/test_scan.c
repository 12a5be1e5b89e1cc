/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Whole scans: answers, errors, limits, the order of things. */
#include <signal.h>

#include "base/clock.h"
#include "scan_programs.h"
#include "tests/support/skip_unless.h"

static const struct dataset_spec fixed8 = {
	.name = (char *)"d", .format = FORMAT_FIXED, .record_bytes = 8};
static const struct dataset_spec lines = {.name = (char *)"d", .format = FORMAT_LINES};

/* n bytes of a repeatable mixture; lines get newlines about every `line` bytes. */
static uint8_t *random_bytes(size_t n, uint64_t seed, unsigned line)
{
	uint8_t *p = malloc(n + 1);

	for (size_t i = 0; i < n; i++) {
		uint64_t x = random_next(&seed);

		p[i] = line && (x >> 20) % line == 0 ? '\n' : (uint8_t)(x >> 56);
	}
	return p;
}

static void sums_over_files_with_and_without_range(void **state)
{
	struct folder *f = *state;
	size_t n = 40000;
	AUTO_FREE uint8_t *bytes = random_bytes(n, 1, 0);
	AUTO_VM vp = program_sums(&fixed8);
	struct scan_options o = {.engine = "interp", .threads = 2, .chunk_bytes = 4096};
	struct nf_error err;

	mkdirat(f->fd, "d", 0755);
	put_file(f, "d/1", bytes, 16000);
	put_file(f, "d/2", "", 0);
	put_file(f, "d/3", bytes + 16000, n - 16000);
	AUTO_SOURCE src = opened(f, &fixed8, "d");
	for (int range = 0; range < 2; range++) {
		AUTO_RESULT r = NULL;

		o.has_range = range;
		o.range_start = 8016;
		o.range_end = 20000;
		must(scan_run(src, vp, &o, &r, &err), &err);
		struct sums want = range ? sums_of(&fixed8, bytes + 8016, 20000 - 8016)
					 : sums_of(&fixed8, bytes, n);
		assert_memory_equal(r->state, &want, sizeof(want));
		assert_int_equal(r->stats.records, want.count);
		assert_int_equal(r->stats.matched, want.count);
		assert_int_equal(r->stats.bytes_scanned, want.bytes);

		assert_int_equal(r->stats.threads, 2);
	}
}

static void a_filter_counts_what_it_keeps(void **state)
{
	struct folder *f = *state;
	AUTO_FREE uint8_t *bytes = random_bytes(80000, 2, 0);
	AUTO_VM vp = program_odd_sums(&fixed8);
	AUTO_RESULT r = NULL;
	struct scan_options o = {.engine = "interp"};
	struct nf_error err;
	uint64_t odd = 0;
	struct sums got;

	put_file(f, "a", bytes, 80000);
	AUTO_SOURCE src = opened(f, &fixed8, "a");
	must(scan_run(src, vp, &o, &r, &err), &err);
	for (size_t i = 0; i < 80000; i += 8)
		odd += bytes[i] & 1;
	memcpy(&got, r->state, sizeof(got));
	assert_int_equal(got.count, odd);
	assert_int_equal(r->stats.matched, odd);
	assert_int_equal(r->stats.records, 10000);
}

static void skip_and_a_cut_tail(void **state)
{
	struct folder *f = *state;
	AUTO_FREE uint8_t *bytes = random_bytes(10011, 3, 0);
	struct dataset_spec spec = fixed8;
	AUTO_VM vp = program_sums(&spec);
	struct scan_options o = {.engine = "interp", .chunk_bytes = 4096};
	struct nf_error err;

	spec.skip_bytes = 7;
	put_file(f, "t", bytes, 10011);
	for (int ignore = 0; ignore < 2; ignore++) {
		AUTO_RESULT r = NULL;

		spec.tail_ignore = ignore;
		AUTO_SOURCE src = opened(f, &spec, "t");
		int e = scan_run(src, vp, &o, &r, &err);
		if (!ignore) {
			assert_int_equal(e, -ENOTSUP);
			assert_int_equal(err.code, NF_FAILED_PRECONDITION);
			assert_string_equal(err.where, "t");
			assert_contains(err.text, "4 bytes are left over");
			assert_null(r);
			continue;
		}
		must(e, &err);
		struct sums want = sums_of(&spec, bytes + 7, 10000);
		assert_memory_equal(r->state, &want, sizeof(want));
	}
}

static void empty_files_give_the_start_state(void **state)
{
	struct folder *f = *state;
	const struct dataset_spec *const specs[] = {&fixed8, &lines};
	struct nf_error err;

	put_file(f, "e", "", 0);
	for (size_t i = 0; i < 2; i++) {
		AUTO_VM vp = program_sums(specs[i]);
		AUTO_SOURCE src = opened(f, specs[i], "e");

		for (enum scan_reader reader = READER_AUTO; reader <= READER_MMAP; reader++) {
			if (!reader_works(reader))
				continue;

			AUTO_RESULT r = NULL;
			struct scan_options o = {
				.engine = "interp", .reader = reader, .threads = 3};
			const struct sums zero = {0};

			must(scan_run(src, vp, &o, &r, &err), &err);
			assert_memory_equal(r->state, &zero, sizeof(zero));
			assert_int_equal(r->stats.records, 0);
		}
	}
}

static void a_start_state_is_combined_only_where_records_went_in(void **state)
{
	struct folder *f = *state;
	AUTO_FREE uint8_t *bytes = random_bytes(64 << 10, 4, 0);
	static const struct sums init = {1000, 0, 0, 0};
	static const struct bpf_insn reduce[] = {MOV_K(5, 1), INCREASE(0, 5), MOV_K(0, 0), EXIT()};
	const struct program_func funcs[] = {
		FUNC(PROGRAM_REDUCE, "count", reduce),
		FUNC(PROGRAM_COMBINE, "add", add_sums),
	};
	const struct program draft = {.funcs = funcs,
				      .n_funcs = 2,
				      .state_bytes = sizeof(init),
				      .init_state = (const uint8_t *)&init};
	AUTO_VM vp = verified(&draft, &fixed8);
	AUTO_RESULT r = NULL;
	struct scan_options o = {.engine = "interp", .threads = 1};
	struct nf_error err;
	struct sums got;

	put_file(f, "i", bytes, 64 << 10);
	AUTO_SOURCE src = opened(f, &fixed8, "i");
	must(scan_run(src, vp, &o, &r, &err), &err);
	memcpy(&got, r->state, sizeof(got));
	assert_int_equal(got.count, 1000 + (64 << 10) / 8);
}

static void groups_are_merged_over_threads(void **state)
{
	struct folder *f = *state;
	enum { N = 50000, KEYS = 700 };
	AUTO_FREE uint32_t *records = calloc(N, 8);
	uint64_t seed = 5, want[KEYS] = {0};
	AUTO_VM vp = program_groups(&fixed8);
	struct nf_error err;

	for (size_t i = 0; i < N; i++) {
		records[2 * i] = (uint32_t)random_below(&seed, KEYS);
		want[records[2 * i]]++;
	}
	put_file(f, "g", records, N * 8);
	AUTO_SOURCE src = opened(f, &fixed8, "g");
	for (unsigned threads = 1; threads <= 3; threads++) {
		AUTO_RESULT r = NULL;
		struct scan_options o = {
			.engine = "interp", .threads = threads, .chunk_bytes = 8192};
		const uint8_t *key;
		uint8_t *s;
		uint32_t k;
		uint64_t count, cursor = 0;

		must(scan_run(src, vp, &o, &r, &err), &err);
		assert_null(r->state);
		assert_int_equal(groups_count(r->groups), KEYS);
		while (groups_next(r->groups, &cursor, &key, &s)) {
			memcpy(&k, key, 4);
			memcpy(&count, s, 8);
			assert_int_equal(count, want[k]);
		}
	}
}

static void too_many_groups_are_an_error(void **state)
{
	struct folder *f = *state;
	AUTO_FREE uint8_t *bytes = random_bytes(80000, 6, 0);
	AUTO_VM vp = program_groups(&fixed8);
	struct nf_error err;

	put_file(f, "g", bytes, 80000);
	AUTO_SOURCE src = opened(f, &fixed8, "g");
	for (unsigned i = 0; i < 4; i++) {
		AUTO_RESULT r = NULL;
		/* 10000 groups: 6000 fit in each of two threads, not in the answer. */
		struct scan_options o = {
			.engine = "interp",
			.threads = i == 1 ? 2 : 1,
			.chunk_bytes = 4096,
			.max_groups = i == 0   ? 100
				      : i == 1 ? 6000
				      : i == 2 ? 9999
					       : 10000,
		};
		int e = scan_run(src, vp, &o, &r, &err);

		if (i == 3) {
			must(e, &err);
			assert_int_equal(groups_count(r->groups), 10000);
			continue;
		}
		assert_int_equal(e, -ENOSPC);
		assert_int_equal(err.code, NF_RESOURCE_EXHAUSTED);
		assert_contains(err.text, "groups");
		assert_null(r);
	}
}

static void memory_limits_groups_and_buffers(void **state)
{
	struct folder *f = *state;
	AUTO_FREE uint8_t *bytes = random_bytes(800000, 7, 0);
	AUTO_VM vp = program_groups(&fixed8);
	AUTO_RESULT r = NULL;
	struct scan_options o = {
		.engine = "interp", .memory_bytes = 4 << 20, .chunk_bytes = 64 << 10};
	struct nf_error err;

	put_file(f, "g", bytes, 800000);
	AUTO_SOURCE src = opened(f, &fixed8, "g");
	assert_int_equal(scan_run(src, vp, &o, &r, &err), -ENOSPC);
	assert_int_equal(err.code, NF_RESOURCE_EXHAUSTED);
	assert_contains(err.text, "what the query's memory holds");
	o.memory_bytes = 64 << 20;
	must(scan_run(src, vp, &o, &r, &err), &err);
	assert_int_equal(groups_count(r->groups), 100000);
	AUTO_RESULT none = NULL;
	o.memory_bytes = 100000;
	assert_int_equal(scan_run(src, vp, &o, &none, &err), -ENOSPC);
	assert_string_equal(err.where, "memory_bytes");
}

static void fold_stop_ends_all_threads_without_error(void **state)
{
	struct folder *f = *state;
	size_t n = 4 << 20;
	AUTO_FREE uint8_t *bytes = random_bytes(n, 8, 0);
	AUTO_VM vp = program_stop_at(&fixed8);
	struct nf_error err;

	put_file(f, "s", bytes, n);
	AUTO_SOURCE src = opened(f, &fixed8, "s");
	for (unsigned threads = 1; threads <= 3; threads++) {
		for (enum scan_reader reader = READER_PREAD; reader <= READER_MMAP; reader++) {
			if (!reader_works(reader))
				continue;

			AUTO_RESULT r = NULL;
			uint64_t stop = 5, count;
			struct scan_options o = {
				.engine = "interp",
				.threads = threads,
				.reader = reader,
				.chunk_bytes = 4096,
				.params = (const uint8_t *)&stop,
				.params_bytes = 8,
			};

			must(scan_run(src, vp, &o, &r, &err), &err);
			memcpy(&count, r->state, 8);
			assert_true(count >= stop);
			if (threads == 1) {
				assert_int_equal(count, stop);
				assert_int_equal(r->stats.records, stop);
			}
			assert_true(r->stats.records < n / 8);
		}
	}
}

static void a_trap_names_record_and_function(void **state)
{
	struct folder *f = *state;
	AUTO_VM vp = program_fail_at_ff(&fixed8);
	AUTO_RESULT r = NULL;
	struct scan_options o = {.engine = "interp", .chunk_bytes = 4096};
	struct nf_error err;
	uint8_t *bytes = calloc(1, 80000);

	bytes[8 * 1234] = 0xff;
	put_file(f, "trap.bin", bytes, 80000);
	free(bytes);
	AUTO_SOURCE src = opened(f, &fixed8, "trap.bin");
	assert_int_equal(scan_run(src, vp, &o, &r, &err), -ERANGE);
	assert_int_equal(err.code, NF_OUT_OF_RANGE);
	assert_contains(err.where, "trap.bin, record at byte 9872");
	assert_contains(err.text, "42");
	assert_null(r);
}

static void cancel_and_deadline_end_even_slow_programs(void **state)
{
	struct folder *f = *state;
	AUTO_FREE uint8_t *bytes = random_bytes(1 << 20, 9, 0);
	AUTO_VM vp = program_slow(&fixed8);
	struct nf_error err;

	put_file(f, "slow", bytes, 1 << 20);
	AUTO_SOURCE src = opened(f, &fixed8, "slow");
	for (int cancelled = 0; cancelled < 2; cancelled++) {
		AUTO_RESULT r = NULL;
		atomic_bool cancel = true;
		struct scan_options o = {
			.engine = "interp", .threads = 2, .chunk_bytes = 512 << 10};
		uint64_t before = clock_now_ns();

		if (cancelled)
			o.cancel = &cancel;
		else
			o.deadline_ns = before + 50 * NS_PER_MS;
		assert_true(scan_run(src, vp, &o, &r, &err) < 0);
		assert_int_equal(err.code, cancelled ? NF_CANCELLED : NF_DEADLINE_EXCEEDED);
		assert_null(r);
		/* The whole of it would take minutes; a slice is a few records. Generous, because
		 * sanitizers and busy machines are slow. */
		assert_true(clock_now_ns() - before < 20 * NS_PER_SEC);
	}
}

struct order {
	atomic_uint pieces, sandboxes;
	unsigned before_sandbox;
	int sandbox_returns;
};

static int enter_sandbox(void *arg, struct nf_error *err)
{
	struct order *o = arg;

	o->sandboxes++;
	o->before_sandbox = o->pieces;
	return o->sandbox_returns ? nf_error_set(err, NF_INTERNAL, "sandbox", "no sandbox today")
				  : 0;
}

static void count_progress(void *arg, const struct scan_progress *p)
{
	struct scan_progress *last = arg;

	assert_true(p->bytes_done >= last->bytes_done && p->bytes_done <= p->bytes_total);
	assert_true(p->records >= last->records);
	*last = *p;
}

static void the_sandbox_comes_once_and_before_data(void **state)
{
	struct folder *f = *state;
	AUTO_FREE uint8_t *bytes = random_bytes(1 << 20, 10, 0);
	AUTO_VM vp = program_sums(&fixed8);
	struct nf_error err;

	put_file(f, "b", bytes, 1 << 20);
	AUTO_SOURCE src = opened(f, &fixed8, "b");
	for (enum scan_reader reader = READER_PREAD; reader <= READER_MMAP; reader++) {
		if (!reader_works(reader))
			continue;

		AUTO_RESULT r = NULL;
		AUTO_RESULT none = NULL;
		struct order order = {0};
		struct scan_progress progress = {0};
		struct scan_options o = {
			.engine = "interp",
			.threads = 3,
			.reader = reader,
			.chunk_bytes = 4096,
			.sandbox = enter_sandbox,
			.sandbox_arg = &order,
			.progress = count_progress,
			.progress_arg = &progress,
		};

		must(scan_run(src, vp, &o, &r, &err), &err);
		assert_int_equal(order.sandboxes, 1);
		/* The last report is of the whole. */
		assert_int_equal(progress.bytes_done, 1 << 20);
		assert_int_equal(progress.records, (1 << 20) / 8);

		order.sandbox_returns = 1;
		assert_int_equal(scan_run(src, vp, &o, &none, &err), -EPROTO);
		assert_string_equal(err.text, "no sandbox today");
		assert_null(none);
	}
}

static void sizes_that_do_not_fit_are_named(void **state)
{
	struct folder *f = *state;
	struct dataset_spec other = {
		.name = (char *)"d", .format = FORMAT_FIXED, .record_bytes = 16};
	AUTO_VM vp = program_sums(&fixed8);
	AUTO_RESULT r = NULL;
	struct scan_options o = {.engine = "interp"};
	struct nf_error err;

	put_file(f, "x", "0123456789abcdef", 16);
	AUTO_SOURCE src = opened(f, &other, "x");
	assert_int_equal(scan_run(src, vp, &o, &r, &err), -ENOTSUP);
	assert_int_equal(err.code, NF_FAILED_PRECONDITION);
	assert_contains(err.text, "records of 8 bytes");
	assert_contains(err.text, "fixed:16");
	AUTO_SOURCE text = opened(f, &lines, "x");
	assert_int_equal(scan_run(text, vp, &o, &r, &err), -ENOTSUP);
	assert_contains(err.text, "lines");
}

static void bad_options_are_refused(void **state)
{
	struct folder *f = *state;
	AUTO_VM vp = program_sums(&fixed8);
	static const uint8_t params[4];
	static const struct {
		struct scan_options options;
		enum nf_code code;
		const char *says;
	} bad[] = {
		{{.threads = 257}, NF_INVALID_ARGUMENT, "at most 256"},
		{{.queue_depth = 1000}, NF_INVALID_ARGUMENT, "at most 256"},
		{{.chunk_bytes = 4095}, NF_INVALID_ARGUMENT, "are possible"},
		{{.chunk_bytes = (64 << 20) + 1}, NF_INVALID_ARGUMENT, "are possible"},
		{{.engine = "warp"}, NF_FAILED_PRECONDITION, "no engine \"warp\""},
		{{.params = params, .params_bytes = 4}, NF_INVALID_ARGUMENT, "takes 0 bytes"},
		{{.reader = (enum scan_reader)9}, NF_INVALID_ARGUMENT, "no reader"},
		{{.has_range = true, .range_end = 17}, NF_INVALID_ARGUMENT, "which has 16 bytes"},
		{{.has_range = true, .range_end = 9}, NF_INVALID_ARGUMENT, "1 bytes are left over"},
	};

	put_file(f, "x", "0123456789abcdef", 16);
	AUTO_SOURCE src = opened(f, &fixed8, "x");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		AUTO_RESULT r = NULL;
		struct nf_error err = {0};

		assert_true(scan_run(src, vp, &bad[i].options, &r, &err) < 0);
		assert_int_equal(err.code, bad[i].code);
		assert_contains(err.text, bad[i].says);
	}
}

static void explain_lists_interp(void **state)
{
	struct folder *f = *state;
	AUTO_VM vp = program_sums(&fixed8);
	struct scan_choice choice[8];
	struct scan_options o = {.engine = "interp"};

	put_file(f, "x", "0123456789abcdef", 16);
	AUTO_SOURCE src = opened(f, &fixed8, "x");
	unsigned n = scan_explain(src, vp, &o, choice, ARRAY_SIZE(choice));
	assert_true(n >= 1);
	assert_string_equal(choice[n - 1].engine, "interp");
	assert_string_equal(choice[n - 1].reason, "");
}

static void merge_combines_two_states(void **state)
{
	AUTO_VM vp = program_sums(&fixed8);
	struct sums a = {1, 2, 3, 4}, b = {10, 20, 30, 40}, want = {11, 22, 33, 44};

	(void)state;
	assert_int_equal(scan_merge(vp, 0, (uint8_t *)&a, (const uint8_t *)&b, NULL), 0);
	assert_memory_equal(&a, &want, sizeof(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)
		T(sums_over_files_with_and_without_range),
		T(a_filter_counts_what_it_keeps),
		T(skip_and_a_cut_tail),
		T(empty_files_give_the_start_state),
		T(a_start_state_is_combined_only_where_records_went_in),
		T(groups_are_merged_over_threads),
		T(too_many_groups_are_an_error),
		T(memory_limits_groups_and_buffers),
		T(fold_stop_ends_all_threads_without_error),
		T(a_trap_names_record_and_function),
		T(cancel_and_deadline_end_even_slow_programs),
		T(the_sandbox_comes_once_and_before_data),
		T(sizes_that_do_not_fit_are_named),
		T(bad_options_are_refused),
		T(explain_lists_interp),
		cmocka_unit_test(merge_combines_two_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
