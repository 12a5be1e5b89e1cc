/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/source_nvme.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/scope.h"
#include "scan/nvme_device.h"

static void fill(struct source_file *f, const struct nvme_device *d, int generic_fd)
{
	f->direct_align_bytes = d->block_bytes;
	f->nvme = (struct source_nvme){
		.block_bytes = d->block_bytes,
		.nsid = d->nsid,
		.max_bytes = d->max_read_bytes,
		.polled = d->poll_queues > 0,
		.fd = generic_fd,
		.device_bytes = f->size_bytes,
	};
}

static int identity(struct source_file *f, struct nf_error *err)
{
	struct stat st;

	if (fstat(f->fd, &st) || ioctl(f->fd, BLKGETSIZE64, &f->size_bytes))
		return nf_error_sys(err, NF_DATA_LOSS, errno, f->name,
				    "cannot read the device's size");
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->mtime = st.st_mtim;
	f->ctime = st.st_ctim;
	return 0;
}

/* The part of the namespace that is the data set. */
static int cut(struct source_file *f, const struct nvme_path *p, struct nf_error *err)
{
	uint64_t block = f->nvme.block_bytes, all = f->size_bytes / block;
	uint64_t blocks = p->blocks;

	if (!blocks && p->start_lba < all)
		blocks = all - p->start_lba;
	if (!blocks || !checked_range(p->start_lba, blocks, all))
		return nf_error_set(err, NF_INVALID_ARGUMENT, f->name,
				    "start=%" PRIu64 ",blocks=%" PRIu64
				    " is not inside the namespace's %" PRIu64 " blocks of %" PRIu64
				    " bytes",
				    p->start_lba, p->blocks, all, block);
	f->base_bytes = p->start_lba * block;
	f->size_bytes = blocks * block;
	return 0;
}

static void drop(struct source_file *f, int generic_fd)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->direct_fd >= 0)
		close(f->direct_fd);
	if (generic_fd >= 0)
		close(generic_fd);
	free(f->name);
}

int source_nvme_open(const char *path, struct source_file *ret, struct nf_error *err)
{
	struct source_file f = {.fd = -1, .direct_fd = -1};
	struct nvme_device d;
	struct nvme_path p;
	int generic_fd = -1;
	int r = nvme_path_parse(path, &p, err);

	if (!r)
		r = nvme_device_find(p.serial, p.nsid, &d, err);
	if (r)
		return r;
	if (asprintf(&f.name, "nvme:%s/%" PRIu32, p.serial, p.nsid) < 0) {
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
		return -ENOMEM;
	}
	r = nvme_device_open(&d, &f.fd, &f.direct_fd, &generic_fd, err);
	if (!r)
		r = identity(&f, err);
	if (!r) {
		fill(&f, &d, generic_fd);
		r = cut(&f, &p, err);
	}
	if (r) {
		drop(&f, generic_fd);
		return r;
	}
	*ret = f;
	return 0;
}

int source_nvme_adopt(struct source_file *f, struct nf_error *err)
{
	struct nvme_path p, other;
	struct nvme_device d;
	int fd = -1, direct_fd = -1, generic_fd = -1;

	if (!nvme_device_of_node(f->fd, &p))
		return 0;
	int r = nvme_device_find(p.serial, p.nsid, &d, err);
	if (!r)
		r = nvme_device_open(&d, &fd, &direct_fd, &generic_fd, err);
	if (r)
		return r;
	/* Two namespaces behind one name would be a race with a rescan. */
	if (!nvme_device_of_node(fd, &other) || other.nsid != p.nsid ||
	    strcmp(other.serial, p.serial))
		r = nf_error_set(err, NF_NOT_FOUND, f->name, "the device changed; try again");
	else if (f->direct_fd < 0)
		f->direct_fd = TAKE_FD(direct_fd);
	if (fd >= 0)
		close(fd);
	if (direct_fd >= 0)
		close(direct_fd);
	if (r && generic_fd >= 0)
		close(generic_fd);
	if (!r)
		fill(f, &d, generic_fd);
	return r;
}

int source_nvme_check(const struct source_file *f, uint64_t now_bytes, struct nf_error *err)
{
	if (now_bytes == f->nvme.device_bytes)
		return 0;
	if (!now_bytes)
		return nf_error_set(err, NF_ABORTED, f->name,
				    "the namespace was removed during the scan: ask again when it "
				    "is back");
	return nf_error_set(err, NF_ABORTED, f->name,
			    "the namespace changed during the scan, from %" PRIu64 " to %" PRIu64
			    " bytes: ask again when it is at rest",
			    f->nvme.device_bytes, now_bytes);
}
