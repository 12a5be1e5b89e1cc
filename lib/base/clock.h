/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* clock.h - time in nanoseconds. */
#ifndef NF_BASE_CLOCK_H
#define NF_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_SEC 1000000000ull
#define NS_PER_MS  1000000ull

static inline uint64_t clock_read(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

/* Never jumps; for deadlines and durations. The same clock in every process of the machine. */
static inline uint64_t clock_now_ns(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

#endif
