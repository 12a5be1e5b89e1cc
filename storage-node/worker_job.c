/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/worker_job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/scope.h"
#include "storage-node/fd_pass.h"

static int out_of_memory(struct nf_error *err)
{
	nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
	return -ENOMEM;
}

/* ---- job --------------------------------------------------------------------------------- */

static void describe_files(const struct source *src, struct job_file *files)
{
	for (uint32_t i = 0; i < src->n_files; i++) {
		const struct source_file *f = &src->files[i];

		files[i] = (struct job_file){
			.size_bytes = f->size_bytes,
			.dev = f->dev,
			.ino = f->ino,
			.mtime = f->mtime,
			.ctime = f->ctime,
			.direct_align_bytes = f->direct_align_bytes,
			.has_direct = f->direct_fd >= 0,
			.base_bytes = f->base_bytes,
			.nvme = f->nvme,
		};
		snprintf(files[i].name, sizeof(files[i].name), "%s", f->name);
	}
}

int job_write(struct job_head *head, const struct source *src, const struct job_parts *parts,
	      int *ret_fd, struct nf_error *err)
{
	AUTO_FREE struct job_file *files = calloc(src->n_files + 1, sizeof(*files));
	AUTO_CLOSE int fd = memfd_create("nearfold-job", MFD_CLOEXEC);

	if (!files)
		return out_of_memory(err);
	if (fd < 0)
		return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, errno, NULL,
				    "cannot make a job for a worker");
	describe_files(src, files);
	head->n_files = src->n_files;
	head->params_bytes = parts->params_bytes;
	head->program_bytes = parts->program_bytes;
	head->code_bytes = parts->code_bytes;

	struct iovec iov[] = {
		{.iov_base = head, .iov_len = sizeof(*head)},
		{.iov_base = files, .iov_len = src->n_files * sizeof(*files)},
		{.iov_base = (void *)parts->params, .iov_len = parts->params_bytes},
		{.iov_base = (void *)parts->program, .iov_len = parts->program_bytes},
		{.iov_base = (void *)parts->code, .iov_len = parts->code_bytes},
	};
	size_t total = 0;

	for (size_t i = 0; i < ARRAY_SIZE(iov); i++)
		total += iov[i].iov_len;
	/* Memory never takes a part: all, or no space. */
	if (writev(fd, iov, ARRAY_SIZE(iov)) != (ssize_t)total)
		return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, errno ? errno : ENOSPC, NULL,
				    "cannot write a worker's job");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static void *read_part(int fd, size_t size, off_t *at)
{
	uint8_t *part = malloc(size ? size : 1);

	if (part && pread(fd, part, size, *at) != (ssize_t)size) {
		free(part);
		return NULL;
	}
	*at += (off_t)size;
	return part;
}

int job_read(int fd, struct job *ret, struct nf_error *err)
{
	off_t at = sizeof(ret->head);

	*ret = (struct job){0};
	if (pread(fd, &ret->head, sizeof(ret->head), 0) != (ssize_t)sizeof(ret->head))
		return nf_error_set(err, NF_INTERNAL, NULL, "the worker's job is cut short");
	ret->files = read_part(fd, ret->head.n_files * sizeof(*ret->files), &at);
	ret->params = read_part(fd, ret->head.params_bytes, &at);
	ret->program = read_part(fd, ret->head.program_bytes, &at);
	ret->code = read_part(fd, ret->head.code_bytes, &at);
	if (ret->files && ret->params && ret->program && ret->code)
		return 0;
	job_done(ret);
	return out_of_memory(err);
}

void job_done(struct job *job)
{
	free(job->files);
	free(job->params);
	free(job->program);
	free(job->code);
	*job = (struct job){0};
}

/* ---- the data set's descriptors ------------------------------------------------------------ */

/* A namespace has a third descriptor, for commands. */
static bool has_commands(const struct source_nvme *nvme)
{
	return nvme->block_bytes && nvme->fd >= 0;
}

int job_send_files(int channel, const struct source *src)
{
	int fds[FD_PASS_MAX];
	unsigned n = 0;
	int ret = 0;

	for (uint32_t i = 0; i < src->n_files && !ret; i++) {
		if (n + 3 > FD_PASS_MAX) {
			ret = fd_send(channel, "", 1, fds, n);
			n = 0;
		}
		fds[n++] = src->files[i].fd;
		if (src->files[i].direct_fd >= 0)
			fds[n++] = src->files[i].direct_fd;
		if (has_commands(&src->files[i].nvme))
			fds[n++] = src->files[i].nvme.fd;
	}
	return ret || !n ? ret : fd_send(channel, "", 1, fds, n);
}

