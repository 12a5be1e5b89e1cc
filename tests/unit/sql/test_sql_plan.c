/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Queries against what they are taken apart into, and against the words with which they are
 * refused. Types, names of outputs and PostgreSQL's words are those of PostgreSQL 15.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/scope.h"
#include "sql_plan_text.h"

static struct sql_schema schema;

static int make_schema(void **state)
{
	struct nf_error err;

	(void)state;
	return sql_schema_parse("i2:i16, i4:i32, i8:i64, n:decimal(15,2), f:f64, b:bool, s:char(8),"
				"d:date, ts:timestamp, u:u64",
				&schema, &err);
}

static int free_schema(void **state)
{
	(void)state;
	sql_schema_done(&schema);
	return 0;
}

static void plan_is(const char *query, const char *want)
{
	struct sql_plan *p = NULL;
	struct nf_error err = {0};
	char *got;

	if (sql_plan_make(query, &schema, &p, &err))
		fail_msg("%s: %s: %s", query, err.where, err.text);
	got = plan_text(p);
	if (strcmp(got, want) != 0)
		fail_msg("%s:\n%s\nnot\n%s", query, got, want);
	free(got);
	sql_plan_free(p);
}

struct pair {
	const char *query, *plan;
};

#define PLANS(...)                                                \
	do {                                                      \
		static const struct pair pairs[] = {__VA_ARGS__}; \
		for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)    \
			plan_is(pairs[i].query, pairs[i].plan);   \
	} while (0)

/* A condition alone, and what it is for the record. */
#define CONDITIONS(...)                                                                           \
	do {                                                                                      \
		static const struct pair pairs[] = {__VA_ARGS__};                                 \
		char query[512], plan[512];                                                       \
		for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {                                  \
			snprintf(query, sizeof(query), "select count(*) from t where %s",         \
				 pairs[i].query);                                                 \
			snprintf(plan, sizeof(plan), "%s%s%scount(-):int8; select count=a0:int8", \
				 pairs[i].plan ? "where " : "",                                   \
				 pairs[i].plan ? pairs[i].plan : "", pairs[i].plan ? "; " : "");  \
			plan_is(query, plan);                                                     \
		}                                                                                 \
	} while (0)

static void clauses_go_where_they_belong(void **state)
{
	(void)state;
	PLANS({"SELECT s, sum(n * (1 - n)) / count(*) AS mean FROM t WHERE d <= date '1998-09-02' "
	       "GROUP BY s HAVING count(*) > 9 ORDER BY mean DESC LIMIT 3",
	       "where (<= d date:1998-09-02); by s; sum((* n (- numeric:1 n))):numeric; "
	       "count(-):int8; select s=k0:text, mean=(/ a0 (->numeric a1)):numeric; having (> a1 "
	       "int8:9); order (/ a0 (->numeric a1)) desc nulls first; limit 3"},
	      {"select x.i4, count(*) from t x group by x.i4 order by x.i4 asc nulls first",
	       "by i4; count(-):int8; select i4=k0:int4, count=a0:int8; order k0 nulls first"},
	      {"select distinct s, i4 from t order by i4 desc nulls last, s",
	       "by s i4; select s=k0:text, i4=k1:int4; order k1 desc, k0"},
	      {"select distinct s, count(*) from t group by s, b order by count(*)",
	       "by s b; count(-):int8; distinct s=k0:text, count=a0:int8; order a0"},
	      {"select distinct 1 from t", "by int4:1; select ?column?=int4:1"},
	      {"select count(*) from t having false",
	       "count(-):int8; select count=a0:int8; having bool:f"},
	      {"select count(*) from t limit 2.5 offset '3'",
	       "count(-):int8; select count=a0:int8; limit 3; offset 3"},
	      {"select count(*) from t limit all", "count(-):int8; select count=a0:int8"},
	      {"select count(*) from t offset 1 row fetch first row only",
	       "count(-):int8; select count=a0:int8; limit 1; offset 1"});
}

