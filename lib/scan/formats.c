/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/formats.h"

#include <string.h>

void format_window(const struct chunk_plan *plan, const struct chunk *chunk, uint64_t file_bytes,
		   uint64_t *ret_offset, size_t *ret_bytes, size_t *ret_expect)
{
	uint64_t mask = (uint64_t)plan->align - 1;
	uint64_t start = chunk->start, end = chunk->end;

	if (plan->format == FORMAT_LINES) {
		if (!chunk->start_is_record)
			start--;
		end += FORMAT_LOOKAHEAD_BYTES;
	}
	if (end > file_bytes)
		end = file_bytes;
	*ret_offset = start & ~mask;
	*ret_bytes = (size_t)(((end + mask) & ~mask) - *ret_offset);
	/* All that the aligned window holds is there for the taking. */
	if (*ret_offset + *ret_bytes <= file_bytes)
		*ret_expect = *ret_bytes;
	else
		*ret_expect = (size_t)(file_bytes - *ret_offset);
}

static void split_lines(const struct chunk *chunk, uint64_t file_bytes, const struct window *w,
			size_t resume, struct split *ret)
{
	size_t start = (size_t)(chunk->start - w->offset_bytes);
	size_t end = (size_t)(chunk->end - w->offset_bytes), from = start;
	const uint8_t *newline;

	if (resume) {
		from = resume;
	} else if (!chunk->start_is_record) {
		/* A newline in the byte before `end` begins the next chunk's line. */
		newline = memchr(w->data + start - 1, '\n', end - start);
		from = newline ? (size_t)(newline - w->data) + 1 : end;
	}
	*ret = (struct split){.from = from, .to = from};
	if (from >= end)
		return;
	/* The last line that starts before `end` ends with the first newline from end - 1 on. */
	newline = memchr(w->data + end - 1, '\n', w->bytes - (end - 1));
	if (newline) {
		ret->to = (size_t)(newline - w->data) + 1;
		return;
	}
	if (w->offset_bytes + w->bytes == file_bytes) {
		ret->to = w->bytes;
		return;
	}
	newline = memrchr(w->data + from, '\n', end - 1 - from);
	ret->to = newline ? (size_t)(newline - w->data) + 1 : from;
	ret->tail = true;
}

void format_split(const struct chunk_plan *plan, const struct chunk *chunk, uint64_t file_bytes,
		  const struct window *window, size_t resume, struct split *ret)
{
	if (plan->format == FORMAT_LINES) {
		split_lines(chunk, file_bytes, window, resume, ret);
		return;
	}
	*ret = (struct split){
		.from = resume ? resume : (size_t)(chunk->start - window->offset_bytes),
		.to = (size_t)(chunk->end - window->offset_bytes),
	};
}

size_t format_slice(const struct chunk_plan *plan, const uint8_t *data, size_t n, size_t want)
{
	if (want >= n)
		return n;
	if (plan->format == FORMAT_FIXED) {
		size_t records = want / plan->record_bytes;

		return (records ? records : 1) * plan->record_bytes;
	}
	const uint8_t *newline = memchr(data + want, '\n', n - want);
	return newline ? (size_t)(newline - data) + 1 : n;
}
