/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* bench_savings.h - one program over one data set of a node: offload against ship and reduce. */
#ifndef NF_BENCH_SAVINGS_H
#define NF_BENCH_SAVINGS_H

#include "compute-client/bench/bench_report.h"
#include "compute-client/nearfold.h"

struct bench_savings {
	const char *address, *dataset;
	struct nearfold_program *program;
	const char *engine; /* only this one; NULL or "auto": each that can */
	unsigned threads, rounds;
	uint64_t range_start, range_end; /* 0, 0: everything */
	int cancel_fd;
};

/* Adds sections `first` and `savings`, ratios, break-evens and notes. */
int bench_savings_run(const struct bench_savings *o, struct bench_report *r, struct nf_error *err);

/*
 * Break-even link speed, in bits per second, of two ways whose times are known on a link that is no
 * limit: on a slower link shipping takes as long as its bytes do. HUGE_VAL: offload is faster on
 * any link.
 */
double bench_break_even_link(double offload_seconds, double offload_bytes, double ship_seconds,
			     double ship_bytes);

#endif