static void group_by_knows_positions_names_and_expressions(void **state)
{
	(void)state;
	PLANS({"select i4 + 1 + 1, count(*) from t group by i4 + 1",
	       "by (+ i4 int4:1); count(-):int8; select ?column?=(+ k0 int4:1):int4, "
	       "count=a0:int8"},
	      {"select case when b then 1 else 2.5 end as z, count(*) from t group by 1 order by z",
	       "by (case b numeric:1 numeric:2.5); count(-):int8; select z=k0:numeric, "
	       "count=a0:int8; order k0"},
	      /* A column goes before an output of the same name; in ORDER BY, behind it. */
	      {"select sum(i8) as i4 from t group by i4 order by i4",
	       "by i4; sum(i8):numeric; select i4=a0:numeric; order a0"},
	      {"select 'x' as k, i4, count(*) from t group by k, i4, i4",
	       "by i4; count(-):int8; select k=text:x, i4=k0:int4, count=a0:int8"},
	      {"select count(*) from t group by 1 + 1, (i4, i8)",
	       "by i4 i8; count(-):int8; select count=a0:int8"},
	      {"select count(*) from t group by 1 + 1",
	       "by int4:2; count(-):int8; select count=a0:int8"});
}

static void aggregates_are_shared_and_typed(void **state)
{
	(void)state;
	PLANS({"select sum(i2), sum(i4), sum(i8), sum(n), sum(f) from t",
	       "sum(i2):int8; sum(i4):int8; sum(i8):numeric; sum(n):numeric; sum(f):float8; select "
	       "sum=a0?:int8, sum=a1?:int8, sum=a2?:numeric, sum=a3?:numeric, sum=a4?:float8"},
	      {"select avg(i2), avg(n), avg(f), min(s), max(d), every(b) from t group by s",
	       "by s; avg(i2):numeric; avg(n):numeric; avg(f):float8; min(s):text; max(d):date; "
	       "bool_and(b):bool; select avg=a0:numeric, avg=a1:numeric, avg=a2:float8, "
	       "min=a3:text, max=a4:date, every=a5:bool"},
	      {"select count(i4), count(*), count(1), count(null), count(nullif(i4, 1)) from t",
	       "count(-):int8; count(null:text):int8; count((case (= i4 int4:1) null:int4 "
	       "i4)?):int8; select count=a0:int8, count=a0:int8, count=a0:int8, count=a1:int8, "
	       "count=a2:int8"},
	      {"select sum(i4), sum(i4) + 1, sum(i4) filter (where i4 > 2.5) from t group by b "
	       "having sum(i4) filter (where i4 > 2.5) > 7",
	       "by b; sum(i4):int8; sum(i4) if (> i4 int4:2):int8; select sum=a0:int8, "
	       "?column?=(+ a0 int8:1):int8, sum=a1?:int8; having (> a1? int8:7)?"},
	      {"select sum(case when b then n else 0 end) from t where true",
	       "sum((case b n numeric:0)):numeric; select sum=a0?:numeric"});
}

static void outputs_have_postgresqls_names(void **state)
{
	(void)state;
	PLANS({"select true, t.i4, extract(year from d), date_part('day', d), -i4, case when b "
	       "then 1 end, case when b then 1 else i4 end, coalesce(i4, 1), nullif(i4, 2), "
	       "i4::int8, '1'::numeric, date '1998-01-01', (i4 + 1)::int, cast(1 as decimal(5,2)) "
	       "from t group by i4, d, b",
	       "by i4 d b; select ?column?=bool:t, i4=k0:int4, extract=(extract year k1):numeric, "
	       "date_part=(->float8 (extract day k1)):float8, ?column?=(neg k0):int4, case=(case "
	       "k2 int4:1 null:int4)?:int4, i4=(case k2 int4:1 k0):int4, coalesce=(coalesce k0 "
	       "int4:1):int4, nullif=(case (= k0 int4:2) null:int4 k0)?:int4, i4=(->int8 k0):int8, "
	       "numeric=numeric:1, date=date:1998-01-01, int4=(+ k0 int4:1):int4, "
	       "numeric=numeric:1.00"});
}

