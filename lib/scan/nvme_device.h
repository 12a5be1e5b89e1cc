/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * nvme_device.h - the NVMe namespaces of this machine: what they are, where they are.
 *
 * A namespace is named by its controller's serial number and its nsid, never by a device number:
 * Linux scans controllers in parallel, and numbers change from boot to boot.
 *
 *	nvme:SERIAL/nsid[,start=LBA][,blocks=N]
 *
 * libnvme's topology has two shapes: a plain controller holds its namespaces, with native multipath
 * the subsystem does. Both are walked. Looking reads sysfs and asks each namespace for its
 * Identify data; the driver bounds how long that may take (nvme_core.admin_timeout, 60 s).
 *
 * Threads: any, but not two at once on one result.
 */
#ifndef NF_SCAN_NVME_DEVICE_H
#define NF_SCAN_NVME_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct nvme_device {
	char name[32];    /* "nvme0n1", the block node */
	char generic[32]; /* "ng0n1"; "": the kernel has none (before 5.13) */
	char serial[24], model[44];
	char transport[16]; /* "pcie", "tcp", "loop" */
	uint32_t nsid;
	uint32_t block_bytes, metadata_bytes;
	bool metadata_inline; /* each block is followed by its metadata in a transfer */
	bool read_only, zoned, multipath;
	uint64_t blocks;
	uint64_t max_transfer_bytes; /* the controller's MDTS; 0: it has none */
	uint32_t max_read_bytes;     /* what the driver takes in one command: whole blocks */
	uint32_t queues, poll_queues;
	char health[128]; /* SMART in a line; "": unknown, or not asked for */
};

struct nvme_path {
	char serial[24];
	uint32_t nsid;
	uint64_t start_lba;
	uint64_t blocks; /* 0: to the end */
};

/* Does the path name a namespace? That is: does it begin with "nvme:"? */
bool nvme_path_is(const char *path);
/* How much of `text` is a namespace's path: it ends where neither start= nor blocks= follows. */
size_t nvme_path_length(const char *text);
/* INVALID_ARGUMENT, naming the part that is wrong. */
int nvme_path_parse(const char *path, struct nvme_path *ret, struct nf_error *err);

/* All namespaces, by serial and nsid; *ret is the caller's to free. None is no error. */
int nvme_devices_list(bool with_health, struct nvme_device **ret, unsigned *ret_n,
		      struct nf_error *err);
/* NOT_FOUND, naming those that there are. */
int nvme_device_find(const char *serial, uint32_t nsid, struct nvme_device *ret,
		     struct nf_error *err);

/* Open it: *ret_fd the block node, *ret_direct_fd the same for direct reads, *ret_generic_fd the
 * node for commands, or -1 where it cannot be opened or would not do (metadata). All read-only.
 * FAILED_PRECONDITION with the reason: zoned, or its blocks cannot be read without their metadata.
 * NOT_FOUND: it went, or its nodes are another namespace's by now. */
int nvme_device_open(const struct nvme_device *device, int *ret_fd, int *ret_direct_fd,
		     int *ret_generic_fd, struct nf_error *err);

/* Which namespace is this block node? False: none, or a partition. */
bool nvme_device_of_node(int fd, struct nvme_path *ret);

/* "Unrecovered Read Error" for a command's status (0x281). Static text. */
const char *nvme_device_status_text(int status);

#endif
