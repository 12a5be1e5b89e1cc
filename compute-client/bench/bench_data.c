/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_data.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"

enum { BATCH = 4096 };

/* SplitMix64 (Steele, Lea, Flood 2014): number i of the sequence without those before it. */
static uint64_t mix(uint64_t i)
{
	uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

struct bench_record bench_record_at(uint64_t id)
{
	uint64_t other = mix(2 * id + 1);

	return (struct bench_record){
		.id = id,
		.key = mix(2 * id),
		.pick = (uint32_t)((other >> 32) * BENCH_PICK_RANGE >> 32),
		.value = (uint32_t)other,
	};
}

int bench_data_write(const char *path, uint64_t bytes, struct nf_error *err)
{
	AUTO_FCLOSE FILE *f = fopen(path, "we");
	struct bench_record batch[BATCH];
	uint64_t n = bytes / sizeof(batch[0]);

	if (!f)
		return nf_error_sys(err, NF_PERMISSION_DENIED, errno, path, "cannot be written");
	for (uint64_t i = 0; i < n;) {
		size_t k = 0;

		for (; k < BATCH && i < n; k++)
			batch[k] = bench_record_at(i++);
		if (fwrite(batch, sizeof(batch[0]), k, f) != k)
			break;
	}
	if (fflush(f) != 0 || ferror(f))
		return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, errno, path,
				    "%llu bytes of data cannot be written; give a smaller --size, "
				    "or TMPDIR a folder with room",
				    (unsigned long long)bytes);
	return 0;
}
