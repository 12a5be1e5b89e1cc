/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/node_request.h"

#include <stdio.h>
#include <string.h>

#include "base/scope.h"

/* The index of name, or the table's size. */
static size_t find(const char *const *names, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(names[i], name))
		i++;
	return i;
}

static const char *const readers[] = {[READER_AUTO] = "auto",
				      [READER_PREAD] = "pread",
				      [READER_URING] = "uring",
				      [READER_MMAP] = "mmap",
				      [READER_NVME] = "nvme"};

static int check_reader(const char *name, struct nf_error *err)
{
	if (find(readers, ARRAY_SIZE(readers), name) < ARRAY_SIZE(readers))
		return 0;
	return nf_error_set(err, NF_INVALID_ARGUMENT, "reader",
			    "'%s' is no reader: auto, pread, uring, mmap or nvme", name);
}

static int check_engine(const char *name, bool kernel_engine, struct nf_error *err)
{
	static const char *const names[] = {"auto", "kernel", "jit", "interp"};

	if (find(names, ARRAY_SIZE(names), name) == ARRAY_SIZE(names))
		return nf_error_set(err, NF_INVALID_ARGUMENT, "engine",
				    "'%s' is no engine: auto, kernel, jit or interp", name);
	if (!strcmp(name, "kernel") && !kernel_engine)
		return nf_error_set(err, NF_FAILED_PRECONDITION, "engine",
				    "the kernel engine is switched off on this node "
				    "(kernel_engine = no); ask for auto");
	if (strcmp(name, "auto") && !engine_by_name(name))
		return nf_error_set(err, NF_FAILED_PRECONDITION, "engine",
				    "this node is built without the engine %s; ask for auto", name);
	return 0;
}

int request_check(struct wire_execute *r, const struct node_config *config, const char **ret_limit,
		  struct nf_error *err)
{
	const struct node_limits *l = &config->limits;
	struct node_limits own;
	int ret = check_reader(r->reader, err);

	if (!ret)
		ret = check_engine(r->engine, config->kernel_engine, err);
	if (ret)
		return ret;
	if (r->instructions_per_record > l->instructions_per_record) {
		*ret_limit = "instructions_per_record";
		return node_limit_refuse(err, *ret_limit,
					 "the request asks for %llu instructions per record, this "
					 "node gives %llu",
					 (unsigned long long)r->instructions_per_record,
					 (unsigned long long)l->instructions_per_record);
	}
	/* 0 lets the scan choose up to the processors, which may be more than the limit. */
	node_limits_default(&own);
	if (r->threads > l->threads_per_query ||
	    (!r->threads && l->threads_per_query < own.threads_per_query))
		r->threads = (uint32_t)l->threads_per_query;
	if (!r->max_groups || r->max_groups > l->groups)
		r->max_groups = l->groups;
	return 0;
}

int request_check_program(const struct wire_execute *r, const struct dataset_spec *spec,
			  const struct program *p, struct nf_error *err)
{
	if (r->params_bytes != p->params_bytes)
		return nf_error_set(err, NF_INVALID_ARGUMENT, "params",
				    "the program takes %u bytes of parameters, the request has %u",
				    p->params_bytes, r->params_bytes);
	if (p->record_bytes &&
	    (spec->format != FORMAT_FIXED || p->record_bytes != spec->record_bytes)) {
		char format[32];

		dataset_format_text(spec, format);
		return nf_error_set(err, NF_FAILED_PRECONDITION, spec->name,
				    "the program reads records of %u bytes, the data set's format "
				    "is %s",
				    p->record_bytes, format);
	}
	return 0;
}

void request_to_job(const struct wire_execute *r, const struct node_config *config,
		    const struct dataset_spec *spec, struct job_head *ret)
{
	const struct node_limits *l = &config->limits;

	*ret = (struct job_head){
		.memory_bytes = l->memory_bytes_per_query,
		.cpu_seconds = l->cpu_seconds_per_query,
		.result_bytes = l->result_bytes,
		.skip_bytes = spec->skip_bytes,
		.chunk_bytes = r->chunk_bytes,
		.range_start = r->range_start,
		.range_end = r->range_end,
		.budget = r->instructions_per_record,
		.max_groups = r->max_groups,
		.format = spec->format,
		.record_bytes = spec->record_bytes,
		.threads = r->threads,
		.queue_depth = r->queue_depth,
		.reader = (uint32_t)find(readers, ARRAY_SIZE(readers), r->reader),
		.has_range = r->has_range,
		.tail_ignore = spec->tail_ignore,
		.kernel_engine = config->kernel_engine,
	};
	snprintf(ret->engine, sizeof(ret->engine), "%s", r->engine);
	snprintf(ret->dataset, sizeof(ret->dataset), "%s", spec->name);
	if (config->jit_module)
		snprintf(ret->jit_module, sizeof(ret->jit_module), "%s", config->jit_module);
}
