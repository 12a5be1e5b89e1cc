/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Random programs with calls, run twice: flattened, and by an evaluator that makes real calls, each
 * with registers and a stack frame of its own. Both must return the same. FLATTEN_SEED=N repeats
 * one of them.
 */
#include "flat_eval.h"
#include "program_fixture.h"

#include <stdio.h>

enum { FUNCS = 6, ROOM = 400, SLOTS = 8, PROGRAMS = 10000, REG_ARGS_MASK = 0x3e };

struct gen {
	uint32_t seed;
	struct bpf_insn code[FUNCS][ROOM];
	uint32_t n[FUNCS];
	uint32_t func;
	uint32_t known; /* registers that hold a number */
	uint32_t slots; /* of the frame that hold one: r10 - 8 * (i + 1) */
};

static uint32_t pick(struct gen *g, uint32_t below)
{
	g->seed = g->seed * 1664525 + 1013904223;
	return (g->seed >> 8) % below;
}

static void emit(struct gen *g, struct bpf_insn insn)
{
	assert_true(g->n[g->func] < ROOM);
	g->code[g->func][g->n[g->func]++] = insn;
}

/* A register that holds a number. */
static uint8_t some_known(struct gen *g)
{
	if (!g->known) {
		emit(g, (struct bpf_insn)MOV_K(0, 1));
		g->known = 1;
	}
	for (;;) {
		uint8_t reg = (uint8_t)pick(g, 10);

		if (g->known & 1u << reg)
			return reg;
	}
}

static void define(struct gen *g, struct bpf_insn insn)
{
	emit(g, insn);
	g->known |= 1u << insn.dst_reg;
}

#define I(...) ((struct bpf_insn)__VA_ARGS__)

/* Uses a frame's address in a register, which holds a number again afterwards. */
static void through_address(struct gen *g)
{
	uint8_t value = some_known(g), reg = (uint8_t)pick(g, 10);
	int slot = (int)pick(g, SLOTS);

	if (reg == value)
		return;
	if (pick(g, 2)) {
		emit(g, I(MOV_X(reg, 10)));
		emit(g, I(ADD_K(reg, -8 * (slot + 1))));
	} else {
		emit(g, I(MOV_K(reg, -8 * (slot + 1))));
		emit(g, I(ADD_X(reg, 10)));
	}
	emit(g, I(STORE(reg, 0, value)));
	g->slots |= 1u << slot;
	define(g, I(LOAD(reg, reg, 0)));
}

static void call(struct gen *g)
{
	uint32_t callee = g->func + 1 + pick(g, FUNCS - 1 - g->func);

	for (uint8_t arg = 1; arg <= 2; arg++) {
		if (pick(g, 3))
			define(g, I(MOV_X(arg, some_known(g))));
		else
			define(g, I(MOV_K(arg, (int)pick(g, 4))));
	}
	/* funcs[1] of the program is the combine. */
	define(g, I(CALL_SUB((int)callee + 1)));
	g->known = (g->known & ~(uint32_t)REG_ARGS_MASK) | 1;
}

static void statement(struct gen *g, int depth)
{
	int slot = (int)pick(g, SLOTS);

	switch (pick(g, depth < 2 ? 12 : 9)) {
	case 0:
		define(g, I(MOV_K((uint8_t)pick(g, 10), (int)pick(g, 5))));
		break;
	case 1:
	case 2:
		define(g, I(MOV_X((uint8_t)pick(g, 10), some_known(g))));
		break;
	case 3:
	case 4:
		emit(g, I(ADD_X(some_known(g), some_known(g))));
		break;
	case 5:
		emit(g, I(STORE(10, (int16_t)(-8 * (slot + 1)), some_known(g))));
		g->slots |= 1u << slot;
		break;
	case 6:
		if (g->slots & 1u << slot)
			define(g, I(LOAD((uint8_t)pick(g, 10), 10, (int16_t)(-8 * (slot + 1)))));
		break;
	case 7:
		through_address(g);
		break;
	case 8: {
		const struct bpf_insn pair[] = {LD64((uint8_t)pick(g, 10), 0, 3, 1)};

		define(g, pair[0]);
		emit(g, pair[1]);
		break;
	}
	case 9:
		if (g->func + 1 < FUNCS)
			call(g);
		break;
	default: { /* if (reg != imm) { ... } */
		uint32_t at = g->n[g->func], known = g->known, slots = g->slots;

		emit(g, I(JEQ_K(some_known(g), (int)pick(g, 4), 0)));
		for (uint32_t k = pick(g, 4); k > 0; k--)
			statement(g, depth + 1);
		if (pick(g, 5) == 0) {
			emit(g, I(MOV_X(0, some_known(g))));
			emit(g, I(EXIT()));
			g->known = known;
			g->slots = slots;
		}
		g->code[g->func][at].off = (int16_t)(g->n[g->func] - at - 1);
		g->known &= known;
		g->slots &= slots;
	}
	}
}

