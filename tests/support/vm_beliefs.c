/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "tests/support/vm_beliefs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vm/vm_beliefs.h"

struct vm_beliefs {
	struct vm_states states;
	struct vm_state **at[PROGRAM_ENTRIES]; /* per flat instruction; NULL: never reached */
	uint64_t checked;
};

static void collect(void *arg, enum program_kind entry, uint32_t insn, const struct vm_state *s)
{
	struct vm_beliefs *b = arg;
	struct vm_state **at;

	if (!b->at[entry])
		b->at[entry] = calloc(PROGRAM_MAX_FLAT_INSNS, sizeof(*b->at[entry]));
	if (!b->at[entry])
		abort();
	at = &b->at[entry][insn];
	if (!*at)
		*at = vm_state_copy(&b->states, s);
	else if (vm_state_join(&b->states, *at, s))
		abort();
	if (!*at)
		abort(); /* out of memory */
	/* The limit of one verification is not this collection's. */
	b->states.live_bytes = 0;
}

int vm_beliefs_verify(struct program *p, const struct vm_bounds *bounds, struct vm_program **ret,
		      struct vm_beliefs **ret_beliefs, struct nf_error *err)
{
	struct vm_beliefs *b = calloc(1, sizeof(*b));
	int rc;

	*ret_beliefs = NULL;
	if (!b)
		abort();
	rc = vm_verify_beliefs(p, bounds, collect, b, ret, err);
	if (rc)
		vm_beliefs_free(b);
	else
		*ret_beliefs = b;
	return rc;
}

void vm_beliefs_free(struct vm_beliefs *b)
{
	if (!b)
		return;
	for (unsigned entry = 0; entry < PROGRAM_ENTRIES; entry++) {
		for (uint32_t i = 0; b->at[entry] && i < PROGRAM_MAX_FLAT_INSNS; i++)
			vm_state_free(&b->states, b->at[entry][i]);
		free(b->at[entry]);
	}
	free(b);
}

static void check_value(const struct vm_view *view, const struct vm_value *believed, uint64_t x,
			const char *what, unsigned number)
{
	const struct vm_range *r = &believed->range;

	if (believed->kind == VALUE_POINTER)
		x -= view->origin[believed->region];
	else if (believed->kind != VALUE_SCALAR)
		return;
	if (vm_range_contains(r, x))
		return;
	fprintf(stderr,
		"%s, instruction %" PRIu32 ": %s%u is %#" PRIx64 " (%s), believed to be in "
		"[%#" PRIx64 ", %#" PRIx64 "], [%" PRId64 ", %" PRId64 "], bits %#" PRIx64
		"/%#" PRIx64 "\n",
		program_kind_name(view->entry), view->insn, what, number, x,
		believed->kind == VALUE_POINTER ? vm_region_name(believed->region) : "number",
		r->umin, r->umax, r->smin, r->smax, r->value, r->mask);
	abort();
}

static void check(void *arg, const struct vm_view *view)
{
	struct vm_beliefs *b = arg;
	const struct vm_state *s = b->at[view->entry] ? b->at[view->entry][view->insn] : NULL;

	if (!s) {
		fprintf(stderr, "%s, instruction %" PRIu32 " runs, and was believed unreachable\n",
			program_kind_name(view->entry), view->insn);
		abort();
	}
	for (unsigned i = 0; i < 11; i++)
		check_value(view, &s->reg[i], view->reg[i], "r", i);
	for (uint32_t slot = 0; slot < vm_state_slots(s); slot++) {
		int64_t offset = -8 * ((int64_t)slot + 1);
		struct vm_value v;
		uint64_t x;

		if (vm_stack_read(s, offset, offset, 8, &v))
			continue;
		memcpy(&x, (const uint8_t *)(uintptr_t)view->origin[VM_REGION_STACK] + offset, 8);
		check_value(view, &v, x, "stack slot ", slot);
	}
	b->checked++;
}

void vm_beliefs_check(struct vm_beliefs *b, struct vm_machine *m)
{
	vm_machine_observe(m, check, b);
}

uint64_t vm_beliefs_checked(const struct vm_beliefs *b)
{
	return b->checked;
}
