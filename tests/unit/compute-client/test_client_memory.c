/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The n-th allocation of a local query and of its printing fails, for every n: an error that says
 * so, no crash, nothing left behind. */
#include "fake_node.h"

#include "tests/support/failing_malloc.h"

/* Runs and prints; 0, or a negative errno. */
static int run_and_write(const struct nearfold_query *q, FILE *out, struct nearfold_error *err)
{
	struct nearfold_result *res;
	int r = nearfold_run(NULL, q, &res, err);

	if (r < 0)
		return r;
	for (int form = NEARFOLD_TABLE; form <= NEARFOLD_CSV && r == 0; form++)
		r = nearfold_result_write(res, (enum nearfold_output)form, out);
	nearfold_result_free(res);
	if (r < 0)
		err->code = NF_RESOURCE_EXHAUSTED; /* the writer gives an errno only */
	return r;
}

static void fail_each(const struct nearfold_query *q, FILE *out)
{
	struct nearfold_error err;
	unsigned failures = 0;

	/* Once as it should be: what is made only once is made then. */
	assert_int_equal(run_and_write(q, out, &err), 0);
	long before = atomic_load(&live);

	for (long n = 1;; n++) {
		memset(&err, 0, sizeof(err));
		atomic_store(&fail_after, n);
		int r = run_and_write(q, out, &err);
		bool hit = atomic_exchange(&fail_after, 0) <= 0;

		if (atomic_load(&live) != before)
			fail_msg("allocation %ld failed, %ld are left", n,
				 atomic_load(&live) - before);
		if (!hit) {
			assert_int_equal(r, 0);
			break;
		}
		failures += r != 0;
		if (r < 0 && err.code != NF_RESOURCE_EXHAUSTED)
			fail_msg("allocation %ld failed: %d %s: %s", n, r, err.where, err.text);
	}
	assert_true(failures > 10);
}

static void every_allocation_may_fail(void **state)
{
	/* No numeric: libgmp ends the process when there is no memory for one. */
	static const char sql[] = "SELECT DISTINCT t, max(id), bool_or(id > 5) FROM data "
				  "GROUP BY t, id % 7 HAVING count(*) > 1 ORDER BY 2 DESC LIMIT 9";
	char path[] = "/tmp/nearfold-memory.XXXXXX";
	const char *files[] = {path, NULL};
	struct nearfold_query q = {
		.files = files, .engine = "interp", .reader = "pread", .threads = 1};
	struct nearfold_error err;
	int fd;
	uint64_t records[4096];
	FILE *out;

	(void)state;
	if (!OWN_MALLOC) {
		print_message("SKIP: the sanitizer has its own malloc\n");
		skip();
	}
	fd = mkstemp(path);
	for (size_t i = 0; i < ARRAY_SIZE(records); i++)
		records[i] = i % 300;
	assert_true(fd >= 0 && write(fd, records, sizeof(records)) == sizeof(records));
	out = fopen("/dev/null", "w");
	assert_non_null(out);
	for (int grouped = 0; grouped < 2; grouped++) {
		struct nearfold_program p;

		q.program = &p;
		q.format = "fixed:8";
		counting_program(grouped, &p);
		fail_each(&q, out);
		program_unref(p.program);
	}
	q.format = NULL;
	assert_int_equal(nearfold_sql_prepare(sql, "id:i32, t:char(4)", &q.program, &err), 0);
	fail_each(&q, out);
	nearfold_program_free(q.program);
	fclose(out);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
