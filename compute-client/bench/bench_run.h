/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench_run.h - rounds: every contestant once, in turns, so that what else the machine does hits
 * all of them. Every other round goes backwards. A first round warms up and does not count.
 */
#ifndef NF_BENCH_RUN_H
#define NF_BENCH_RUN_H

#include "compute-client/bench/bench_report.h"

/* One run's figures; NaN: not measured. */
struct bench_sample {
	double v[FIGURES];
};
void bench_sample_clear(struct bench_sample *s);

struct bench_contestant {
	enum bench_way way;
	char engine[24];
	/* 0, or an error: in the warm-up it takes the contestant out (`out` says why), later it
	 * ends the benchmark. */
	int (*run)(void *arg, struct bench_sample *ret, struct nf_error *err);
	void *arg;
	bool is_out;
	struct nf_error out;
	struct bench_sample samples[BENCH_MAX_ROUNDS];
	unsigned n;
};

/*
 * CANCELLED ends it at once, in the warm-up too. No contestant left: FAILED_PRECONDITION with the
 * first one's reason.
 */
int bench_rounds(struct bench_contestant *list, unsigned n, unsigned rounds, bool warm_up,
		 struct nf_error *err);

/* A row for each contestant that is not out, and a note for each that is. A row that is there
 * already (an earlier pass) gets these rounds, too. */
void bench_rounds_report(const struct bench_contestant *list, unsigned n,
			 enum bench_section section, double x, const char *x_text,
			 struct bench_report *r);

#endif
