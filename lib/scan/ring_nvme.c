/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ring_nvme.c - reads of NVMe namespaces as the device's own read commands, through io_uring.
 *
 * A read becomes one command, or several of the most bytes that a command may have. Each is a walk:
 *
 *	at            at + step                    end
 *	|<- in flight ->|                           |
 *
 *	success   at += step; done when at == end
 *	failure   the same again, up to TRIES: nobody else retries a command that came from user
 *	          space. Then half the step, down to a block: what can be read is read, and what
 *	          cannot is known by its LBA. PATIENCE_NS after its first failure a walk ends with
 *	          the next one, wherever it is: a device that answers nothing keeps nobody longer.
 *
 * Where commands are refused (no right to them, a kernel before 5.19) the same walk goes through
 * the block node with O_DIRECT; the driver retries by itself there. So does a walk whose command
 * found no way to the device: the block node waits for a path to come back.
 *
 * user_data: a command that is a whole read, and was never shortened, carries the read's own, so
 * that an engine in the kernel sees it complete (result 0: all bytes are there). All others carry
 * MINE + their number, which is below 2^32 and nobody's.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/nvme_ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/scope.h"
#include "scan/nvme_device.h"
#include "scan/ring_base.h"
#include "scan/source.h"

#ifndef IORING_URING_CMD_FIXED
#define IORING_URING_CMD_FIXED (1U << 0)
#endif

enum {
	MINE = 1 << 30,
	TRIES = 5,        /* of one command, as many as the driver has for its own */
	TRIES_SEARCH = 2, /* while the block that fails is looked for */
	MAX_IN_FLIGHT = 256,
	READ_COMMAND = 0x02,
	/* A command's status (NVMe Base Specification 2.0, 4.2.3), as Linux hands it out. */
	STATUS_CODE = 0x7ff, /* type and code */
	STATUS_TYPE = 0x700,
	STATUS_TYPE_PATH = 0x300,
	DO_NOT_RETRY = 0x4000,
};

#define PATIENCE_NS (30 * NS_PER_SEC)

enum how { AS_COMMAND, AS_READ };

struct walk {
	bool busy;
	enum how how;
	unsigned slot; /* of its read */
	uint32_t at, end, step;
	unsigned tries;
	uint64_t failed_ns; /* when it failed first; 0: not yet */
	uint64_t user_data; /* of what is in flight */
};

/* A read that reader_uring asked for. */
struct slot {
	bool busy;
	struct ring_read read;
	uint32_t begun;   /* bytes that walks have taken */
	unsigned walking; /* walks of it */
	int error;        /* 0, -errno, or a status */
	uint64_t error_at;
	uint32_t error_bytes; /* that did not come: more than a block when none could be named */
	bool error_is_status;
};

struct ring_nvme {
	struct ring_base base;
	const struct source_file *files;
	unsigned n_files;
	unsigned depth;
	struct slot *slots; /* per buffer */
	struct walk *walks;
	unsigned n_walks, n_busy;
	struct slot failed; /* the last one, for explain */
	bool refused;       /* commands: none any more */
	bool stopped;
	uint64_t commands, retries;
};

static const struct source_file *file_of(const struct ring_nvme *r, const struct ring_read *read)
{
	return &r->files[read->file / 2];
}

static uint32_t in_flight_bytes(const struct walk *w)
{
	return w->end - w->at < w->step ? w->end - w->at : w->step;
}

