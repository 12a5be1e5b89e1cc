/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench_sql.c - TPC-H's queries 6 and 1 in SQL over fixed records in memory, against the same in C
 *and against the same written as a program by hand.
 *
 *	bench_sql PROGRAMS-FOLDER JIT-MODULE [--quick]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench.h"
#include "program/program_elf.h"
#include "ref_loops.h"
#include "scan/engine.h"
#include "scan/groups.h"
#include "sql/sql_finish.h"
#include "vm/jit.h"

static const char schema_text[] =
	"quantity:decimal(15,2), extendedprice:decimal(15,2), discount:decimal(15,2), "
	"tax:decimal(15,2), shipdate:date, commitdate:date, returnflag:char(1), "
	"linestatus:char(1), "
	"pad(22)";

static const char q6_text[] = "SELECT sum(extendedprice * discount) AS revenue FROM lineitem "
			      "WHERE shipdate >= date '1994-01-01' "
			      "AND shipdate < date '1994-01-01' + interval '1' year "
			      "AND discount BETWEEN 0.06 - 0.01 AND 0.06 + 0.01 AND quantity < 24";

static const char q1_text[] =
	"SELECT returnflag, linestatus, sum(quantity) AS sum_qty, sum(extendedprice) AS "
	"sum_base_price, "
	"sum(extendedprice * (1 - discount)) AS sum_disc_price, "
	"sum(extendedprice * (1 - discount) * (1 + tax)) AS sum_charge, avg(quantity) AS avg_qty, "
	"avg(extendedprice) AS avg_price, avg(discount) AS avg_disc, count(*) AS count_order "
	"FROM lineitem WHERE shipdate <= date '1998-12-01' - interval '90' day "
	"GROUP BY returnflag, linestatus ORDER BY returnflag, linestatus";

static void die(const struct nf_error *err)
{
	char text[1100];

	fprintf(stderr, "bench_sql: %s\n", nf_error_message(err, text, sizeof(text)));
	exit(1);
}

static uint64_t random_u64(void)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

/* A verified program, running over memory. */
struct subject {
	void *engine, *thread;
	struct span span;
	struct fold *fold;
};

static struct vm_program *verified(struct program *p)
{
	struct vm_bounds bounds = vm_bounds_of(p);
	struct vm_program *vp;
	struct nf_error err;

	if (vm_verify(p, &bounds, &vp, &err))
		die(&err);
	program_unref(p);
	return vp;
}

static void open_subject(struct subject *s, struct vm_program *vp, const void *data, size_t bytes)
{
	struct engine_config cfg = {
		.program = vp,
		.format = FORMAT_FIXED,
		.record_bytes = vp->program->record_bytes,
		.jit_wait = true,
		.cpu_threads = 1,
	};
	struct nf_error err;

	if (engine_jit.open(&cfg, &s->engine, &err) ||
	    engine_jit.thread_open(s->engine, &s->thread, &err) ||
	    engine_jit.start(s->engine, &err))
		die(&err);
	s->fold = engine_jit.thread_fold(s->thread);
	s->span = (struct span){data, bytes, "memory", 0};
}

static void close_subject(struct subject *s)
{
	engine_jit.thread_close(s->thread);
	engine_jit.close(s->engine);
}

static void run_subject(void *arg)
{
	struct subject *s = arg;
	struct nf_error err;

	if (engine_jit.fold(s->thread, &s->span, &err) < 0)
		die(&err);
}

struct c_run {
	const struct ref_item *t;
	size_t n;
	__int128 revenue;
	struct ref_q1 *groups;
};

#define C_RUNS(prefix)                                \
	static void prefix##_run_q6(void *arg)        \
	{                                             \
		struct c_run *c = arg;                \
		prefix##_q6(c->t, c->n, &c->revenue); \
	}                                             \
	static void prefix##_run_q1(void *arg)        \
	{                                             \
		struct c_run *c = arg;                \
		prefix##_q1(c->t, c->n, c->groups);   \
	}

C_RUNS(gcc)
C_RUNS(clang)

/* ---- the answers ----------------------------------------------------------------------------- */

