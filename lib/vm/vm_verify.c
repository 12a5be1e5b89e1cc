/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_verify.c - a verification from its entry: the functions one by one, refusals with their place,
 * and the verified program. How a function is analysed stands in vm_check_flow.c.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "vm/vm_beliefs.h"
#include "vm/vm_check.h"

/* ---- refusals -------------------------------------------------------------------------------- */

static int refuse(struct vm_check *c, uint32_t insn, const char *fmt, va_list ap)
{
	const struct flat_origin *o = &c->code->flat.origin[insn];
	char where[256];

	return nf_error_vset(c->err, NF_INVALID_ARGUMENT,
			     program_where(c->program, o->func, o->insn, where, sizeof(where)), fmt,
			     ap);
}

int vm_check_refuse_at(struct vm_check *c, uint32_t insn, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = refuse(c, insn, fmt, ap);
	va_end(ap);
	return rc;
}

int vm_check_refuse(struct vm_check *c, const char *fmt, ...)
{
	va_list ap;
	int rc;

	if (!c->final)
		return CHECK_ENDS;
	va_start(ap, fmt);
	rc = refuse(c, c->insn, fmt, ap);
	va_end(ap);
	return rc;
}

int vm_check_no_memory(struct vm_check *c)
{
	if (c->states.live_bytes > VM_VERIFY_MAX_BYTES / 2)
		return vm_check_refuse_at(c, c->insn,
					  "too complex to verify: its states need more "
					  "than %d MiB",
					  VM_VERIFY_MAX_BYTES >> 20);
	return nf_error_no_memory(c->err, NULL);
}

/* ---- one function ---------------------------------------------------------------------------- */

static struct vm_state *entry_state(struct vm_check *c)
{
	struct vm_state *s = vm_state_new(&c->states);
	struct vm_value record = vm_value_pointer(VM_REGION_RECORD, 0);
	struct vm_value params = vm_value_pointer(VM_REGION_PARAMS, 0);
	struct vm_value len = vm_value_scalar(
		vm_range_unsigned(c->bounds->record_min_bytes, c->bounds->record_max_bytes));

	if (!s)
		return NULL;
	s->reg[10] = vm_value_pointer(VM_REGION_STACK, 0);
	switch (c->kind) {
	case PROGRAM_FILTER:
	case PROGRAM_KEY:
		s->reg[1] = record;
		s->reg[2] = len;
		s->reg[3] = params;
		if (c->kind == PROGRAM_KEY)
			s->reg[4] = vm_value_pointer(VM_REGION_KEY, 0);
		break;
	case PROGRAM_REDUCE:
		s->reg[1] = vm_value_pointer(VM_REGION_STATE, 0);
		s->reg[2] = record;
		s->reg[3] = len;
		s->reg[4] = params;
		break;
	case PROGRAM_COMBINE:
		s->reg[1] = vm_value_pointer(VM_REGION_STATE, 0);
		s->reg[2] = vm_value_pointer(VM_REGION_FROM, 0);
		break;
	case PROGRAM_SUB:
		break;
	}
	return s;
}

/* What the code itself shows: blocks and jumps. Also where each access's site is. */
static int describe_code(struct vm_check *c)
{
	uint32_t n_sites = 0;

	for (uint32_t at = 0; at < c->cfg.n_insns; at++) {
		const struct vm_op *op = &c->cfg.ops[at];
		struct vm_insn *info = &c->code->info[at];

		info->jump_target = c->cfg.blocks[c->cfg.block_of[at]].first == at;
		if (!op->slots)
			continue;
		if (vm_cfg_is_back_jump(op)) {
			info->back_edge = true;
			info->charge = (uint32_t)(at - vm_isa_jump_target(op, at) + 1);
		}
		c->site_of[at] = n_sites;
		n_sites += op->kind == VM_KIND_CALL ? 5 : vm_op_is_access(op);
	}
	c->sites = calloc(n_sites + 1, sizeof(*c->sites));
	return c->sites ? 0 : vm_check_no_memory(c);
}

static void check_done(struct vm_check *c)
{
	for (uint32_t b = 0; b < c->cfg.n_blocks; b++) {
		if (c->in)
			vm_state_free(&c->states, c->in[b]);
		if (c->back)
			vm_state_free(&c->states, c->back[b]);
	}
	free(c->in);
	free(c->back);
	for (uint32_t place = 0; c->memo && place < c->cfg.n_order; place++)
		vm_state_free(&c->states, c->memo[place]);
	free(c->memo);
	free(c->left);
	free(c->sites);
	free(c->site_of);
	vm_cfg_done(&c->cfg);
}

static int check_function(struct vm_check *c)
{
	struct flat_code *flat = &c->code->flat;
	const char *reason = NULL;
	uint32_t bad = 0;
	int rc = vm_cfg_init(&c->cfg, flat->insns, flat->n_insns, &bad, &reason);

	if (rc && reason)
		return vm_check_refuse_at(c, bad, "%s", reason);
	if (rc)
		return vm_check_no_memory(c);
	c->code->info = calloc(flat->n_insns, sizeof(*c->code->info));
	c->site_of = calloc(flat->n_insns, sizeof(*c->site_of));
	c->in = calloc(c->cfg.n_blocks, sizeof(*c->in));
	c->back = calloc(c->cfg.n_blocks, sizeof(*c->back));
	c->left = calloc(c->cfg.n_order, sizeof(*c->left));
	c->memo = calloc(c->cfg.n_order, sizeof(*c->memo));
	if (!c->code->info || !c->site_of || !c->in || !c->back || !c->left || !c->memo)
		return vm_check_no_memory(c);
	rc = describe_code(c);
	if (rc)
		return rc;
	c->fence_end = c->cfg.n_order;
	c->final = true;
	c->in[0] = entry_state(c);
	if (!c->in[0])
		return vm_check_no_memory(c);
	rc = vm_check_places(c, 0, c->cfg.n_order);
	if (!rc)
		rc = vm_check_verdicts(c);
	return rc;
}

