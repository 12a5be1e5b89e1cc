/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * test_vm_branchfree.c - the expression graph against the interpreter. A small evaluator computes
 * every node for a record; the cells' values must be the state that the interpreter leaves, and
 * where the graph says "reduction", merging the operands must give the same.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "tests/support/vm_asm.h"
#include "tests/support/vm_gen.h"
#include "vm/vm_branchfree.h"
#include "vm/vm_helper.h"
#include "vm/vm_interp.h"

enum { PROGRAMS = 3000, RECORDS = 8, MAX_STATE = 64 << 10 };

typedef unsigned __int128 wide;
typedef __int128 swide;

/* ---- the evaluator ------------------------------------------------------------------------- */

struct world {
	const uint8_t *record, *params, *rodata, *state;
	uint32_t length;
};

static uint64_t load(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	memcpy(&v, p, bytes > 8 ? 8 : bytes);
	return v;
}

static uint64_t extend(uint64_t v, unsigned bytes, bool sign)
{
	unsigned shift = 64 - 8 * (bytes > 8 ? 8 : bytes);

	return sign ? (uint64_t)((int64_t)(v << shift) >> shift) : v << shift >> shift;
}

static wide eval_node(const struct vm_branchfree *bf, uint32_t i, const wide *v,
		      const struct world *w)
{
	const struct bf_node *n = &bf->nodes[i];
	wide wa = n->a == BF_NONE ? 0 : v[n->a], wb = n->b == BF_NONE ? 0 : v[n->b];
	uint64_t a = (uint64_t)wa, b = (uint64_t)wb;
	int64_t r;
	swide sum;

	switch (n->op) {
	case BF_CONST:
		return n->imm;
	case BF_LOAD:
		return load((n->region == VM_REGION_RECORD   ? w->record
			     : n->region == VM_REGION_PARAMS ? w->params
							     : w->rodata) +
				    n->imm,
			    n->bytes);
	case BF_LEN:
		return w->length;
	case BF_CELL:
		if (n->bytes < 16)
			return load(w->state + n->imm, n->bytes);
		memcpy(&wa, w->state + n->imm, 16);
		return wa;
	case BF_ADD:
		return a + b;
	case BF_SUB:
		return a - b;
	case BF_MUL:
		return a * b;
	case BF_UDIV:
		return b ? a / b : 0;
	case BF_UMOD:
		return b ? a % b : a;
	case BF_SDIV:
		return !b ? 0 : b == UINT64_MAX ? -a : (uint64_t)((int64_t)a / (int64_t)b);
	case BF_SMOD:
		return !b ? a : b == UINT64_MAX ? 0 : (uint64_t)((int64_t)a % (int64_t)b);
	case BF_AND:
		return a & b;
	case BF_OR:
		return a | b;
	case BF_XOR:
		return a ^ b;
	case BF_SHL:
		assert_true(b < 64);
		return a << b;
	case BF_SHR:
		assert_true(b < 64);
		return a >> b;
	case BF_SAR:
		assert_true(b < 64);
		return (uint64_t)((int64_t)a >> b);
	case BF_ZEXT:
		return extend(a, n->bytes, false);
	case BF_SEXT:
		return extend(a, n->bytes, true);
	case BF_BSWAP:
		return __builtin_bswap64(a) >> (64 - 8 * n->bytes);
	case BF_EQ:
		return a == b;
	case BF_ULT:
		return a < b;
	case BF_SLT:
		return (int64_t)a < (int64_t)b;
	case BF_NOT:
		assert_true(a <= 1);
		return !a;
	case BF_BOTH:
		return a & b;
	case BF_EITHER:
		return a | b;
	case BF_SELECT:
		return a ? v[n->b] : v[n->c];
	case BF_CALL:
		return vm_helper_by_number((int32_t)n->imm)->fn(a, b, 0, 0, 0);
	case BF_ADD128:
		return wa + (wide)(swide)(int64_t)b;
	case BF_SUM128:
		return wa + wb;
	case BF_OVER128:
		return __builtin_add_overflow((swide)wa, (swide)(int64_t)b, &sum);
	case BF_OVERSUM128:
		return __builtin_add_overflow((swide)wa, (swide)wb, &sum);
	case BF_MUL128:
		return (wide)((swide)(int64_t)a * (int64_t)b);
	case BF_MULOVER:
		return __builtin_mul_overflow((int64_t)a, (int64_t)b, &r);
	case BF_ADDOVER:
		return __builtin_add_overflow((int64_t)a, (int64_t)b, &r);
	default:
		fail_msg("no such node: %u", n->op);
		return 0;
	}
}

