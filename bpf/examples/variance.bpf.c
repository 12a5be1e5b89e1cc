/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Sums of a file of doubles from which mean and variance follow: mean = sum / count, variance =
 * (squares - sum * sum / count) / count. BPF has no floating point; fold_f64_* compute on the bits.
 * Sums of doubles depend on the order of the records, so with more than one thread the last
 * digits may differ from run to run.
 *
 *	clang-19 -O2 -g -target bpf -mcpu=v3 -I bpf -c bpf/examples/variance.bpf.c -o variance.bpf.o
 *	nearfold run variance.bpf.o --local doubles.bin --format fixed:8
 */
#include "nearfold.bpf.h"

struct measurement {
	f64 value;
};

struct moments {
	u64 count;
	u64 not_numbers; /* NaNs are counted, not added */
	f64 sum;
	f64 squares;
};

FOLD_REDUCE add(struct moments *m, const struct measurement *rec, u32 len)
{
	f64 v = rec->value;

	if (!fold_f64_eq(v, v)) {
		m->not_numbers++;
		return FOLD_MORE;
	}
	m->count++;
	m->sum = fold_f64_add(m->sum, v);
	m->squares = fold_f64_add(m->squares, fold_f64_mul(v, v));
	return FOLD_MORE;
}

FOLD_COMBINE merge(struct moments *into, const struct moments *from)
{
	into->count += from->count;
	into->not_numbers += from->not_numbers;
	into->sum = fold_f64_add(into->sum, from->sum);
	into->squares = fold_f64_add(into->squares, from->squares);
}
