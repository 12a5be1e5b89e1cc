/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* vm_state.c - the lattice of states, and the model of the stack. */
#include "vm/vm_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct vm_stack {
	uint32_t refs;
	uint32_t n; /* slots; those beyond were never written */
	struct vm_slot slot[];
};

/* ---- memory ---------------------------------------------------------------------------------- */

static void *take(struct vm_states *all, size_t bytes)
{
	void *p;

	if (bytes > VM_VERIFY_MAX_BYTES - all->live_bytes)
		return NULL;
	p = malloc(bytes);
	if (p)
		all->live_bytes += bytes;
	return p;
}

static size_t stack_size(uint32_t n)
{
	return sizeof(struct vm_stack) + n * sizeof(struct vm_slot);
}

static void stack_unref(struct vm_states *all, struct vm_stack *stack)
{
	if (!stack || --stack->refs)
		return;
	all->live_bytes -= stack_size(stack->n);
	free(stack);
}

/* The state's own stack with at least n slots. */
static int stack_own(struct vm_states *all, struct vm_state *s, uint32_t n)
{
	struct vm_stack *old = s->stack, *new;

	if (old && old->refs == 1 && old->n >= n)
		return 0;
	if (old && old->n > n)
		n = old->n;
	new = take(all, stack_size(n));
	if (!new)
		return -ENOMEM;
	new->refs = 1;
	new->n = n;
	memset(new->slot, 0, n * sizeof(new->slot[0]));
	if (old)
		memcpy(new->slot, old->slot, old->n * sizeof(old->slot[0]));
	stack_unref(all, old);
	s->stack = new;
	return 0;
}

struct vm_state *vm_state_new(struct vm_states *all)
{
	struct vm_state *s = take(all, sizeof(*s));

	if (s)
		memset(s, 0, sizeof(*s));
	return s;
}

