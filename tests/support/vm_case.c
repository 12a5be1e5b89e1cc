/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* vm_case.c - reading the data files of tests/vm, and making programs of the cases. */
#include "tests/support/vm_case.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "tests/support/vm_asm.h"

enum { MAX_CASES = 1024, MAX_SECTION = 64 << 10 };

struct reader {
	const char *path;
	unsigned line; /* of the section's head */
	char *error;
	size_t error_size;
	struct vm_cases *cases;
	struct vm_case *c; /* the case being read */
	char *asm_text;    /* assembled at its end, when the sub-functions are known */
	unsigned asm_line;
	char *sub_text[VM_CASE_MAX_SUBS];
	unsigned sub_line[VM_CASE_MAX_SUBS];
};

__attribute__((format(printf, 3, 4))) static bool wrong(struct reader *r, unsigned line,
							const char *fmt, ...)
{
	int n = snprintf(r->error, r->error_size, "%s:%u: ", r->path, line);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->error + n, r->error_size - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

/* ---- bytes, words ---------------------------------------------------------------------------- */

static bool add_bytes(struct vm_bytes *b, int value, size_t count)
{
	uint8_t *grown = realloc(b->data, b->n + count + 1);

	if (!grown)
		return false;
	memset(grown + b->n, value, count);
	b->data = grown;
	b->n += (uint32_t)count;
	return true;
}

static const char *add_string(struct vm_bytes *b, const char *p)
{
	for (p++; *p && *p != '"'; p++) {
		char ch = *p;

		if (ch == '\\' && p[1]) {
			p++;
			ch = *p == 'n' ? '\n' : *p == 't' ? '\t' : *p;
		}
		add_bytes(b, (unsigned char)ch, 1);
	}
	return *p == '"' ? p + 1 : NULL;
}

/* "01 02 ff", "0102ff", "\"text\"", "16*00" */
static bool parse_bytes(struct reader *r, const char *text, struct vm_bytes *ret)
{
	const char *p = text;

	add_bytes(ret, 0, 0); /* given, if only as nothing */
	while (p && *p) {
		unsigned value, count;
		int used = 0;

		if (isspace((unsigned char)*p)) {
			p++;
		} else if (*p == '"') {
			p = add_string(ret, p);
		} else if (sscanf(p, "%u*%2x%n", &count, &value, &used) == 2 && used) {
			add_bytes(ret, (int)value, count);
			p += used;
		} else if (isxdigit((unsigned char)p[0]) && isxdigit((unsigned char)p[1]) &&
			   sscanf(p, "%2x%n", &value, &used) == 1) {
			add_bytes(ret, (int)value, 1);
			p += used;
		} else {
			p = NULL;
		}
	}
	return p || wrong(r, r->line, "not hex bytes: %.60s", text);
}

static bool parse_number(const char *text, uint64_t *ret)
{
	char *end;

	while (isspace((unsigned char)*text))
		text++;
	errno = 0;
	*ret = *text == '-' ? (uint64_t)strtoll(text, &end, 0) : strtoull(text, &end, 0);
	if (end == text || errno)
		return false;
	while (isspace((unsigned char)*end))
		end++;
	return !*end;
}

static bool parse_words(struct reader *r, unsigned line, char *text, struct vm_bytes *ret)
{
	char *word;

	add_bytes(ret, 0, 0);
	while ((word = strsep(&text, " \t"))) {
		uint64_t v;

		if (!*word)
			continue;
		if (!parse_number(word, &v))
			return wrong(r, line, "not a number: %s", word);
		for (unsigned i = 0; i < 8; i++)
			add_bytes(ret, (int)(v >> 8 * i & 0xff), 1);
	}
	return true;
}

static char *trim(char *s)
{
	size_t n;

	while (isspace((unsigned char)*s))
		s++;
	n = strlen(s);
	while (n > 0 && isspace((unsigned char)s[n - 1]))
		s[--n] = 0;
	return s;
}

/* ---- sections -------------------------------------------------------------------------------- */

static bool section_runs(struct reader *r, char *text)
{
	unsigned line = r->line;
	char *row;

	for (; (row = strsep(&text, "\n")); line++) {
		struct vm_run *run = &r->c->runs[r->c->n_runs];
		char *arrow = strstr(row, "->");
		char *want;

		if (!*trim(row))
			continue;
		if (!arrow)
			return wrong(r, line, "a row is WORD... -> WORD...");
		if (r->c->n_runs == VM_CASE_MAX_RUNS)
			return wrong(r, line, "too many rows");
		r->c->n_runs++;
		*arrow = 0;
		want = trim(arrow + 2);
		run->line = line;
		if (!parse_words(r, line, row, &run->record))
			return false;
		if (!strncmp(want, "trap ", 5))
			snprintf(run->trap, sizeof(run->trap), "%s", trim(want + 5));
		else if (!parse_words(r, line, want, &run->want_state))
			return false;
	}
	return true;
}

/* The run of a case that has no table of them. */
static struct vm_run *only_run(struct reader *r)
{
	r->c->n_runs = 1;
	if (!r->c->runs[0].line)
		r->c->runs[0].line = r->line;
	return &r->c->runs[0];
}

static bool result_line(struct reader *r, const char *word, const char *value)
{
	struct vm_case *c = r->c;
	uint64_t v;

	if (!strcmp(word, "refused")) {
		snprintf(c->refused, sizeof(c->refused), "%s", value);
	} else if (!strcmp(word, "proven") && parse_number(value, &v)) {
		c->want_proven = (int)v;
	} else if (!strcmp(word, "guarded") && parse_number(value, &v)) {
		c->want_guarded = (int)v;
	} else if (!strcmp(word, "trap")) {
		snprintf(only_run(r)->trap, VM_CASE_TEXT_BYTES, "%s", value);
	} else if (!strcmp(word, "r0") && parse_number(value, &v)) {
		only_run(r)->has_r0 = true;
		only_run(r)->want_r0 = v;
	} else if (!strcmp(word, "state")) {
		return parse_bytes(r, value, &only_run(r)->want_state);
	} else if (!strcmp(word, "key")) {
		return parse_bytes(r, value, &only_run(r)->want_key);
	} else {
		return wrong(r, r->line, "not a result: %s %s", word, value);
	}
	return true;
}

static bool section_result(struct reader *r, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		char *value = trim(line);
		char *word = strsep(&value, " \t");

		if (*word && !result_line(r, word, value ? trim(value) : ""))
			return false;
	}
	return true;
}

