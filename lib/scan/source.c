/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/scope.h"
#include "scan/nvme_device.h"
#include "scan/source_nvme.h"
#include "scan/source_resolve.h"
#include "scan/sysfs.h"

enum { DIRECT_ALIGN_DEFAULT = 4096 };

/* What direct reads must be aligned to, or 0: there are none. */
static uint32_t direct_align(int fd)
{
#ifdef STATX_DIOALIGN
	struct statx sx;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &sx) == 0 &&
	    (sx.stx_mask & STATX_DIOALIGN)) {
		uint32_t align = sx.stx_dio_offset_align;

		/* Our buffers are page-aligned, so the memory's alignment holds if the pages' do.
		 */
		if (align & (align - 1) || sx.stx_dio_mem_align > DIRECT_ALIGN_DEFAULT)
			return 0;
		return align;
	}
#endif
	(void)fd;
	return DIRECT_ALIGN_DEFAULT;
}

/* Size and identity, as they are now. */
static int file_stat(int fd, const char *name, struct source_file *ret, struct nf_error *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return nf_error_sys(err, NF_INTERNAL, errno, name, "fstat");
	ret->size_bytes = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, &ret->size_bytes))
		return nf_error_sys(err, NF_DATA_LOSS, errno, name,
				    "cannot read the device's size");
	ret->dev = st.st_dev;
	ret->ino = st.st_ino;
	ret->mtime = st.st_mtim;
	ret->ctime = st.st_ctim;
	return 0;
}

/* FNV-1a, byte by byte in little-endian order: every machine gets the same number. */
static uint64_t hash_u64(uint64_t h, uint64_t v)
{
	for (int i = 0; i < 8; i++, v >>= 8)
		h = (h ^ (v & 0xff)) * 0x100000001b3ull;
	return h;
}

static uint64_t generation_of(const struct source_file *files, uint32_t n)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (uint32_t i = 0; i < n; i++) {
		const struct source_file *f = &files[i];

		h = hash_u64(h, f->dev);
		h = hash_u64(h, f->ino);
		h = hash_u64(h, f->size_bytes);
		if (f->nvme.block_bytes) {
			h = hash_u64(h, f->base_bytes);
			continue;
		}
		h = hash_u64(h, (uint64_t)f->mtime.tv_sec);
		h = hash_u64(h, (uint64_t)f->mtime.tv_nsec);
		h = hash_u64(h, (uint64_t)f->ctime.tv_sec);
		h = hash_u64(h, (uint64_t)f->ctime.tv_nsec);
	}
	return h;
}

static void files_free(struct source_file *files, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (files[i].fd >= 0)
			close(files[i].fd);
		if (files[i].direct_fd >= 0)
			close(files[i].direct_fd);
		if (files[i].nvme.block_bytes && files[i].nvme.fd >= 0)
			close(files[i].nvme.fd);
		free(files[i].name);
	}
	free(files);
}

int source_adopt(const struct dataset_spec *spec, struct source_file *files, uint32_t n_files,
		 struct source **ret, struct nf_error *err)
{
	struct source *src;
	uint64_t total = 0;
	int r = dataset_spec_check(spec, err);

	if (r)
		return r;
	for (uint32_t i = 0; i < n_files; i++)
		if (!checked_add_u64(total, files[i].size_bytes, &total) || total > INT64_MAX)
			return nf_error_set(err, NF_INVALID_ARGUMENT, files[i].name,
					    "the files together are larger than 2^63 bytes");
	src = calloc(1, sizeof(*src));
	if (!src || dataset_spec_copy(spec, &src->spec)) {
		free(src);
		return nf_error_no_memory(err, NULL);
	}
	free(src->spec.path);
	src->spec.path = NULL;
	src->files = files;
	src->n_files = n_files;
	src->total_bytes = total;
	src->generation = generation_of(files, n_files);
	*ret = src;
	return 0;
}

/* Takes what was found, even when it fails. */
static int source_from_found(const struct dataset_spec *spec, struct found_files *found,
			     struct source **ret, struct nf_error *err)
{
	uint32_t n = 0;
	struct source_file *files = calloc(found->n, sizeof(*files));
	int r = files ? 0 : nf_error_no_memory(err, NULL);

	for (size_t i = 0; !r && i < found->n; i++) {
		struct found_file *from = &found->files[i];
		struct source_file *to = &files[n];

		if (nvme_path_is(from->name) && from->fd < 0) {
			r = source_nvme_open(from->name, to, err);
			n += !r;
			continue;
		}
		r = file_stat(from->fd, from->name, to, err);
		if (r)
			break;
		to->direct_align_bytes = from->direct_fd >= 0 ? direct_align(from->direct_fd) : 0;
		if (!to->direct_align_bytes && from->direct_fd >= 0) {
			close(from->direct_fd);
			from->direct_fd = -1;
		}
		to->fd = TAKE_FD(from->fd);
		to->direct_fd = TAKE_FD(from->direct_fd);
		to->name = TAKE_PTR(from->name);
		n++;
		r = source_nvme_adopt(to, err);
	}
	if (!r)
		r = source_adopt(spec, files, n, ret, err);
	if (r && files)
		files_free(files, n);
	return r;
}

