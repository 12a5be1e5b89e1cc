/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_interp.c - the machine and its loop.
 *
 * Threaded code: each handler ends with a jump to the next cell's handler (computed goto), which
 * gives the branch predictor one place per kind of instruction. Registers hold host addresses
 * where the program holds pointers; all access goes through memcpy, so alignment does not matter.
 */
#include "vm/vm_interp.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/scope.h"
#include "vm/vm_alu.h"
#include "vm/vm_helper.h"
#include "vm/vm_interp_code.h"

struct vm_machine {
	struct vm_program *vp;
	struct interp_cell *cells[PROGRAM_ENTRIES];
	uint64_t budget, left;
	uint64_t low[VM_REGIONS]; /* first byte of each region, of this call */
	uint64_t bytes[VM_REGIONS];
	vm_observe_fn observe;
	void *observe_arg;
	uint8_t *stack;
};

static uint64_t address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static uint32_t deepest_stack(const struct vm_program *vp)
{
	uint32_t bytes = 0;

	for (unsigned e = 0; e < PROGRAM_ENTRIES; e++) {
		if (vp->code[e].flat.stack_bytes > bytes)
			bytes = vp->code[e].flat.stack_bytes;
	}
	return bytes;
}

int vm_machine_new(const struct vm_program *vp, uint64_t budget, struct vm_machine **ret)
{
	struct vm_machine *m = calloc(1, sizeof(*m));
	int err = -ENOMEM;

	if (!m)
		return err;
	m->vp = vm_program_ref((struct vm_program *)vp);
	m->budget = m->left = budget ? budget : VM_DEFAULT_BUDGET;
	m->stack = calloc(1, deepest_stack(vp) + 1u);
	if (!m->stack)
		goto fail;
	for (unsigned e = 0; e < PROGRAM_ENTRIES; e++) {
		err = interp_translate(vp, e, &m->cells[e], NULL);
		if (err)
			goto fail;
	}
	*ret = m;
	return 0;
fail:
	vm_machine_free(m);
	return err;
}

void vm_machine_free(struct vm_machine *m)
{
	if (!m)
		return;
	for (unsigned e = 0; e < PROGRAM_ENTRIES; e++)
		free(m->cells[e]);
	free(m->stack);
	vm_program_unref(m->vp);
	free(m);
}

void vm_machine_refill(struct vm_machine *m)
{
	m->left = m->budget;
}

void vm_machine_observe(struct vm_machine *m, vm_observe_fn fn, void *arg)
{
	for (unsigned e = 0; e < PROGRAM_ENTRIES; e++) {
		for (uint32_t i = 0; m->cells[e] && i < m->vp->code[e].flat.n_insns; i++) {
			struct interp_cell *cell = &m->cells[e][i];

			if (fn && !m->observe) {
				cell->observed = cell->handler;
				cell->handler = H_OBSERVE;
			} else if (!fn && m->observe) {
				cell->handler = cell->observed;
			}
		}
	}
	m->observe = fn;
	m->observe_arg = arg;
}

static void set_region(struct vm_machine *m, enum vm_region region, const void *p, uint64_t bytes)
{
	m->low[region] = address(p);
	m->bytes[region] = p ? bytes : 0;
}

/* Regions and argument registers of one call; see vm.h for the calling convention. */
static void enter(struct vm_machine *m, enum program_kind entry, const struct vm_memory *mem,
		  uint64_t reg[11])
{
	static const uint8_t no_bytes[1];
	const struct program *p = m->vp->program;
	uint32_t stack_bytes = m->vp->code[entry].flat.stack_bytes;
	const uint8_t *params = mem->params ? mem->params : no_bytes;

	set_region(m, VM_REGION_NONE, NULL, 0);
	set_region(m, VM_REGION_RECORD, mem->record, mem->record_bytes);
	set_region(m, VM_REGION_PARAMS, params, mem->params ? p->params_bytes : 0);
	set_region(m, VM_REGION_STATE, mem->state, p->state_bytes);
	set_region(m, VM_REGION_FROM, mem->from, p->state_bytes);
	set_region(m, VM_REGION_KEY, mem->key, p->key_bytes);
	set_region(m, VM_REGION_STACK, m->stack, stack_bytes);
	set_region(m, VM_REGION_RODATA, p->rodata, p->rodata_bytes);
	memset(reg, 0, 11 * sizeof(reg[0]));
	reg[10] = address(m->stack) + stack_bytes;
	switch (entry) {
	case PROGRAM_FILTER:
	case PROGRAM_KEY:
		reg[1] = address(mem->record);
		reg[2] = mem->record_bytes;
		reg[3] = address(params);
		reg[4] = entry == PROGRAM_KEY ? address(mem->key) : 0;
		break;
	case PROGRAM_REDUCE:
		reg[1] = address(mem->state);
		reg[2] = address(mem->record);
		reg[3] = mem->record_bytes;
		reg[4] = address(params);
		break;
	default:
		reg[1] = address(mem->state);
		reg[2] = address(mem->from);
		break;
	}
}

