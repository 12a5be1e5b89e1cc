/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The canonical bytes: stable for ever, and different as soon as one field differs. */
#include "program_fixture.h"

#include <bpf/btf.h>

struct parts {
	struct bpf_insn key[1], reduce[3], combine[1], sub[1];
	struct program_line line;
	struct program_func funcs[4];
	const char *files[2];
	uint8_t rodata[4], init[8], btf[200];
	struct program draft;
};

static void fill(struct parts *s)
{
	struct btf *btf = btf__new_empty();
	uint32_t size;

	/* Types 1..3 have 8 bytes each, so that either can stand for another. */
	for (int i = 0; i < 3; i++)
		btf__add_int(btf, (const char *[]){"a", "b", "c"}[i], 8, 0);
	const void *raw = btf__raw_data(btf, &size);
	assert_true(size <= sizeof(s->btf));
	*s = (struct parts){
		.key = {EXIT()},
		.reduce = {INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0), JA(0), EXIT()},
		.combine = {EXIT()},
		.sub = {EXIT()},
		.line = {1, 2, 3, 0, "text"},
		.files = {"a.c", "b.c"},
		.rodata = {1, 2, 3, 4},
	};
	memcpy(s->btf, raw, size);
	s->funcs[0] = (struct program_func)FUNC(PROGRAM_KEY, "k", s->key);
	s->funcs[1] = (struct program_func)FUNC(PROGRAM_REDUCE, "r", s->reduce);
	s->funcs[2] = (struct program_func)FUNC(PROGRAM_COMBINE, "c", s->combine);
	s->funcs[3] = (struct program_func)FUNC(PROGRAM_SUB, "s", s->sub);
	s->funcs[1].lines = &s->line;
	s->funcs[1].n_lines = 1;
	s->draft = (struct program){.n_funcs = 4,
				    .n_files = 2,
				    .funcs = s->funcs,
				    .files = s->files,
				    .record_bytes = 8,
				    .params_bytes = 8,
				    .key_bytes = 8,
				    .state_bytes = 8,
				    .rodata_bytes = 4,
				    .rodata = s->rodata,
				    .init_state = s->init,
				    .btf = s->btf,
				    .btf_bytes = size,
				    .record_type = 1,
				    .params_type = 1,
				    .key_type = 1,
				    .state_type = 1};
	btf__free(btf);
}

static void id_of(const struct parts *s, char hex[2 * PROGRAM_ID_BYTES + 1])
{
	AUTO_PROGRAM p = NULL;
	struct nf_error err = {0};

	if (program_create(&s->draft, &p, &err))
		fail_msg("%s: %s", err.where, err.text);
	program_id_hex(p->id, hex);
}

/* The name of a program in every cache and on every wire: it must not change by accident. */
static void the_id_is_golden(void **state)
{
	struct bpf_insn reduce[] = {MOV_K(0, 0), EXIT()}, combine[] = {EXIT()};
	struct program_func funcs[] = {FUNC(PROGRAM_REDUCE, "sum", reduce),
				       FUNC(PROGRAM_COMBINE, "merge", combine)};
	struct program draft = {.n_funcs = 2, .funcs = funcs, .record_bytes = 32, .state_bytes = 8};
	AUTO_PROGRAM p = NULL;
	AUTO_FREE uint8_t *bytes = NULL;
	size_t size;
	char hex[2 * PROGRAM_ID_BYTES + 1];
	/* By hand, from the description in program_canonical.c. */
	static const uint8_t want[] = "nearfold program 1\n"
				      "\2\0\0\0"
				      "\2\0\0\0"
				      "\3\0\0\0"
				      "sum"
				      "\2\0\0\0"
				      "\xb7\0\0\0\0\0\0\0"
				      "\x95\0\0\0\0\0\0\0"
				      "\0\0\0\0"
				      "\3\0\0\0"
				      "\5\0\0\0"
				      "merge"
				      "\1\0\0\0"
				      "\x95\0\0\0\0\0\0\0"
				      "\0\0\0\0"
				      "\0\0\0\0"
				      "\x20\0\0\0"
				      "\0\0\0\0"
				      "\0\0\0\0"
				      "\x8\0\0\0"
				      "\0\0\0\0"
				      "\0\0\0\0"
				      "\0\0\0\0"
				      "\0\0\0\0"
				      "\0\0\0\0"
				      "\0\0\0\0"
				      "\0\0\0";

	(void)state;
	assert_int_equal(program_create(&draft, &p, NULL), 0);
	assert_int_equal(program_canonical(p, &bytes, &size), 0);
	assert_int_equal(size, sizeof(want));
	assert_memory_equal(bytes, want, size);
	program_id_hex(p->id, hex);
	assert_string_equal(hex,
			    "330f284d2ff765e161227cdaa5b8b1364ca5a31b86f265cc702598296ac8c83b");
}

