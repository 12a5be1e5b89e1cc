/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* test_sql_finish.c - groups, written down by hand, to rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/sql_finish.h"

static const char schema_text[] = "a:i32, b:i64, f:f64, name:char(4), d:decimal(9,2)";

enum { MAX_BYTES = 256, MAX_GROUPS = 16 };

/* A query, compiled for where its groups' bytes are, and some groups. */
struct fixture {
	struct sql_schema schema;
	struct sql_plan *plan;
	struct sql_layout layout;
	struct program *program;
	uint8_t keys[MAX_GROUPS][MAX_BYTES], states[MAX_GROUPS][MAX_BYTES];
	unsigned n;
};

static void set_up(struct fixture *x, const char *sql)
{
	struct nf_error err = {0};

	memset(x, 0, sizeof(*x));
	if (sql_schema_parse(schema_text, &x->schema, &err) ||
	    sql_plan_make(sql, &x->schema, &x->plan, &err) ||
	    sql_compile(x->plan, &x->layout, &x->program, &err))
		fail_msg("%s: %s: %s", sql, err.where, err.text);
	assert_true(x->program->key_bytes <= MAX_BYTES && x->program->state_bytes <= MAX_BYTES);
}

static void tear_down(struct fixture *x)
{
	program_unref(x->program);
	sql_layout_done(&x->layout);
	sql_plan_free(x->plan);
	sql_schema_done(&x->schema);
}

/* A group of that many records; its state is the query's start otherwise. */
static void new_group(struct fixture *x, uint64_t records)
{
	assert_true(x->n < MAX_GROUPS);
	memcpy(x->states[x->n], x->program->init_state, x->program->state_bytes);
	memcpy(x->states[x->n], &records, sizeof(records));
	x->n++;
}

static void set_key(struct fixture *x, unsigned k, int64_t v)
{
	memcpy(x->keys[x->n - 1] + x->layout.keys[k].offset, &v, x->layout.keys[k].bytes);
}

static void set_key_real(struct fixture *x, unsigned k, double v)
{
	memcpy(x->keys[x->n - 1] + x->layout.keys[k].offset, &v, sizeof(v));
}

static void set_key_text(struct fixture *x, unsigned k, const char *v)
{
	memcpy(x->keys[x->n - 1] + x->layout.keys[k].offset, v, strlen(v));
}

static void set_key_null(struct fixture *x, unsigned k)
{
	assert_true(x->layout.keys[k].null_offset >= 0);
	x->keys[x->n - 1][x->layout.keys[k].null_offset] = 1;
}

/* A sum, of whatever the group's records are. */
static void set_sum(struct fixture *x, unsigned i, int64_t v)
{
	__int128 wide = v;

	memcpy(x->states[x->n - 1] + x->layout.aggregates[i].offset, &wide, sizeof(wide));
}

/* Groups of one key, NULL written as INT64_MIN, with so many records each. */
static void groups(struct fixture *x, unsigned n, const int64_t (*rows)[2])
{
	for (unsigned i = 0; i < n; i++) {
		new_group(x, (uint64_t)rows[i][1]);
		if (rows[i][0] == INT64_MIN)
			set_key_null(x, 0);
		else
			set_key(x, 0, rows[i][0]);
	}
}

/* "1 2|3 null|": all cells as texts. */
static int finish(struct fixture *x, char *buf, size_t size, struct nf_error *err)
{
	struct sql_finish f;
	size_t used = 0;
	int r = 0;

	sql_finish_begin(x->plan, &x->layout, &f);
	for (unsigned i = 0; i < x->n && r == 0; i++)
		r = sql_finish_add(&f, x->plan->grouped ? x->keys[i] : NULL, x->states[i], err);
	if (r == 0)
		r = sql_finish_end(&f, err);
	buf[0] = '\0';
	for (uint64_t i = 0; r == 0 && i < f.n_rows * x->plan->n_outputs; i++) {
		bool last = (i + 1) % x->plan->n_outputs == 0;
		char *text = sql_value_text(&f.cells[i]);

		used += (size_t)snprintf(buf + used, size - used, "%s%s", text ? text : "null",
					 last ? "|" : " ");
		assert_true(used < size);
		free(text);
	}
	sql_finish_done(&f);
	return r;
}

static void expect(struct fixture *x, const char *want)
{
	struct nf_error err = {0};
	char got[1024];

	if (finish(x, got, sizeof(got), &err))
		fail_msg("%s: %s: %s", x->plan->text, err.where, err.text);
	if (strcmp(got, want) != 0)
		fail_msg("%s\ngives %s\nwant  %s", x->plan->text, got, want);
	tear_down(x);
}

