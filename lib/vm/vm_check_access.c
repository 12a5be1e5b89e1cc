/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm_check_access.c - loads, stores and the arguments of helper calls: what may be read and
 * written, what each access is believed to touch, and the verdicts in the end.
 */
#include "vm/vm_check.h"

#include <inttypes.h>

/* The size of an argument that cannot be one: an engine's check always stops it. */
#define SIZE_TOO_LARGE ((uint64_t)INT32_MAX + 1)

static const struct {
	const char *name;
	bool writable;
} regions[VM_REGIONS] = {
	[VM_REGION_NONE] = {"nothing", false},  [VM_REGION_RECORD] = {"record", false},
	[VM_REGION_PARAMS] = {"params", false}, [VM_REGION_STATE] = {"state", true},
	[VM_REGION_FROM] = {"from", false},     [VM_REGION_KEY] = {"key", true},
	[VM_REGION_STACK] = {"stack", true},    [VM_REGION_RODATA] = {"rodata", false},
};

const char *vm_region_name(enum vm_region region)
{
	return (unsigned)region < VM_REGIONS ? regions[region].name : "unknown";
}

uint64_t vm_check_region_max(const struct vm_check *c, enum vm_region region)
{
	const struct program *p = c->program;

	switch (region) {
	case VM_REGION_RECORD:
		return c->bounds->record_max_bytes;
	case VM_REGION_PARAMS:
		return p->params_bytes;
	case VM_REGION_STATE:
	case VM_REGION_FROM:
		return p->state_bytes;
	case VM_REGION_KEY:
		return p->key_bytes;
	case VM_REGION_RODATA:
		return p->rodata_bytes;
	case VM_REGION_STACK:
		return c->code->flat.stack_bytes;
	case VM_REGION_NONE:
	case VM_REGIONS:
		break;
	}
	return 0;
}

uint64_t vm_check_region_min(const struct vm_check *c, enum vm_region region)
{
	return region == VM_REGION_RECORD ? c->bounds->record_min_bytes
					  : vm_check_region_max(c, region);
}

/* "the record has 24 bytes", "the record has 0 to 1048576 bytes" */
static const char *region_size_text(const struct vm_check *c, enum vm_region region, char *buf,
				    size_t size)
{
	uint64_t min = vm_check_region_min(c, region), max = vm_check_region_max(c, region);

	if (min == max)
		snprintf(buf, size, "the %s has %" PRIu64 " bytes", vm_region_name(region), max);
	else
		snprintf(buf, size, "the %s has %" PRIu64 " to %" PRIu64 " bytes",
			 vm_region_name(region), min, max);
	return buf;
}

/* A register that must hold a pointer. */
static int need_pointer(struct vm_check *c, const struct vm_state *s, unsigned reg,
			const char *what)
{
	const struct vm_value *v = &s->reg[reg];
	char text[96];

	if (v->kind == VALUE_POINTER)
		return 0;
	return vm_check_refuse(c, "%s r%u, which is no pointer (r%u = %s)", what, reg, reg,
			       vm_value_text(v, text, sizeof(text)));
}

/*
 * Note an access at region + offset of size_min..size_max bytes. Stack accesses must be inside
 * of the stack here and now: nobody guards them.
 */
