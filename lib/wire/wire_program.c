/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* wire_program.c - Program messages and programs. Instructions are little-endian on the wire. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "wire/wire.h"
#include "wire/wire_walk.h"

enum { INSN_BYTES = 8 };

static const struct {
	enum program_kind program;
	Nearfold__V1__FunctionKind wire;
} kinds[] = {
	{PROGRAM_FILTER, NEARFOLD__V1__FUNCTION_KIND__FILTER},
	{PROGRAM_KEY, NEARFOLD__V1__FUNCTION_KIND__KEY},
	{PROGRAM_REDUCE, NEARFOLD__V1__FUNCTION_KIND__REDUCE},
	{PROGRAM_COMBINE, NEARFOLD__V1__FUNCTION_KIND__COMBINE},
	{PROGRAM_SUB, NEARFOLD__V1__FUNCTION_KIND__SUB},
};

/* RFC 9669, 3.1: opcode, registers (destination in the low half), offset, immediate. */
static void decode_insn(const uint8_t *b, struct bpf_insn *ret)
{
	ret->code = b[0];
	ret->dst_reg = b[1] & 15;
	ret->src_reg = b[1] >> 4 & 15;
	ret->off = (__s16)(b[2] | b[3] << 8);
	ret->imm =
		(__s32)(b[4] | (uint32_t)b[5] << 8 | (uint32_t)b[6] << 16 | (uint32_t)b[7] << 24);
}

static void encode_insn(const struct bpf_insn *insn, uint8_t *b)
{
	b[0] = insn->code;
	b[1] = (uint8_t)(insn->dst_reg | insn->src_reg << 4);
	for (int i = 0; i < 2; i++)
		b[2 + i] = (uint8_t)((uint16_t)insn->off >> (8 * i));
	for (int i = 0; i < 4; i++)
		b[4 + i] = (uint8_t)((uint32_t)insn->imm >> (8 * i));
}

/* ---- from a message -------------------------------------------------------------------------- */

static int refuse(struct nf_error *err, size_t function, const char *field, const char *text)
{
	char where[64];

	snprintf(where, sizeof(where), "program.functions[%zu].%s", function, field);
	return nf_error_set(err, NF_INVALID_ARGUMENT, where, "%s", text);
}

static int no_memory(struct nf_error *err)
{
	return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, ENOMEM, "program", "a program");
}

static int count(const Nearfold__V1__Program *m, size_t *ret_insns, size_t *ret_lines,
		 struct nf_error *err)
{
	size_t insns = 0, lines = 0;

	for (size_t i = 0; i < m->n_functions; i++) {
		const Nearfold__V1__Function *f = m->functions[i];

		if (f->insns.len % INSN_BYTES != 0)
			return refuse(err, i, "insns", "not a multiple of 8 bytes");
		insns += f->insns.len / INSN_BYTES;
		lines += f->n_lines;
		if (insns > PROGRAM_MAX_INSNS)
			return refuse(
				err, i, "insns",
				"the program has more than 4096 instructions (PROGRAM_MAX_INSNS)");
	}
	*ret_insns = insns;
	*ret_lines = lines;
	return 0;
}

static int function_from(const Nearfold__V1__Function *m, size_t index, struct bpf_insn *insns,
			 struct program_line *lines, struct program_func *ret, struct nf_error *err)
{
	size_t k = 0;

	while (k < ARRAY_SIZE(kinds) && kinds[k].wire != m->kind)
		k++;
	if (k == ARRAY_SIZE(kinds))
		return refuse(err, index, "kind", "none of FILTER, KEY, REDUCE, COMBINE, SUB");
	for (size_t i = 0; i < m->insns.len / INSN_BYTES; i++)
		decode_insn(m->insns.data + i * INSN_BYTES, &insns[i]);
	for (size_t i = 0; i < m->n_lines; i++)
		lines[i] = (struct program_line){
			.insn = m->lines[i]->insn,
			.line = m->lines[i]->line,
			.column = m->lines[i]->column,
			.file = m->lines[i]->file,
			.text = m->lines[i]->text,
		};
	*ret = (struct program_func){
		.kind = kinds[k].program,
		.name = m->name,
		.insns = insns,
		.n_insns = (uint32_t)(m->insns.len / INSN_BYTES),
		.n_lines = (uint32_t)m->n_lines,
		.lines = lines,
	};
	return 0;
}

