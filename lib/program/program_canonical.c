/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program_canonical.c - the bytes that name a program, version 1:
 *
 *	"nearfold program 1\n"
 *	u32 n_funcs; for each function
 *		u32 kind, string name
 *		u32 n_insns; 8 bytes each as RFC 9669 has them: opcode, dst | src << 4, u16 off, u32
 *imm u32 n_lines; for each u32 insn, line, column, file, string text u32 n_files; for each string
 *name u32 record_bytes, params_bytes, key_bytes, state_bytes bytes rodata, init_state (no bytes:
 *zeroes), btf u32 record_type, params_type, key_type, state_type
 *
 * All integers little-endian. `string` and `bytes` are a u32 length and that many bytes, without
 * NUL. No padding: every byte is told apart by those before it, so that two programs have the
 * same bytes only when every field is the same.
 */
#include "program/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "nearfold program 1\n";

/* Writes to `to`, or only counts while it is NULL. */
struct out {
	uint8_t *to;
	size_t n;
};

static void put(struct out *o, const void *bytes, size_t size)
{
	if (o->to && size)
		memcpy(o->to + o->n, bytes, size);
	o->n += size;
}

static void put_u32(struct out *o, uint32_t v)
{
	uint8_t b[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};

	put(o, b, sizeof(b));
}

static void put_bytes(struct out *o, const void *bytes, size_t size)
{
	put_u32(o, (uint32_t)size);
	put(o, bytes, size);
}

static void put_string(struct out *o, const char *s)
{
	put_bytes(o, s, strlen(s));
}

static void put_insn(struct out *o, const struct bpf_insn *insn)
{
	uint16_t off = (uint16_t)insn->off;
	uint8_t head[4] = {insn->code, (uint8_t)(insn->dst_reg | insn->src_reg << 4), (uint8_t)off,
			   (uint8_t)(off >> 8)};

	put(o, head, sizeof(head));
	put_u32(o, (uint32_t)insn->imm);
}

static void put_func(struct out *o, const struct program_func *f)
{
	put_u32(o, (uint32_t)f->kind);
	put_string(o, f->name);
	put_u32(o, f->n_insns);
	for (uint32_t i = 0; i < f->n_insns; i++)
		put_insn(o, &f->insns[i]);
	put_u32(o, f->n_lines);
	for (uint32_t i = 0; i < f->n_lines; i++) {
		put_u32(o, f->lines[i].insn);
		put_u32(o, f->lines[i].line);
		put_u32(o, f->lines[i].column);
		put_u32(o, f->lines[i].file);
		put_string(o, f->lines[i].text);
	}
}

static void put_program(struct out *o, const struct program *p)
{
	put(o, magic, sizeof(magic) - 1);
	put_u32(o, p->n_funcs);
	for (uint32_t i = 0; i < p->n_funcs; i++)
		put_func(o, &p->funcs[i]);
	put_u32(o, p->n_files);
	for (uint32_t i = 0; i < p->n_files; i++)
		put_string(o, p->files[i]);
	put_u32(o, p->record_bytes);
	put_u32(o, p->params_bytes);
	put_u32(o, p->key_bytes);
	put_u32(o, p->state_bytes);
	put_bytes(o, p->rodata, p->rodata_bytes);
	put_bytes(o, p->init_state, p->init_state ? p->state_bytes : 0);
	put_bytes(o, p->btf, p->btf_bytes);
	put_u32(o, p->record_type);
	put_u32(o, p->params_type);
	put_u32(o, p->key_type);
	put_u32(o, p->state_type);
}

int program_canonical(const struct program *p, uint8_t **ret, size_t *ret_size)
{
	struct out o = {0};

	put_program(&o, p);
	uint8_t *bytes = malloc(o.n);
	if (!bytes)
		return -ENOMEM;
	*ret_size = o.n;
	o = (struct out){.to = bytes};
	put_program(&o, p);
	*ret = bytes;
	return 0;
}
