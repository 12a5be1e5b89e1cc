/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Compiled queries against the evaluator: the same query over the same random records, once as a
 * program (interpreted, in two halves that are combined), once with sql_expr_eval() record by
 * record.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "sql/sql_code.h"
#include "sql/sql_finish.h"
#include "vm/vm_interp.h"

static const char schema_text[] =
	"a:i32, b:i32, big:i64, small:i16, tiny:i8, u8:u8, u16:u16, "
	"u32:u32, u64:u64, f:f64, g:f32, "
	"flag:bool, pad(3), name:char(12), c1:char(1), c6:char(6), c7:char(7), c3:char(3), "
	"day:date, "
	"ts:timestamp, price:decimal(12,2), "
	"rate:decimal(4,2), deep:decimal(18,6), pad(2)";

enum { RECORDS = 400, MAX_GROUPS = RECORDS };

static struct sql_schema schema;
static uint8_t *records;

static uint64_t seed = 88172645463325252u;

static uint64_t random_u64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Often an edge. */
static int64_t random_integer(int64_t lo, int64_t hi)
{
	uint64_t span = (uint64_t)hi - (uint64_t)lo;

	switch (random_u64() % 8) {
	case 0:
		return lo;
	case 1:
		return hi;
	case 2:
		return 0 >= lo && 0 <= hi ? 0 : lo;
	case 3:
	case 4:
	case 5: {
		int64_t n = (int64_t)(random_u64() % 21) - 10;

		return n < lo ? lo : n > hi ? hi : n;
	}
	default:
		return (int64_t)((uint64_t)lo +
				 (span == UINT64_MAX ? random_u64() : random_u64() % (span + 1)));
	}
}

static double random_real(void)
{
	static const double some[] = {0,      -0.0,   1,        -1,        0.5, 1e300, -1e300,
				      1e-300, 5e-324, INFINITY, -INFINITY, NAN, 2.5,   1e15};

	if (random_u64() % 2)
		return some[random_u64() % (sizeof(some) / sizeof(some[0]))];
	return (double)random_integer(-1000, 1000) / 8;
}

static void random_text(uint8_t *at, uint32_t n)
{
	static const char *const some[] = {
		"",         "a",         "ab",  "abc",         "b", "abcdefghijkl",
		"abcdefgh", "\xc3\xa4x", "foo", "zzzzzzzzzzzz"};
	const char *text = some[random_u64() % (sizeof(some) / sizeof(some[0]))];
	size_t len = strlen(text) < n ? strlen(text) : n;

	for (uint32_t i = 0; i < n; i++) /* what lies behind the end is garbage */
		at[i] = (uint8_t)random_u64();
	memcpy(at, text, len);
	if (len < n)
		at[len] = 0;
}

static void fill_column(const struct sql_column *c, uint8_t *at, bool calm)
{
	static const int64_t lows[] = {INT8_MIN, INT16_MIN, INT32_MIN, INT64_MIN, 0, 0, 0, 0};
	static const int64_t highs[] = {INT8_MAX,  INT16_MAX,  INT32_MAX,  INT64_MAX,
					UINT8_MAX, UINT16_MAX, UINT32_MAX, INT64_MAX};
	int64_t n, most = 1;
	double d;
	float f;

	switch (c->storage) {
	case SQL_STORED_F64:
		d = calm ? (double)random_integer(-50, 50) / 4 : random_real();
		memcpy(at, &d, 8);
		return;
	case SQL_STORED_F32:
		f = calm ? (float)random_integer(-50, 50) / 4 : (float)random_real();
		if (!calm && random_u64() % 8 == 0)
			f = 1e-44f; /* subnormal */
		memcpy(at, &f, 4);
		return;
	case SQL_STORED_BOOL:
		*at = (uint8_t)(random_u64() % 3);
		return;
	case SQL_STORED_CHAR:
		random_text(at, c->bytes);
		return;
	case SQL_STORED_DATE:
		n = random_integer(-10000, 20000);
		break;
	case SQL_STORED_TIMESTAMP:
		n = random_integer(-INT64_C(1000000000000000), INT64_C(2000000000000000));
		break;
	case SQL_STORED_DECIMAL:
		for (unsigned i = 0; i < c->precision; i++)
			most *= 10;
		n = calm ? random_integer(-999, 999) : random_integer(1 - most, most - 1);
		break;
	default:
		n = random_integer(lows[c->storage], highs[c->storage]);
		if (calm)
			n = n % 100;
		break;
	}
	memcpy(at, &n, c->bytes);
}

