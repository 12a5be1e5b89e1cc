/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/sandbox_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/scope.h"
#include "storage-node/sandbox.h"

#ifndef __NR_cachestat
#define __NR_cachestat 451
#endif

/* One row per system call and condition; a call that is in no row ends the worker with SIGSYS. */
enum condition {
	ALWAYS,
	TO_CHANNEL,     /* the first argument is the channel */
	NO_EXEC,        /* mmap, mprotect: PROT_EXEC is not asked for */
	EXEC_READ_ONLY, /* mprotect: PROT_EXEC without PROT_WRITE, what a JIT does at its end */
	A_THREAD,       /* clone: a thread of this process, not a new one */
	DEVICE_SIZE,    /* ioctl: BLKGETSIZE64 */
	BY_DESCRIPTOR,  /* newfstatat, statx: may name a descriptor alone */
	NO_SUCH_CALL,   /* ENOSYS: the C library then takes an older call that can be checked */
	DENIED, /* EACCES: asked for out of habit by the C library, which can go on without */
};

static const struct {
	int number;
	enum condition condition;
	const char *why;
} rows[] = {
	{SCMP_SYS(read), ALWAYS, "files"},
	{SCMP_SYS(readv), ALWAYS, "files"},
	{SCMP_SYS(pread64), ALWAYS, "files"},
	{SCMP_SYS(preadv), ALWAYS, "files"},
	{SCMP_SYS(preadv2), ALWAYS, "files, RWF_NOWAIT"},
	{SCMP_SYS(lseek), ALWAYS, "files"},
	{SCMP_SYS(fadvise64), ALWAYS, "files"},
	{SCMP_SYS(readahead), ALWAYS, "files"},
	{SCMP_SYS(mincore), ALWAYS, "what is in the page cache"},
	{__NR_cachestat, ALWAYS, "what is in the page cache"},
	{SCMP_SYS(close), ALWAYS, "files"},
	{SCMP_SYS(fstat), ALWAYS, "the generation check"},
	{SCMP_SYS(newfstatat), BY_DESCRIPTOR, "the generation check"},
	{SCMP_SYS(statx), BY_DESCRIPTOR, "the generation check"},
	{SCMP_SYS(ioctl), DEVICE_SIZE, "the generation check of a block device"},
	{SCMP_SYS(io_uring_enter), ALWAYS, "reads, on rings that exist and are restricted"},
	{SCMP_SYS(write), TO_CHANNEL, "the answer"},
	{SCMP_SYS(writev), TO_CHANNEL, "the answer"},
	{SCMP_SYS(sendto), TO_CHANNEL, "the answer"},
	{SCMP_SYS(sendmsg), TO_CHANNEL, "the answer"},
	{SCMP_SYS(mmap), NO_EXEC, "memory"},
	{SCMP_SYS(mprotect), NO_EXEC, "memory"},
	{SCMP_SYS(mprotect), EXEC_READ_ONLY, "code of the JIT"},
	{SCMP_SYS(munmap), ALWAYS, "memory"},
	{SCMP_SYS(mremap), ALWAYS, "memory"},
	{SCMP_SYS(madvise), ALWAYS, "memory"},
	{SCMP_SYS(brk), ALWAYS, "memory"},
	{SCMP_SYS(clone), A_THREAD, "scan threads"},
	{SCMP_SYS(clone3), NO_SUCH_CALL, "its flags lie in memory, where no filter sees them"},
	{SCMP_SYS(set_robust_list), ALWAYS, "scan threads"},
	{SCMP_SYS(rseq), ALWAYS, "scan threads"},
	{SCMP_SYS(futex), ALWAYS, "scan threads"},
	{SCMP_SYS(sched_yield), ALWAYS, "scan threads"},
	{SCMP_SYS(sched_getaffinity), ALWAYS, "scan threads"},
	{SCMP_SYS(gettid), ALWAYS, "scan threads"},
	{SCMP_SYS(getpid), ALWAYS, "scan threads"},
	{SCMP_SYS(rt_sigprocmask), ALWAYS, "scan threads"},
	{SCMP_SYS(rt_sigaction), ALWAYS, "SIGBUS when a mapped file shrinks"},
	{SCMP_SYS(rt_sigreturn), ALWAYS, "SIGBUS when a mapped file shrinks"},
	{SCMP_SYS(sigaltstack), ALWAYS, "SIGBUS when a mapped file shrinks"},
	{SCMP_SYS(clock_gettime), ALWAYS, "time, where the vDSO cannot"},
	{SCMP_SYS(clock_nanosleep), ALWAYS, "time"},
	{SCMP_SYS(restart_syscall), ALWAYS, "time"},
	{SCMP_SYS(getrusage), ALWAYS, "what the query cost"},
	{SCMP_SYS(getrandom), ALWAYS, "hash seeds"},
	{SCMP_SYS(sysinfo), ALWAYS, "how much memory qsort() may take"},
	{SCMP_SYS(exit), ALWAYS, "the end"},
	{SCMP_SYS(exit_group), ALWAYS, "the end"},
	{SCMP_SYS(openat), DENIED, "the C library looks for /sys and time zones"},
	{SCMP_SYS(prctl), DENIED, "names of memory and threads"},
	{SCMP_SYS(tgkill), DENIED, "abort(); it then ends by an illegal instruction"},
};

