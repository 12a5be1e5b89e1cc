/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * fold_stream.h - fold records as their bytes arrive: the same engines as a scan's, fed from
 * memory.
 *
 * The pieces may be cut anywhere, in a record or a line; what is cut is kept until its rest is
 * there. One thread at a time.
 */
#ifndef NF_CLIENT_FOLD_STREAM_H
#define NF_CLIENT_FOLD_STREAM_H

#include "scan/engine.h"

struct fold_stream;

struct fold_stream_options {
	const char *engine; /* a name, or NULL / "auto": the best that can, compiled beforehand */
	const uint8_t *params;             /* borrowed, program->params_bytes */
	uint64_t max_groups;               /* 0: the default */
	bool tail_ignore;                  /* fixed: a last record cut short is passed over */
	const char *name;                  /* for messages: the data set's; borrowed */
	const struct jit_image *jit_image; /* jit: code compiled earlier, or NULL; borrowed */
	size_t jit_image_bytes;
};

/* The record's size is that of vp's bounds; format says how records end. FAILED_PRECONDITION: the
 * engine cannot run this program here, with its reason. Holds a reference to vp. */
int fold_stream_open(struct vm_program *vp, enum record_format format,
		     const struct fold_stream_options *options, struct fold_stream **ret,
		     struct nf_error *err);
/* 0 more, 1 the program said FOLD_STOP (what follows is passed over), or an error as of fold() in
 * engine.h. */
int fold_stream_add(struct fold_stream *s, const void *data, size_t n, struct nf_error *err);
/* The last byte was there: a line without newline is a line, a record cut short is DATA_LOSS.
 * Call it once. */
int fold_stream_end(struct fold_stream *s, struct nf_error *err);
/* After the end: state or groups, and the counters; the caller may take groups (leave NULL). */
struct fold *fold_stream_result(struct fold_stream *s);
/* jit: what it compiled, for the next stream of the same program; NULL: nothing. Valid until free.
 */
const struct jit_image *fold_stream_jit_image(struct fold_stream *s);
void fold_stream_free(struct fold_stream *s); /* NULL is fine */

#endif
