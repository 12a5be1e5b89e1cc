/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * partials.c - partial states that arrive from one or several nodes. A key seen for the first time
 * keeps its state as it came; seen again, the program's combine merges the two.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/client.h"

struct partials {
	struct program *program;
	struct vm_program *verified; /* made when the first merge needs it */
	uint64_t budget, max_groups;
	uint8_t *state; /* ungrouped, once it has arrived */
	struct groups *groups;
};

int partials_new(struct program *program, uint64_t budget, uint64_t max_groups,
		 struct partials **ret, struct nf_error *err)
{
	struct partials *p = calloc(1, sizeof(*p));
	int r = 0;

	if (!p)
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, "this process", "out of memory");
	p->program = program_ref(program);
	p->budget = budget;
	p->max_groups = max_groups ? max_groups : GROUPS_DEFAULT_MAX;
	if (program->key_bytes > 0)
		r = groups_new(program->key_bytes, program->state_bytes, program->init_state,
			       p->max_groups, &p->groups);
	if (r < 0) {
		partials_free(p);
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, "this process", "out of memory");
	}
	*ret = p;
	return 0;
}

void partials_free(struct partials *p)
{
	if (!p)
		return;
	program_unref(p->program);
	vm_program_unref(p->verified);
	groups_free(p->groups);
	free(p->state);
	free(p);
}

static int merge(struct partials *p, uint8_t *into, const uint8_t *from, struct nf_error *err)
{
	if (!p->verified) {
		struct vm_bounds bounds = vm_bounds_of(p->program);
		int r = vm_verify(p->program, &bounds, &p->verified, err);

		if (r < 0)
			return r;
	}
	return scan_merge(p->verified, p->budget, into, from, err);
}

static int add_state(struct partials *p, const uint8_t *state, struct nf_error *err)
{
	size_t size = p->program->state_bytes;

	if (p->state)
		return merge(p, p->state, state, err);
	/* 16-byte aligned, as engines have it. */
	p->state = aligned_alloc(16, (size + 15) / 16 * 16);
	if (!p->state)
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, "this process", "out of memory");
	memcpy(p->state, state, size);
	return 0;
}

static int add_group(struct partials *p, const uint8_t *key, const uint8_t *state,
		     struct nf_error *err)
{
	bool is_new = false;
	uint8_t *into = groups_find(p->groups, key, &is_new);

	if (!into && errno == ENOSPC)
		return nf_error_set(
			err, NF_RESOURCE_EXHAUSTED, "groups",
			"the answer has more than %llu groups; raise max_groups or use a "
			"coarser key",
			(unsigned long long)p->max_groups);
	if (!into)
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, "this process", "out of memory");
	if (!is_new)
		return merge(p, into, state, err);
	memcpy(into, state, p->program->state_bytes);
	return 0;
}

int partials_add(struct partials *p, uint32_t n, const uint8_t *keys, const uint8_t *states,
		 struct nf_error *err)
{
	int r = 0;

	if (!p->groups)
		return n == 1 ? add_state(p, states, err)
			      : nf_error_set(err, NF_INTERNAL, "partial",
					     "%u states for an ungrouped program", n);
	for (uint32_t i = 0; i < n && r == 0; i++)
		r = add_group(p, keys + (size_t)i * p->program->key_bytes,
			      states + (size_t)i * p->program->state_bytes, err);
	return r;
}

int partials_merge(struct partials *into, const struct partials *from, struct nf_error *err)
{
	const uint8_t *key;
	uint8_t *state;
	uint64_t cursor = 0;
	int r = 0;

	if (!from->groups)
		return from->state ? add_state(into, from->state, err) : 0;
	while (r == 0 && groups_next(from->groups, &cursor, &key, &state))
		r = add_group(into, key, state, err);
	return r;
}

bool partials_whole(const struct partials *p)
{
	return p->groups || p->state;
}

void partials_take(struct partials *p, uint8_t **ret_state, struct groups **ret_groups)
{
	*ret_state = TAKE_PTR(p->state);
	*ret_groups = TAKE_PTR(p->groups);
}
