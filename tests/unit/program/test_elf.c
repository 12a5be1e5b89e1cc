/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program_elf_read() over what clang makes of small sources, which stand beside the program or the
 * refusal that they must give. $BPF_CC is the compiler (clang-19).
 */
#include "program_fixture.h"

#include <stdio.h>
#include <unistd.h>

#include "program/program_elf.h"
#include "program/program_flatten.h"
#include "program/program_layout.h"

enum { OBJECT_ROOM = 1 << 20 };

static const char *compiler(void)
{
	return getenv("BPF_CC") ? getenv("BPF_CC") : "clang-19";
}

static bool have_compiler(void)
{
	char command[256];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", compiler());
	return system(command) == 0;
}

/* Skips, with the reason, where there is no compiler for BPF. */
#define NEEDS_COMPILER()                                                   \
	do {                                                               \
		if (!have_compiler()) {                                    \
			printf("SKIP: %s is not installed\n", compiler()); \
			skip();                                            \
		}                                                          \
	} while (0)

static const char prelude[] = "#include \"nearfold.bpf.h\"\n"
			      "#define NOINLINE static __attribute__((noinline))\n"
			      "struct rec { u32 a; u16 b, c; u64 d; };\n"
			      "struct st { u64 n, sum; };\n"
			      "struct par { u64 x; };\n";
#define MERGE  "FOLD_COMBINE merge(struct st *into, const struct st *from) { into->n += from->n; }\n"
#define REDUCE "FOLD_REDUCE sum(struct st *s, const struct rec *r, u32 len) { s->n++; return 0; }\n"

/* Compile; line 1 is the first line of source. Returns the object's size. */
static size_t compile(const char *flags, const char *source, uint8_t *object)
{
	char command[512], path[] = "/tmp/nearfold-elf-XXXXXX", in[64];
	int fd = mkstemp(path);
	FILE *f;
	size_t n;

	assert_true(fd >= 0);
	close(fd);
	snprintf(in, sizeof(in), "%s.c", path);
	f = fopen(in, "w");
	assert_non_null(f);
	fprintf(f, "%s#line 1 \"/some/where/test.bpf.c\"\n%s", prelude, source);
	fclose(f);
	snprintf(command, sizeof(command), "%s -O2 -target bpf -w -I bpf %s -c %s -o %s",
		 compiler(), flags, in, path);
	if (system(command) != 0)
		fail_msg("%s\n%s", command, source);
	f = fopen(path, "rb");
	n = fread(object, 1, OBJECT_ROOM, f);
	fclose(f);
	unlink(path);
	unlink(in);
	return n;
}

static struct program *build(const char *flags, const char *source)
{
	AUTO_FREE uint8_t *object = malloc(OBJECT_ROOM);
	size_t n = compile(flags, source, object);
	struct nf_error err = {0};
	struct program *p = NULL;

	if (program_elf_read(object, n, "test.bpf.o", &p, &err))
		fail_msg("%s: %s\n%s", err.where, err.text, source);
	return p;
}

static void everything_comes_from_the_object(void **state)
{
	static const char source[] =
		"FOLD_FILTER keep(const struct rec *r, u32 len, const struct par *p) { return r->d "
		"> p->x; }\n"
		"FOLD_KEY key(const struct rec *r, u32 len, const struct par *p, u16 *k) { *k = "
		"r->b; }\n"
		"FOLD_REDUCE add(struct st *s, const struct rec *r, u32 len, const struct par *p)\n"
		"{\n"
		"	s->sum += r->d;\n"
		"	return FOLD_MORE;\n"
		"}\n" MERGE "FOLD_INIT struct st start = {.sum = 5};\n";
	static const char *const cpus[] = {"-g -mcpu=v1", "-g -mcpu=v2", "-g -mcpu=v3",
					   "-g -mcpu=v4"};

	(void)state;
	NEEDS_COMPILER();
	for (size_t i = 0; i < ARRAY_SIZE(cpus); i++) {
		AUTO_PROGRAM p = build(cpus[i], source);
		uint64_t start[2] = {0, 5};
		uint32_t reduce;
		bool found = false;

		assert_int_equal(p->n_funcs, 4);
		assert_string_equal(program_entry(p, PROGRAM_FILTER, NULL)->name, "keep");
		assert_string_equal(program_entry(p, PROGRAM_KEY, NULL)->name, "key");
		assert_string_equal(program_entry(p, PROGRAM_REDUCE, &reduce)->name, "add");
		assert_string_equal(program_entry(p, PROGRAM_COMBINE, NULL)->name, "merge");
		assert_int_equal(p->record_bytes, 16);
		assert_int_equal(p->params_bytes, 8);
		assert_int_equal(p->key_bytes, 2);
		assert_int_equal(p->state_bytes, 16);
		assert_memory_equal(p->init_state, start, 16);
		for (uint32_t l = 0; l < p->funcs[reduce].n_lines; l++) {
			const struct program_line *line = &p->funcs[reduce].lines[l];

			if (line->line != 5)
				continue;
			found = true;
			assert_string_equal(p->files[line->file], "test.bpf.c");
		}
		assert_true(found);
	}
}

