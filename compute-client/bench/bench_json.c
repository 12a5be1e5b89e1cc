/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench_json.c - the report's JSON:
 *
 *	{"nearfold_benchmark": 1, "kind": "sweep", "facts": {"machine": ..., ...},
 *	 "rows": [{"section": "link", "x": 1000, "x_text": "1 Gbit/s", "way": "ship",
 *		   "engine": "jit", "figures": {"seconds": {"median", "low", "high", "n"}, ...}}],
 *	 "ratios": [...], "break_evens": [...], "constants": [...], "notes": [...]}
 */
#include "compute-client/bench/bench_json.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/json_write.h"

enum { FORM = 1, LARGEST_BYTES = 64 << 20 };

/* ---- writing ------------------------------------------------------------------------------- */

static void put_text(struct json *j, const char *key, const char *text)
{
	json_key(j, key);
	json_string(j, text);
}

static void put_number(struct json *j, const char *key, double v)
{
	json_key(j, key);
	json_double(j, v);
}

static void put_stat(struct json *j, const char *key, const struct bench_stat *s)
{
	json_key(j, key);
	json_open(j, '{');
	put_number(j, "median", s->median);
	put_number(j, "low", s->low);
	put_number(j, "high", s->high);
	put_number(j, "n", s->n);
	json_close(j, '}');
}

static void put_row(struct json *j, const struct bench_row *row)
{
	put_text(j, "section", bench_sections[row->section].name);
	put_number(j, "x", row->x);
	put_text(j, "x_text", row->x_text);
	put_text(j, "way", bench_ways[row->way]);
	put_text(j, "engine", row->engine);
	json_key(j, "figures");
	json_open(j, '{');
	for (unsigned f = 0; f < FIGURES; f++)
		if (row->figures[f].n > 0)
			put_stat(j, bench_figures[f].name, &row->figures[f]);
	json_close(j, '}');
}

static void put_ratio(struct json *j, const struct bench_ratio *ratio)
{
	put_text(j, "section", bench_sections[ratio->section].name);
	put_number(j, "x", ratio->x);
	put_text(j, "x_text", ratio->x_text);
	put_text(j, "engine", ratio->engine);
	put_text(j, "name", ratio->name);
	put_stat(j, "stat", &ratio->stat);
}

static void put_break(struct json *j, const struct bench_break_even *b)
{
	put_text(j, "section", bench_sections[b->section].name);
	put_text(j, "engine", b->engine);
	put_text(j, "name", b->name);
	json_key(j, "value");
	if (b->has_value)
		json_double(j, b->value);
	else
		json_null(j);
	put_text(j, "text", b->text);
}

static void put_constant(struct json *j, const struct bench_constant *c)
{
	put_text(j, "name", c->name);
	put_number(j, "value", c->value);
	put_text(j, "unit", c->unit);
	put_text(j, "text", c->text);
}

static void open_list(struct json *j, const char *key)
{
	json_newline(j);
	json_key(j, key);
	json_open(j, '[');
}

/* Every item an object, on a line of its own. */
#define PUT_LIST(j, key, items, n, put)              \
	do {                                         \
		open_list(j, key);                   \
		for (unsigned i = 0; i < (n); i++) { \
			json_newline(j);             \
			json_open(j, '{');           \
			put(j, &(items)[i]);         \
			json_close(j, '}');          \
		}                                    \
		json_close(j, ']');                  \
	} while (0)

int bench_json_write(const struct bench_report *r, FILE *out)
{
	struct json writer = {.out = out}, *j = &writer;

	json_open(j, '{');
	put_number(j, "nearfold_benchmark", FORM);
	put_text(j, "kind", r->kind);
	json_newline(j);
	json_key(j, "facts");
	json_open(j, '{');
	for (unsigned i = 0; i < r->n_facts; i++) {
		json_newline(j);
		put_text(j, r->facts[i].name, r->facts[i].value);
	}
	json_close(j, '}');
	PUT_LIST(j, "rows", r->rows, r->n_rows, put_row);
	PUT_LIST(j, "ratios", r->ratios, r->n_ratios, put_ratio);
	PUT_LIST(j, "break_evens", r->breaks, r->n_breaks, put_break);
	PUT_LIST(j, "constants", r->constants, r->n_constants, put_constant);
	open_list(j, "notes");
	for (unsigned i = 0; i < r->n_notes; i++) {
		json_newline(j);
		json_string(j, r->notes[i]);
	}
	json_close(j, ']');
	json_close(j, '}');
	fputc('\n', out);
	return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}

/* ---- reading ------------------------------------------------------------------------------- */

static int malformed(struct nf_error *err, const char *path, const char *what)
{
	return nf_error_set(err, NF_INVALID_ARGUMENT, path,
			    "not a benchmark of this version: %s; make one with nearfold bench "
			    "savings|sweep|engines --json FILE",
			    what);
}

