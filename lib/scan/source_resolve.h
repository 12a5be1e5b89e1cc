/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * source_resolve.h - from a path, a folder or a glob to open descriptors, without leaving a folder.
 *
 * Beneath a base every step goes through openat2 with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS: a
 * symbolic link may lead to another place below the base, never out of it, whatever is renamed
 * meanwhile.
 */
#ifndef NF_SCAN_SOURCE_RESOLVE_H
#define NF_SCAN_SOURCE_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { SOURCE_MAX_FILES = 16384 };

struct found_file {
	int fd;        /* O_RDONLY, regular file or block device; owned. -1: the name is an
			* NVMe namespace's path, see nvme_device.h */
	int direct_fd; /* the same with O_DIRECT, or -1 where the file system has none; owned */
	char *name;    /* path below the base, or the path as given */
};

struct found_files {
	struct found_file *files;
	size_t n, size;
};

/*
 * Append what `path` means to *found. The path of a namespace is taken as it is, whatever root_fd.
 * root_fd >= 0: relative to it and beneath it. root_fd < 0: as the process sees it; the entries of
 * a folder or glob still stay beneath its fixed part. users: a path of the user whose process this
 * is (root_fd < 0): names begin with the path as given instead of being relative, and symbolic
 * links are followed wherever they lead. NOT_FOUND, PERMISSION_DENIED (no right, or the path
 * escapes), INVALID_ARGUMENT (neither a file, a block device nor a folder; or one that hides its
 * size), RESOURCE_EXHAUSTED (SOURCE_MAX_FILES, or descriptors).
 */
int source_resolve(int root_fd, const char *path, bool users, struct found_files *found,
		   struct nf_error *err);
void found_files_done(struct found_files *found);

#endif
