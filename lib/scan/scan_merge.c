/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "scan/scan_internal.h"

static int no_memory(struct nf_error *err)
{
	nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory while combining");
	return -ENOMEM;
}

static void machine_free(struct vm_machine **m)
{
	vm_machine_free(*m);
}

static int combine(const struct vm_program *vp, struct vm_machine *m, uint8_t *into,
		   const uint8_t *from, struct nf_error *err)
{
	struct vm_memory mem = {.state = into, .from = from};
	struct vm_trap trap;
	uint64_t r0;

	vm_machine_refill(m);
	if (vm_interp(m, PROGRAM_COMBINE, &mem, &r0, &trap))
		return 0;
	return vm_trap_error(vp, &trap, NULL, err);
}

int scan_merge(const struct vm_program *vp, uint64_t budget, uint8_t *into, const uint8_t *from,
	       struct nf_error *err)
{
	AUTO(machine_free) struct vm_machine *m = NULL;

	if (vm_machine_new(vp, budget, &m))
		return no_memory(err);
	return combine(vp, m, into, from, err);
}

static int merge_groups(const struct vm_program *vp, struct vm_machine *m, struct groups *into,
			const struct groups *from, struct nf_error *err)
{
	const uint8_t *key;
	uint8_t *state;
	int r = 0;

	for (uint64_t cursor = 0; !r && groups_next(from, &cursor, &key, &state);) {
		bool is_new;
		uint8_t *target = groups_find(into, key, &is_new);

		if (!target && errno == ENOMEM)
			return no_memory(err);
		if (!target)
			return nf_error_set(
				err, NF_RESOURCE_EXHAUSTED, NULL,
				"the answer has more groups than the %llu that are "
				"allowed (max_groups, or what the query's memory holds): "
				"raise the limit, or use a coarser key",
				(unsigned long long)groups_count(into));
		if (is_new)
			memcpy(target, state, vp->program->state_bytes);
		else
			r = combine(vp, m, target, state, err);
	}
	return r;
}

static int collect_groups(struct scan *s, struct vm_machine *m, struct scan_result *ret,
			  struct nf_error *err)
{
	struct fold *most = NULL;
	int r = 0;

	/* Into the largest: the fewest moves. */
	for (unsigned i = 0; i < s->n_threads; i++) {
		struct fold *f = s->engine_ops->thread_fold(s->threads[i].engine_thread);

		if (!most || groups_count(f->groups) > groups_count(most->groups))
			most = f;
	}
	ret->groups = TAKE_PTR(most->groups);
	for (unsigned i = 0; !r && i < s->n_threads; i++) {
		struct fold *f = s->engine_ops->thread_fold(s->threads[i].engine_thread);

		if (f->groups)
			r = merge_groups(s->vp, m, ret->groups, f->groups, err);
	}
	return r;
}

static int collect_state(struct scan *s, struct vm_machine *m, struct scan_result *ret,
			 struct nf_error *err)
{
	size_t bytes = ((size_t)s->vp->program->state_bytes + 63) & ~(size_t)63;
	bool first = true;
	int r = 0;

	ret->state = aligned_alloc(64, bytes ? bytes : 64);
	if (!ret->state)
		return no_memory(err);
	for (unsigned i = 0; !r && i < s->n_threads; i++) {
		struct fold *f = s->engine_ops->thread_fold(s->threads[i].engine_thread);

		/* A state that no record went into is the start state still: combining it
		 * would say nothing. The last one stands in when there is no other. */
		if (!f->matched && !(first && i == s->n_threads - 1))
			continue;
		if (first)
			memcpy(ret->state, f->state, s->vp->program->state_bytes);
		else
			r = combine(s->vp, m, ret->state, f->state, err);
		first = false;
	}
	return r;
}

int scan_collect(struct scan *s, struct scan_result *ret, struct nf_error *err)
{
	AUTO(machine_free) struct vm_machine *m = NULL;

	if (vm_machine_new(s->vp, s->options->budget, &m))
		return no_memory(err);
	for (unsigned i = 0; i < s->n_threads; i++) {
		struct fold *f = s->engine_ops->thread_fold(s->threads[i].engine_thread);

		ret->stats.records += f->records;
		ret->stats.matched += f->matched;
		ret->stats.bytes_scanned += atomic_load(&s->threads[i].bytes);
	}
	return s->vp->program->key_bytes ? collect_groups(s, m, ret, err)
					 : collect_state(s, m, ret, err);
}