static int add_row(scmp_filter_ctx ctx, int number, enum condition condition)
{
	switch (condition) {
	case ALWAYS:
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, number, 0);
	case TO_CHANNEL:
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, number, 1,
					SCMP_A0(SCMP_CMP_EQ, SANDBOX_CHANNEL_FD));
	case NO_EXEC:
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, number, 1,
					SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	case EXEC_READ_ONLY:
		return seccomp_rule_add(
			ctx, SCMP_ACT_ALLOW, number, 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC));
	case A_THREAD:
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, number, 1,
					SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	case DEVICE_SIZE:
		return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, number, 1,
					SCMP_A1(SCMP_CMP_EQ, BLKGETSIZE64));
	case BY_DESCRIPTOR:
		/* newfstatat(fd, path, buf, flags), statx(fd, path, flags, ...) */
		return number == SCMP_SYS(statx)
			       ? seccomp_rule_add(
					 ctx, SCMP_ACT_ALLOW, number, 1,
					 SCMP_A2(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH))
			       : seccomp_rule_add(
					 ctx, SCMP_ACT_ALLOW, number, 1,
					 SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
	case NO_SUCH_CALL:
		return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), number, 0);
	case DENIED:
		return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), number, 0);
	}
	return -EINVAL;
}

/* libseccomp writes the finished program into a descriptor; take it from there. */
static int export(scmp_filter_ctx ctx, struct sandbox_filter *ret)
{
	AUTO_CLOSE int fd = memfd_create("nearfold-seccomp", MFD_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	r = seccomp_export_bpf(ctx, fd);
	if (r)
		return r;
	if (fstat(fd, &st))
		return -errno;
	ret->insns = malloc((size_t)st.st_size);
	if (!ret->insns)
		return -ENOMEM;
	if (pread(fd, ret->insns, (size_t)st.st_size, 0) != st.st_size) {
		free(ret->insns);
		return -EIO;
	}
	ret->n_insns = (unsigned short)((size_t)st.st_size / sizeof(*ret->insns));
	return 0;
}

int sandbox_filter_build(struct sandbox_filter *ret, struct nf_error *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = ctx ? 0 : -ENOMEM;

	if (!r)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A binary tree instead of a list: every read passes here. */
	if (!r)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; i < ARRAY_SIZE(rows) && !r; i++)
		r = add_row(ctx, rows[i].number, rows[i].condition);
	if (!r)
		r = export(ctx, ret);
	if (ctx)
		seccomp_release(ctx);
	if (r)
		return nf_error_sys(err, NF_INTERNAL, -r, "sandbox",
				    "cannot build the system call filter");
	return 0;
}

int sandbox_filter_install(const struct sandbox_filter *filter, struct nf_error *err)
{
	struct sock_fprog prog = {.len = filter->n_insns, .filter = filter->insns};
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog);

	if (r > 0)
		return nf_error_set(err, NF_INTERNAL, "sandbox",
				    "thread %ld cannot take the system call filter", r);
	if (r < 0)
		return nf_error_sys(err, NF_INTERNAL, errno, "sandbox",
				    "cannot install the system call filter");
	return 0;
}
