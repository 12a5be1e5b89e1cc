/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_code.c - the four functions of a query.
 *
 *	filter	  WHERE, if there is one
 *	key	  the expressions of GROUP BY, each to its place
 *	reduce	  each aggregate: its cell and its count, unless FILTER or NULL leave it out;
 *		  count += 1
 *	combine	  cell by cell
 *
 * A minimum begins with the greatest number of 64 bits, in the program's constant start state; a
 *sum of doubles with -0, which added to any double, -0 too, leaves it as it is.
 */
#include "sql/sql_code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "sql/sql_layout.h"

enum { FUNCTIONS = 4 };

const char *sql_failure_text(uint32_t code)
{
	static const char *const texts[SQL_FAILURES] = {
		[SQL_FAIL_SMALLINT] = "smallint out of range",
		[SQL_FAIL_INTEGER] = "integer out of range",
		[SQL_FAIL_BIGINT] = "bigint out of range",
		[SQL_FAIL_NUMERIC] = "a numeric has more digits than fit 64 bits (a sum's: 128), "
				     "or than a double holds exactly",
		[SQL_FAIL_DIVISION] = "division by zero",
		[SQL_FAIL_PRECISION] = "a stored decimal has more digits than the schema says",
		[SQL_FAIL_U64] = "a stored u64 is 2^63 or more, which is no bigint",
		[SQL_FAIL_DATE] = "date out of range",
		[SQL_FAIL_TIMESTAMP] = "timestamp out of range",
		[SQL_FAIL_DATE_TO_TIMESTAMP] = "date out of range for timestamp",
		[SQL_FAIL_OVERFLOW] = "value out of range: overflow",
		[SQL_FAIL_UNDERFLOW] = "value out of range: underflow",
		[SQL_FAIL_FIELD] = "numeric field overflow",
	};

	return code < SQL_FAILURES ? texts[code] : NULL;
}

/* ---- filter and key -------------------------------------------------------------------------- */

static void make_filter(struct sql_gen *g)
{
	struct sql_asm *a = &g->a;
	sql_label keep = sql_asm_label(a), drop = sql_asm_label(a);

	sql_asm_mov(a, REG_RECORD, 1);
	sql_gen_cond(g, g->plan->where, keep, drop, drop);
	sql_asm_bind(a, keep);
	sql_asm_exit(a, 1);
	sql_asm_bind(a, drop);
	sql_asm_exit(a, 0);
}

static void make_key(struct sql_gen *g, const struct sql_layout *l)
{
	struct sql_asm *a = &g->a;

	sql_asm_mov(a, REG_RECORD, 1);
	sql_asm_mov(a, REG_OUT, 4);
	for (uint32_t k = 0; k < g->plan->n_keys; k++) {
		const struct sql_expr *e = g->plan->keys[k];
		const struct sql_cell *c = &l->keys[k];
		sql_label null = sql_asm_label(a), end = sql_asm_label(a);

		if (e->type == SQL_TEXT) {
			sql_gen_text(g, e, REG_OUT, (int32_t)c->offset, c->bytes, null);
		} else {
			sql_gen_scaled(g, e, c->scale, null);
			if (e->type == SQL_FLOAT8)
				sql_gen_real_key(g, false);
			sql_asm_store(a, c->bytes, REG_OUT, (int32_t)c->offset, 0);
		}
		sql_asm_goto(a, end);
		sql_asm_bind(a, null);
		if (c->null_offset >= 0)
			sql_asm_store_imm(a, 1, REG_OUT, c->null_offset, 1);
		sql_asm_bind(a, end);
	}
	sql_asm_exit(a, 0);
}

/* ---- reduce ---------------------------------------------------------------------------------- */

static void add_to(struct sql_gen *g, unsigned base, int32_t off, unsigned reg)
{
	sql_asm_load(&g->a, 8, 2, base, off);
	sql_asm_alu(&g->a, BPF_ADD, 2, reg);
	sql_asm_store(&g->a, 8, base, off, 2);
}

static void add_one(struct sql_gen *g, int32_t off)
{
	sql_asm_load(&g->a, 8, 2, REG_OUT, off);
	sql_asm_alu_imm(&g->a, BPF_ADD, 2, 1);
	sql_asm_store(&g->a, 8, REG_OUT, off, 2);
}

