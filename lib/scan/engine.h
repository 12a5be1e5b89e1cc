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
 * Life: check -> open -> thread_open (in each scan thread) -> fold, fold ... -> partial state read
 * through thread_fold() -> thread_close -> close. open and close are called once; the functions
 * with a thread argument are called from that thread only.
 */
#ifndef NF_SCAN_ENGINE_H
#define NF_SCAN_ENGINE_H

#include "scan/dataset.h"
#include "scan/groups.h"
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
	uint32_t record_bytes;      /* fixed */
	uint64_t budget;            /* instructions per record; 0: VM_DEFAULT_BUDGET */
	uint64_t max_groups;        /* per thread and in the answer; 0: GROUPS_DEFAULT_MAX */
	const char *jit_module;     /* path of nearfold-jit.so; NULL: beside the program, then the
				     * library folder */
	int cpu_threads;            /* scan threads that will be opened */
};

/* What one thread has so far. Owned by the engine thread. */
struct fold {
	uint8_t *state;        /* ungrouped: state_bytes */
	struct groups *groups; /* grouped, else NULL */
	uint64_t records, matched;
	bool stopped;          /* reduce returned FOLD_STOP */
};

struct engine_ops {
	const char *name;
	/* Can it run this program here? 0, or FAILED_PRECONDITION with the reason. Cheap. */
	int (*check)(const struct engine_config *cfg, struct nf_error *why);
	int (*open)(const struct engine_config *cfg, void **ret_engine, struct nf_error *err);
	void (*close)(void *engine);
	int (*thread_open)(void *engine, void **ret_thread, struct nf_error *err);
	void (*thread_close)(void *thread);
	/*
	 * Fold a span. 0 more, 1 the program said FOLD_STOP, or a negative errno and err:
	 * OUT_OF_RANGE a guard, the budget or fold_fail (record and source line named);
	 * RESOURCE_EXHAUSTED too many groups; DATA_LOSS a line longer than 1 MiB.
	 */
	int (*fold)(void *thread, const struct span *span, struct nf_error *err);
	struct fold *(*thread_fold)(void *thread);

	/*
	 * Optional: the engine owns the memory that reads land in (the kernel engine's arena) and
	 * may fold a buffer when its read completes, before user space sees it. NULL: the reader
	 * allocates, and every span goes through fold().
	 */
	const struct engine_read_ops *read_ops;
};

struct engine_read_ops {
	/* n buffers of bytes each, page-aligned; in the thread's arena. Valid until thread_close. */
	int (*buffers)(void *thread, unsigned n, size_t bytes, uint8_t **ret_base,
		       struct nf_error *err);
	/*
	 * Buffer i is about to be read from `file` at window_offset. Whole records of the chunk
	 * begin at data_offset in the buffer and the chunk owns own_bytes of them (fixed: a
	 * multiple of record_bytes). Returns the user_data for the submission.
	 */
	uint64_t (*arm)(void *thread, unsigned i, uint64_t window_offset, uint32_t data_offset,
			uint32_t own_bytes, const char *file);
	/* The read completed with res. How many bytes from data_offset were folded in the kernel
	 * (whole records) goes to *ret_folded; the reader folds the rest through fold(). Returns
	 * like fold(). */
	int (*completed)(void *thread, unsigned i, int res, uint32_t *ret_folded,
			 struct nf_error *err);
	/* Drop what privileges are left once every thread has its ring and program; NULL: none. */
};

extern const struct engine_ops engine_interp;
extern const struct engine_ops engine_jit;
extern const struct engine_ops engine_kernel;

/* All engines, best first, ended by NULL; interp is the last. */
extern const struct engine_ops *const engines[];

/* By name; NULL when there is none such. "auto" is not an engine. */
const struct engine_ops *engine_by_name(const char *name);

/* "trades.bin, record at byte 4096": for vm_trap_error. */
const char *span_where(const struct span *span, const uint8_t *record, char *buf, size_t size);

#endif
