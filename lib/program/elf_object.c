/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* elf_object.c - sections, symbols and relocations through libelf. */
#include "program/elf_object.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <gelf.h>

#include "base/checked.h"
#include "base/scope.h"

static int bad(const struct elf_object *o, struct nf_error *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int bad(const struct elf_object *o, struct nf_error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int r = nf_error_vset(err, NF_INVALID_ARGUMENT, o->name, fmt, ap);
	va_end(ap);
	return r;
}

/* Before libelf sees it: is it what clang makes? */
static int check_header(const struct elf_object *o, const void *data, size_t size,
			struct nf_error *err)
{
	Elf64_Ehdr h;

	if (size < sizeof(h) || memcmp(data, ELFMAG, SELFMAG))
		return bad(o, err,
			   "not an ELF object; compile it with clang -O2 -g -target bpf -c");
	memcpy(&h, data, sizeof(h));
	if (h.e_ident[EI_CLASS] == ELFCLASS64 && h.e_ident[EI_DATA] == ELFDATA2MSB &&
	    h.e_machine == __builtin_bswap16(EM_BPF))
		return bad(o, err, "a big-endian BPF object; compile it with -target bpf or bpfel");
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB ||
	    h.e_machine != EM_BPF)
		return bad(o, err,
			   "an ELF file for another machine (%u); compile it with clang -O2 "
			   "-g -target bpf -c",
			   h.e_machine);
	if (h.e_type != ET_REL)
		return bad(o, err,
			   "ELF type %u is no relocatable object; compile with -c and do not "
			   "link",
			   h.e_type);
	return 0;
}

static int read_sections(struct elf_object *o, size_t size, struct nf_error *err)
{
	size_t n, names;

	if (elf_getshdrnum(o->elf, &n) || elf_getshdrstrndx(o->elf, &names) || n == 0)
		return bad(o, err, "has no section table");
	if (n > ELF_MAX_SECTIONS)
		return bad(o, err, "has %zu sections; at most %d are possible", n,
			   ELF_MAX_SECTIONS);
	o->sections = calloc(n, sizeof(*o->sections));
	if (!o->sections)
		return nf_error_no_memory(err, o->name);
	o->n_sections = (uint32_t)n;
	for (uint32_t i = 0; i < o->n_sections; i++) {
		struct elf_section *s = &o->sections[i];
		Elf_Scn *scn = elf_getscn(o->elf, i);
		GElf_Shdr h;

		if (!scn || !gelf_getshdr(scn, &h))
			return bad(o, err, "the header of section %" PRIu32 " is broken", i);
		const char *name = elf_strptr(o->elf, names, h.sh_name);
		*s = (struct elf_section){.name = name ? name : "",
					  .size = h.sh_size,
					  .flags = h.sh_flags,
					  .align = h.sh_addralign,
					  .type = h.sh_type};
		if (i == 0 || h.sh_type == SHT_NULL || h.sh_type == SHT_NOBITS)
			continue;
		if (!checked_range(h.sh_offset, h.sh_size, size))
			return bad(o, err, "section %s lies outside of the file", s->name);
		if (h.sh_flags & SHF_COMPRESSED)
			return bad(o, err, "section %s is compressed; compile with -gz=none",
				   s->name);
		if (s->size)
			s->data = (const uint8_t *)o->image + h.sh_offset;
	}
	return 0;
}

