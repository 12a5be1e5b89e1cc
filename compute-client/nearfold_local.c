/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* nearfold_local.c - the same scan as a node's, in this process, over files given by name. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/scope.h"
#include "compute-client/client_sql.h"
#include "compute-client/report.h"

static void free_source(struct source **src)
{
	source_free(*src);
}

int client_spec(const struct nearfold_query *q, struct dataset_spec *ret, struct nf_error *err)
{
	const struct client_sql *sql = q->program ? q->program->sql : NULL;
	struct dataset_spec spec = {0};
	const char *format = q->format;
	char skip[32], fixed[32];
	int r;

	if (!format && sql) {
		snprintf(fixed, sizeof(fixed), "fixed:%u", sql->schema.record_bytes);
		format = fixed;
	}
	if (!format)
		return nf_error_set(
			err, NF_INVALID_ARGUMENT, "format",
			"what a record is has not been said; give fixed:N (N bytes each) or "
			"lines");
	snprintf(skip, sizeof(skip), "%llu", (unsigned long long)q->skip_bytes);
	r = dataset_spec_set(&spec, "format", format, err);
	if (r == 0 && q->skip_bytes)
		r = dataset_spec_set(&spec, "skip", skip, err);
	if (r == 0 && q->tail_ignore)
		r = dataset_spec_set(&spec, "tail", "ignore", err);
	if (r == 0 && q->schema)
		r = dataset_spec_set(&spec, "schema", q->schema, err);
	if (r == 0 && spec.schema)
		r = sql_schema_describes(spec.schema, spec.format == FORMAT_FIXED,
					 spec.record_bytes, err);
	if (r < 0) {
		dataset_spec_done(&spec);
		return r;
	}
	*ret = spec;
	return 0;
}

static int reader_by_name(const char *name, enum scan_reader *ret, struct nf_error *err)
{
	static const char *const names[] = {
		[READER_AUTO] = "auto", [READER_PREAD] = "pread", [READER_URING] = "uring",
		[READER_MMAP] = "mmap", [READER_NVME] = "nvme",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (!name || strcmp(name, names[i]) == 0) {
			*ret = (enum scan_reader)i;
			return 0;
		}
	}
	return nf_error_set(err, NF_INVALID_ARGUMENT, "reader",
			    "'%s' is none of auto, pread, uring, mmap, nvme", name);
}

/* scan_run() calls back about every 100 ms: report, and look whether to stop. */
struct local_watch {
	const struct nearfold_query *query;
	uint64_t began_ns;
	atomic_bool cancel;
};

static void watch(void *arg, const struct scan_progress *s)
{
	struct local_watch *w = arg;
	struct pollfd fd = {.fd = w->query->cancel_fd, .events = POLLIN};
	struct nearfold_progress p = {
		.bytes_done = s->bytes_done,
		.bytes_total = s->bytes_total,
		.records = s->records,
		.matched = s->matched,
		.elapsed_ns = clock_now_ns() - w->began_ns,
	};

	if (fd.fd > 0 && poll(&fd, 1, 0) > 0)
		atomic_store(&w->cancel, true);
	if (w->query->progress)
		w->query->progress(w->query->progress_arg, &p);
}

static void fill_stats(const struct scan_stats *s, uint64_t total_ns, uint64_t cpu_ns,
		       uint64_t generation, struct nearfold_stats *ret)
{
	*ret = (struct nearfold_stats){
		.engine = s->engine,
		.engine_reason = s->engine_reason,
		.reader = s->reader,
		.threads = s->threads,
		.queue_depth = s->queue_depth,
		.chunk_bytes = s->chunk_bytes,
		.bytes_scanned = s->bytes_scanned,
		.records = s->records,
		.matched = s->matched,
		.scan_seconds = (double)s->scan_ns / NS_PER_SEC,
		.prepare_seconds = (double)s->prepare_ns / NS_PER_SEC,
		.total_seconds = (double)total_ns / NS_PER_SEC,
		.node_cpu_seconds = (double)cpu_ns / NS_PER_SEC,
		.generation = generation,
		.read_commands = s->read_commands,
		.read_retries = s->read_retries,
		.device = s->device,
	};
}

static unsigned count_files(const char *const *files)
{
	unsigned n = 0;

	while (files && files[n])
		n++;
	return n;
}

static int scan_local(const struct nearfold_query *q, struct nearfold_result **ret,
		      struct nf_error *why)
{
	AUTO(dataset_spec_done) struct dataset_spec spec = {0};
	AUTO(report_vm_unref) struct vm_program *vp = NULL;
	AUTO(free_source) struct source *src = NULL;
	struct local_watch w = {.query = q, .began_ns = clock_now_ns()};
	struct scan_options o = {
		.engine = q->engine,
		.threads = q->threads,
		.chunk_bytes = q->chunk_bytes,
		.queue_depth = q->queue_depth,
		.has_range = q->has_range,
		.range_start = q->range_start,
		.range_end = q->range_end,
		.budget = q->instructions_per_record,
		.max_groups = q->max_groups,
		.params = q->program->param_bytes,
		.params_bytes = q->program->program->params_bytes,
		.deadline_ns = q->timeout_ns ? w.began_ns + q->timeout_ns : 0,
		.cancel = &w.cancel,
		.progress = watch,
		.progress_arg = &w,
	};
	uint64_t cpu_before = clock_read(CLOCK_PROCESS_CPUTIME_ID);
	struct scan_result *scan = NULL;
	struct nearfold_stats stats;
	unsigned n = count_files(q->files);
	int r;

	if (n == 0)
		return nf_error_set(why, NF_INVALID_ARGUMENT, "files", "no file is named");
	r = reader_by_name(q->reader, &o.reader, why);
	if (r == 0)
		r = client_spec(q, &spec, why);
	if (r == 0)
		r = source_open_paths(&spec, q->files, n, &src, why);
	if (r == 0)
		r = client_verify(q->program, &spec, &vp, why);
	if (r == 0)
		r = scan_run(src, vp, &o, &scan, why);
	if (r < 0)
		return r;
	fill_stats(&scan->stats, clock_now_ns() - w.began_ns,
		   clock_read(CLOCK_PROCESS_CPUTIME_ID) - cpu_before, src->generation, &stats);
	r = client_result_new(q->program, scan->state, scan->groups, &stats, ret, why);
	if (r == 0) {
		scan->state = NULL;
		scan->groups = NULL;
	}
	scan_result_free(scan);
	return r;
}

int client_run_local(const struct nearfold_query *q, struct nearfold_result **ret,
		     struct nearfold_error *err)
{
	struct nf_error why = {0};
	int r = scan_local(q, ret, &why);

	if (r < 0) {
		client_error(err, &why, r);
		client_program_source(q->program, err);
	}
	return r;
}