/* The next descriptor that waits in the channel; batches arrive in order. */
struct fd_batch {
	int channel;
	int fds[FD_PASS_MAX];
	unsigned n, next;
};

static int next_fd(struct fd_batch *b)
{
	char byte;

	if (b->next == b->n) {
		ssize_t n = fd_recv(b->channel, &byte, 1, b->fds, FD_PASS_MAX, &b->n);

		b->next = 0;
		if (n <= 0 || !b->n)
			return -1;
	}
	return b->fds[b->next++];
}

static void files_drop(struct source_file *files, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (files[i].fd >= 0)
			close(files[i].fd);
		if (files[i].direct_fd >= 0)
			close(files[i].direct_fd);
		if (has_commands(&files[i].nvme))
			close(files[i].nvme.fd);
		free(files[i].name);
	}
	free(files);
}

static int receive_file(struct fd_batch *batch, const struct job_file *from, struct source_file *to,
			struct nf_error *err)
{
	*to = (struct source_file){
		.fd = next_fd(batch),
		.direct_fd = from->has_direct ? next_fd(batch) : -1,
		.name = strdup(from->name),
		.size_bytes = from->size_bytes,
		.dev = from->dev,
		.ino = from->ino,
		.mtime = from->mtime,
		.ctime = from->ctime,
		.direct_align_bytes = from->direct_align_bytes,
		.base_bytes = from->base_bytes,
		.nvme = from->nvme,
	};
	bool commands = has_commands(&from->nvme);
	to->nvme.fd = commands ? next_fd(batch) : -1;
	if (to->fd < 0 || (from->has_direct && to->direct_fd < 0) || (commands && to->nvme.fd < 0))
		return nf_error_set(err, NF_INTERNAL, from->name,
				    "the worker did not get this file's descriptor (the daemon's "
				    "limit of open files may be too low)");
	return to->name ? 0 : out_of_memory(err);
}

int job_receive_source(int channel, const struct job *job, struct source **ret,
		       struct nf_error *err)
{
	const struct job_head *h = &job->head;
	struct fd_batch batch = {.channel = channel};
	struct dataset_spec spec = {.name = (char *)h->dataset,
				    .format = (enum record_format)h->format,
				    .record_bytes = h->record_bytes,
				    .skip_bytes = h->skip_bytes,
				    .tail_ignore = h->tail_ignore};
	struct source_file *files = calloc(h->n_files + 1, sizeof(*files));
	uint32_t n = 0;
	int r = files ? 0 : out_of_memory(err);

	while (!r && n < h->n_files) {
		r = receive_file(&batch, &job->files[n], &files[n], err);
		n++;
	}
	if (!r)
		r = source_adopt(&spec, files, n, ret, err);
	if (r && files)
		files_drop(files, n);
	return r;
}

/* ---- frames ------------------------------------------------------------------------------- */

static void end_text(char *text, size_t size)
{
	text[size - 1] = '\0';
}

bool frame_check(uint32_t type, void *payload, size_t bytes)
{
	switch (type) {
	case FRAME_STARTED: {
		struct frame_started *f = payload;

		if (bytes != sizeof(*f))
			return false;
		end_text(f->engine, sizeof(f->engine));
		end_text(f->engine_reason, sizeof(f->engine_reason));
		return true;
	}
	case FRAME_PROGRESS:
		return bytes == sizeof(struct frame_progress);
	case FRAME_MESSAGE:
		return bytes > 0;
	case FRAME_CODE:
		return bytes <= CODE_MAX_BYTES && jit_image_check(payload, bytes);
	case FRAME_FINISHED: {
		struct frame_finished *f = payload;

		if (bytes != sizeof(*f))
			return false;
		end_text(f->engine, sizeof(f->engine));
		end_text(f->engine_reason, sizeof(f->engine_reason));
		end_text(f->reader, sizeof(f->reader));
		end_text(f->device, sizeof(f->device));
		return true;
	}
	case FRAME_FAILED: {
		struct frame_failed *f = payload;

		if (bytes != sizeof(*f) || f->code == NF_OK || f->code > NF_UNAUTHENTICATED)
			return false;
		end_text(f->where, sizeof(f->where));
		end_text(f->text, sizeof(f->text));
		end_text(f->limit, sizeof(f->limit));
		return true;
	}
	}
	return false;
}
