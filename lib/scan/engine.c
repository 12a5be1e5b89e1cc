/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Best first. An engine joins by its row here. */
const struct engine_ops *const engines[] = {
	&engine_jit,
	&engine_kernel,
	&engine_interp,
	NULL,
};

const struct engine_ops *engine_by_name(const char *name)
{
	for (const struct engine_ops *const *e = engines; *e; e++)
		if (!strcmp((*e)->name, name))
			return *e;
	return NULL;
}

const char *span_where(const struct span *span, const uint8_t *record, char *buf, size_t size)
{
	snprintf(buf, size, "%s, record at byte %" PRIu64, span->file,
		 span->offset_bytes + (uint64_t)(record - span->data));
	return buf;
}

int engine_no_group(const struct engine_config *cfg, const char *where, struct nf_error *err)
{
	if (errno == ENOMEM) {
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, where, "out of memory for one more group");
		return -ENOMEM;
	}
	return nf_error_set(err, NF_RESOURCE_EXHAUSTED, where,
			    "the key has more than %" PRIu64 " values, the limit of groups "
			    "(max_groups, or what the query's memory holds): raise it, or use a "
			    "coarser key",
			    cfg->max_groups ? cfg->max_groups : (uint64_t)GROUPS_DEFAULT_MAX);
}

int span_line_too_long(const struct span *span, const uint8_t *line, struct nf_error *err)
{
	char where[320];

	return nf_error_set(err, NF_DATA_LOSS, span_where(span, line, where, sizeof(where)),
			    "the line is longer than %d bytes: this is hardly a text file of lines",
			    PROGRAM_MAX_RECORD_BYTES);
}