static int note_access(struct vm_check *c, struct vm_site *site, unsigned reg,
		       const struct vm_value *pointer, const struct vm_range *offset,
		       uint64_t size_min, uint64_t size_max)
{
	enum vm_region region = pointer->region;
	int64_t min = offset->smin, max = offset->smax;
	uint64_t surely = vm_check_region_min(c, region), at_most = vm_check_region_max(c, region);
	char text[96];
	int rc;

	if (region == VM_REGION_STACK) {
		if (min < -(int64_t)at_most || size_max > at_most || max > -(int64_t)size_max)
			return vm_check_refuse(
				c,
				"r%u: %" PRIu64 " bytes at %s are not surely inside the "
				"stack frame, which is [-%" PRIu64 ", 0)",
				reg, size_max,
				vm_offsets_text(region, min, max, text, sizeof(text)), at_most);
		rc = vm_check_steps(c, ((max > min ? (uint64_t)(max - min) : 0) + size_max) /
					       (8 * VM_SLOTS_PER_STEP));
		if (rc)
			return rc;
	}
	if (!c->final)
		return 0;
	if (site->region != VM_REGION_NONE && site->region != region)
		return vm_check_refuse(c,
				       "r%u points into the %s on one way here and into the %s on "
				       "another; access them in separate instructions",
				       reg, vm_region_name(site->region), vm_region_name(region));
	if (site->region == VM_REGION_NONE) {
		site->region = (uint8_t)region;
		site->offset_min = min;
		site->offset_max = max;
		site->size_min = size_min;
		site->size_max = size_max;
	}
	if (min < site->offset_min)
		site->offset_min = min;
	if (max > site->offset_max)
		site->offset_max = max;
	if (size_min < site->size_min)
		site->size_min = size_min;
	if (size_max > site->size_max)
		site->size_max = size_max;
	if (region == VM_REGION_STACK) {
		site->possible = true;
		return 0;
	}
	if (min < 0 || size_max > surely || max > (int64_t)(surely - size_max))
		site->guarded = true;
	if (size_min <= at_most && max >= 0 && min <= (int64_t)(at_most - size_min))
		site->possible = true;
	return 0;
}

static struct vm_range moved(const struct vm_value *pointer, int32_t off)
{
	struct vm_range add = vm_range_const((uint64_t)(int64_t)off);

	return vm_range_alu(RANGE_ADD, true, &pointer->range, &add);
}

/*
 * After the access, proven or guarded, the pointer is what it must have been: inside the largest
 * region there can be. False: that is nowhere, and the guard has ended the way.
 */
static bool believe_access(const struct vm_check *c, struct vm_value *pointer,
			   const struct vm_op *op)
{
	uint64_t at_most = vm_check_region_max(c, pointer->region);
	struct vm_range inside;

	if (pointer->region == VM_REGION_STACK)
		return true;
	if (at_most < op->bytes)
		return false;
	inside = vm_range_signed(-(int64_t)op->off, (int64_t)(at_most - op->bytes) - op->off);
	return vm_range_intersect(&pointer->range, &inside, &pointer->range);
}

int vm_check_load(struct vm_check *c, struct vm_state *s, const struct vm_op *op)
{
	struct vm_value *base = &s->reg[op->src];
	struct vm_value v = vm_value_scalar(vm_range_unknown());
	struct vm_range offset;
	const char *reason;
	char text[96];
	int rc = need_pointer(c, s, op->src, "reads through");

	if (rc)
		return rc;
	offset = moved(base, op->off);
	rc = note_access(c, &c->sites[c->site_of[c->insn]], op->src, base, &offset, op->bytes,
			 op->bytes);
	if (rc)
		return rc;
	if (base->region == VM_REGION_STACK) {
		reason = vm_stack_read(s, offset.smin, offset.smax, op->bytes, &v);
		if (reason)
			return vm_check_refuse(c, "%s (%u bytes at %s)", reason, op->bytes,
					       vm_offsets_text(VM_REGION_STACK, offset.smin,
							       offset.smax, text, sizeof(text)));
	} else if (op->bytes < 8) {
		v.range = vm_range_unsigned(0, (1ull << 8 * op->bytes) - 1);
	}
	if (v.kind == VALUE_SCALAR && op->sign)
		v.range = vm_range_sext(&v.range, 8u * op->bytes);
	if (!believe_access(c, base, op))
		return CHECK_ENDS;
	s->reg[op->dst] = v;
	return CHECK_GOES_ON;
}

static int need_writable(struct vm_check *c, unsigned reg, const struct vm_value *pointer)
{
	char text[96];

	if (regions[pointer->region].writable)
		return 0;
	return vm_check_refuse(c, "writes to the %s, which is read-only (r%u = %s)",
			       vm_region_name(pointer->region), reg,
			       vm_value_text(pointer, text, sizeof(text)));
}

/* What may be stored: numbers anywhere, anything else whole and aligned into one slot of the
 * stack. */