/*
 * The sum of 128 bits at r7 + off += r0. It never overflows: there are fewer than 2^64 records. The
 * helper is what makes a reduction that the JIT vectorises (vm_branchfree.h); groups have none, and
 * are quicker without its check.
 */
static void add_narrow(struct sql_gen *g, int32_t off)
{
	struct sql_asm *a = &g->a;
	sql_label no_carry;

	if (!g->plan->grouped) {
		sql_asm_mov(a, 2, 0);
		sql_asm_mov(a, 1, REG_OUT);
		sql_asm_alu_imm(a, BPF_ADD, 1, off);
		sql_asm_call(a, "fold_add128");
		return;
	}
	no_carry = sql_asm_label(a);
	sql_asm_load(a, 8, 2, REG_OUT, off);
	sql_asm_load(a, 8, 3, REG_OUT, off + 8);
	sql_asm_mov(a, 1, 0);
	sql_asm_alu_imm(a, BPF_ARSH, 1, 63);
	sql_asm_alu(a, BPF_ADD, 3, 1);
	sql_asm_alu(a, BPF_ADD, 2, 0);
	sql_asm_if(a, BPF_JGE, 2, 0, no_carry);
	sql_asm_alu_imm(a, BPF_ADD, 3, 1);
	sql_asm_bind(a, no_carry);
	sql_asm_store(a, 8, REG_OUT, off, 2);
	sql_asm_store(a, 8, REG_OUT, off + 8, 3);
}

/* += a product that may be beyond 64 bits: all 128 of it. */
static void add_product(struct sql_gen *g, const struct sql_expr *e, int32_t off, sql_label null)
{
	struct sql_asm *a = &g->a;
	unsigned depth = g->depth;
	int32_t slot;

	sql_gen_two(g, e->args[0], sql_num_of(g, e->args[0]).scale, e->args[1],
		    sql_num_of(g, e->args[1]).scale, null);
	slot = sql_gen_push(g, 2, e->at);
	sql_asm_at(a, e->at);
	sql_asm_mov(a, 2, 1);
	sql_asm_mov(a, 1, 0);
	sql_asm_mov(a, 3, REG_STACK);
	sql_asm_alu_imm(a, BPF_ADD, 3, slot);
	sql_asm_call(a, "fold_mul128");
	sql_asm_mov(a, 1, REG_OUT);
	sql_asm_alu_imm(a, BPF_ADD, 1, off);
	sql_asm_mov(a, 2, REG_STACK);
	sql_asm_alu_imm(a, BPF_ADD, 2, slot);
	sql_asm_call(a, "fold_add128_128");
	sql_asm_if_imm(a, BPF_JNE, 0, 0, sql_asm_failing(a, SQL_FAIL_NUMERIC));
	sql_gen_pop(g, depth);
}

static bool beyond_64_bits(struct sql_num n)
{
	return n.lo < INT64_MIN || n.hi > INT64_MAX;
}

static void reduce_sum(struct sql_gen *g, const struct sql_aggregate *agg, const struct sql_cell *c,
		       sql_label skip)
{
	struct sql_asm *a = &g->a;

	if (c->type == SQL_FLOAT8) {
		sql_gen_value(g, agg->arg, skip);
		sql_asm_mov(a, 1, 0);
		sql_asm_load(a, 8, 0, REG_OUT, (int32_t)c->offset);
		sql_gen_real(g, SQL_ADD, agg->at);
		sql_asm_store(a, 8, REG_OUT, (int32_t)c->offset, 0);
		return;
	}
	if (agg->arg->op == SQL_MUL && agg->arg->type == SQL_NUMERIC &&
	    (beyond_64_bits(sql_num_ideal(g, agg->arg)) || c->scale > SQL_RECORD_SCALE)) {
		add_product(g, agg->arg, (int32_t)c->offset, skip);
		return;
	}
	sql_gen_value(g, agg->arg, skip);
	sql_asm_at(a, agg->at);
	add_narrow(g, (int32_t)c->offset);
}

static void store_better(struct sql_gen *g, bool least, unsigned base, int32_t off)
{
	struct sql_asm *a = &g->a;
	sql_label end = sql_asm_label(a);

	sql_asm_load(a, 8, 1, base, off);
	sql_asm_if(a, least ? BPF_JSGE : BPF_JSLE, 0, 1, end);
	sql_asm_store(a, 8, base, off, 0);
	sql_asm_bind(a, end);
}