static void fill_records(bool calm)
{
	for (unsigned i = 0; i < RECORDS; i++)
		for (uint32_t k = 0; k < schema.n_columns; k++)
			fill_column(&schema.columns[k],
				    records + (size_t)i * schema.record_bytes +
					    schema.columns[k].offset,
				    calm);
}

/* ---- the evaluator's answer ------------------------------------------------------------------ */

struct record_row {
	struct sql_row row;
	const uint8_t *record;
};

static int get_column(const struct sql_row *row, const struct sql_expr *e, struct sql_value *ret,
		      struct nf_error *err)
{
	const struct record_row *r = (const struct record_row *)(const void *)row;

	return sql_record_value(&schema.columns[e->index], r->record, ret, err);
}

struct group {
	struct sql_value *keys;
	struct sql_value *aggregates; /* sums, extremes */
	uint64_t *counts;
};

struct group_row {
	struct sql_row row;
	const struct sql_plan *plan;
	const struct group *group;
};

static int get_group(const struct sql_row *row, const struct sql_expr *e, struct sql_value *ret,
		     struct nf_error *err)
{
	const struct group_row *r = (const struct group_row *)(const void *)row;
	const struct sql_aggregate *a;
	struct sql_value n = {0};
	int res;

	if (e->op == SQL_KEY)
		return sql_value_copy(&r->group->keys[e->index], ret, err);
	a = &r->plan->aggregates[e->index];
	if (a->kind == SQL_COUNT) {
		*ret = sql_value_integer(SQL_INT8, (int64_t)r->group->counts[e->index]);
		return 0;
	}
	if (!r->group->counts[e->index]) {
		*ret = sql_value_null(a->type);
		return 0;
	}
	if (a->kind != SQL_AVG)
		return sql_value_cast(&r->group->aggregates[e->index], a->type, SQL_NO_SCALE, ret,
				      err);
	n = a->type == SQL_FLOAT8 ? sql_value_real((double)r->group->counts[e->index])
				  : sql_value_number((__int128)r->group->counts[e->index], 0);
	res = sql_value_arith(SQL_DIVIDE, &r->group->aggregates[e->index], &n, ret, err);
	sql_value_done(&n);
	return res;
}

static int add_value(const struct sql_aggregate *a, struct sql_value *into, uint64_t *count,
		     struct sql_value *v, struct nf_error *err)
{
	struct sql_value wide = {0}, sum = {0};
	int r = 0;

	if (a->kind == SQL_SUM || a->kind == SQL_AVG) {
		r = v->type == SQL_FLOAT8
			    ? sql_value_copy(v, &wide, err)
			    : sql_value_cast(v, SQL_NUMERIC, SQL_NO_SCALE, &wide, err);
		if (!r && *count)
			r = sql_value_arith(SQL_PLUS, into, &wide, &sum, err);
		else if (!r)
			r = sql_value_copy(&wide, &sum, err);
		sql_value_done(&wide);
		if (r)
			return r;
		sql_value_done(into);
		*into = sum;
	} else if (a->kind == SQL_MIN || a->kind == SQL_MAX) {
		int c = *count ? sql_value_compare(v, into) : 0;

		if (!*count || (a->kind == SQL_MIN ? c < 0 : c > 0)) {
			sql_value_done(into);
			r = sql_value_copy(v, into, err);
		}
	} else if (a->kind == SQL_BOOL_AND || a->kind == SQL_BOOL_OR) {
		bool was = *count ? into->boolean : a->kind == SQL_BOOL_AND;

		*into = sql_value_bool(a->kind == SQL_BOOL_AND ? was && v->boolean
							       : was || v->boolean);
	}
	++*count;
	return r;
}

static bool same_keys(const struct sql_plan *p, const struct sql_value *a,
		      const struct sql_value *b)
{
	for (uint32_t k = 0; k < p->n_keys; k++)
		if (a[k].null != b[k].null || (!a[k].null && sql_value_compare(&a[k], &b[k])))
			return false;
	return true;
}

