/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elf_link.c - functions and their references.
 *
 * clang leaves a call of a sub-function either as src_reg 1 with the distance in imm (same
 * section), or with a relocation R_BPF_64_32 whose target is the symbol's value + 8 * (imm + 1).
 * The address of a constant is a 64-bit load with R_BPF_64_64: symbol's value + imm. Only
 * functions that an entry reaches become part of the program.
 */
#include "program/elf_link.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "program/program_check.h"

enum { INSN_BYTES = sizeof(struct bpf_insn), HELPER_BASE = 0x10000 };

struct link_block {
	struct link_block *next;
	_Alignas(16) uint8_t bytes[];
};

void *link_alloc(struct elf_linker *l, size_t size)
{
	struct link_block *b = calloc(1, sizeof(*b) + size);

	if (!b) {
		nf_error_set(l->err, NF_RESOURCE_EXHAUSTED, l->object->name, "out of memory");
		return NULL;
	}
	b->next = l->pool;
	l->pool = b;
	return b->bytes;
}

void elf_linker_done(struct elf_linker *l)
{
	while (l->pool) {
		struct link_block *next = l->pool->next;

		free(l->pool);
		l->pool = next;
	}
}

int link_refuse(struct elf_linker *l, const struct link_func *f, uint32_t insn, const char *fmt,
		...)
{
	const struct elf_line_info *line =
		elf_debug_line(l->debug, f->section, ((uint64_t)f->start + insn) * INSN_BYTES);
	char where[256];
	va_list ap;

	if (line && line->offset >= (uint64_t)f->start * INSN_BYTES)
		snprintf(where, sizeof(where), "%.100s:%" PRIu32 " in function '%.100s'",
			 elf_debug_base_name(line->file), line->line, f->name);
	else
		snprintf(where, sizeof(where), "%.100s, function '%.100s'", l->object->name,
			 f->name);
	va_start(ap, fmt);
	int r = nf_error_vset(l->err, NF_INVALID_ARGUMENT, where, fmt, ap);
	va_end(ap);
	return r;
}

int link_refuse_object(struct elf_linker *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int r = nf_error_vset(l->err, NF_INVALID_ARGUMENT, l->object->name, fmt, ap);
	va_end(ap);
	return r;
}

/* The function symbol that starts at that place, or covers the section from 0 for an entry. */
static const struct elf_symbol *function_at(const struct elf_object *o, uint32_t section,
					    uint64_t offset)
{
	for (uint32_t i = 0; i < o->n_symbols; i++) {
		const struct elf_symbol *s = &o->symbols[i];

		if (s->type == STT_FUNC && s->section == section && s->value == offset)
			return s;
	}
	return NULL;
}

/* Gives the function a number, or finds the one that it has. */
static int add_func(struct elf_linker *l, const struct elf_symbol *s, enum program_kind kind,
		    uint32_t *ret_index)
{
	const struct elf_section *section = &l->object->sections[s->section];
	struct link_func f = {.name = s->name,
			      .kind = kind,
			      .section = s->section,
			      .start = (uint32_t)(s->value / INSN_BYTES),
			      .n_insns = (uint32_t)(s->size / INSN_BYTES)};

	for (uint32_t i = 0; i < l->n_funcs; i++) {
		if (l->funcs[i].section == f.section && l->funcs[i].start == f.start) {
			*ret_index = i;
			return 0;
		}
	}
	if (s->value % INSN_BYTES || s->size % INSN_BYTES || s->size == 0 ||
	    !checked_range(s->value, s->size, section->size) || section->size > UINT32_MAX)
		return link_refuse_object(l, "function '%s' does not lie inside its section %s",
					  s->name, section->name);
	if (f.n_insns > PROGRAM_MAX_INSNS)
		return link_refuse(l, &f, 0,
				   "has %" PRIu32 " instructions; a program has at most %d",
				   f.n_insns, PROGRAM_MAX_INSNS);
	if (l->n_funcs == PROGRAM_MAX_FUNCS)
		return link_refuse(l, &f, 0, "one function too many; a program has at most %d",
				   PROGRAM_MAX_FUNCS);
	*ret_index = l->n_funcs;
	l->funcs[l->n_funcs++] = f;
	return 0;
}

/* The section fold/KIND holds exactly one function. */
static int add_entry(struct elf_linker *l, uint32_t section, enum program_kind kind)
{
	const struct elf_object *o = l->object;
	const struct elf_symbol *found = NULL;
	uint32_t index;

	for (uint32_t i = 0; i < o->n_symbols; i++) {
		const struct elf_symbol *s = &o->symbols[i];

		if (s->type != STT_FUNC || s->section != section)
			continue;
		if (found)
			return link_refuse_object(
				l,
				"'%s' and '%s' are both in section %s; a program has "
				"one %s function",
				found->name, s->name, o->sections[section].name,
				program_kind_name(kind));
		found = s;
	}
	if (!found)
		return link_refuse_object(l, "section %s holds no function",
					  o->sections[section].name);
	return add_func(l, found, kind, &index);
}