static int need_storable(struct vm_check *c, const struct vm_op *op, const struct vm_value *v,
			 const struct vm_value *pointer, const struct vm_range *offset)
{
	char text[96];

	if (v->kind == VALUE_SCALAR)
		return 0;
	if (v->kind == VALUE_UNINIT)
		return vm_check_refuse(c,
				       "stores r%u, which is used before it is initialised (on "
				       "some way here)",
				       op->src);
	if (pointer->region != VM_REGION_STACK)
		return vm_check_refuse(c,
				       "stores a pointer into the %s (r%u = %s); pointers may be "
				       "kept on the stack only",
				       vm_region_name(pointer->region), op->src,
				       vm_value_text(v, text, sizeof(text)));
	if (op->bytes == 8 && vm_range_is_const(offset) && offset->smin % 8 == 0)
		return 0;
	return vm_check_refuse(c,
			       "stores a pointer (r%u = %s) other than as 8 aligned bytes at a "
			       "known place of the stack",
			       op->src, vm_value_text(v, text, sizeof(text)));
}

int vm_check_store(struct vm_check *c, struct vm_state *s, const struct vm_op *op)
{
	struct vm_value *base = &s->reg[op->dst];
	struct vm_value v =
		op->use_imm ? vm_value_scalar(vm_range_const((uint64_t)op->imm)) : s->reg[op->src];
	struct vm_range offset;
	int rc = need_pointer(c, s, op->dst, "writes through");

	if (!rc)
		rc = need_writable(c, op->dst, base);
	if (rc)
		return rc;
	offset = moved(base, op->off);
	rc = need_storable(c, op, &v, base, &offset);
	if (!rc)
		rc = note_access(c, &c->sites[c->site_of[c->insn]], op->dst, base, &offset,
				 op->bytes, op->bytes);
	if (rc)
		return rc;
	if (base->region == VM_REGION_STACK &&
	    vm_stack_write(&c->states, s, offset.smin, offset.smax, op->bytes, &v))
		return vm_check_no_memory(c);
	return believe_access(c, base, op) ? CHECK_GOES_ON : CHECK_ENDS;
}

/* ---- helper calls ---------------------------------------------------------------------------- */

/* Memory argument i: `size` bytes at r(i+1), read or read and written. */
static int check_memory_argument(struct vm_check *c, struct vm_state *s, unsigned i,
				 const struct vm_helper *h, uint64_t size_min, uint64_t size_max)
{
	struct vm_value *pointer = &s->reg[i + 1], ignored;
	bool writes = h->arg[i] == VM_ARG_WRITE_FIXED;
	const char *reason;
	char what[96], text[96];
	int rc;

	snprintf(what, sizeof(what), "%s wants a pointer in", h->name);
	rc = need_pointer(c, s, i + 1, what);
	if (!rc && writes)
		rc = need_writable(c, i + 1, pointer);
	if (!rc)
		rc = note_access(c, &c->sites[c->site_of[c->insn] + i], i + 1, pointer,
				 &pointer->range, size_min, size_max);
	if (rc || pointer->region != VM_REGION_STACK)
		return rc;
	if (writes && h->write_only)
		return 0;
	reason = vm_stack_read(s, pointer->range.smin, pointer->range.smax, (uint32_t)size_max,
			       &ignored);
	if (!reason && ignored.kind != VALUE_SCALAR)
		reason = "reads a pointer that was kept on the stack";
	if (reason)
		return vm_check_refuse(c, "%s %s (r%u = %s)", h->name, reason, i + 1,
				       vm_value_text(pointer, text, sizeof(text)));
	return 0;
}