static void operands_become_what_postgresql_makes_of_them(void **state)
{
	(void)state;
	CONDITIONS({"i2 + i4 = i8", "(= (->int8 (+ (->int4 i2) i4)) i8)"},
		   {"i4 * n > f", "(> (->float8 (* (->numeric i4) n)) f)"},
		   {"s = 'x' and 'y' < s", "(and (= s text:x) (> s text:y))"},
		   {"d = '1998-01-01'", "(= d date:1998-01-01)"}, {"ts > d", "(> ts d)"},
		   {"2 + d > '1998-01-01'", "(> (+ d int4:2) date:1998-01-01)"},
		   {"d - '1998-01-01' = 3", "(= (- d date:1998-01-01) int4:3)"},
		   {"round(i4) = 2 and round(i4, 1) = 2",
		    "(and (= (round (->float8 i4)) float8:2) (= (round (->numeric i4) int4:1) "
		    "numeric:2))"},
		   {"n > 100 and n = 2.50", "(and (> n numeric:100) (= n numeric:2.50))"},
		   {"i8 > 9223372036854775808 or i4 < -2147483648", "(< i4 int4:-2147483648)"},
		   {"i4::numeric(5,2) = 1", "(= (->numeric(5,2) i4) numeric:1)"},
		   {"coalesce(i2, i8) = 1", "(= (->int8 i2) int8:1)"});
}

static void predicates_come_down_to_comparisons(void **state)
{
	(void)state;
	CONDITIONS({"i4 between 1 and 3", "(and (>= i4 int4:1) (<= i4 int4:3))"},
		   {"i4 not between 1 and 3", "(or (< i4 int4:1) (> i4 int4:3))"},
		   {"i4 between symmetric 3 and 1", "(or (and (>= i4 int4:3) (<= i4 int4:1)) (and "
						    "(>= i4 int4:1) (<= i4 int4:3)))"},
		   {"i4 in (1, i8, 2)", "(or (= i4 int4:1) (or (= i4 int4:2) (= (->int8 i4) i8)))"},
		   {"s not in ('a', 'b')", "(and (<> s text:a) (<> s text:b))"},
		   {"not s like 'a%' and s not like 'b'",
		    "(and (not (like s text:a%)) (not (like s text:b)))"},
		   {"not i4 = 1 and not not b", "(and (<> i4 int4:1) b)"},
		   {"(b is true) = (b is not false)", "(= b b)"},
		   {"nullif(b, true) is not true",
		    "(not (coalesce (case (= b bool:t) null:bool b)? bool:f))"},
		   {"i4 is null or i4 is not null", NULL},
		   {"i4 is distinct from 3", "(<> i4 int4:3)"},
		   {"nullif(i4, 2) is distinct from 3",
		    "(coalesce (<> (case (= i4 int4:2) null:int4 i4)? int4:3)? bool:t)"});
}

/* The heart of TPC-H Q1 and Q6: no timestamps, no numerics, for records of dates and integers. */
static void comparisons_with_constants_become_those_of_the_column(void **state)
{
	(void)state;
	CONDITIONS({"d <= date '1998-12-01' - interval '90' day", "(<= d date:1998-09-02)"},
		   {"d < date '1998-12-01' + interval '1 hour'", "(<= d date:1998-12-01)"},
		   {"d >= timestamp '1998-12-01 01:00'", "(> d date:1998-12-01)"},
		   {"d >= timestamp '1998-12-01'", "(>= d date:1998-12-01)"},
		   {"timestamp '1969-12-31 01:00' < d", "(> d date:1969-12-31)"},
		   {"d = timestamp '1998-12-01'", "(= d date:1998-12-01)"},
		   {"d = timestamp '1998-12-01 12:00'", "bool:f"},
		   {"d <> timestamp '1998-12-01 12:00'", NULL}, {"i4 < 2.5", "(<= i4 int4:2)"},
		   {"i4 < -2.5", "(<= i4 int4:-3)"}, {"i4 >= 2.5", "(> i4 int4:2)"},
		   {"i4 <> 3.0", "(<> i4 int4:3)"}, {"i4 = 2.5", "bool:f"},
		   {"i4 < 3000000000.0", NULL}, {"i4 > -3e9", NULL}, {"i2 = 40000.0", "bool:f"},
		   {"i8 <= 1e30", NULL}, {"i4 + 1 < 2.5", "(<= (+ i4 int4:1) int4:2)"},
		   {"i4 + 1 = 2.5", "(= (->numeric (+ i4 int4:1)) numeric:2.5)"});
}