static void ungrouped_is_one_row_also_of_nothing(void **state)
{
	struct fixture x;

	(void)state;
	set_up(&x, "SELECT count(*), sum(a), avg(b) FROM t");
	new_group(&x, 0);
	expect(&x, "0 null null|");
	set_up(&x, "SELECT count(*), sum(a), avg(b) FROM t");
	new_group(&x, 4);
	set_sum(&x, 1, 10);
	set_sum(&x, 2, 6);
	expect(&x, "4 10 1.5000000000000000|");
}

static void having_may_drop_even_that_row(void **state)
{
	struct fixture x;

	(void)state;
	set_up(&x, "SELECT count(*) FROM t HAVING count(*) > 4");
	new_group(&x, 4);
	expect(&x, "");
	set_up(&x, "SELECT count(*) FROM t HAVING sum(a) > 4"); /* of NULL: neither */
	new_group(&x, 0);
	expect(&x, "");
	set_up(&x, "SELECT a, count(*) FROM t GROUP BY a HAVING count(*) > 4");
	groups(&x, 3, (const int64_t[][2]){{1, 4}, {2, 5}, {3, 6}});
	expect(&x, "2 5|3 6|");
}

static void grouped_without_records_is_no_row(void **state)
{
	struct fixture x;

	(void)state;
	set_up(&x, "SELECT a, count(*) FROM t GROUP BY a");
	expect(&x, "");
	set_up(&x, "SELECT a, count(*) FROM t GROUP BY a ORDER BY 1 LIMIT 3 OFFSET 2");
	expect(&x, "");
}

static void without_order_rows_stay_as_they_came(void **state)
{
	struct fixture x;

	(void)state;
	set_up(&x, "SELECT a, count(*) FROM t GROUP BY a");
	groups(&x, 3, (const int64_t[][2]){{3, 1}, {1, 1}, {2, 1}});
	expect(&x, "3 1|1 1|2 1|");
}

static void order_is_stable(void **state)
{
	struct fixture x;

	(void)state;
	set_up(&x, "SELECT a, count(*) FROM t GROUP BY a ORDER BY count(*)");
	groups(&x, 6, (const int64_t[][2]){{9, 2}, {1, 1}, {8, 2}, {2, 1}, {7, 2}, {3, 1}});
	expect(&x, "1 1|2 1|3 1|9 2|8 2|7 2|");
	set_up(&x, "SELECT a, count(*) FROM t GROUP BY a ORDER BY count(*) DESC, a");
	groups(&x, 4, (const int64_t[][2]){{9, 2}, {1, 1}, {-8, 2}, {2, 3}});
	expect(&x, "2 3|-8 2|9 2|1 1|");
}

