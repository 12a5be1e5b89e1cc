/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>

#include "scan/ring_base.h"

static void uring_close(void *ring)
{
	if (ring)
		ring_base_close(ring);
	free(ring);
}

static int uring_open(const struct ring_config *cfg, void **ret_ring, struct nf_error *err)
{
	struct ring_setup how = {
		.entries = cfg->depth,
		.fds = cfg->fds,
		.n_fds = cfg->n_fds,
		.ops = {IORING_OP_READ, IORING_OP_READ_FIXED},
		.n_ops = 2,
	};
	struct ring_base *r = calloc(1, sizeof(*r));
	int e;

	if (!r) {
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory for a ring");
		return -ENOMEM;
	}
	e = ring_base_open(r, cfg, &how, err);
	if (e) {
		free(r);
		return e;
	}
	*ret_ring = r;
	return 0;
}

static void uring_queue(void *ring, const struct ring_read *read)
{
	struct ring_base *r = ring;
	struct io_uring_sqe *sqe = io_uring_get_sqe(&r->uring);

	if (r->fixed_buffers)
		io_uring_prep_read_fixed(sqe, (int)read->file, read->data, read->bytes,
					 read->offset_bytes, (int)read->buffer);
	else
		io_uring_prep_read(sqe, (int)read->file, read->data, read->bytes,
				   read->offset_bytes);
	sqe->flags |= IOSQE_FIXED_FILE;
	sqe->user_data = read->user_data;
}

static int uring_submit(void *ring)
{
	return ring_base_submit(ring);
}

static int uring_reap(void *ring, uint64_t wait_ns, struct ring_completion *ret, unsigned max)
{
	struct ring_base *r = ring;
	struct io_uring_cqe *cqe;
	unsigned n = 0;
	int e = ring_base_wait(r, wait_ns);

	if (e)
		return e;
	while (n < max && io_uring_peek_cqe(&r->uring, &cqe) == 0) {
		ret[n++] = (struct ring_completion){cqe->user_data, cqe->res};
		io_uring_cqe_seen(&r->uring, cqe);
	}
	return (int)n;
}

const struct ring_ops ring_uring = {
	.open = uring_open,
	.queue = uring_queue,
	.submit = uring_submit,
	.reap = uring_reap,
	.close = uring_close,
};

int ring_uring_check(struct nf_error *why)
{
	struct io_uring_params p = {0};
	struct io_uring uring;
	int e = ring_init_params(1, &uring, &p);

	if (e)
		return ring_setup_error(-e, why);
	io_uring_queue_exit(&uring);
	return 0;
}
