/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/client_sql.h"
#include "compute-client/suggest.h"
#include "program/program_disasm.h"
#include "program/program_elf.h"
#include "vm/vm_helper.h"

int nearfold_program_open(const char *path, struct nearfold_program **ret,
			  struct nearfold_error *err)
{
	struct nearfold_program *p = calloc(1, sizeof(*p));
	struct nf_error why = {0};
	int r;

	if (!p)
		return client_no_memory(err);
	p->path = strdup(path);
	if (!p->path) {
		r = client_no_memory(err);
		goto fail;
	}
	r = program_elf_open(path, &p->program, &why);
	if (r < 0) {
		client_error(err, &why, r);
		goto fail;
	}
	program_id_hex(p->program->id, p->id);
	if (p->program->params_bytes > 0) {
		r = program_layout(p->program, LAYOUT_OF_PARAMS, &p->params, &why);
		if (r < 0) {
			client_error(err, &why, r);
			goto fail;
		}
		p->param_bytes = calloc(1, p->program->params_bytes);
		if (!p->param_bytes) {
			r = client_no_memory(err);
			goto fail;
		}
	}
	*ret = p;
	return 0;
fail:
	nearfold_program_free(p);
	return r;
}

void nearfold_program_free(struct nearfold_program *p)
{
	if (!p)
		return;
	program_unref(p->program);
	client_sql_free(p->sql);
	layout_done(&p->params);
	free(p->param_bytes);
	free(p->path);
	free(p);
}

const char *nearfold_program_id(const struct nearfold_program *p)
{
	return p->id;
}

void nearfold_program_disasm(const struct nearfold_program *p, FILE *out)
{
	disasm_program(p->program, vm_helper_name, out);
}

/* "threshold (u64), name (char[8])", as many as fit. */
static void list_params(const struct layout *l, char *buf, size_t size)
{
	size_t n = 0;

	for (uint32_t i = 0; i < l->n_members && n + 1 < size; i++) {
		const struct layout_member *m = &l->members[i];
		int r = snprintf(buf + n, size - n, "%s%s (%s)", i ? ", " : "", m->name,
				 m->type_name);

		if (r < 0 || (size_t)r >= size - n) {
			snprintf(buf + n, size - n, "%s", size - n > 5 ? ", ..." : "");
			return;
		}
		n += (size_t)r;
	}
}

int nearfold_program_param(struct nearfold_program *p, const char *name, const char *value,
			   struct nearfold_error *err)
{
	const struct layout_member *m = layout_find(&p->params, name);
	struct suggest near = {.typed = name};
	struct nf_error why = {0};
	char where[300], known[400] = "";

	snprintf(where, sizeof(where), "parameter '%s'", name);
	if (p->params.n_members == 0)
		return client_fail(err, NF_INVALID_ARGUMENT, where,
				   "%s takes no parameters; leave it out", p->path);
	if (!m) {
		for (uint32_t i = 0; i < p->params.n_members; i++)
			suggest_offer(&near, p->params.members[i].name);
		list_params(&p->params, known, sizeof(known));
		return client_fail(err, NF_INVALID_ARGUMENT, where,
				   "%s has no such parameter%s%s%s; it has: %s", p->path,
				   near.best ? "; did you mean '" : "", near.best ? near.best : "",
				   near.best ? "'" : "", known);
	}

	int r = layout_parse(m, value, p->param_bytes, &why);

	if (r < 0)
		return client_fail(err, NF_INVALID_ARGUMENT, where, "'%s' is not a %s: %s", value,
				   m->type_name, why.text);
	return 0;
}

/* Is `place` ("average.bpf.c:14") in text, and not just the beginning of a longer number? */
static bool names_place(const char *text, const char *place)
{
	size_t n = strlen(place);

	for (const char *at = strstr(text, place); at; at = strstr(at + 1, place))
		if (!isdigit((unsigned char)at[n]))
			return true;
	return false;
}

void client_program_source(const struct nearfold_program *p, struct nearfold_error *err)
{
	const struct program *prog = p->program;

	if (!err || !err->where[0])
		return;
	if (p->sql) {
		client_sql_words(p, err);
		return;
	}
	for (uint32_t f = 0; f < prog->n_funcs; f++) {
		for (uint32_t i = 0; i < prog->funcs[f].n_lines; i++) {
			const struct program_line *l = &prog->funcs[f].lines[i];
			char place[sizeof(err->where)];

			if (!l->text || !l->text[0] || l->file >= prog->n_files)
				continue;
			/* Messages name the file without its folders, or with them. */
			const char *base = strrchr(prog->files[l->file], '/');

			base = base ? base + 1 : prog->files[l->file];
			snprintf(place, sizeof(place), "%s:%u", base, l->line);
			if (!names_place(err->where, place))
				continue;
			snprintf(err->source, sizeof(err->source), "%s", l->text);
			return;
		}
	}
}

int client_verify(const struct nearfold_program *p, const struct dataset_spec *spec,
		  struct vm_program **ret, struct nf_error *err)
{
	struct vm_bounds bounds = vm_bounds_of(p->program);

	if (spec && scan_bounds(spec, &bounds) < 0)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "format", "give fixed:N or lines");
	return vm_verify(p->program, &bounds, ret, err);
}
