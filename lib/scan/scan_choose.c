/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * scan_choose.c - which engine and which reader, as far as the caller left it open.
 */
#include <stdio.h>
#include <string.h>

#include "scan/residency.h"
#include "scan/ring.h"
#include "scan/scan_constants.h"
#include "scan/scan_internal.h"

enum {
	TINY_BYTES = 1 << 20, /* and a ring is not worth its set-up */
	HOT_BYTES = 64 << 20, /* nor here, if all of it is in the page cache */
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

/* Can the reader that is asked for feed this engine? */
static int check_reader(const struct engine_ops *e, const struct scan_options *o,
			struct nf_error *why)
{
	if (!e->read_ops)
		return 0;
	if (o->reader != READER_AUTO && o->reader != READER_URING && o->reader != READER_NVME)
		return nf_error_set(why, NF_FAILED_PRECONDITION, NULL,
				    "the engine %s reads by io_uring, and another reader is asked "
				    "for: ask for auto or uring",
				    e->name);
	return ring_uring_check(why);
}

static bool is_auto(const struct scan_options *o)
{
	return !o->engine || !strcmp(o->engine, "auto");
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
		.jit_image = o->jit_image,
		.jit_image_bytes = o->jit_image_bytes,
	};
}

/* The plan depends on the engine (chunk size), the group limit on the plan. */
static int open_engine(struct scan *s, const struct engine_ops *e, struct nf_error *err)
{
	s->engine_ops = e;
	s->engine_config = config_of(s->src, s->vp, s->options);
	int r = check_engine(e, &s->engine_config, s->options, err);
	if (!r)
		r = scan_plan(s, err);
	s->engine_config.cpu_threads = (int)s->n_threads;
	if (!r)
		r = e->open(&s->engine_config, &s->engine, err);
	if (r)
		chunk_plan_done(&s->plan);
	return r;
}

/* Every engine with its estimate, no reasons yet. */
static unsigned list_choices(const struct source *src, const struct vm_program *vp,
			     const struct scan_options *o, struct scan_choice *ret, unsigned max)
{
	struct scan_work work = {
		.program = vp,
		.bytes = scan_bytes(src, o),
		.record_bytes = src->spec.format == FORMAT_FIXED ? src->spec.record_bytes : 0,
		.threads = scan_threads(src, o),
	};
	unsigned n = 0;

	for (; engines[n] && n < max; n++) {
		work.compiled = engines[n] == &engine_jit && o->jit_image;
		ret[n] = (struct scan_choice){
			.engine = engines[n]->name,
			.estimate_ns = scan_estimate_ns(scan_constants(), engines[n]->name, &work),
		};
	}
	return n;
}

static bool is_better(const struct scan_choice *a, const struct scan_choice *b)
{
	/* What nothing is known of comes behind what is known. */
	if (!(a->estimate_ns > 0) || !(b->estimate_ns > 0))
		return a->estimate_ns > b->estimate_ns;
	return a->estimate_ns < b->estimate_ns;
}

/* The index of the best one that can and was not refused yet; n: none. */
static unsigned best_choice(const struct scan_choice *c, unsigned n)
{
	unsigned best = n;

	for (unsigned i = 0; i < n; i++)
		if (!*c[i].reason && (best == n || is_better(&c[i], &c[best])))
			best = i;
	return best;
}

void scan_choice_reason(const struct scan_choice *c, unsigned n, char *ret, size_t size)
{
	const char *between = "estimate: ";
	size_t at = 0;

	ret[0] = '\0';
	for (unsigned i = 0; i < n && at < size; i++) {
		if (*c[i].reason || !(c[i].estimate_ns > 0))
			continue;
		at += (size_t)snprintf(ret + at, size - at, "%s%s %.*f ms", between, c[i].engine,
				       c[i].estimate_ns < 10e6 ? 2 : 0, c[i].estimate_ns / 1e6);
		between = ", ";
	}
	for (unsigned i = 0; i < n && at < size; i++)
		if (*c[i].reason)
			at += (size_t)snprintf(ret + at, size - at, "%s%s: %.200s", at ? "; " : "",
					       c[i].engine, c[i].reason);
}

static int choose_automatically(struct scan *s, struct nf_error *err)
{
	struct scan_choice choices[SCAN_MAX_CHOICES];
	unsigned n = list_choices(s->src, s->vp, s->options, choices, SCAN_MAX_CHOICES), i;
	struct nf_error why = {0};
	int r = -nf_code_errno(NF_FAILED_PRECONDITION);

	while ((i = best_choice(choices, n)) < n) {
		r = open_engine(s, engine_by_name(choices[i].engine), &why);
		/* Only an engine's own refusal leads to the next one; interp has none, so what it
		 * says is about the scan. */
		if (!r || s->engine_ops == &engine_interp)
			break;
		snprintf(choices[i].reason, sizeof(choices[i].reason), "%.255s", why.text);
	}
	if (r && err)
		*err = why;
	scan_choice_reason(choices, n, s->engine_reason, sizeof(s->engine_reason));
	return r;
}

