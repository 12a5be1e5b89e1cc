/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/chunks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "scan/formats.h"

static uint64_t align_down(uint64_t x, uint64_t align)
{
	return x & ~(align - 1);
}

static uint64_t chunks_of(const struct chunk_plan *plan, const struct extent *x)
{
	uint64_t base = align_down(x->start, plan->align);

	return x->end > x->start ? (x->end - base + plan->chunk_bytes - 1) / plan->chunk_bytes : 0;
}

/* Fixed records: refuse or cut off what is left behind the last whole one. */
static int trim_tail(const struct source *src, struct extent *x, struct nf_error *err)
{
	uint64_t rest;

	if (src->spec.format != FORMAT_FIXED)
		return 0;
	rest = (x->end - x->start) % src->spec.record_bytes;
	if (rest && !src->spec.tail_ignore)
		return nf_error_set(err, NF_INVALID_ARGUMENT, src->files[x->file].name,
				    "the range's %" PRIu64 " bytes of this file are not a whole "
				    "number of records: %" PRIu64
				    " records of %u bytes, and %" PRIu64 " bytes are left over",
				    x->end - x->start, (x->end - x->start) / src->spec.record_bytes,
				    src->spec.record_bytes, rest);
	x->end -= rest;
	return 0;
}

static int add_extent(struct chunk_plan *plan, const struct source *src, struct extent x,
		      struct nf_error *err)
{
	int r = trim_tail(src, &x, err);

	if (r || x.start >= x.end)
		return r;
	/* A line starts at the file's first byte and behind the header; elsewhere, look. */
	x.start_is_record =
		plan->format == FORMAT_FIXED || x.start == 0 || x.start == src->spec.skip_bytes;
	x.first_chunk = plan->n_chunks;
	plan->n_chunks += chunks_of(plan, &x);
	plan->total_bytes += x.end - x.start;
	plan->extents[plan->n_extents++] = x;
	return 0;
}

static int add_range(struct chunk_plan *plan, const struct source *src, struct chunk_range range,
		     struct nf_error *err)
{
	uint64_t base = 0;
	int r = 0;

	if (range.end == UINT64_MAX)
		range.end = src->total_bytes;
	if (range.start > range.end || range.end > src->total_bytes)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "range",
				    "bytes %" PRIu64 " to %" PRIu64
				    " are not in the data, which has "
				    "%" PRIu64 " bytes",
				    range.start, range.end, src->total_bytes);
	for (uint32_t i = 0; !r && i < src->n_files; i++) {
		uint64_t size = src->files[i].size_bytes;
		struct extent x = {
			.file = i,
			.start = range.start > base ? range.start - base : 0,
			.end = range.end > base ? range.end - base : 0,
		};

		if (x.end > size)
			x.end = size;
		if (x.start < x.end)
			r = add_extent(plan, src, x, err);
		base += size;
	}
	return r;
}

static int add_all(struct chunk_plan *plan, const struct source *src, struct nf_error *err)
{
	int r = source_check_records(src, err);

	for (uint32_t i = 0; !r && i < src->n_files; i++) {
		struct extent x = {
			.file = i,
			.start = src->spec.skip_bytes,
			.end = src->files[i].size_bytes,
		};

		if (x.start < x.end)
			r = add_extent(plan, src, x, err);
	}
	return r;
}

int chunk_plan_init(struct chunk_plan *plan, const struct source *src,
		    const struct chunk_range *range, size_t chunk_bytes, uint32_t align,
		    struct nf_error *err)
{
	int r;

	*plan = (struct chunk_plan){
		.format = src->spec.format,
		.record_bytes = src->spec.record_bytes,
		.align = align,
		.chunk_bytes = chunk_bytes,
	};
	if (plan->format == FORMAT_FIXED && plan->chunk_bytes < plan->record_bytes)
		plan->chunk_bytes = plan->record_bytes;
	plan->chunk_bytes = align_down(plan->chunk_bytes + align - 1, align);
	plan->extents = calloc(src->n_files ? src->n_files : 1, sizeof(*plan->extents));
	if (!plan->extents) {
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
		return -ENOMEM;
	}
	r = range ? add_range(plan, src, *range, err) : add_all(plan, src, err);
	if (r)
		chunk_plan_done(plan);
	return r;
}

void chunk_plan_done(struct chunk_plan *plan)
{
	free(plan->extents);
	*plan = (struct chunk_plan){0};
}

/* The edge before chunk number i of an extent. */
static uint64_t edge(const struct chunk_plan *plan, const struct extent *x, uint64_t i)
{
	uint64_t at = align_down(x->start, plan->align) + i * plan->chunk_bytes;

	if (at <= x->start)
		return x->start;
	if (at >= x->end)
		return x->end;
	if (plan->format == FORMAT_FIXED) {
		uint64_t n = plan->record_bytes;

		at = x->start + (at - x->start + n - 1) / n * n;
	}
	return at < x->end ? at : x->end;
}

void chunk_at(const struct chunk_plan *plan, uint64_t i, struct chunk *ret)
{
	uint32_t low = 0, high = plan->n_extents;

	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;

		if (plan->extents[mid].first_chunk <= i)
			low = mid;
		else
			high = mid;
	}
	const struct extent *x = &plan->extents[low];
	*ret = (struct chunk){
		.file = x->file,
		.start = edge(plan, x, i - x->first_chunk),
		.end = edge(plan, x, i - x->first_chunk + 1),
	};
	ret->start_is_record =
		plan->format == FORMAT_FIXED || (ret->start == x->start && x->start_is_record);
}

size_t chunk_plan_window_bytes(const struct chunk_plan *plan)
{
	size_t n = plan->chunk_bytes + 2 * (size_t)plan->align;

	return n + (plan->format == FORMAT_FIXED
			    ? align_down(plan->record_bytes, plan->align) + plan->align
			    : align_down(FORMAT_LOOKAHEAD_BYTES, plan->align) + plan->align);
}
