/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/fold_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct fold_stream {
	struct vm_program *vp;
	const struct engine_ops *ops;
	void *engine, *thread;
	enum record_format format;
	bool tail_ignore, stopped;
	const char *name;
	uint64_t offset_bytes; /* of the next byte that arrives */
	/* A record or line of which the end has not arrived. */
	uint8_t *carry;
	size_t carry_bytes, carry_size;
};

static int no_memory(struct nf_error *err)
{
	return nf_error_set(err, NF_RESOURCE_EXHAUSTED, "this process", "out of memory");
}

static int open_engine(struct fold_stream *s, const struct engine_config *cfg, const char *name,
		       struct nf_error *err)
{
	bool choose = !name || strcmp(name, "auto") == 0;
	int r = -EINVAL;

	if (!choose) {
		s->ops = engine_by_name(name);
		if (!s->ops)
			return nf_error_set(err, NF_INVALID_ARGUMENT, "engine",
					    "'%s' is none of auto, kernel, jit, interp", name);
		r = s->ops->check(cfg, err);
	}
	for (unsigned i = 0; choose && r < 0 && engines[i]; i++) {
		/* The kernel's needs its bytes in an arena: what arrives would be copied there. */
		if (engines[i]->read_ops)
			continue;
		s->ops = engines[i];
		r = s->ops->check(cfg, err);
	}
	if (r == 0)
		r = s->ops->open(cfg, &s->engine, err);
	if (r == 0)
		r = s->ops->thread_open(s->engine, &s->thread, err);
	if (r == 0 && s->ops->start)
		r = s->ops->start(s->engine, err);
	return r;
}

int fold_stream_open(struct vm_program *vp, enum record_format format,
		     const struct fold_stream_options *options, struct fold_stream **ret,
		     struct nf_error *err)
{
	struct fold_stream *s = calloc(1, sizeof(*s));
	struct engine_config cfg = {
		.program = vp,
		.params = options->params,
		.format = format,
		.record_bytes = format == FORMAT_FIXED ? vp->bounds.record_max_bytes : 0,
		.max_groups = options->max_groups,
		.jit_wait = true,
		.jit_image = options->jit_image,
		.jit_image_bytes = options->jit_image_bytes,
		.cpu_threads = 1,
	};
	int r;

	if (!s)
		return no_memory(err);
	s->vp = vm_program_ref(vp);
	s->format = format;
	s->tail_ignore = options->tail_ignore;
	s->name = options->name ? options->name : "data";
	r = open_engine(s, &cfg, options->engine, err);
	if (r < 0) {
		fold_stream_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void fold_stream_free(struct fold_stream *s)
{
	if (!s)
		return;
	if (s->thread)
		s->ops->thread_close(s->thread);
	if (s->engine)
		s->ops->close(s->engine);
	vm_program_unref(s->vp);
	free(s->carry);
	free(s);
}

static int fold(struct fold_stream *s, const uint8_t *data, size_t n, uint64_t offset_bytes,
		struct nf_error *err)
{
	struct span span = {data, n, s->name, offset_bytes};
	int r = n ? s->ops->fold(s->thread, &span, err) : 0;

	s->stopped = r > 0;
	return r;
}

static int keep(struct fold_stream *s, const uint8_t *data, size_t n, struct nf_error *err)
{
	size_t need = s->carry_bytes + n;

	/* One more than a record, for a line's newline. */
	if (need > PROGRAM_MAX_RECORD_BYTES + 1) {
		struct span span = {s->carry, s->carry_bytes, s->name,
				    s->offset_bytes - s->carry_bytes};

		return span_line_too_long(&span, s->carry, err);
	}
	if (need > s->carry_size) {
		size_t size = need < 4096 ? 4096 : 2 * need;
		uint8_t *grown = realloc(s->carry, size);

		if (!grown)
			return no_memory(err);
		s->carry = grown;
		s->carry_size = size;
	}
	if (n)
		memcpy(s->carry + s->carry_bytes, data, n);
	s->carry_bytes = need;
	s->offset_bytes += n;
	return 0;
}

static int fold_carry(struct fold_stream *s, struct nf_error *err)
{
	size_t n = s->carry_bytes;

	s->carry_bytes = 0;
	return fold(s, s->carry, n, s->offset_bytes - n, err);
}

/* How many of the bytes belong to what is carried: SIZE_MAX when its end is not among them. */
static size_t rest_of_carry(const struct fold_stream *s, const uint8_t *data, size_t n)
{
	const uint8_t *newline;
	size_t rest;

	if (s->format == FORMAT_LINES) {
		newline = memchr(data, '\n', n);
		return newline ? (size_t)(newline - data) + 1 : SIZE_MAX;
	}
	rest = s->vp->bounds.record_max_bytes - s->carry_bytes;
	return rest <= n ? rest : SIZE_MAX;
}

static size_t whole_records(const struct fold_stream *s, const uint8_t *data, size_t n)
{
	const uint8_t *newline;

	if (s->format == FORMAT_FIXED)
		return n - n % s->vp->bounds.record_max_bytes;
	newline = n ? memrchr(data, '\n', n) : NULL;
	return newline ? (size_t)(newline - data) + 1 : 0;
}

int fold_stream_add(struct fold_stream *s, const void *data, size_t n, struct nf_error *err)
{
	const uint8_t *p = data;
	int r = 0;

	if (s->stopped)
		return 1;
	if (s->carry_bytes && n) {
		size_t rest = rest_of_carry(s, p, n);

		r = keep(s, p, rest == SIZE_MAX ? n : rest, err);
		if (r < 0 || rest == SIZE_MAX)
			return r;
		p += rest;
		n -= rest;
		r = fold_carry(s, err);
		if (r)
			return r;
	}

	size_t whole = whole_records(s, p, n);

	r = fold(s, p, whole, s->offset_bytes, err);
	s->offset_bytes += whole;
	return r ? r : keep(s, p + whole, n - whole, err);
}

int fold_stream_end(struct fold_stream *s, struct nf_error *err)
{
	int r = 0;

	if (s->carry_bytes && !s->stopped) {
		if (s->format == FORMAT_LINES)
			r = fold_carry(s, err);
		else if (!s->tail_ignore)
			r = nf_error_set(err, NF_DATA_LOSS, s->name,
					 "the last record has %zu of %u bytes", s->carry_bytes,
					 s->vp->bounds.record_max_bytes);
	}
	if (r >= 0 && s->ops->thread_end)
		r = s->ops->thread_end(s->thread, err);
	return r < 0 ? r : 0;
}

struct fold *fold_stream_result(struct fold_stream *s)
{
	return s->ops->thread_fold(s->thread);
}

const struct jit_image *fold_stream_jit_image(struct fold_stream *s)
{
	return s->ops == &engine_jit ? engine_jit_image(s->engine) : NULL;
}
