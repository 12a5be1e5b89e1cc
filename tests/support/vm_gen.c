/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* vm_gen.c - random programs: sizes, the entry functions around their random bodies. */
#include "tests/support/vm_gen.h"

#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "tests/support/vm_asm.h"
#include "tests/support/vm_gen_body.h"

enum { MAX_SUBS = 2, MAX_FUNCS = MAX_SUBS + PROGRAM_ENTRIES, RODATA_BYTES = 24, HOPED_BYTES = 16 };

struct vm_gen {
	uint64_t seed;
	struct vm_gen_options options;
	struct program draft;
	struct program_func funcs[MAX_FUNCS];
	struct gen_body bodies[MAX_FUNCS];
	char names[MAX_FUNCS][16];
	uint8_t rodata[RODATA_BYTES];
	uint8_t init[64];
	unsigned n_subs;
};

uint64_t vm_gen_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

void vm_gen_bytes(uint64_t *state, uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789+-.e0123 x";

	for (size_t i = 0; i < n; i++) {
		uint64_t r = vm_gen_random(state);

		switch (r % 8) {
		case 0:
		case 1:
			p[i] = (uint8_t)(r >> 8);
			break;
		case 2:
			p[i] = (uint8_t)digits[(r >> 8) % (sizeof(digits) - 1)];
			break;
		case 3:
			p[i] = r & 0x100 ? 0xff : 0x80;
			break;
		case 4:
			p[i] = (uint8_t)(r >> 8 & 7);
			break;
		default:
			p[i] = 0;
			break;
		}
	}
}

static struct gen_body *begin(struct vm_gen *g, enum program_kind kind, const char *name)
{
	uint32_t i = g->draft.n_funcs++;
	struct gen_body *b = &g->bodies[i];

	snprintf(g->names[i], sizeof(g->names[i]), "%s", name);
	g->funcs[i] = (struct program_func){.kind = kind, .name = g->names[i], .insns = b->insns};
	b->seed = &g->seed;
	b->options = &g->options;
	b->limit = g->options.max_insns ? g->options.max_insns : 60;
	if (b->limit > GEN_MAX_INSNS - 300)
		b->limit = GEN_MAX_INSNS - 300;
	b->region_bytes[VM_REGION_RODATA] = g->draft.rodata_bytes;
	b->model.reg[10] = (struct gen_value){.kind = GEN_POINTER, .region = VM_REGION_STACK};
	b->n_subs = kind == PROGRAM_SUB ? 0 : g->n_subs;
	return b;
}

static void end(struct vm_gen *g, struct gen_body *b)
{
	gen_op(b, &(struct vm_op){.op = VM_OP_EXIT, .width = 64, .use_imm = true});
	g->funcs[b - g->bodies].n_insns = b->n;
}

/* The entry's pointer in `from` moves to `to`, where it stays. */
static void keep_pointer(struct gen_body *b, unsigned to, unsigned from, enum vm_region region,
			 uint32_t bytes, bool write)
{
	b->model.reg[from] = (struct gen_value){.kind = GEN_POINTER, .region = (uint8_t)region};
	gen_mov(b, to, from);
	b->model.reg[from] = (struct gen_value){0};
	b->region_bytes[region] = bytes;
	b->region_writable |= write ? 1u << region : 0;
}

/* With records of any length, accesses hope for some bytes and are guarded. */
static uint32_t record_room(const struct vm_gen *g)
{
	if (g->draft.record_bytes)
		return g->draft.record_bytes;
	return g->options.no_guards ? 0 : HOPED_BYTES;
}

static void keep_record(struct vm_gen *g, struct gen_body *b, unsigned record, unsigned params)
{
	keep_pointer(b, 7, record, VM_REGION_RECORD, record_room(g), false);
	keep_pointer(b, 8, params, VM_REGION_PARAMS, g->draft.params_bytes, false);
	b->model.reg[record + 1] = (struct gen_value){.kind = GEN_SCALAR}; /* len */
}

