/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/ring_base.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scope.h"

/* In Linux 6.0 and 6.1; Debian 12's headers may lack them. */
#ifndef IORING_SETUP_SINGLE_ISSUER
#define IORING_SETUP_SINGLE_ISSUER (1U << 12)
#endif
#ifndef IORING_SETUP_DEFER_TASKRUN
#define IORING_SETUP_DEFER_TASKRUN (1U << 13)
#endif

/* From what is best to what every kernel with io_uring has. */
static const unsigned setups[] = {
	IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER,
	IORING_SETUP_R_DISABLED,
	0,
};

int ring_setup_error(int errnum, struct nf_error *err)
{
	switch (errnum) {
	case ENOMEM:
		return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, errnum, "io_uring",
				    "cannot set up a ring (raise the limit of locked memory)");
	case EMFILE:
	case ENFILE:
		return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, errnum, "io_uring",
				    "cannot set up a ring (raise the limit of open files)");
	default:
		return nf_error_sys(
			err, NF_FAILED_PRECONDITION, errnum, "io_uring",
			"cannot set up a ring (kernel.io_uring_disabled, a sandbox, or a "
			"kernel without it? the reader pread needs none)");
	}
}

/*
 * A ring's memory counts as locked, and the kernel gives that of closed rings back a little later.
 * Who opens one after the other under a tight limit has to wait a moment.
 */
int ring_init_params(unsigned entries, struct io_uring *uring, struct io_uring_params *p)
{
	const unsigned flags = p->flags;
	int e = 0;

	for (int tries = 0; tries < 10; tries++) {
		*p = (struct io_uring_params){.flags = flags};
		e = io_uring_queue_init_params(entries, uring, p);
		if (e != -ENOMEM)
			break;
		nanosleep(&(struct timespec){.tv_nsec = 5 * (long)NS_PER_MS}, NULL);
	}
	return e;
}

static int setup(struct ring_base *r, const struct ring_setup *how, unsigned *ret_flags)
{
	int e = -ENOSYS;

	for (size_t i = 0; i < ARRAY_SIZE(setups); i++) {
		struct io_uring_params p = {.flags = setups[i] | how->flags};

		e = ring_init_params(how->entries, &r->uring, &p);
		if (e == 0) {
			r->opened = true;
			r->waits_with_timeout = p.features & IORING_FEAT_EXT_ARG;
			*ret_flags = setups[i];
			return 0;
		}
		if (e != -EINVAL)
			break;
	}
	return e;
}

/*
 * Nothing but these operations on the registered files, and no more registering: what a program
 * that broke out of its engine could still ask this ring for. Kernels that lack restrictions
 * (before 5.10) have a seccomp filter as their only fence.
 */
static int restrict_ring(struct ring_base *r, const struct ring_setup *how)
{
	struct io_uring_restriction only[RING_MAX_OPS + 1] = {
		{.opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED, .sqe_flags = IOSQE_FIXED_FILE},
	};

	for (unsigned i = 0; i < how->n_ops; i++)
		only[i + 1] = (struct io_uring_restriction){.opcode = IORING_RESTRICTION_SQE_OP,
							    .sqe_op = how->ops[i]};
	/* liburing 2.3's shared library lacks io_uring_register_restrictions and _enable_rings. */
	int fd = r->uring.ring_fd;
	int e = io_uring_register((unsigned)fd, IORING_REGISTER_RESTRICTIONS, only, how->n_ops + 1);

	return e ? e : io_uring_register((unsigned)fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

static bool may_lock_any_memory(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	return syscall(SYS_capget, &header, data) == 0 &&
	       (data[0].effective & (1u << CAP_IPC_LOCK));
}

/* Registered buffers save the pinning of pages for each read. They must leave locked memory for the
 * rings of the other threads, which cannot do without. */
static bool worth_locking(const struct ring_config *cfg)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return true;
	return cfg->depth * cfg->buffer_bytes <= limit.rlim_cur / 8 || may_lock_any_memory();
}

static int register_memory(struct ring_base *r, const struct ring_config *cfg)
{
	AUTO_FREE struct iovec *iov = calloc(cfg->depth, sizeof(*iov));

	if (!iov || !worth_locking(cfg))
		return -ENOMEM;
	for (unsigned i = 0; i < cfg->depth; i++)
		iov[i] = (struct iovec){cfg->memory + i * cfg->buffer_bytes, cfg->buffer_bytes};
	return io_uring_register_buffers(&r->uring, iov, cfg->depth);
}

void ring_base_close(struct ring_base *r)
{
	if (r->opened)
		io_uring_queue_exit(&r->uring);
	r->opened = false;
}

int ring_base_open(struct ring_base *r, const struct ring_config *cfg, const struct ring_setup *how,
		   struct nf_error *err)
{
	unsigned flags = 0;
	int e = setup(r, how, &flags);

	if (e)
		return ring_setup_error(-e, err);
	r->polled = how->flags & IORING_SETUP_IOPOLL;
	e = how->n_fds ? io_uring_register_files(&r->uring, how->fds, how->n_fds) : 0;
	if (e) {
		e = nf_error_sys(err, NF_RESOURCE_EXHAUSTED, -e, "io_uring",
				 "cannot register %u files (raise the limit of open files)",
				 how->n_fds);
		goto err;
	}
	r->fixed_buffers = register_memory(r, cfg) == 0;
	if (flags & IORING_SETUP_R_DISABLED) {
		e = restrict_ring(r, how);
		if (e) {
			e = nf_error_sys(err, NF_INTERNAL, -e, "io_uring",
					 "cannot restrict the ring");
			goto err;
		}
	}
	return 0;
err:
	ring_base_close(r);
	return e;
}

/* The kernel was interrupted, or is short of memory for the moment: asking again is all it takes.
 */
static bool passing(int e)
{
	return e == -EINTR || e == -EAGAIN || e == -EBUSY || e == -ETIME;
}

int ring_base_submit(struct ring_base *r)
{
	int e = io_uring_submit(&r->uring);

	return e < 0 && !passing(e) ? e : 0;
}

/* A ring that polls has no waiting with a time limit: look, and look again. */
static int poll_until(struct ring_base *r, uint64_t end_ns)
{
	int e;

	do {
		e = ring_base_submit(r);
	} while (!e && !io_uring_cq_ready(&r->uring) && clock_now_ns() < end_ns);
	return e;
}

int ring_base_wait(struct ring_base *r, uint64_t wait_ns)
{
	struct __kernel_timespec ts = {
		.tv_sec = (long long)(wait_ns / NS_PER_SEC),
		.tv_nsec = (long long)(wait_ns % NS_PER_SEC),
	};
	struct io_uring_cqe *cqe;
	int e;

	if (!io_uring_sq_ready(&r->uring) && io_uring_cq_ready(&r->uring))
		return 0;
	if (r->polled)
		return poll_until(r, clock_now_ns() + wait_ns);
	e = r->waits_with_timeout ? io_uring_submit_and_wait_timeout(&r->uring, &cqe, 1, &ts, NULL)
				  : io_uring_submit_and_wait(&r->uring, 1);
	return e < 0 && !passing(e) ? e : 0;
}