/* ---- the whole program ----------------------------------------------------------------------- */

struct shared_program {
	struct vm_program vp; /* first: the public part */
	atomic_uint refs;
};

static void note_record_bytes(struct vm_program *vp, const struct vm_site *site)
{
	uint32_t start = 0, end = vp->bounds.record_max_bytes;

	if (!site->guarded) {
		start = (uint32_t)site->offset_min;
		end = (uint32_t)(site->offset_max + (int64_t)site->size_max);
	}
	if (end <= start)
		return;
	if (!vp->record_read_end || start < vp->record_read_start)
		vp->record_read_start = start;
	if (end > vp->record_read_end)
		vp->record_read_end = end;
}

/* Sum up one function into the program. */
static void summarize(struct vm_program *vp, const struct vm_check *c)
{
	struct vm_code *code = c->code;

	for (uint32_t at = 0; at < c->cfg.n_insns; at++) {
		const struct vm_op *op = &c->cfg.ops[at];
		const struct vm_insn *info = &code->info[at];
		unsigned n = op->kind == VM_KIND_CALL ? 5 : vm_op_is_access(op);

		if (!info->reachable)
			continue;
		code->has_loop |= info->back_edge;
		code->has_guard |= info->verdict == VM_GUARDED;
		code->calls_helper |= op->kind == VM_KIND_CALL;
		code->metered |= info->back_edge ||
				 (op->kind == VM_KIND_CALL &&
				  vm_helper_is_metered(vm_helper_by_number((int32_t)op->imm)));
		vp->n_proven += info->verdict == VM_PROVEN;
		vp->n_guarded += info->verdict == VM_GUARDED;
		for (unsigned i = 0; i < n; i++)
			if (c->sites[c->site_of[at] + i].region == VM_REGION_RECORD)
				note_record_bytes(vp, &c->sites[c->site_of[at] + i]);
	}
	vp->helpers |= c->helpers;
	vp->verify_steps = c->steps;
}

struct vm_bounds vm_bounds_of(const struct program *p)
{
	if (p->record_bytes)
		return (struct vm_bounds){p->record_bytes, p->record_bytes};
	return (struct vm_bounds){0, PROGRAM_MAX_RECORD_BYTES};
}

static int check_bounds(const struct program *p, const struct vm_bounds *bounds,
			struct nf_error *err)
{
	if (bounds->record_min_bytes > bounds->record_max_bytes ||
	    bounds->record_max_bytes > PROGRAM_MAX_RECORD_BYTES)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "record bounds",
				    "records of %u to %u bytes; the most is %d",
				    bounds->record_min_bytes, bounds->record_max_bytes,
				    PROGRAM_MAX_RECORD_BYTES);
	if (p->record_bytes && (bounds->record_min_bytes != p->record_bytes ||
				bounds->record_max_bytes != p->record_bytes))
		return nf_error_set(
			err, NF_INVALID_ARGUMENT, "record bounds",
			"the program wants records of %u bytes, the data set has %u to %u; "
			"use a data set of format fixed:%u",
			p->record_bytes, bounds->record_min_bytes, bounds->record_max_bytes,
			p->record_bytes);
	return 0;
}

int vm_verify(struct program *p, const struct vm_bounds *bounds, struct vm_program **ret,
	      struct nf_error *err)
{
	return vm_verify_beliefs(p, bounds, NULL, NULL, ret, err);
}

int vm_verify_beliefs(struct program *p, const struct vm_bounds *bounds, vm_believe_fn fn,
		      void *arg, struct vm_program **ret, struct nf_error *err)
{
	struct shared_program *shared;
	struct vm_program *vp;
	int rc = check_bounds(p, bounds, err);

	if (rc)
		return rc;
	shared = calloc(1, sizeof(*shared));
	if (!shared)
		return nf_error_no_memory(err, NULL);
	atomic_init(&shared->refs, 1);
	vp = &shared->vp;
	vp->program = program_ref(p);
	vp->bounds = *bounds;
	for (unsigned kind = 0; kind < PROGRAM_ENTRIES; kind++) {
		struct vm_check c = {
			.program = p,
			.bounds = bounds,
			.kind = kind,
			.code = &vp->code[kind],
			.believe = fn,
			.believe_arg = arg,
			.err = err,
			.steps = vp->verify_steps,
		};

		rc = program_flatten(p, kind, &vp->code[kind].flat, err);
		if (rc == -ENOENT)
			continue;
		if (!rc)
			rc = check_function(&c);
		if (!rc)
			summarize(vp, &c);
		check_done(&c);
		if (rc) {
			vm_program_unref(vp);
			return rc;
		}
	}
	*ret = vp;
	return 0;
}

struct vm_program *vm_program_ref(struct vm_program *vp)
{
	atomic_fetch_add_explicit(&((struct shared_program *)vp)->refs, 1, memory_order_relaxed);
	return vp;
}

void vm_program_unref(struct vm_program *vp)
{
	struct shared_program *shared = (struct shared_program *)vp;

	if (!vp || atomic_fetch_sub_explicit(&shared->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (unsigned kind = 0; kind < PROGRAM_ENTRIES; kind++) {
		flat_code_done(&vp->code[kind].flat);
		free(vp->code[kind].info);
	}
	program_unref((struct program *)vp->program);
	free(shared);
}
