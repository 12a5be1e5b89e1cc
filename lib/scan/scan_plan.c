/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * scan_plan.c - how a scan is cut up: threads, chunk size, reads in flight, from what the caller
 * says, the processors, the device and the memory there is.
 *
 * Chunks: a megabyte from a disk; of data that looks to be in the page cache what half of the CPU's
 * second cache holds, since it is copied there and folded.
 *
 * Depth: eight megabytes in flight a thread hide the latency of the disks we met. Fewer reads where
 * the device's queues hold fewer requests (what waits in the kernel is no use), and of data that
 * looks to be in the page cache, whose buffers would be pinned for nothing. Whether a disk turns
 * is not asked: virtual ones say so, whatever is below.
 */
#include <inttypes.h>
#include <sched.h>
#include <unistd.h>

#include "scan/formats.h"
#include "scan/residency.h"
#include "scan/scan_internal.h"

enum {
	SMALL_BYTES = 4 << 20, /* one thread is enough */
	CHUNK_BYTES = 1 << 20,
	CHUNK_SMALLEST = 256 << 10, /* chosen by us, from a disk */
	HOT_CHUNK_SMALLEST = 128 << 10,
	KERNEL_CHUNK_BYTES = 256 << 10, /* a completion's work must stay short */
	CHUNKS_PER_THREAD = 8,          /* so that threads end together */
	IN_FLIGHT_BYTES = 8 << 20,      /* of a thread */
	DEPTH_MOST = 32,                /* chosen by us */
	DEPTH_LEAST = 2,
	SAMPLES = 16, /* of a source, for scan_is_hot() */
	SAMPLE_BYTES = 64 << 10,
	GROUP_OVERHEAD_BYTES = 32, /* slots at their emptiest, and rounding */
};