/* A region's offsets count from its first byte, the stack's from r10. */
static uint64_t origin(const struct vm_machine *m, enum vm_region region)
{
	return m->low[region] + (region == VM_REGION_STACK ? m->bytes[region] : 0);
}

static void observe(const struct vm_machine *m, enum program_kind entry, uint32_t insn,
		    const uint64_t *reg)
{
	struct vm_view view = {.entry = entry, .insn = insn, .reg = reg};

	for (unsigned i = 0; i < VM_REGIONS; i++) {
		view.origin[i] = origin(m, i);
		view.region_bytes[i] = m->bytes[i];
	}
	m->observe(m->observe_arg, &view);
}

/* Is [addr, addr + len) inside the region? Nothing here overflows. */
static inline bool inside(const struct vm_machine *m, unsigned region, uint64_t addr, uint64_t len)
{
	uint64_t at = addr - m->low[region];

	return at <= m->bytes[region] && len <= m->bytes[region] - at;
}

static void bounds_trap(const struct vm_machine *m, unsigned region, uint64_t addr, uint64_t len,
			struct vm_trap *trap)
{
	trap->kind = VM_TRAP_BOUNDS;
	trap->region = (uint8_t)region;
	trap->access_bytes = len > UINT32_MAX ? UINT32_MAX : (uint32_t)len;
	trap->offset = (int64_t)(addr - origin(m, region));
	trap->region_bytes = m->bytes[region];
}

/* The memory arguments of a helper call that the verifier could not prove. */
static bool check_arguments(const struct vm_machine *m, const struct vm_helper *helper,
			    const struct vm_insn *info, const uint64_t *reg, struct vm_trap *trap)
{
	for (unsigned i = 0; i < 5; i++) {
		unsigned region = info->arg_region[i];
		uint64_t len = helper->fixed_bytes;

		if (!(info->arg_guarded & 1u << i))
			continue;
		if (helper->arg[i] == VM_ARG_MEM_READ)
			len = reg[2 + i];
		if (!inside(m, region, reg[1 + i], len)) {
			bounds_trap(m, region, reg[1 + i], len, trap);
			return false;
		}
	}
	return true;
}

/* What a helper that reads memory costs (vm.h). */
static uint64_t helper_charge(const struct vm_helper *helper, const uint64_t *reg)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i + 1 < 5; i++)
		if (helper->arg[i] == VM_ARG_MEM_READ)
			sum += reg[2 + i] / VM_HELPER_BYTES_PER_CHARGE;
	return sum;
}

/* ---- the loop -------------------------------------------------------------------------------- */

#define GO goto *handlers[c->handler]
#define NEXT         \
	do {         \
		c++; \
		GO;  \
	} while (0)
#define ADDRESS(r) (reg[c->r] + (uint64_t)(int64_t)c->off)

#define ALU_FORMS(name)                                                                          \
	name##_64_X : reg[c->dst] = vm_alu_##name##_64(reg[c->dst], reg[c->src]);                \
	NEXT;                                                                                    \
	name##_64_K : reg[c->dst] = vm_alu_##name##_64(reg[c->dst], c->imm);                     \
	NEXT;                                                                                    \
	name##_32_X : reg[c->dst] =                                                              \
			      vm_alu_##name##_32((uint32_t)reg[c->dst], (uint32_t)reg[c->src]);  \
	NEXT;                                                                                    \
	name##_32_K : reg[c->dst] = vm_alu_##name##_32((uint32_t)reg[c->dst], (uint32_t)c->imm); \
	NEXT;

#define UNARY_FORM(name, operand, expr)       \
	name : {                              \
		uint64_t v = reg[c->operand]; \
                                              \
		reg[c->dst] = (expr);         \
		NEXT;                         \
	}

#define JUMP_FORM(label, cond)              \
	label:                              \
	if (cond) {                         \
		c += c->off;                \
		GO;                         \
	}                                   \
	NEXT;                               \
	label##_BACK : if (cond) goto back; \
	NEXT;