static void lines_of_any_length(void **state)
{
	static const char *const types[] = {"void", "char", "u8"};

	(void)state;
	NEEDS_COMPILER();
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		char source[512];

		snprintf(source, sizeof(source),
			 "FOLD_REDUCE r(struct st *s, const %s *line, u32 len) "
			 "{ s->n += len; return 0; }\n" MERGE,
			 types[i]);
		AUTO_PROGRAM p = build("-g", source);
		assert_int_equal(p->record_bytes, 0);
		assert_int_equal(p->record_type, 0);
		assert_int_equal(p->params_bytes, 0);
	}
}

/* Calls within a section, across sections, to global functions, several deep; only what is
 * called is there. */
static void functions_are_found_through_calls(void **state)
{
	static const char source[] =
		"extern int missing(int); static long (*bpf_helper)(void) = (void *)5;\n"
		"int not_called(int x) { return missing(x) + bpf_helper(); }\n"
		"NOINLINE u64 leaf(u64 x) { return x * 3; }\n"
		"__attribute__((noinline)) u64 glob(u64 x) { return leaf(x) + leaf(x + 1); }\n"
		"SEC(\"other\") __attribute__((noinline)) u64 far(u64 x) { return glob(x) ^ "
		"leaf(x); }\n"
		"FOLD_REDUCE r(struct st *s, const struct rec *r, u32 len) { s->n += far(r->d); "
		"return 0; }\n"
		"FOLD_COMBINE m(struct st *a, const struct st *b) { a->n += leaf(b->n); }\n";
	struct flat_code flat = {0};

	(void)state;
	NEEDS_COMPILER();
	AUTO_PROGRAM p = build("-g", source);
	assert_int_equal(p->n_funcs, 5);
	for (uint32_t i = 0; i < p->n_funcs; i++)
		assert_string_not_equal(p->funcs[i].name, "not_called");
	/* combine calls leaf only */
	uint32_t combine;
	program_entry(p, PROGRAM_COMBINE, &combine);
	for (uint32_t i = 0; i < p->funcs[combine].n_insns; i++) {
		const struct bpf_insn *insn = &p->funcs[combine].insns[i];

		if (insn->code == (BPF_JMP | BPF_CALL))
			assert_string_equal(p->funcs[insn->imm].name, "leaf");
	}
	assert_int_equal(program_flatten(p, PROGRAM_REDUCE, &flat, NULL), 0);
	flat_code_done(&flat);
}

