/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* sysfs.h - small files that the kernel writes, and the device that a file lives on. */
#ifndef NF_SCAN_SYSFS_H
#define NF_SCAN_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The file's first line without its spaces at the end; false: there is none. */
bool sysfs_text(char *ret, size_t size, const char *path, ...)
	__attribute__((format(printf, 3, 4)));
/* The file as a decimal number. */
bool sysfs_number(uint64_t *ret, const char *path, ...) __attribute__((format(printf, 2, 3)));

/*
 * "nvme0n1 (2 queues, 1 poll queue)": the disk behind a file system's or block node's device
 * number; "" when there is none that sysfs knows (a network, several disks).
 */
void sysfs_device_text(uint64_t dev, char *ret, size_t size);

#endif