static void eval(const struct vm_branchfree *bf, const struct world *w, wide *v)
{
	for (uint32_t i = 0; i < bf->n_nodes; i++) {
		const struct bf_node *n = &bf->nodes[i];

		/* Operands come first, or one pass would not do. */
		assert_true(n->a == BF_NONE || n->a < i);
		assert_true(n->b == BF_NONE || n->b < i);
		assert_true(n->c == BF_NONE || n->c < i);
		v[i] = eval_node(bf, i, v, w);
	}
}

static uint64_t merge(const struct bf_cell *c, uint64_t old, uint64_t x)
{
	bool sign = c->merge == BF_MERGE_SMIN || c->merge == BF_MERGE_SMAX;
	uint64_t a = extend(old, c->bytes, sign), b = extend(x, c->bytes, sign);

	switch (c->merge) {
	case BF_MERGE_ADD:
		return old + x;
	case BF_MERGE_OR:
		return old | x;
	case BF_MERGE_AND:
		return old & x;
	case BF_MERGE_XOR:
		return old ^ x;
	case BF_MERGE_UMIN:
		return b < a ? b : a;
	case BF_MERGE_UMAX:
		return b > a ? b : a;
	case BF_MERGE_SMIN:
		return (int64_t)b < (int64_t)a ? b : a;
	case BF_MERGE_SMAX:
		return (int64_t)b > (int64_t)a ? b : a;
	default:
		return old;
	}
}

/* The state after the record by the cells' values, and by their merges. */
static void apply(const struct vm_branchfree *bf, const wide *v, uint8_t *by_value,
		  uint8_t *by_merge)
{
	for (uint32_t i = 0; i < bf->n_cells; i++) {
		const struct bf_cell *c = &bf->cells[i];

		if (!c->written)
			continue;
		memcpy(by_value + c->offset, &v[c->value], c->bytes);
		if (c->merge == BF_MERGE_NONE || (c->when != BF_NONE && !v[c->when]))
			continue;
		if (c->merge == BF_MERGE_ADD128) {
			wide old;

			memcpy(&old, by_merge + c->offset, 16);
			old += (wide)(uint64_t)v[c->high] << 64 | (uint64_t)v[c->operand];
			memcpy(by_merge + c->offset, &old, 16);
			continue;
		}
		uint64_t x =
			merge(c, load(by_merge + c->offset, c->bytes), (uint64_t)v[c->operand]);
		memcpy(by_merge + c->offset, &x, c->bytes);
	}
}

/* ---- random programs ------------------------------------------------------------------------- */

static unsigned graphs, reductions;

