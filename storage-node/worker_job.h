/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * worker_job.h - what main and a worker say to each other.
 *
 * main -> worker: a job, written into a memfd (programs are up to 1 MiB, more than a socket holds)
 * that the spawner hands on, and the data set's descriptors, which wait in the channel from before
 * the worker exists. Both sides are the same binary on one machine: structs as they are.
 *
 *	job:    struct job_head | struct job_file * n_files | params | program message | code
 *	fds:    messages of one byte with up to FD_PASS_MAX descriptors, in the files' order:
 *	        fd, then direct_fd if has_direct, then nvme.fd if it is a namespace and has one
 *
 * worker -> main: frames on the channel (SOCK_STREAM, closed when the worker is gone):
 *
 *	struct frame_head { bytes, type } | payload
 *	STARTED   struct frame_started     once, first
 *	PROGRESS  struct frame_progress    about every 100 ms
 *	MESSAGE   a packed ExecuteReply    passed on to the client as it is
 *	CODE      a struct jit_image       compiled in this worker; see code_cache.h
 *	FINISHED  struct frame_finished    the last one, or
 *	FAILED    struct frame_failed      the last one
 *
 * main takes a frame for what a worker taken over by an attacker might send: lengths, text ends
 * and enums are checked (frame_check()); a MESSAGE can harm nobody but the client whose query it
 *is.
 */
#ifndef NF_NODE_WORKER_JOB_H
#define NF_NODE_WORKER_JOB_H

#include <stdbool.h>

#include "scan/scan.h"
#include "wire/wire.h"

struct job_head {
	uint64_t query_id;
	uint64_t deadline_ns; /* clock_now_ns(); 0: none */
	uint64_t memory_bytes, cpu_seconds, result_bytes;
	uint64_t skip_bytes;
	uint64_t chunk_bytes, range_start, range_end, budget, max_groups;
	uint32_t format, record_bytes;
	uint32_t threads, queue_depth, reader; /* enum scan_reader */
	uint32_t n_files, params_bytes, program_bytes;
	uint32_t code_bytes; /* 0: there is none */
	bool has_range, tail_ignore;
	bool kernel_engine; /* may be tried */
	char engine[16];
	char dataset[256];
	char jit_module[1024]; /* "": where scan looks by itself */
};

struct job_file {
	uint64_t size_bytes, dev, ino;
	struct timespec mtime, ctime;
	uint32_t direct_align_bytes;
	bool has_direct;
	uint64_t base_bytes;
	struct source_nvme nvme; /* nvme.fd >= 0: its descriptor follows */
	char name[256];
};

/* A job as the worker holds it. */
struct job {
	struct job_head head;
	struct job_file *files;
	uint8_t *params, *program, *code;
};

struct job_parts {
	const void *params, *program, *code;
	uint32_t params_bytes, program_bytes, code_bytes;
};

/* Write a job; *ret_fd is a memfd, owned by the caller. head's counts are filled in here. */
int job_write(struct job_head *head, const struct source *src, const struct job_parts *parts,
	      int *ret_fd, struct nf_error *err);
int job_read(int fd, struct job *ret, struct nf_error *err);
void job_done(struct job *job);

/* The source's descriptors into the channel; -errno. */
int job_send_files(int channel, const struct source *src);
/* The other end: a source over them. */
int job_receive_source(int channel, const struct job *job, struct source **ret,
		       struct nf_error *err);

enum frame_type {
	FRAME_STARTED = 1,
	FRAME_PROGRESS,
	FRAME_MESSAGE,
	FRAME_FINISHED,
	FRAME_FAILED,
	FRAME_CODE,
};

/* A Partial and what protobuf puts around it. */
enum { FRAME_MAX_BYTES = WIRE_PARTIAL_BYTES + (64 << 10) };
/* Larger images are not kept: compile them again. */
enum { CODE_MAX_BYTES = 512 << 10 };

struct frame_head {
	uint32_t bytes; /* of the payload */
	uint32_t type;
};

struct frame_started {
	uint32_t threads;
	char engine[16], engine_reason[256];
};

struct frame_progress {
	struct scan_progress progress;
};

struct frame_finished {
	uint64_t bytes_scanned, records, matched, groups;
	uint64_t prepare_ns, scan_ns, combine_ns, cpu_ns, memory_bytes, chunk_bytes;
	uint32_t threads, queue_depth;
	uint64_t read_commands, read_retries;
	char engine[16], engine_reason[256], reader[32], device[96];
};

struct frame_failed {
	uint32_t code;
	char where[256], text[768];
	char limit[32]; /* RESOURCE_EXHAUSTED: which; "" unknown */
};

/* Is this payload what its type says? Ends its texts; false: the worker is not to be believed. */
bool frame_check(uint32_t type, void *payload, size_t bytes);

#endif