struct vm_state *vm_state_copy(struct vm_states *all, const struct vm_state *s)
{
	struct vm_state *copy = take(all, sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *s;
	if (copy->stack)
		copy->stack->refs++;
	return copy;
}

void vm_state_free(struct vm_states *all, struct vm_state *s)
{
	if (!s)
		return;
	stack_unref(all, s->stack);
	all->live_bytes -= sizeof(*s);
	free(s);
}

uint32_t vm_state_slots(const struct vm_state *s)
{
	return s->stack ? s->stack->n : 0;
}

/* ---- the lattice ----------------------------------------------------------------------------- */

static bool value_within(const struct vm_value *a, const struct vm_value *b)
{
	switch (b->kind) {
	case VALUE_UNINIT:
		return true;
	case VALUE_MIXED:
		return a->kind != VALUE_UNINIT;
	default:
		return a->kind == b->kind && a->region == b->region &&
		       vm_range_within(&a->range, &b->range);
	}
}

static void value_join(struct vm_value *into, const struct vm_value *from)
{
	if (into->kind == VALUE_UNINIT)
		return;
	if (from->kind == VALUE_UNINIT)
		*into = *from;
	else if (into->kind == VALUE_MIXED || from->kind != into->kind ||
		 from->region != into->region)
		*into = (struct vm_value){.kind = VALUE_MIXED};
	else
		into->range = vm_range_join(&into->range, &from->range);
}

static void value_widen(const struct vm_states *all, struct vm_value *into,
			const struct vm_value *from)
{
	struct vm_value old = *into;

	value_join(into, from);
	if (into->kind >= VALUE_SCALAR && !vm_range_is_equal(&into->range, &old.range))
		into->range = vm_range_widen(&old.range, &into->range, all->thresholds,
					     all->n_thresholds);
}

static bool slot_is_plain(const struct vm_slot *slot)
{
	return slot->written != VM_SLOT_WRITTEN || slot->value.kind == VALUE_SCALAR;
}

static bool slot_within(const struct vm_slot *a, const struct vm_slot *b)
{
	if (b->written & ~a->written)
		return false;
	if (b->written == VM_SLOT_WRITTEN)
		return value_within(&a->value, &b->value);
	/* Bytes of a pointer must not become readable as numbers. */
	return !b->written || slot_is_plain(a);
}

static void slot_merge(const struct vm_states *widen, struct vm_slot *into,
		       const struct vm_slot *from)
{
	if (into->written == VM_SLOT_WRITTEN && from->written == VM_SLOT_WRITTEN) {
		if (widen)
			value_widen(widen, &into->value, &from->value);
		else
			value_join(&into->value, &from->value);
		return;
	}
	if (!slot_is_plain(into) || !slot_is_plain(from))
		into->written = 0;
	else
		into->written &= from->written;
	into->value = vm_value_scalar(vm_range_unknown());
}

bool vm_state_within(const struct vm_state *a, const struct vm_state *b)
{
	static const struct vm_slot none;

	for (unsigned i = 0; i < 11; i++)
		if (!value_within(&a->reg[i], &b->reg[i]))
			return false;
	if (a->stack == b->stack)
		return true;
	for (uint32_t i = 0; i < vm_state_slots(b); i++)
		if (!slot_within(i < vm_state_slots(a) ? &a->stack->slot[i] : &none,
				 &b->stack->slot[i]))
			return false;
	return true;
}

static int merge(struct vm_states *all, struct vm_state *into, const struct vm_state *from,
		 bool widen)
{
	static const struct vm_slot none;

	for (unsigned i = 0; i < 11; i++) {
		if (widen)
			value_widen(all, &into->reg[i], &from->reg[i]);
		else
			value_join(&into->reg[i], &from->reg[i]);
	}
	if (into->stack == from->stack || !into->stack)
		return 0;
	if (stack_own(all, into, 0))
		return -ENOMEM;
	for (uint32_t i = 0; i < into->stack->n; i++)
		slot_merge(widen ? all : NULL, &into->stack->slot[i],
			   i < vm_state_slots(from) ? &from->stack->slot[i] : &none);
	return 0;
}

int vm_state_join(struct vm_states *all, struct vm_state *into, const struct vm_state *from)
{
	return merge(all, into, from, false);
}

int vm_state_widen(struct vm_states *all, struct vm_state *into, const struct vm_state *from)
{
	return merge(all, into, from, true);
}

/* ---- the stack ------------------------------------------------------------------------------- */

/* Offset -1 is byte 7 of slot 0, offset -8 its byte 0. */
static uint32_t slot_of(int64_t offset)
{
	return (uint32_t)((-offset - 1) / 8);
}

/* The bytes of the slot that [first, end) touches: bit i is byte i. */
static uint8_t touched(uint32_t slot, int64_t first, int64_t end)
{
	int64_t start = -8 * ((int64_t)slot + 1);
	unsigned mask = VM_SLOT_WRITTEN;

	if (first > start)
		mask &= 0xffu << (first - start);
	if (end < start + 8)
		mask &= 0xffu >> (start + 8 - end);
	return (uint8_t)mask;
}

int vm_stack_write(struct vm_states *all, struct vm_state *s, int64_t first, int64_t last,
		   uint32_t bytes, const struct vm_value *value)
{
	int64_t end = last + bytes;

	if (!bytes || end <= first)
		return 0;
	if (stack_own(all, s, slot_of(first) + 1))
		return -ENOMEM;
	if (first == last && bytes == 8 && first % 8 == 0) {
		s->stack->slot[slot_of(first)] =
			(struct vm_slot){.written = VM_SLOT_WRITTEN, .value = *value};
		return 0;
	}
	for (uint32_t k = slot_of(end - 1); k <= slot_of(first); k++) {
		struct vm_slot *slot = &s->stack->slot[k];

		if (first != last) {
			/* It may be overwritten, or not: unwritten bytes stay unwritten. */
			if (slot_is_plain(slot))
				slot->value = vm_value_scalar(vm_range_unknown());
			else
				slot->value = (struct vm_value){.kind = VALUE_MIXED};
			continue;
		}
		if (!slot_is_plain(slot))
			slot->written = 0; /* what is left of a pointer is nothing */
		slot->written |= touched(k, first, end);
		slot->value = vm_value_scalar(vm_range_unknown());
	}
	return 0;
}

const char *vm_stack_read(const struct vm_state *s, int64_t first, int64_t last, uint32_t bytes,
			  struct vm_value *ret)
{
	const struct vm_slot *slot;
	int64_t end = last + bytes;

	for (uint32_t k = slot_of(end - 1); first < end && k <= slot_of(first); k++) {
		slot = k < vm_state_slots(s) ? &s->stack->slot[k] : NULL;
		if (!slot || touched(k, first, end) & ~slot->written)
			return "reads bytes of the stack that were not written on every way here; "
			       "give the variable a start value";
		if (!slot_is_plain(slot) && !(first == last && bytes == 8 && first % 8 == 0))
			return "reads a part of a pointer that was kept on the stack";
	}
	*ret = vm_value_scalar(bytes < 8 ? vm_range_unsigned(0, (1ull << 8 * bytes) - 1)
					 : vm_range_unknown());
	if (first != last || first % 8 || !bytes)
		return NULL;
	slot = &s->stack->slot[slot_of(first)];
	if (slot->written == VM_SLOT_WRITTEN && bytes == 8)
		*ret = slot->value;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	else if (slot->written == VM_SLOT_WRITTEN && bytes < 8)
		ret->range = vm_range_zext(&slot->value.range, 8 * bytes);
#endif
	return NULL;
}
