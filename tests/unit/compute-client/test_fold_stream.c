/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* test_fold_stream.c - records and lines that arrive cut anywhere give the same answer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "compute-client/fold_stream.h"
#include "tests/unit/program/program_fixture.h"

/* reduce: s->count++, s->bytes += len. Of any record. */
static const struct bpf_insn measure[] = {
	LOAD(6, 1, 0), ADD_K(6, 1),    STORE(1, 0, 6), LOAD(6, 1, 8),
	ADD_X(6, 3),   STORE(1, 8, 6), MOV_K(0, 0),    EXIT(),
};
/* The same, and stop. */
static const struct bpf_insn measure_one[] = {
	LOAD(6, 1, 0), ADD_K(6, 1),    STORE(1, 0, 6), LOAD(6, 1, 8),
	ADD_X(6, 3),   STORE(1, 8, 6), MOV_K(0, 1),    EXIT(),
};
static const struct bpf_insn nothing[] = {MOV_K(0, 0), EXIT()};

struct measured {
	uint64_t count, bytes;
};

static struct fold_stream *open_stream(uint32_t record_bytes, bool stops, bool tail_ignore)
{
	struct program_func functions[] = {
		FUNC(PROGRAM_REDUCE, "measure", measure),
		FUNC(PROGRAM_COMBINE, "merge", nothing),
	};
	struct program in = {
		.funcs = functions,
		.n_funcs = 2,
		.record_bytes = record_bytes,
		.state_bytes = sizeof(struct measured),
	};
	struct fold_stream_options o = {.engine = "interp", .tail_ignore = tail_ignore};
	struct vm_bounds bounds = {record_bytes,
				   record_bytes ? record_bytes : PROGRAM_MAX_RECORD_BYTES};
	struct fold_stream *s = NULL;
	struct program *p;
	struct vm_program *vp;
	struct nf_error err;

	if (stops)
		functions[0].insns = measure_one;
	assert_int_equal(program_create(&in, &p, &err), 0);
	assert_int_equal(vm_verify(p, &bounds, &vp, &err), 0);
	assert_int_equal(
		fold_stream_open(vp, record_bytes ? FORMAT_FIXED : FORMAT_LINES, &o, &s, &err), 0);
	vm_program_unref(vp);
	program_unref(p);
	return s;
}

static void add_cut(struct fold_stream *s, const char *data, size_t n, size_t piece)
{
	struct nf_error err;

	for (size_t at = 0; at < n; at += piece)
		assert_int_equal(
			fold_stream_add(s, data + at, at + piece < n ? piece : n - at, &err), 0);
}

static void check_answer(struct fold_stream *s, uint64_t count, uint64_t bytes)
{
	struct measured got;

	memcpy(&got, fold_stream_result(s)->state, sizeof(got));
	assert_int_equal(got.count, count);
	assert_int_equal(got.bytes, bytes);
	assert_int_equal(fold_stream_result(s)->records, count);
}

static void lines_cut_anywhere(void **state)
{
	static const char text[] = "one\n\nthree\nfour is longer\nlast";
	struct nf_error err;

	(void)state;
	for (size_t piece = 1; piece <= sizeof(text); piece++) {
		struct fold_stream *s = open_stream(0, false, false);

		add_cut(s, text, sizeof(text) - 1, piece);
		assert_int_equal(fold_stream_end(s, &err), 0);
		check_answer(s, 5, sizeof(text) - 1 - 4);
		fold_stream_free(s);
	}
}

static void records_cut_anywhere(void **state)
{
	static const char data[7 * 12];
	struct nf_error err;

	(void)state;
	for (size_t piece = 1; piece <= sizeof(data); piece++) {
		struct fold_stream *s = open_stream(12, false, false);

		add_cut(s, data, sizeof(data), piece);
		assert_int_equal(fold_stream_end(s, &err), 0);
		check_answer(s, 7, sizeof(data));
		fold_stream_free(s);
	}
}

static void record_cut_short_at_the_end(void **state)
{
	static const char data[30];
	struct nf_error err;

	(void)state;
	for (int ignore = 0; ignore < 2; ignore++) {
		struct fold_stream *s = open_stream(12, false, ignore);

		add_cut(s, data, sizeof(data), 7);
		assert_int_equal(fold_stream_end(s, &err) == 0, ignore);
		if (!ignore)
			assert_int_equal(err.code, NF_DATA_LOSS);
		else
			check_answer(s, 2, 24);
		fold_stream_free(s);
	}
}

static void line_too_long(void **state)
{
	static char data[PROGRAM_MAX_RECORD_BYTES / 2 + 8];
	struct fold_stream *s = open_stream(0, false, false);
	struct nf_error err;

	(void)state;
	memset(data, 'x', sizeof(data));
	assert_int_equal(fold_stream_add(s, data, sizeof(data), &err), 0);
	assert_true(fold_stream_add(s, data, sizeof(data), &err) < 0);
	assert_int_equal(err.code, NF_DATA_LOSS);
	fold_stream_free(s);
}

static void stop_ends_it(void **state)
{
	struct fold_stream *s = open_stream(4, true, false);
	struct nf_error err;

	(void)state;
	assert_int_equal(fold_stream_add(s, "abcdefghijkl", 12, &err), 1);
	assert_int_equal(fold_stream_add(s, "abcd", 4, &err), 1);
	assert_int_equal(fold_stream_end(s, &err), 0);
	check_answer(s, 1, 4);
	fold_stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_cut_anywhere),
		cmocka_unit_test(records_cut_anywhere),
		cmocka_unit_test(record_cut_short_at_the_end),
		cmocka_unit_test(line_too_long),
		cmocka_unit_test(stop_ends_it),
	};

	return cmocka_run_group_tests_name("fold_stream", tests, NULL, NULL);
}