static void make_sub(struct vm_gen *g, unsigned number)
{
	char name[16];
	struct gen_body *b;

	snprintf(name, sizeof(name), "sub%u", number);
	b = begin(g, PROGRAM_SUB, name);
	b->limit = 16;
	b->model.reg[1] = b->model.reg[2] = (struct gen_value){.kind = GEN_SCALAR};
	gen_statements(b, 1 + gen_below(b, 14));
	gen_mov(b, 0, gen_scalar(b));
	end(g, b);
}

static void make_filter(struct vm_gen *g)
{
	struct gen_body *b = begin(g, PROGRAM_FILTER, "filter");

	keep_record(g, b, 1, 3);
	gen_statements(b, 1 + gen_below(b, b->limit));
	gen_mov(b, 0, gen_scalar(b));
	if (gen_chance(b, 70))
		gen_alu_imm(b, VM_OP_AND, 0, gen_chance(b, 50) ? 1 : 0x11);
	end(g, b);
}

/* Few different keys: of each byte two bits, of the first two bytes only. */
static void make_key(struct vm_gen *g)
{
	struct gen_body *b = begin(g, PROGRAM_KEY, "key");

	keep_pointer(b, 6, 4, VM_REGION_KEY, 0, true);
	keep_record(g, b, 1, 3);
	gen_statements(b, 1 + gen_below(b, b->limit / 2));
	for (uint32_t i = 0; i < g->draft.key_bytes && i < 2; i++) {
		gen_mov(b, 0, gen_scalar(b));
		gen_alu_imm(b, VM_OP_AND, 0, 3);
		gen_op(b, &(struct vm_op){.op = VM_OP_STORE,
					  .width = 64,
					  .bytes = 1,
					  .dst = 6,
					  .src = 0,
					  .off = (int)i});
	}
	gen_set(b, 0, 0);
	end(g, b);
}

/* word[i] OP= a scalar */
static void mix_into_state(struct vm_gen *g, struct gen_body *b, uint8_t op)
{
	for (uint32_t off = 0; off + 8 <= g->draft.state_bytes; off += 8) {
		unsigned s = gen_scalar(b), word = s == 5 ? 4 : 5;

		gen_op(b, &(struct vm_op){.op = VM_OP_LOAD,
					  .width = 64,
					  .bytes = 8,
					  .dst = (uint8_t)word,
					  .src = 6,
					  .off = (int)off});
		gen_op(b, &(struct vm_op){
				  .op = op, .width = 64, .dst = (uint8_t)word, .src = (uint8_t)s});
		gen_op(b, &(struct vm_op){.op = VM_OP_STORE,
					  .width = 64,
					  .bytes = 8,
					  .dst = 6,
					  .src = (uint8_t)word,
					  .off = (int)off});
		b->model.reg[word] = (struct gen_value){.kind = GEN_NOTHING};
	}
}

static void make_reduce(struct vm_gen *g)
{
	bool additive = g->options.additive;
	struct gen_body *b = begin(g, PROGRAM_REDUCE, "reduce");

	keep_pointer(b, 6, 1, VM_REGION_STATE, additive ? 0 : g->draft.state_bytes, true);
	keep_record(g, b, 2, 4);
	gen_statements(b, 1 + gen_below(b, b->limit));
	mix_into_state(g, b, additive || gen_chance(b, 50) ? VM_OP_ADD : VM_OP_XOR);
	gen_set(b, 0, 0);
	end(g, b);
}

static void make_combine(struct vm_gen *g)
{
	struct gen_body *b = begin(g, PROGRAM_COMBINE, "combine");
	uint32_t bytes = g->draft.state_bytes;

	if (g->options.additive) {
		for (uint32_t off = 0; off + 8 <= bytes; off += 8) {
			gen_load(b, 8, 3, 1, (int)off);
			gen_load(b, 8, 4, 2, (int)off);
			gen_op(b,
			       &(struct vm_op){.op = VM_OP_ADD, .width = 64, .dst = 3, .src = 4});
			gen_op(b, &(struct vm_op){.op = VM_OP_STORE,
						  .width = 64,
						  .bytes = 8,
						  .dst = 1,
						  .src = 3,
						  .off = (int)off});
		}
	} else {
		keep_pointer(b, 6, 1, VM_REGION_STATE, bytes, true);
		keep_pointer(b, 7, 2, VM_REGION_FROM, bytes, false);
		gen_statements(b, 1 + gen_below(b, b->limit / 2));
		mix_into_state(g, b, VM_OP_ADD);
	}
	gen_set(b, 0, 0);
	end(g, b);
}