/* A text at from replaces that at r7 if it is the first, or better. count: of texts before. */
static void better_text(struct sql_gen *g, bool least, const struct sql_cell *c, unsigned from,
			int32_t from_off)
{
	struct sql_asm *a = &g->a;
	sql_label take = sql_asm_label(a), end = sql_asm_label(a);

	sql_asm_load(a, 8, 1, REG_OUT, c->count_offset);
	sql_asm_if_imm(a, BPF_JEQ, 1, 0, take);
	sql_gen_text_order(g, from, from_off, REG_OUT, (int32_t)c->offset, c->bytes,
			   least ? take : end, end, least ? end : take);
	sql_asm_bind(a, take);
	for (uint32_t i = 0; i < c->bytes; i += 8) {
		sql_asm_load(a, 8, 0, from, from_off + (int32_t)i);
		sql_asm_store(a, 8, REG_OUT, (int32_t)(c->offset + i), 0);
	}
	sql_asm_bind(a, end);
}

static void reduce_text(struct sql_gen *g, const struct sql_aggregate *agg,
			const struct sql_cell *c, sql_label skip)
{
	unsigned depth = g->depth;
	int32_t slot = sql_gen_push(g, c->bytes / 8, agg->at);

	for (uint32_t i = 0; i < c->bytes && !g->error; i += 8)
		sql_asm_store_imm(&g->a, 8, REG_STACK, slot + (int32_t)i, 0);
	sql_gen_text(g, agg->arg, REG_STACK, slot, c->bytes, skip);
	if (!g->error)
		better_text(g, agg->kind == SQL_MIN, c, REG_STACK, slot);
	sql_gen_pop(g, depth);
}

/* For its failures, and for whether it is NULL. */
static void try_value(struct sql_gen *g, const struct sql_expr *e, sql_label null)
{
	sql_label known;

	if (e->type == SQL_BOOL) {
		known = sql_asm_label(&g->a);
		sql_gen_cond(g, e, known, known, null);
		sql_asm_bind(&g->a, known);
	} else if (e->type == SQL_TEXT) {
		sql_gen_text(g, e, REG_STACK, 0, 0, null);
	} else {
		sql_gen_value(g, e, null);
	}
}

static void reduce_one(struct sql_gen *g, const struct sql_aggregate *agg, const struct sql_cell *c)
{
	struct sql_asm *a = &g->a;
	sql_label skip = sql_asm_label(a), go = sql_asm_label(a);

	if (c->shared || (agg->kind == SQL_COUNT && !agg->arg && !agg->filter))
		return; /* the group's own count, or another's sum */
	if (agg->filter) {
		sql_gen_cond(g, agg->filter, go, skip, skip);
		sql_asm_bind(a, go);
	}
	switch (agg->kind) {
	case SQL_COUNT:
		if (agg->arg)
			try_value(g, agg->arg, skip);
		if (sql_aggregate_counts(agg))
			add_one(g, (int32_t)c->offset);
		break;
	case SQL_SUM:
	case SQL_AVG:
		reduce_sum(g, agg, c, skip);
		break;
	case SQL_BOOL_AND:
	case SQL_BOOL_OR:
		sql_gen_value(g, agg->arg, skip);
		add_to(g, REG_OUT, (int32_t)c->offset, 0);
		break;
	default:
		if (c->type == SQL_TEXT) {
			reduce_text(g, agg, c, skip);
			break;
		}
		sql_gen_value(g, agg->arg, skip);
		if (c->type == SQL_FLOAT8)
			sql_gen_real_extreme(g);
		store_better(g, agg->kind == SQL_MIN, REG_OUT, (int32_t)c->offset);
		break;
	}
	if (c->count_offset && agg->kind != SQL_COUNT)
		add_one(g, c->count_offset);
	sql_asm_bind(a, skip);
}

static void make_reduce(struct sql_gen *g, const struct sql_layout *l)
{
	sql_asm_mov(&g->a, REG_OUT, 1);
	sql_asm_mov(&g->a, REG_RECORD, 2);
	for (uint32_t i = 0; i < g->plan->n_aggregates; i++)
		reduce_one(g, &g->plan->aggregates[i], &l->aggregates[i]);
	add_one(g, 0); /* last: a text looks whether it is the first */
	sql_asm_exit(&g->a, 0);
}

