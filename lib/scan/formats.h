/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * formats.h - which bytes a chunk's records need, and where they are in what was read.
 *
 *	        chunk.start                     chunk.end
 *	            v                               v
 *	....rrrrrrrr|rrrrrrrrRRRRRRRRRRRRRRRRRRRRRRR|RRRRRRRRrrrr....
 *	    ^                ^                               ^
 *	    window           first record that starts here   the last one ends: `to`
 *
 * fixed: chunk edges are record edges, the window holds all of it. lines: the window begins a byte
 * before the chunk, because a newline there makes the chunk's first byte a line's first byte, and
 * goes on a little behind it. A line that is still longer is the reader's to fetch (`tail`).
 */
#ifndef NF_SCAN_FORMATS_H
#define NF_SCAN_FORMATS_H

#include "scan/chunks.h"

enum { FORMAT_LOOKAHEAD_BYTES = 4096 };

/* Bytes [offset_bytes, offset_bytes + bytes) of a file. */
struct window {
	const uint8_t *data;
	uint64_t offset_bytes;
	size_t bytes;
};

/*
 * The window to read for a chunk: offset and length on multiples of plan->align. The last may lie
 * behind the end of the file; *ret_expect is how many bytes there are really.
 */
void format_window(const struct chunk_plan *plan, const struct chunk *chunk, uint64_t file_bytes,
		   uint64_t *ret_offset, size_t *ret_bytes, size_t *ret_expect);

/* Offsets into the window. */
struct split {
	size_t from, to; /* whole records that the chunk owns; from == to: none */
	bool tail;       /* and one more line starts at `to`, which goes on behind the window */
};

/*
 * Find them. resume: 0, or the window offset up to which the chunk is done with (a record starts
 * there, or the chunk ended before). The window must be whole: what format_window() expects.
 */
void format_split(const struct chunk_plan *plan, const struct chunk *chunk, uint64_t file_bytes,
		  const struct window *window, size_t resume, struct split *ret);

/* How many of n bytes of whole records make a slice of about `want` bytes: 1 record .. n. */
size_t format_slice(const struct chunk_plan *plan, const uint8_t *data, size_t n, size_t want);

#endif
