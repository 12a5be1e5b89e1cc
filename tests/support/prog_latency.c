/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * prog_latency.c - prog_latency ADDRESS PROGRAM DATASET RUNS [ENGINE [PAUSE_MS]]: runs the query
 * that often on one connection, with pauses between, and prints how long it took, in microseconds:
 *
 *	runs 200 first 5120 p50 1300 p90 1400 max 2000 wire_first 2300 wire_next 310
 *
 * Uses the public library only, and is linked with libnearfold.so and nothing else of ours.
 */
#include <nearfold.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int failed(const struct nearfold_error *err)
{
	fprintf(stderr, "prog_latency: %s: %s (%s)\n", err->where, err->text,
		nearfold_code_name(err->code));
	return 1;
}

/* One run; fails when the state differs from the first run's. */
static int run_once(struct nearfold_conn *conn, const struct nearfold_query *q, uint64_t *ret_wire,
		    double *ret_us)
{
	static unsigned char first_state[8];
	static int has_first;
	struct nearfold_result *res;
	struct nearfold_error err;
	const void *key, *state;
	double start = now_us();

	if (nearfold_run(conn, q, &res, &err) < 0)
		return failed(&err);
	*ret_us = now_us() - start;
	*ret_wire = nearfold_result_stats(res)->wire_bytes_sent +
		    nearfold_result_stats(res)->wire_bytes_received;
	if (nearfold_result_rows(res) != 1 || nearfold_result_row(res, 0, &key, &state) < 0 ||
	    key) {
		fprintf(stderr, "prog_latency: not the one row that is expected\n");
		return 1;
	}
	if (has_first && memcmp(first_state, state, sizeof(first_state)) != 0) {
		fprintf(stderr, "prog_latency: the answer changed\n");
		return 1;
	}
	memcpy(first_state, state, sizeof(first_state));
	has_first = 1;
	nearfold_result_free(res);
	return 0;
}

int main(int argc, char **argv)
{
	struct nearfold_program *prog;
	struct nearfold_conn *conn;
	struct nearfold_error err;
	uint64_t wire_first = 0, wire = 0;
	int runs = argc >= 5 && argc <= 7 ? atoi(argv[4]) : 0;
	int pause_ms = argc == 7 ? atoi(argv[6]) : 0;

	if (runs < 2) {
		fprintf(stderr,
			"usage: prog_latency ADDRESS PROGRAM DATASET RUNS [ENGINE [PAUSE_MS]]\n");
		return 2;
	}
	if (nearfold_program_open(argv[2], &prog, &err) < 0)
		return failed(&err);
	if (nearfold_connect(argv[1], NULL, &conn, &err) < 0)
		return failed(&err);

	struct nearfold_query q = {
		.size = sizeof(q), .program = prog, .dataset = argv[3], .engine = argv[5]};
	double first, *us = calloc((size_t)runs, sizeof(*us));

	if (!us || run_once(conn, &q, &wire_first, &first) != 0)
		return 1;
	for (int i = 0; i < runs; i++) {
		usleep((useconds_t)pause_ms * 1000);
		if (run_once(conn, &q, &wire, &us[i]) != 0)
			return 1;
	}
	qsort(us, (size_t)runs, sizeof(*us), compare);
	printf("runs %d first %.0f p50 %.0f p90 %.0f max %.0f wire_first %llu wire_next %llu\n",
	       runs, first, us[runs / 2], us[runs * 9 / 10], us[runs - 1],
	       (unsigned long long)wire_first, (unsigned long long)wire);
	free(us);
	nearfold_close(conn);
	nearfold_program_free(prog);
	return 0;
}