static bool section_entry(struct reader *r, const char *text)
{
	for (unsigned k = 0; k < PROGRAM_ENTRIES; k++) {
		if (!strcmp(text, program_kind_name(k))) {
			r->c->entry = k;
			return true;
		}
	}
	return wrong(r, r->line, "no such entry: %s", text);
}

static bool section_sub(struct reader *r, char *text)
{
	struct vm_case *c = r->c;
	char *name = strsep(&text, "\n");

	if (c->n_subs == VM_CASE_MAX_SUBS || !text)
		return wrong(r, r->line, "too many sub-functions, or one without instructions");
	snprintf(c->subs[c->n_subs].name, sizeof(c->subs[0].name), "%s", trim(name));
	r->sub_text[c->n_subs] = strdup(text);
	r->sub_line[c->n_subs] = r->line;
	c->n_subs++;
	return true;
}

static bool section_name(struct reader *r, const char *text)
{
	struct vm_cases *cs = r->cases;

	if (cs->n == MAX_CASES)
		return wrong(r, r->line, "too many cases");
	r->c = &cs->cases[cs->n++];
	r->c->line = r->line;
	r->c->entry = PROGRAM_REDUCE;
	r->c->want_proven = r->c->want_guarded = -1;
	snprintf(r->c->name, sizeof(r->c->name), "%s", text);
	return true;
}

