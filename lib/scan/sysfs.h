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

/* A disk, as /sys/block/NAME/queue tells. */
struct sysfs_disk {
	char name[64];
	unsigned queues;        /* 0: none of its own (dm, md) */
	unsigned paths;         /* of a multipath namespace: queues are one's; else 0 */
	unsigned poll_queues;   /* how many more are polled; 0 when nobody tells how many */
	bool polled;            /* some are: IORING_SETUP_IOPOLL works */
	uint64_t requests;      /* that a queue holds; 0: unknown, as below */
	uint64_t request_bytes; /* of the largest request */
};

/* The disk behind a file system's or block node's device number; false: there is none that sysfs
 * knows (a network, several disks). */
bool sysfs_disk_of(uint64_t dev, struct sysfs_disk *ret);
/* "nvme0n1 (3 queues, 1 of them polled)", or "(2 paths of 3 queues, none polled)" where native
 * multipath has several. */
void sysfs_disk_text(const struct sysfs_disk *d, char *ret, size_t size);

#endif