/* Tables, strings and structs end up in one block; addresses point at the right bytes. */
static void constants_are_gathered(void **state)
{
	static const char source[] =
		"static const u32 table[8] = {10, 11, 12, 13, 14, 15, 16, 17};\n"
		"static const u64 wide[4] = {20, 21, 22, 23};\n"
		"const volatile u64 setting = 99;\n"
		"FOLD_REDUCE r(struct st *s, const struct rec *r, u32 len)\n"
		"{ s->n += table[r->a & 7] + (&table[4])[r->b & 3] + wide[r->c & 3] + setting +\n"
		"    fold_find(r, 16, \"needle\", 6); return 0; }\n" MERGE;
	bool seen[5] = {0};

	(void)state;
	NEEDS_COMPILER();
	AUTO_PROGRAM p = build("-g", source);
	const struct program_func *f = program_entry(p, PROGRAM_REDUCE, NULL);
	for (uint32_t i = 0; i < f->n_insns; i++) {
		uint64_t first = 0;

		if (f->insns[i].code != (BPF_LD | BPF_IMM | BPF_DW) || f->insns[i].src_reg != 3)
			continue;
		assert_true((uint32_t)f->insns[i].imm < p->rodata_bytes);
		memcpy(&first, p->rodata + f->insns[i].imm,
		       p->rodata_bytes - (uint32_t)f->insns[i].imm < 8
			       ? p->rodata_bytes - (uint32_t)f->insns[i].imm
			       : 8);
		seen[0] |= first == (10 | 11ull << 32);
		seen[1] |= first == (14 | 15ull << 32);
		seen[2] |= first == 20;
		seen[3] |= first == 99;
		seen[4] |= !strncmp((const char *)p->rodata + f->insns[i].imm, "needle", 7);
		if (first == 20 || first == 99)
			assert_int_equal(f->insns[i].imm % 8, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		assert_true(seen[i] || i == 1); /* clang may fold &table[4] into table's address */
}

static void the_data_may_lie_anywhere(void **state)
{
	AUTO_FREE uint8_t *object = malloc(OBJECT_ROOM + 1);
	AUTO_PROGRAM p = NULL;

	(void)state;
	NEEDS_COMPILER();
	size_t n = compile("-g", REDUCE MERGE, object + 1);
	assert_int_equal(program_elf_read(object + 1, n, "x.o", &p, NULL), 0);
}

static void equal_sources_give_equal_ids(void **state)
{
	(void)state;
	NEEDS_COMPILER();
	AUTO_PROGRAM a = build("-g", REDUCE MERGE);
	AUTO_PROGRAM b = build("-g", REDUCE MERGE);
	assert_memory_equal(a->id, b->id, PROGRAM_ID_BYTES);
}

/* The first block of C in the documentation, as it stands there. */
static void the_program_of_the_documentation_builds(void **state)
{
	AUTO_FCLOSE FILE *f = fopen("docs/program-abi.md", "r");
	AUTO_FREE char *text = NULL;
	size_t room = 0;

	(void)state;
	NEEDS_COMPILER();
	assert_non_null(f);
	assert_true(getdelim(&text, &room, '\0', f) > 0);
	char *source = strstr(text, "```c\n") + 5;
	*strstr(source, "```") = '\0';
	AUTO_PROGRAM p = build("-g", source);
	assert_int_equal(p->record_bytes, 24);
	assert_int_equal(p->state_bytes, 32);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static const struct refusal {
	const char *name, *flags, *source, *where, *text;
} refusals[] = {
	{"no -g", "", REDUCE MERGE, "test.bpf.o", "compile with -g"},
	{"other byte order", "-g -target bpfeb", REDUCE MERGE, "test.bpf.o", "big-endian"},
	{"other machine", "-g -target x86_64-linux-gnu -D__bpf__", REDUCE MERGE, "test.bpf.o",
	 "another machine (62)"},
	{"map", "-g",
	 "struct { int (*type)[2]; } counts SEC(\".maps\");\n"
	 "static void *(*lookup)(void *, const void *) = (void *)1;\n"
	 "FOLD_REDUCE r(struct st *s, const struct rec *r, u32 len) { return lookup(&counts, r) != "
	 "0; }\n" MERGE,
	 "test.bpf.o", "'counts' is a map"},
	{"variable", "-g",
	 "u64 total = 5;\nFOLD_REDUCE r(struct st *s, const struct rec *r, u32 len) { total += "
	 "len; return 0; }\n" MERGE,
	 "test.bpf.o", "'total' is a variable that can change (section .data)"},
	{"zeroed variable", "-g",
	 "static u64 hidden;\nFOLD_REDUCE r(struct st *s, const struct rec *r, u32 len)\n"
	 "{ hidden += len; s->n = hidden; return 0; }\n" MERGE,
	 "test.bpf.o", "'hidden' is a variable"},
	{"variable in a section of its own", "-g",
	 "SEC(\"mine\") u64 own = 5;\nFOLD_REDUCE r(struct st *s, const struct rec *r, u32 "
	 "len)\n{\n"
	 "  own += len;\n  return 0;\n}\n" MERGE,
	 "test.bpf.c:4 in function 'r'", "the variable 'own'"},
	{"undefined function", "-g",
	 "extern u64 elsewhere(u64);\nFOLD_REDUCE r(struct st *s, const struct rec *r, u32 "
	 "len)\n{\n"
	 "  s->n = elsewhere(len);\n  return 0;\n}\n" MERGE,
	 "test.bpf.c:4 in function 'r'", "'elsewhere' is declared but not defined"},
	{"undefined variable", "-g",
	 "extern u64 outside;\nFOLD_REDUCE r(struct st *s, const struct rec *r, u32 len)\n{\n"
	 "  s->n = outside;\n  return 0;\n}\n" MERGE,
	 "test.bpf.c:4 in function 'r'", "'outside' is declared but not defined"},
	{"kernel helper", "-g",
	 "static u64 (*ktime)(void) = (void *)5;\nFOLD_REDUCE r(struct st *s, const struct rec *r, "
	 "u32 len)\n{\n"
	 "  s->n = ktime();\n  return 0;\n}\n" MERGE,
	 "test.bpf.c:4 in function 'r'", "kernel's helper function 5"},
	{"kernel helper in a sub-function", "-g",
	 "static u64 (*ktime)(void) = (void *)5;\nNOINLINE u64 now(u64 x)\n{\n  return ktime() + "
	 "x;\n}\n"
	 "FOLD_REDUCE r(struct st *s, const struct rec *r, u32 len) { s->n = now(len); return 0; "
	 "}\n" MERGE,
	 "test.bpf.c:4 in function 'now'", "kernel's helper function 5"},
	{"call through a pointer", "-g",
	 "FOLD_REDUCE r(struct st *s, const struct rec *r, u32 len)\n{\n"
	 "  s->n = ((u64 (*)(u64))r->d)(1);\n  return 0;\n}\n" MERGE,
	 "test.bpf.c:3 in function 'r'", "through a pointer"},
	{"address of a function", "-g",
	 "NOINLINE u64 f(u64 x) { return x * 3; }\n"
	 "FOLD_REDUCE r(struct st *s, const struct rec *r, u32 len)\n{\n"
	 "  s->n = (u64)&f + f(len);\n  return 0;\n}\n" MERGE,
	 "test.bpf.c:4 in function 'r'", "address of function 'f'"},
	{"constant that holds an address", "-g",
	 "static const char *const names[2] = {\"one\", \"two\"};\n"
	 "FOLD_REDUCE r(struct st *s, const struct rec *r, u32 len)\n{\n"
	 "  s->n = fold_find(r, 16, names[r->a & 1], 3);\n  return 0;\n}\n" MERGE,
	 "test.bpf.o", "'names' (section .rodata) holds an address"},
	{"recursion", "-g",
	 "NOINLINE u64 f(u64 x) { return x < 2 ? 1 : x * f(x - 1) + f(x - 2); }\n"
	 "FOLD_REDUCE r(struct st *s, const struct rec *r, u32 len) { s->n = f(len); return 0; "
	 "}\n" MERGE,
	 "function f", "recursive"},
	{"entry that is called", "-g",
	 "__attribute__((noinline)) FOLD_REDUCE add(struct st *s, const struct rec *r, u32 len) "
	 "{ s->n++; return 0; }\n"
	 "FOLD_FILTER keep(const struct rec *r, u32 len)\n{\n  struct st s = {0};\n"
	 "  return add(&s, r, len) + s.n;\n}\n" MERGE,
	 "test.bpf.c:5 in function 'keep'", "calls 'add', which is the reduce function"},
	{"two reduces", "-g",
	 REDUCE
	 "FOLD_REDUCE again(struct st *s, const struct rec *r, u32 len) { return 0; }\n" MERGE,
	 "test.bpf.o", "'sum' and 'again' are both in section fold/reduce"},
	{"no combine", "-g", REDUCE, "test.bpf.o", "no function in section fold/combine"},
	{"no reduce", "-g", MERGE, "test.bpf.o", "no function in section fold/reduce"},
	{"unknown section", "-g",
	 REDUCE MERGE "SEC(\"fold/finish\") int done(void) { return 0; }\n", "test.bpf.o",
	 "'done' is in section fold/finish; there are"},
	{"data in a function's section", "-g",
	 REDUCE MERGE "SEC(\"fold/filter\") const u64 odd = 1;\n", "test.bpf.o",
	 "'odd' in section fold/filter"},
	{"CO-RE", "-g",
	 "struct task { int pid; } __attribute__((preserve_access_index));\n"
	 "FOLD_REDUCE r(struct st *s, const struct task *r, u32 len) { s->n += r->pid; return 0; "
	 "}\n" MERGE,
	 "test.bpf.o", "CO-RE"},
	{"too many instructions", "-g",
	 "FOLD_REDUCE r(struct st *s, const struct rec *r, u32 len)\n"
	 "{ asm volatile(\".rept 5000; r0 = 0; .endr\"); return 0; }\n" MERGE,
	 "function 'r'", "a program has at most 4096"},

	/* Prototypes. */
	{"reduce without a result", "-g",
	 "SEC(\"fold/reduce\") void r(struct st *s, const struct rec *r, u32 len)\n{\n  "
	 "s->n++;\n}\n" MERGE,
	 "test.bpf.c:3 in function 'r'",
	 "must return int: the reduce function must be `int f(STATE *s, const REC *rec, u32 len, "
	 "const "
	 "PARAMS *p)`, but this is `void r(struct st *, const struct rec *, u32)`"},
	{"combine with a result", "-g",
	 REDUCE "SEC(\"fold/combine\") int m(struct st *a, const struct st *b) { return 0; }\n",
	 "function 'm'", "must return nothing"},
	{"record that is not const", "-g",
	 "FOLD_REDUCE r(struct st *s, struct rec *r, u32 len) { return 0; }\n" MERGE,
	 "function 'r'", "parameter 2 must point to const"},
	{"state that is const", "-g",
	 "FOLD_REDUCE r(const struct st *s, const struct rec *r, u32 len) { return 0; }\n" MERGE,
	 "function 'r'", "parameter 1 must not point to const"},
	{"length of 64 bits", "-g",
	 "FOLD_REDUCE r(struct st *s, const struct rec *r, u64 len) { return 0; }\n" MERGE,
	 "function 'r'", "parameter 3 must be u32"},
	{"record that is no pointer", "-g",
	 "FOLD_REDUCE r(struct st *s, u64 r, u32 len) { return 0; }\n" MERGE, "function 'r'",
	 "parameter 2 must be a pointer"},
	{"too few parameters", "-g",
	 "FOLD_REDUCE r(struct st *s, const struct rec *r) { return 0; }\n" MERGE, "function 'r'",
	 "wrong number of parameters"},
	{"too many parameters", "-g",
	 "FOLD_REDUCE r(struct st *s, const struct rec *r, u32 len, const struct par *p, u64 x) { "
	 "return 0; }\n" MERGE,
	 "function 'r'", "wrong number of parameters"},
	{"key without its parameter", "-g",
	 REDUCE MERGE "FOLD_KEY k(const struct rec *r, u32 len, u16 *k) { *k = 1; }\n",
	 "function 'k'", "wrong number of parameters"},
	{"states that differ", "-g",
	 REDUCE "FOLD_COMBINE m(struct par *a, const struct par *b) { a->x += b->x; }\n",
	 "function 'm'", "parameter 1 is another STATE than 'sum' has"},
	{"records that differ", "-g",
	 REDUCE MERGE "FOLD_FILTER f(const struct par *r, u32 len) { return r->x > 1; }\n",
	 "function 'f'", "another REC"},
	{"parameters that differ", "-g",
	 "FOLD_REDUCE r(struct st *s, const struct rec *r, u32 len, const struct par *p) { s->n += "
	 "p->x; return 0; }\n" MERGE
	 "FOLD_FILTER f(const struct rec *r, u32 len, const struct st *p) { return p->n > 1; }\n",
	 "function 'f'", "another PARAMS"},
	{"incomplete record", "-g",
	 "struct unknown;\nFOLD_REDUCE r(struct st *s, const struct unknown *r, u32 len) { s->n++; "
	 "return 0; }\n" MERGE,
	 "function 'r'", "incomplete type"},
	{"state without a type", "-g",
	 "FOLD_REDUCE r(void *s, const struct rec *r, u32 len) { return 0; }\n" MERGE,
	 "function 'r'", "without a size"},

	/* Sizes. */
	{"large key", "-g",
	 "struct key { u8 x[65]; };\n" REDUCE MERGE
	 "FOLD_KEY k(const struct rec *r, u32 len, const void *p, struct key *k) { k->x[0] = 1; "
	 "}\n",
	 "key_bytes", "is 65"},
	{"large state", "-g",
	 "struct big { u64 x[8193]; };\n"
	 "FOLD_REDUCE r(struct big *s, const struct rec *r, u32 len) { s->x[0]++; return 0; }\n"
	 "FOLD_COMBINE m(struct big *a, const struct big *b) { a->x[0] += b->x[0]; }\n",
	 "state_bytes", "65544"},

	/* The start state. */
	{"start state of another size", "-g", REDUCE MERGE "FOLD_INIT struct par start = {1};\n",
	 "test.bpf.o", "the start state 'start' has 8 bytes, but the state of reduce has 16"},
	{"start state of another type", "-g", REDUCE MERGE "FOLD_INIT struct rec start = {1};\n",
	 "test.bpf.o", "'start' is not of the type"},
	{"two start states", "-g",
	 REDUCE MERGE "FOLD_INIT struct st one = {1};\nFOLD_INIT struct st two = {2};\n",
	 "test.bpf.o", "'one' and 'two'"},
	{"start state that holds an address", "-g",
	 "struct ps { const char *p; };\n"
	 "FOLD_REDUCE r(struct ps *s, const struct rec *r, u32 len) { return 0; }\n"
	 "FOLD_COMBINE m(struct ps *a, const struct ps *b) { }\n"
	 "FOLD_INIT struct ps start = {\"text\"};\n",
	 "test.bpf.o", "'start' holds an address"},
};

static void refused(void **state)
{
	const struct refusal *c = *state;
	AUTO_FREE uint8_t *object = malloc(OBJECT_ROOM);
	AUTO_PROGRAM p = NULL;
	struct nf_error err = {0};

	NEEDS_COMPILER();
	size_t n = compile(c->flags, c->source, object);
	assert_int_equal(program_elf_read(object, n, "test.bpf.o", &p, &err), -EINVAL);
	assert_null(p);
	if (!strstr(err.where, c->where) || !strstr(err.text, c->text))
		fail_msg("wanted '%s: %s', got '%s: %s'", c->where, c->text, err.where, err.text);
}

static void what_is_no_object_is_refused(void **state)
{
	static const uint8_t text[100] = "not an object";
	AUTO_PROGRAM p = NULL;
	struct nf_error err = {0};

	(void)state;
	assert_int_equal(program_elf_read(text, 0, "x", &p, &err), -EINVAL);
	assert_int_equal(program_elf_read(text, sizeof(text), "x", &p, &err), -EINVAL);
	assert_non_null(strstr(err.text, "not an ELF object"));
	assert_int_equal(program_elf_open("/nonexistent/x.o", &p, &err), -ENOENT);
	assert_string_equal(err.where, "/nonexistent/x.o");
	assert_int_equal(program_elf_open("/", &p, &err), -EINVAL);
}

/* Cut at every length, and with single bytes changed: no fault, whatever it says. */
static void broken_objects_do_no_harm(void **state)
{
	AUTO_FREE uint8_t *object = malloc(OBJECT_ROOM);

	(void)state;
	NEEDS_COMPILER();
	size_t n = compile("-g", REDUCE MERGE, object);
	for (size_t at = 0; at < n; at += 7) {
		AUTO_FREE uint8_t *copy = malloc(n);
		AUTO_PROGRAM cut = NULL;
		AUTO_PROGRAM changed = NULL;

		memcpy(copy, object, n);
		program_elf_read(copy, at, "cut.o", &cut, NULL);
		copy[at] ^= 0xff;
		program_elf_read(copy, n, "changed.o", &changed, NULL);
	}
}

int main(void)
{
	struct CMUnitTest tests[16 + ARRAY_SIZE(refusals)] = {
		cmocka_unit_test(everything_comes_from_the_object),
		cmocka_unit_test(lines_of_any_length),
		cmocka_unit_test(functions_are_found_through_calls),
		cmocka_unit_test(constants_are_gathered),
		cmocka_unit_test(the_data_may_lie_anywhere),
		cmocka_unit_test(equal_sources_give_equal_ids),
		cmocka_unit_test(the_program_of_the_documentation_builds),
		cmocka_unit_test(what_is_no_object_is_refused),
		cmocka_unit_test(broken_objects_do_no_harm),
	};
	size_t n = 9;

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		tests[n++] = (struct CMUnitTest){.name = refusals[i].name,
						 .test_func = refused,
						 .initial_state = (void *)&refusals[i]};
	return _cmocka_run_group_tests("elf", tests, n, NULL, NULL);
}
