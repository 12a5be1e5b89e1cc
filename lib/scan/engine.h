/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * engine.h - what an engine is: something that folds the records of a span into a state.
 *
 *	engine         one query: a verified program, its parameters, compiled or loaded
 *	engine_thread  one scan thread of it: a state or a table of groups, counters
 *	span           whole records that lie together in memory
 *
 * Every engine gives the same bytes. interp is always there; the others come and go.
 *
 * Life: check -> open -> thread_open (in each scan thread) -> start -> fold, fold ... -> partial
 * state read through thread_fold() -> thread_close -> close. open, start and close are called once;
 * the functions with a thread argument are called from that thread only, but for thread_fold and
 * thread_close, which the calling thread uses when all scan threads have ended.
 */
#ifndef NF_SCAN_ENGINE_H
#define NF_SCAN_ENGINE_H

#include "scan/dataset.h"
#include "scan/groups.h"
#include "vm/jit.h"
#include "vm/vm_interp.h"

/* Whole records. fixed: bytes = n * record_bytes. lines: every line with its newline, except that
 * the last line of a file may lack it. */
struct span {
	const uint8_t *data;
	size_t bytes;
	const char *file;      /* for messages */
	uint64_t offset_bytes; /* of data[0] in the file */
};

struct engine_config {
	struct vm_program *program; /* borrowed; outlives the engine */
	const uint8_t *params;      /* program->params_bytes bytes; borrowed */
	enum record_format format;
	uint32_t record_bytes;  /* fixed */
	uint64_t budget;        /* instructions per record; 0: VM_DEFAULT_BUDGET */
	uint64_t max_groups;    /* per thread and in the answer; 0: GROUPS_DEFAULT_MAX */
	const char *jit_module; /* path of nearfold-jit.so; NULL: beside the program, or in its
				 * installation's lib/nearfold */
	bool jit_wait;          /* jit: compile before the first record, not beside it */
	const struct jit_image
		*jit_image; /* jit: code from a cache (vm/jit.h), or NULL; borrowed */
	size_t jit_image_bytes;
	int cpu_threads; /* scan threads that will be opened */
};

/* What one thread has so far. Owned by the engine thread; at the end the scan may take `groups` for
 * the answer and leave NULL. */
struct fold {
	uint8_t *state;        /* ungrouped: state_bytes */
	struct groups *groups; /* grouped, else NULL */
	uint64_t records, matched;
	bool stopped; /* reduce returned FOLD_STOP */
};

struct engine_ops {
	const char *name;
	/* Can it run this program here? 0, or FAILED_PRECONDITION with the reason. Cheap. */
	int (*check)(const struct engine_config *cfg, struct nf_error *why);
	/* Optional. The part of check() that is about the program, not the machine: asks no kernel,
	 * loads no module. NULL: every program will do. Thread-safe. */
	int (*check_program)(const struct engine_config *cfg, struct nf_error *why);
	int (*open)(const struct engine_config *cfg, void **ret_engine, struct nf_error *err);
	/* Optional. Called once by the thread that called open, after every thread_open and after
	 * the sandbox is entered, before the first fold: compile what a client sent here. */
	int (*start)(void *engine, struct nf_error *err);
	void (*close)(void *engine);
	int (*thread_open)(void *engine, void **ret_thread, struct nf_error *err);
	void (*thread_close)(void *thread);
	/*
	 * Fold a span. 0 more, 1 the program said FOLD_STOP, or a negative errno and err:
	 * OUT_OF_RANGE a guard, the budget or fold_fail (record and source line named);
	 * RESOURCE_EXHAUSTED too many groups; DATA_LOSS a line longer than 1 MiB.
	 */
	int (*fold)(void *thread, const struct span *span, struct nf_error *err);
	/* Optional. The thread has folded its last span and nothing failed: state and groups of
	 * its fold must be final now (before, only the counters are looked at). */
	int (*thread_end)(void *thread, struct nf_error *err);
	struct fold *(*thread_fold)(void *thread);

	/*
	 * Optional: the engine owns the memory that reads land in (the kernel engine's arena) and
	 * may fold a buffer when its read completes, before user space sees it. NULL: the reader
	 * allocates, and every span goes through fold().
	 */
	const struct engine_read_ops *read_ops;
};

/* A read that is about to be submitted. The buffer holds the file's bytes from window_offset on. */
struct engine_read {
	unsigned buffer;        /* its number */
	const char *file;       /* for messages; lives as long as the scan */
	uint64_t window_offset; /* in the file, of the buffer's first byte */
	uint32_t window_bytes;  /* what a whole read will bring */
	/*
	 * The chunk owns the records that start in [data_offset, data_offset + own_bytes) of the
	 * buffer. fixed: own_bytes is a multiple of record_bytes. lines: the last owned line may
	 * end behind the region, or behind the window (then leave it to the reader). If
	 * skip_first_line, data_offset is not known to be a line's start: the first record begins
	 * behind the first newline at or after data_offset - 1, which is >= 0 then; none below
	 * data_offset + own_bytes: the chunk owns none.
	 */
	uint32_t data_offset, own_bytes;
	bool skip_first_line;
	/* An NVMe command: its result is 0 when the whole window is there, and anything else when
	 * nothing is. */
	bool is_command;
};

struct engine_read_ops {
	/* n buffers of bytes each, page-aligned, one behind the other from *ret_base on, in the
	 * thread's arena. Valid until thread_close. */
	int (*buffers)(void *thread, unsigned n, size_t bytes, uint8_t **ret_base,
		       struct nf_error *err);
	/* The user_data for the submission: at least 2^32, no two reads in flight share it. Values
	 * below 2^32 are the reader's own, for reads that the engine shall leave alone: those
	 * that bring the rest of a read which completed short. */
	uint64_t (*arm)(void *thread, const struct engine_read *read);
	/*
	 * The armed read of that buffer completed with res bytes (0 and negative: nothing was
	 * folded, the reader deals with it). *ret_folded: how many bytes from data_offset on are
	 * done with in the kernel (folded, or skipped as another chunk's line); a record starts
	 * behind them. The reader folds what is left through fold(), in place or from memory of
	 * its own (a line that straddles the window). Returns like fold().
	 */
	int (*completed)(void *thread, unsigned buffer, int res, uint32_t *ret_folded,
			 struct nf_error *err);
};

extern const struct engine_ops engine_interp;
extern const struct engine_ops engine_jit;
extern const struct engine_ops engine_kernel;

/* The image that a jit engine compiled, for a cache; waits for the compiler if it is at work, as
 * close would. NULL: none, or it came from a cache. Valid until close. */
const struct jit_image *engine_jit_image(void *engine);

/* All engines, best first, ended by NULL; interp is the last. */
extern const struct engine_ops *const engines[];

/* By name; NULL when there is none such. "auto" is not an engine. */
const struct engine_ops *engine_by_name(const char *name);

/* "trades.bin, record at byte 4096": for vm_trap_error. */
const char *span_where(const struct span *span, const uint8_t *record, char *buf, size_t size);

/* RESOURCE_EXHAUSTED: groups_find() refused, errno says why. */
int engine_no_group(const struct engine_config *cfg, const char *where, struct nf_error *err);

/* DATA_LOSS: the line that begins there has more than PROGRAM_MAX_RECORD_BYTES bytes. */
int span_line_too_long(const struct span *span, const uint8_t *line, struct nf_error *err);

#endif
