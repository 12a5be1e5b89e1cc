/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench.h - measuring side by side: the rivals of a group take turns, round after round, so that a
 * machine whose speed drifts drifts for all; what counts is the ratio within a round.
 */
#ifndef NF_BENCH_H
#define NF_BENCH_H

#include <stddef.h>
#include <stdint.h>

struct bench_rival {
	const char *name;
	void (*run)(void *arg); /* one run; a short one is repeated to fill a sample */
	void *arg;
};

/* Prints the machine, opens the JSON file $BENCH_JSON if that is set. */
void bench_begin(const char *title);
/* `work` bytes (or records ...) a run; unit "GB/s" divides by 1e9, "M/s" by 1e6, "ms" and "us" give
 * the time itself. The ratio column is against rivals[reference]: above 1 is faster than it. */
void bench_group(const char *title, const struct bench_rival *rivals, unsigned n_rivals,
		 unsigned reference, unsigned rounds, double work, const char *unit);
/* A line of text in the table; kept in the JSON too. */
void bench_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void bench_end(void);

#endif
