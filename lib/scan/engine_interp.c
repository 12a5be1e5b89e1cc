/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* engine_interp.c - the reference: one call of the interpreter per function and record. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "scan/engine.h"

struct interp {
	struct engine_config cfg;
	bool has_filter;
};

struct interp_thread {
	const struct interp *engine;
	struct vm_machine *machine;
	struct fold fold;
	const uint8_t *params;
};

/* A pointer that is not NULL for a program that takes no parameters. */
static const uint8_t no_params[1];

static int interp_check(const struct engine_config *cfg, struct nf_error *why)
{
	(void)cfg;
	(void)why;
	return 0;
}

static int interp_open(const struct engine_config *cfg, void **ret_engine, struct nf_error *err)
{
	struct interp *e = calloc(1, sizeof(*e));

	if (!e) {
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
		return -ENOMEM;
	}
	e->cfg = *cfg;
	e->has_filter = cfg->program->code[PROGRAM_FILTER].flat.n_insns > 0;
	*ret_engine = e;
	return 0;
}

static void interp_close(void *engine)
{
	free(engine);
}

static void interp_thread_close(void *thread)
{
	struct interp_thread *t = thread;

	if (!t)
		return;
	vm_machine_free(t->machine);
	groups_free(t->fold.groups);
	free(t->fold.state);
	free(t);
}

static int interp_thread_open(void *engine, void **ret_thread, struct nf_error *err)
{
	const struct interp *e = engine;
	const struct program *p = e->cfg.program->program;
	struct interp_thread *t = calloc(1, sizeof(*t));
	int r = -ENOMEM;

	if (!t)
		goto err;
	t->engine = e;
	t->params = p->params_bytes ? e->cfg.params : no_params;
	/* It has no other reason to fail, once the program is verified. */
	if (vm_machine_new(e->cfg.program, e->cfg.budget, &t->machine))
		goto err;
	if (p->key_bytes) {
		r = groups_new(p->key_bytes, p->state_bytes, p->init_state,
			       e->cfg.max_groups ? e->cfg.max_groups : GROUPS_DEFAULT_MAX,
			       &t->fold.groups);
		if (r)
			goto err;
	} else {
		size_t bytes = ((size_t)p->state_bytes + 63) & ~(size_t)63;

		r = -ENOMEM;
		t->fold.state = aligned_alloc(64, bytes ? bytes : 64);
		if (!t->fold.state)
			goto err;
		memset(t->fold.state, 0, bytes);
		if (p->init_state)
			memcpy(t->fold.state, p->init_state, p->state_bytes);
	}
	*ret_thread = t;
	return 0;
err:
	interp_thread_close(t);
	nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory for a scan thread");
	return r;
}

/* 0 more, 1 stop, negative: an error. */
static int fold_record(struct interp_thread *t, const struct span *span, const uint8_t *record,
		       uint32_t bytes, struct nf_error *err)
{
	const struct interp *e = t->engine;
	struct vm_memory mem = {.record = record,
				.record_bytes = bytes,
				.params = t->params,
				.state = t->fold.state};
	uint8_t key[PROGRAM_MAX_KEY_BYTES] __attribute__((aligned(16)));
	struct vm_trap trap;
	char where[320];
	uint64_t r0;

	t->fold.records++;
	vm_machine_refill(t->machine);
	if (e->has_filter) {
		if (!vm_interp(t->machine, PROGRAM_FILTER, &mem, &r0, &trap))
			goto trapped;
		if ((uint32_t)r0 == 0)
			return 0;
	}
	t->fold.matched++;
	if (t->fold.groups) {
		memset(key, 0, e->cfg.program->program->key_bytes);
		mem.key = key;
		if (!vm_interp(t->machine, PROGRAM_KEY, &mem, &r0, &trap))
			goto trapped;
		mem.key = NULL;
		mem.state = groups_find(t->fold.groups, key, NULL);
		if (!mem.state)
			return engine_no_group(&e->cfg,
					       span_where(span, record, where, sizeof(where)), err);
	}
	if (!vm_interp(t->machine, PROGRAM_REDUCE, &mem, &r0, &trap))
		goto trapped;
	if ((uint32_t)r0) {
		t->fold.stopped = true;
		return 1;
	}
	return 0;
trapped:
	return vm_trap_error(e->cfg.program, &trap, span_where(span, record, where, sizeof(where)),
			     err);
}

static int fold_fixed(struct interp_thread *t, const struct span *span, struct nf_error *err)
{
	uint32_t n = t->engine->cfg.record_bytes;
	int r = 0;

	for (size_t at = 0; !r && at < span->bytes; at += n)
		r = fold_record(t, span, span->data + at, n, err);
	return r;
}

static int fold_lines(struct interp_thread *t, const struct span *span, struct nf_error *err)
{
	const uint8_t *p = span->data, *end = p + span->bytes;
	int r = 0;

	while (!r && p < end) {
		const uint8_t *newline = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((newline ? newline : end) - p);

		if (n > PROGRAM_MAX_RECORD_BYTES)
			return span_line_too_long(span, p, err);
		r = fold_record(t, span, p, (uint32_t)n, err);
		p = newline ? newline + 1 : end;
	}
	return r;
}

static int interp_fold(void *thread, const struct span *span, struct nf_error *err)
{
	struct interp_thread *t = thread;

	return t->engine->cfg.format == FORMAT_LINES ? fold_lines(t, span, err)
						     : fold_fixed(t, span, err);
}

static struct fold *interp_thread_fold(void *thread)
{
	return &((struct interp_thread *)thread)->fold;
}

const struct engine_ops engine_interp = {
	.name = "interp",
	.check = interp_check,
	.open = interp_open,
	.close = interp_close,
	.thread_open = interp_thread_open,
	.thread_close = interp_thread_close,
	.fold = interp_fold,
	.thread_fold = interp_thread_fold,
};