static void equal_drafts_have_equal_ids(void **state)
{
	struct parts a, b;
	char x[2 * PROGRAM_ID_BYTES + 1], y[2 * PROGRAM_ID_BYTES + 1];

	(void)state;
	fill(&a);
	fill(&b);
	id_of(&a, x);
	id_of(&b, y);
	assert_string_equal(x, y);
}

static void every_field_changes_the_id(void **state)
{
	struct parts s;
	char first[2 * PROGRAM_ID_BYTES + 1], now[2 * PROGRAM_ID_BYTES + 1];

	(void)state;
	fill(&s);
	id_of(&s, first);
#define CHANGES(change)                                                    \
	do {                                                               \
		fill(&s);                                                  \
		change;                                                    \
		id_of(&s, now);                                            \
		if (!strcmp(first, now))                                   \
			fail_msg("the id is the same after: %s", #change); \
	} while (0)
	CHANGES((s.funcs[0].kind = PROGRAM_FILTER, s.draft.key_bytes = 0, s.draft.key_type = 0));
	CHANGES(s.funcs[0].kind = PROGRAM_KEY; s.funcs[3].kind = PROGRAM_FILTER);
	CHANGES(s.funcs[3].name = "t");
	CHANGES(s.draft.n_funcs = 3);
	CHANGES(s.reduce[0].code = BPF_ALU | BPF_MOV | BPF_K);
	CHANGES(s.reduce[0].dst_reg = 1);
	CHANGES(s.reduce[0].src_reg = 1);
	CHANGES(s.reduce[0].off = 1);
	CHANGES(s.reduce[0].imm = 1);
	CHANGES((s.reduce[1] = (struct bpf_insn)EXIT(), s.funcs[1].n_insns = 2));
	CHANGES(s.funcs[1].n_lines = 0);
	CHANGES(s.line.insn = 0);
	CHANGES(s.line.line = 9);
	CHANGES(s.line.column = 9);
	CHANGES(s.line.file = 1);
	CHANGES(s.line.text = "TEXT");
	CHANGES(s.files[1] = "c.c");
	CHANGES(s.draft.n_files = 1);
	CHANGES((s.draft.record_bytes = 7, s.draft.record_type = 0));
	CHANGES((s.draft.params_bytes = 7, s.draft.params_type = 0));
	CHANGES((s.draft.key_bytes = 7, s.draft.key_type = 0));
	CHANGES((s.draft.state_bytes = 7, s.draft.state_type = 0));
	CHANGES(s.rodata[3] = 5);
	CHANGES(s.draft.rodata_bytes = 3);
	CHANGES(s.init[0] = 1);
	CHANGES(s.draft.init_state = NULL);
	CHANGES(s.btf[s.draft.btf_bytes - 2] = 'd'); /* a type's name */
	CHANGES(s.draft.record_type = 2);
	CHANGES(s.draft.params_type = 2);
	CHANGES(s.draft.key_type = 2);
	CHANGES(s.draft.state_type = 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_id_is_golden),
		cmocka_unit_test(equal_drafts_have_equal_ids),
		cmocka_unit_test(every_field_changes_the_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