static void constants_are_folded_where_postgresql_would_look(void **state)
{
	(void)state;
	CONDITIONS({"true and i4 = 1 or false", "(= i4 int4:1)"}, {"i4 = null", "bool:f"},
		   {"false and 1 / 0 = 1", "bool:f"},
		   {"b or 1 / 0 = 1", "(or b (= (/ int4:1 int4:0) int4:1))"},
		   {"case when b then 1 / 0 else 2 end = 2",
		    "(= (case b (/ int4:1 int4:0) int4:2) int4:2)"},
		   {"case when false then 1 / 0 when true then i4 else 2 end = 2", "(= i4 int4:2)"},
		   {"coalesce(null, i4, 1 / 0) = 2", "(= i4 int4:2)"},
		   {"'abc' like 'a%' and 1.10 + 1 = 2.1", NULL});
}

/* ---- refusals -------------------------------------------------------------------------------- */

struct refusal {
	enum nf_code code;
	const char *query, *where, *text; /* text: what it begins with */
};

static void refused(const struct refusal *r)
{
	struct sql_plan *p = NULL;
	struct nf_error err = {0};

	assert_int_equal(sql_plan_make(r->query, &schema, &p, &err), -nf_code_errno(r->code));
	assert_null(p);
	if (err.code != r->code || strcmp(err.where, r->where) != 0 ||
	    strncmp(err.text, r->text, strlen(r->text)) != 0)
		fail_msg("%s:\n%s: %s\nnot\n%s: %s", r->query, err.where, err.text, r->where,
			 r->text);
}