static void group_done(const struct sql_plan *p, struct group *g)
{
	for (uint32_t k = 0; g->keys && k < p->n_keys; k++)
		sql_value_done(&g->keys[k]);
	for (uint32_t i = 0; g->aggregates && i < p->n_aggregates; i++)
		sql_value_done(&g->aggregates[i]);
	free(g->keys);
	free(g->aggregates);
	free(g->counts);
}

static struct group *find_group(const struct sql_plan *p, struct group *groups, unsigned *n,
				struct sql_value *keys)
{
	struct group *g;

	for (unsigned i = 0; i < *n; i++)
		if (same_keys(p, groups[i].keys, keys))
			return &groups[i];
	g = &groups[(*n)++];
	g->keys = calloc(p->n_keys + 1, sizeof(*g->keys));
	g->aggregates = calloc(p->n_aggregates + 1, sizeof(*g->aggregates));
	g->counts = calloc(p->n_aggregates + 1, sizeof(*g->counts));
	for (uint32_t k = 0; k < p->n_keys; k++)
		assert_int_equal(sql_value_copy(&keys[k], &g->keys[k], NULL), 0);
	return g;
}

static int fold_one(const struct sql_plan *p, const struct record_row *row, struct group *groups,
		    unsigned *n_groups, struct nf_error *err)
{
	struct sql_value v = {0}, keys[8] = {0};
	struct group *g;
	bool keep;
	int r;

	if (p->where) {
		r = sql_expr_eval(p->where, &row->row, &v, err);
		if (r)
			return r;
		keep = !v.null && v.boolean;
		if (!keep)
			return 0;
	}
	for (uint32_t k = 0; k < p->n_keys; k++) {
		r = sql_expr_eval(p->keys[k], &row->row, &keys[k], err);
		if (r)
			goto out;
	}
	g = find_group(p, groups, n_groups, keys);
	r = 0;
	for (uint32_t i = 0; i < p->n_aggregates && !r; i++) {
		const struct sql_aggregate *a = &p->aggregates[i];
		struct sql_value arg = {0};

		if (a->filter) {
			r = sql_expr_eval(a->filter, &row->row, &v, err);
			if (r || v.null || !v.boolean)
				continue;
		}
		if (a->arg) {
			r = sql_expr_eval(a->arg, &row->row, &arg, err);
			if (r || arg.null)
				continue;
		}
		r = add_value(a, &g->aggregates[i], &g->counts[i], &arg, err);
		sql_value_done(&arg);
	}
out:
	for (uint32_t k = 0; k < p->n_keys; k++)
		sql_value_done(&keys[k]);
	return r;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A row as text; all rows sorted and joined. */
struct text_rows {
	char *rows[MAX_GROUPS];
	unsigned n;
};

static void add_row(struct text_rows *t, const struct sql_value *values, uint32_t n)
{
	char *line = NULL;
	size_t size;
	FILE *f = open_memstream(&line, &size);

	for (uint32_t i = 0; i < n; i++) {
		struct sql_value v = {0};
		char *text;

		/* Numbers without their scale: CASE has one for all branches here. */
		assert_int_equal(sql_value_copy(&values[i], &v, NULL), 0);
		if (v.type == SQL_NUMERIC && !v.null)
			while (v.scale > 0 && mpz_divisible_ui_p(v.number, 10)) {
				mpz_divexact_ui(v.number, v.number, 10);
				v.scale--;
			}
		if (v.type == SQL_FLOAT8 && !v.null && isfinite(v.real)) {
			/* The order of additions differs. */
			fprintf(f, "%.11g|", v.real + 0.0);
			continue;
		}
		text = sql_value_text(&v);
		fprintf(f, "%s|", text ? text : "NULL");
		free(text);
		sql_value_done(&v);
	}
	fclose(f);
	t->rows[t->n++] = line;
}

static char *join(struct text_rows *t)
{
	char *all = NULL;
	size_t size;
	FILE *f = open_memstream(&all, &size);

	qsort(t->rows, t->n, sizeof(*t->rows), compare_lines);
	for (unsigned i = 0; i < t->n; i++) {
		fprintf(f, "%s\n", t->rows[i]);
		free(t->rows[i]);
	}
	fclose(f);
	return all;
}

static int evaluate(const struct sql_plan *p, char **ret, struct nf_error *err)
{
	struct group *groups = calloc(MAX_GROUPS + 1, sizeof(*groups));
	struct text_rows text = {.n = 0};
	unsigned n = 0;
	int r = 0;

	if (!p->grouped) {
		struct sql_value none[1] = {{0}};

		find_group(p, groups, &n, none);
	}
	for (unsigned i = 0; i < RECORDS && !r; i++) {
		struct record_row row = {{.get = get_column, .text = p->text},
					 records + (size_t)i * schema.record_bytes};

		r = fold_one(p, &row, groups, &n, err);
	}
	for (unsigned i = 0; i < n && !r; i++) {
		struct group_row row = {{.get = get_group, .text = p->text}, p, &groups[i]};
		struct sql_value out[32] = {0}, having = {0};

		if (p->having) {
			r = sql_expr_eval(p->having, &row.row, &having, err);
			if (r || having.null || !having.boolean)
				continue;
		}
		for (uint32_t k = 0; k < p->n_outputs && !r; k++)
			r = sql_expr_eval(p->outputs[k].expr, &row.row, &out[k], err);
		if (!r)
			add_row(&text, out, p->n_outputs);
		for (uint32_t k = 0; k < p->n_outputs; k++)
			sql_value_done(&out[k]);
	}
	*ret = join(&text);
	for (unsigned i = 0; i < n; i++)
		group_done(p, &groups[i]);
	free(groups);
	return r;
}

/* ---- the program's answer -------------------------------------------------------------------- */

struct states {
	uint8_t *keys, *states;
	unsigned n;
};

static uint8_t *state_of(const struct program *p, struct states *s, const uint8_t *key)
{
	for (unsigned i = 0; i < s->n; i++)
		if (!p->key_bytes || !memcmp(s->keys + (size_t)i * p->key_bytes, key, p->key_bytes))
			return s->states + (size_t)i * p->state_bytes;
	if (p->key_bytes)
		memcpy(s->keys + (size_t)s->n * p->key_bytes, key, p->key_bytes);
	if (p->init_state)
		memcpy(s->states + (size_t)s->n * p->state_bytes, p->init_state, p->state_bytes);
	return s->states + (size_t)s->n++ * p->state_bytes;
}

static bool fold_half(struct vm_machine *m, const struct program *p, unsigned from, unsigned to,
		      struct states *s, struct vm_trap *trap)
{
	for (unsigned i = from; i < to; i++) {
		uint8_t key[PROGRAM_MAX_KEY_BYTES] = {0};
		struct vm_memory mem = {.record = records + (size_t)i * schema.record_bytes,
					.record_bytes = schema.record_bytes,
					.key = key};
		uint64_t r0 = 1;

		vm_machine_refill(m);
		if (program_entry(p, PROGRAM_FILTER, NULL) &&
		    !vm_interp(m, PROGRAM_FILTER, &mem, &r0, trap))
			return false;
		if (!(uint32_t)r0)
			continue;
		if (p->key_bytes && !vm_interp(m, PROGRAM_KEY, &mem, &r0, trap))
			return false;
		mem.state = state_of(p, s, key);
		if (!vm_interp(m, PROGRAM_REDUCE, &mem, &r0, trap))
			return false;
	}
	return true;
}

static bool merge_halves(struct vm_machine *m, const struct program *p, struct states *into,
			 const struct states *from, struct vm_trap *trap)
{
	for (unsigned i = 0; i < from->n; i++) {
		struct vm_memory mem = {
			.state = state_of(p, into, from->keys + (size_t)i * p->key_bytes),
			.from = from->states + (size_t)i * p->state_bytes,
		};
		uint64_t r0;

		vm_machine_refill(m);
		if (!vm_interp(m, PROGRAM_COMBINE, &mem, &r0, trap))
			return false;
	}
	return true;
}

static void states_init(const struct program *p, struct states *s)
{
	s->keys = calloc(MAX_GROUPS + 1, p->key_bytes + 1);
	s->states = calloc(MAX_GROUPS + 1, p->state_bytes);
	s->n = 0;
	if (!p->key_bytes)
		state_of(p, s, NULL);
}

static int run_program(const struct sql_plan *plan, char **ret, struct nf_error *err)
{
	struct vm_bounds bounds = {schema.record_bytes, schema.record_bytes};
	struct sql_layout layout = {0};
	struct program *p = NULL;
	struct vm_program *vp = NULL;
	struct vm_machine *m = NULL;
	struct states halves[2] = {{0}};
	struct sql_finish f = {0};
	struct vm_trap trap = {0};
	struct text_rows text = {.n = 0};
	int r = sql_compile(plan, &layout, &p, err);

	if (r)
		return r;
	if (vm_verify(p, &bounds, &vp, err)) {
		print_error("refused: %s: %s: %s\n", plan->text, err->where, err->text);
		fail();
	}
	assert_int_equal(vm_machine_new(vp, 0, &m), 0);
	for (unsigned i = 0; i < 2; i++)
		states_init(p, &halves[i]);
	if (!fold_half(m, p, 0, RECORDS / 2, &halves[0], &trap) ||
	    !fold_half(m, p, RECORDS / 2, RECORDS, &halves[1], &trap) ||
	    !merge_halves(m, p, &halves[0], &halves[1], &trap)) {
		assert_int_equal(trap.kind, VM_TRAP_FAIL);
		r = nf_error_set(err, NF_OUT_OF_RANGE, "SQL", "%s", sql_failure_text(trap.code));
	}
	sql_finish_begin(plan, &layout, &f);
	for (unsigned i = 0; i < halves[0].n && !r; i++)
		r = sql_finish_add(&f,
				   p->key_bytes ? halves[0].keys + (size_t)i * p->key_bytes : NULL,
				   halves[0].states + (size_t)i * p->state_bytes, err);
	if (!r) {
		for (uint64_t i = 0; i < f.n_rows; i++)
			add_row(&text, &f.cells[i * plan->n_outputs], plan->n_outputs);
		*ret = join(&text);
	}
	sql_finish_done(&f);
	for (unsigned i = 0; i < 2; i++) {
		free(halves[i].keys);
		free(halves[i].states);
	}
	vm_machine_free(m);
	vm_program_unref(vp);
	program_unref(p);
	sql_layout_done(&layout);
	return r;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static unsigned n_values, n_failures;

/* Both answer the same, or both fail, in the same words if those are PostgreSQL's. */
static void check(const char *text, bool same_words)
{
	struct sql_plan *plan;
	struct nf_error err = {0}, err2 = {0};
	char *want = NULL, *got = NULL;
	int r, r2;

	if (sql_plan_make(text, &schema, &plan, &err)) {
		print_error("%s: %s: %s\n", text, err.where, err.text);
		fail();
	}
	r2 = run_program(plan, &got, &err2);
	r = evaluate(plan, &want, &err);
	if (!r != !r2 || (r && same_words && strcmp(err.text, err2.text)) ||
	    (!r && strcmp(want, got))) {
		print_error("%s\nevaluated: %s\nprogram: %s\n", text, r ? err.text : want,
			    r2 ? err2.text : got);
		fail();
	}
	n_values += !r;
	n_failures += !!r;
	free(want);
	free(got);
	sql_plan_free(plan);
}

static const char *const queries[] = {
	"select count(*) from t",
	"select count(*), sum(a), avg(a), min(a), max(a) from t",
	"select sum(small), sum(tiny), sum(u8), sum(u16), sum(u32), sum(u64), sum(big) from t",
	"select avg(big), min(big), max(big), min(u64), max(u64) from t",
	"select min(f), max(f), min(g), max(g) from t",
	"select count(*) from t where f > g",
	"select count(*) from t where f = g or f < 0.5",
	"select count(*) from t where g = 1e-44::float8 or g <> g",
	"select sum(price), avg(price), min(price), max(price), sum(price * rate) from t",
	"select sum(price * (1 - rate)), sum(price * (1 - rate) * (1 + rate)) from t where rate < "
	"1",
	"select sum(deep * price) from t",
	"select sum(deep), sum(deep + price), sum(price - deep) from t",
	"select sum(a + b) from t",
	"select sum(a::bigint + b) from t",
	"select sum(a::bigint * b) from t",
	"select sum(big + 1) from t where big < 100",
	"select sum(big * 2) from t",
	"select sum(a / b) from t where b <> 0",
	"select sum(a / b) from t",
	"select sum(a % b) from t where b <> 0",
	"select sum(-a) from t where a > -100",
	"select sum(abs(a)) from t",
	"select sum(small * tiny) from t",
	"select count(*) from t where price > 12.345",
	"select count(*) from t where price >= 5 and rate between 0.05 and 1.5",
	"select count(*) from t where a > 2.5 and b <= -1.5",
	"select count(*) from t where price < rate",
	"select count(*) from t where price = deep",
	"select count(*) from t where deep > 99999999999999999999999.5",
	"select name, count(*) from t group by name",
	"select name, c1, count(*), sum(a::bigint) from t group by name, c1",
	"select c1, flag, avg(price) from t group by c1, flag",
	"select c6, count(*) from t group by c6",
	"select c7, c3, count(*) from t group by c7, c3",
	"select min(c6), max(c7), min(c3) from t where c6 > c3 and c7 <= c6",
	"select count(*) from t where c6 = 'abc' or c7 like '%b' or c3 like 'ab%' or c7 = 'foo'",
	"select flag, bool_and(a > 0), bool_or(b > 0) from t group by flag",
	"select min(name), max(name), min(c1), max(c1) from t",
	"select flag, min(name), max(name) from t group by flag",
	"select count(*) from t where name = 'abc'",
	"select count(*) from t where name < 'abc'",
	"select count(*) from t where name >= 'abcdefgh'",
	"select count(*) from t where name <> 'abcdefghijkl'",
	"select count(*) from t where 'b' <= name",
	"select count(*) from t where name = c1",
	"select count(*) from t where name > c1",
	"select count(*) from t where name = ''",
	"select count(*) from t where name = 'abcdefghijklm' or name < 'abcdefghijklm'",
	"select count(*) from t where name like 'abc%'",
	"select count(*) from t where name like '%c%'",
	"select count(*) from t where name like '%fgh%l'",
	"select count(*) from t where name like '_b%'",
	"select count(*) from t where name like '_x'",
	"select count(*) from t where name like 'abc'",
	"select count(*) from t where name like '%'",
	"select count(*) from t where name not like '%l'",
	"select count(*) from t where name like ''",
	"select count(*) from t where name in ('a', 'abc', 'foo')",
	"select day, count(*) from t group by day",
	"select count(*) from t where day <= date '1998-12-01' - interval '90' day",
	"select count(*) from t where ts < timestamp '2001-02-03 04:05:06' and ts > day",
	"select extract(year from day), extract(month from day), count(*) from t group by 1, 2",
	"select extract(day from ts), count(*) from t group by 1",
	"select extract(hour from ts), extract(minute from ts), count(*) from t group by 1, 2",
	"select extract(year from ts), count(*) from t group by 1",
	"select max(day - date '2000-01-01'), min(day + 10), min(day - 3) from t",
	"select min(day), max(day), min(ts), max(ts) from t",
	"select count(case when a > 0 then 1 end), count(*) from t",
	"select sum(case when a > 0 then b end) from t",
	"select sum(case when flag then price else 0 end) from t",
	"select sum(case a when 1 then 10 when 2 then 20 else 0 end) from t",
	"select case when a > 0 then 'plus' when a < 0 then 'minus' end, count(*) from t group by "
	"1",
	"select sum(coalesce(nullif(a, 0), 7)::bigint) from t",
	"select sum(a::bigint) filter (where flag), count(*) filter (where a > 3 or b > 3) from t",
	"select avg(price) filter (where a > 2000000000) from t",
	"select flag, max(price) filter (where a = 1) from t group by flag",
	"select nullif(a, 1), count(*) from t group by 1",
	"select count(nullif(flag, true)), count(nullif(name, 'abc')) from t",
	"select count(*) from t where not (nullif(a, 1) > 0)",
	"select count(*) from t where nullif(a, 1) > 0 or flag",
	"select count(*) from t where nullif(a, 1) > 0 and flag",
	"select count(*) from t where (nullif(a, 1) > 0) is null",
	"select count(*) from t where (nullif(a, 1) > 0 and nullif(b, 1) > 0) is not true",
	"select count(*) from t where a in (1, 2, nullif(b, 3))",
	"select count(*) from t where a not in (1, nullif(b, 3))",
	"select sum(price::float8), sum(a::float8), avg(u8::float8) from t where abs(price) < 1000",
	"select sum(round(price, 1)), sum(trunc(price)), sum(floor(price)), sum(ceil(price)) from "
	"t",
	"select sum(round(deep, 3)), sum(floor(rate)), sum(ceil(rate)) from t",
	"select sum(price::int) from t where abs(price) < 1000000",
	"select sum(price::smallint) from t",
	"select sum(a::smallint) from t",
	"select sum(a::numeric(13,3)) from t",
	"select sum(price::numeric(12,1)) from t",
	"select count(*) from t where flag and not (a = b)",
	"select count(*) from t where flag = (a > 0)",
	"select count(*) from t where a::bool",
	"select distinct c1, flag from t",
	"select distinct tiny % 3 from t",
	"select tiny % 3, count(*), sum(a::bigint) from t group by 1 having count(*) > 20 order by "
	"2",
	"select sum(a::bigint) / count(*), sum(price) / sum(rate) from t",
	"select count(*) from t where false",
	"select sum(a), min(name), avg(f) from t where false",
	"select name, sum(a) from t where false group by name",
	"select f, count(*) from t group by f",
	"select g, count(*) from t group by g",
	"select rate, count(*) from t group by rate",
	"select max(f * 2), min(f + g), min(f - g) from t where f between -10 and 10",
	"select sum(f / g) from t where g <> 0 and f between -9 and 9 and g between -9 and 9",
	"select count(f / g) from t",
	"select count(f * f) from t",
	"select count(f + f) from t",
	"select count(*) from t where -f < abs(g)",
	/* the coarser side would not fit with the finer one's scale */
	"select count(*) from t where big > price",
	"select count(*) from t where big < price",
	"select count(*) from t where big >= deep and deep <= big",
	"select count(*) from t where rate < big or u64 <= rate",
	"select count(*) from t where big = price or deep <> u64 and deep = u64",
	"select count(*) from t where nullif(big, 0) > nullif(deep, 0)",
	"select count(*) from t where day < ts",
	"select count(*) from t where ts < day or day = ts",
	"select count(*) from t where day <= ts and ts <> day",
	"select count(*) from t where ts >= day + 1 and day - 2 >= ts",
	"select count(*) from t where day + 1 > timestamp '1990-01-01 10:00' or day + 1 = "
	"timestamp "
	"'1990-01-01 10:00'",
	"select count(*) from t where ts < date '5000000-01-01' and nullif(day, date '1970-01-01') "
	"<> timestamp '1990-01-01'",
	/* NULL on the left, where true, false and NULL go to three places and to two */
	"select (nullif(a, 1) > 0 and nullif(b, 1) > 0), count(*) from t group by 1",
	"select (nullif(a, 1) > 0 or nullif(b, 1) > 0), count(*) from t group by 1",
	"select not (nullif(a, 1) > 0 and (nullif(b, 2) > 0 or nullif(tiny, 3) < 0)), count(*) "
	"from t group by 1",
	"select (nullif(a, 1) > 0 or nullif(b, 1) > 0) = (nullif(a, 2) > 0 and nullif(b, 0) < 3), "
	"count(*) from t group by 1",
	"select nullif(a, 0) in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, "
	"19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30), count(*) from t group by 1",
	"select count(*) from t where nullif(a, 0) in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, "
	"14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, nullif(b, 31))",
	"select count(*) from t where nullif(a, 0) not in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, "
	"13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30)",
	"select count(*) from t where not (nullif(a, 1) > 0 and nullif(b, 1) > 0)",
	"select count(*) from t where not (nullif(a, 1) > 0 or not nullif(b, 1) > 0)",
	"select count(*) filter (where nullif(a, 1) > 0 or nullif(b, 1) > 0), sum(case when "
	"nullif(a, 1) > 0 and (nullif(b, 2) > 0 or flag) then 1 else 0 end) from t",
	"select sum(round(price, 5)), sum(round(tiny, 3)), min(trunc(rate, 4)) from t",
	"select sum(tiny::numeric(20, 18)) from t where tiny between -9 and 9",
	"select count(nullif(name, 'abc')), count(case when flag then name when a > 0 then c1 "
	"end), "
	"count(coalesce(nullif(c1, 'a'), nullif(c3, 'abc'))) from t",
	"select count(*) from t where nullif(name, 'abc') is null or (case when flag then c7 end) "
	"is "
	"null",
	"select min(f), max(f), sum(f) from t where f = 0",
};

static void answers_are_the_evaluators(void **state)
{
	(void)state;
	for (unsigned calm = 0; calm < 2; calm++) {
		fill_records(calm);
		for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++)
			check(queries[i], true);
	}
	assert_true(n_values > 150);
	assert_true(n_failures > 10);
}

static void what_is_stored_is_checked(void **state)
{
	const struct sql_column *u64 = sql_schema_find(&schema, "u64");
	const struct sql_column *rate = sql_schema_find(&schema, "rate");
	int64_t wide = 10000;

	(void)state;
	fill_records(true);
	memset(records + u64->offset, 0xff, 8);
	check("select sum(u64) from t", false);
	check("select count(*) from t where u64 > 3", false);
	memcpy(records + rate->offset, &wide, 8);
	check("select sum(rate) from t", false);
	check("select count(*) from t", false);
	fill_records(false);
	check("select sum(a::numeric(12,3)) from t", false);
	check("select sum(price::numeric(10,2)) from t where abs(price) < 1000", false);
}

static void refused_by_name(void **state)
{
	static const struct {
		const char *text, *words;
		enum nf_code code;
	} refused[] = {
		{"select sum(a::numeric(38, 20)) from t", "more than 18 digits", NF_UNIMPLEMENTED},
		{"select min(a::numeric(38, 19)) from t", "more than 18 digits", NF_UNIMPLEMENTED},
		{"select sum(round(price, 19)) from t", "more than 18 digits", NF_UNIMPLEMENTED},
		{"select sum(round(a, 100)::float8 + 1) from t", "more than 18 digits",
		 NF_UNIMPLEMENTED},
		{"select count(*) from t where a::numeric(100, 60) > price", "more than 18 digits",
		 NF_UNIMPLEMENTED},
		{"select a::numeric(100, 60) from t group by 1", "more than 18 digits",
		 NF_UNIMPLEMENTED},
		{"select name, c7, c6, name, nullif(name, ''), nullif(c7, ''), nullif(name, 'a'), "
		 "nullif(name, 'b') from t group by 1, 2, 3, 4, 5, 6, 7, 8",
		 "key", NF_RESOURCE_EXHAUSTED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct sql_plan *plan = NULL;
		struct sql_layout layout;
		struct program *program;
		struct nf_error err = {0};

		assert_int_equal(sql_plan_make(refused[i].text, &schema, &plan, &err), 0);
		if (!sql_compile(plan, &layout, &program, &err))
			fail_msg("not refused: %s", refused[i].text);
		assert_int_equal(err.code, refused[i].code);
		if (!strstr(err.text, refused[i].words))
			fail_msg("%s: %s", refused[i].text, err.text);
		sql_plan_free(plan);
	}
}

/* Each function fits, all together do not. */
static void too_many_instructions(void **state)
{
	AUTO_FREE char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct sql_plan *plan = NULL;
	struct sql_layout layout;
	struct program *program;
	struct nf_error err = {0};

	(void)state;
	for (int i = 0; i < 300; i++)
		fprintf(f, "%s sum(u8 + %d)", i ? "," : "select", i);
	fprintf(f, " from t");
	fclose(f);
	assert_int_equal(sql_plan_make(text, &schema, &plan, &err), 0);
	assert_true(sql_compile(plan, &layout, &program, &err) < 0);
	assert_int_equal(err.code, NF_RESOURCE_EXHAUSTED);
	sql_plan_free(plan);
}

static int set_up(void **state)
{
	struct nf_error err;

	(void)state;
	if (sql_schema_parse(schema_text, &schema, &err)) {
		print_error("%s\n", err.text);
		return 1;
	}
	records = malloc((size_t)RECORDS * schema.record_bytes);
	return records ? 0 : 1;
}

static int tear_down(void **state)
{
	(void)state;
	free(records);
	sql_schema_done(&schema);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_the_evaluators),
		cmocka_unit_test(what_is_stored_is_checked),
		cmocka_unit_test(refused_by_name),
		cmocka_unit_test(too_many_instructions),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
