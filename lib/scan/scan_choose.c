/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * scan_choose.c - everything that the caller left open: engine, reader, threads, chunk size, depth.
 */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "scan/ring.h"
#include "scan/scan_internal.h"

enum {
	SMALL_BYTES = 4 << 20,	   /* one thread is enough */
	TINY_BYTES = 1 << 20,	   /* and a ring is not worth its set-up, nor is LLVM */
	TINY_LOOP_BYTES = 4 << 10, /* LLVM is, when the program loops */
	CHUNK_BYTES = 1 << 20,
	CHUNK_SMALLEST = 256 << 10,	/* chosen by us */
	KERNEL_CHUNK_BYTES = 256 << 10, /* a completion's work must stay short */
	CHUNKS_PER_THREAD = 8,		/* so that threads end together */
	DEPTH = 8,
	GROUP_OVERHEAD_BYTES = 32, /* slots at their emptiest, and rounding */
};

int scan_bounds(const struct dataset_spec *spec, struct vm_bounds *ret)
{
	struct vm_bounds b = {0, PROGRAM_MAX_RECORD_BYTES};

	if (dataset_spec_check(spec, NULL))
		return -nf_code_errno(NF_INVALID_ARGUMENT);
	if (spec->format == FORMAT_FIXED)
		b.record_min_bytes = b.record_max_bytes = spec->record_bytes;
	*ret = b;
	return 0;
}

static int check_options(const struct scan *s, struct nf_error *err)
{
	const struct scan_options *o = s->options;
	const struct program *p = s->vp->program;

	if (o->threads > SCAN_MAX_THREADS)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "threads", "%u threads; at most %d",
				    o->threads, SCAN_MAX_THREADS);
	if (o->queue_depth > SCAN_MAX_DEPTH)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "queue_depth",
				    "%u reads in flight; at most %d", o->queue_depth,
				    SCAN_MAX_DEPTH);
	if (o->chunk_bytes &&
	    (o->chunk_bytes < SCAN_MIN_CHUNK_BYTES || o->chunk_bytes > SCAN_MAX_CHUNK_BYTES))
		return nf_error_set(err, NF_INVALID_ARGUMENT, "chunk_bytes",
				    "chunks of %zu bytes; %d to %d are possible", o->chunk_bytes,
				    SCAN_MIN_CHUNK_BYTES, SCAN_MAX_CHUNK_BYTES);
	if (o->params_bytes != p->params_bytes || (p->params_bytes && !o->params))
		return nf_error_set(err, NF_INVALID_ARGUMENT, "params",
				    "the program takes %u bytes of parameters, and %u are given",
				    p->params_bytes, o->params_bytes);
	return 0;
}

static int check_bounds(const struct scan *s, struct nf_error *err)
{
	const struct vm_bounds *have = &s->vp->bounds;
	struct vm_bounds want = {0};
	char format[32];
	int r = dataset_spec_check(&s->src->spec, err);

	if (r)
		return r;
	scan_bounds(&s->src->spec, &want);
	/* Verified for more than there is would do, too; but an engine may rely on either end. */
	if (have->record_min_bytes == want.record_min_bytes &&
	    have->record_max_bytes == want.record_max_bytes)
		return 0;
	dataset_format_text(&s->src->spec, format);
	if (have->record_min_bytes == have->record_max_bytes)
		return nf_error_set(
			err, NF_FAILED_PRECONDITION, s->src->spec.name,
			"the program is made for records of %u bytes, and the data set's "
			"format is %s: change the program's record or the format",
			have->record_max_bytes, format);
	return nf_error_set(err, NF_FAILED_PRECONDITION, s->src->spec.name,
			    "the program was verified for records of %u to %u bytes, and the data "
			    "set's format is %s (%u to %u): verify it for this format",
			    have->record_min_bytes, have->record_max_bytes, format,
			    want.record_min_bytes, want.record_max_bytes);
}