/* NULL when it is missing. */
static const cJSON *member(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* 0 when it is missing. Numbers that a double does not hold are strings in our JSON. */
static double number(const cJSON *object, const char *key)
{
	const cJSON *v = member(object, key);

	return cJSON_IsNumber(v)   ? v->valuedouble
	       : cJSON_IsString(v) ? strtod(v->valuestring, NULL)
				   : 0;
}

static void copy_text(const cJSON *object, const char *key, char *buf, size_t size)
{
	const cJSON *v = member(object, key);

	snprintf(buf, size, "%s", cJSON_IsString(v) ? v->valuestring : "");
}

static bool read_stat(const cJSON *j, struct bench_stat *ret)
{
	double n = number(j, "n");

	if (!(n >= 1 && n <= 1e6) || !member(j, "median"))
		return false;
	*ret = (struct bench_stat){number(j, "median"), number(j, "low"), number(j, "high"),
				   (unsigned)n};
	return true;
}

static bool read_section(const cJSON *j, enum bench_section *ret)
{
	char name[24];

	copy_text(j, "section", name, sizeof(name));
	for (unsigned s = 0; s < SECTIONS; s++) {
		if (strcmp(bench_sections[s].name, name) == 0) {
			*ret = (enum bench_section)s;
			return true;
		}
	}
	return false;
}

static bool read_row(const cJSON *j, struct bench_row *row)
{
	char way[16];
	unsigned w = 0;

	copy_text(j, "way", way, sizeof(way));
	while (w < WAY_NAMES && strcmp(way, bench_ways[w]) != 0)
		w++;
	row->way = (enum bench_way)w;
	row->x = number(j, "x");
	copy_text(j, "x_text", row->x_text, sizeof(row->x_text));
	copy_text(j, "engine", row->engine, sizeof(row->engine));
	for (unsigned f = 0; f < FIGURES; f++) {
		const cJSON *stat = member(member(j, "figures"), bench_figures[f].name);

		if (stat && !read_stat(stat, &row->figures[f]))
			return false;
	}
	return w < WAY_NAMES && read_section(j, &row->section);
}

static bool read_ratio(const cJSON *j, struct bench_ratio *ratio)
{
	ratio->x = number(j, "x");
	copy_text(j, "x_text", ratio->x_text, sizeof(ratio->x_text));
	copy_text(j, "engine", ratio->engine, sizeof(ratio->engine));
	copy_text(j, "name", ratio->name, sizeof(ratio->name));
	return read_section(j, &ratio->section) && read_stat(member(j, "stat"), &ratio->stat);
}

static bool read_break(const cJSON *j, struct bench_break_even *b)
{
	b->has_value = cJSON_IsNumber(member(j, "value"));
	b->value = number(j, "value");
	copy_text(j, "engine", b->engine, sizeof(b->engine));
	copy_text(j, "name", b->name, sizeof(b->name));
	copy_text(j, "text", b->text, sizeof(b->text));
	return read_section(j, &b->section);
}

static void read_constant(const cJSON *j, struct bench_constant *c)
{
	c->value = number(j, "value");
	copy_text(j, "name", c->name, sizeof(c->name));
	copy_text(j, "unit", c->unit, sizeof(c->unit));
	copy_text(j, "text", c->text, sizeof(c->text));
}

/* What is wrong, or NULL. */
static const char *read_lists(const cJSON *root, struct bench_report *r)
{
	const cJSON *j;

	cJSON_ArrayForEach(j, member(root, "facts"))
		bench_report_fact(r, j->string, "%s", cJSON_IsString(j) ? j->valuestring : "");
	cJSON_ArrayForEach(j, member(root, "rows")) if (
		!read_row(j, bench_report_row(r))) return "a row lacks its section, way or figures";
	cJSON_ArrayForEach(j, member(root, "ratios")) if (
		!read_ratio(j, bench_report_ratio(r))) return "a ratio lacks its section or value";
	cJSON_ArrayForEach(j, member(root, "break_evens")) if (
		!read_break(j, bench_report_break(r))) return "a break-even lacks its section";
	cJSON_ArrayForEach(j, member(root, "constants")) read_constant(j, bench_report_constant(r));
	cJSON_ArrayForEach(j, member(root, "notes"))
		bench_report_note(r, "%s", cJSON_IsString(j) ? j->valuestring : "");
	return NULL;
}

/* A whole file, ended by NUL; NULL and errno. */
static char *read_file(const char *path)
{
	AUTO_FCLOSE FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0, got = 0, n;

	if (!f)
		return NULL;
	do {
		char *grown = size < LARGEST_BYTES ? realloc(text, size + 65536 + 1) : NULL;

		if (!grown) {
			free(text);
			errno = size < LARGEST_BYTES ? ENOMEM : EFBIG;
			return NULL;
		}
		text = grown;
		size += 65536;
		n = fread(text + got, 1, size - got, f);
		got += n;
	} while (n > 0 && got == size);
	if (ferror(f)) {
		free(text);
		return NULL;
	}
	text[got] = '\0';
	return text;
}

int bench_json_read(const char *path, struct bench_report *ret, struct nf_error *err)
{
	AUTO_FREE char *text = read_file(path);
	const char *wrong = NULL, *stop = NULL;
	cJSON *root;

	memset(ret, 0, sizeof(*ret));
	if (!text)
		return nf_error_sys(err, NF_NOT_FOUND, errno, path, "cannot be read");
	root = cJSON_ParseWithOpts(text, &stop, 1);
	if (!root) {
		char where[300];

		snprintf(where, sizeof(where), "%.250s: byte %td", path, stop ? stop - text : 0);
		return nf_error_set(err, NF_INVALID_ARGUMENT, where, "not JSON");
	}
	copy_text(root, "kind", ret->kind, sizeof(ret->kind));
	if (number(root, "nearfold_benchmark") != FORM)
		wrong = "\"nearfold_benchmark\" is not 1";
	else
		wrong = read_lists(root, ret);
	cJSON_Delete(root);
	return wrong ? malformed(err, path, wrong) : bench_report_whole(ret, err);
}
