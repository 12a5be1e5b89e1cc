/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* reader_mmap.c - the page cache, in place: no copy, no buffer. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scan/reader.h"
#include "scan/sigbus.h"

/* Linux 5.14: all page-table entries of a range at once, instead of a fault for every few pages. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

struct mapping {
	const struct source *src;
	uint8_t *base;
	size_t bytes;
	int guard;       /* -1: none */
	uint8_t *file[]; /* where each begins */
};

void mapping_free(struct mapping *m)
{
	if (!m)
		return;
	if (m->guard >= 0)
		sigbus_unguard(m->guard);
	if (m->base)
		munmap(m->base, m->bytes);
	free(m);
}

static int map_files(struct mapping *m, uint64_t page, struct nf_error *err)
{
	uint8_t *at = m->base;

	for (uint32_t i = 0; i < m->src->n_files; i++) {
		const struct source_file *f = &m->src->files[i];

		m->file[i] = at;
		if (!f->size_bytes)
			continue;
		if (mmap(at, f->size_bytes, PROT_READ, MAP_SHARED | MAP_FIXED, f->fd, 0) ==
		    MAP_FAILED)
			return nf_error_sys(err, NF_FAILED_PRECONDITION, errno, f->name,
					    "cannot map the file (the readers uring and pread need "
					    "not)");
		at += (f->size_bytes + page - 1) & ~(page - 1);
	}
	return 0;
}

int mapping_new(const struct source *src, struct mapping **ret, struct nf_error *err)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), total = page;
	struct mapping *m = calloc(1, sizeof(*m) + src->n_files * sizeof(m->file[0]));
	int r = 0;

	if (!m) {
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
		return -ENOMEM;
	}
	m->src = src;
	m->guard = -1;
	/* source_adopt() keeps the sum below 2^63. */
	for (uint32_t i = 0; i < src->n_files; i++)
		total += (src->files[i].size_bytes + page - 1) & ~(page - 1);
	m->bytes = total;
	m->base = mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->base == MAP_FAILED) {
		m->base = NULL;
		r = nf_error_sys(err, NF_RESOURCE_EXHAUSTED, errno, NULL,
				 "no address space for %llu bytes of files",
				 (unsigned long long)total);
	}
	if (!r)
		r = map_files(m, page, err);
	if (!r) {
		m->guard = sigbus_guard(m->base, m->bytes);
		if (m->guard < 0)
			r = nf_error_sys(err, NF_RESOURCE_EXHAUSTED, -m->guard, NULL,
					 "more than %d scans by mmap at once", SIGBUS_MAX_GUARDS);
	}
	if (r) {
		mapping_free(m);
		return r;
	}
	*ret = m;
	return 0;
}

int mapping_check(const struct mapping *m, struct nf_error *err)
{
	if (!sigbus_hit(m->guard))
		return 0;
	int r = source_check(m->src, err);
	return r ? r
		 : nf_error_set(
			   err, NF_DATA_LOSS, m->src->files[0].name,
			   "a page of the data set could not be read (see the kernel's log); the "
			   "readers uring and pread say where");
}

struct reader_mmap {
	struct reader_config cfg;
};

static void mmap_close(void *reader)
{
	free(reader);
}

static int mmap_open(const struct reader_config *cfg, void **ret_reader, struct nf_error *err)
{
	struct reader_mmap *r = calloc(1, sizeof(*r));

	if (!r) {
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory for a reader");
		return -ENOMEM;
	}
	r->cfg = *cfg;
	*ret_reader = r;
	return 0;
}

static int mmap_next(void *reader, struct piece *ret, struct nf_error *err)
{
	struct reader_mmap *r = reader;
	const struct mapping *m = r->cfg.mapping;
	struct piece piece = {0};
	size_t bytes;
	int e = mapping_check(m, err);

	if (e)
		return e;
	if (!reader_take_chunk(&r->cfg, &piece.chunk))
		return READER_END;
	const struct source_file *file = &r->cfg.src->files[piece.chunk.file];
	format_window(r->cfg.plan, &piece.chunk, file->size_bytes, &piece.window.offset_bytes,
		      &bytes, &piece.window.bytes);
	uint8_t *data = m->file[piece.chunk.file] + piece.window.offset_bytes;
	/* Only to save faults: what is wrong with a page, the load itself finds out. */
	madvise(data, piece.window.bytes, MADV_POPULATE_READ);
	piece.window.data = data;
	*ret = piece;
	return READER_PIECE;
}

static void mmap_done(void *reader, const struct piece *piece)
{
	(void)reader;
	(void)piece;
}

static const char *mmap_describe(void *reader)
{
	(void)reader;
	return "mmap";
}

const struct reader_ops reader_mmap = {
	.name = "mmap",
	.open = mmap_open,
	.next = mmap_next,
	.done = mmap_done,
	.close = mmap_close,
	.describe = mmap_describe,
};