static void issue(struct ring_nvme *r, struct walk *w)
{
	struct slot *s = &r->slots[w->slot];
	const struct source_file *f = file_of(r, &s->read);
	struct io_uring_sqe *sqe = io_uring_get_sqe(&r->base.uring);
	uint32_t bytes = in_flight_bytes(w);
	uint64_t offset = s->read.offset_bytes + w->at;
	uint8_t *data = s->read.data + w->at;

	if (f->nvme.fd < 0 || r->refused)
		w->how = AS_READ;
	w->user_data = MINE + (uint64_t)(w - r->walks);
	if (w->how == AS_READ) {
		if (r->base.fixed_buffers)
			io_uring_prep_read_fixed(sqe, (int)(s->read.file | 1), data, bytes, offset,
						 (int)s->read.buffer);
		else
			io_uring_prep_read(sqe, (int)(s->read.file | 1), data, bytes, offset);
	} else {
		uint64_t lba = offset / f->nvme.block_bytes;
		struct nvme_uring_cmd cmd = {
			.opcode = READ_COMMAND,
			.nsid = f->nvme.nsid,
			.addr = (uintptr_t)data,
			.data_len = bytes,
			.cdw10 = (uint32_t)lba,
			.cdw11 = (uint32_t)(lba >> 32),
			.cdw12 = bytes / f->nvme.block_bytes - 1,
		};

		if (w->at == 0 && bytes == s->read.bytes)
			w->user_data = s->read.user_data;
		memset(sqe, 0, 2 * sizeof(*sqe));
		sqe->opcode = IORING_OP_URING_CMD;
		sqe->fd = (int)(2 * r->n_files + s->read.file / 2);
		sqe->cmd_op = NVME_URING_CMD_IO;
		if (r->base.fixed_buffers) {
			sqe->uring_cmd_flags = IORING_URING_CMD_FIXED;
			sqe->buf_index = (uint16_t)s->read.buffer;
		}
		memcpy(sqe->cmd, &cmd, sizeof(cmd));
	}
	sqe->flags |= IOSQE_FIXED_FILE;
	sqe->user_data = w->user_data;
	r->commands++;
}

/* The next of the fewest parts, all about as large: a small rest would be a command, too. */
static uint32_t part_bytes(uint32_t left, const struct source_nvme *n)
{
	uint32_t parts = (left + n->max_bytes - 1) / n->max_bytes;
	uint32_t blocks = left / n->block_bytes;

	return (blocks + parts - 1) / parts * n->block_bytes;
}

/* Begin as many walks as there is room for. */
static void begin(struct ring_nvme *r)
{
	unsigned next = 0;

	for (unsigned i = 0; i < r->depth; i++) {
		struct slot *s = &r->slots[i];
		const struct source_file *f = file_of(r, &s->read);

		if (r->stopped && s->busy && !s->error)
			s->error = -ECANCELED;
		while (s->busy && !s->error && s->begun < s->read.bytes && r->n_busy < r->n_walks) {
			uint32_t left = s->read.bytes - s->begun;
			struct walk *w;

			while (r->walks[next].busy)
				next++;
			w = &r->walks[next];
			*w = (struct walk){.busy = true, .slot = i, .at = s->begun};
			w->step = part_bytes(left, &f->nvme);
			w->end = w->at + w->step;
			s->begun = w->end;
			s->walking++;
			r->n_busy++;
			issue(r, w);
		}
	}
}

static void end_walk(struct ring_nvme *r, struct walk *w)
{
	w->busy = false;
	r->n_busy--;
	r->slots[w->slot].walking--;
}

static void fail(struct ring_nvme *r, struct walk *w, int res)
{
	struct slot *s = &r->slots[w->slot];

	if (w->how == AS_READ && res >= 0) /* less than a block */
		res = -ENODATA;
	/* The first place in the file, not the first in time. */
	if (!s->error || s->read.offset_bytes + w->at < s->error_at) {
		s->error = res;
		s->error_is_status = res > 0;
		s->error_at = s->read.offset_bytes + w->at;
		s->error_bytes = in_flight_bytes(w);
	}
	end_walk(r, w);
}

/* The kernel will not have commands from us: no right, no such operation. EINVAL is also what the
 * head of a multipath namespace says when none of its paths is up. */
static bool is_refusal(const struct walk *w, int res)
{
	return w->how == AS_COMMAND && (res == -EACCES || res == -EPERM || res == -EOPNOTSUPP ||
					res == -ENOTTY || res == -EINVAL);
}

/* A path-related status: the controller is not to be reached, or not this way. */
static bool is_no_path(const struct walk *w, int res)
{
	return w->how == AS_COMMAND && res > 0 && (res & STATUS_TYPE) == STATUS_TYPE_PATH;
}

static bool is_gone(int res)
{
	return res == -ENODEV || res == -ENXIO;
}

