/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * source.h - the open files of a data set: a snapshot of their sizes, with a generation.
 *
 * A path is one of a file, a folder, a glob, a block device, or an NVMe namespace (nvme_device.h).
 * Opening resolves inside a root folder (openat2: RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS) when one
 * is given; only regular files and block devices are taken. The generation is a 64-bit hash over
 * (device, inode, size, mtime, ctime) of every file in order; source_check() takes it again.
 * Nobody stamps a namespace: of one the generation tells another device or size, not other bytes.
 * Kernels before 6.13 stamp changes once a timer tick: bytes rewritten in place within the
 * tick of the last change before the open (some 4 ms) go unnoticed there.
 */
#ifndef NF_SCAN_SOURCE_H
#define NF_SCAN_SOURCE_H

#include <stdint.h>
#include <time.h>

#include "scan/dataset.h"
#include "scan/sysfs.h"

/* What more there is to know of a file that is an NVMe namespace, or a part of one. */
struct source_nvme {
	uint32_t block_bytes; /* 0: the file is no namespace, and the rest means nothing */
	uint32_t nsid;
	uint32_t max_bytes; /* of one read command: whole blocks */
	bool polled;        /* there are queues for polling */
	int fd;             /* node for commands (/dev/ngXnY), or -1: the block node alone; owned */
	uint64_t device_bytes;
};

struct source_file {
	int fd;        /* O_RDONLY, buffered; owned */
	int direct_fd; /* O_RDONLY | O_DIRECT, or -1; owned */
	char *name;    /* for messages: base name on a node, the path as given for --local */
	uint64_t size_bytes;
	uint64_t base_bytes; /* the file begins there in its descriptors; 0 but for parts of devices
			      */
	uint64_t dev, ino;
	struct timespec mtime, ctime;
	uint32_t direct_align_bytes; /* offset and length of direct reads (statx DIOALIGN or 4096);
				      * a power of two; 0 without direct_fd */
	struct source_nvme nvme;
};

struct source {
	struct dataset_spec spec; /* owned copy; path is NULL */
	struct source_file *files;
	uint32_t n_files;
	uint64_t total_bytes;
	uint64_t generation;
};

/*
 * Open spec->path, below root_fd if root_fd >= 0 (then the path is relative to it, and neither '..'
 * nor a symbolic link may lead out). What a folder or a glob gives stays below its fixed part
 * in any case. Names that begin with a dot are not part of a folder.
 * -ENOENT nothing there (or a glob or folder with no file), -EACCES/-EXDEV a path that escapes
 * (PERMISSION_DENIED), -EINVAL neither a regular file nor a block device, or a file that hides
 * its size (/proc).
 */
int source_open(const struct dataset_spec *spec, int root_fd, struct source **ret,
		struct nf_error *err);
/* Several paths given by a user (--local FILE...): links are followed, names are as given. */
int source_open_paths(const struct dataset_spec *spec, const char *const *paths, unsigned n_paths,
		      struct source **ret, struct nf_error *err);
/* A source over descriptors that somebody else opened (a worker): takes ownership of the array
 * (malloc) and what is in it when it succeeds. Every member must be filled; nothing is asked of the
 * kernel, so the snapshot stays the one that was taken when the files were opened. */
int source_adopt(const struct dataset_spec *spec, struct source_file *files, uint32_t n_files,
		 struct source **ret, struct nf_error *err);
/* -ESTALE (ABORTED) when a file changed since the source was opened, naming it and what changed. */
int source_check(const struct source *src, struct nf_error *err);
/* Is every file skip + n * record_bytes long (unless the tail is ignored)? FAILED_PRECONDITION
 * naming file, size and remainder. Not asked at open: a range may still make sense of such a file;
 * scan_run() asks when no range is given. */
int source_check_records(const struct source *src, struct nf_error *err);
void source_free(struct source *src);

/* The disk that a file lives on; false: sysfs knows of none. Asks /sys, so not from a sandbox. */
bool source_disk(const struct source *src, uint32_t file, struct sysfs_disk *ret);
/* The device that the files live on: "nvme0n1 (2 queues, none polled)"; the first file's, with "and
 * others" when they differ; "" unknown. */
void source_device_text(const struct source *src, char *ret, size_t size);

#endif
