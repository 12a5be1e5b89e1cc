/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench_sweep.h - both ways over what matters: selectivity, size of the state, groups, link speed,
 * queries at once. Over data of its own (bench_data.h), on a node of its own unless one is named.
 */
#ifndef NF_BENCH_SWEEP_H
#define NF_BENCH_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "compute-client/bench/bench_report.h"

struct bench_sweep {
	const char *address, *dataset; /* a node that exports the sweep's data; NULL: its own */
	const char *only;              /* "link,groups"; NULL: all sections */
	const char *engine;            /* NULL or "auto": all where engines are compared */
	unsigned threads, rounds;
	/* How often all points are gone through, each time with all rounds: what disturbs a point
	 * for a second is not all that is known of it. */
	unsigned passes;
	uint64_t size_bytes; /* of the generated data */
	bool quick, tell;    /* tell: on stderr what is being measured */
	int cancel_fd;
};

/* Is `only` a list of sections? The word that is not one goes to where. */
bool bench_sweep_only_valid(const char *only, char where[40]);

int bench_sweep_run(const struct bench_sweep *o, struct bench_report *r, struct nf_error *err);

#endif