static void what_postgresql_refuses_has_its_words(void **state)
{
	static const struct refusal rows[] = {
		{NF_INVALID_ARGUMENT, "select count(*) fro t", "SQL, column 21",
		 "syntax error at or near \"t\""},
		{NF_INVALID_ARGUMENT, "select count(*) from t where\n  s = 'é' and x = 1",
		 "SQL, line 2, column 15", "column \"x\" does not exist; there are i2, i4,"},
		{NF_INVALID_ARGUMENT, "select count(*) from t where nn = 3", "SQL, column 30",
		 "column \"nn\" does not exist; did you mean \"n\"?"},
		{NF_INVALID_ARGUMENT, "select q.i4 from t", "SQL, column 8",
		 "missing FROM-clause entry for table \"q\""},
		{NF_INVALID_ARGUMENT, "select t.i4 from t a", "SQL, column 8",
		 "invalid reference to FROM-clause entry for table \"t\"; perhaps you meant the"},
		{NF_INVALID_ARGUMENT, "select count(*), i4 from t a", "SQL, column 18",
		 "column \"a.i4\" must appear in the GROUP BY clause or be used in an aggregate"},
		{NF_INVALID_ARGUMENT, "select count(*) from t order by i4", "SQL, column 33",
		 "column \"t.i4\" must appear in the GROUP BY"},
		{NF_INVALID_ARGUMENT, "select i4 from t where sum(i4) > 1", "SQL, column 24",
		 "aggregate functions are not allowed in WHERE"},
		{NF_INVALID_ARGUMENT, "select sum(i4) from t group by 1", "SQL, column 8",
		 "aggregate functions are not allowed in GROUP BY"},
		{NF_INVALID_ARGUMENT, "select sum(1 + sum(i4)) from t", "SQL, column 16",
		 "aggregate function calls cannot be nested"},
		{NF_INVALID_ARGUMENT, "select count(*) from t where i4 + i8", "SQL, column 30",
		 "argument of WHERE must be type boolean, not type bigint"},
		{NF_INVALID_ARGUMENT, "select s + i4 from t", "SQL, column 10",
		 "operator does not exist: text + integer"},
		{NF_INVALID_ARGUMENT, "select d + '1' from t", "SQL, column 10",
		 "operator is not unique: date + unknown"},
		{NF_INVALID_ARGUMENT, "select sum(s) from t", "SQL, column 8",
		 "function sum(text) does not exist"},
		{NF_INVALID_ARGUMENT, "select round(f, 1) from t", "SQL, column 8",
		 "function round(double precision, integer) does not exist"},
		{NF_INVALID_ARGUMENT, "select case when b then i4 else s end from t",
		 "SQL, column 25", "CASE types text and integer cannot be matched"},
		{NF_INVALID_ARGUMENT, "select i4 in (1, 'x') from t", "SQL, column 18",
		 "invalid input syntax for type integer: \"x\""},
		{NF_INVALID_ARGUMENT, "select d::int from t", "SQL, column 9",
		 "cannot cast type date to integer"},
		{NF_INVALID_ARGUMENT, "select extract(hour from d) from t", "SQL, column 16",
		 "unit \"hour\" not supported for type date"},
		{NF_INVALID_ARGUMENT, "select count(*) from t group by 'x'", "SQL, column 33",
		 "non-integer constant in GROUP BY"},
		{NF_INVALID_ARGUMENT, "select count(*) from t order by 2", "SQL, column 33",
		 "ORDER BY position 2 is not in select list"},
		{NF_INVALID_ARGUMENT, "select distinct i4 from t order by s", "SQL, column 36",
		 "for SELECT DISTINCT, ORDER BY expressions must appear in select list"},
		{NF_INVALID_ARGUMENT, "select count(*) from t limit i4", "SQL, column 30",
		 "argument of LIMIT must not contain variables"},
		{NF_INVALID_ARGUMENT, "select count(*) from t limit -1", "SQL, column 30",
		 "LIMIT must not be negative"},
		{NF_OUT_OF_RANGE, "select count(*) from t where 1 / 0 = 1 and b", "SQL, column 32",
		 "division by zero"},
		{NF_OUT_OF_RANGE, "select count(*), 2147483647 + 1 from t", "SQL, column 29",
		 "integer out of range"},
		{NF_OUT_OF_RANGE, "select 12345::numeric(4,1) from t group by b", "SQL, column 13",
		 "numeric field overflow"},
		{NF_INVALID_ARGUMENT, "select count(*) from t; select 1", "SQL, column 25",
		 "one query at a time"},
		{NF_INVALID_ARGUMENT, " -- nothing", "SQL", "the query is empty"},
		{NF_INVALID_ARGUMENT, "select '\xff' from t", "SQL",
		 "invalid byte sequence for encoding \"UTF8\": 0xff at byte 8"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		refused(&rows[i]);
}

static void what_is_not_supported_is_named(void **state)
{
	static const struct {
		const char *query, *text;
		int column; /* 0: it has no place */
	} rows[] = {
		{"insert into t values (1)", "this is no SELECT", 1},
		{"select 1", "a query without FROM", 0},
		{"select count(*) from a, b", "a join", 25},
		{"select count(*) from a join b on true", "a join", 29},
		{"select count(*) from (select 1) x", "subqueries", 30},
		{"select count(*) from t where i4 in (select 1)", "subqueries", 30},
		{"select count(*) from public.t", "a table's name alone", 22},
		{"with x as (select 1) select count(*) from x", "WITH", 1},
		{"select count(*) from t union select 1", "UNION", 37},
		{"select distinct on (i4) i4 from t", "DISTINCT ON", 21},
		{"select count(*) from t for update", "FOR UPDATE", 0},
		{"select sum(i4) over () from t", "window functions", 8},
		{"select count(distinct i4) from t", "DISTINCT in an aggregate", 8},
		{"select sum(i4 order by i8) from t", "ORDER BY in an aggregate", 8},
		{"select count(*) from t group by rollup (i4)", "GROUPING SETS", 33},
		{"select * from t", "* is supported in count(*) only", 8},
		{"select count(*) from t where i4 = $1", "parameters", 35},
		{"select count(*) from t where s ~ 'a'", "operator ~", 32},
		{"select count(*) from t where s ilike 'a'", "ILIKE", 32},
		{"select count(*) from t where s like s", "a LIKE pattern", 37},
		{"select count(*) from t where s like 'a' escape 'x'", "LIKE with ESCAPE", 32},
		{"select count(*) from t where s collate \"C\" = 'a'", "COLLATE", 30},
		{"select length(s) from t", "function length", 8},
		{"select i4::time from t", "type \"time\"", 12},
		{"select ts - ts from t", "operator is not supported: timestamp", 11},
		{"select extract(epoch from ts) from t", "extracting \"epoch\"", 16},
		{"select array[1] from t", "arrays", 8},
		{"select i4 from t", "this returns the records themselves", 8},
	};
	struct refusal r = {.code = NF_UNIMPLEMENTED};
	char where[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		r.query = rows[i].query;
		r.text = rows[i].text;
		snprintf(where, sizeof(where), rows[i].column ? "SQL, column %d" : "SQL",
			 rows[i].column);
		r.where = where;
		refused(&r);
	}
}

/* before, n times again, between, n times after, end. */
static char *nested(const char *before, const char *again, const char *between, const char *after,
		    const char *end, size_t n)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, "%s", before);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s", again);
	fprintf(f, "%s", between);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s", after);
	fprintf(f, "%s", end);
	fclose(f);
	return text;
}

