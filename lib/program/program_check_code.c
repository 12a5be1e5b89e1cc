/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program_check_code.c - what program_create() wants of instructions: registers exist, pairs are
 * whole, jumps land on instructions, references resolve, calls form a tree of limited depth.
 */
#include "program/program_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/scope.h"

enum { HELPER_BASE = 0x10000 }; /* VM_HELPER_BASE; lib/vm is above us */

/* The function and instruction under check. */
struct at {
	const struct program *p;
	uint32_t func, insn;
	struct nf_error *err;
};

static int bad(const struct at *at, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int bad(const struct at *at, const char *fmt, ...)
{
	const struct program_line *line = program_line_at(at->p, at->func, at->insn);
	char where[256], place[160] = "";
	va_list ap;

	if (line)
		snprintf(place, sizeof(place), " (%.120s:%" PRIu32 ")", at->p->files[line->file],
			 line->line);
	snprintf(where, sizeof(where), "function %.60s, instruction %" PRIu32 "%s",
		 at->p->funcs[at->func].name, at->insn, place);
	va_start(ap, fmt);
	int r = nf_error_vset(at->err, NF_INVALID_ARGUMENT, where, fmt, ap);
	va_end(ap);
	return r;
}

static int check_ld_imm64(const struct at *at, const struct program_func *f)
{
	const struct bpf_insn *insn = &f->insns[at->insn], *half = insn + 1;

	if (at->insn + 1 >= f->n_insns || half->code || half->dst_reg || half->src_reg || half->off)
		return bad(at, "half a 64-bit load: the second slot must be zero but for imm");
	if (insn->off)
		return bad(at, "off of a 64-bit load is reserved and must be 0");
	if (insn->src_reg == 0)
		return 0;
	if (insn->src_reg != PROGRAM_PSEUDO_RODATA)
		return bad(at,
			   "a 64-bit load with src_reg %u; only constants (0) and addresses of "
			   "rodata (%d) are possible, no maps",
			   insn->src_reg, PROGRAM_PSEUDO_RODATA);
	if (half->imm)
		return bad(at, "the address of rodata must have 0 in its second half");
	if (insn->imm < 0 || (uint32_t)insn->imm >= at->p->rodata_bytes)
		return bad(at, "address of byte %" PRId32 " of rodata, which has %" PRIu32 " bytes",
			   insn->imm, at->p->rodata_bytes);
	return 0;
}

static int check_call(const struct at *at, const struct bpf_insn *insn)
{
	if (insn->dst_reg || insn->off)
		return bad(at, "dst_reg and off of a call are reserved and must be 0");
	if (insn->src_reg == 0) {
		if (insn->imm < HELPER_BASE)
			return bad(at,
				   "call of the kernel's helper %" PRId32 "; only the functions of "
				   "nearfold.bpf.h can be called",
				   insn->imm);
		return 0;
	}
	if (insn->src_reg != BPF_PSEUDO_CALL)
		return bad(at, "call with src_reg %u; it must be 0 (helper) or 1 (sub-function)",
			   insn->src_reg);
	if (insn->imm < 0 || (uint32_t)insn->imm >= at->p->n_funcs)
		return bad(at, "call of function %" PRId32 " of %" PRIu32, insn->imm,
			   at->p->n_funcs);
	if (at->p->funcs[insn->imm].kind != PROGRAM_SUB)
		return bad(at,
			   "call of '%s', which is the %s function; only sub-functions can be "
			   "called",
			   at->p->funcs[insn->imm].name,
			   program_kind_name(at->p->funcs[insn->imm].kind));
	return 0;
}

static int check_func(const struct program *p, uint32_t func, struct nf_error *err)
{
	const struct program_func *f = &p->funcs[func];
	AUTO_FREE bool *second = calloc(f->n_insns, sizeof(*second)); /* halves of pairs */
	struct at at = {.p = p, .func = func, .err = err};
	int64_t jump;
	int r;

	if (!second)
		return nf_error_no_memory(err, NULL);
	for (uint32_t i = 0; i < f->n_insns; i++) {
		const struct bpf_insn *insn = &f->insns[i];

		at.insn = i;
		if (insn->dst_reg > BPF_REG_10 || insn->src_reg > BPF_REG_10)
			return bad(&at, "register r%u does not exist",
				   insn->dst_reg > BPF_REG_10 ? insn->dst_reg : insn->src_reg);
		if (insn_is_ld_imm64(insn)) {
			r = check_ld_imm64(&at, f);
			if (r)
				return r;
			second[++i] = true;
		} else if (insn->code == (BPF_JMP | BPF_CALL)) {
			r = check_call(&at, insn);
			if (r)
				return r;
		} else if (insn->code == (BPF_JMP | BPF_EXIT) &&
			   (insn->dst_reg || insn->src_reg || insn->off || insn->imm)) {
			return bad(&at,
				   "all fields of exit but its opcode are reserved and must be 0");
		}
	}
	if (second[f->n_insns - 1] || !insn_ends(&f->insns[f->n_insns - 1]))
		return bad(&at,
			   "the function runs off its end; the last instruction must be exit or "
			   "a jump");
	for (uint32_t i = 0; i < f->n_insns; i++) {
		if (second[i] || !insn_jump(&f->insns[i], &jump))
			continue;
		int64_t target = (int64_t)i + 1 + jump;
		at.insn = i;
		if (target < 0 || target >= f->n_insns || second[target])
			return bad(&at, "jump to instruction %" PRId64 ", which is %s", target,
				   target < 0 || target >= f->n_insns
					   ? "outside of the function"
					   : "the second half of a 64-bit load");
	}
	return 0;
}

/* Frames that each function needs, its own included. */
struct depths {
	const struct program *p;
	struct nf_error *err;
	uint8_t frames[PROGRAM_MAX_FUNCS]; /* 0: not known yet */
	bool open[PROGRAM_MAX_FUNCS];      /* on the way to here: calling it again is recursion */
};

/* Depth first; a function is finished once, so the whole walk is linear in instructions. The
 * recursion of this function itself ends at PROGRAM_MAX_FUNCS: an open one is never entered. */
static int measure_depth(struct depths *d, uint32_t func)
{
	const struct program_func *f = &d->p->funcs[func];
	unsigned deepest = 0;

	d->open[func] = true;
	for (uint32_t i = 0; i < f->n_insns; i++) {
		struct at at = {.p = d->p, .func = func, .insn = i, .err = d->err};
		uint32_t callee;

		if (insn_is_ld_imm64(&f->insns[i])) {
			i++;
			continue;
		}
		if (!insn_is_sub_call(&f->insns[i]))
			continue;
		callee = (uint32_t)f->insns[i].imm;
		if (d->open[callee])
			return bad(&at, "calls '%s' again: functions cannot be recursive",
				   d->p->funcs[callee].name);
		if (!d->frames[callee]) {
			int r = measure_depth(d, callee);

			if (r)
				return r;
		}
		if (d->frames[callee] > deepest)
			deepest = d->frames[callee];
		if (deepest >= PROGRAM_MAX_CALL_DEPTH)
			return bad(&at,
				   "the call of '%s' nests %u functions deep; at most %d are "
				   "possible",
				   d->p->funcs[callee].name, deepest + 1, PROGRAM_MAX_CALL_DEPTH);
	}
	d->open[func] = false;
	d->frames[func] = (uint8_t)(deepest + 1);
	return 0;
}

int program_check_code(const struct program *p, struct nf_error *err)
{
	struct depths d = {.p = p, .err = err};
	int r = 0;

	for (uint32_t i = 0; i < p->n_funcs && !r; i++)
		r = check_func(p, i, err);
	for (uint32_t i = 0; i < p->n_funcs && !r; i++) {
		if (!d.frames[i])
			r = measure_depth(&d, i);
	}
	return r;
}