static bool section_number(struct reader *r, const char *word, const char *text)
{
	uint64_t v;

	if (!parse_number(text, &v))
		return wrong(r, r->line, "not a number: %s", text);
	if (!strcmp(word, "budget"))
		r->c->budget = v;
	else if (!strcmp(word, "state_bytes"))
		r->c->state_bytes = (uint32_t)v;
	else
		r->c->key_bytes = (uint32_t)v;
	return true;
}

static bool section_bounds(struct reader *r, const char *text)
{
	r->c->any_length = true;
	return sscanf(text, "%u %u", &r->c->record_min_bytes, &r->c->record_max_bytes) == 2 ||
	       wrong(r, r->line, "bounds are MIN MAX");
}

static int sub_index(void *arg, const char *name)
{
	const struct vm_case *c = arg;

	for (unsigned i = 0; i < c->n_subs; i++) {
		if (!strcmp(c->subs[i].name, name))
			return (int)i; /* subs come first in the program */
	}
	return -1;
}

static bool assemble(struct reader *r, unsigned line, const char *text, struct vm_case_code *code)
{
	char error[VM_ASM_ERROR_BYTES];
	int n;

	code->insns = calloc(VM_CASE_MAX_INSNS, sizeof(*code->insns));
	if (!code->insns)
		return wrong(r, line, "no memory");
	n = vm_asm(text, code->insns, VM_CASE_MAX_INSNS, sub_index, r->c, error);
	if (n < 0)
		return wrong(r, line, "assembly, %s", error);
	code->n_insns = (uint32_t)n;
	return true;
}

/* The case is read: assemble it. */
static bool end_case(struct reader *r)
{
	bool ok = true;

	if (!r->c)
		return true;
	if (!r->asm_text)
		ok = wrong(r, r->c->line, "the case has no # asm");
	else
		ok = assemble(r, r->asm_line, r->asm_text, &r->c->code);
	for (unsigned i = 0; i < r->c->n_subs; i++) {
		ok = ok && assemble(r, r->sub_line[i], r->sub_text[i], &r->c->subs[i]);
		free(r->sub_text[i]);
		r->sub_text[i] = NULL;
	}
	free(r->asm_text);
	r->asm_text = NULL;
	r->c = NULL;
	return ok;
}

static bool section(struct reader *r, const char *word, char *text)
{
	if (!strcmp(word, "name"))
		return end_case(r) && section_name(r, trim(text));
	if (!r->c)
		return wrong(r, r->line, "# name comes first");
	if (!strcmp(word, "asm")) {
		r->asm_line = r->line;
		free(r->asm_text);
		r->asm_text = strdup(text);
		return true;
	}
	if (!strcmp(word, "entry"))
		return section_entry(r, trim(text));
	if (!strcmp(word, "sub"))
		return section_sub(r, text);
	if (!strcmp(word, "runs"))
		return section_runs(r, text);
	if (!strcmp(word, "result"))
		return section_result(r, text);
	if (!strcmp(word, "record"))
		return parse_bytes(r, text, &only_run(r)->record);
	if (!strcmp(word, "params"))
		return parse_bytes(r, text, &r->c->params);
	if (!strcmp(word, "state"))
		return parse_bytes(r, text, &r->c->state);
	if (!strcmp(word, "from"))
		return parse_bytes(r, text, &r->c->from);
	if (!strcmp(word, "rodata"))
		return parse_bytes(r, text, &r->c->rodata);
	if (!strcmp(word, "bounds"))
		return section_bounds(r, text);
	if (!strcmp(word, "budget") || !strcmp(word, "state_bytes") || !strcmp(word, "key_bytes"))
		return section_number(r, word, trim(text));
	return wrong(r, r->line, "unknown section: %s", word);
}