/* Is there a point in asking again after a failure? If so, the walk is ready for it. */
static bool try_again(struct ring_nvme *r, struct walk *w, int res, uint32_t block)
{
	uint32_t bytes = in_flight_bytes(w);
	bool again = res < 0 || !(res & DO_NOT_RETRY);
	unsigned tries = w->how == AS_READ          ? 1
			 : w->end - w->at > w->step ? TRIES_SEARCH
						    : TRIES;
	uint64_t now_ns = clock_now_ns();

	if (!w->failed_ns)
		w->failed_ns = now_ns;
	if (now_ns - w->failed_ns > PATIENCE_NS)
		return false;
	if (w->how == AS_READ && (res == -EAGAIN || res == -EINTR))
		tries = TRIES;
	if (again && ++w->tries < tries) {
		r->retries++;
		return true;
	}
	w->step = bytes / block / 2 * block;
	w->tries = 0;
	return bytes > block;
}

/* res of what was in flight: 0 or a status of a command, bytes of a read, or -errno. */
static void step(struct ring_nvme *r, struct walk *w, int res)
{
	const struct slot *s = &r->slots[w->slot];
	uint32_t block = file_of(r, &s->read)->nvme.block_bytes;
	uint32_t bytes = in_flight_bytes(w);
	bool ok = w->how == AS_COMMAND ? res == 0 : res > 0 && (uint32_t)res % block == 0;

	if (ok) {
		w->at += w->how == AS_COMMAND ? bytes : (uint32_t)res;
		w->tries = 0;
		if (w->at >= w->end || s->error) {
			end_walk(r, w);
			return;
		}
	} else if (s->error || is_gone(res) || (w->how == AS_READ && res == 0)) {
		fail(r, w, res);
		return;
	} else if (is_refusal(w, res)) {
		r->refused = true;
	} else if (is_no_path(w, res)) {
		w->how = AS_READ;
	} else if (!try_again(r, w, res, block)) {
		fail(r, w, res);
		return;
	}
	issue(r, w);
}

static struct walk *walk_of(struct ring_nvme *r, uint64_t user_data)
{
	if (user_data >= MINE && user_data < (uint64_t)MINE + r->n_walks)
		return &r->walks[user_data - MINE];
	for (unsigned i = 0; i < r->n_walks; i++)
		if (r->walks[i].busy && r->walks[i].user_data == user_data)
			return &r->walks[i];
	return NULL;
}

/* The read has no walk any more, and none to begin. */
static bool finished(const struct slot *s)
{
	return s->busy && !s->walking && (s->error || s->begun == s->read.bytes);
}

static int nvme_submit(void *ring)
{
	struct ring_nvme *r = ring;

	begin(r);
	return ring_base_submit(&r->base);
}

static int nvme_reap(void *ring, uint64_t wait_ns, struct ring_completion *ret, unsigned max)
{
	struct ring_nvme *r = ring;
	struct io_uring_cqe *cqe;
	unsigned n = 0;
	int e;

	begin(r);
	e = ring_base_wait(&r->base, wait_ns);
	while (!e && io_uring_peek_cqe(&r->base.uring, &cqe) == 0) {
		struct walk *w = walk_of(r, cqe->user_data);
		int res = cqe->res;

		io_uring_cqe_seen(&r->base.uring, cqe);
		if (w && w->busy)
			step(r, w, res);
	}
	for (unsigned i = 0; i < r->depth && n < max; i++) {
		struct slot *s = &r->slots[i];

		if (!finished(s))
			continue;
		s->busy = false;
		if (s->error)
			r->failed = *s;
		ret[n++] = (struct ring_completion){s->read.user_data,
						    s->error ? -EIO : (int)s->read.bytes};
	}
	if (!e && n < max) {
		begin(r);
		e = ring_base_submit(&r->base);
	}
	return e ? e : (int)n;
}

static void nvme_stop(void *ring)
{
	struct ring_nvme *r = ring;

	r->stopped = true;
}

static void nvme_queue(void *ring, const struct ring_read *read)
{
	struct ring_nvme *r = ring;

	r->slots[read->buffer] = (struct slot){.busy = true, .read = *read};
}

static void nvme_close(void *ring)
{
	struct ring_nvme *r = ring;

	if (!r)
		return;
	ring_base_close(&r->base);
	free(r->slots);
	free(r->walks);
	free(r);
}

/* What the driver means by it: Linux makes an errno of a status on the block node, and of a command
 * that it gave up. */
