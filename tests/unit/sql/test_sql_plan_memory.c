/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_sql_plan_memory.c - the n-th allocation fails, for every n: an error comes back, nothing
 * crashes, nothing is lost. Only our own allocations: the parser's are made on its own thread, and
 * GMP, which ends the process when it gets no memory, has numbers only where there are numerics.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "base/scope.h"
#include "sql/sql_plan.h"

#ifndef __SANITIZE_ADDRESS__
/* glibc's own names for what is replaced here. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

/* Counts down to the allocation that fails; -1: none does. On this thread alone. volatile: the
 * compiler knows malloc() and free(), and that they touch no variable of ours. */
static _Thread_local volatile long fail_at = -1;
static _Thread_local volatile long live;

/* For the libraries, too. */
#define EXPORT __attribute__((visibility("default")))

static bool fails_now(void)
{
	if (fail_at >= 0 && fail_at-- == 0) {
		errno = ENOMEM;
		return true;
	}
	live++;
	return false;
}

EXPORT void *malloc(size_t size)
{
	return fails_now() ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t n, size_t size)
{
	return fails_now() ? NULL : __libc_calloc(n, size);
}

EXPORT void *realloc(void *p, size_t size)
{
	if (p)
		live--;
	if (fails_now()) {
		live += p != NULL;
		return NULL;
	}
	return __libc_realloc(p, size);
}

EXPORT void free(void *p)
{
	if (p)
		live--;
	__libc_free(p);
}

static const char *const queries[] = {
	"select s as k, sum(i4 + 1) filter (where b), count(*), max(s), case i4 when 1 then 'a' "
	"else "
	"'b' end, coalesce(nullif(i4, 2), 3) from t x where d <= date '1998-12-01' - interval '90' "
	"day and s in ('a', s, 'b') and i4 not between 1 and 3 and s like 'a%' and b is not true "
	"group by k, i4 having count(*) > 3 order by k desc, 3 limit 2 offset 1",
	"select distinct i4, extract(year from d)::int, i4 is distinct from 3 from t order by i4",
	"select count(*), i4 from t",
};

/* The tree was made on another thread, and is freed on this one. */
static long freed_here(const char *query, const struct sql_schema *s)
{
	struct sql_plan *p = NULL;
	long before = live;

	(void)sql_plan_make(query, s, &p, NULL);
	sql_plan_free(p);
	return live - before;
}

static void every_allocation_may_fail(void **state)
{
	struct sql_schema s;
	struct nf_error err;

	(void)state;
	assert_int_equal(sql_schema_parse("i4:i32, b:bool, s:char(4), d:date", &s, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
		long expected, failures = 0;

		(void)freed_here(queries[i], &s);
		expected = freed_here(queries[i], &s);
		for (long n = 0;; n++) {
			struct sql_plan *p = NULL;
			long before = live, after;
			int r;

			fail_at = n;
			r = sql_plan_make(queries[i], &s, &p, &err);
			after = fail_at;
			fail_at = -1;
			sql_plan_free(p);
			if (after >= 0)
				break;
			failures++;
			/* pthread_create() has words of its own. */
			if (r != -ENOMEM && r != -EAGAIN)
				fail_msg("allocation %ld of %s: %d, %s", n, queries[i], r,
					 err.text);
			/* Before the tree there was nothing to free. */
			if (live - before != expected && live != before)
				fail_msg("allocation %ld of %s: %ld blocks are left", n, queries[i],
					 live - before);
		}
		assert_true(failures > 5);
	}
	sql_schema_done(&s);
}
#else
static void every_allocation_may_fail(void **state)
{
	(void)state;
	skip(); /* the sanitizer's malloc() is in the way */
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
