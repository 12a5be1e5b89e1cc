/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* test_bench_stat.c - medians, spreads, ratios, and where two ways change places. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compute-client/bench/bench_data.h"
#include "compute-client/bench/bench_json.h"
#include "compute-client/bench/bench_savings.h"
#include "compute-client/bench/bench_sweep.h"
#include "compute-client/bench/bench_sweep_internal.h"

static bool close_to(double a, double b)
{
	return fabs(a - b) <= 1e-9 * fabs(b) + 1e-12;
}

static void median_and_spread(void **state)
{
	const double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2}, holes[] = {NAN, 5, NAN};
	struct bench_stat s = bench_stat_of(odd, 3);

	(void)state;
	assert_true(s.median == 2 && s.low == 1 && s.high == 3 && s.n == 3);
	assert_true(bench_stat_of(even, 4).median == 2.5);
	s = bench_stat_of(holes, 3);
	assert_true(s.median == 5 && s.n == 1);
	assert_int_equal(bench_stat_of(holes, 1).n, 0);
}

static void ratio_spreads_over_all_pairs(void **state)
{
	struct bench_stat above = {10, 8, 12, 3}, below = {2, 1, 4, 5}, none = {0};
	struct bench_stat r = bench_stat_ratio(&above, &below);

	(void)state;
	assert_true(r.median == 5 && r.low == 2 && r.high == 12 && r.n == 3);
	assert_int_equal(bench_stat_ratio(&above, &none).n, 0);
}

static void agreement_is_overlap(void **state)
{
	struct bench_stat a = {2, 1, 3, 3}, b = {3, 2.5, 4, 3}, c = {9, 8, 10, 3}, none = {0};

	(void)state;
	assert_true(bench_stat_agree(&a, &b));
	assert_false(bench_stat_agree(&a, &c));
	assert_false(bench_stat_agree(&a, &none));
}

static void break_even_link(void **state)
{
	(void)state;
	/* A second of offload, 1 GB shipped: even where 1 GB takes a second. */
	assert_true(close_to(bench_break_even_link(1, 0, 0.5, 1e9), 8e9));
	assert_true(close_to(bench_break_even_link(1, 1e8, 0.5, 1e9), 7.2e9));
	assert_true(isinf(bench_break_even_link(0.5, 100, 1, 1e9)));
	assert_true(bench_break_even_link(1, 1e9, 0.5, 1e9) == 0);
}

static void add_point(struct bench_report *r, enum bench_section section, double x, double offload,
		      double ship)
{
	for (unsigned way = 0; way < WAYS; way++) {
		struct bench_row *row = bench_report_row(r);
		double v = way == WAY_SHIP ? ship : offload;

		row->section = section;
		row->x = x;
		snprintf(row->x_text, sizeof(row->x_text), "%g", x);
		row->way = (enum bench_way)way;
		snprintf(row->engine, sizeof(row->engine), "jit");
		row->figures[FIGURE_SECONDS] = (struct bench_stat){v, v, v, 3};
	}
}

static void crossing_between_points(void **state)
{
	struct bench_report r = {.kind = "sweep"};
	double x = 0;

	(void)state;
	/* Not in order; ratios 4, 0.25: even in the middle, on a logarithmic axis. */
	add_point(&r, SECTION_LINK, 10000, 4, 1);
	add_point(&r, SECTION_LINK, 100, 1, 4);
	add_point(&r, SECTION_GROUPS, 1, 1, 2);
	add_point(&r, SECTION_GROUPS, 10, 1, 3);
	add_point(&r, SECTION_STATE, 8, 2, 1);
	bench_report_compare(&r);
	assert_int_equal(r.n_ratios, 5);
	assert_int_equal(bench_crossing(&r, SECTION_LINK, "jit", "time", &x), 1);
	assert_true(close_to(x, 1000));
	assert_int_equal(bench_crossing(&r, SECTION_GROUPS, "jit", "time", &x), 0);
	assert_int_equal(bench_crossing(&r, SECTION_STATE, "jit", "time", &x), -1);
	bench_report_done(&r);
}

