/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * elf_debug.c - the tables of .BTF.ext (Documentation/bpf/btf.rst of Linux):
 *
 *	header: u16 magic, u8 version, u8 flags, u32 hdr_len, u32 func_off, func_len, line_off,
 *		line_len, and newer ones: core_relo_off, core_relo_len
 *	table:  u32 record size, then for each section: u32 name, u32 count, count records
 *	func:   u32 byte offset in the section, u32 type id
 *	line:   u32 byte offset, u32 file name, u32 line text, u32 line << 10 | column
 *
 * Offsets of tables count from the end of the header; names are offsets into the BTF's strings.
 * libbpf 1.1 has no accessors for them, so they are read here.
 */
#include "program/elf_debug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/scope.h"

struct ext_header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t hdr_len;
	uint32_t func_off, func_len, line_off, line_len;
	uint32_t core_off, core_len; /* when hdr_len says so */
};

struct table {
	const uint8_t *data;
	uint32_t len;
	uint32_t min_record;
};

static int bad(const struct elf_object *o, struct nf_error *err, const char *text)
{
	return nf_error_set(err, NF_INVALID_ARGUMENT, o->name, "%s", text);
}

static uint32_t load_u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t section_index(const struct elf_object *o, const char *name)
{
	for (uint32_t i = 1; name && i < o->n_sections; i++) {
		if (elf_is_code(&o->sections[i]) && !strcmp(o->sections[i].name, name))
			return i;
	}
	return 0;
}

/* Calls add() with each record of a code section. */
static int each_record(const struct elf_object *o, struct elf_debug *d, const struct table *t,
		       int (*add)(struct elf_debug *, uint32_t section, const uint8_t *record),
		       struct nf_error *err)
{
	if (t->len == 0)
		return 0;
	if (t->len < 4)
		return bad(o, err, "a table of .BTF.ext is cut short");
	uint32_t record_bytes = load_u32(t->data), at = 4;
	if (record_bytes < t->min_record || record_bytes % 4)
		return bad(o, err, "a table of .BTF.ext has records of an unknown size");
	while (at < t->len) {
		uint64_t bytes;

		if (t->len - at < 8)
			return bad(o, err, "a table of .BTF.ext is cut short");
		uint32_t section =
			section_index(o, btf__name_by_offset(d->btf, load_u32(t->data + at)));
		bytes = (uint64_t)load_u32(t->data + at + 4) * record_bytes;
		at += 8;
		if (bytes > t->len - at)
			return bad(o, err, "a table of .BTF.ext reaches past its end");
		for (uint64_t i = 0; section && i < bytes; i += record_bytes) {
			int r = add(d, section, t->data + at + i);

			if (r)
				return bad(o, err,
					   "a record of .BTF.ext names what is not in the BTF");
		}
		at += (uint32_t)bytes;
	}
	return 0;
}

/* The arrays were allocated for as many records as the table's bytes can hold. */
static int add_func(struct elf_debug *d, uint32_t section, const uint8_t *record)
{
	uint32_t id = load_u32(record + 4);
	const struct btf_type *t =
		id && id < btf__type_cnt(d->btf) ? btf__type_by_id(d->btf, id) : NULL;
	const struct btf_type *proto =
		t && btf_is_func(t) ? btf__type_by_id(d->btf, t->type) : NULL;

	if (!proto || !btf_is_func_proto(proto))
		return -EINVAL;
	d->funcs[d->n_funcs++] = (struct elf_func_info){
		.section = section, .offset = load_u32(record), .type_id = id};
	return 0;
}

static int add_line(struct elf_debug *d, uint32_t section, const uint8_t *record)
{
	const char *file = btf__name_by_offset(d->btf, load_u32(record + 4));
	const char *text = btf__name_by_offset(d->btf, load_u32(record + 8));
	uint32_t place = load_u32(record + 12);

	if (!file || !text)
		return -EINVAL;
	if (place >> 10 == 0)
		return 0; /* code that the compiler made up */
	d->lines[d->n_lines++] = (struct elf_line_info){.section = section,
							.offset = load_u32(record),
							.line = place >> 10,
							.column = place & 0x3ff,
							.file = file,
							.text = text};
	return 0;
}

