/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* vm_report.c - what the verifier believes, for people. */
#include <inttypes.h>
#include <string.h>

#include "vm/vm_check.h"

const char *vm_offsets_text(enum vm_region region, int64_t min, int64_t max, char *buf, size_t size)
{
	const char *name = vm_region_name(region);

	if (min == max)
		snprintf(buf, size, "%s %c %" PRIu64, name, min < 0 ? '-' : '+',
			 min < 0 ? -(uint64_t)min : (uint64_t)min);
	else if (min == INT64_MIN && max == INT64_MAX)
		snprintf(buf, size, "%s + anything", name);
	else if (min == INT64_MIN)
		snprintf(buf, size, "%s + at most %" PRId64, name, max);
	else if (max == INT64_MAX)
		snprintf(buf, size, "%s + at least %" PRId64, name, min);
	else
		snprintf(buf, size, "%s + [%" PRId64 ", %" PRId64 "]", name, min, max);
	return buf;
}

const char *vm_value_text(const struct vm_value *v, char *buf, size_t size)
{
	const struct vm_range *r = &v->range;

	switch ((enum vm_value_kind)v->kind) {
	case VALUE_UNINIT:
		snprintf(buf, size, "not initialised (on some way here)");
		break;
	case VALUE_MIXED:
		snprintf(buf, size, "values of different kinds on different ways here");
		break;
	case VALUE_POINTER:
		vm_offsets_text(v->region, r->smin, r->smax, buf, size);
		break;
	case VALUE_SCALAR:
		if (vm_range_is_const(r))
			snprintf(buf, size, "the number %" PRId64, r->smin);
		else if (r->smin == INT64_MIN && r->smax == INT64_MAX)
			snprintf(buf, size, "any number");
		else
			snprintf(buf, size, "a number in [%" PRId64 ", %" PRId64 "]", r->smin,
				 r->smax);
		break;
	}
	return buf;
}

static const char *verdict_name(const struct vm_insn *info)
{
	return info->verdict == VM_PROVEN ? "proven" : "guarded";
}

static void report_insn(const struct vm_program *vp, const struct vm_code *code, uint32_t at,
			FILE *out)
{
	const struct vm_insn *info = &code->info[at];
	const struct flat_origin *o = &code->flat.origin[at];
	const struct program_line *line = program_line_at(vp->program, o->func, o->insn);
	struct vm_op op;
	char what[160] = "", where[320], source[160] = "";
	size_t used = 0;

	if (vm_isa_decode(code->flat.insns, code->flat.n_insns, at, &op))
		return;
	if (op.kind == VM_KIND_CALL) {
		used = (size_t)snprintf(what, sizeof(what), "%s with",
					vm_helper_name((int32_t)op.imm));
		for (unsigned i = 0; i < 5 && used < sizeof(what); i++)
			if (info->arg_region[i])
				used += (size_t)snprintf(
					what + used, sizeof(what) - used, " r%u: %s%s", i + 1,
					vm_region_name(info->arg_region[i]),
					info->arg_guarded >> i & 1 ? " (guarded)" : "");
	} else {
		char offsets[96];

		snprintf(what, sizeof(what), "%s %u bytes at %s",
			 op.kind == VM_KIND_LOAD ? "reads" : "writes", op.bytes,
			 vm_offsets_text(info->region, info->offset_min, info->offset_max, offsets,
					 sizeof(offsets)));
	}
	if (line && line->text[0]) {
		const char *text = line->text + strspn(line->text, " \t");

		snprintf(source, sizeof(source), "    | %s", text);
	}
	fprintf(out, "%-8s %s: %s%s\n", verdict_name(info),
		program_where(vp->program, o->func, o->insn, where, sizeof(where)), what, source);
}

void vm_report(const struct vm_program *vp, bool guarded_only, FILE *out)
{
	for (unsigned kind = 0; kind < PROGRAM_ENTRIES; kind++) {
		const struct vm_code *code = &vp->code[kind];

		for (uint32_t at = 0; at < code->flat.n_insns; at++)
			if (code->info[at].verdict == VM_GUARDED ||
			    (code->info[at].verdict == VM_PROVEN && !guarded_only))
				report_insn(vp, code, at, out);
	}
}
