/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/scan_constants.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"

enum {
	LINE_BYTES = 64,   /* taken for the length of lines, which nobody knows before */
	LOOP_ROUNDS = 16,  /* and for how often a loop goes round */
	MAPPED_NS = 40000, /* to map code that was compiled before */
};

static const struct scan_constants built_in = {
	.n = 3,
	.rows =
		{
			{"jit", 5e6, 80e3, 0.3, 0.02, 0.2},
			{"kernel", 1.8e6, 1.5e3, 1.5, 0.07, 0.24},
			{"interp", 12e3, 30, 6.8, 0.61, 0.19},
		},
};

static struct scan_constants in_use;

static void choose_constants(void)
{
	const char *path = getenv("NEARFOLD_ENGINES");

	if (scan_constants_load(path ? path : SCAN_CONSTANTS_PATH, &in_use, NULL))
		in_use = built_in;
}

const struct scan_constants *scan_constants(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, choose_constants);
	return &in_use;
}

static bool parse_row(const char *line, struct engine_constants *ret)
{
	char rest;
	const double *v[] = {&ret->start_ns, &ret->compile_ns, &ret->record_ns, &ret->insn_ns,
			     &ret->byte_ns};

	if (sscanf(line, "%15s %lf %lf %lf %lf %lf %c", ret->engine, &ret->start_ns,
		   &ret->compile_ns, &ret->record_ns, &ret->insn_ns, &ret->byte_ns, &rest) != 6)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		if (!(*v[i] >= 0 && *v[i] < 1e12)) /* nor a NaN */
			return false;
	return true;
}

int scan_constants_load(const char *path, struct scan_constants *ret, struct nf_error *err)
{
	AUTO_FCLOSE FILE *f = fopen(path, "re");
	struct scan_constants c = {0};
	char line[256], where[PATH_MAX + 32];
	unsigned n = 0;

	if (!f)
		return nf_error_sys(err, errno == ENOENT ? NF_NOT_FOUND : NF_INVALID_ARGUMENT,
				    errno, path, "cannot be read");
	while (fgets(line, sizeof(line), f)) {
		char *text = line + strspn(line, " \t\n");

		n++;
		if (!*text || *text == '#')
			continue;
		if (c.n == SCAN_CONSTANTS_MAX || !parse_row(text, &c.rows[c.n])) {
			snprintf(where, sizeof(where), "%s:%u", path, n);
			return nf_error_set(err, NF_INVALID_ARGUMENT, where,
					    "is no line NAME start_ns compile_ns record_ns insn_ns "
					    "byte_ns: write the file anew with `nearfold bench "
					    "engines`, or remove it");
		}
		c.n++;
	}
	*ret = c;
	return 0;
}

int scan_constants_store(const char *path, const struct scan_constants *c, struct nf_error *err)
{
	char temporary[PATH_MAX];
	FILE *f;
	bool bad;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
		return nf_error_set(err, NF_INVALID_ARGUMENT, path, "the name is too long");
	f = fopen(temporary, "we");
	if (!f)
		return nf_error_sys(err, NF_INVALID_ARGUMENT, errno, temporary,
				    "cannot be written");
	fprintf(f, "# Measured by `nearfold bench engines`; see docs/jit-engine.md.\n"
		   "# engine start_ns compile_ns record_ns insn_ns byte_ns\n");
	for (unsigned i = 0; i < c->n; i++) {
		const struct engine_constants *r = &c->rows[i];

		fprintf(f, "%s %.0f %.0f %.3f %.4f %.4f\n", r->engine, r->start_ns, r->compile_ns,
			r->record_ns, r->insn_ns, r->byte_ns);
	}
	bad = ferror(f);
	bad |= fclose(f) != 0;
	if (!bad && !rename(temporary, path))
		return 0;

	int e = errno;

	unlink(temporary);
	return nf_error_sys(err, NF_INVALID_ARGUMENT, e, path, "cannot be written");
}

/* Filter always, the rest for half of the records, loops as often as LOOP_ROUNDS says. */
static double insns_per_record(const struct vm_program *vp)
{
	double sum = 0;

	for (int k = PROGRAM_FILTER; k <= PROGRAM_REDUCE; k++) {
		const struct vm_code *code = &vp->code[k];
		double n = code->flat.n_insns;

		for (uint32_t i = 0; code->has_loop && i < code->flat.n_insns; i++)
			if (code->info[i].back_edge)
				n += (double)code->info[i].charge * LOOP_ROUNDS;
		sum += k == PROGRAM_FILTER || !vp->code[PROGRAM_FILTER].flat.n_insns ? n : n / 2;
	}
	return sum;
}

static uint32_t insns_compiled(const struct vm_program *vp)
{
	return vp->code[PROGRAM_FILTER].flat.n_insns + vp->code[PROGRAM_KEY].flat.n_insns +
	       vp->code[PROGRAM_REDUCE].flat.n_insns;
}

double scan_estimate_ns(const struct scan_constants *c, const char *engine,
			const struct scan_work *w)
{
	double bytes = (double)w->bytes, records, start;
	const struct engine_constants *r = NULL;

	for (unsigned i = 0; i < c->n; i++)
		if (!strcmp(c->rows[i].engine, engine))
			r = &c->rows[i];
	if (!r)
		return 0;
	records = bytes / (w->record_bytes ? w->record_bytes : LINE_BYTES);
	start = w->compiled ? MAPPED_NS : r->start_ns + r->compile_ns * insns_compiled(w->program);
	return start + (records * (r->record_ns + r->insn_ns * insns_per_record(w->program)) +
			bytes * r->byte_ns) /
			       (w->threads ? w->threads : 1);
}
