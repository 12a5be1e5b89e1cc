/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/scope.h"
#include "storage-node/sandbox_filter.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* The sanitizer's shadow counts as data, and its report goes to stderr. */
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static struct sandbox_filter filter;

static int fail(struct nf_error *err, const char *what)
{
	return nf_error_sys(err, NF_INTERNAL, errno, "sandbox", "%s", what);
}

/* ---- step 1 ------------------------------------------------------------------------------ */

int sandbox_spawner(struct nf_error *err)
{
	static const unsigned kept[] = {CAP_BPF, CAP_PERFMON};
	bool had[ARRAY_SIZE(kept)];

	if (capng_get_caps_process())
		return fail(err, "cannot read the capabilities");
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		had[i] = capng_have_capability(CAPNG_PERMITTED, kept[i]);
	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (had[i])
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, kept[i]);
	/* The bounding set can be cleared by a privileged process only; for any other it adds
	 * nothing to no_new_privs. */
	if (geteuid() == 0)
		capng_apply(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_CAPS))
		return fail(err, "cannot drop capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail(err, "cannot set no_new_privs");
	return sandbox_filter_build(&filter, err);
}

/* ---- step 2 ------------------------------------------------------------------------------ */

/* `first` becomes descriptor 3; `keep`, if it is one, stays somewhere; every other is closed. */
static int close_the_rest(int first, int *keep, struct nf_error *err)
{
	unsigned from = SANDBOX_CHANNEL_FD + 1;

	/* keep must not stand where the other goes. */
	if (keep && *keep == SANDBOX_CHANNEL_FD) {
		*keep = fcntl(*keep, F_DUPFD_CLOEXEC, from);
		if (*keep < 0)
			return fail(err, "cannot move a descriptor");
	}
	if (first != SANDBOX_CHANNEL_FD && dup3(first, SANDBOX_CHANNEL_FD, O_CLOEXEC) < 0)
		return fail(err, "cannot move a socket");
	/* 0 and 1 are /dev/null since the spawner began; a worker logs nothing. */
	if (!SANITIZED && dup2(STDIN_FILENO, STDERR_FILENO) < 0)
		return fail(err, "cannot close stderr");
	if (keep) {
		if ((unsigned)*keep > from && close_range(from, (unsigned)*keep - 1, 0))
			return fail(err, "cannot close descriptors");
		from = (unsigned)*keep + 1;
	}
	return close_range(from, ~0u, 0) ? fail(err, "cannot close descriptors") : 0;
}

static int set_limit(__rlimit_resource_t what, uint64_t soft, uint64_t hard)
{
	struct rlimit old, limit;

	if (getrlimit(what, &old))
		return -1;
	limit.rlim_max = hard < old.rlim_max ? hard : old.rlim_max;
	limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
	return setrlimit(what, &limit);
}

static int set_limits(const struct sandbox_limits *l, struct nf_error *err)
{
	/* SIGXCPU at the limit says why; SIGKILL a second later would not. No file grows: a worker
	 * has none to write to. */
	if (set_limit(RLIMIT_CPU, l->cpu_seconds, l->cpu_seconds + 1) ||
	    set_limit(RLIMIT_CORE, 0, 0) || set_limit(RLIMIT_FSIZE, 0, 0) ||
	    set_limit(RLIMIT_MSGQUEUE, 0, 0) ||
	    set_limit(RLIMIT_NOFILE, l->open_files, l->open_files) ||
	    (!SANITIZED && set_limit(RLIMIT_DATA, l->memory_bytes, l->memory_bytes)))
		return fail(err, "cannot set resource limits");
	return 0;
}

int sandbox_spare(int *handoff, pid_t parent, struct nf_error *err)
{
	int ret;

	prctl(PR_SET_NAME, "nearfold-spare");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_SET_DUMPABLE, 0))
		return fail(err, "cannot tie the worker to its parent");
	if (getppid() != parent) /* it died before PDEATHSIG was set */
		_exit(EXIT_FAILURE);
	ret = close_the_rest(*handoff, NULL, err);
	if (!ret)
		*handoff = SANDBOX_CHANNEL_FD;
	return ret;
}

int sandbox_worker(int channel, int *keep, bool needs_bpf, const struct sandbox_limits *limits,
		   struct nf_error *err)
{
	int ret;

	prctl(PR_SET_NAME, "nearfold-work");
	ret = close_the_rest(channel, keep, err);
	if (ret)
		return ret;
	if (!needs_bpf) {
		capng_clear(CAPNG_SELECT_CAPS);
		if (capng_apply(CAPNG_SELECT_CAPS))
			return fail(err, "cannot drop capabilities");
	}
	return set_limits(limits, err);
}

/* ---- step 3 ------------------------------------------------------------------------------ */

int sandbox_enter(struct nf_error *err)
{
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS))
		return fail(err, "cannot drop capabilities");
	return sandbox_filter_install(&filter, err);
}