static void one_program(uint64_t seed, const struct vm_gen_options *options)
{
	struct vm_gen *gen = vm_gen_new(seed, options);
	AUTO_FREE wide *v = malloc(BF_MAX_NODES * sizeof(*v));
	struct vm_branchfree *bf = NULL;
	struct vm_program *vp = NULL;
	struct program *p = NULL;
	struct vm_machine *m = NULL;
	const char *why;
	uint64_t random = seed, r0;

	if (program_create(vm_gen_draft(gen), &p, NULL))
		goto out;
	struct vm_bounds bounds = vm_bounds_of(p);
	if (!p->record_bytes)
		bounds.record_min_bytes = bounds.record_max_bytes = 40;
	if (vm_verify(p, &bounds, &vp, NULL) || vm_branchfree_new(vp, &bf, &why))
		goto out;
	graphs++;
	reductions += bf->all_reductions;
	assert_int_equal(vm_machine_new(vp, 0, &m), 0);
	for (unsigned r = 0; r < RECORDS; r++) {
		AUTO_FREE uint8_t *record = malloc(bounds.record_max_bytes + 1);
		AUTO_FREE uint8_t *params = malloc(p->params_bytes + 1);
		AUTO_FREE uint8_t *state = malloc(p->state_bytes + 1);
		AUTO_FREE uint8_t *by_value = malloc(p->state_bytes + 1);
		AUTO_FREE uint8_t *by_merge = malloc(p->state_bytes + 1);
		struct world w = {record, params, p->rodata, state, bounds.record_max_bytes};
		struct vm_memory mem = {record, bounds.record_max_bytes, params, state, NULL, NULL};
		struct vm_trap trap;
		bool kept = true, ok = true, headroom = true;

		vm_gen_bytes(&random, record, bounds.record_max_bytes);
		vm_gen_bytes(&random, params, p->params_bytes);
		vm_gen_bytes(&random, state, p->state_bytes);
		eval(bf, &w, v);
		memcpy(by_value, state, p->state_bytes);
		memcpy(by_merge, state, p->state_bytes);
		for (uint32_t i = 0; i < bf->n_cells; i++) {
			int64_t high = 0;

			if (bf->cells[i].bytes == 16)
				memcpy(&high, state + bf->cells[i].offset + 8, 8);
			headroom &= high < INT64_C(1) << 61 && high >= -(INT64_C(1) << 61);
		}

		vm_machine_refill(m);
		if (vp->code[PROGRAM_FILTER].flat.n_insns) {
			ok = vm_interp(m, PROGRAM_FILTER, &mem, &r0, &trap);
			kept = ok && (uint32_t)r0;
		}
		if (kept)
			ok = vm_interp(m, PROGRAM_REDUCE, &mem, &r0, &trap);
		if (ok != !(bf->fails != BF_NONE && v[bf->fails]))
			fail_msg("seed %" PRIu64 ": interp %s", seed, ok ? "goes on" : "fails");
		if (!ok)
			continue;
		if (kept != (bf->match == BF_NONE || v[bf->match]))
			fail_msg("seed %" PRIu64 ": interp %s the record", seed,
				 kept ? "keeps" : "drops");
		if (!kept)
			continue;
		apply(bf, v, by_value, by_merge);
		if (memcmp(by_value, state, p->state_bytes))
			fail_msg("seed %" PRIu64 ": the values give another state", seed);
		if (bf->all_reductions && headroom && memcmp(by_merge, state, p->state_bytes))
			fail_msg("seed %" PRIu64 ": the merges give another state", seed);
		if (bf->all_reductions && headroom)
			assert_false(bf->reduce_fails != BF_NONE && v[bf->reduce_fails]);
	}
out:
	vm_machine_free(m);
	vm_branchfree_free(bf);
	vm_program_unref(vp);
	program_unref(p);
	vm_gen_free(gen);
}

static void graphs_compute_what_the_interpreter_does(void **state)
{
	const char *text = getenv("NEARFOLD_SEED"), *count = getenv("NEARFOLD_PROGRAMS");
	uint64_t seed = text ? strtoull(text, NULL, 0) : 1;
	uint64_t n = count ? strtoull(count, NULL, 0) : PROGRAMS;
	struct vm_gen_options options = {.no_key = true, .no_loops = true, .no_guards = true};

	(void)state;
	for (uint64_t i = 0; i < n; i++) {
		options.additive = i % 2;
		options.no_helpers = i % 4 < 2;
		options.pointers = i % 3 == 0;
		options.max_insns = i % 8 < 4 ? 12 : 40;
		one_program(seed + i, &options);
	}
	print_message("# seeds %" PRIu64 "..: %u graphs, %u of them reductions\n", seed, graphs,
		      reductions);
	assert_true(graphs > n / 8);
	assert_true(reductions > n / 16);
}

/* ---- shapes ---------------------------------------------------------------------------------- */

