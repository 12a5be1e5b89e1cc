/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* elf_link_data.c - data sections: constants, the start state, and what a program cannot have. */
#include "program/elf_link.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static bool starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

static bool is_rodata(const struct elf_section *s)
{
	return elf_is_loaded(s) && s->type == SHT_PROGBITS &&
	       !(s->flags & (SHF_WRITE | SHF_EXECINSTR)) &&
	       (!strcmp(s->name, ".rodata") || starts_with(s->name, ".rodata."));
}

static int check_section(struct elf_linker *l, uint32_t i)
{
	static const char *const known[] = {"fold/filter", "fold/key", "fold/reduce",
					    "fold/combine", "fold/init"};
	const struct elf_section *s = &l->object->sections[i];
	const struct elf_symbol *sym = elf_symbol_at(l->object, i, 0);
	const char *name = sym ? sym->name : s->name;

	if (!elf_is_loaded(s))
		return 0;
	if (!strcmp(s->name, ".maps") || !strcmp(s->name, "maps"))
		return link_refuse_object(
			l,
			"'%s' is a map (section %s); a program has no maps, only its "
			"state",
			name, s->name);
	if (!(s->flags & SHF_EXECINSTR) &&
	    (!strcmp(s->name, ".data") || !strcmp(s->name, ".bss") ||
	     starts_with(s->name, ".data.") || starts_with(s->name, ".bss.")))
		return link_refuse_object(
			l,
			"'%s' is a variable that can change (section %s); make it "
			"const, or put it into the state",
			name, s->name);
	if (!starts_with(s->name, "fold/"))
		return 0;
	for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
		bool code = k < PROGRAM_ENTRIES;

		if (strcmp(s->name, known[k]))
			continue;
		if (code != !!(s->flags & SHF_EXECINSTR))
			return link_refuse_object(l, "'%s' in section %s is %s", name, s->name,
						  code ? "no function" : "no constant");
		return 0;
	}
	return link_refuse_object(l,
				  "'%s' is in section %s; there are fold/filter, fold/key, "
				  "fold/reduce, fold/combine and fold/init",
				  name, s->name);
}

/* Concatenate the constants. Addresses inside of constants (tables of pointers, jump tables)
 * would need a relocation at run time: refused. */
static int collect_rodata(struct elf_linker *l)
{
	const struct elf_object *o = l->object;
	uint64_t total = 0;

	for (uint32_t i = 1; i < o->n_sections; i++) {
		const struct elf_section *s = &o->sections[i];
		uint64_t align = s->align > 16 ? 16 : s->align ? s->align : 1;

		l->rodata_offset[i] = ELF_NO_SECTION;
		if (!is_rodata(s))
			continue;
		if (align & (align - 1))
			return link_refuse_object(
				l, "section %s has an alignment that is no power of two", s->name);
		total = (total + align - 1) & ~(align - 1);
		if (s->size > PROGRAM_MAX_RODATA_BYTES ||
		    total + s->size > PROGRAM_MAX_RODATA_BYTES)
			return link_refuse_object(l, "more than %d bytes of constants (section %s)",
						  PROGRAM_MAX_RODATA_BYTES, s->name);
		l->rodata_offset[i] = (uint32_t)total;
		total += s->size;
	}
	for (uint32_t i = 0; i < o->n_relocs; i++) {
		const struct elf_reloc *r = &o->relocs[i];

		if (l->rodata_offset[r->section] != ELF_NO_SECTION) {
			const struct elf_symbol *in = elf_symbol_at(o, r->section, r->offset);

			return link_refuse_object(
				l,
				"the constant '%s' (section %s) holds an address; "
				"constants can only hold numbers: use arrays of "
				"arrays instead of pointers, and compile switches "
				"with -fno-jump-tables",
				in ? in->name : "", o->sections[r->section].name);
		}
	}
	uint8_t *rodata = link_alloc(l, total);
	if (!rodata)
		return -ENOMEM;
	for (uint32_t i = 1; i < o->n_sections; i++) {
		if (l->rodata_offset[i] != ELF_NO_SECTION && o->sections[i].data)
			memcpy(rodata + l->rodata_offset[i], o->sections[i].data,
			       o->sections[i].size);
	}
	l->draft.rodata = total ? rodata : NULL;
	l->draft.rodata_bytes = (uint32_t)total;
	return 0;
}

int link_sections(struct elf_linker *l)
{
	l->rodata_offset = link_alloc(l, l->object->n_sections * sizeof(*l->rodata_offset));
	if (!l->rodata_offset)
		return -ENOMEM;
	l->rodata_offset[0] = ELF_NO_SECTION;
	for (uint32_t i = 1; i < l->object->n_sections; i++) {
		int r = check_section(l, i);

		if (r)
			return r;
	}
	return collect_rodata(l);
}

/* The BTF type of the variable called name, or 0. */
static uint32_t variable_type(const struct btf *btf, const char *name)
{
	int32_t id = btf__find_by_name_kind(btf, name, BTF_KIND_VAR);

	return id > 0 ? btf__type_by_id(btf, (uint32_t)id)->type : 0;
}

int link_init_state(struct elf_linker *l)
{
	const struct elf_object *o = l->object;
	const struct elf_symbol *found = NULL;
	uint32_t want, have;

	for (uint32_t i = 0; i < o->n_symbols; i++) {
		const struct elf_symbol *s = &o->symbols[i];

		if (s->section == 0 || s->section == ELF_NO_SECTION || s->type != STT_OBJECT ||
		    strcmp(o->sections[s->section].name, "fold/init"))
			continue;
		if (found)
			return link_refuse_object(
				l,
				"'%s' and '%s' are both in section fold/init; there "
				"is one start state",
				found->name, s->name);
		found = s;
	}
	if (!found)
		return 0;
	const struct elf_section *section = &o->sections[found->section];
	if (found->size != l->draft.state_bytes)
		return link_refuse_object(l,
					  "the start state '%s' has %" PRIu64
					  " bytes, but the state of "
					  "reduce has %" PRIu32,
					  found->name, found->size, l->draft.state_bytes);
	if (!program_btf_strip(l->debug->btf, l->draft.state_type, &want) ||
	    !program_btf_strip(l->debug->btf, variable_type(l->debug->btf, found->name), &have) ||
	    want != have)
		return link_refuse_object(
			l, "the start state '%s' is not of the type that reduce takes",
			found->name);
	for (uint32_t i = 0; i < o->n_relocs; i++) {
		if (o->relocs[i].section == found->section)
			return link_refuse_object(
				l,
				"the start state '%s' holds an address; it can only "
				"hold numbers",
				found->name);
	}
	if (section->type == SHT_NOBITS)
		return 0;
	if (found->value > section->size || found->size > section->size - found->value ||
	    !section->data)
		return link_refuse_object(l, "the start state '%s' does not lie inside its section",
					  found->name);
	l->draft.init_state = section->data + found->value;
	return 0;
}