/* Entries first, in the order of their kinds, so that equal programs get equal bytes. */
static int add_entries(struct elf_linker *l)
{
	const struct elf_object *o = l->object;
	bool seen[PROGRAM_ENTRIES] = {0};

	for (int kind = 0; kind < PROGRAM_ENTRIES; kind++) {
		char name[32];

		snprintf(name, sizeof(name), "fold/%s", program_kind_name(kind));
		for (uint32_t i = 1; i < o->n_sections; i++) {
			if (!elf_is_code(&o->sections[i]) || strcmp(o->sections[i].name, name))
				continue;
			if (seen[kind])
				return link_refuse_object(
					l,
					"has two sections %s; a program has one %s "
					"function",
					name, program_kind_name(kind));
			int r = add_entry(l, i, kind);
			if (r)
				return r;
			seen[kind] = true;
		}
	}
	if (!seen[PROGRAM_REDUCE] || !seen[PROGRAM_COMBINE])
		return link_refuse_object(l,
					  "has no function in section fold/%s; a program needs "
					  "reduce and combine",
					  seen[PROGRAM_REDUCE] ? "combine" : "reduce");
	return 0;
}

static const char *symbol_name(const struct elf_linker *l, const struct elf_symbol *s)
{
	if (s->name[0])
		return s->name;
	return s->section != ELF_NO_SECTION ? l->object->sections[s->section].name : "";
}

static int link_call(struct elf_linker *l, uint32_t func, uint32_t i, struct bpf_insn *insn,
		     const struct elf_reloc *reloc)
{
	const struct link_func *f = &l->funcs[func];
	const struct elf_object *o = l->object;
	uint32_t section = f->section, index;
	int64_t target = ((int64_t)f->start + i + 1 + insn->imm) * INSN_BYTES;

	if (reloc) {
		const struct elf_symbol *s = &o->symbols[reloc->symbol];

		if (s->section == 0)
			return link_refuse(l, f, i,
					   "'%s' is declared but not defined; every function must "
					   "be in this object",
					   s->name);
		if (s->section == ELF_NO_SECTION || !elf_is_code(&o->sections[s->section]))
			return link_refuse(l, f, i, "calls '%s', which is no function",
					   symbol_name(l, s));
		section = s->section;
		target = (int64_t)s->value + ((int64_t)insn->imm + 1) * INSN_BYTES;
	} else if (insn->src_reg == 0 && insn->imm >= HELPER_BASE) {
		return 0;
	} else if (insn->src_reg == 0) {
		return link_refuse(l, f, i,
				   "calls the kernel's helper function %" PRId32 "; only the "
				   "functions of nearfold.bpf.h can be called",
				   insn->imm);
	} else if (insn->src_reg != BPF_PSEUDO_CALL) {
		return link_refuse(
			l, f, i,
			"a call of a kind (%u) that is not possible here; only "
			"the functions of nearfold.bpf.h and of this object can be called",
			insn->src_reg);
	}
	const struct elf_symbol *callee =
		target < 0 ? NULL : function_at(o, section, (uint64_t)target);
	if (!callee)
		return link_refuse(l, f, i, "the call does not lead to the start of a function");
	int r = add_func(l, callee, PROGRAM_SUB, &index);
	if (r)
		return r;
	if (l->funcs[index].kind != PROGRAM_SUB)
		return link_refuse(l, f, i,
				   "calls '%s', which is the %s function; move what both need "
				   "to a static function",
				   callee->name, program_kind_name(l->funcs[index].kind));
	*insn = (struct bpf_insn){
		.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_CALL, .imm = (int32_t)index};
	return 0;
}