static struct vm_branchfree *graph_of(const char *filter, const char *reduce, uint32_t state_bytes,
				      const char **ret_why)
{
	struct bpf_insn f[64], r[128], c[2];
	char error[VM_ASM_ERROR_BYTES] = "";
	int n_f = filter ? vm_asm(filter, f, 64, NULL, NULL, error) : 0;
	int n_r = vm_asm(reduce, r, 128, NULL, NULL, error);
	int n_c = vm_asm("r0 = 0\nexit\n", c, 2, NULL, NULL, error);
	struct program_func funcs[3];
	struct vm_branchfree *bf = NULL;
	struct vm_program *vp;
	struct program *p;
	struct nf_error err;
	uint32_t n = 0;

	if (n_f < 0 || n_r < 0 || n_c < 0)
		fail_msg("%s", error);
	if (filter)
		funcs[n++] =
			(struct program_func){PROGRAM_FILTER, "keep", f, (uint32_t)n_f, 0, NULL};
	funcs[n++] = (struct program_func){PROGRAM_REDUCE, "add", r, (uint32_t)n_r, 0, NULL};
	funcs[n++] = (struct program_func){PROGRAM_COMBINE, "merge", c, (uint32_t)n_c, 0, NULL};
	struct program draft = {.n_funcs = n,
				.funcs = funcs,
				.record_bytes = 32,
				.params_bytes = 8,
				.state_bytes = state_bytes};
	if (program_create(&draft, &p, &err))
		fail_msg("%s: %s", err.where, err.text);
	struct vm_bounds bounds = vm_bounds_of(p);
	if (vm_verify(p, &bounds, &vp, &err))
		fail_msg("%s: %s", err.where, err.text);
	vm_branchfree_new(vp, &bf, ret_why);
	vm_program_unref(vp);
	program_unref(p);
	return bf;
}

static const struct bf_cell *cell_at(const struct vm_branchfree *bf, uint32_t offset)
{
	for (uint32_t i = 0; i < bf->n_cells; i++)
		if (bf->cells[i].offset == offset)
			return &bf->cells[i];
	fail_msg("no cell at %u", offset);
	return NULL;
}

static void check_merge(const char *reduce, uint32_t bytes, enum bf_merge want)
{
	const char *why = "";
	struct vm_branchfree *bf = graph_of(NULL, reduce, bytes, &why);

	if (!bf)
		fail_msg("refused: %s", why);
	assert_int_equal(cell_at(bf, 0)->merge, want);
	assert_int_equal(bf->all_reductions, want != BF_MERGE_NONE);
	vm_branchfree_free(bf);
}

static void sums_and_counts_are_reductions(void **state)
{
	(void)state;
	check_merge(
		"r3 = *(u64 *)(r1 + 0)\nr4 = *(u32 *)(r2 + 4)\nr3 += r4\n*(u64 *)(r1 + 0) = r3\n"
		"r0 = 0\nexit\n",
		8, BF_MERGE_ADD);
	check_merge("r3 = *(u32 *)(r1 + 0)\nw3 += 1\n*(u32 *)(r1 + 0) = r3\nr0 = 0\nexit\n", 4,
		    BF_MERGE_ADD);
	check_merge("r3 = *(u64 *)(r1 + 0)\nr4 = *(u64 *)(r2 + 8)\nif r4 > 9 goto skip\nr3 -= r4\n"
		    "skip:\n*(u64 *)(r1 + 0) = r3\nr0 = 0\nexit\n",
		    8, BF_MERGE_ADD);
}

static void a_minimum_is_a_reduction(void **state)
{
	(void)state;
	check_merge("r3 = *(u64 *)(r1 + 0)\nr4 = *(u64 *)(r2 + 8)\nif r4 >= r3 goto skip\n"
		    "*(u64 *)(r1 + 0) = r4\nskip:\nr0 = 0\nexit\n",
		    8, BF_MERGE_UMIN);
	check_merge("r3 = *(u64 *)(r1 + 0)\nr4 = *(u64 *)(r2 + 8)\nif r4 s<= r3 goto skip\n"
		    "*(u64 *)(r1 + 0) = r4\nskip:\nr0 = 0\nexit\n",
		    8, BF_MERGE_SMAX);
	/* under a further condition */
	check_merge("r5 = *(u32 *)(r2 + 0)\nif r5 > 7 goto skip\nr3 = *(u64 *)(r1 + 0)\n"
		    "r4 = *(u64 *)(r2 + 8)\nif r4 s>= r3 goto skip\n*(u64 *)(r1 + 0) = "
		    "r4\nskip:\nr0 = 0\n"
		    "exit\n",
		    8, BF_MERGE_SMIN);
}