static void generate(struct gen *g, uint32_t seed)
{
	memset(g, 0, sizeof(*g));
	g->seed = seed * 2654435761u + 1;
	for (g->func = 0; g->func < FUNCS; g->func++) {
		g->known = g->func ? 1u << 1 | 1u << 2 : 1u << 1;
		g->slots = 0;
		for (uint32_t k = 4 + pick(g, 14); k > 0; k--)
			statement(g, 0);
		for (uint8_t reg = 6; reg < 10; reg++) { /* what a callee could have spoilt */
			if (reg != 6 && g->known & 1u << reg && g->known & 1u << 6)
				emit(g, I(ADD_X(6, reg)));
		}
		emit(g, I(MOV_X(0, g->known & 1u << 6 ? 6 : some_known(g))));
		emit(g, I(EXIT()));
	}
}

/* Real calls. Addresses are offsets into the frame. */
static uint64_t run_calls(const struct gen *g, uint32_t func, uint64_t r1, uint64_t r2)
{
	uint64_t r[11] = {[1] = r1, [2] = r2, [10] = 512}, stack[64] = {0};

	for (uint32_t pc = 0;;) {
		struct bpf_insn i = g->code[func][pc++];
		uint64_t src = i.code & BPF_X ? r[i.src_reg] : (uint64_t)i.imm;

		switch (i.code) {
		case BPF_ALU64 | BPF_MOV | BPF_K:
		case BPF_ALU64 | BPF_MOV | BPF_X:
			r[i.dst_reg] = src;
			break;
		case BPF_ALU64 | BPF_ADD | BPF_K:
		case BPF_ALU64 | BPF_ADD | BPF_X:
			r[i.dst_reg] += src;
			break;
		case BPF_LDX | BPF_MEM | BPF_DW:
			r[i.dst_reg] = stack[(r[i.src_reg] + (uint64_t)i.off) / 8];
			break;
		case BPF_STX | BPF_MEM | BPF_DW:
			stack[(r[i.dst_reg] + (uint64_t)i.off) / 8] = r[i.src_reg];
			break;
		case BPF_LD | BPF_IMM | BPF_DW:
			r[i.dst_reg] = (uint32_t)i.imm | (uint64_t)(uint32_t)g->code[func][pc++].imm
								 << 32;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += r[i.dst_reg] == (uint64_t)i.imm ? (uint32_t)i.off : 0;
			break;
		case BPF_JMP | BPF_CALL:
			r[0] = run_calls(g, (uint32_t)i.imm - 1, r[1], r[2]);
			break;
		case BPF_JMP | BPF_EXIT:
			return r[0];
		default:
			fail_msg("opcode %#x was not generated", i.code);
		}
	}
}

static void check(uint32_t seed, uint32_t *ret_inlined)
{
	static struct gen g;
	static const struct bpf_insn combine[] = {EXIT()};
	struct program_func funcs[FUNCS + 1] = {[1] = FUNC(PROGRAM_COMBINE, "combine", combine)};
	struct program draft = {.n_funcs = FUNCS + 1, .funcs = funcs, .state_bytes = 8};
	AUTO(flat_code_done) struct flat_code flat = {0};
	AUTO_PROGRAM p = NULL;
	struct nf_error err = {0};

	generate(&g, seed);
	for (uint32_t f = 0; f < FUNCS; f++)
		funcs[f ? f + 1 : 0] =
			(struct program_func){.kind = f ? PROGRAM_SUB : PROGRAM_REDUCE,
					      .name = "f",
					      .insns = g.code[f],
					      .n_insns = g.n[f]};
	if (program_create(&draft, &p, &err))
		fail_msg("FLATTEN_SEED=%u: %s: %s", seed, err.where, err.text);
	int r = program_flatten(p, PROGRAM_REDUCE, &flat, &err);
	if (r && strstr(err.text, "more than 16384 instructions"))
		return;
	if (r)
		fail_msg("FLATTEN_SEED=%u: %s: %s", seed, err.where, err.text);
	for (uint64_t x = 0; x < 6; x++) {
		uint64_t want = run_calls(&g, 0, x, 0), got = flat_run(&flat, x);

		if (want != got)
			fail_msg("FLATTEN_SEED=%u: f(%llu) is %llu with calls, %llu flattened",
				 seed, (unsigned long long)x, (unsigned long long)want,
				 (unsigned long long)got);
	}
	*ret_inlined += flat.stack_bytes > PROGRAM_STACK_FRAME_BYTES;
}

static void flat_code_computes_the_same(void **state)
{
	uint32_t inlined = 0;

	(void)state;
	if (getenv("FLATTEN_SEED")) {
		check((uint32_t)strtoul(getenv("FLATTEN_SEED"), NULL, 10), &inlined);
		return;
	}
	for (uint32_t seed = 0; seed < PROGRAMS; seed++)
		check(seed, &inlined);
	assert_true(inlined > PROGRAMS / 2); /* the generator does make calls */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flat_code_computes_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