/* Why an address cannot be had: what the symbol is. */
static int refuse_address(struct elf_linker *l, const struct link_func *f, uint32_t i,
			  const struct elf_symbol *s, uint64_t offset)
{
	const struct elf_section *section;
	const struct elf_symbol *named = s;

	if (s->section == 0)
		return link_refuse(l, f, i, "'%s' is declared but not defined", s->name);
	if (s->section == ELF_NO_SECTION)
		return link_refuse(l, f, i, "uses '%s', which has no place in this object",
				   symbol_name(l, s));
	section = &l->object->sections[s->section];
	if (s->type == STT_SECTION && elf_symbol_at(l->object, s->section, offset))
		named = elf_symbol_at(l->object, s->section, offset);
	if (!strcmp(section->name, ".maps") || !strcmp(section->name, "maps"))
		return link_refuse(l, f, i,
				   "uses the map '%s'; a program has no maps, only its state",
				   symbol_name(l, named));
	if (section->flags & SHF_EXECINSTR)
		return link_refuse(l, f, i,
				   "takes the address of function '%s'; functions can only be "
				   "called by name",
				   symbol_name(l, named));
	if (section->flags & SHF_WRITE)
		return link_refuse(l, f, i,
				   "uses the variable '%s' (section %s); a program has no "
				   "variables that change: make it const, or put it into the state",
				   symbol_name(l, named), section->name);
	return link_refuse(l, f, i,
			   "uses '%s' in section %s; only constants in .rodata can be used",
			   symbol_name(l, named), section->name);
}

static int link_address(struct elf_linker *l, uint32_t func, uint32_t i, struct bpf_insn *insn,
			const struct elf_reloc *reloc)
{
	const struct link_func *f = &l->funcs[func];
	const struct elf_symbol *s = &l->object->symbols[reloc->symbol];
	uint64_t offset = s->value + (uint64_t)(int64_t)insn[0].imm;

	if (s->section == 0 || s->section == ELF_NO_SECTION ||
	    l->rodata_offset[s->section] == ELF_NO_SECTION)
		return refuse_address(l, f, i, s, offset);
	if (insn[0].src_reg || insn[0].off || insn[1].imm ||
	    offset >= l->object->sections[s->section].size)
		return link_refuse(l, f, i,
				   "the address of '%s' %+" PRId32 " lies outside of its section "
				   "%s",
				   symbol_name(l, s), insn[0].imm,
				   l->object->sections[s->section].name);
	insn[0].src_reg = PROGRAM_PSEUDO_RODATA;
	insn[0].imm = (int32_t)(l->rodata_offset[s->section] + offset);
	return 0;
}

static int link_insns(struct elf_linker *l, uint32_t func, struct bpf_insn *insns)
{
	for (uint32_t i = 0; i < l->funcs[func].n_insns; i++) {
		const struct link_func *f = &l->funcs[func];
		uint64_t at = ((uint64_t)f->start + i) * INSN_BYTES;
		const struct elf_reloc *reloc = elf_find_reloc(l->object, f->section, at);
		bool call = insns[i].code == (BPF_JMP | BPF_CALL);
		bool load = insn_is_ld_imm64(&insns[i]);
		int r = 0;

		if (insns[i].code == (BPF_JMP | BPF_CALL | BPF_X))
			return link_refuse(l, f, i,
					   "calls through a pointer; functions can only be called "
					   "by name");
		if (load && i + 1 == f->n_insns)
			return link_refuse(l, f, i, "ends in half a 64-bit load");
		if (reloc && !(call && reloc->type == ELF_BPF_64_32) &&
		    !(load && reloc->type == ELF_BPF_64_64))
			return link_refuse(l, f, i,
					   "a reference to '%s' of a kind (%" PRIu32 ") that is "
					   "not possible here",
					   symbol_name(l, &l->object->symbols[reloc->symbol]),
					   reloc->type);
		if (call)
			r = link_call(l, func, i, &insns[i], reloc);
		else if (load && reloc)
			r = link_address(l, func, i, &insns[i], reloc);
		else if (load && insns[i].src_reg)
			r = link_refuse(l, f, i,
					"a 64-bit load of a kind (%u) that is not possible here",
					insns[i].src_reg);
		if (r)
			return r;
		i += load;
	}
	return 0;
}

int link_code(struct elf_linker *l)
{
	uint32_t n_insns = 0;
	int r = add_entries(l);

	/* l->n_funcs grows while calls are found. */
	for (uint32_t i = 0; i < l->n_funcs && !r; i++) {
		const struct link_func f = l->funcs[i];
		struct bpf_insn *insns = link_alloc(l, f.n_insns * sizeof(*insns));

		if (!insns)
			return -ENOMEM;
		n_insns += f.n_insns;
		if (n_insns > PROGRAM_MAX_INSNS)
			return link_refuse(l, &f, 0,
					   "is one function too many: together they have more "
					   "than %d instructions",
					   PROGRAM_MAX_INSNS);
		memcpy(insns, l->object->sections[f.section].data + (size_t)f.start * INSN_BYTES,
		       f.n_insns * sizeof(*insns));
		l->out[i] =
			(struct program_func){.kind = f.kind, .insns = insns, .n_insns = f.n_insns};
		r = link_insns(l, i, insns);
	}
	l->draft.funcs = l->out;
	l->draft.n_funcs = l->n_funcs;
	return r;
}
