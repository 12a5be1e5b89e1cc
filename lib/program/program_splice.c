/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "program/program_splice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"

#define NO_LABEL UINT32_MAX

struct row {
	struct bpf_insn insn;
	splice_label to; /* of a jump or a call, else NO_LABEL */
	uint32_t origin;
};

struct splice {
	struct row *rows;
	uint32_t n, max;
	uint32_t *bound; /* label -> row */
	uint32_t n_labels, max_labels;
	uint32_t origin;
	int failed; /* errno, the first */
};

struct splice *splice_new(void)
{
	return calloc(1, sizeof(struct splice));
}

void splice_free(struct splice *s)
{
	if (!s)
		return;
	free(s->rows);
	free(s->bound);
	free(s);
}

void splice_origin(struct splice *s, uint32_t origin)
{
	s->origin = origin;
}

/* Make *array (of elements of `size` bytes) hold at least `want` elements. */
static bool grow(void **array, uint32_t *max, uint32_t want, size_t size)
{
	uint32_t more = *max ? *max : 256;
	void *p;

	if (want <= *max)
		return true;
	while (more < want)
		more *= 2;
	p = reallocarray(*array, more, size);
	if (!p)
		return false;
	*array = p;
	*max = more;
	return true;
}

/* `count` labels in a row; returns the first. */
splice_label splice_labels_new(struct splice *s, uint32_t count)
{
	splice_label first = s->n_labels;

	if (count > 16 * SPLICE_MAX_INSNS - s->n_labels) {
		s->failed = s->failed ? s->failed : E2BIG;
		return 0;
	}
	if (!grow((void **)&s->bound, &s->max_labels, s->n_labels + count, sizeof(*s->bound))) {
		s->failed = s->failed ? s->failed : ENOMEM;
		return 0;
	}
	for (uint32_t i = 0; i < count; i++)
		s->bound[first + i] = NO_LABEL;
	s->n_labels += count;
	return first;
}

splice_label splice_label_new(struct splice *s)
{
	return splice_labels_new(s, 1);
}

void splice_bind(struct splice *s, splice_label label)
{
	if (label < s->n_labels)
		s->bound[label] = s->n;
}

static void append(struct splice *s, struct bpf_insn insn, splice_label to)
{
	if (s->n >= SPLICE_MAX_INSNS)
		s->failed = s->failed ? s->failed : E2BIG;
	else if (!grow((void **)&s->rows, &s->max, s->n + 1, sizeof(*s->rows)))
		s->failed = s->failed ? s->failed : ENOMEM;
	else
		s->rows[s->n++] = (struct row){insn, to, s->origin};
}

void splice_emit(struct splice *s, struct bpf_insn insn)
{
	append(s, insn, NO_LABEL);
}

void splice_jump(struct splice *s, struct bpf_insn insn, splice_label to)
{
	append(s, insn, to);
}

void splice_call(struct splice *s, splice_label label)
{
	append(s, SPLICE_INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0), label);
}

void splice_load64(struct splice *s, uint8_t dst, uint64_t value, uint8_t src_reg)
{
	append(s, SPLICE_INSN(BPF_LD | BPF_IMM | BPF_DW, dst, src_reg, 0, (int32_t)value),
	       NO_LABEL);
	append(s, SPLICE_INSN(0, 0, 0, 0, (int32_t)(value >> 32)), NO_LABEL);
}

void splice_cast(struct splice *s, uint8_t reg)
{
	append(s, SPLICE_INSN(BPF_ALU64 | BPF_MOV | BPF_X, reg, reg, SPLICE_CAST_OFF, 1), NO_LABEL);
}

uint32_t splice_position(const struct splice *s, splice_label label)
{
	return s->bound[label];
}

const struct splice_func *splice_find(const struct splice_func *unit, const char *name)
{
	for (; unit->name; unit++)
		if (!strcmp(unit->name, name))
			return unit;
	return NULL;
}

static const char *symbol_at(const struct splice_func *f, uint32_t insn)
{
	for (uint32_t i = 0; i < f->n_relocs; i++)
		if (f->relocs[i].insn == insn)
			return f->relocs[i].symbol;
	return NULL;
}

/* The instruction that a jump in a template goes to. */
static uint32_t jump_target(const struct bpf_insn *insn, uint32_t at)
{
	bool far = insn->code == (BPF_JMP32 | BPF_JA);

	return (uint32_t)((int64_t)at + 1 + (far ? insn->imm : insn->off));
}

static bool is_jump(const struct bpf_insn *insn)
{
	unsigned class = BPF_CLASS(insn->code), op = BPF_OP(insn->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

int splice_function(struct splice *s, const struct splice_func *f, const struct splice_ops *ops,
		    struct nf_error *err)
{
	splice_label first = splice_labels_new(s, f->n_insns);

	for (uint32_t i = 0; i < f->n_insns && !s->failed; i++) {
		const struct bpf_insn *in = &f->insns[i];
		const char *symbol = symbol_at(f, i);
		int r = 0;

		splice_bind(s, first + i);
		if (symbol && in->code == (BPF_JMP | BPF_CALL)) {
			r = ops->call(ops->arg, s, symbol);
			splice_origin(s, 0);
		} else if (in->code == (BPF_LD | BPF_IMM | BPF_DW)) {
			uint64_t value = (uint32_t)in->imm | (uint64_t)(uint32_t)in[1].imm << 32;
			uint8_t src_reg = in->src_reg;

			if (symbol)
				r = ops->number(ops->arg, symbol, &value, &src_reg);
			splice_load64(s, in->dst_reg, value, src_reg);
			i++;
		} else if (symbol) {
			r = nf_error_set(err, NF_INTERNAL, symbol,
					 "a hole that is neither number nor call");
		} else if (is_jump(in)) {
			struct bpf_insn jump = *in;

			if (jump.code == (BPF_JMP32 | BPF_JA))
				jump = SPLICE_JA;
			splice_jump(s, jump, first + jump_target(in, i));
		} else {
			splice_emit(s, *in);
		}
		if (r)
			return r;
	}
	return 0;
}

int splice_finish(struct splice *s, struct bpf_insn **ret_insns, uint32_t **ret_origins,
		  uint32_t *ret_n, struct nf_error *err)
{
	AUTO_FREE struct bpf_insn *insns = NULL;
	AUTO_FREE uint32_t *origins = NULL;

	if (s->failed == E2BIG) {
		nf_error_set(err, NF_FAILED_PRECONDITION, NULL,
			     "the program and its scan loop are more than %d instructions together",
			     SPLICE_MAX_INSNS);
		return -E2BIG;
	}
	insns = calloc(s->n + 1, sizeof(*insns));
	origins = calloc(s->n + 1, sizeof(*origins));
	if (s->failed || !insns || !origins)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n; i++) {
		const struct row *row = &s->rows[i];
		int32_t distance;

		insns[i] = row->insn;
		origins[i] = row->origin;
		if (row->to == NO_LABEL)
			continue;
		if (s->bound[row->to] == NO_LABEL || s->bound[row->to] >= s->n)
			return nf_error_set(err, NF_INTERNAL, NULL, "a jump to nowhere");
		distance = (int32_t)s->bound[row->to] - (int32_t)i - 1;
		if (BPF_OP(row->insn.code) == BPF_CALL)
			insns[i].imm = distance;
		else
			insns[i].off = (int16_t)distance; /* fits: SPLICE_MAX_INSNS */
	}
	*ret_insns = TAKE_PTR(insns);
	*ret_origins = TAKE_PTR(origins);
	*ret_n = s->n;
	return 0;
}