#define JUMP_FORMS(name)                                                                         \
	JUMP_FORM(name##_64_X, vm_cmp_##name##_64(reg[c->dst], reg[c->src]))                     \
	JUMP_FORM(name##_64_K, vm_cmp_##name##_64(reg[c->dst], c->imm))                          \
	JUMP_FORM(name##_32_X, vm_cmp_##name##_32((uint32_t)reg[c->dst], (uint32_t)reg[c->src])) \
	JUMP_FORM(name##_32_K, vm_cmp_##name##_32((uint32_t)reg[c->dst], (uint32_t)c->imm))

#define LOAD_FORMS(name, type, extended)                                                     \
	name##_GUARD : if (!inside(m, c->region, ADDRESS(src), sizeof(type))) goto bad_load; \
	name : {                                                                             \
		type v;                                                                      \
                                                                                             \
		memcpy(&v, (const void *)(uintptr_t)ADDRESS(src), sizeof(v));                \
		reg[c->dst] = (uint64_t)(extended)v;                                         \
		NEXT;                                                                        \
	}

#define STORE_FORM(label, type, value)                                                         \
	label##_GUARD : if (!inside(m, c->region, ADDRESS(dst), sizeof(type))) goto bad_store; \
	label : {                                                                              \
		type v = (type)(value);                                                        \
                                                                                               \
		memcpy((void *)(uintptr_t)ADDRESS(dst), &v, sizeof(v));                        \
		NEXT;                                                                          \
	}
#define STORE_FORMS(name, type)                 \
	STORE_FORM(name##_X, type, reg[c->src]) \
	STORE_FORM(name##_K, type, c->imm)

#define LABEL_ALU(name) &&name##_64_X, &&name##_64_K, &&name##_32_X, &&name##_32_K,
#define LABEL_JUMP_BACK(name) \
	&&name##_64_X_BACK, &&name##_64_K_BACK, &&name##_32_X_BACK, &&name##_32_K_BACK,
#define LABEL_LOAD(name, t, e)  &&name, &&name##_GUARD,
#define LABEL_STORE(name, t)    &&name##_X, &&name##_K, &&name##_X_GUARD, &&name##_K_GUARD,
#define LABEL_UNARY(name, s, e) &&name,
#define LABEL(name)             &&name,

bool vm_interp(struct vm_machine *m, enum program_kind entry, const struct vm_memory *mem,
	       uint64_t *ret_r0, struct vm_trap *trap)
{
	/* in the order of enum interp_handler: both come from the same lists */
	static const void *const handlers[INTERP_HANDLERS] = {
		INTERP_ALU_OPS(LABEL_ALU) INTERP_JUMP_OPS(LABEL_ALU)
			INTERP_JUMP_OPS(LABEL_JUMP_BACK) INTERP_LOADS(LABEL_LOAD)
				INTERP_STORES(LABEL_STORE) INTERP_UNARY_OPS(LABEL_UNARY)
					INTERP_OTHERS(LABEL)};
	const struct interp_cell *cells = m->cells[entry];
	const struct interp_cell *c = cells;
	const struct vm_helper *helper;
	uint64_t left = m->left, charge;
	uint64_t reg[11];

	if (!cells)
		goto UNREACHABLE;
	enter(m, entry, mem, reg);
	*trap = (struct vm_trap){.kind = VM_TRAP_NONE, .entry = entry};
	GO;

	INTERP_ALU_OPS(ALU_FORMS)
	INTERP_UNARY_OPS(UNARY_FORM)
	INTERP_JUMP_OPS(JUMP_FORMS)
	INTERP_LOADS(LOAD_FORMS)
	INTERP_STORES(STORE_FORMS)

SET:
	reg[c->dst] = c->imm;
	NEXT;
SET_WIDE:
	reg[c->dst] = c->imm;
	c += 2;
	GO;
JA:
	c += c->off;
	GO;
JA_BACK:
back:
	if (left < c->charge)
		goto no_budget;
	left -= c->charge;
	c += c->off;
	GO;
CALL_METER:
	helper = (const struct vm_helper *)(uintptr_t)c->imm;
	if (!check_arguments(m, helper, &m->vp->code[entry].info[c - cells], reg, trap))
		goto trapped;
	charge = helper_charge(helper, reg);
	if (left < charge)
		goto no_budget;
	left -= charge;
	goto CALL;
CALL_GUARD:
	helper = (const struct vm_helper *)(uintptr_t)c->imm;
	if (!check_arguments(m, helper, &m->vp->code[entry].info[c - cells], reg, trap))
		goto trapped;
	/* fall through */
CALL:
	helper = (const struct vm_helper *)(uintptr_t)c->imm;
	reg[0] = helper->fn(reg[1], reg[2], reg[3], reg[4], reg[5]);
	NEXT;
FAIL:
	trap->kind = VM_TRAP_FAIL;
	trap->code = (uint32_t)reg[1];
	goto trapped;
EXIT:
	m->left = left;
	*ret_r0 = reg[0];
	return true;
OBSERVE:
	observe(m, entry, (uint32_t)(c - cells), reg);
	goto *handlers[c->observed];
UNREACHABLE: /* the caller's or the verifier's bug: nothing sensible can follow */
	abort();

bad_load:
	bounds_trap(m, c->region, ADDRESS(src), c->bytes, trap);
	goto trapped;
bad_store:
	bounds_trap(m, c->region, ADDRESS(dst), c->bytes, trap);
	goto trapped;
no_budget:
	trap->kind = VM_TRAP_BUDGET;
	trap->budget = m->budget;
trapped:
	m->left = left;
	trap->insn = (uint32_t)(c - cells);
	return false;
}