/* Works for both: they begin alike. */
static int by_place(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	if (x[0] != y[0])
		return x[0] < y[0] ? -1 : 1;
	return x[1] < y[1] ? -1 : x[1] > y[1];
}
_Static_assert(offsetof(struct elf_func_info, section) == 0 &&
		       offsetof(struct elf_func_info, offset) == 4 &&
		       offsetof(struct elf_line_info, section) == 0 &&
		       offsetof(struct elf_line_info, offset) == 4,
	       "by_place() compares section and offset");

static int read_ext(const struct elf_object *o, const struct elf_section *ext, struct elf_debug *d,
		    struct nf_error *err)
{
	struct ext_header h = {0};

	if (ext->size < offsetof(struct ext_header, core_off))
		return bad(o, err, ".BTF.ext is cut short");
	memcpy(&h, ext->data, offsetof(struct ext_header, core_off));
	if (h.magic != BTF_MAGIC || h.version != BTF_VERSION || h.flags ||
	    h.hdr_len < offsetof(struct ext_header, core_off) || h.hdr_len > ext->size)
		return bad(o, err, ".BTF.ext is not version 1");
	if (h.hdr_len >= sizeof(h))
		memcpy(&h, ext->data, sizeof(h));
	uint64_t body = ext->size - h.hdr_len;
	if (!checked_range(h.func_off, h.func_len, body) ||
	    !checked_range(h.line_off, h.line_len, body) || h.core_len > body)
		return bad(o, err, "a table of .BTF.ext lies outside of it");
	if (h.core_len > 4)
		return bad(o, err,
			   "has CO-RE relocations, which mean types of the running kernel; "
			   "remove preserve_access_index and BPF_CORE_READ");
	const struct table funcs = {ext->data + h.hdr_len + h.func_off, h.func_len, 8};
	const struct table lines = {ext->data + h.hdr_len + h.line_off, h.line_len, 16};
	d->funcs = calloc(h.func_len / 8 + 1, sizeof(*d->funcs));
	d->lines = calloc(h.line_len / 16 + 1, sizeof(*d->lines));
	if (!d->funcs || !d->lines)
		return nf_error_no_memory(err, o->name);
	int r = each_record(o, d, &funcs, add_func, err);
	if (!r)
		r = each_record(o, d, &lines, add_line, err);
	qsort(d->funcs, d->n_funcs, sizeof(*d->funcs), by_place);
	qsort(d->lines, d->n_lines, sizeof(*d->lines), by_place);
	return r;
}

int elf_debug_read(const struct elf_object *o, struct elf_debug *ret, struct nf_error *err)
{
	const struct elf_section *btf = elf_find_section(o, ".BTF");
	const struct elf_section *ext = elf_find_section(o, ".BTF.ext");

	if (!btf || !btf->data || !ext || !ext->data)
		return bad(o, err, "has no type information (.BTF and .BTF.ext); compile with -g");
	int r = program_btf_new(btf->data, btf->size, o->name, &ret->btf, err);
	if (r)
		return r;
	ret->btf_data = btf->data;
	ret->btf_bytes = (uint32_t)btf->size;
	return read_ext(o, ext, ret, err);
}

void elf_debug_done(struct elf_debug *d)
{
	btf__free(d->btf);
	free(d->funcs);
	free(d->lines);
	*d = (struct elf_debug){0};
}

uint32_t elf_debug_func(const struct elf_debug *d, uint32_t section, uint64_t offset)
{
	for (uint32_t i = 0; i < d->n_funcs; i++) {
		if (d->funcs[i].section == section && d->funcs[i].offset == offset)
			return d->funcs[i].type_id;
	}
	return 0;
}

const struct elf_line_info *elf_debug_line(const struct elf_debug *d, uint32_t section,
					   uint64_t offset)
{
	const struct elf_line_info *found = NULL;

	for (uint32_t i = 0; i < d->n_lines; i++) {
		if (d->lines[i].section == section && d->lines[i].offset <= offset)
			found = &d->lines[i];
	}
	return found;
}

const char *elf_debug_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
