/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/nvme_device.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libnvme.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/scope.h"
#include "scan/sysfs.h"

enum {
	PAGE_BYTES = 4096,
	MAX_BLOCKS = 65536, /* of a read command: its count has 16 bits */
	KELVIN = 273,
};

/* ---- what a namespace is ------------------------------------------------------------------ */

/* Identify's texts are padded with spaces, and sysfs ends them in a newline. */
static void copy_text(char *to, size_t size, const char *from)
{
	size_t n;

	snprintf(to, size, "%s", from ? from : "");
	for (n = strlen(to); n && (to[n - 1] == ' ' || to[n - 1] == '\n'); n--)
		to[n - 1] = '\0';
}

/* What the driver lets through in one command: the controller's limit and the scatter list's. */
static uint32_t max_read_bytes(const struct nvme_device *d)
{
	uint64_t most = 0, segments = 0, bytes;

	if (!sysfs_number(&most, "/sys/block/%s/queue/max_hw_sectors_kb", d->name) || !most)
		most = 128; /* what every controller must take */
	if (!sysfs_number(&segments, "/sys/block/%s/queue/max_segments", d->name) || !segments)
		segments = 32;
	bytes = most * 1024;
	if (bytes > segments * PAGE_BYTES)
		bytes = segments * PAGE_BYTES;
	if (bytes > (uint64_t)MAX_BLOCKS * d->block_bytes)
		bytes = (uint64_t)MAX_BLOCKS * d->block_bytes;
	if (bytes > INT32_MAX)
		bytes = INT32_MAX;
	return (uint32_t)(bytes - bytes % d->block_bytes);
}

static void health(nvme_ctrl_t c, char *ret, size_t size)
{
	struct nvme_smart_log log = {0};
	int fd = nvme_ctrl_get_fd(c);

	if (fd < 0 || nvme_get_log_smart(fd, NVME_NSID_ALL, true, &log))
		return;
	int kelvin = log.temperature[0] | log.temperature[1] << 8;
	if (!kelvin) /* Linux's own target has the log, and nothing in it */
		return;
	snprintf(ret, size, "%s%d C, %u %% of spare left, %u %% used, %" PRIu64 " media errors",
		 log.critical_warning ? "WARNING, " : "", kelvin - KELVIN, log.avail_spare,
		 log.percent_used, (uint64_t)le64toh(*(const uint64_t *)log.media_errors));
}

static void describe_controller(nvme_ctrl_t c, bool with_health, struct nvme_device *ret)
{
	struct nvme_id_ctrl id;
	const char *queues = nvme_ctrl_get_queue_count(c);
	uint64_t polls = 0, polled = 0;

	copy_text(ret->serial, sizeof(ret->serial), nvme_ctrl_get_serial(c));
	copy_text(ret->model, sizeof(ret->model), nvme_ctrl_get_model(c));
	copy_text(ret->transport, sizeof(ret->transport), nvme_ctrl_get_transport(c));
	if (queues && atoi(queues) > 1)
		ret->queues = (uint32_t)atoi(queues) - 1; /* one is for administration */
	if (!strcmp(ret->transport, "pcie") &&
	    sysfs_number(&polled, "/sys/block/%s/queue/io_poll", ret->name) && polled &&
	    sysfs_number(&polls, "/sys/module/nvme/parameters/poll_queues"))
		ret->poll_queues = (uint32_t)polls;
	if (nvme_ctrl_identify(c, &id) == 0 && id.mdts && id.mdts < 32)
		ret->max_transfer_bytes = (uint64_t)PAGE_BYTES << id.mdts;
	if (with_health)
		health(c, ret->health, sizeof(ret->health));
}