int vm_check_call(struct vm_check *c, struct vm_state *s, const struct vm_op *op)
{
	const struct vm_helper *h = vm_helper_by_number((int32_t)op->imm);
	struct vm_value unknown = vm_value_scalar(vm_range_unknown());
	char text[96];
	int rc = 0;

	if (!h)
		return vm_check_refuse(c, "calls helper %" PRId64 ", which does not exist",
				       op->imm);
	for (unsigned i = 0; i < 5 && !rc; i++) {
		const struct vm_value *v = &s->reg[i + 1];

		switch ((enum vm_arg)h->arg[i]) {
		case VM_ARG_NONE:
			break;
		case VM_ARG_SCALAR:
		case VM_ARG_SIZE:
			if (v->kind != VALUE_SCALAR)
				rc = vm_check_refuse(c, "%s wants a number in r%u (r%u = %s)",
						     h->name, i + 1, i + 1,
						     vm_value_text(v, text, sizeof(text)));
			break;
		case VM_ARG_MEM_READ: {
			const struct vm_range *size = &s->reg[i + 2].range;

			if (s->reg[i + 2].kind != VALUE_SCALAR)
				break; /* the next argument's turn says so */
			rc = check_memory_argument(
				c, s, i, h,
				size->umin < SIZE_TOO_LARGE ? size->umin : SIZE_TOO_LARGE,
				size->umax < SIZE_TOO_LARGE ? size->umax : SIZE_TOO_LARGE);
			break;
		}
		case VM_ARG_READ_FIXED:
		case VM_ARG_WRITE_FIXED:
			rc = check_memory_argument(c, s, i, h, h->fixed_bytes, h->fixed_bytes);
			break;
		}
	}
	if (rc)
		return rc;
	/* What it writes is written after everything was read. */
	for (unsigned i = 0; i < 5; i++) {
		const struct vm_range *at = &s->reg[i + 1].range;

		if (h->arg[i] == VM_ARG_WRITE_FIXED && s->reg[i + 1].region == VM_REGION_STACK &&
		    vm_stack_write(&c->states, s, at->smin, at->smax, h->fixed_bytes, &unknown))
			return vm_check_no_memory(c);
	}
	if (c->final)
		c->helpers |= 1ull << (h - vm_helpers);
	for (unsigned reg = 1; reg <= 5; reg++)
		s->reg[reg] = (struct vm_value){.kind = VALUE_UNINIT};
	s->reg[0] = unknown;
	if (h->ret_max >= h->ret_min)
		s->reg[0].range = vm_range_signed(h->ret_min, h->ret_max);
	return h->fn ? CHECK_GOES_ON : CHECK_ENDS;
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static int refuse_overrun(struct vm_check *c, uint32_t insn, const struct vm_op *op,
			  const struct vm_site *site, unsigned arg)
{
	unsigned reg = op->kind == VM_KIND_LOAD    ? op->src
		       : op->kind == VM_KIND_STORE ? op->dst
						   : arg + 1;
	int64_t min = site->offset_min, max = site->offset_max;
	char where[96], size[96], bytes[48], base[32] = "";

	snprintf(bytes, sizeof(bytes),
		 site->size_min == site->size_max ? "%" PRIu64 : "at least %" PRIu64,
		 site->size_min);
	if (vm_op_is_access(op) && op->off)
		snprintf(base, sizeof(base), " %c %d", op->off < 0 ? '-' : '+',
			 op->off < 0 ? -op->off : op->off);
	return vm_check_refuse_at(c, insn, "%s %s bytes at r%u%s = %s, always outside; %s",
				  op->kind == VM_KIND_LOAD    ? "reads"
				  : op->kind == VM_KIND_STORE ? "writes"
							      : "passes",
				  bytes, reg, base,
				  vm_offsets_text(site->region, min, max, where, sizeof(where)),
				  region_size_text(c, site->region, size, sizeof(size)));
}

int vm_check_verdicts(struct vm_check *c)
{
	for (uint32_t at = 0; at < c->cfg.n_insns; at++) {
		const struct vm_op *op = &c->cfg.ops[at];
		struct vm_insn *info = &c->code->info[at];
		unsigned n = op->kind == VM_KIND_CALL ? 5 : 1;
		bool any = false;

		if (!op->slots || !info->reachable ||
		    (!vm_op_is_access(op) && op->kind != VM_KIND_CALL))
			continue;
		for (unsigned i = 0; i < n; i++) {
			const struct vm_site *site = &c->sites[c->site_of[at] + i];

			if (site->region == VM_REGION_NONE)
				continue;
			if (!site->possible)
				return refuse_overrun(c, at, op, site, i);
			if (op->kind == VM_KIND_CALL) {
				info->arg_region[i] = site->region;
				info->arg_guarded |= (uint8_t)(site->guarded << i);
			} else {
				info->region = site->region;
			}
			if (!any || site->guarded > (info->verdict == VM_GUARDED))
				info->verdict = site->guarded ? VM_GUARDED : VM_PROVEN;
			if (!any || site->offset_min < info->offset_min)
				info->offset_min = site->offset_min;
			if (!any || site->offset_max > info->offset_max)
				info->offset_max = site->offset_max;
			any = true;
		}
	}
	return 0;
}
