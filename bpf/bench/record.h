/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* record.h - the sweep's records, as compute-client/bench/bench_data.c generates them. */
#ifndef BENCH_RECORD_H
#define BENCH_RECORD_H

#include "nearfold.bpf.h"

struct record {
	u64 id;    /* counts up */
	u64 key;   /* uniform over 64 bits */
	u32 pick;  /* uniform below 1000000: pick < bound keeps bound parts in a million */
	u32 value; /* uniform over 32 bits */
	u64 pad;
};

#endif
