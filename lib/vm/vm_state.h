/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_state.h - what the verifier believes at one point of a function: the eleven registers and the
 * stack.
 *
 * The stack is kept in slots of 8 bytes, counted downwards from r10: slot k covers offsets
 * [-8 (k + 1), -8 k). Each byte is known to be written or not; a slot that was written whole, in
 * one store, remembers the value, so that spilled pointers and bounds survive. Stacks are shared
 * between states until one writes.
 *
 * Internal to the verifier; one thread.
 */
#ifndef NF_VM_STATE_H
#define NF_VM_STATE_H

#include "vm/vm.h"

enum vm_value_kind {
	VALUE_UNINIT, /* unreadable on at least one way here: believed of nothing, holds everything
		       */
	VALUE_MIXED,  /* written, but with values of different kinds: may be moved, not used */
	VALUE_SCALAR,
	VALUE_POINTER,
};

struct vm_value {
	uint8_t kind;   /* enum vm_value_kind */
	uint8_t region; /* POINTER: where to */
	struct vm_range
		range; /* SCALAR: the value; POINTER: the offset into the region, mod 2^64 */
};

struct vm_slot {
	uint8_t written;       /* bit i: byte i */
	struct vm_value value; /* meaningful when written == 0xff */
};

struct vm_stack;

struct vm_state {
	struct vm_value reg[11];
	struct vm_stack *stack; /* NULL: nothing written yet */
};

/* Memory of all states together, and what makes a loop's growth end. */
struct vm_states {
	size_t live_bytes;
	const int64_t *thresholds;
	uint32_t n_thresholds;
};

enum {
	/* Beliefs kept at one time; beyond it a program is too complex to verify. */
	VM_VERIFY_MAX_BYTES = 64 << 20,
	VM_SLOT_WRITTEN = 0xff,
};

static inline struct vm_value vm_value_scalar(struct vm_range range)
{
	return (struct vm_value){.kind = VALUE_SCALAR, .range = range};
}

static inline struct vm_value vm_value_pointer(enum vm_region region, int64_t offset)
{
	return (struct vm_value){.kind = VALUE_POINTER,
				 .region = (uint8_t)region,
				 .range = vm_range_const((uint64_t)offset)};
}

/* NULL: out of memory (or beyond VM_VERIFY_MAX_BYTES). free takes NULL. */
struct vm_state *vm_state_new(struct vm_states *all);
struct vm_state *vm_state_copy(struct vm_states *all, const struct vm_state *s);
void vm_state_free(struct vm_states *all, struct vm_state *s);

/* Is everything that a allows allowed by b? */
bool vm_state_within(const struct vm_state *a, const struct vm_state *b);
/* into = either of both. -ENOMEM. */
int vm_state_join(struct vm_states *all, struct vm_state *into, const struct vm_state *from);
/* into = a state that holds both and grows only a few times when this is repeated. -ENOMEM. */
int vm_state_widen(struct vm_states *all, struct vm_state *into, const struct vm_state *from);

/* How many slots a join looks at: its cost. */
uint32_t vm_state_slots(const struct vm_state *s);

/*
 * Access to the stack: offsets in [-stack_bytes, 0), the caller has checked them. first is the
 * lowest and last the highest offset that the access may begin at; bytes its size there.
 * write: -ENOMEM. read: NULL and *ret, or the reason why those bytes cannot be read.
 */
int vm_stack_write(struct vm_states *all, struct vm_state *s, int64_t first, int64_t last,
		   uint32_t bytes, const struct vm_value *value);
const char *vm_stack_read(const struct vm_state *s, int64_t first, int64_t last, uint32_t bytes,
			  struct vm_value *ret);

#endif