static void must_equal(const char *what, const char *got, const char *want)
{
	if (!strcmp(got, want))
		return;
	fprintf(stderr, "bench_sql: %s is %s, in C %s\n", what, got, want);
	exit(1);
}

static void check_cell(const struct sql_finish *f, uint64_t row, unsigned column, const char *what,
		       __int128 want, int32_t scale)
{
	struct sql_value v = sql_value_number(want, scale);
	char *a = sql_value_text(&f->cells[row * f->plan->n_outputs + column]);
	char *b = sql_value_text(&v);

	if (!a || !b)
		exit(1);
	must_equal(what, a, b);
	free(a);
	free(b);
	sql_value_done(&v);
}

static void check_q6(const struct sql_plan *plan, const struct sql_layout *l,
		     const struct fold *fold, const struct ref_item *t, size_t n)
{
	struct sql_finish f;
	__int128 revenue = 0;
	struct nf_error err;

	gcc_q6(t, n, &revenue);
	sql_finish_begin(plan, l, &f);
	if (sql_finish_add(&f, NULL, fold->state, &err) || sql_finish_end(&f, &err))
		die(&err);
	check_cell(&f, 0, 0, "revenue", revenue, 4);
	sql_finish_done(&f);
}

static void check_q1(const struct sql_plan *plan, const struct sql_layout *l,
		     const struct fold *fold, const struct ref_item *t, size_t n)
{
	struct ref_q1 *groups = calloc(65536, sizeof(*groups));
	const uint8_t *key;
	uint8_t *state;
	struct sql_finish f;
	size_t cursor = 0;
	struct nf_error err;

	if (!groups)
		exit(1);
	gcc_q1(t, n, groups);
	sql_finish_begin(plan, l, &f);
	while (groups_next(fold->groups, &cursor, &key, &state))
		if (sql_finish_add(&f, key, state, &err))
			die(&err);
	if (sql_finish_end(&f, &err))
		die(&err);
	for (uint64_t r = 0; r < f.n_rows; r++) {
		const struct sql_value *row = &f.cells[r * plan->n_outputs];
		const struct ref_q1 *g = &groups[(unsigned char)row[0].text.bytes[0] +
						 256 * (unsigned char)row[1].text.bytes[0]];

		check_cell(&f, r, 2, "sum_qty", g->quantity, 2);
		check_cell(&f, r, 4, "sum_disc_price", g->discounted, 4);
		check_cell(&f, r, 5, "sum_charge", g->charge, 6);
		check_cell(&f, r, 9, "count_order", (__int128)g->count, 0);
	}
	sql_finish_done(&f);
	free(groups);
}

/* ---- the groups ------------------------------------------------------------------------------ */

struct query {
	struct sql_plan *plan;
	struct sql_layout layout;
	struct vm_program *vp, *by_hand;
};

static void open_query(struct query *q, const char *text, const struct sql_schema *schema,
		       const char *folder, const char *name)
{
	struct program *p;
	struct nf_error err;
	char path[4096];

	if (sql_plan_make(text, schema, &q->plan, &err) ||
	    sql_compile(q->plan, &q->layout, &p, &err))
		die(&err);
	q->vp = verified(p);
	snprintf(path, sizeof(path), "%s/%s.bpf.o", folder, name);
	if (program_elf_open(path, &p, &err))
		die(&err);
	q->by_hand = verified(p);
}

static void close_query(struct query *q)
{
	vm_program_unref(q->vp);
	vm_program_unref(q->by_hand);
	sql_layout_done(&q->layout);
	sql_plan_free(q->plan);
}