static void limit_is(int want, char *query)
{
	struct sql_plan *p = NULL;
	struct nf_error err = {0};
	int r = sql_plan_make(query, &schema, &p, &err);

	if (r != want)
		fail_msg("%.60s: %d, %s: %s", query, r, err.where, err.text);
	sql_plan_free(p);
	free(query);
}

static void however_deep_it_nests_the_stack_holds(void **state)
{
	static const struct {
		const char *again, *between, *after;
	} rows[] = {
		{"- ", "i4", ""},
		{"not ", "b", ""},
		{"(", "i4", ")"},
		{"abs(", "i4", ")"},
		{"", "i4", "+1"},
		{"", "i4", "::int8"},
		{"case when b then ", "1", " end"},
		{"(select ", "1", ")"},
		{"i4 in (", "1", ")"},
	};
	static const char from[] = " from t group by i4, b";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t each = strlen(rows[i].again) + strlen(rows[i].after);
		size_t n = (SQL_MAX_TEXT_BYTES - 60) / each;
		bool parentheses = rows[i].again[0] == '(' && !rows[i].again[1];

		/* Parentheses leave no trace in the tree. */
		limit_is(parentheses ? 0 : -ENOSPC,
			 nested("select ", rows[i].again, rows[i].between, rows[i].after, from, n));
	}
	limit_is(0, nested("select ", "- ", "i4", "", from, SQL_MAX_DEPTH - 1));
	limit_is(-ENOSPC, nested("select ", "- ", "i4", "", from, SQL_MAX_DEPTH));
	limit_is(0, nested("select count(*) from t where b", " and i4 = 1", "", "", "", 1000));
	limit_is(0, nested("select count(*) from t where i4 in (1", ", 1", ")", "", "", 4000));
	/* Each repeats what is in it. */
	limit_is(-ENOSPC, nested("select ", "(", "b", " between b and b)", from, 30));
	limit_is(-ENOSPC, nested("select b", ", b", from, "", "", SQL_MAX_OUTPUTS));
	limit_is(-ENOSPC, nested("select '", "x", "'", "", from, SQL_MAX_TEXT_BYTES));
}

static void a_table_has_a_name_before_it_has_a_schema(void **state)
{
	struct nf_error err = {0};
	char *name = NULL;

	(void)state;
	assert_int_equal(sql_table_name("select whatever(x) from Trades as t", &name, &err), 0);
	assert_string_equal(name, "trades");
	free(name);
	name = NULL;
	assert_int_equal(sql_table_name("select 1 from \"Big Table\"", &name, &err), 0);
	assert_string_equal(name, "Big Table");
	free(name);
	name = NULL;
	assert_int_equal(sql_table_name("select 1 from a, b", &name, &err), -ENOSYS);
	assert_null(name);
	assert_string_equal(err.where, "SQL, column 18");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clauses_go_where_they_belong),
		cmocka_unit_test(group_by_knows_positions_names_and_expressions),
		cmocka_unit_test(aggregates_are_shared_and_typed),
		cmocka_unit_test(outputs_have_postgresqls_names),
		cmocka_unit_test(operands_become_what_postgresql_makes_of_them),
		cmocka_unit_test(predicates_come_down_to_comparisons),
		cmocka_unit_test(comparisons_with_constants_become_those_of_the_column),
		cmocka_unit_test(constants_are_folded_where_postgresql_would_look),
		cmocka_unit_test(what_postgresql_refuses_has_its_words),
		cmocka_unit_test(what_is_not_supported_is_named),
		cmocka_unit_test(however_deep_it_nests_the_stack_holds),
		cmocka_unit_test(a_table_has_a_name_before_it_has_a_schema),
	};

	return cmocka_run_group_tests(tests, make_schema, free_schema);
}
