/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Best first. An engine joins by its row here. */
const struct engine_ops *const engines[] = {
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

int span_line_too_long(const struct span *span, const uint8_t *line, struct nf_error *err)
{
	char where[320];

	return nf_error_set(err, NF_DATA_LOSS, span_where(span, line, where, sizeof(where)),
			    "the line is longer than %d bytes: this is hardly a text file of lines",
			    PROGRAM_MAX_RECORD_BYTES);
}