static void what_depends_on_the_state_is_none(void **state)
{
	(void)state;
	/* the last one, a counter that stops, a comparison of the wrong width */
	check_merge("r4 = *(u64 *)(r2 + 8)\n*(u64 *)(r1 + 0) = r4\nr0 = 0\nexit\n", 8,
		    BF_MERGE_NONE);
	check_merge("r3 = *(u64 *)(r1 + 0)\nif r3 > 9 goto skip\nr3 += 1\n*(u64 *)(r1 + 0) = "
		    "r3\nskip:\n"
		    "r0 = 0\nexit\n",
		    8, BF_MERGE_NONE);
	check_merge("r3 = *(u32 *)(r1 + 0)\nr4 = *(u64 *)(r2 + 8)\nif r4 >= r3 goto skip\n"
		    "*(u32 *)(r1 + 0) = r4\nskip:\nr0 = 0\nexit\n",
		    4, BF_MERGE_NONE);
}

static void two_words_with_a_carry_are_one_sum(void **state)
{
	static const char add[] =
		"r3 = *(u64 *)(r1 + 0)\nr4 = *(u64 *)(r2 + 8)\nr5 = r3\nr5 += r4\n*(u64 *)(r1 + 0) "
		"= r5\n"
		"r5 ^= -1\nr0 = r3\nr0 |= r4\nr0 &= r5\nr3 &= r4\nr0 |= r3\nr0 >>= 63\n"
		"r3 = *(u64 *)(r1 + 8)\nr0 += r3\n*(u64 *)(r1 + 8) = r0\nr0 = 0\nexit\n";
	const char *why = "";
	struct vm_branchfree *bf;

	(void)state;
	check_merge(add, 16, BF_MERGE_ADD128);
	/* The carry of another addend is no carry. */
	bf = graph_of(NULL,
		      "r3 = *(u64 *)(r1 + 0)\nr4 = *(u64 *)(r2 + 8)\nr5 = r3\nr5 += r4\n"
		      "*(u64 *)(r1 + 0) = r5\nr5 = *(u64 *)(r2 + 16)\nr3 += r5\nr0 = 1\n"
		      "if r3 < r5 goto over\nr0 = 0\nover:\nr3 = *(u64 *)(r1 + 8)\nr0 += r3\n"
		      "*(u64 *)(r1 + 8) = r0\nr0 = 0\nexit\n",
		      16, &why);
	assert_non_null(bf);
	assert_false(bf->all_reductions);
	vm_branchfree_free(bf);
}

static void a_checked_sum_needs_headroom(void **state)
{
	const char *why = "";
	struct vm_branchfree *bf =
		graph_of("r3 = *(u32 *)(r1 + 0)\nr0 = 1\nif r3 > 50 goto out\nr0 = 0\nout:\nexit\n",
			 "r2 = *(u64 *)(r2 + 8)\ncall fold_add128\nif r0 == 0 goto fine\nr1 = "
			 "3\ncall fold_fail\n"
			 "fine:\nr0 = 0\nexit\n",
			 16, &why);

	(void)state;
	if (!bf)
		fail_msg("refused: %s", why);
	assert_true(bf->all_reductions);
	assert_true(bf->needs_headroom);
	assert_int_equal(bf->reduce_fails, BF_NONE);
	assert_int_not_equal(bf->fails, BF_NONE);
	assert_int_equal(cell_at(bf, 0)->merge, BF_MERGE_ADD128);
	assert_int_not_equal(bf->match, BF_NONE);
	vm_branchfree_free(bf);
}

/* The verifier does not look at accesses on ways that it believes impossible; the graph would read
 * them for every record. */
static void impossible_ways_are_not_read(void **state)
{
	const char *why = "";
	struct vm_branchfree *bf =
		graph_of(NULL,
			 "r3 = *(u8 *)(r2 + 0)\nr4 = r3\nr4 *= 3\nif r4 <= 765 goto live\n"
			 "r3 = *(u64 *)(r2 - 8)\nlive:\nr5 = *(u64 *)(r1 + 0)\nr5 += r3\n"
			 "*(u64 *)(r1 + 0) = r5\nr0 = 0\nexit\n",
			 8, &why);

	(void)state;
	if (!bf)
		fail_msg("refused: %s", why);
	for (uint32_t i = 0; i < bf->n_nodes; i++)
		if (bf->nodes[i].op == BF_LOAD)
			assert_true(bf->nodes[i].imm <= 32u - bf->nodes[i].bytes);
	vm_branchfree_free(bf);
}

