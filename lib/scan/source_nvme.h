/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* source_nvme.h - namespaces among the files of a source; see nvme_device.h for their paths. */
#ifndef NF_SCAN_SOURCE_NVME_H
#define NF_SCAN_SOURCE_NVME_H

#include "scan/source.h"

/* Open what the path names: all of *ret. The errors of nvme_device_open(), and INVALID_ARGUMENT for
 * a part that is not inside the namespace. On error nothing in *ret is owned. */
int source_nvme_open(const char *path, struct source_file *ret, struct nf_error *err);
/* file is a block device that was opened by its path, size and identity known: if it is a
 * namespace, make it what source_nvme_open() gives. */
int source_nvme_adopt(struct source_file *file, struct nf_error *err);
/* Is it still there, with the size that it had? now_bytes: of its block node. */
int source_nvme_check(const struct source_file *file, uint64_t now_bytes, struct nf_error *err);

#endif