static void describe_namespace(nvme_ns_t n, struct nvme_device *ret)
{
	struct nvme_id_ns id;
	char zoned[32] = "";
	uint64_t ro = 0;

	copy_text(ret->name, sizeof(ret->name), nvme_ns_get_name(n));
	copy_text(ret->generic, sizeof(ret->generic), nvme_ns_get_generic_name(n));
	ret->nsid = (uint32_t)nvme_ns_get_nsid(n);
	ret->block_bytes = (uint32_t)nvme_ns_get_lba_size(n);
	ret->metadata_bytes = (uint32_t)nvme_ns_get_meta_size(n);
	ret->blocks = nvme_ns_get_lba_count(n);
	if (ret->metadata_bytes && nvme_ns_identify(n, &id) == 0)
		ret->metadata_inline = id.flbas & NVME_NS_FLBAS_META_EXT;
	ret->read_only = sysfs_number(&ro, "/sys/block/%s/ro", ret->name) && ro;
	ret->zoned = nvme_ns_get_csi(n) == NVME_CSI_ZNS ||
		     (sysfs_text(zoned, sizeof(zoned), "/sys/block/%s/queue/zoned", ret->name) &&
		      strcmp(zoned, "none"));
	if (ret->block_bytes)
		ret->max_read_bytes = max_read_bytes(ret);
}

/* ---- the topology ------------------------------------------------------------------------- */

struct found {
	struct nvme_device *v;
	unsigned n, size;
	bool with_health;
};

static int add(struct found *f, nvme_ctrl_t c, nvme_ns_t n, bool multipath)
{
	if (f->n == f->size) {
		unsigned size = f->size ? 2 * f->size : 8;
		struct nvme_device *v = realloc(f->v, size * sizeof(*v));

		if (!v)
			return -ENOMEM;
		f->v = v;
		f->size = size;
	}
	struct nvme_device *d = &f->v[f->n];
	*d = (struct nvme_device){.multipath = multipath};
	describe_namespace(n, d);
	if (c)
		describe_controller(c, f->with_health, d);
	if (d->name[0] && d->block_bytes)
		f->n++;
	return 0;
}

static int walk_subsystem(struct found *f, nvme_subsystem_t s)
{
	nvme_ctrl_t c;
	nvme_ns_t n;
	int r = 0;

	nvme_subsystem_for_each_ctrl(s, c)
	{
		nvme_ctrl_for_each_ns(c, n)
		{
			if (!r)
				r = add(f, c, n, false);
		}
	}
	nvme_subsystem_for_each_ns(s, n)
	{
		if (!r)
			r = add(f, nvme_subsystem_first_ctrl(s), n, true);
	}
	return r;
}

static int by_name(const void *a, const void *b)
{
	const struct nvme_device *x = a, *y = b;
	int r = strcmp(x->serial, y->serial);

	return r ? r : x->nsid < y->nsid ? -1 : x->nsid > y->nsid;
}

int nvme_devices_list(bool with_health, struct nvme_device **ret, unsigned *ret_n,
		      struct nf_error *err)
{
	struct found f = {.with_health = with_health};
	nvme_root_t root = NULL;
	nvme_host_t h;
	nvme_subsystem_t s;
	int r = 0;

	/* libnvme complains on stderr when there is no such folder. */
	if (access("/sys/class/nvme", F_OK) == 0)
		root = nvme_scan(NULL);
	if (root) {
		nvme_for_each_host(root, h)
		{
			nvme_for_each_subsystem(h, s)
			{
				if (!r)
					r = walk_subsystem(&f, s);
			}
		}
		nvme_free_tree(root);
	}
	if (r) {
		free(f.v);
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
		return r;
	}
	if (f.n)
		qsort(f.v, f.n, sizeof(*f.v), by_name);
	*ret = f.v;
	*ret_n = f.n;
	return 0;
}

int nvme_device_find(const char *serial, uint32_t nsid, struct nvme_device *ret,
		     struct nf_error *err)
{
	AUTO_FREE struct nvme_device *all = NULL;
	unsigned n = 0;
	char where[64], there[256] = "";
	int r = nvme_devices_list(false, &all, &n, err);

	if (r)
		return r;
	for (unsigned i = 0; i < n; i++) {
		size_t used = strlen(there);

		if (!strcmp(all[i].serial, serial) && all[i].nsid == nsid) {
			*ret = all[i];
			return 0;
		}
		snprintf(there + used, sizeof(there) - used, "%snvme:%s/%" PRIu32, used ? ", " : "",
			 all[i].serial, all[i].nsid);
	}
	snprintf(where, sizeof(where), "nvme:%s/%" PRIu32, serial, nsid);
	return nf_error_set(err, NF_NOT_FOUND, where, "no such namespace here; there %s %s",
			    n == 1 ? "is" : "are", n ? there : "none");
}