static void mutate(struct vm_gen *g)
{
	unsigned f = (unsigned)(vm_gen_random(&g->seed) % g->draft.n_funcs);
	struct gen_body *b = &g->bodies[f];
	struct bpf_insn *insn = &b->insns[vm_gen_random(&g->seed) % b->n];
	uint64_t r = vm_gen_random(&g->seed);

	switch (r >> 60) {
	case 0:
	case 1:
	case 2:
		insn->code = (uint8_t)r;
		break;
	case 3:
	case 4:
	case 5:
		insn->dst_reg = (r & 0xff) % 11;
		break;
	case 6:
	case 7:
	case 8:
		insn->src_reg = (r & 0xff) % 11;
		break;
	case 9:
	case 10:
	case 11:
		insn->off = (int16_t)(r & 0x100 ? (int8_t)r : (int16_t)r);
		break;
	case 12:
	case 13:
	case 14:
		insn->imm = (int32_t)(r & 0x100000000 ? (int8_t)r : (int32_t)r);
		break;
	default:
		*insn = (struct bpf_insn){.code = (uint8_t)r,
					  .dst_reg = (r >> 8 & 0xff) % 11,
					  .src_reg = (r >> 16 & 0xff) % 11,
					  .off = (int8_t)(r >> 24),
					  .imm = (int8_t)(r >> 32)};
		break;
	}
}

static void choose_sizes(struct vm_gen *g)
{
	struct program *p = &g->draft;
	const struct vm_gen_options *o = &g->options;
	uint64_t r = vm_gen_random(&g->seed);

	p->record_bytes = o->any_length     ? 0
			  : o->record_bytes ? o->record_bytes
					    : 1 + (uint32_t)(r % 96);
	p->params_bytes = r >> 8 & 1 ? 1 + (uint32_t)(r >> 9 & 31) : 0;
	p->key_bytes = !o->no_key && (r >> 14 & 3) == 0 ? 1 + (uint32_t)(r >> 16 & 15) : 0;
	p->state_bytes = 8 * (1 + (uint32_t)(r >> 20) % 6);
	p->rodata_bytes = r >> 26 & 1 ? RODATA_BYTES : 0;
	p->rodata = g->rodata;
	vm_gen_bytes(&g->seed, g->rodata, sizeof(g->rodata));
	if (!o->additive &&
	    (r >> 28 & 3) == 0) { /* additive: it would count once a partial state */
		vm_gen_bytes(&g->seed, g->init, sizeof(g->init));
		p->init_state = g->init;
	}
	g->n_subs = o->no_subs ? 0 : (unsigned)(r >> 30) % (MAX_SUBS + 1);
}

struct vm_gen *vm_gen_new(uint64_t seed, const struct vm_gen_options *options)
{
	struct vm_gen *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->seed = seed;
	g->options = *options;
	g->draft.funcs = g->funcs;
	choose_sizes(g);
	for (unsigned i = 0; i < g->n_subs; i++)
		make_sub(g, i);
	if (!options->no_filter && vm_gen_random(&g->seed) % 4)
		make_filter(g);
	if (g->draft.key_bytes)
		make_key(g);
	make_reduce(g);
	make_combine(g);
	if (vm_gen_random(&g->seed) % 100 < options->mutate_percent)
		mutate(g);
	return g;
}

void vm_gen_free(struct vm_gen *g)
{
	free(g);
}

const struct program *vm_gen_draft(const struct vm_gen *g)
{
	return &g->draft;
}
