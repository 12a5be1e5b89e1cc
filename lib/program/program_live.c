/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program_live.c - liveness by a worklist over predecessors. Each instruction's set grows at most
 * eleven times, so the work is linear in the instructions. Callees come before their callers,
 * because a call reads those of r1..r5 that the callee has live at its start.
 */
#include "program/program_live.h"

#include <errno.h>
#include <stdlib.h>

#include "base/scope.h"
#include "program/program_check.h"

void insn_registers(const struct bpf_insn *insn, uint16_t *ret_reads, uint16_t *ret_writes)
{
	uint16_t dst = (uint16_t)(1u << insn->dst_reg), src = (uint16_t)(1u << insn->src_reg);
	uint8_t op = BPF_OP(insn->code);
	uint16_t reads = 0, writes = 0;

	switch (BPF_CLASS(insn->code)) {
	case BPF_ALU:
	case BPF_ALU64:
		writes = dst;
		/* END uses the source bit for the direction. */
		if (BPF_SRC(insn->code) == BPF_X && op != BPF_END)
			reads |= src;
		if (op != BPF_MOV)
			reads |= dst;
		break;
	case BPF_LD:
		if (insn_is_ld_imm64(insn)) {
			writes = dst;
		} else { /* packet access: the verifier refuses it */
			reads = (uint16_t)(src | 1u << BPF_REG_6);
			writes = REGS_CALL;
		}
		break;
	case BPF_LDX:
		reads = src;
		writes = dst;
		break;
	case BPF_ST:
		reads = dst;
		break;
	case BPF_STX:
		reads = dst | src;
		if (BPF_MODE(insn->code) == BPF_ATOMIC) { /* may fetch into src or r0 */
			reads |= 1;
			writes = src | 1;
		}
		break;
	default: /* JMP, JMP32 */
		if (op == BPF_CALL) {
			reads = REGS_ARGS;
			writes = REGS_CALL;
		} else if (op == BPF_EXIT) {
			reads = 1;
		} else if (op != BPF_JA) {
			reads = dst;
			if (BPF_SRC(insn->code) == BPF_X)
				reads |= src;
		}
	}
	*ret_reads = reads;
	*ret_writes = writes;
}

/* A mask of registers as a live set that holds them for sure. */
static uint16_t surely(uint16_t mask)
{
	return (uint16_t)(mask | (mask & REGS_ARGS) << 10);
}

/* What must hold before an instruction when `after` must hold behind it. */
static uint16_t transfer(const struct bpf_insn *insn, const struct func_live *all, uint16_t after)
{
	uint16_t reads, writes;

	insn_registers(insn, &reads, &writes);
	if (BPF_MODE(insn->code) == BPF_ATOMIC && BPF_CLASS(insn->code) == BPF_STX)
		writes = 0; /* may leave them alone */
	if (insn_is_sub_call(insn))
		reads = all[insn->imm].before[0] & surely(REGS_ARGS);
	else if (insn->code != (BPF_JMP | BPF_CALL))
		reads = surely(reads);
	return (uint16_t)((after & ~surely(writes)) | reads);
}

/* Predecessors in two arrays: those of i are list[start[i]] up to list[start[i + 1]]. */
struct preds {
	uint32_t *start, *list;
};

/* Calls add(arg, from, to) for each edge of the function. */
static void each_edge(const struct program_func *f, void (*add)(void *, uint32_t, uint32_t),
		      void *arg)
{
	for (uint32_t i = 0; i < f->n_insns;) {
		uint32_t next = i + (insn_is_ld_imm64(&f->insns[i]) ? 2 : 1);
		int64_t jump;

		if (insn_jump(&f->insns[i], &jump))
			add(arg, i, (uint32_t)(i + 1 + jump));
		if (!insn_ends(&f->insns[i]))
			add(arg, i, next);
		i = next;
	}
}

static void count_edge(void *arg, uint32_t from, uint32_t to)
{
	struct preds *p = arg;

	(void)from;
	p->start[to + 1]++;
}

static void add_edge(void *arg, uint32_t from, uint32_t to)
{
	struct preds *p = arg;

	p->list[p->start[to]++] = from;
}

/* After filling, start[i] is the end of i's list, which is the start of the next one's. */
static void find_preds(const struct program_func *f, struct preds *p)
{
	each_edge(f, count_edge, p);
	for (uint32_t i = 0; i < f->n_insns; i++)
		p->start[i + 1] += p->start[i];
	each_edge(f, add_edge, p);
}

static int analyse(const struct program_func *f, const struct func_live *all, struct func_live *l)
{
	AUTO_FREE uint32_t *start = calloc(f->n_insns + 2, sizeof(*start));
	AUTO_FREE uint32_t *list = calloc(2 * (size_t)f->n_insns, sizeof(*list));
	AUTO_FREE uint32_t *work = calloc(f->n_insns, sizeof(*work));
	AUTO_FREE bool *queued = calloc(f->n_insns, sizeof(*queued));
	struct preds preds = {.start = start, .list = list};
	uint32_t n_work = 0;

	l->before = calloc(f->n_insns, sizeof(*l->before));
	l->after = calloc(f->n_insns, sizeof(*l->after));
	if (!start || !list || !work || !queued || !l->before || !l->after)
		return -ENOMEM;
	find_preds(f, &preds);
	for (uint32_t i = 0; i < f->n_insns; i++) {
		uint16_t reads, writes;

		work[n_work++] = i;
		queued[i] = true;
		insn_registers(&f->insns[i], &reads, &writes);
		l->written |= writes;
		if (insn_is_sub_call(&f->insns[i]))
			l->written |= all[f->insns[i].imm].written;
		if (insn_is_ld_imm64(&f->insns[i]))
			i++;
	}
	while (n_work) {
		uint32_t i = work[--n_work];
		uint16_t before = transfer(&f->insns[i], all, l->after[i]);

		queued[i] = false;
		if (before == l->before[i])
			continue;
		l->before[i] = before;
		for (uint32_t e = i ? start[i - 1] : 0; e < start[i]; e++) {
			uint32_t from = list[e];

			l->after[from] |= before;
			if (!queued[from])
				work[n_work++] = from;
			queued[from] = true;
		}
	}
	return 0;
}

/* Callees first; a sealed program has no recursion and at most PROGRAM_MAX_CALL_DEPTH levels. */
static int visit(const struct program *p, uint32_t func, struct func_live *all)
{
	const struct program_func *f = &p->funcs[func];

	for (uint32_t i = 0; i < f->n_insns; i += insn_is_ld_imm64(&f->insns[i]) ? 2 : 1) {
		if (insn_is_sub_call(&f->insns[i]) && !all[f->insns[i].imm].before) {
			int r = visit(p, (uint32_t)f->insns[i].imm, all);

			if (r)
				return r;
		}
	}
	return analyse(f, all, &all[func]);
}

int program_live(const struct program *p, struct func_live *ret)
{
	int r = 0;

	for (uint32_t i = 0; i < p->n_funcs && !r; i++) {
		if (!ret[i].before)
			r = visit(p, i, ret);
	}
	return r;
}

void program_live_done(struct func_live *live, uint32_t n_funcs)
{
	for (uint32_t i = 0; live && i < n_funcs; i++) {
		free(live[i].before);
		free(live[i].after);
		live[i] = (struct func_live){0};
	}
}
