/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

bool reader_take_chunk(const struct reader_config *cfg, struct chunk *ret)
{
	while (!atomic_load_explicit(cfg->stop, memory_order_relaxed)) {
		uint64_t i = atomic_fetch_add_explicit(cfg->cursor, 1, memory_order_relaxed);

		if (i >= cfg->plan->n_chunks)
			return false;
		chunk_at(cfg->plan, i, ret);
		if (ret->start < ret->end)
			return true;
	}
	return false;
}

int reader_io_error(const struct source_file *file, uint64_t offset, int errnum,
		    struct nf_error *err)
{
	nf_error_sys(err, NF_DATA_LOSS, errnum, file->name, "reading at byte %" PRIu64 " failed",
		     offset);
	return -nf_code_errno(NF_DATA_LOSS);
}

int reader_early_end(const struct source_file *file, uint64_t offset, struct nf_error *err)
{
	return nf_error_set(err, NF_ABORTED, file->name,
			    "the file changed during the scan: it ends at byte %" PRIu64
			    ", and had %" PRIu64 " bytes; ask again when it is at rest",
			    offset, file->size_bytes);
}

int reader_fill(const struct source_file *file, uint64_t offset, uint8_t *data, size_t bytes,
		struct nf_error *err)
{
	for (size_t got = 0; got < bytes;) {
		ssize_t n = pread(file->fd, data + got, bytes - got,
				  (off_t)(file->base_bytes + offset + got));

		if (n == 0)
			return reader_early_end(file, offset + got, err);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return reader_io_error(file, offset + got, errno, err);
		got += (size_t)n;
	}
	return 0;
}

uint8_t *reader_memory_new(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, bytes, MADV_DONTDUMP);
	return p;
}

void reader_memory_free(uint8_t *memory, size_t bytes)
{
	if (memory)
		munmap(memory, bytes);
}
