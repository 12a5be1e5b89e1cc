/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_engines.h"

#include <errno.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/bench/bench_data.h"
#include "compute-client/bench/bench_folder.h"
#include "compute-client/bench/bench_sweep_internal.h"
#include "scan/scan_constants.h"

struct workload {
	const char *program, *param;
	uint64_t value;
	const char *file, *format, *title;
};

static const struct workload workloads[] = {
	{"select", "bound", BENCH_PICK_RANGE / 2, "data.bin", "fixed:32", "count, sum, 50 %"},
	{"state_512", NULL, 0, "data.bin", "fixed:32", "histogram"},
	{"groups", "groups", 1000, "data.bin", "fixed:32", "1000 groups"},
	{"lines", "longer", 40, "lines.txt", "lines", "lines"},
};

static const char *const engine_names[] = {"kernel", "jit", "interp"};

struct local_run {
	const struct bench_engines *options;
	const struct workload *load;
	struct nearfold_program *program;
	const char *path, *engine;
};

static int run_local(void *arg, struct bench_sample *ret, struct nf_error *err)
{
	struct local_run *l = arg;
	const char *const files[] = {l->path, NULL};
	struct nearfold_query q = {
		.size = sizeof(q),
		.program = l->program,
		.files = files,
		.format = l->load->format,
		.engine = l->engine,
		.threads = 1,
		.cancel_fd = l->options->cancel_fd,
	};
	struct nearfold_result *result;
	struct nearfold_error why;

	if (nearfold_run(NULL, &q, &result, &why) < 0)
		return bench_error(err, &why);

	const struct nearfold_stats *s = nearfold_result_stats(result);

	ret->v[FIGURE_SECONDS] = s->scan_seconds;
	ret->v[FIGURE_PREPARE] = s->prepare_seconds;
	ret->v[FIGURE_SCANNED] = (double)s->bytes_scanned;
	ret->v[FIGURE_RECORDS] = (double)s->records;
	ret->v[FIGURE_MATCHED] = (double)s->matched;
	ret->v[FIGURE_CLIENT_CPU] = s->node_cpu_seconds;
	if (s->scan_seconds > 0) {
		ret->v[FIGURE_RATE] = (double)s->bytes_scanned / s->scan_seconds;
		ret->v[FIGURE_RECORD_RATE] = (double)s->records / s->scan_seconds;
	}
	nearfold_result_free(result);
	return 0;
}

/* Lines of 20 to 99 bytes, the same for everybody. */
static int write_lines(const char *path, uint64_t bytes, struct nf_error *err)
{
	AUTO_FCLOSE FILE *f = fopen(path, "we");
	char line[100];

	if (!f)
		return nf_error_sys(err, NF_PERMISSION_DENIED, errno, path, "cannot be written");
	for (uint64_t at = 0, i = 0; at < bytes; i++) {
		struct bench_record r = bench_record_at(i);
		size_t n = 20 + r.value % 80;

		memset(line, 'x', n);
		line[r.key % (n - 1)] = ':';
		line[n - 1] = '\n';
		fwrite(line, 1, n, f);
		at += n;
	}
	return fflush(f) != 0 || ferror(f)
		       ? nf_error_sys(err, NF_RESOURCE_EXHAUSTED, errno, path, "cannot be written")
		       : 0;
}

static int measure(const struct bench_engines *o, unsigned index, const char *path,
		   struct bench_report *r, struct nf_error *err)
{
	const struct workload *load = &workloads[index];
	struct local_run runs[ARRAY_SIZE(engine_names)];
	AUTO_FREE struct bench_contestant *list = calloc(ARRAY_SIZE(runs), sizeof(*list));
	struct nearfold_program *prog = NULL;
	unsigned n = 0;
	int ret = list ? sweep_program(load->program, &prog, err)
		       : nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");

	if (ret == 0 && load->param)
		ret = sweep_param(prog, load->param, load->value, err);
	if (o->tell)
		fprintf(stderr, "%s\n", load->title);
	for (unsigned e = 0; ret == 0 && e < ARRAY_SIZE(engine_names); e++) {
		if (o->engine && strcmp(o->engine, engine_names[e]) != 0)
			continue;
		runs[n] = (struct local_run){o, load, prog, path, engine_names[e]};
		list[n].way = WAY_LOCAL;
		list[n].run = run_local;
		list[n].arg = &runs[n];
		snprintf(list[n].engine, sizeof(list[n].engine), "%s", engine_names[e]);
		n++;
	}
	if (ret == 0)
		ret = bench_rounds(list, n, o->rounds, true, err);
	if (ret == 0)
		bench_rounds_report(list, n, SECTION_ENGINES, index, load->title, r);
	nearfold_program_free(prog);
	return ret;
}

static void add_constant(struct bench_report *r, const char *engine, const char *name, double value,
			 const char *text)
{
	struct bench_constant *c = bench_report_constant(r);

	snprintf(c->name, sizeof(c->name), "%s.%s", engine, name);
	c->value = value;
	snprintf(c->unit, sizeof(c->unit), "ns");
	snprintf(c->text, sizeof(c->text), "%s", text);
}

static int constants(const struct bench_engines *o, struct bench_report *r, struct nf_error *err)
{
	struct scan_constants c;
	int ret = scan_constants_measure(NULL, &c, err);

	if (ret < 0)
		return ret;
	for (unsigned i = 0; i < c.n; i++) {
		const struct engine_constants *e = &c.rows[i];

		add_constant(r, e->engine, "start_ns", e->start_ns, "to get ready");
		add_constant(r, e->engine, "compile_ns", e->compile_ns,
			     "more of it, per instruction of the program");
		add_constant(r, e->engine, "record_ns", e->record_ns, "per record");
		add_constant(r, e->engine, "insn_ns", e->insn_ns,
			     "per instruction that a record runs");
		add_constant(r, e->engine, "byte_ns", e->byte_ns, "per byte");
	}
	return o->store ? scan_constants_store(o->store, &c, err) : 0;
}

int bench_engines_run(const struct bench_engines *o, struct bench_report *r, struct nf_error *err)
{
	struct bench_folder folder = {0};
	char path[256];
	int ret = bench_folder_make(&folder, err);

	if (ret == 0) {
		bench_folder_path(&folder, "data.bin", path);
		ret = bench_data_write(path, o->size_bytes, err);
	}
	if (ret == 0) {
		bench_folder_path(&folder, "lines.txt", path);
		ret = write_lines(path, o->size_bytes, err);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(workloads) && ret == 0; i++) {
		bench_folder_path(&folder, workloads[i].file, path);
		ret = measure(o, i, path, r, err);
	}
	bench_folder_remove(&folder);
	if (ret == 0)
		ret = constants(o, r, err);
	return ret ? ret : bench_report_whole(r, err);
}