/* && in a filter, as clang spells it: jumps to the end, where 0 is returned. */
static void a_chain_of_conditions_is_their_conjunction(void **state)
{
	const char *why = "";
	struct vm_branchfree *bf = graph_of(
		"r0 = 0\nr2 = *(u32 *)(r1 + 0)\nif r2 < 10 goto out\nif r2 > 20 goto out\n"
		"r2 = *(u32 *)(r1 + 4)\nif r2 < 5 goto out\nr0 = 1\n"
		"r2 = *(u32 *)(r1 + 8)\nif r2 < 7 goto out\nr0 = 0\nout:\nexit\n",
		"r5 = *(u64 *)(r1 + 0)\nr5 += 1\n*(u64 *)(r1 + 0) = r5\nr0 = 0\nexit\n", 8, &why);
	uint32_t at, parts = 1;

	(void)state;
	if (!bf)
		fail_msg("refused: %s", why);
	for (at = bf->match; bf->nodes[at].op == BF_BOTH; at = bf->nodes[at].a)
		parts += bf->nodes[bf->nodes[at].b].op != BF_BOTH;
	assert_int_equal(parts, 4);
	assert_int_equal(vm_branchfree_counter(bf), 0);
	vm_branchfree_free(bf);
}

/*
 * Two ways lead to "use". Only the verifier believes in the first (r6 != r5), only the graph in the
 * second (a byte above 300), and on that one the pointer is far away: proven is the access for the
 * other pointer only, and the graph would read and write there for every record.
 */
static void what_the_verifier_excludes_is_not_touched(void **state)
{
	static const struct {
		const char *pointer, *use;
	} cases[] = {
		{"r8 = r2\n", "r7 = *(u64 *)(r8 + 0)\n"},
		{"r8 = r4\n", "r7 = *(u64 *)(r8 + 0)\n"},
		{"r8 = r1\n", "r7 = *(u64 *)(r8 + 8)\nr7 += 1\n*(u64 *)(r8 + 8) = r7\n"},
		{"r8 = r1\n", "*(u64 *)(r8 + 8) = 0\n"},
		{"r8 = r1\n", "r1 = r8\nr2 = 3\ncall fold_add128\n"},
	};

	(void)state;
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		char text[512];
		const char *why = "";
		struct vm_branchfree *bf;

		snprintf(text, sizeof(text),
			 "r5 = *(u8 *)(r2 + 0)\nr6 = r5\n%sif r6 != r5 goto use\nr8 += %d\n"
			 "if r5 > 300 goto use\nr0 = 0\nexit\nuse:\n%sr0 = 0\nexit\n",
			 cases[i / 2].pointer, i % 2 ? 1000000000 : -1000000000, cases[i / 2].use);
		bf = graph_of(NULL, text, 16, &why);
		if (bf || !strstr(why, "outside"))
			fail_msg("%s: \"%s\"", text, why);
	}
}

static void refusals_say_why(void **state)
{
	static const struct {
		const char *reduce, *why;
	} cases[] = {
		{"r3 = 4\nagain:\nr3 += -1\nif r3 != 0 goto again\nr0 = 0\nexit\n", "loop"},
		{"r3 = *(u32 *)(r2 + 0)\nr3 &= 7\nr1 += r3\n*(u8 *)(r1 + 0) = 1\nr0 = 0\nexit\n",
		 "computed offset"},
		{"r0 = 1\nexit\n", "stop"},
		{"*(u64 *)(r1 + 0) = 1\n*(u32 *)(r1 + 4) = 1\nr0 = 0\nexit\n", "different sizes"},
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *why = "";
		struct vm_branchfree *bf = graph_of(NULL, cases[i].reduce, 16, &why);

		assert_null(bf);
		if (!strstr(why, cases[i].why))
			fail_msg("\"%s\" lacks \"%s\"", why, cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(graphs_compute_what_the_interpreter_does),
		cmocka_unit_test(sums_and_counts_are_reductions),
		cmocka_unit_test(a_minimum_is_a_reduction),
		cmocka_unit_test(what_depends_on_the_state_is_none),
		cmocka_unit_test(two_words_with_a_carry_are_one_sum),
		cmocka_unit_test(a_checked_sum_needs_headroom),
		cmocka_unit_test(impossible_ways_are_not_read),
		cmocka_unit_test(a_chain_of_conditions_is_their_conjunction),
		cmocka_unit_test(what_the_verifier_excludes_is_not_touched),
		cmocka_unit_test(refusals_say_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