/* ---- combine --------------------------------------------------------------------------------- */

/* r6 is the state that is merged into r7. */
static void combine_one(struct sql_gen *g, const struct sql_aggregate *agg,
			const struct sql_cell *c)
{
	struct sql_asm *a = &g->a;
	int32_t off = (int32_t)c->offset;
	sql_label skip = sql_asm_label(a);

	if (c->shared || (agg->kind == SQL_COUNT && !sql_aggregate_counts(agg)))
		return;
	sql_asm_at(a, agg->at);
	switch (agg->kind) {
	case SQL_COUNT:
	case SQL_BOOL_AND:
	case SQL_BOOL_OR:
		sql_asm_load(a, 8, 0, REG_RECORD, off);
		add_to(g, REG_OUT, off, 0);
		break;
	case SQL_SUM:
	case SQL_AVG:
		if (c->type == SQL_FLOAT8) {
			sql_asm_load(a, 8, 0, REG_OUT, off);
			sql_asm_load(a, 8, 1, REG_RECORD, off);
			sql_gen_real(g, SQL_ADD, agg->at);
			sql_asm_store(a, 8, REG_OUT, off, 0);
			break;
		}
		sql_asm_mov(a, 1, REG_OUT);
		sql_asm_alu_imm(a, BPF_ADD, 1, off);
		sql_asm_mov(a, 2, REG_RECORD);
		sql_asm_alu_imm(a, BPF_ADD, 2, off);
		sql_asm_call(a, "fold_add128_128");
		sql_asm_if_imm(a, BPF_JNE, 0, 0, sql_asm_failing(a, SQL_FAIL_NUMERIC));
		break;
	default:
		if (c->type == SQL_TEXT) {
			sql_asm_load(a, 8, 0, REG_RECORD, c->count_offset);
			sql_asm_if_imm(a, BPF_JEQ, 0, 0, skip);
			better_text(g, agg->kind == SQL_MIN, c, REG_RECORD, off);
			sql_asm_bind(a, skip);
			break;
		}
		sql_asm_load(a, 8, 0, REG_RECORD, off);
		store_better(g, agg->kind == SQL_MIN, REG_OUT, off);
		break;
	}
	if (c->count_offset && agg->kind != SQL_COUNT) {
		sql_asm_load(a, 8, 0, REG_RECORD, c->count_offset);
		add_to(g, REG_OUT, c->count_offset, 0);
	}
}

static void make_combine(struct sql_gen *g, const struct sql_layout *l)
{
	sql_asm_mov(&g->a, REG_OUT, 1);
	sql_asm_mov(&g->a, REG_RECORD, 2);
	for (uint32_t i = 0; i < g->plan->n_aggregates; i++)
		combine_one(g, &g->plan->aggregates[i], &l->aggregates[i]);
	sql_asm_load(&g->a, 8, 0, REG_RECORD, 0);
	add_to(g, REG_OUT, 0, 0);
	sql_asm_exit(&g->a, 0);
}

/* ---- the program ----------------------------------------------------------------------------- */

static void set_start(const struct sql_plan *p, const struct sql_layout *l, uint8_t *state)
{
	for (uint32_t i = 0; i < p->n_aggregates; i++) {
		const struct sql_aggregate *a = &p->aggregates[i];
		const struct sql_cell *c = &l->aggregates[i];
		bool extreme = a->kind == SQL_MIN || a->kind == SQL_MAX;
		bool sum = a->kind == SQL_SUM || a->kind == SQL_AVG;
		int64_t start = a->kind == SQL_MIN ? INT64_MAX : INT64_MIN;

		_Static_assert(SQL_MINUS_ZERO == INT64_MIN, "sums start with it, too");
		if ((extreme && c->type != SQL_TEXT) || (sum && c->type == SQL_FLOAT8))
			memcpy(state + c->offset, &start, sizeof(start));
	}
}

static int too_many(struct nf_error *err)
{
	return nf_error_set(err, NF_RESOURCE_EXHAUSTED, "SQL",
			    "compiled, this query has more than %d instructions: ask for less at "
			    "once",
			    PROGRAM_MAX_INSNS);
}