static bool read_sections(struct reader *r, FILE *f)
{
	AUTO_FREE char *text = malloc(MAX_SECTION);
	AUTO_FREE char *line = NULL;
	char word[32] = "", next[32];
	size_t n = 0, size = 0;
	unsigned at = 0;

	while (text && getline(&line, &size, f) >= 0) {
		char *comment = strstr(line, "//");
		int used = 0;

		at++;
		if (comment)
			snprintf(comment, 2, "\n");
		if (sscanf(line, "# %31s%n", next, &used) == 1) {
			if (r->line && !section(r, word, text))
				return false;
			strcpy(word, next);
			r->line = at;
			n = 0;
			text[0] = 0;
		}
		if (n + strlen(line) >= MAX_SECTION)
			return wrong(r, at, "section too long");
		n += (size_t)sprintf(text + n, "%s", line + used);
	}
	return text && (!r->line || section(r, word, text)) && end_case(r);
}

int vm_cases_read(const char *path, struct vm_cases *ret, char *error, size_t size)
{
	AUTO_FCLOSE FILE *f = fopen(path, "r");
	struct reader r = {.path = path, .error = error, .error_size = size, .cases = ret};
	bool ok;

	ret->n = 0;
	ret->cases = calloc(MAX_CASES, sizeof(*ret->cases));
	if (!f || !ret->cases) {
		snprintf(error, size, "%s: %s", path, strerror(errno));
		return -1;
	}
	ok = read_sections(&r, f);
	free(r.asm_text);
	for (unsigned i = 0; i < VM_CASE_MAX_SUBS; i++)
		free(r.sub_text[i]);
	return ok ? 0 : -1;
}

void vm_cases_free(struct vm_cases *cases)
{
	for (unsigned i = 0; i < cases->n; i++) {
		struct vm_case *c = &cases->cases[i];

		free(c->code.insns);
		for (unsigned s = 0; s < c->n_subs; s++)
			free(c->subs[s].insns);
		for (unsigned j = 0; j < c->n_runs; j++) {
			free(c->runs[j].record.data);
			free(c->runs[j].want_state.data);
			free(c->runs[j].want_key.data);
		}
		free(c->params.data);
		free(c->state.data);
		free(c->from.data);
		free(c->rodata.data);
	}
	free(cases->cases);
	*cases = (struct vm_cases){0};
}

/* ---- programs -------------------------------------------------------------------------------- */

static uint32_t state_bytes(const struct vm_case *c)
{
	if (c->state.data)
		return c->state.n;
	if (c->state_bytes)
		return c->state_bytes;
	if (c->n_runs && c->runs[0].want_state.data)
		return c->runs[0].want_state.n;
	return 8;
}

int vm_case_program(const struct vm_case *c, struct program **ret, struct nf_error *err)
{
	static const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	struct program_func funcs[VM_CASE_MAX_SUBS + PROGRAM_ENTRIES];
	struct program draft = {
		.funcs = funcs,
		.record_bytes = c->any_length || !c->n_runs ? 0 : c->runs[0].record.n,
		.params_bytes = c->params.n,
		.key_bytes = c->key_bytes,
		.state_bytes = state_bytes(c),
		.rodata_bytes = c->rodata.n,
		.rodata = c->rodata.data,
	};
	uint32_t n = 0;

	for (unsigned i = 0; i < c->n_subs; i++) {
		funcs[n++] = (struct program_func){.kind = PROGRAM_SUB,
						   .name = c->subs[i].name,
						   .insns = c->subs[i].insns,
						   .n_insns = c->subs[i].n_insns};
	}
	for (enum program_kind k = 0; k < PROGRAM_ENTRIES; k++) {
		bool own = k == c->entry;
		bool needed = k == PROGRAM_REDUCE || k == PROGRAM_COMBINE ||
			      (k == PROGRAM_KEY && c->key_bytes);

		if (!own && !needed)
			continue;
		funcs[n++] = (struct program_func){.kind = k,
						   .name = program_kind_name(k),
						   .insns = own ? c->code.insns : nothing,
						   .n_insns = own ? c->code.n_insns : 2};
	}
	draft.n_funcs = n;
	return program_create(&draft, ret, err);
}
