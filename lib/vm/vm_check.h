/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_check.h - the verifier's working memory for one function, shared by its parts:
 * vm_verify.c (the way in, refusals), vm_check_flow.c (the order of the analysis), vm_check_insn.c
 * (what an instruction does to a state), vm_check_access.c (memory, helper calls, the verdicts).
 *
 * Internal to the verifier; one thread.
 */
#ifndef NF_VM_CHECK_H
#define NF_VM_CHECK_H

#include "vm/vm_beliefs.h"
#include "vm/vm_cfg.h"
#include "vm/vm_helper.h"
#include "vm/vm_state.h"

/*
 * A place where memory is accessed: a load, a store, or one memory argument of a helper call.
 * Collects what was believed on every way there; the verdict is given at the end, because one
 * turn of a loop may look out of bounds where the loop as a whole only needs a guard.
 */
struct vm_site {
	uint8_t region; /* enum vm_region; VM_REGION_NONE: never reached */
	bool guarded;   /* not proven on some way */
	bool possible;  /* may be in bounds on some way */
	int64_t offset_min, offset_max;
	uint64_t size_min, size_max;
};

struct vm_check {
	const struct program *program;
	const struct vm_bounds *bounds;
	enum program_kind kind;
	struct vm_code *code;
	struct vm_cfg cfg;
	struct vm_states states;

	struct vm_site *sites;
	uint32_t *site_of; /* first site of an instruction */
	uint64_t helpers;

	struct vm_state **in;   /* per block: what comes from before it in the order */
	struct vm_state **back; /* per block, of heads: what comes from inside the component */
	bool *left;             /* per place, of heads: control left the component */
	struct vm_state **memo; /* per place, of heads: where the search ended the last time */
	uint32_t fence_start, fence_end; /* places beyond get no states now */

	vm_believe_fn believe; /* or NULL: see vm_beliefs.h */
	void *believe_arg;

	bool final; /* beliefs count: collect them, and refuse what is wrong */
	uint64_t steps, unroll_steps;
	uint32_t insn; /* being looked at, for messages */
	struct nf_error *err;
};

/* What an instruction does to the way it is on. Negative: refused, or out of memory. */
enum vm_check_result {
	CHECK_GOES_ON,
	CHECK_ENDS,  /* exit, a helper that never returns, or a wrong turn while not final */
	CHECK_JUMPS, /* a conditional jump: see struct vm_jump_ways */
};

/* When both ways are possible, taken_state is the state of the taken one (the caller frees it) and
 * the state that was looked at goes on with the other; else it is the state of the only one. */
struct vm_jump_ways {
	bool taken, next;
	struct vm_state *taken_state;
};

/* Refuse the program at c->insn: -EINVAL with its source line. While not final: CHECK_ENDS. */
int vm_check_refuse(struct vm_check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int vm_check_refuse_at(struct vm_check *c, uint32_t insn, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* -ENOMEM, or the refusal when it was the limit of the verifier's own memory. */
int vm_check_no_memory(struct vm_check *c);

/* "record + [0, 15]", "a number in [0, 15]", "not initialised"; returns buf. */
const char *vm_value_text(const struct vm_value *v, char *buf, size_t size);
/* "record + [0, 15]" */
const char *vm_offsets_text(enum vm_region region, int64_t min, int64_t max, char *buf,
			    size_t size);

/* Pay for n steps of analysis: refuses the program beyond VM_VERIFY_MAX_STEPS. What looks at slots
 * of the stack pays one for every VM_SLOTS_PER_STEP. */
enum { VM_SLOTS_PER_STEP = 32 };
int vm_check_steps(struct vm_check *c, uint64_t n);

/* Run what stands at places [start, end) of the order on the states that came there. */
int vm_check_places(struct vm_check *c, uint32_t start, uint32_t end);

/* One instruction that is no conditional jump. */
int vm_check_insn(struct vm_check *c, struct vm_state *s, const struct vm_op *op);
/* A conditional jump. */
int vm_check_jump(struct vm_check *c, struct vm_state *s, const struct vm_op *op,
		  struct vm_jump_ways *ret);

int vm_check_load(struct vm_check *c, struct vm_state *s, const struct vm_op *op);
int vm_check_store(struct vm_check *c, struct vm_state *s, const struct vm_op *op);
int vm_check_call(struct vm_check *c, struct vm_state *s, const struct vm_op *op);

/* Bytes that the region surely has, and may have. */
uint64_t vm_check_region_min(const struct vm_check *c, enum vm_region region);
uint64_t vm_check_region_max(const struct vm_check *c, enum vm_region region);

/* Give every instruction its verdict from what the sites collected; refuses sure overruns. */
int vm_check_verdicts(struct vm_check *c);

#endif