static const char *errno_text(int errnum)
{
	switch (errnum) {
	case ENODATA:
		return "reading failed, a medium error";
	case EILSEQ:
		return "reading failed, the data and its protection information do not match";
	case EINTR:
	case ETIMEDOUT:
		return "reading failed, the device did not answer within the driver's time limit";
	case ENODEV:
	case ENXIO:
		return "the namespace is gone";
	default:
		return "reading failed";
	}
}

static int nvme_failure(void *ring, struct nf_error *err)
{
	const struct ring_nvme *r = ring;
	const struct slot *s = &r->failed;
	const struct source_file *f = file_of(r, &s->read);
	uint64_t lba = s->error_at / f->nvme.block_bytes;
	uint32_t blocks = s->error_bytes / f->nvme.block_bytes;
	char where[256];
	int n = snprintf(where, sizeof(where), "%s, LBA %" PRIu64, f->name, lba);

	if (blocks > 1 && n < (int)sizeof(where))
		snprintf(where + n, sizeof(where) - (size_t)n, " to %" PRIu64, lba + blocks - 1);
	if (s->error_is_status)
		return nf_error_set(err, NF_DATA_LOSS, where, "reading failed: %s (status 0x%x)",
				    nvme_device_status_text(s->error & STATUS_CODE), s->error);
	nf_error_sys(err, NF_DATA_LOSS, -s->error, where, "%s", errno_text(-s->error));
	return -nf_code_errno(NF_DATA_LOSS);
}

static void nvme_count(void *ring, struct ring_counts *ret)
{
	const struct ring_nvme *r = ring;

	*ret = (struct ring_counts){r->commands, r->retries, r->refused, r->base.polled};
}

/* All registered: 2i and 2i + 1 as reader_uring has them, then the nodes for commands. */
static int *all_fds(const struct ring_config *cfg)
{
	int *fds = calloc(3 * (size_t)cfg->n_files + 1, sizeof(*fds));

	for (unsigned i = 0; fds && i < cfg->n_files; i++) {
		fds[2 * i] = -1;
		fds[2 * i + 1] = cfg->files[i].direct_fd;
		fds[2 * cfg->n_files + i] = cfg->files[i].nvme.fd;
	}
	return fds;
}

static int nvme_open_ring(const struct ring_config *cfg, void **ret_ring, struct nf_error *err)
{
	struct ring_nvme *r = calloc(1, sizeof(*r));
	AUTO_FREE int *fds = all_fds(cfg);
	bool polled = true;
	uint64_t walks = 0;
	int e = -ENOMEM;

	if (!r || !fds)
		goto no_memory;
	r->files = cfg->files;
	r->n_files = cfg->n_files;
	r->depth = cfg->depth;
	for (unsigned i = 0; i < cfg->n_files; i++) {
		const struct source_nvme *n = &cfg->files[i].nvme;
		uint64_t per_read = (cfg->buffer_bytes + n->max_bytes - 1) / n->max_bytes;

		polled = polled && n->polled;
		walks = walks < per_read * cfg->depth ? per_read * cfg->depth : walks;
	}
	r->n_walks = walks < MAX_IN_FLIGHT ? (unsigned)walks : MAX_IN_FLIGHT;
	r->slots = calloc(cfg->depth, sizeof(*r->slots));
	r->walks = calloc(r->n_walks, sizeof(*r->walks));
	if (!r->slots || !r->walks)
		goto no_memory;
	struct ring_setup how = {
		.entries = r->n_walks,
		.flags = IORING_SETUP_SQE128 | IORING_SETUP_CQE32 |
			 (polled ? IORING_SETUP_IOPOLL : 0),
		.fds = fds,
		.n_fds = 3 * cfg->n_files,
		.ops = {IORING_OP_READ, IORING_OP_READ_FIXED, IORING_OP_URING_CMD},
		.n_ops = 3,
	};
	e = ring_base_open(&r->base, cfg, &how, err);
	if (e)
		goto err;
	*ret_ring = r;
	return 0;
no_memory:
	nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory for a ring");
err:
	nvme_close(r);
	return e;
}

const struct ring_ops ring_nvme = {
	.open = nvme_open_ring,
	.queue = nvme_queue,
	.submit = nvme_submit,
	.reap = nvme_reap,
	.stop = nvme_stop,
	.close = nvme_close,
	.failure = nvme_failure,
	.count = nvme_count,
};