static void json_there_and_back(void **state)
{
	struct bench_report r = {.kind = "sweep"}, back;
	char path[] = "/tmp/nearfold-bench-json.XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");
	struct nf_error err;

	(void)state;
	add_point(&r, SECTION_LINK, 100, 0.125, 4);
	bench_report_compare(&r);
	bench_crossings_report(&r);
	bench_report_fact(&r, "machine", "a \"quoted\" one");
	bench_report_note(&r, "left out");
	assert_int_equal(bench_json_write(&r, f), 0);
	fclose(f);
	assert_int_equal(bench_json_read(path, &back, &err), 0);
	assert_int_equal(back.n_rows, 2);
	assert_int_equal(back.n_ratios, 1);
	assert_int_equal(back.n_breaks, r.n_breaks);
	assert_string_equal(bench_report_fact_value(&back, "machine"), "a \"quoted\" one");
	assert_string_equal(back.notes[0], "left out");
	assert_true(back.rows[0].figures[FIGURE_SECONDS].median == 0.125);
	assert_int_equal(back.rows[0].figures[FIGURE_WIRE].n, 0);
	assert_int_equal(back.rows[1].way, WAY_SHIP);
	assert_true(back.ratios[0].stat.median == 32);
	bench_report_done(&r);
	bench_report_done(&back);
	unlink(path);
}

static void passes_add_up(void **state)
{
	static struct bench_contestant c = {.way = WAY_SHIP, .engine = "jit", .n = 2};
	struct bench_report r = {.kind = "sweep"};

	(void)state;
	for (unsigned pass = 0; pass < 3; pass++) {
		for (unsigned i = 0; i < c.n; i++) {
			bench_sample_clear(&c.samples[i]);
			c.samples[i].v[FIGURE_SECONDS] = 1 + 2 * pass + i;
		}
		bench_rounds_report(&c, 1, SECTION_STATE, 8, "8", &r);
	}
	bench_rounds_report(&c, 1, SECTION_STATE, 64, "64", &r);
	assert_int_equal(r.n_rows, 2);
	assert_int_equal(r.rows[0].figures[FIGURE_SECONDS].n, 6);
	assert_true(r.rows[0].figures[FIGURE_SECONDS].median == 3.5);
	assert_true(r.rows[0].figures[FIGURE_SECONDS].high == 6);
	assert_int_equal(r.rows[0].figures[FIGURE_WIRE].n, 0);
	bench_report_done(&r);
}

static void json_that_is_none(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"nearfold_benchmark\": 2}",
		"{\"nearfold_benchmark\": 1, \"rows\": [{}]}",
		"{\"nearfold_benchmark\": 1, \"rows\": [{\"section\": \"link\", \"way\": "
		"\"walk\"}]}",
		"{\"nearfold_benchmark\": 1, \"ratios\": [{\"section\": \"link\", \"stat\": {}}]}",
		"{\"nearfold_benchmark\": 1, \"break_evens\": [1]}",
	};
	char path[] = "/tmp/nearfold-bench-json.XXXXXX";
	int fd = mkstemp(path);
	struct bench_report r;
	struct nf_error err;

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, texts[i], strlen(texts[i]), 0), strlen(texts[i]));
		assert_true(bench_json_read(path, &r, &err) < 0);
		assert_int_equal(err.code, NF_INVALID_ARGUMENT);
		bench_report_done(&r);
	}
	close(fd);
	unlink(path);
	assert_true(bench_json_read("/nonexistent/report.json", &r, &err) < 0);
	assert_int_equal(err.code, NF_NOT_FOUND);
}

static void data_is_the_same_for_everybody(void **state)
{
	uint64_t below_half = 0;

	(void)state;
	assert_int_equal(bench_record_at(7).id, 7);
	assert_true(bench_record_at(7).key == bench_record_at(7).key);
	assert_true(bench_record_at(7).key != bench_record_at(8).key);
	for (uint64_t i = 0; i < 100000; i++) {
		assert_true(bench_record_at(i).pick < BENCH_PICK_RANGE);
		below_half += bench_record_at(i).pick < BENCH_PICK_RANGE / 2;
	}
	assert_in_range(below_half, 49000, 51000);
}

static void only_names_sections(void **state)
{
	char where[40];

	(void)state;
	assert_true(bench_sweep_only_valid("link,groups", where));
	assert_false(bench_sweep_only_valid("link,lnik", where));
	assert_string_equal(where, "lnik");
	assert_false(bench_sweep_only_valid("", where));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(median_and_spread),
		cmocka_unit_test(ratio_spreads_over_all_pairs),
		cmocka_unit_test(agreement_is_overlap),
		cmocka_unit_test(break_even_link),
		cmocka_unit_test(crossing_between_points),
		cmocka_unit_test(json_there_and_back),
		cmocka_unit_test(passes_add_up),
		cmocka_unit_test(json_that_is_none),
		cmocka_unit_test(data_is_the_same_for_everybody),
		cmocka_unit_test(only_names_sections),
	};

	return cmocka_run_group_tests_name("bench", tests, NULL, NULL);
}