static void nulls_go_where_they_are_told(void **state)
{
	static const struct {
		const char *order, *want;
	} rows[] = {
		{"1", "1|2|null|"},
		{"1 DESC", "null|2|1|"},
		{"1 NULLS FIRST", "null|1|2|"},
		{"1 DESC NULLS LAST", "2|1|null|"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture x;
		char sql[128];

		snprintf(sql, sizeof(sql),
			 "SELECT nullif(a, 7) FROM t GROUP BY nullif(a, 7) ORDER BY %s",
			 rows[i].order);
		set_up(&x, sql);
		groups(&x, 3, (const int64_t[][2]){{INT64_MIN, 1}, {2, 1}, {1, 1}});
		expect(&x, rows[i].want);
	}
}

static void offset_comes_before_limit(void **state)
{
	static const struct {
		const char *words, *want;
	} rows[] = {
		{"LIMIT 2", "1|2|"},
		{"LIMIT 2 OFFSET 1", "2|3|"},
		{"OFFSET 3", "4|"},
		{"OFFSET 4", ""},
		{"OFFSET 9 LIMIT 1", ""},
		{"LIMIT 0", ""},
		{"LIMIT 99", "1|2|3|4|"},
		{"LIMIT ALL", "1|2|3|4|"},
		{"LIMIT 9000000000", "1|2|3|4|"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture x;
		char sql[128];

		snprintf(sql, sizeof(sql), "SELECT a FROM t GROUP BY a ORDER BY a %s",
			 rows[i].words);
		set_up(&x, sql);
		groups(&x, 4, (const int64_t[][2]){{4, 1}, {2, 1}, {3, 1}, {1, 1}});
		expect(&x, rows[i].want);
	}
}

static void distinct_removes_equal_rows(void **state)
{
	struct fixture x;

	(void)state;
	/* The first of equal ones stays, in its place. */
	set_up(&x, "SELECT DISTINCT count(*) FROM t GROUP BY a");
	groups(&x, 5, (const int64_t[][2]){{1, 3}, {2, 1}, {3, 3}, {4, 2}, {5, 1}});
	expect(&x, "3|1|2|");
	/* LIMIT counts what is left. */
	set_up(&x, "SELECT DISTINCT count(*) FROM t GROUP BY a ORDER BY 1 DESC LIMIT 2");
	groups(&x, 5, (const int64_t[][2]){{1, 3}, {2, 1}, {3, 3}, {4, 2}, {5, 1}});
	expect(&x, "3|2|");
	/* NULLs are equal. */
	set_up(&x, "SELECT DISTINCT nullif(count(*), 1) FROM t GROUP BY a");
	groups(&x, 3, (const int64_t[][2]){{1, 1}, {2, 2}, {3, 1}});
	expect(&x, "null|2|");
	/* 1.5 and 1.500 are. */
	set_up(&x,
	       "SELECT DISTINCT CASE WHEN count(*) > 1 THEN 1.5 ELSE 1.500 END FROM t GROUP BY a");
	groups(&x, 2, (const int64_t[][2]){{1, 1}, {2, 2}});
	expect(&x, "1.500|");
}

static void what_fails_says_where(void **state)
{
	struct nf_error err = {0};
	struct fixture x;
	char got[256];

	(void)state;
	set_up(&x, "SELECT a,\n 7 / (count(*) - 2) FROM t GROUP BY a");
	groups(&x, 3, (const int64_t[][2]){{1, 1}, {2, 2}, {3, 3}});
	assert_true(finish(&x, got, sizeof(got), &err) < 0);
	assert_int_equal(err.code, NF_OUT_OF_RANGE);
	assert_string_equal(err.where, "SQL, line 2, column 4");
	assert_string_equal(err.text, "division by zero");
	tear_down(&x);
	/* HAVING is asked first, so what would fail in its outputs is never made. */
	set_up(&x, "SELECT 7 / (count(*) - 2) FROM t GROUP BY a HAVING count(*) <> 2");
	groups(&x, 3, (const int64_t[][2]){{1, 1}, {2, 2}, {3, 3}});
	expect(&x, "-7|7|");
}

static void many_rows(void **state)
{
	enum { N = 5000 };
	struct sql_finish f;
	struct nf_error err = {0};
	struct fixture x;

	(void)state;
	set_up(&x, "SELECT a, d FROM t GROUP BY a, d ORDER BY 1 DESC OFFSET 1");
	new_group(&x, 1);
	sql_finish_begin(x.plan, &x.layout, &f);
	for (int64_t i = 0; i < N; i++) {
		set_key(&x, 0, i * 7919 % N);
		set_key(&x, 1, i);
		assert_int_equal(sql_finish_add(&f, x.keys[0], x.states[0], &err), 0);
	}
	assert_int_equal(sql_finish_end(&f, &err), 0);
	assert_int_equal(f.n_rows, N - 1);
	for (uint64_t i = 0; i < f.n_rows; i++)
		assert_int_equal(f.cells[2 * i].integer, N - 2 - (int64_t)i);
	sql_finish_done(&f);
	sql_finish_done(&f); /* a zeroed one */
	tear_down(&x);
}

static int order(struct fixture *x)
{
	int c = sql_finish_key_order(x->plan, &x->layout, x->keys[0], x->keys[1]);

	assert_int_equal(c > 0,
			 sql_finish_key_order(x->plan, &x->layout, x->keys[1], x->keys[0]) < 0);
	assert_int_equal(c == 0,
			 sql_finish_key_order(x->plan, &x->layout, x->keys[1], x->keys[0]) == 0);
	return (c > 0) - (c < 0);
}

static void keys_have_an_order(void **state)
{
	struct fixture x;

	(void)state;
	set_up(&x, "SELECT count(*) FROM t GROUP BY nullif(a, 0), b, f, name");
	new_group(&x, 1);
	new_group(&x, 1);
	assert_int_equal(order(&x), 0);
	x.n = 1;
	set_key_text(&x, 3, "b");
	x.n = 2;
	set_key_text(&x, 3, "aaaa");
	assert_int_equal(order(&x), 1);
	set_key_real(&x, 2, 0.5);
	assert_int_equal(order(&x), -1); /* the key before it decides */
	x.n = 1;
	set_key_real(&x, 2, __builtin_nan(""));
	assert_int_equal(order(&x), 1);
	set_key(&x, 1, INT64_MIN);
	assert_int_equal(order(&x), -1);
	set_key(&x, 0, 256); /* by value, not by bytes */
	x.n = 2;
	set_key(&x, 0, -1);
	assert_int_equal(order(&x), 1);
	set_key_null(&x, 0);
	assert_int_equal(order(&x), -1); /* NULL is last */
	tear_down(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ungrouped_is_one_row_also_of_nothing),
		cmocka_unit_test(having_may_drop_even_that_row),
		cmocka_unit_test(grouped_without_records_is_no_row),
		cmocka_unit_test(without_order_rows_stay_as_they_came),
		cmocka_unit_test(order_is_stable),
		cmocka_unit_test(nulls_go_where_they_are_told),
		cmocka_unit_test(offset_comes_before_limit),
		cmocka_unit_test(distinct_removes_equal_rows),
		cmocka_unit_test(what_fails_says_where),
		cmocka_unit_test(many_rows),
		cmocka_unit_test(keys_have_an_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
