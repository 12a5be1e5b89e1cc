/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * chunks.h - dividing the files of a source, or a range of them, into chunks that threads can take
 * in any order.
 *
 * A chunk owns the records that *start* in its half-open range of one file. Together the chunks of
 * an extent own each record that starts in it exactly once:
 *
 *	fixed  edges are records' edges: the record boundaries at or behind the nominal edges
 *	lines  edges are anywhere; who owns a line is decided when its bytes are seen (formats.h)
 *
 * Nominal edges lie on multiples of the alignment in the file, so that the windows which are read
 * for neighbouring chunks overlap by no more than one record and one block.
 */
#ifndef NF_SCAN_CHUNKS_H
#define NF_SCAN_CHUNKS_H

#include "scan/source.h"

struct chunk {
	uint32_t file;
	uint64_t start, end;
	bool start_is_record; /* start is known to be a record's first byte */
};

/* A stretch of one file that is to be scanned. */
struct extent {
	uint32_t file;
	uint64_t start, end;
	bool start_is_record;
	uint64_t first_chunk; /* number of its first chunk */
};

struct chunk_plan {
	enum record_format format;
	uint32_t record_bytes;
	uint32_t align;     /* a power of two: windows begin and end on its multiples */
	size_t chunk_bytes; /* the nominal size; at least a record */
	struct extent *extents;
	uint32_t n_extents;
	uint64_t n_chunks, total_bytes;
};

/*
 * Half-open range; end UINT64_MAX: to the end. NULL: everything behind each file's skip.
 * INVALID_ARGUMENT a range that is outside of the data or, unless the tail is ignored, not whole
 * records; FAILED_PRECONDITION files that are not (source_check_records).
 */
struct chunk_range {
	uint64_t start, end;
};
int chunk_plan_init(struct chunk_plan *plan, const struct source *src,
		    const struct chunk_range *range, size_t chunk_bytes, uint32_t align,
		    struct nf_error *err);
void chunk_plan_done(struct chunk_plan *plan);

/* Chunk number i < n_chunks. start == end: it owns nothing. */
void chunk_at(const struct chunk_plan *plan, uint64_t i, struct chunk *ret);

/* The largest window that format_window() asks for. */
size_t chunk_plan_window_bytes(const struct chunk_plan *plan);

#endif
