/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/engine_kernel_nop.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>

struct kernel_nop {
	struct io_uring ring;
};

int kernel_nop_new(struct kernel_nop **ret, struct nf_error *err)
{
	struct io_uring_restriction only_nop[] = {
		{.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_NOP},
	};
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
			 IORING_SETUP_R_DISABLED,
	};
	struct kernel_nop *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return -ENOMEM;
	r = io_uring_queue_init_params(2, &n->ring, &params);
	if (r) {
		free(n);
		return nf_error_sys(err, NF_FAILED_PRECONDITION, -r, NULL,
				    "cannot make an io_uring");
	}
	/* Debian 12's liburing declares wrappers for these two, and does not export them. */
	r = io_uring_register((unsigned)n->ring.ring_fd, IORING_REGISTER_RESTRICTIONS, only_nop, 1);
	if (!r)
		r = io_uring_register((unsigned)n->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL,
				      0);
	if (r) {
		kernel_nop_free(n);
		return nf_error_sys(err, NF_FAILED_PRECONDITION, -r, NULL,
				    "cannot restrict an io_uring");
	}
	*ret = n;
	return 0;
}

void kernel_nop_free(struct kernel_nop *n)
{
	if (!n)
		return;
	io_uring_queue_exit(&n->ring);
	free(n);
}

int kernel_nop_run(struct kernel_nop *n, uint64_t user_data, struct nf_error *err)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&n->ring);
	struct io_uring_cqe *cqe;
	int r;

	io_uring_prep_nop(sqe);
	io_uring_sqe_set_data64(sqe, user_data);
	io_uring_submit(&n->ring);
	do
		r = io_uring_wait_cqe(&n->ring, &cqe);
	while (r == -EINTR);
	if (r)
		return nf_error_sys(err, NF_INTERNAL, -r, NULL, "io_uring failed");
	io_uring_cqe_seen(&n->ring, cqe);
	return 0;
}
