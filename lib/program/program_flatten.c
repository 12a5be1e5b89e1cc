/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program_flatten.c - inlining. Bodies are emitted in one pass, depth first; jumps keep the flat
 * index of their target beside them and get their offsets at the end.
 */
#include "program/program_flatten.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "program/program_check.h"
#include "program/program_live.h"

_Static_assert(PROGRAM_MAX_FLAT_INSNS < INT16_MAX, "every jump of flat code fits 16 bits");

enum {
	SPILL_BYTES = 4 * 8, /* r6..r9, of one depth */
};

#define TOO_LONG                                                                                 \
	"more than %d instructions after sub-functions are inlined; make them smaller, or call " \
	"them from fewer places"

/* In flattener.target: a flat index is final; until its body ends it is an index into the body. */
#define RESOLVED (1u << 31)
#define NO_JUMP  UINT32_MAX

struct flattener {
	const struct program *p;
	const struct func_live *live;
	struct nf_error *err;
	struct flat_code code;
	uint32_t *target; /* flat index that the instruction jumps to, or NO_JUMP */
	uint32_t frames;  /* of the deepest call from the entry */
	bool spills;
};

/* One inlined body. */
struct body {
	uint32_t func, depth;
	uint32_t *at; /* flat index of each of its instructions, one more for its end */
};

