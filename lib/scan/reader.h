/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * reader.h - what brings the chunks' bytes: one reader per scan thread.
 *
 * A reader takes chunks from the cursor that all threads share, reads each one's window wholly (a
 * short read is continued; an end of file before the size of the snapshot is ABORTED; an error is
 * DATA_LOSS naming file, offset and reason) and hands it out as a piece, in whatever order the
 * windows come.
 *
 * Life, all in one thread: open -> [the sandbox] -> next, done, next, done ... -> close. close
 * waits for reads in flight: the kernel may write to their buffers until then. Pieces that were not
 * done() are taken back.
 */
#ifndef NF_SCAN_READER_H
#define NF_SCAN_READER_H

#include <stdatomic.h>

#include "scan/engine.h"
#include "scan/formats.h"

/* How the uring reader chooses between the page cache and the device. */
enum reader_direct {
	DIRECT_AUTO, /* what is resident is copied from the page cache, the rest read direct */
	DIRECT_NEVER,
	DIRECT_ALWAYS, /* where the file has a direct descriptor */
};

struct ring_ops;
struct mapping;

struct reader_config {
	const struct source *src;
	const struct chunk_plan *plan;
	atomic_uint_fast64_t *cursor; /* number of the next chunk that nobody has taken */
	const atomic_int *stop;       /* non-zero: take no more */
	unsigned depth;               /* reads in flight */
	enum reader_direct direct;
	bool polled; /* uring: the files' disks can be polled for direct reads */
	const struct engine_read_ops *read_ops; /* or NULL */
	void *engine_thread;
	const struct mapping *mapping; /* mmap: of all files, shared by the threads */
	const struct ring_ops *ring;   /* NULL: io_uring; tests put theirs here */
	void *ring_arg;
};

struct piece {
	struct chunk chunk;
	struct window window;
	size_t resume;   /* for format_split() */
	bool stopped;    /* the engine folded a part already, and the program said FOLD_STOP */
	unsigned buffer; /* the reader's */
};

enum { READER_END, READER_PIECE, READER_WAIT };

/* What a reader asked the kernel for. */
struct reader_counts {
	uint64_t commands; /* reads, or commands to the device */
	uint64_t retries;  /* of commands that failed and then, maybe, did not */
};

struct reader_ops {
	const char *name;
	int (*open)(const struct reader_config *cfg, void **ret_reader, struct nf_error *err);
	/* READER_PIECE and *ret; READER_END: no chunk is left; READER_WAIT: nothing came for some
	 * milliseconds, call again; or a negative errno. */
	int (*next)(void *reader, struct piece *ret, struct nf_error *err);
	/* The piece's memory may be read into again. */
	void (*done)(void *reader, const struct piece *piece);
	void (*close)(void *reader);
	/* "uring direct": what it has done so far, for the statistics. Static text. */
	const char *(*describe)(void *reader);
	void (*count)(void *reader, struct reader_counts *ret); /* optional */
};

/* reader_nvme: every file is a namespace. */
extern const struct reader_ops reader_pread, reader_uring, reader_mmap, reader_nvme;

/*
 * All files of a source in one stretch of address space, for reader_mmap. A page that is gone when
 * it is looked at (the file shrank, the device failed) reads as zeroes, and mapping_check() says
 * so: ABORTED or DATA_LOSS. Neither a signal nor a jump reaches the code that looked.
 */
int mapping_new(const struct source *src, struct mapping **ret, struct nf_error *err);
int mapping_check(const struct mapping *m, struct nf_error *err);
void mapping_free(struct mapping *m);

/* ---- for the readers ---------------------------------------------------------------------- */

/* The next chunk that owns anything; false: there is none, or the scan is to stop. */
bool reader_take_chunk(const struct reader_config *cfg, struct chunk *ret);

/* DATA_LOSS: reading `file` at offset failed with errnum. */
int reader_io_error(const struct source_file *file, uint64_t offset, int errnum,
		    struct nf_error *err);
/* ABORTED: the file ended at `offset`, before its size. */
int reader_early_end(const struct source_file *file, uint64_t offset, struct nf_error *err);

/* Read exactly `bytes` at offset through the page cache. 0, or one of the two errors. */
int reader_fill(const struct source_file *file, uint64_t offset, uint8_t *data, size_t bytes,
		struct nf_error *err);

/* Page-aligned memory that shows up in nobody's core dump. NULL: there is none. */
uint8_t *reader_memory_new(size_t bytes);
void reader_memory_free(uint8_t *memory, size_t bytes);

#endif
