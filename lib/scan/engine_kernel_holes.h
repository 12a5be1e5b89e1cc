/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine_kernel_holes.h - what the scan loop leaves to the linker beside the user's functions:
 * where a failure is noted, the meters, keys unrolled to their number of words. Each is as short as
 * the program at hand allows; bpf/scan.bpf.c declares them.
 */
#ifndef NF_SCAN_ENGINE_KERNEL_HOLES_H
#define NF_SCAN_ENGINE_KERNEL_HOLES_H

#include "scan/engine_kernel_lower.h"

struct kernel_holes {
	struct kernel_frame frame;
	uint32_t key_words;
	bool meters; /* some function is metered */
	bool traps;  /* some function may fail: note the record */
};

/* Emit what stands for the call of that symbol; false: it is none of ours. */
bool kernel_hole(const struct kernel_holes *h, struct splice *s, const char *symbol);

#endif