static int refuse(struct flattener *f, const struct body *b, uint32_t insn, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int refuse(struct flattener *f, const struct body *b, uint32_t insn, const char *fmt, ...)
{
	char where[256];
	va_list ap;

	va_start(ap, fmt);
	int r = nf_error_vset(f->err, NF_INVALID_ARGUMENT,
			      program_where(f->p, b->func, insn, where, sizeof(where)), fmt, ap);
	va_end(ap);
	return r;
}

/* Append an instruction that stands for instruction `insn` of b. */
static int emit(struct flattener *f, const struct body *b, uint32_t insn, struct bpf_insn what,
		uint32_t target)
{
	uint32_t n = f->code.n_insns;

	if (n == PROGRAM_MAX_FLAT_INSNS)
		return refuse(f, b, insn, TOO_LONG, PROGRAM_MAX_FLAT_INSNS);
	f->code.insns[n] = what;
	f->code.origin[n] = (struct flat_origin){.func = (uint16_t)b->func, .insn = (uint16_t)insn};
	f->target[n] = target;
	f->code.n_insns++;
	return 0;
}

static int32_t frame_shift(const struct body *b)
{
	return -(int32_t)b->depth * PROGRAM_STACK_FRAME_BYTES;
}

static struct bpf_insn add_imm(uint8_t dst, int32_t imm)
{
	return (struct bpf_insn){
		.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = dst & 0xf, .imm = imm};
}

/* A load or store through r10: move its offset into the body's frame. */
static int emit_frame_access(struct flattener *f, const struct body *b, uint32_t i,
			     struct bpf_insn insn)
{
	int32_t off = insn.off + frame_shift(b);

	if (off < INT16_MIN)
		return refuse(f, b, i, "access at r10%+d is outside of the stack frame of %d bytes",
			      insn.off, PROGRAM_STACK_FRAME_BYTES);
	insn.off = (int16_t)off;
	return emit(f, b, i, insn, NO_JUMP);
}

/* r10 as an operand's value: compute the body's frame pointer in a register that is dead here. */
static int emit_frame_value(struct flattener *f, const struct body *b, uint32_t i,
			    struct bpf_insn insn, uint32_t target)
{
	const struct func_live *l = &f->live[b->func];
	uint16_t reads, writes;
	uint8_t temp = BPF_REG_0;

	insn_registers(&insn, &reads, &writes);
	/* r0..r5 only: r6..r9 may be some caller's. */
	while (temp <= BPF_REG_5 && (l->after[i] | l->before[i] | reads | writes) & 1u << temp)
		temp++;
	if (temp > BPF_REG_5)
		return refuse(
			f, b, i,
			"uses r10 while all of r0..r5 are in use; copy r10 to a register first");
	int r = emit(f, b, i,
		     (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_X,
				       .dst_reg = temp & 0xf,
				       .src_reg = BPF_REG_10},
		     NO_JUMP);
	if (!r)
		r = emit(f, b, i, add_imm(temp, frame_shift(b)), NO_JUMP);
	if (insn.src_reg == BPF_REG_10)
		insn.src_reg = temp & 0xf;
	else
		insn.dst_reg = temp & 0xf;
	return r ? r : emit(f, b, i, insn, target);
}

/* Everything but calls to sub-functions and exit, at a depth where r10 means another place. */
static int emit_in_frame(struct flattener *f, const struct body *b, uint32_t i, uint32_t target)
{
	struct bpf_insn insn = f->p->funcs[b->func].insns[i];
	uint8_t class = BPF_CLASS(insn.code);
	bool memory = class == BPF_LDX || class == BPF_ST || class == BPF_STX;
	uint8_t base = class == BPF_LDX ? insn.src_reg : insn.dst_reg, op = BPF_OP(insn.code);
	uint16_t reads, writes;

	insn_registers(&insn, &reads, &writes);
	if (!(reads & 1u << BPF_REG_10) || b->depth == 0)
		return emit(f, b, i, insn, target);
	if (memory && class == BPF_STX && insn.src_reg == BPF_REG_10 && base != BPF_REG_10)
		return emit_frame_value(f, b, i, insn, NO_JUMP);
	if (memory && !(class == BPF_STX && insn.src_reg == BPF_REG_10))
		return emit_frame_access(f, b, i, insn);
	if (memory) { /* *(r10 + off) = r10: the address moves as well */
		if (insn.off + frame_shift(b) < INT16_MIN)
			return emit_frame_access(f, b, i, insn); /* which refuses it */
		insn.off = (int16_t)(insn.off + frame_shift(b));
		return emit_frame_value(f, b, i, insn, NO_JUMP);
	}
	/* What r10 contributes is off by the shift, and so is the result: put it right after. */
	if ((class == BPF_ALU64 || class == BPF_ALU) && insn.src_reg == BPF_REG_10 &&
	    insn.dst_reg != BPF_REG_10 && insn.off == 0 &&
	    (op == BPF_MOV || op == BPF_ADD || op == BPF_SUB)) {
		struct bpf_insn add =
			add_imm(insn.dst_reg, op == BPF_SUB ? -frame_shift(b) : frame_shift(b));
		int r = emit(f, b, i, insn, NO_JUMP);

		add.code = class | BPF_ADD | BPF_K;
		return r ? r : emit(f, b, i, add, NO_JUMP);
	}
	if (class != BPF_JMP && class != BPF_JMP32 && insn.dst_reg == BPF_REG_10)
		return emit(f, b, i, insn, target); /* writes r10: the verifier refuses it */
	return emit_frame_value(f, b, i, insn, target);
}

/* Store (or load back) the registers of `mask` in the spill slots of depth `depth`. */
static int emit_spills(struct flattener *f, const struct body *b, uint32_t i, uint16_t mask,
		       bool store)
{
	int32_t slots = -(int32_t)(f->frames * PROGRAM_STACK_FRAME_BYTES + b->depth * SPILL_BYTES);
	int r = 0;

	for (uint8_t reg = BPF_REG_6; reg <= BPF_REG_9 && !r; reg++) {
		int16_t off = (int16_t)(slots - 8 * (reg - BPF_REG_6 + 1));
		struct bpf_insn insn = {.code = BPF_STX | BPF_MEM | BPF_DW,
					.dst_reg = BPF_REG_10,
					.src_reg = reg & 0xf,
					.off = off};

		if (!(mask & 1u << reg))
			continue;
		if (!store)
			insn = (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_DW,
						 .dst_reg = reg & 0xf,
						 .src_reg = BPF_REG_10,
						 .off = off};
		f->spills = true;
		r = emit(f, b, i, insn, NO_JUMP);
	}
	return r;
}

static int emit_body(struct flattener *f, uint32_t func, uint32_t depth);

static int emit_call(struct flattener *f, const struct body *b, uint32_t i)
{
	uint32_t callee = (uint32_t)f->p->funcs[b->func].insns[i].imm;
	uint16_t after = f->live[b->func].after[i];
	uint16_t keep = after & f->live[callee].written & REGS_SAVED;
	uint16_t lost = REGS_SURE(after), stolen = f->live[callee].before[0] & REGS_SAVED;

	if (lost)
		return refuse(f, b, i,
			      "r%d is read after the call of '%s', which does not keep r1..r5",
			      __builtin_ctz(lost), f->p->funcs[callee].name);
	if (stolen) {
		struct body at = {.func = callee};

		return refuse(f, &at, 0, "'%s' reads r%d before writing it",
			      f->p->funcs[callee].name, __builtin_ctz(stolen));
	}
	int r = emit_spills(f, b, i, keep, true);
	if (!r)
		r = emit_body(f, callee, b->depth + 1);
	return r ? r : emit_spills(f, b, i, keep, false);
}

static int emit_insn(struct flattener *f, const struct body *b, uint32_t i)
{
	const struct program_func *fn = &f->p->funcs[b->func];
	struct bpf_insn insn = fn->insns[i];
	int64_t jump;
	int r;

	if (insn_is_sub_call(&insn))
		return emit_call(f, b, i);
	if (insn_is_ld_imm64(&insn)) {
		r = emit(f, b, i, insn, NO_JUMP);
		return r ? r : emit(f, b, i + 1, fn->insns[i + 1], NO_JUMP);
	}
	if (insn.code == (BPF_JMP | BPF_EXIT) && b->depth > 0) {
		insn = (struct bpf_insn){.code = BPF_JMP | BPF_JA};
		/* The last one falls through. */
		return i + 1 == fn->n_insns ? 0 : emit(f, b, i, insn, fn->n_insns);
	}
	if (insn_jump(&insn, &jump))
		return emit_in_frame(f, b, i, (uint32_t)(i + 1 + jump));
	return emit_in_frame(f, b, i, NO_JUMP);
}

static int emit_body(struct flattener *f, uint32_t func, uint32_t depth)
{
	const struct program_func *fn = &f->p->funcs[func];
	AUTO_FREE uint32_t *at = calloc(fn->n_insns + 1, sizeof(*at));
	struct body b = {.func = func, .depth = depth, .at = at};

	if (!at)
		return nf_error_no_memory(f->err, NULL);
	for (uint32_t i = 0; i < fn->n_insns; i++) {
		int r;

		at[i] = f->code.n_insns;
		r = emit_insn(f, &b, i);
		if (r)
			return r;
		if (insn_is_ld_imm64(&fn->insns[i]))
			at[++i] = f->code.n_insns - 1;
	}
	at[fn->n_insns] = f->code.n_insns;
	/* The bodies inlined into this one were resolved when they ended. */
	for (uint32_t n = at[0]; n < f->code.n_insns; n++) {
		if (!(f->target[n] & RESOLVED))
			f->target[n] = at[f->target[n]] | RESOLVED;
	}
	return 0;
}

/* What inlining will come to, before it starts: calls of calls multiply. */
struct measure {
	const struct program *p;
	uint32_t frames[PROGRAM_MAX_FUNCS]; /* 0: not known yet */
	uint64_t
		insns[PROGRAM_MAX_FUNCS]; /* with all that is inlined; stops growing at the limit */
};

static void measure(struct measure *m, uint32_t func)
{
	const struct program_func *f = &m->p->funcs[func];

	m->frames[func] = 1;
	m->insns[func] = f->n_insns;
	for (uint32_t i = 0; i < f->n_insns; i += insn_is_ld_imm64(&f->insns[i]) ? 2 : 1) {
		uint32_t callee = (uint32_t)f->insns[i].imm;

		if (!insn_is_sub_call(&f->insns[i]))
			continue;
		if (!m->frames[callee])
			measure(m, callee);
		if (m->frames[func] < m->frames[callee] + 1)
			m->frames[func] = m->frames[callee] + 1;
		if (m->insns[func] <= PROGRAM_MAX_FLAT_INSNS)
			m->insns[func] += m->insns[callee];
	}
}

static void patch_jumps(struct flattener *f)
{
	for (uint32_t n = 0; n < f->code.n_insns; n++) {
		struct bpf_insn *insn = &f->code.insns[n];
		int32_t jump = (int32_t)((f->target[n] & ~RESOLVED) - n - 1);

		if (f->target[n] == NO_JUMP)
			continue;
		if (insn->code == (BPF_JMP32 | BPF_JA))
			insn->imm = jump;
		else
			insn->off = (int16_t)jump;
	}
}

static void free_live(struct func_live (*live)[PROGRAM_MAX_FUNCS])
{
	program_live_done(*live, PROGRAM_MAX_FUNCS);
}

int program_flatten(const struct program *p, enum program_kind kind, struct flat_code *ret,
		    struct nf_error *err)
{
	AUTO(free_live) struct func_live live[PROGRAM_MAX_FUNCS] = {0};
	AUTO(flat_code_done)
	struct flat_code code = {
		.insns = calloc(PROGRAM_MAX_FLAT_INSNS, sizeof(*code.insns)),
		.origin = calloc(PROGRAM_MAX_FLAT_INSNS, sizeof(*code.origin)),
	};
	AUTO_FREE uint32_t *target = calloc(PROGRAM_MAX_FLAT_INSNS, sizeof(*target));
	struct flattener f = {.p = p, .live = live, .err = err, .code = code, .target = target};
	struct measure m = {.p = p};
	uint32_t entry;

	if (!program_entry(p, kind, &entry))
		return -ENOENT;
	if (!code.insns || !code.origin || !target || program_live(p, live))
		return nf_error_no_memory(err, NULL);
	measure(&m, entry);
	f.frames = m.frames[entry];
	if (m.insns[entry] > PROGRAM_MAX_FLAT_INSNS)
		return refuse(&f, &(struct body){.func = entry}, 0, TOO_LONG,
			      PROGRAM_MAX_FLAT_INSNS);
	int r = emit_body(&f, entry, 0);
	if (r)
		return r;
	patch_jumps(&f);
	f.code.stack_bytes = f.frames * PROGRAM_STACK_FRAME_BYTES;
	if (f.spills)
		f.code.stack_bytes += f.frames * SPILL_BYTES;
	/* Shrinking cannot fail in a way that matters: the longer block stays. */
	struct bpf_insn *insns = realloc(f.code.insns, f.code.n_insns * sizeof(*insns));
	if (insns)
		f.code.insns = insns;
	struct flat_origin *origin = realloc(f.code.origin, f.code.n_insns * sizeof(*origin));
	if (origin)
		f.code.origin = origin;
	*ret = f.code;
	code = (struct flat_code){0};
	return 0;
}

void flat_code_done(struct flat_code *code)
{
	free(code->insns);
	free(code->origin);
	*code = (struct flat_code){0};
}
