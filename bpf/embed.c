/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * embed.c - build tool: BPF objects of our own -> one C header of instruction arrays.
 *
 *	embed scan.o f64.o > gen/scan_bpf.h
 *
 * So that nothing parses ELF on a storage node. Every global function of the objects becomes one
 * `struct splice_func` (program/program_splice.h) with its instructions, its relocations by name,
 * and the stack that it uses; `splice_unit` lists them all. Data sections, sections of maps and
 * calls of local functions are errors: the templates have none.
 */
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <gelf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct object {
	const char *path;
	Elf *elf;
	Elf_Data *symbols;
	size_t n_symbols, names; /* names: section of the symbols' names */
};

/* How far below r10 the function reaches. */
static unsigned stack_bytes(const struct bpf_insn *insns, size_t n)
{
	int deepest = 0;

	for (size_t i = 0; i < n; i++) {
		const struct bpf_insn *in = &insns[i];
		unsigned class = BPF_CLASS(in->code);
		int off = 0;

		if (class == BPF_LDX && in->src_reg == BPF_REG_10)
			off = in->off;
		else if ((class == BPF_ST || class == BPF_STX) && in->dst_reg == BPF_REG_10)
			off = in->off;
		else if (in->code == (BPF_ALU64 | BPF_MOV | BPF_X) && in->src_reg == BPF_REG_10 &&
			 i + 1 < n && insns[i + 1].code == (BPF_ALU64 | BPF_ADD | BPF_K))
			off = insns[i + 1].imm;
		if (off < deepest)
			deepest = off;
	}
	return (unsigned)(-deepest + 7) & ~7u;
}

static const char *symbol_name(const struct object *o, const GElf_Sym *s)
{
	const char *name = elf_strptr(o->elf, o->names, s->st_name);

	return name ? name : "?";
}

/* Prints the relocations of [start, end) in section index shndx; returns how many. */
static size_t print_relocs(const struct object *o, size_t shndx, size_t start, size_t end)
{
	Elf_Scn *scn = NULL;
	size_t n = 0;

	while ((scn = elf_nextscn(o->elf, scn))) {
		GElf_Shdr sh;
		Elf_Data *d;

		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_REL || sh.sh_info != shndx)
			continue;
		d = elf_getdata(scn, NULL);
		for (size_t i = 0; i < sh.sh_size / sh.sh_entsize; i++) {
			GElf_Rel rel;
			GElf_Sym sym;

			if (!gelf_getrel(d, (int)i, &rel))
				errx(1, "%s: bad relocation", o->path);
			if (rel.r_offset < start || rel.r_offset >= end)
				continue;
			gelf_getsym(o->symbols, (int)GELF_R_SYM(rel.r_info), &sym);
			if (GELF_ST_TYPE(sym.st_info) == STT_SECTION)
				errx(1,
				     "%s: relocation against a section: data or a local function",
				     o->path);
			printf("\t{ %zu, \"%s\" },\n", (size_t)(rel.r_offset - start) / 8,
			       symbol_name(o, &sym));
			n++;
		}
	}
	return n;
}

static void print_function(const struct object *o, const GElf_Sym *sym, FILE *table)
{
	Elf_Data *d = elf_getdata(elf_getscn(o->elf, sym->st_shndx), NULL);
	const char *name = symbol_name(o, sym);
	const struct bpf_insn *insns;
	size_t n = sym->st_size / 8, n_relocs;

	if (!d || sym->st_value + sym->st_size > d->d_size)
		errx(1, "%s: %s lies outside of its section", o->path, name);
	insns = (const struct bpf_insn *)((const char *)d->d_buf + sym->st_value);
	printf("\nstatic const struct bpf_insn splice_insns_%s[] = {\n", name);
	for (size_t i = 0; i < n; i++)
		printf("\t{ 0x%02x, %u, %u, %d, %d },\n", insns[i].code, insns[i].dst_reg,
		       insns[i].src_reg, insns[i].off, insns[i].imm);
	printf("};\nstatic const struct splice_reloc splice_relocs_%s[] = {\n", name);
	n_relocs = print_relocs(o, sym->st_shndx, sym->st_value, sym->st_value + sym->st_size);
	printf("\t{ 0, 0 },\n};\n");
	fprintf(table, "\t{ \"%s\", splice_insns_%s, splice_relocs_%s, %zu, %zu, %u },\n", name,
		name, name, n, n_relocs, stack_bytes(insns, n));
}

static void embed(const char *path, FILE *table)
{
	struct object o = {.path = path};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf_Scn *scn = NULL;

	if (fd < 0)
		err(1, "%s", path);
	o.elf = elf_begin(fd, ELF_C_READ, NULL);
	while (o.elf && (scn = elf_nextscn(o.elf, scn))) {
		GElf_Shdr sh;

		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB) {
			o.symbols = elf_getdata(scn, NULL);
			o.n_symbols = sh.sh_size / sh.sh_entsize;
			o.names = sh.sh_link;
		}
	}
	if (!o.symbols)
		errx(1, "%s: not an ELF object with symbols", path);
	for (size_t i = 0; i < o.n_symbols; i++) {
		GElf_Sym sym;

		gelf_getsym(o.symbols, (int)i, &sym);
		if (GELF_ST_TYPE(sym.st_info) == STT_FUNC)
			print_function(&o, &sym, table);
		else if (GELF_ST_TYPE(sym.st_info) == STT_OBJECT)
			errx(1, "%s: data symbol %s", path, symbol_name(&o, &sym));
	}
	elf_end(o.elf);
	close(fd);
}

int main(int argc, char **argv)
{
	char *text = NULL;
	size_t size = 0;
	FILE *table = open_memstream(&text, &size);

	if (argc < 2 || !table)
		errx(2, "usage: embed OBJECT... > HEADER");
	elf_version(EV_CURRENT);
	printf("/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */\n"
	       "/* Made by bpf/embed.c from the objects of bpf/. */\n"
	       "#include \"program/program_splice.h\"\n");
	for (int i = 1; i < argc; i++)
		embed(argv[i], table);
	fclose(table);
	printf("\nstatic const struct splice_func splice_unit[] = {\n%s\t{ 0 },\n};\n", text);
	free(text);
	return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