static int finish_function(struct sql_gen *g, struct program_func *f)
{
	int r = g->error ? g->error : sql_asm_end(&g->a);

	if (!g->error && r == -E2BIG)
		r = too_many(g->err);
	else if (!g->error && r)
		r = nf_error_no_memory(g->err, "SQL");
	f->insns = g->a.insns;
	f->n_insns = g->a.n_insns;
	f->lines = g->a.lines;
	f->n_lines = g->a.n_lines;
	return r;
}

struct compilation {
	struct sql_gen gens[FUNCTIONS];
	struct program_func funcs[FUNCTIONS];
	struct sql_rodata rodata;
	uint32_t n_funcs;
	char **lines;
	uint32_t n_lines;
};

static struct sql_gen *begin(struct compilation *c, const struct sql_plan *plan,
			     enum program_kind kind, struct nf_error *err)
{
	struct sql_gen *g = &c->gens[c->n_funcs];

	*g = (struct sql_gen){.plan = plan, .rodata = &c->rodata, .err = err};
	sql_asm_begin(&g->a, plan->text, c->lines, c->n_lines);
	c->funcs[c->n_funcs++] =
		(struct program_func){.kind = kind, .name = program_kind_name(kind)};
	return g;
}

static int make_functions(struct compilation *c, const struct sql_plan *plan,
			  const struct sql_layout *l, struct nf_error *err)
{
	static const enum program_kind kinds[] = {PROGRAM_FILTER, PROGRAM_KEY, PROGRAM_REDUCE,
						  PROGRAM_COMBINE};
	uint32_t n_insns = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct sql_gen *g;
		int r;

		if ((kinds[i] == PROGRAM_FILTER && !plan->where) ||
		    (kinds[i] == PROGRAM_KEY && !plan->grouped))
			continue;
		g = begin(c, plan, kinds[i], err);
		if (kinds[i] == PROGRAM_FILTER)
			make_filter(g);
		else if (kinds[i] == PROGRAM_KEY)
			make_key(g, l);
		else if (kinds[i] == PROGRAM_REDUCE)
			make_reduce(g, l);
		else
			make_combine(g, l);
		r = finish_function(g, &c->funcs[c->n_funcs - 1]);
		if (r)
			return r;
		n_insns += c->funcs[c->n_funcs - 1].n_insns;
		if (n_insns > PROGRAM_MAX_INSNS)
			return too_many(err);
	}
	return 0;
}

static void compilation_done(struct compilation *c)
{
	for (unsigned i = 0; i < c->n_funcs; i++)
		sql_asm_done(&c->gens[i].a);
	for (uint32_t i = 0; i < c->n_lines; i++)
		free(c->lines[i]);
	free(c->lines);
	free(c->rodata.bytes);
}

int sql_compile(const struct sql_plan *plan, struct sql_layout *ret_layout, struct program **ret,
		struct nf_error *err)
{
	static const char *const files[] = {"SQL"};
	struct compilation c = {0};
	struct sql_gen measure = {.plan = plan, .err = err};
	struct sql_layout l = {0};
	struct program draft = {.n_files = 1, .files = files};
	AUTO_FREE uint8_t *start = NULL;
	int r = sql_asm_lines(plan->text, &c.lines, &c.n_lines);

	if (r)
		return nf_error_no_memory(err, "SQL");
	draft.record_bytes = plan->schema->record_bytes;
	r = sql_layout_make(&measure, &l, &draft.key_bytes, &draft.state_bytes);
	if (r)
		goto out;
	start = calloc(1, draft.state_bytes);
	if (!start) {
		r = nf_error_no_memory(err, "SQL");
		goto out;
	}
	set_start(plan, &l, start);
	r = make_functions(&c, plan, &l, err);
	if (r)
		goto out;
	draft.n_funcs = c.n_funcs;
	draft.funcs = c.funcs;
	draft.rodata = c.rodata.bytes;
	draft.rodata_bytes = c.rodata.n;
	draft.init_state = start;
	r = program_create(&draft, ret, err);
	if (!r)
		*ret_layout = l;
out:
	compilation_done(&c);
	if (r)
		sql_layout_done(&l);
	return r;
}