static unsigned cpus_online(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	return (unsigned)CPU_COUNT(&set);
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

static uint64_t bytes_to_scan(const struct source *src, const struct scan_options *o)
{
	uint64_t total = src->total_bytes;

	if (o->has_range && o->range_end - o->range_start < total)
		total = o->range_end - o->range_start;
	return total;
}

static int make_plan(struct scan *s, struct nf_error *err)
{
	const struct scan_options *o = s->options;
	struct chunk_range range = {o->range_start, o->range_end};
	uint64_t chunk = o->chunk_bytes;
	uint64_t total = bytes_to_scan(s->src, o);

	s->n_threads = o->threads ? o->threads : total <= SMALL_BYTES ? 1 : cpus_online();
	if (s->n_threads > SCAN_MAX_THREADS)
		s->n_threads = SCAN_MAX_THREADS;
	if (!chunk) {
		uint64_t most = s->engine_ops->read_ops ? KERNEL_CHUNK_BYTES : CHUNK_BYTES;

		chunk = total / ((uint64_t)s->n_threads * CHUNKS_PER_THREAD);
		chunk = chunk < CHUNK_SMALLEST ? CHUNK_SMALLEST : chunk > most ? most : chunk;
	}
	int r = chunk_plan_init(&s->plan, s->src, o->has_range ? &range : NULL, (size_t)chunk,
				align_of(s->src), err);
	if (r)
		return r;
	if (s->n_threads > s->plan.n_chunks)
		s->n_threads = s->plan.n_chunks ? (unsigned)s->plan.n_chunks : 1;
	s->depth = o->queue_depth ? o->queue_depth : DEPTH;
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

/* Can the reader that is asked for feed this engine? */
static int check_reader(const struct engine_ops *e, const struct scan_options *o,
			struct nf_error *why)
{
	if (!e->read_ops)
		return 0;
	if (o->reader != READER_AUTO && o->reader != READER_URING)
		return nf_error_set(why, NF_FAILED_PRECONDITION, NULL,
				    "it needs the io_uring reader, and another one is asked for");
	return ring_uring_check(why);
}

static bool is_auto(const struct scan_options *o)
{
	return !o->engine || !strcmp(o->engine, "auto");
}

static bool has_loop(const struct vm_program *vp)
{
	for (unsigned i = 0; i < PROGRAM_ENTRIES; i++)
		if (vp->code[i].has_loop)
			return true;
	return false;
}

/* interp is through a mebibyte in a millisecond or two; the others take longer to get ready. With a
 * loop in the program a record may take as long as thousands do without. */
static int check_worth(const struct engine_ops *e, const struct source *src,
		       const struct vm_program *vp, const struct scan_options *o,
		       struct nf_error *why)
{
	uint64_t bytes = bytes_to_scan(src, o);

	if (!is_auto(o) || e == &engine_interp ||
	    bytes > (has_loop(vp) ? TINY_LOOP_BYTES : TINY_BYTES))
		return 0;
	return nf_error_set(why, NF_FAILED_PRECONDITION, NULL,
			    "to get ready takes longer than all of interp's work on %" PRIu64
			    " bytes",
			    bytes);
}

static int check_engine(const struct engine_ops *e, const struct engine_config *cfg,
			const struct scan_options *o, struct nf_error *why)
{
	int r = check_reader(e, o, why);

	return r ? r : e->check(cfg, why);
}

static struct engine_config config_of(const struct source *src, struct vm_program *vp,
				      const struct scan_options *o)
{
	return (struct engine_config){
		.program = vp,
		.params = o->params,
		.format = src->spec.format,
		.record_bytes = src->spec.record_bytes,
		.budget = o->budget ? o->budget : VM_DEFAULT_BUDGET,
		.max_groups = o->max_groups ? o->max_groups : GROUPS_DEFAULT_MAX,
		.jit_module = o->jit_module,
		.jit_wait = !is_auto(o),
	};
}

static void add_reason(struct scan *s, const char *engine, const struct nf_error *why)
{
	size_t n = strlen(s->engine_reason);

	snprintf(s->engine_reason + n, sizeof(s->engine_reason) - n, "%s%s: %.200s", n ? "; " : "",
		 engine, why->text);
}

/* The plan depends on the engine (chunk size), the group limit on the plan. */
static int open_engine(struct scan *s, const struct engine_ops *e, struct nf_error *err)
{
	s->engine_ops = e;
	s->engine_config = config_of(s->src, s->vp, s->options);
	int r = check_worth(e, s->src, s->vp, s->options, err);
	if (!r)
		r = check_engine(e, &s->engine_config, s->options, err);
	if (!r)
		r = make_plan(s, err);
	if (!r)
		r = share_memory(s, err);
	s->engine_config.cpu_threads = (int)s->n_threads;
	if (!r)
		r = e->open(&s->engine_config, &s->engine, err);
	if (r)
		chunk_plan_done(&s->plan);
	return r;
}

static int choose_engine(struct scan *s, struct nf_error *err)
{
	struct nf_error why;
	int r;

	if (!is_auto(s->options)) {
		const struct engine_ops *e = engine_by_name(s->options->engine);

		if (!e)
			return nf_error_set(err, NF_FAILED_PRECONDITION, "engine",
					    "there is no engine \"%s\" here: use auto or interp",
					    s->options->engine);
		snprintf(s->engine_reason, sizeof(s->engine_reason), "asked for");
		return open_engine(s, e, err);
	}
	for (const struct engine_ops *const *e = engines;; e++) {
		r = open_engine(s, *e, &why);
		/* Only an engine's own refusal leads to the next one. */
		if (!r || !e[1])
			break;
		add_reason(s, (*e)->name, &why);
	}
	if (r && err)
		*err = why;
	if (!s->engine_reason[0])
		snprintf(s->engine_reason, sizeof(s->engine_reason),
			 "the best of those that are here");
	return r;
}

static int choose_reader(struct scan *s, struct nf_error *err)
{
	switch (s->options->reader) {
	case READER_AUTO:
		/* Never mmap: a copy costs little, a file that shrinks under a mapping a signal. */
		s->reader_ops = s->engine_ops->read_ops || (s->plan.total_bytes > TINY_BYTES &&
							    !ring_uring_check(NULL))
					? &reader_uring
					: &reader_pread;
		return 0;
	case READER_PREAD:
		s->reader_ops = &reader_pread;
		return 0;
	case READER_URING:
		s->reader_ops = &reader_uring;
		return ring_uring_check(err);
	case READER_MMAP:
		s->reader_ops = &reader_mmap;
		return mapping_new(s->src, &s->mapping, err);
	default:
		return nf_error_set(err, NF_INVALID_ARGUMENT, "reader", "there is no reader %d",
				    (int)s->options->reader);
	}
}

int scan_choose(struct scan *s, struct nf_error *err)
{
	int r = check_options(s, err);

	if (!r)
		r = check_bounds(s, err);
	if (!r)
		r = choose_engine(s, err);
	return r ? r : choose_reader(s, err);
}

unsigned scan_explain(const struct source *src, struct vm_program *vp,
		      const struct scan_options *options, struct scan_choice *ret, unsigned max)
{
	struct engine_config cfg = config_of(src, vp, options);
	unsigned n = 0;

	cfg.cpu_threads = 1;
	for (const struct engine_ops *const *e = engines; *e && n < max; e++, n++) {
		struct nf_error why = {0};

		ret[n] = (struct scan_choice){.engine = (*e)->name};
		if (check_engine(*e, &cfg, options, &why) ||
		    check_worth(*e, src, vp, options, &why))
			snprintf(ret[n].reason, sizeof(ret[n].reason), "%.255s", why.text);
	}
	return n;
}
