/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine_jit.c - compiled code, with the interpreter until it is there.
 *
 * Each thread is an interpreter's thread whose state or groups the compiled code folds into, too:
 * the first spans are interpreted while a thread of its own compiles, and nothing has to be
 * combined when the code takes over. Compiling begins in start(), behind the sandbox. Whoever asks
 * for this engine by name waits for the code instead (engine_config.jit_wait).
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/scope.h"
#include "scan/engine.h"
#include "scan/lines.h"
#include "vm/jit.h"

enum { LINES_AT_ONCE = 2048 };

enum code_state { CODE_WAITING, CODE_READY, CODE_FAILED };

struct jit {
	struct engine_config cfg;
	void *interp;
	const struct jit_module *module;
	pthread_t compiler;
	bool has_compiler;
	pthread_mutex_t lock;
	pthread_cond_t go;
	enum { ORDER_NONE, ORDER_COMPILE, ORDER_QUIT } order;
	_Atomic enum code_state state; /* code, compiled, problem: valid when not WAITING */
	struct jit_image *compiled;    /* made here; NULL when it came from a cache */
	struct jit_code code;
	struct nf_error problem;
	uint64_t compile_ns;
};

struct jit_thread {
	struct jit *engine;
	void *interp;
	struct fold *fold; /* the interpreter thread's */
	struct jit_ctx ctx;
	uint32_t *starts; /* lines */
	const uint8_t *params;
};

static const uint8_t nothing[1];

static int jit_check(const struct engine_config *cfg, struct nf_error *why)
{
	const struct jit_module *module;
	uint8_t cpu[32];
	int r = jit_module_load(cfg->jit_module, &module, why);

	if (r)
		return nf_error_set(why, NF_FAILED_PRECONDITION, NULL, "%s", why->text);
	return module->cpu(cpu, why);
}

/* ---- compiling ------------------------------------------------------------------------------- */

static void compile(struct jit *e)
{
	struct jit_options options = {.fixed = e->cfg.format == FORMAT_FIXED,
				      .budget = e->cfg.budget};
	uint64_t start = clock_now_ns();
	const struct jit_image *image = e->cfg.jit_image;
	size_t size = e->cfg.jit_image_bytes;
	int r = 0;

	if (!image) {
		r = e->module->compile(e->cfg.program, &options, &e->compiled, &e->problem);
		if (!r) {
			image = e->compiled;
			size = sizeof(*image) + image->bytes;
		}
	}
	if (!r)
		r = jit_image_map(image, size, &e->code, &e->problem);
	e->compile_ns = clock_now_ns() - start;
	atomic_store_explicit(&e->state, r ? CODE_FAILED : CODE_READY, memory_order_release);
}

static void *compiler_main(void *arg)
{
	struct jit *e = arg;

	pthread_mutex_lock(&e->lock);
	while (e->order == ORDER_NONE)
		pthread_cond_wait(&e->go, &e->lock);
	bool quit = e->order == ORDER_QUIT;
	pthread_mutex_unlock(&e->lock);
	if (!quit)
		compile(e);
	return NULL;
}

static void give_order(struct jit *e, int order)
{
	pthread_mutex_lock(&e->lock);
	if (e->order == ORDER_NONE)
		e->order = order;
	pthread_cond_signal(&e->go);
	pthread_mutex_unlock(&e->lock);
}

static void jit_close(void *engine)
{
	struct jit *e = engine;

	if (!e)
		return;
	if (e->has_compiler) {
		give_order(e, ORDER_QUIT);
		pthread_join(e->compiler, NULL);
	}
	jit_code_unmap(&e->code);
	free(e->compiled);
	engine_interp.close(e->interp);
	pthread_cond_destroy(&e->go);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

static int jit_open(const struct engine_config *cfg, void **ret_engine, struct nf_error *err)
{
	struct jit *e = calloc(1, sizeof(*e));
	uint8_t cpu[32];
	int r;

	if (!e)
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
	e->cfg = *cfg;
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->go, NULL);
	r = engine_interp.open(cfg, &e->interp, err);
	if (!r)
		r = jit_module_load(cfg->jit_module, &e->module, err);
	/* Code for another CPU, or not whole, is no code. */
	if (!r)
		r = e->module->cpu(cpu, err);
	if (!r && cfg->jit_image &&
	    (!jit_image_check(cfg->jit_image, cfg->jit_image_bytes) ||
	     memcmp(cfg->jit_image->cpu, cpu, sizeof(cpu))))
		e->cfg.jit_image = NULL;
	/* The thread is made now: the sandbox allows no new ones. */
	if (!r && !cfg->jit_wait && !e->cfg.jit_image) {
		r = pthread_create(&e->compiler, NULL, compiler_main, e);
		if (r)
			r = nf_error_sys(err, NF_RESOURCE_EXHAUSTED, r, "jit",
					 "a thread to compile in");
		else
			e->has_compiler = true;
	}
	if (r) {
		jit_close(e);
		return r;
	}
	*ret_engine = e;
	return 0;
}

static int jit_start(void *engine, struct nf_error *err)
{
	struct jit *e = engine;

	if (e->has_compiler) {
		give_order(e, ORDER_COMPILE);
		return 0;
	}
	compile(e);
	if (atomic_load(&e->state) == CODE_READY)
		return 0;
	*err = e->problem;
	return -nf_code_errno(err->code);
}

/* ---- folding --------------------------------------------------------------------------------- */

static uint8_t *find_group(struct jit_ctx *ctx, const uint8_t *key)
{
	struct jit_thread *t = ctx->owner;

	/* States never move (groups.h), so the code's cache stays right. */
	return groups_find(t->fold->groups, key, NULL);
}