/* ---- opening ------------------------------------------------------------------------------ */

bool nvme_device_of_node(int fd, struct nvme_path *ret)
{
	struct nvme_path p = {0};
	struct stat st;
	uint64_t nsid;

	if (fstat(fd, &st) || !S_ISBLK(st.st_mode))
		return false;
	unsigned major = major(st.st_rdev), minor = minor(st.st_rdev);
	if (!sysfs_number(&nsid, "/sys/dev/block/%u:%u/nsid", major, minor) || nsid > UINT32_MAX ||
	    !sysfs_text(p.serial, sizeof(p.serial), "/sys/dev/block/%u:%u/device/serial", major,
			minor))
		return false;
	p.nsid = (uint32_t)nsid;
	*ret = p;
	return true;
}

static int gone(const struct nvme_device *d, const char *where, struct nf_error *err)
{
	return nf_error_set(err, NF_NOT_FOUND, where,
			    "the namespace is not /dev/%s any more; try again", d->name);
}

static int open_node(const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/%s", name);
	return open(path, O_RDONLY | O_CLOEXEC | flags);
}

static int open_block_nodes(const struct nvme_device *d, const char *where, int *ret_fd,
			    int *ret_direct_fd, struct nf_error *err)
{
	AUTO_CLOSE int fd = open_node(d->name, 0);
	AUTO_CLOSE int direct_fd = open_node(d->name, O_DIRECT);
	struct nvme_path a, b;

	if (fd < 0 || direct_fd < 0) {
		if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
			return gone(d, where, err);
		return nf_error_sys(err,
				    errno == EACCES || errno == EPERM ? NF_PERMISSION_DENIED
								      : NF_INVALID_ARGUMENT,
				    errno, where, "cannot open /dev/%s", d->name);
	}
	if (!nvme_device_of_node(fd, &a) || !nvme_device_of_node(direct_fd, &b) ||
	    a.nsid != d->nsid || b.nsid != d->nsid || strcmp(a.serial, d->serial) ||
	    strcmp(b.serial, d->serial))
		return gone(d, where, err);
	*ret_fd = TAKE_FD(fd);
	*ret_direct_fd = TAKE_FD(direct_fd);
	return 0;
}

/* The node for commands of the same namespace, or -1. */
static int open_generic(const struct nvme_device *d)
{
	char serial[24];
	struct stat st;
	AUTO_CLOSE int fd = d->generic[0] ? open_node(d->generic, 0) : -1;

	if (fd < 0 || fstat(fd, &st) || ioctl(fd, NVME_IOCTL_ID) != (int)d->nsid ||
	    !sysfs_text(serial, sizeof(serial), "/sys/dev/char/%u:%u/device/serial",
			major(st.st_rdev), minor(st.st_rdev)) ||
	    strcmp(serial, d->serial))
		return -1;
	return TAKE_FD(fd);
}

int nvme_device_open(const struct nvme_device *d, int *ret_fd, int *ret_direct_fd,
		     int *ret_generic_fd, struct nf_error *err)
{
	char where[64];
	uint64_t sectors = 0;

	snprintf(where, sizeof(where), "nvme:%s/%" PRIu32, d->serial, d->nsid);
	if (d->zoned)
		return nf_error_set(err, NF_FAILED_PRECONDITION, where,
				    "the namespace is zoned, and what lies behind a zone's write "
				    "pointer is no data: only conventional namespaces can be "
				    "scanned");
	if (sysfs_number(&sectors, "/sys/block/%s/size", d->name) && !sectors && d->blocks)
		return nf_error_set(
			err, NF_FAILED_PRECONDITION, where,
			"the namespace's %u bytes of metadata stand between its blocks "
			"(extended LBAs), and Linux gives no access to the blocks alone: "
			"format it with separate metadata or none",
			d->metadata_bytes);
	int r = open_block_nodes(d, where, ret_fd, ret_direct_fd, err);
	if (r)
		return r;
	/* The driver checks and strips metadata for the block node alone. */
	*ret_generic_fd = d->metadata_bytes ? -1 : open_generic(d);
	return 0;
}

const char *nvme_device_status_text(int status)
{
	return nvme_status_to_string(status, false);
}
