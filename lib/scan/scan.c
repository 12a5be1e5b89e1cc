/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/scan.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/scope.h"
#include "scan/scan_internal.h"

/* Set up, and park until all are. Says whether to scan. */
static bool thread_wait(struct scan_thread *t)
{
	struct scan *s = t->scan;

	pthread_mutex_lock(&s->lock);
	s->n_ready++;
	pthread_cond_broadcast(&s->changed);
	while (s->phase == PHASE_SETUP)
		pthread_cond_wait(&s->changed, &s->lock);
	bool go = s->phase == PHASE_RUN;
	pthread_mutex_unlock(&s->lock);
	return go;
}

static void *thread_main(void *arg)
{
	struct scan_thread *t = arg;
	struct scan *s = t->scan;
	struct nf_error err;
	int r = scan_thread_setup(t, &err);

	if (r)
		scan_fail(s, r, &err);
	if (thread_wait(t))
		scan_thread_run(t);
	scan_thread_finish(t);
	pthread_mutex_lock(&s->lock);
	s->n_finished++;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Signals are for the program's own threads, but for those that a thread brings upon itself. */
static void block_signals(sigset_t *ret_before)
{
	static const int own[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGSYS, SIGTRAP};
	sigset_t all;

	sigfillset(&all);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		sigdelset(&all, own[i]);
	pthread_sigmask(SIG_SETMASK, &all, ret_before);
}

/* Returns how many threads there are besides the calling one. */
static unsigned start_threads(struct scan *s)
{
	unsigned n = 1;
	sigset_t before;

	block_signals(&before);
	for (; n < s->n_threads; n++) {
		int e = pthread_create(&s->threads[n].pthread, NULL, thread_main, &s->threads[n]);

		if (e) {
			struct nf_error err;
			int r = nf_error_sys(&err, NF_RESOURCE_EXHAUSTED, e, NULL,
					     "cannot start scan thread %u of %u", n + 1,
					     s->n_threads);
			scan_fail(s, r, &err);
			break;
		}
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return n - 1;
}

/* All are set up: into the sandbox, then compile, then go. */
static bool release_threads(struct scan *s, unsigned others)
{
	const struct scan_options *o = s->options;
	struct nf_error err = {0};
	int r = 0;

	pthread_mutex_lock(&s->lock);
	while (s->n_ready < others)
		pthread_cond_wait(&s->changed, &s->lock);
	bool failed = s->failed;
	pthread_mutex_unlock(&s->lock);

	if (!failed && o->sandbox) {
		r = o->sandbox(o->sandbox_arg, &err);
		if (r > 0) /* ends the scan as well */
			r = -nf_code_errno(NF_INTERNAL);
	}
	if (!failed && !r && s->engine_ops->start)
		r = s->engine_ops->start(s->engine, &err);
	if (r)
		scan_fail(s, r, &err);
	failed = failed || r;

	pthread_mutex_lock(&s->lock);
	s->go_ns = clock_now_ns();
	s->next_progress_ns = s->go_ns + SCAN_PROGRESS_NS;
	s->phase = failed ? PHASE_ABANDONED : PHASE_RUN;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return !failed;
}

static void wait_for_threads(struct scan *s, unsigned others)
{
	pthread_mutex_lock(&s->lock);
	while (s->n_finished < others) {
		uint64_t at = clock_now_ns() + SCAN_PROGRESS_NS / 4;
		struct timespec until = {(time_t)(at / NS_PER_SEC), (long)(at % NS_PER_SEC)};

		pthread_cond_timedwait(&s->changed, &s->lock, &until);
		pthread_mutex_unlock(&s->lock);
		scan_report(s, clock_now_ns(), false);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	for (unsigned i = 1; i <= others; i++)
		pthread_join(s->threads[i].pthread, NULL);
}

/* Everything from the threads' start to their end. */
static int run_threads(struct scan *s, struct nf_error *err)
{
	struct scan_thread *self = &s->threads[0];
	struct nf_error e;
	unsigned others = start_threads(s);
	int r = scan_thread_setup(self, &e);

	if (r)
		scan_fail(s, r, &e);
	if (release_threads(s, others))
		scan_thread_run(self);
	scan_thread_finish(self);
	wait_for_threads(s, others);
	s->end_ns = clock_now_ns();
	if (s->failed && err)
		*err = s->error;
	return s->failed ? s->error_ret : 0;
}

/* Data that changed can look like anything: a trap, a line too long. Say what really happened. */
static int check_unchanged(const struct scan *s, int ret, struct nf_error *err)
{
	struct nf_error changed;

	if (ret && s->error.code != NF_DATA_LOSS && s->error.code != NF_OUT_OF_RANGE)
		return ret;
	int r = source_check(s->src, &changed);
	if (!r && s->mapping)
		r = mapping_check(s->mapping, &changed);
	if (!r)
		return ret;
	if (err)
		*err = changed;
	return r;
}

/* Code that the caller brought, and that was good for this program and this CPU. */
static bool ran_cached_code(const struct scan *s)
{
	return s->engine_ops == &engine_jit && s->options->jit_image &&
	       !engine_jit_image(s->engine);
}

static int make_result(struct scan *s, struct scan_result **ret, struct nf_error *err)
{
	struct scan_result *result = calloc(1, sizeof(*result));

	if (!result) {
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
		return -ENOMEM;
	}
	result->stats = (struct scan_stats){
		.engine = s->engine_ops->name,
		.reader = s->threads[0].reader_text,
		.threads = s->n_threads,
		.queue_depth = s->depth,
		.chunk_bytes = s->plan.chunk_bytes,
		.prepare_ns = s->go_ns - s->begin_ns,
		.scan_ns = s->end_ns - s->go_ns,
	};
	for (unsigned i = 0; i < s->n_threads; i++) {
		result->stats.read_commands += s->threads[i].reads.commands;
		result->stats.read_retries += s->threads[i].reads.retries;
	}
	memcpy(result->stats.device, s->device, sizeof(s->device));
	memcpy(result->stats.engine_reason, s->engine_reason, sizeof(s->engine_reason));
	if (ran_cached_code(s)) {
		size_t n = strlen(s->engine_reason);

		snprintf(result->stats.engine_reason + n, sizeof(s->engine_reason) - n,
			 "; its code was in the cache");
	}
	int r = scan_collect(s, result, err);
	result->stats.combine_ns = clock_now_ns() - s->end_ns;
	if (r) {
		scan_result_free(result);
		return r;
	}
	*ret = result;
	return 0;
}

static void offer_code(const struct scan *s)
{
	const struct jit_image *image;

	if (!s->options->compiled || s->engine_ops != &engine_jit)
		return;
	image = engine_jit_image(s->engine);
	if (image)
		s->options->compiled(s->options->compiled_arg, image,
				     sizeof(*image) + image->bytes);
}

static void scan_done(struct scan *s)
{
	for (unsigned i = 0; s->threads && i < s->n_threads; i++)
		if (s->threads[i].engine_thread)
			s->engine_ops->thread_close(s->threads[i].engine_thread);
	if (s->engine)
		s->engine_ops->close(s->engine);
	mapping_free(s->mapping);
	free(s->threads);
	chunk_plan_done(&s->plan);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
}

static void scan_init(struct scan *s)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
}

int scan_run_hooked(const struct source *src, struct vm_program *vp,
		    const struct scan_options *options, const struct scan_hooks *hooks,
		    struct scan_result **ret, struct nf_error *err)
{
	struct scan s = {
		.src = src,
		.vp = vp,
		.options = options,
		.hooks = hooks,
		.begin_ns = clock_now_ns(),
	};

	scan_init(&s);
	source_device_text(src, s.device, sizeof(s.device)); /* before the sandbox */
	int r = scan_choose(&s, err);
	if (r)
		goto out;
	s.threads = calloc(s.n_threads, sizeof(*s.threads));
	if (!s.threads) {
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
		r = -ENOMEM;
		goto out;
	}
	for (unsigned i = 0; i < s.n_threads; i++) {
		s.threads[i].scan = &s;
		s.threads[i].index = i;
	}
	r = run_threads(&s, err);
	r = check_unchanged(&s, r, err);
	if (!r)
		r = make_result(&s, ret, err);
	if (!r)
		offer_code(&s);
	if (!r)
		scan_report(&s, clock_now_ns(), true);
out:
	scan_done(&s);
	return r;
}

int scan_run(const struct source *src, struct vm_program *vp, const struct scan_options *options,
	     struct scan_result **ret, struct nf_error *err)
{
	return scan_run_hooked(src, vp, options, NULL, ret, err);
}

void scan_result_free(struct scan_result *r)
{
	if (!r)
		return;
	free(r->state);
	groups_free(r->groups);
	free(r);
}
