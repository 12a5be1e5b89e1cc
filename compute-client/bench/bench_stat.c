/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_stat.h"

#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct bench_stat bench_stat_of(const double *values, unsigned n)
{
	double sorted[BENCH_MAX_ROUNDS];
	unsigned k = 0;

	for (unsigned i = 0; i < n && k < BENCH_MAX_ROUNDS; i++)
		if (!isnan(values[i]))
			sorted[k++] = values[i];
	if (k == 0)
		return (struct bench_stat){0};
	qsort(sorted, k, sizeof(sorted[0]), by_value);
	return (struct bench_stat){
		.median = (sorted[(k - 1) / 2] + sorted[k / 2]) / 2,
		.low = sorted[0],
		.high = sorted[k - 1],
		.n = k,
	};
}

struct bench_stat bench_stat_ratio(const struct bench_stat *above, const struct bench_stat *below)
{
	if (above->n == 0 || below->n == 0 || below->low <= 0)
		return (struct bench_stat){0};
	return (struct bench_stat){
		.median = above->median / below->median,
		.low = above->low / below->high,
		.high = above->high / below->low,
		.n = above->n < below->n ? above->n : below->n,
	};
}

bool bench_stat_agree(const struct bench_stat *a, const struct bench_stat *b)
{
	return a->n > 0 && b->n > 0 && a->low <= b->high && b->low <= a->high;
}