static void jit_thread_close(void *thread)
{
	struct jit_thread *t = thread;

	if (!t)
		return;
	if (t->interp)
		engine_interp.thread_close(t->interp);
	free(t->ctx.cache);
	free(t->ctx.dense);
	free(t->starts);
	free(t);
}

static int jit_thread_open(void *engine, void **ret_thread, struct nf_error *err)
{
	struct jit *e = engine;
	const struct program *p = e->cfg.program->program;
	struct jit_thread *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
	t->engine = e;
	r = engine_interp.thread_open(e->interp, &t->interp, err);
	if (r)
		goto err;
	t->fold = engine_interp.thread_fold(t->interp);
	t->params = p->params_bytes ? e->cfg.params : nothing;
	t->ctx = (struct jit_ctx){
		.helpers = jit_helper_table(),
		.budget = e->cfg.budget ? e->cfg.budget : VM_DEFAULT_BUDGET,
		.find_group = find_group,
		.owner = t,
	};
	if (p->key_bytes > 2)
		t->ctx.cache = calloc(JIT_GROUP_CACHE, sizeof(*t->ctx.cache));
	else if (p->key_bytes)
		t->ctx.dense = calloc(1u << 16, sizeof(*t->ctx.dense));
	if (e->cfg.format == FORMAT_LINES)
		t->starts = malloc((LINES_AT_ONCE + 1) * sizeof(*t->starts));
	if ((p->key_bytes && !t->ctx.cache && !t->ctx.dense) ||
	    (e->cfg.format == FORMAT_LINES && !t->starts)) {
		r = nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL,
				 "out of memory for a scan thread");
		goto err;
	}
	*ret_thread = t;
	return 0;
err:
	jit_thread_close(t);
	return r;
}

/* Run the code over n records and turn what it returned into what fold() returns. */
static int run(struct jit_thread *t, const struct span *span, const uint8_t *data, uint64_t n,
	       uint32_t longest, const uint32_t *starts, struct nf_error *err)
{
	const struct jit *e = t->engine;
	const struct program *p = e->cfg.program->program;
	struct jit_ctx *ctx = &t->ctx;
	const uint8_t *record;
	char where[320];

	ctx->records = ctx->matched = 0;
	int r = jit_fold(&e->code, ctx, data, n, longest, starts, t->fold->state, t->params,
			 p->rodata_bytes ? p->rodata : nothing);

	t->fold->records += ctx->records;
	t->fold->matched += ctx->matched;
	if (r == JIT_DONE)
		return 0;
	if (r == JIT_STOP) {
		t->fold->stopped = true;
		return 1;
	}
	ctx->trap.budget = ctx->budget;
	record = data + (starts ? starts[ctx->at] : ctx->at * e->cfg.record_bytes);
	span_where(span, record, where, sizeof(where));
	if (r == JIT_GROUP)
		return engine_no_group(&e->cfg, where, err);
	return vm_trap_error(e->cfg.program, &ctx->trap, where, err);
}

static int fold_lines(struct jit_thread *t, const struct span *span, struct nf_error *err)
{
	size_t at = 0;

	while (at < span->bytes) {
		const uint8_t *data = span->data + at;
		size_t rest = span->bytes - at, n;
		uint32_t longest = 0;

		/* starts has 32 bits, and fewer than LINES_AT_ONCE lines in as many bytes means
		 * that one of them is too long. */
		if (rest > UINT32_MAX - 1)
			rest = UINT32_MAX - 1;
		n = lines_split(data, rest, t->starts, LINES_AT_ONCE);

		for (size_t i = 0; i < n; i++) {
			uint32_t bytes = t->starts[i + 1] - t->starts[i] - 1;

			if (bytes <= PROGRAM_MAX_RECORD_BYTES) {
				longest = bytes > longest ? bytes : longest;
				continue;
			}
			/* The lines before it count, as they do for the interpreter. */
			int r = run(t, span, data, i, longest, t->starts, err);
			return r ? r : span_line_too_long(span, data + t->starts[i], err);
		}
		int r = run(t, span, data, n, longest, t->starts, err);
		if (r)
			return r;
		at += t->starts[n];
	}
	return 0;
}

static int jit_engine_fold(void *thread, const struct span *span, struct nf_error *err)
{
	struct jit_thread *t = thread;
	struct jit *e = t->engine;

	/* Not yet, or never: a program that LLVM cannot compile is interpreted to the end. */
	if (atomic_load_explicit(&e->state, memory_order_acquire) != CODE_READY)
		return engine_interp.fold(t->interp, span, err);
	if (e->cfg.format == FORMAT_LINES)
		return fold_lines(t, span, err);
	return run(t, span, span->data, span->bytes / e->cfg.record_bytes, e->cfg.record_bytes,
		   NULL, err);
}

static struct fold *jit_thread_fold(void *thread)
{
	return ((struct jit_thread *)thread)->fold;
}

const struct jit_image *engine_jit_image(void *engine)
{
	struct jit *e = engine;

	if (e->has_compiler) {
		give_order(e, ORDER_QUIT);
		pthread_join(e->compiler, NULL);
		e->has_compiler = false;
	}
	return atomic_load_explicit(&e->state, memory_order_acquire) == CODE_READY ? e->compiled
										   : NULL;
}

const struct engine_ops engine_jit = {
	.name = "jit",
	.check = jit_check,
	.open = jit_open,
	.start = jit_start,
	.close = jit_close,
	.thread_open = jit_thread_open,
	.thread_close = jit_thread_close,
	.fold = jit_engine_fold,
	.thread_fold = jit_thread_fold,
};