int wire_program_from(const Nearfold__V1__Program *m, struct program **ret, struct nf_error *err)
{
	size_t n_insns = 0, n_lines = 0, insn = 0, line = 0;

	if (m->n_functions == 0)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "program.functions",
				    "there are none; a program has at least reduce and combine");
	if (m->n_functions > PROGRAM_MAX_FUNCS || m->n_files > PROGRAM_MAX_FILES)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "program",
				    "too many functions or files");
	int r = count(m, &n_insns, &n_lines, err);
	if (r)
		return r;
	if (m->init_state.len > 0 && m->init_state.len != m->state_bytes)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "program.init_state",
				    "%zu bytes; state_bytes is %u", m->init_state.len,
				    m->state_bytes);
	if (m->rodata.len > PROGRAM_MAX_RODATA_BYTES || m->btf.len > PROGRAM_MAX_BTF_BYTES)
		return nf_error_set(err, NF_INVALID_ARGUMENT,
				    m->btf.len > PROGRAM_MAX_BTF_BYTES ? "program.btf"
								       : "program.rodata",
				    "too long; the limits are %d bytes of btf and %d of rodata",
				    PROGRAM_MAX_BTF_BYTES, PROGRAM_MAX_RODATA_BYTES);

	AUTO_FREE struct bpf_insn *insns = calloc(n_insns + 1, sizeof(*insns));
	AUTO_FREE struct program_line *lines = calloc(n_lines + 1, sizeof(*lines));
	AUTO_FREE struct program_func *funcs = calloc(m->n_functions, sizeof(*funcs));
	if (!insns || !lines || !funcs)
		return no_memory(err);
	for (size_t i = 0; i < m->n_functions; i++) {
		r = function_from(m->functions[i], i, insns + insn, lines + line, &funcs[i], err);
		if (r)
			return r;
		insn += funcs[i].n_insns;
		line += funcs[i].n_lines;
	}
	const struct program draft = {
		.n_funcs = (uint32_t)m->n_functions,
		.n_files = (uint32_t)m->n_files,
		.funcs = funcs,
		.files = (const char *const *)m->files,
		.record_bytes = m->record_bytes,
		.params_bytes = m->params_bytes,
		.key_bytes = m->key_bytes,
		.state_bytes = m->state_bytes,
		.rodata_bytes = (uint32_t)m->rodata.len,
		.btf_bytes = (uint32_t)m->btf.len,
		.rodata = m->rodata.len ? m->rodata.data : NULL,
		.init_state = m->init_state.len ? m->init_state.data : NULL,
		.btf = m->btf.len ? m->btf.data : NULL,
		.record_type = m->record_type,
		.params_type = m->params_type,
		.key_type = m->key_type,
		.state_type = m->state_type,
	};
	return program_create(&draft, ret, err);
}

/* ---- to a message ---------------------------------------------------------------------------- */

/* One block for everything; each taker rounds up to what any of the structs needs. */
struct block {
	uint8_t *at;
};

static size_t rounded(size_t size)
{
	return (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
}

static void *take(struct block *b, size_t size)
{
	void *p = b->at;

	b->at += rounded(size);
	return p;
}

static size_t block_bytes(const struct program *p)
{
	size_t bytes =
		rounded(sizeof(Nearfold__V1__Program)) + rounded(p->n_funcs * sizeof(void *));

	for (uint32_t i = 0; i < p->n_funcs; i++) {
		const struct program_func *f = &p->funcs[i];

		bytes += rounded(sizeof(Nearfold__V1__Function)) +
			 rounded((size_t)f->n_insns * INSN_BYTES) +
			 rounded(f->n_lines * sizeof(void *)) +
			 f->n_lines * rounded(sizeof(Nearfold__V1__Line));
	}
	return bytes;
}

static Nearfold__V1__Function *function_to(const struct program_func *f, struct block *b)
{
	Nearfold__V1__Function *m = take(b, sizeof(*m));

	nearfold__v1__function__init(m);
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		if (kinds[k].program == f->kind)
			m->kind = kinds[k].wire;
	m->name = (char *)f->name;
	m->insns.len = (size_t)f->n_insns * INSN_BYTES;
	m->insns.data = take(b, m->insns.len);
	for (uint32_t i = 0; i < f->n_insns; i++)
		encode_insn(&f->insns[i], m->insns.data + (size_t)i * INSN_BYTES);
	m->n_lines = f->n_lines;
	m->lines = take(b, f->n_lines * sizeof(void *));
	for (uint32_t i = 0; i < f->n_lines; i++) {
		Nearfold__V1__Line *line = take(b, sizeof(*line));

		nearfold__v1__line__init(line);
		line->insn = f->lines[i].insn;
		line->line = f->lines[i].line;
		line->column = f->lines[i].column;
		line->file = f->lines[i].file;
		line->text = (char *)(f->lines[i].text ? f->lines[i].text : "");
		m->lines[i] = line;
	}
	return m;
}

int wire_program_to(const struct program *p, Nearfold__V1__Program **ret)
{
	struct block b = {malloc(block_bytes(p))};

	if (!b.at)
		return -ENOMEM;
	Nearfold__V1__Program *m = take(&b, sizeof(*m));
	nearfold__v1__program__init(m);
	m->n_functions = p->n_funcs;
	m->functions = take(&b, p->n_funcs * sizeof(void *));
	for (uint32_t i = 0; i < p->n_funcs; i++)
		m->functions[i] = function_to(&p->funcs[i], &b);
	m->n_files = p->n_files;
	m->files = (char **)p->files;
	m->record_bytes = p->record_bytes;
	m->params_bytes = p->params_bytes;
	m->key_bytes = p->key_bytes;
	m->state_bytes = p->state_bytes;
	m->rodata = (ProtobufCBinaryData){p->rodata_bytes, (uint8_t *)p->rodata};
	m->init_state =
		(ProtobufCBinaryData){p->init_state ? p->state_bytes : 0, (uint8_t *)p->init_state};
	m->btf = (ProtobufCBinaryData){p->btf ? p->btf_bytes : 0, (uint8_t *)p->btf};
	m->record_type = p->record_type;
	m->params_type = p->params_type;
	m->key_type = p->key_type;
	m->state_type = p->state_type;
	*ret = m;
	return 0;
}

void wire_program_to_free(Nearfold__V1__Program *m)
{
	free(m);
}
