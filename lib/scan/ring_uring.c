/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ring_uring.c - reads of files.
 *
 * Where the disks have queues for polling, a second ring takes the direct reads
 * (IORING_SETUP_IOPOLL); what goes through the page cache cannot be polled for. A file system that
 * refuses to poll (EOPNOTSUPP) is read through the first ring from then on.
 */
#include <errno.h>
#include <stdlib.h>

#include "scan/ring_base.h"

struct ring_uring {
	struct ring_base base, polled;
	bool polls;                         /* there is the second ring, and it works */
	bool has_polled;                    /* it brought something */
	unsigned in_flight, poll_in_flight; /* in either */
};

static void uring_close(void *ring)
{
	struct ring_uring *r = ring;

	if (!r)
		return;
	ring_base_close(&r->polled);
	ring_base_close(&r->base);
	free(r);
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
	struct ring_uring *r = calloc(1, sizeof(*r));
	int e;

	if (!r) {
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory for a ring");
		return -ENOMEM;
	}
	e = ring_base_open(&r->base, cfg, &how, err);
	if (e) {
		uring_close(r);
		return e;
	}
	how.flags = IORING_SETUP_IOPOLL;
	r->polls = cfg->polled && !ring_base_open(&r->polled, cfg, &how, NULL);
	*ret_ring = r;
	return 0;
}

static void uring_queue(void *ring, const struct ring_read *read)
{
	struct ring_uring *r = ring;
	bool poll = r->polls && read->file % 2;
	struct ring_base *base = poll ? &r->polled : &r->base;
	struct io_uring_sqe *sqe = io_uring_get_sqe(&base->uring);

	if (base->fixed_buffers)
		io_uring_prep_read_fixed(sqe, (int)read->file, read->data, read->bytes,
					 read->offset_bytes, (int)read->buffer);
	else
		io_uring_prep_read(sqe, (int)read->file, read->data, read->bytes,
				   read->offset_bytes);
	sqe->flags |= IOSQE_FIXED_FILE;
	sqe->user_data = read->user_data;
	*(poll ? &r->poll_in_flight : &r->in_flight) += 1;
}

static int uring_submit(void *ring)
{
	struct ring_uring *r = ring;
	int e = 0;

	if (io_uring_sq_ready(&r->base.uring))
		e = ring_base_submit(&r->base);
	if (!e && r->polled.opened && io_uring_sq_ready(&r->polled.uring))
		e = ring_base_submit(&r->polled);
	return e;
}

static unsigned take(struct ring_base *base, struct ring_completion *ret, unsigned max)
{
	struct io_uring_cqe *cqe;
	unsigned n = 0;

	while (n < max && io_uring_peek_cqe(&base->uring, &cqe) == 0) {
		ret[n++] = (struct ring_completion){cqe->user_data, cqe->res};
		io_uring_cqe_seen(&base->uring, cqe);
	}
	return n;
}

/* From the second ring. What the file system does not poll for is asked for again. */
static unsigned take_polled(struct ring_uring *r, struct ring_completion *ret, unsigned max)
{
	unsigned n = take(&r->polled, ret, max);

	r->poll_in_flight -= n;
	for (unsigned i = 0; i < n; i++) {
		if (ret[i].res == -EOPNOTSUPP) {
			ret[i].res = -EAGAIN;
			r->polls = false;
		} else {
			r->has_polled = true;
		}
	}
	return n;
}

static int uring_reap(void *ring, uint64_t wait_ns, struct ring_completion *ret, unsigned max)
{
	struct ring_uring *r = ring;
	unsigned n;
	int e = 0;

	/* Reads of the page cache are done by now, or soon; while there are such, nobody waits for
	 * the disk only. */
	if (!r->poll_in_flight)
		e = ring_base_wait(&r->base, wait_ns);
	else if (r->in_flight)
		e = ring_base_wait(&r->base, 0);
	if (e)
		return e;
	n = take(&r->base, ret, max);
	r->in_flight -= n;
	if (r->poll_in_flight && n < max) {
		e = ring_base_wait(&r->polled, n || r->in_flight ? 0 : wait_ns);
		if (e)
			return e;
		n += take_polled(r, ret + n, max - n);
	}
	return (int)n;
}

static void uring_count(void *ring, struct ring_counts *ret)
{
	const struct ring_uring *r = ring;

	ret->polled = r->has_polled;
}

const struct ring_ops ring_uring = {
	.open = uring_open,
	.queue = uring_queue,
	.submit = uring_submit,
	.reap = uring_reap,
	.close = uring_close,
	.count = uring_count,
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
