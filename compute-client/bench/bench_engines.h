/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* bench_engines.h - what each engine does on one core, and the constants that auto chooses by. */
#ifndef NF_BENCH_ENGINES_H
#define NF_BENCH_ENGINES_H

#include <stdbool.h>
#include <stdint.h>

#include "compute-client/bench/bench_report.h"

struct bench_engines {
	const char *engine; /* NULL: all */
	unsigned rounds;
	uint64_t size_bytes;
	bool tell;
	int cancel_fd;
	const char *store; /* write the constants there; NULL: do not */
};

/* Scans of this process over files in the page cache, with one thread. */
int bench_engines_run(const struct bench_engines *o, struct bench_report *r, struct nf_error *err);

#endif
