/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* vm_trap.c - why a run ended early, in words for the user. */
#include <inttypes.h>
#include <stdio.h>

#include "vm/vm_interp.h"
#include "vm/vm_isa.h"

#define FAIL_TEXT "the program reported error "

static const char *bounds_verb(const struct vm_program *vp, const struct vm_trap *trap)
{
	const struct flat_code *flat = &vp->code[trap->entry].flat;
	struct vm_op op;

	if (trap->insn >= flat->n_insns ||
	    vm_isa_decode(flat->insns, flat->n_insns, trap->insn, &op))
		return "touches";
	return op.kind == VM_KIND_LOAD    ? "reads"
	       : op.kind == VM_KIND_STORE ? "writes"
					  : "hands a helper";
}

static void where_of(const struct vm_program *vp, const struct vm_trap *trap, const char *record,
		     char *buf, size_t size)
{
	const struct flat_code *flat = &vp->code[trap->entry].flat;
	char at[192] = "";

	if (trap->insn < flat->n_insns)
		program_where(vp->program, flat->origin[trap->insn].func,
			      flat->origin[trap->insn].insn, at, sizeof(at));
	if (record && record[0])
		snprintf(buf, size, "%s, %.60s", at, record);
	else
		snprintf(buf, size, "%s", at);
}

int vm_trap_error(const struct vm_program *vp, const struct vm_trap *trap, const char *record,
		  struct nf_error *err)
{
	char where[sizeof(err->where)];

	where_of(vp, trap, record, where, sizeof(where));
	switch (trap->kind) {
	case VM_TRAP_BOUNDS:
		return nf_error_set(err, NF_OUT_OF_RANGE, where,
				    "the program %s %" PRIu32 " bytes at offset %" PRId64
				    " of the %s, which has %" PRIu64
				    " bytes: compare %s before the access",
				    bounds_verb(vp, trap), trap->access_bytes, trap->offset,
				    vm_region_name(trap->region), trap->region_bytes,
				    trap->region == VM_REGION_RECORD ? "with the length"
								     : "the index with its size");
	case VM_TRAP_BUDGET:
		return nf_error_set(err, NF_OUT_OF_RANGE, where,
				    "the program used up its budget of %" PRIu64
				    " instructions for one record in loops: let the loop end "
				    "earlier, or ask for a larger budget",
				    trap->budget);
	case VM_TRAP_FAIL:
		return nf_error_set(err, NF_OUT_OF_RANGE, where,
				    FAIL_TEXT "%" PRIu32 " (fold_fail)", trap->code);
	default:
		return nf_error_set(err, NF_INTERNAL, where,
				    "the program stopped without a reason");
	}
}

bool vm_trap_fail_code(const char *text, uint32_t *ret)
{
	return sscanf(text, FAIL_TEXT "%" SCNu32 " (fold_fail)", ret) == 1;
}
