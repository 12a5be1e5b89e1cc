/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_sql_hostile.c - keys and states that no program has made: a node may send any bytes. They
 * give values or errors, and no more. Run with the sanitizers on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/sql_finish.h"

static const char schema_text[] =
	"a:i32, b:i64, s:i16, t:i8, u:u64, f:f64, g:f32, flag:bool, name:char(7), "
	"long:char(60), day:date, at:timestamp, d:decimal(9,2), e:decimal(18,18)";

static const char *const queries[] = {
	"SELECT count(*), sum(a), avg(a), sum(b), avg(b), sum(d * e), avg(e), sum(f), avg(f) FROM "
	"t",
	"SELECT min(a) + max(a), -min(a), abs(min(b)), min(b) * 3, max(b) / min(b), max(b) % "
	"min(b), "
	"-max(s), max(s) * max(s), min(t) / max(t), min(u) - 1 FROM t",
	"SELECT a, b, s, count(*), a + b, a - s, b * b, b / a, b % s, -a, abs(b), a::smallint, "
	"a::bool, b::float8, b::text FROM t GROUP BY a, b, s",
	"SELECT f, g, count(*), f / g, f * f, f::int, f::numeric, round(f), f::text, -g FROM t "
	"GROUP BY f, g ORDER BY 1 DESC, 2 NULLS FIRST",
	"SELECT d, e, count(*), d / e, d % e, round(d, 1), d::int, d::float8, floor(e), d * e * e "
	"FROM t GROUP BY d, e ORDER BY d / nullif(e, 0) LIMIT 9",
	"SELECT day, at, count(*), day + 1, day - day, at - interval '3 months', day::timestamp, "
	"at::date, extract(year FROM at), extract(minute FROM at), day::text "
	"FROM t GROUP BY day, at ORDER BY 1 DESC, 2",
	"SELECT day, extract(month FROM day), day + interval '1 day', count(*) FROM t GROUP BY 1",
	"SELECT flag, name, count(*), NOT flag, flag::int, name LIKE '%_a%', name = 'x' FROM t "
	"GROUP BY 1, 2 ORDER BY name DESC",
	"SELECT long, min(name), max(long) FILTER (WHERE flag), min(long) > max(name) FROM t "
	"GROUP BY long HAVING min(name) >= ''",
	"SELECT DISTINCT nullif(a, 1), nullif(name, 'x'), nullif(flag, true), nullif(f, 0) FROM t",
	"SELECT DISTINCT bool_and(flag), bool_or(flag), min(name) FROM t GROUP BY a ORDER BY 3, 1",
	"SELECT min(day), max(day), min(at), max(at), max(day) - min(day), min(day) - 1, "
	"max(at) + interval '1 year', min(at)::date FROM t",
	"SELECT avg(a) FILTER (WHERE flag), sum(a) FILTER (WHERE flag), bool_or(f > 1), "
	"min(f) FILTER (WHERE flag), max(name) FILTER (WHERE flag) FROM t",
	"SELECT CASE WHEN min(s) > 0 THEN sum(a) / count(*) ELSE avg(b) END, sum(d)::int, "
	"sum(e)::float8, sum(b)::bigint, avg(f)::numeric(5, 2) FROM t",
};

enum { GROUPS = 12, ROUNDS = 60 };

static uint64_t seed = 88172645463325252u;

static uint64_t random_u64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Of exactly that many bytes, so that one too far is found. */
static uint8_t *random_bytes(uint32_t n)
{
	static const uint64_t some[] = {
		0, 1, UINT64_MAX, UINT64_C(1) << 63, INT64_MAX, 0x80000000, UINT64_C(0x7ff8) << 48};
	uint8_t *bytes = malloc(n ? n : 1);

	assert_non_null(bytes);
	for (uint32_t i = 0; i < n; i += 8) {
		uint64_t v = random_u64();

		if (v % 3)
			v = some[random_u64() % (sizeof(some) / sizeof(some[0]))];
		memcpy(bytes + i, &v, n - i < 8 ? n - i : 8);
	}
	return bytes;
}

static void print_cells(const struct sql_finish *f)
{
	for (uint64_t i = 0; i < f->n_rows * f->plan->n_outputs; i++)
		free(sql_value_text(&f->cells[i]));
}

static unsigned n_rows, n_errors;

static void add_groups(struct sql_finish *f, const struct program *p)
{
	uint8_t *before = NULL;
	struct nf_error err = {0};
	int r = 0;

	for (unsigned i = 0; i < GROUPS; i++) {
		uint8_t *key = random_bytes(p->key_bytes), *state = random_bytes(p->state_bytes);

		if (before && p->key_bytes) {
			int there = sql_finish_key_order(f->plan, f->layout, before, key);
			int back = sql_finish_key_order(f->plan, f->layout, key, before);

			assert_int_equal((there > 0) - (there < 0), (back < 0) - (back > 0));
		}
		r = sql_finish_add(f, p->key_bytes ? key : NULL, state, &err);
		n_errors += r != 0;
		free(state);
		free(before);
		before = key;
	}
	free(before);
}

static void any_bytes_give_values_or_errors(void **unused)
{
	struct sql_schema schema;

	(void)unused;
	assert_int_equal(sql_schema_parse(schema_text, &schema, NULL), 0);
	for (size_t q = 0; q < sizeof(queries) / sizeof(queries[0]); q++) {
		struct sql_plan *plan = NULL;
		struct sql_layout layout;
		struct program *program;
		struct nf_error err = {0};

		if (sql_plan_make(queries[q], &schema, &plan, &err) ||
		    sql_compile(plan, &layout, &program, &err))
			fail_msg("%s: %s: %s", queries[q], err.where, err.text);
		for (unsigned i = 0; i < ROUNDS; i++) {
			struct sql_finish f;

			sql_finish_begin(plan, &layout, &f);
			add_groups(&f, program);
			n_rows += (unsigned)f.n_rows;
			if (sql_finish_end(&f, &err) == 0)
				print_cells(&f);
			sql_finish_done(&f);
		}
		program_unref(program);
		sql_layout_done(&layout);
		sql_plan_free(plan);
	}
	sql_schema_done(&schema);
	assert_true(n_rows > 100 && n_errors > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_bytes_give_values_or_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
