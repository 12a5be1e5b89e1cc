/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fold_run.h - one engine over bytes in memory, without a scan: for tests that compare engines.
 *
 * The bytes are folded by one engine thread, in spans of at most span_bytes (whole records; lines
 * are cut at newlines), or as reads that land in the engine's buffers, from a file that holds them.
 */
#ifndef NF_TESTS_FOLD_RUN_H
#define NF_TESTS_FOLD_RUN_H

#include "scan/engine.h"

struct fold_input {
	const uint8_t *data;
	size_t bytes;
	size_t span_bytes; /* 0: one span */
	size_t read_bytes; /* not 0: through read_ops, windows of this size; engines without: spans
			    */
};

struct fold_output {
	int status; /* what fold() returned last: 0, 1 or an error */
	struct nf_error err;
	uint64_t records, matched;
	uint32_t state_bytes, key_bytes;
	uint64_t n_states; /* groups, or 1 */
	uint8_t *states;   /* n times key and state; sorted */
};

/* 0, or the error of check or open, in ret->err. Free with fold_output_done(). */
int fold_run(const struct engine_ops *engine, const struct engine_config *cfg,
	     const struct fold_input *in, struct fold_output *ret);
void fold_output_done(struct fold_output *out);

/* Are they the same answer? If not, a line that says where they differ goes to text. An error's
 * code, place and text count, too; partial states of a failed run do not. */
bool fold_output_same(const struct fold_output *a, const struct fold_output *b, char *text,
		      size_t size);

#endif
