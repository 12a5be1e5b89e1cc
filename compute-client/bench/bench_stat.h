/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* bench_stat.h - median and spread of a few measurements, and of the ratio of two. */
#ifndef NF_BENCH_STAT_H
#define NF_BENCH_STAT_H

#include <stdbool.h>

enum { BENCH_MAX_ROUNDS = 64 };

/* The median of n values, and the lowest and the highest; n 0: there is none. */
struct bench_stat {
	double median, low, high;
	unsigned n;
};

/* NaNs are left out. */
struct bench_stat bench_stat_of(const double *values, unsigned n);

/*
 * above / below: the ratio of the medians. Its spread reaches from the lowest value above over the
 * highest below to the opposite: whatever pair of rounds one compares, their ratio is inside.
 */
struct bench_stat bench_stat_ratio(const struct bench_stat *above, const struct bench_stat *below);

/* Do two measurements of the same thing agree, by their spreads? */
bool bench_stat_agree(const struct bench_stat *a, const struct bench_stat *b);

#endif