static void compare(const char *title, const struct query *q, struct c_run *c, void (*gcc)(void *),
		    void (*clang)(void *),
		    void (*check)(const struct sql_plan *, const struct sql_layout *,
				  const struct fold *, const struct ref_item *, size_t),
		    unsigned rounds)
{
	size_t bytes = c->n * sizeof(*c->t);
	struct subject sql, hand;

	open_subject(&sql, q->vp, c->t, bytes);
	run_subject(&sql);
	check(q->plan, &q->layout, sql.fold, c->t, c->n);
	close_subject(&sql);
	open_subject(&sql, q->vp, c->t, bytes);
	open_subject(&hand, q->by_hand, c->t, bytes);
	const struct bench_rival rivals[] = {
		{"C, gcc -O3 -march=native", gcc, c},
		{"C, clang-19 -O3 -march=native", clang, c},
		{"a program by hand, jit", run_subject, &hand},
		{"SQL, jit", run_subject, &sql},
	};
	bench_group(title, rivals, 4, 0, rounds, (double)bytes, "GB/s");
	close_subject(&sql);
	close_subject(&hand);
}

struct prepare_run {
	const char *text;
	const struct sql_schema *schema;
};

/* From the text to a sealed program. */
static void run_prepare(void *arg)
{
	struct prepare_run *r = arg;
	struct sql_layout l;
	struct sql_plan *plan;
	struct program *p;
	struct nf_error err;

	if (sql_plan_make(r->text, r->schema, &plan, &err) || sql_compile(plan, &l, &p, &err))
		die(&err);
	program_unref(p);
	sql_layout_done(&l);
	sql_plan_free(plan);
}

int main(int argc, char **argv)
{
	size_t n = (256u << 20) / sizeof(struct ref_item);
	unsigned rounds = argc > 3 ? 5 : 15;
	const struct jit_module *module;
	struct sql_schema schema;
	struct query q6, q1;
	struct nf_error err;
	struct c_run c = {.n = n, .groups = calloc(65536, sizeof(struct ref_q1))};
	struct ref_item *t = aligned_alloc(2u << 20, n * sizeof(*t));

	if (argc < 3) {
		fprintf(stderr, "usage: bench_sql PROGRAMS-FOLDER JIT-MODULE [--quick]\n");
		return 2;
	}
	if (!t || !c.groups)
		return 1;
	if (jit_module_load(argv[2], &module, &err) || sql_schema_parse(schema_text, &schema, &err))
		die(&err);
	for (size_t i = 0; i < n; i++) {
		static const char flags[] = "ANR", status[] = "FO";
		uint64_t r = random_u64();

		t[i] = (struct ref_item){
			.quantity = (int64_t)(1 + r % 50) * 100,
			.extendedprice = (int64_t)(90000 + (r >> 8) % 10000000),
			.discount = (int64_t)((r >> 16) % 11),
			.tax = (int64_t)((r >> 24) % 9),
			.shipdate = (int32_t)(8036 + (r >> 32) % 2526),
			.returnflag = flags[(r >> 50) % 3],
			.linestatus = status[(r >> 55) % 2],
		};
	}
	c.t = t;
	bench_begin("SQL against C");
	open_query(&q6, q6_text, &schema, argv[1], "q6");
	open_query(&q1, q1_text, &schema, argv[1], "q1");
	compare("TPC-H Q6, 64-byte records, 256 MB", &q6, &c, gcc_run_q6, clang_run_q6, check_q6,
		rounds);
	compare("TPC-H Q1, grouped by two chars, 256 MB", &q1, &c, gcc_run_q1, clang_run_q1,
		check_q1, rounds);
	struct prepare_run prepare[] = {{q6_text, &schema}, {q1_text, &schema}};
	const struct bench_rival rivals[] = {
		{"Q6", run_prepare, &prepare[0]},
		{"Q1", run_prepare, &prepare[1]},
	};
	bench_group("from SQL to a program", rivals, 2, 0, 21, 1, "ms");
	bench_note(
		"Q6: %u instructions, Q1: %u",
		q6.vp->code[PROGRAM_FILTER].flat.n_insns + q6.vp->code[PROGRAM_REDUCE].flat.n_insns,
		q1.vp->code[PROGRAM_FILTER].flat.n_insns + q1.vp->code[PROGRAM_KEY].flat.n_insns +
			q1.vp->code[PROGRAM_REDUCE].flat.n_insns);
	bench_end();
	close_query(&q6);
	close_query(&q1);
	sql_schema_done(&schema);
	free(c.groups);
	free(t);
	return 0;
}