static unsigned cpus_online(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

uint64_t scan_bytes(const struct source *src, const struct scan_options *o)
{
	uint64_t total = src->total_bytes;

	if (o->has_range && o->range_end - o->range_start < total)
		total = o->range_end - o->range_start;
	return total;
}

unsigned scan_threads(const struct source *src, const struct scan_options *o)
{
	unsigned n = o->threads                          ? o->threads
		     : scan_bytes(src, o) <= SMALL_BYTES ? 1
							 : cpus_online();

	return n > SCAN_MAX_THREADS ? SCAN_MAX_THREADS : n;
}

/* Windows must suit the direct reads of every file. */
static uint32_t align_of(const struct source *src)
{
	uint32_t align = 4096;

	for (uint32_t i = 0; i < src->n_files; i++)
		if (src->files[i].direct_align_bytes > align)
			align = src->files[i].direct_align_bytes;
	return align;
}

uint32_t scan_command_bytes(const struct source *src)
{
	uint32_t most = UINT32_MAX;

	for (uint32_t i = 0; i < src->n_files; i++) {
		const struct source_nvme *n = &src->files[i].nvme;

		if (!n->block_bytes)
			return 0;
		most = n->max_bytes < most ? n->max_bytes : most;
	}
	return src->n_files ? most : 0;
}

/* What a command brings is folded when it completes: a window must not need two of them. */
static uint64_t command_chunk_bytes(const struct source *src)
{
	uint64_t command = scan_command_bytes(src), align = align_of(src);
	uint64_t around = 2 * align + FORMAT_LOOKAHEAD_BYTES + src->spec.record_bytes;

	if (command < 2 * around)
		return UINT64_MAX; /* so it does, then */
	return (command - around) / align * align;
}

bool scan_is_hot(const struct source *src)
{
	for (unsigned k = 0; k < SAMPLES; k++) {
		uint64_t at = src->total_bytes / SAMPLES * k;
		uint32_t i = 0;

		while (i + 1 < src->n_files && at >= src->files[i].size_bytes)
			at -= src->files[i++].size_bytes;
		if (!src->n_files || src->files[i].nvme.block_bytes)
			return false;
		uint64_t left = src->files[i].size_bytes > at ? src->files[i].size_bytes - at : 0;
		if (!file_is_resident(src->files[i].fd, at,
				      left < SAMPLE_BYTES ? (size_t)left : SAMPLE_BYTES))
			return false;
	}
	return true;
}

/* What all disks that hold the files can take. */
struct disks {
	bool polled;
	uint64_t requests, request_bytes; /* 0: unknown */
};

static uint64_t less(uint64_t a, uint64_t b)
{
	return !a ? b : !b ? a : a < b ? a : b;
}

static struct disks disks_of(const struct source *src)
{
	struct disks all = {.polled = src->n_files > 0};
	uint64_t known = 0;

	for (uint32_t i = 0; i < src->n_files; i++) {
		struct sysfs_disk d;

		all.polled = all.polled && src->files[i].direct_fd >= 0;
		if (i && src->files[i].dev == known)
			continue;
		known = src->files[i].dev;
		source_disk(src, i, &d);
		all.polled = all.polled && d.polled;
		all.requests = less(all.requests, d.requests * (d.queues ? d.queues : 1));
		all.request_bytes = less(all.request_bytes, d.request_bytes);
	}
	return all;
}

/* Half of the second cache, in powers of two. */
static uint64_t hot_chunk_bytes(void)
{
	long cache = sysconf(_SC_LEVEL2_CACHE_SIZE);
	uint64_t chunk = CHUNK_BYTES;

	while (cache > 0 && chunk > (uint64_t)cache / 2 && chunk > HOT_CHUNK_SMALLEST)
		chunk /= 2;
	return chunk;
}

static uint64_t choose_chunk(const struct scan *s, bool hot)
{
	uint64_t most = hot ? hot_chunk_bytes() : CHUNK_BYTES, least = CHUNK_SMALLEST, chunk;

	if (s->engine_ops->read_ops && most > KERNEL_CHUNK_BYTES)
		most = KERNEL_CHUNK_BYTES;
	if (s->engine_ops->read_ops && command_chunk_bytes(s->src) < most)
		most = command_chunk_bytes(s->src);
	chunk = scan_bytes(s->src, s->options) / ((uint64_t)s->n_threads * CHUNKS_PER_THREAD);
	chunk = chunk < least ? least : chunk;
	return chunk > most ? most : chunk;
}

static unsigned choose_depth(const struct scan *s, const struct disks *disks, bool hot)
{
	uint64_t chunk = s->plan.chunk_bytes, depth = IN_FLIGHT_BYTES / chunk, fit, per_chunk;

	depth = depth > DEPTH_MOST ? DEPTH_MOST : depth;
	if (disks->requests && disks->request_bytes) {
		per_chunk = (chunk + disks->request_bytes - 1) / disks->request_bytes;
		fit = disks->requests / (per_chunk * s->n_threads);
		depth = fit < depth ? fit : depth;
	}
	if (depth < DEPTH_LEAST || hot)
		depth = DEPTH_LEAST;
	return (unsigned)depth;
}

static int cut(struct scan *s, struct nf_error *err)
{
	const struct scan_options *o = s->options;
	struct chunk_range range = {o->range_start, o->range_end};
	struct disks disks = disks_of(s->src);
	bool hot = scan_is_hot(s->src);
	uint64_t chunk;

	s->n_threads = scan_threads(s->src, o);
	chunk = o->chunk_bytes ? o->chunk_bytes : choose_chunk(s, hot);
	int r = chunk_plan_init(&s->plan, s->src, o->has_range ? &range : NULL, (size_t)chunk,
				align_of(s->src), err);
	if (r)
		return r;
	if (s->n_threads > s->plan.n_chunks)
		s->n_threads = s->plan.n_chunks ? (unsigned)s->plan.n_chunks : 1;
	s->polled = disks.polled;
	s->depth = o->queue_depth ? o->queue_depth : choose_depth(s, &disks, hot);
	uint64_t per_thread = (s->plan.n_chunks + s->n_threads - 1) / s->n_threads;
	if (s->depth > per_thread)
		s->depth = per_thread ? (unsigned)per_thread : 1;
	return 0;
}

/* Buffers first, half of it at most; what is left holds states and groups. */
static int share_memory(struct scan *s, struct nf_error *err)
{
	uint64_t memory = s->options->memory_bytes;
	const struct program *p = s->vp->program;

	if (!memory)
		return 0;
	for (;;) {
		uint64_t line = s->plan.format == FORMAT_LINES ? PROGRAM_MAX_RECORD_BYTES : 0;
		uint64_t need =
			s->n_threads * (s->depth * (uint64_t)chunk_plan_window_bytes(&s->plan) +
					line + p->state_bytes);

		if (need <= memory / 2 || (need <= memory && !p->key_bytes)) {
			memory -= need;
			break;
		}
		if (s->depth > 1 && !s->options->queue_depth)
			s->depth /= 2;
		else if (s->n_threads > 1 && !s->options->threads)
			s->n_threads--;
		else
			return nf_error_set(err, NF_RESOURCE_EXHAUSTED, "memory_bytes",
					    "%u threads with %u reads of %zu bytes in flight need "
					    "%" PRIu64 " bytes, and the query may use %" PRIu64
					    ": use fewer threads, smaller chunks or more memory",
					    s->n_threads, s->depth, s->plan.chunk_bytes, need,
					    s->options->memory_bytes);
	}
	if (p->key_bytes) {
		uint64_t entry = p->state_bytes + p->key_bytes + GROUP_OVERHEAD_BYTES;
		uint64_t groups = memory / s->n_threads / entry;

		if (groups < s->engine_config.max_groups)
			s->engine_config.max_groups = groups ? groups : 1;
	}
	return 0;
}

int scan_plan(struct scan *s, struct nf_error *err)
{
	int r = cut(s, err);

	return r ? r : share_memory(s, err);
}