int source_open(const struct dataset_spec *spec, int root_fd, struct source **ret,
		struct nf_error *err)
{
	AUTO(found_files_done) struct found_files found = {0};

	if (!spec->path)
		return nf_error_set(err, NF_INVALID_ARGUMENT, spec->name,
				    "the data set has no path: give one");
	int r = source_resolve(root_fd, spec->path, false, &found, err);
	return r ? r : source_from_found(spec, &found, ret, err);
}

int source_open_paths(const struct dataset_spec *spec, const char *const *paths, unsigned n_paths,
		      struct source **ret, struct nf_error *err)
{
	AUTO(found_files_done) struct found_files found = {0};

	if (!n_paths)
		return nf_error_set(err, NF_INVALID_ARGUMENT, NULL, "no file is given: name one");
	for (unsigned i = 0; i < n_paths; i++) {
		int r = source_resolve(-1, paths[i], true, &found, err);

		if (r)
			return r;
	}
	return source_from_found(spec, &found, ret, err);
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

int source_check(const struct source *src, struct nf_error *err)
{
	for (uint32_t i = 0; i < src->n_files; i++) {
		const struct source_file *was = &src->files[i];
		struct source_file now = {0};
		const char *what = NULL;
		int r = file_stat(was->fd, was->name, &now, err);

		if (r)
			return r;
		if (was->nvme.block_bytes) {
			r = source_nvme_check(was, now.size_bytes, err);
			if (r)
				return r;
			continue;
		}
		if (now.size_bytes != was->size_bytes)
			return nf_error_set(err, NF_ABORTED, was->name,
					    "the file changed during the scan, from %" PRIu64
					    " to %" PRIu64 " bytes: ask again when it is at rest",
					    was->size_bytes, now.size_bytes);
		if (now.dev != was->dev || now.ino != was->ino)
			what = "it is another file";
		else if (!same_time(now.mtime, was->mtime))
			what = "it was written to";
		else if (!same_time(now.ctime, was->ctime))
			what = "it was written to, renamed, removed or given other rights";
		if (what)
			return nf_error_set(err, NF_ABORTED, was->name,
					    "the file changed during the scan (%s): ask again when "
					    "it is at rest",
					    what);
	}
	return 0;
}

int source_check_records(const struct source *src, struct nf_error *err)
{
	const struct dataset_spec *spec = &src->spec;

	for (uint32_t i = 0; i < src->n_files; i++) {
		const struct source_file *f = &src->files[i];

		if (spec->tail_ignore)
			continue;
		if (f->size_bytes < spec->skip_bytes)
			return nf_error_set(err, NF_FAILED_PRECONDITION, f->name,
					    "the file has %" PRIu64 " bytes, less than the %" PRIu64
					    " to skip: correct skip, or say tail=ignore",
					    f->size_bytes, spec->skip_bytes);
		uint64_t rest = f->size_bytes - spec->skip_bytes;
		if (spec->format == FORMAT_FIXED && rest % spec->record_bytes)
			return nf_error_set(
				err, NF_FAILED_PRECONDITION, f->name,
				"the file's %" PRIu64
				" bytes are not a whole number of records: skip "
				"%" PRIu64 ", then %" PRIu64 " records of %u bytes, and %" PRIu64
				" bytes are left over; correct the record size or skip, give a "
				"range, "
				"or say tail=ignore",
				f->size_bytes, spec->skip_bytes, rest / spec->record_bytes,
				spec->record_bytes, rest % spec->record_bytes);
	}
	return 0;
}

void source_free(struct source *src)
{
	if (!src)
		return;
	files_free(src->files, src->n_files);
	dataset_spec_done(&src->spec);
	free(src);
}

static uint64_t device_of(const struct source_file *f)
{
	struct stat st;

	return fstat(f->fd, &st) == 0 && S_ISBLK(st.st_mode) ? st.st_rdev : f->dev;
}

bool source_disk(const struct source *src, uint32_t file, struct sysfs_disk *ret)
{
	return sysfs_disk_of(device_of(&src->files[file]), ret);
}

void source_device_text(const struct source *src, char *ret, size_t size)
{
	uint64_t first = src->n_files ? device_of(&src->files[0]) : 0;
	struct sysfs_disk disk;

	if (size)
		*ret = '\0';
	if (!first || !sysfs_disk_of(first, &disk))
		return;
	sysfs_disk_text(&disk, ret, size);
	for (uint32_t i = 1; *ret && i < src->n_files; i++)
		if (device_of(&src->files[i]) != first) {
			size_t n = strlen(ret);

			snprintf(ret + n, size - n, " and others");
			return;
		}
}
