/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* reader_pread.c - the plain reference: one chunk at a time through the page cache. */
#include <errno.h>
#include <stdlib.h>

#include "scan/reader.h"

struct reader_pread {
	struct reader_config cfg;
	uint8_t *buffer;
	size_t buffer_bytes;
};

static void pread_close(void *reader)
{
	struct reader_pread *r = reader;

	if (!r)
		return;
	reader_memory_free(r->buffer, r->buffer_bytes);
	free(r);
}

static int pread_open(const struct reader_config *cfg, void **ret_reader, struct nf_error *err)
{
	struct reader_pread *r = calloc(1, sizeof(*r));

	if (r) {
		r->cfg = *cfg;
		r->buffer_bytes = chunk_plan_window_bytes(cfg->plan);
		r->buffer = reader_memory_new(r->buffer_bytes);
	}
	if (!r || !r->buffer) {
		pread_close(r);
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory for a read buffer");
		return -ENOMEM;
	}
	*ret_reader = r;
	return 0;
}

static int pread_next(void *reader, struct piece *ret, struct nf_error *err)
{
	struct reader_pread *r = reader;
	struct piece piece = {.window.data = r->buffer};
	size_t bytes;

	if (!reader_take_chunk(&r->cfg, &piece.chunk))
		return READER_END;
	const struct source_file *file = &r->cfg.src->files[piece.chunk.file];
	format_window(r->cfg.plan, &piece.chunk, file->size_bytes, &piece.window.offset_bytes,
		      &bytes, &piece.window.bytes);
	int e = reader_fill(file, piece.window.offset_bytes, r->buffer, piece.window.bytes, err);
	if (e)
		return e;
	*ret = piece;
	return READER_PIECE;
}

static void pread_done(void *reader, const struct piece *piece)
{
	(void)reader;
	(void)piece;
}

static const char *pread_describe(void *reader)
{
	(void)reader;
	return "pread";
}

const struct reader_ops reader_pread = {
	.name = "pread",
	.open = pread_open,
	.next = pread_next,
	.done = pread_done,
	.close = pread_close,
	.describe = pread_describe,
};