/* The one symbol table. */
static int read_symbols(struct elf_object *o, struct nf_error *err)
{
	uint32_t table = 0;

	for (uint32_t i = 1; i < o->n_sections; i++) {
		if (o->sections[i].type != SHT_SYMTAB)
			continue;
		if (table)
			return bad(o, err, "has two symbol tables");
		table = i;
	}
	if (!table)
		return bad(o, err, "has no symbol table; it must not be stripped");
	GElf_Shdr h;
	Elf_Scn *scn = elf_getscn(o->elf, table);
	Elf_Data *data = elf_getdata(scn, NULL);
	if (!data || !gelf_getshdr(scn, &h) || data->d_size / sizeof(Elf64_Sym) > ELF_MAX_SYMBOLS)
		return bad(o, err, "its symbol table is broken");
	size_t n = data->d_size / sizeof(Elf64_Sym);
	o->symbols = calloc(n ? n : 1, sizeof(*o->symbols));
	if (!o->symbols)
		return nf_error_no_memory(err, o->name);
	o->n_symbols = (uint32_t)n;
	for (uint32_t i = 0; i < o->n_symbols; i++) {
		GElf_Sym sym;

		if (!gelf_getsym(data, (int)i, &sym))
			return bad(o, err, "symbol %" PRIu32 " is broken", i);
		const char *name = elf_strptr(o->elf, h.sh_link, sym.st_name);
		uint32_t section = sym.st_shndx < SHN_LORESERVE ? sym.st_shndx : ELF_NO_SECTION;
		if (section != ELF_NO_SECTION && section >= o->n_sections)
			return bad(o, err, "symbol %" PRIu32 " lies in no section", i);
		o->symbols[i] = (struct elf_symbol){.name = name ? name : "",
						    .value = sym.st_value,
						    .size = sym.st_size,
						    .section = section,
						    .type = GELF_ST_TYPE(sym.st_info)};
	}
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct elf_reloc *x = a, *y = b;

	if (x->section != y->section)
		return x->section < y->section ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Those of loaded sections; debug information has thousands that do not matter. */
static int read_relocs(struct elf_object *o, struct nf_error *err)
{
	for (uint32_t i = 1; i < o->n_sections; i++) {
		Elf_Scn *scn = elf_getscn(o->elf, i);
		GElf_Shdr h;

		if (!gelf_getshdr(scn, &h) || (h.sh_type != SHT_REL && h.sh_type != SHT_RELA) ||
		    h.sh_info == 0 || h.sh_info >= o->n_sections ||
		    !elf_is_loaded(&o->sections[h.sh_info]))
			continue;
		if (h.sh_type == SHT_RELA)
			return bad(
				o, err,
				"section %s holds relocations of a kind that clang does not make",
				o->sections[i].name);
		Elf_Data *data = elf_getdata(scn, NULL);
		size_t n = data ? data->d_size / sizeof(Elf64_Rel) : 0;
		struct elf_reloc *more =
			reallocarray(o->relocs, o->n_relocs + n + 1, sizeof(*more));
		if (!more)
			return nf_error_no_memory(err, o->name);
		o->relocs = more;
		for (size_t k = 0; k < n; k++) {
			GElf_Rel rel;

			if (!gelf_getrel(data, (int)k, &rel) ||
			    GELF_R_SYM(rel.r_info) >= o->n_symbols)
				return bad(o, err, "relocation %zu of section %s is broken", k,
					   o->sections[i].name);
			o->relocs[o->n_relocs++] =
				(struct elf_reloc){.section = h.sh_info,
						   .symbol = (uint32_t)GELF_R_SYM(rel.r_info),
						   .type = (uint32_t)GELF_R_TYPE(rel.r_info),
						   .offset = rel.r_offset};
		}
	}
	if (o->n_relocs)
		qsort(o->relocs, o->n_relocs, sizeof(*o->relocs), by_place);
	return 0;
}

int elf_object_read(const void *data, size_t size, const char *name, struct elf_object *ret,
		    struct nf_error *err)
{
	struct elf_object *o = ret;

	o->name = name;
	if (size > ELF_MAX_OBJECT_BYTES)
		return bad(o, err, "has %zu bytes; an object may have at most %d", size,
			   ELF_MAX_OBJECT_BYTES);
	int r = check_header(o, data, size, err);
	if (r)
		return r;
	o->image = malloc(size);
	if (!o->image)
		return nf_error_no_memory(err, o->name);
	memcpy(o->image, data, size);
	elf_version(EV_CURRENT);
	o->elf = elf_memory(o->image, size);
	if (!o->elf || elf_kind(o->elf) != ELF_K_ELF)
		return bad(o, err, "libelf cannot read it: %s", elf_errmsg(-1));
	r = read_sections(o, size, err);
	if (!r)
		r = read_symbols(o, err);
	return r ? r : read_relocs(o, err);
}

void elf_object_done(struct elf_object *o)
{
	elf_end(o->elf);
	free(o->image);
	free(o->sections);
	free(o->symbols);
	free(o->relocs);
	*o = (struct elf_object){0};
}

const struct elf_section *elf_find_section(const struct elf_object *o, const char *name)
{
	for (uint32_t i = 1; i < o->n_sections; i++) {
		if (!strcmp(o->sections[i].name, name))
			return &o->sections[i];
	}
	return NULL;
}

const struct elf_reloc *elf_find_reloc(const struct elf_object *o, uint32_t section,
				       uint64_t offset)
{
	struct elf_reloc key = {.section = section, .offset = offset};

	return o->n_relocs ? bsearch(&key, o->relocs, o->n_relocs, sizeof(key), by_place) : NULL;
}

const struct elf_symbol *elf_symbol_at(const struct elf_object *o, uint32_t section,
				       uint64_t offset)
{
	const struct elf_symbol *found = NULL;

	for (uint32_t i = 0; i < o->n_symbols; i++) {
		const struct elf_symbol *s = &o->symbols[i];

		if (s->section != section || !s->name[0] || s->type == STT_SECTION)
			continue;
		if (s->type == STT_OBJECT && offset >= s->value && offset - s->value < s->size)
			return s;
		if (s->value == offset)
			found = s;
	}
	return found;
}
