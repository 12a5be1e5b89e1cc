/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench_data.h - the sweep's data: records of 32 bytes (bpf/bench/record.h), the same ones for
 * everybody. Its expected answers follow from how it is made, so that tests can check them.
 */
#ifndef NF_BENCH_DATA_H
#define NF_BENCH_DATA_H

#include <stdint.h>

#include "base/error.h"

struct bench_record {
	uint64_t id;
	uint64_t key;
	uint32_t pick; /* below BENCH_PICK_RANGE */
	uint32_t value;
	uint64_t pad;
};

enum { BENCH_PICK_RANGE = 1000000 };

/* Record number id. */
struct bench_record bench_record_at(uint64_t id);
/* bytes, rounded down to whole records. Page cache holds it afterwards, if there is room. */
int bench_data_write(const char *path, uint64_t bytes, struct nf_error *err);

#endif