static int choose_engine(struct scan *s, struct nf_error *err)
{
	if (!is_auto(s->options)) {
		const struct engine_ops *e = engine_by_name(s->options->engine);

		if (!e)
			return nf_error_set(err, NF_FAILED_PRECONDITION, "engine",
					    "there is no engine \"%s\" here: use auto or interp",
					    s->options->engine);
		snprintf(s->engine_reason, sizeof(s->engine_reason), "asked for");
		return open_engine(s, e, err);
	}
	return choose_automatically(s, err);
}

/* Small enough to ask, and all in the page cache: then a ring and its buffers, which take
 * milliseconds to set up, would never be used. */
static bool needs_no_ring(const struct scan *s)
{
	if (s->plan.total_bytes > HOT_BYTES || (s->hooks && s->hooks->direct != DIRECT_AUTO))
		return false;
	for (uint32_t i = 0; i < s->src->n_files; i++)
		if (!file_is_resident(s->src->files[i].fd, 0, s->src->files[i].size_bytes))
			return false;
	return true;
}

static int check_namespaces(const struct source *src, bool wanted, const char *reader,
			    struct nf_error *err)
{
	for (uint32_t i = 0; i < src->n_files; i++)
		if ((src->files[i].nvme.block_bytes != 0) != wanted)
			return nf_error_set(
				err, NF_FAILED_PRECONDITION, src->files[i].name,
				"the reader %s reads %s: choose another, or auto", reader,
				wanted ? "NVMe namespaces" : "files, not NVMe namespaces");
	return 0;
}

static int choose_reader(struct scan *s, struct nf_error *err)
{
	int r;

	switch (s->options->reader) {
	case READER_AUTO:
		if (scan_command_bytes(s->src) && !ring_uring_check(NULL)) {
			s->reader_ops = &reader_nvme;
			return 0;
		}
		/* Never mmap: copying a chunk at a time into the CPU's cache takes half the time of
		 * mapping its pages (docs/jit-engine.md). */
		s->reader_ops =
			s->engine_ops->read_ops || (s->plan.total_bytes > TINY_BYTES &&
						    !needs_no_ring(s) && !ring_uring_check(NULL))
				? &reader_uring
				: &reader_pread;
		return 0;
	case READER_PREAD:
		s->reader_ops = &reader_pread;
		return 0;
	case READER_URING:
		s->reader_ops = &reader_uring;
		return s->hooks && s->hooks->ring ? 0 : ring_uring_check(err);
	case READER_MMAP:
		s->reader_ops = &reader_mmap;
		r = check_namespaces(s->src, false, "mmap", err);
		return r ? r : mapping_new(s->src, &s->mapping, err);
	case READER_NVME:
		s->reader_ops = &reader_nvme;
		r = check_namespaces(s->src, true, "nvme", err);
		return r ? r : ring_uring_check(err);
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

static void check_choice(const struct engine_config *cfg, const struct scan_options *o,
			 struct scan_choice *c)
{
	struct nf_error why = {0};

	if (check_engine(engine_by_name(c->engine), cfg, o, &why))
		snprintf(c->reason, sizeof(c->reason), "%.255s", why.text);
}

unsigned scan_explain(const struct source *src, struct vm_program *vp,
		      const struct scan_options *options, struct scan_choice *ret, unsigned max)
{
	struct engine_config cfg = config_of(src, vp, options);
	unsigned n = list_choices(src, vp, options, ret, max), best;

	cfg.cpu_threads = 1;
	for (unsigned i = 0; i < n; i++)
		check_choice(&cfg, options, &ret[i]);
	best = best_choice(ret, n);
	for (unsigned i = 0; i < n; i++)
		ret[i].chosen =
			is_auto(options) ? i == best : !strcmp(options->engine, ret[i].engine);
	return n;
}

unsigned scan_predict(const struct source *src, struct vm_program *vp,
		      const struct scan_options *options, struct scan_choice *ret, unsigned max)
{
	struct engine_config cfg = config_of(src, vp, options);
	unsigned n = list_choices(src, vp, options, ret, max), i;

	cfg.cpu_threads = 1;
	while ((i = best_choice(ret, n)) < n) {
		check_choice(&cfg, options, &ret[i]);
		if (*ret[i].reason)
			continue;
		ret[i].chosen = true;
		break;
	}
	return n;
}
