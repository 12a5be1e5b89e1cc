/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scope.h"

enum { MAX_WORDS = 24, COMMAND_BYTES = 400 };

/* ---- ip and tc ----------------------------------------------------------------------------- */

static void exec_tool(char **words, int output)
{
	const char *path = getenv("PATH");
	char wide[4096];

	snprintf(wide, sizeof(wide), "%s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");
	setenv("PATH", wide, 1);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	execvp(words[0], words);
	dprintf(STDERR_FILENO, "%s is not installed (package iproute2)", words[0]);
	_exit(127);
}

/* Waits for a child; its exit status, or -1 when it was killed. */
static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Words separated by blanks; what the tool prints becomes the reason when it fails. */
__attribute__((format(printf, 2, 3))) static int tool(struct nf_error *err, const char *fmt, ...)
{
	char command[COMMAND_BYTES], text[COMMAND_BYTES], said[400], *words[MAX_WORDS + 1], *save;
	int out[2], n = 0;
	ssize_t got;
	size_t used = 0;
	va_list ap;
	pid_t pid;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	memcpy(text, command, sizeof(text));
	for (char *w = strtok_r(text, " ", &save); w && n < MAX_WORDS;
	     w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	words[n] = NULL;
	if (pipe2(out, O_CLOEXEC) < 0)
		return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, errno, command, "no pipe");
	pid = fork();
	if (pid == 0)
		exec_tool(words, out[1]);
	close(out[1]);
	while (pid > 0 && used < sizeof(said) - 1 &&
	       (got = read(out[0], said + used, sizeof(said) - 1 - used)) > 0)
		used += (size_t)got;
	close(out[0]);
	said[used] = '\0';
	said[strcspn(said, "\n")] = '\0';
	if (pid < 0 || wait_for(pid) != 0)
		return nf_error_set(err, NF_FAILED_PRECONDITION, command, "%s",
				    pid < 0 ? "no process" : said);
	return 0;
}

/* ---- namespaces ---------------------------------------------------------------------------- */

int bench_netns_enter(const struct bench_netns *ns, enum bench_netns_side side,
		      struct nf_error *err)
{
	if (setns(ns->fd[side], CLONE_NEWNET) == 0)
		return 0;
	return nf_error_sys(err, NF_PERMISSION_DENIED, errno, "network namespace",
			    "cannot be entered");
}

static int open_current(void)
{
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

static int open_new(int *ret, struct nf_error *err)
{
	if (unshare(CLONE_NEWNET) < 0)
		return nf_error_sys(err, NF_PERMISSION_DENIED, errno, "network namespace",
				    "cannot be made; shaped links need root");
	*ret = open_current();
	return *ret < 0 ? nf_error_sys(err, NF_INTERNAL, errno, "/proc/thread-self/ns/net",
				       "cannot be opened")
			: 0;
}

static int make_links(struct bench_netns *ns, struct nf_error *err)
{
	/* The thread is in the node's. */
	int r = tool(err, "ip link set lo up");

	if (r == 0)
		r = tool(err,
			 "ip link add nfn0 type veth peer name " BENCH_NETNS_CLIENT_LINK
			 " netns /proc/%d/fd/%d",
			 getpid(), ns->fd[NETNS_CLIENT]);
	if (r == 0)
		r = tool(err, "ip addr add " BENCH_NETNS_NODE_ADDRESS "/24 dev nfn0");
	if (r == 0)
		r = tool(err, "ip link set nfn0 up");
	if (r == 0)
		r = bench_netns_enter(ns, NETNS_CLIENT, err);
	if (r == 0)
		r = tool(err, "ip link set lo up");
	if (r == 0)
		r = tool(err, "ip addr add " BENCH_NETNS_CLIENT_ADDRESS
			      "/24 dev " BENCH_NETNS_CLIENT_LINK);
	return r ? r : tool(err, "ip link set " BENCH_NETNS_CLIENT_LINK " up");
}

int bench_netns_open(struct bench_netns *ret, struct nf_error *err)
{
	struct bench_netns ns = {.fd = {open_current(), -1, -1}};
	int r;

	if (ns.fd[NETNS_HOME] < 0)
		return nf_error_sys(err, NF_INTERNAL, errno, "/proc/thread-self/ns/net",
				    "cannot be opened");
	r = open_new(&ns.fd[NETNS_CLIENT], err);
	if (r == 0)
		r = open_new(&ns.fd[NETNS_NODE], err);
	if (r == 0)
		r = make_links(&ns, err);
	if (setns(ns.fd[NETNS_HOME], CLONE_NEWNET) < 0 && r == 0)
		r = nf_error_sys(err, NF_INTERNAL, errno, "network namespace",
				 "the first one cannot be entered again");
	if (r < 0) {
		bench_netns_close(&ns);
		return r;
	}
	*ret = ns;
	return 0;
}

void bench_netns_close(struct bench_netns *ns)
{
	for (unsigned i = 0; i < NETNS_SIDES; i++) {
		if (ns->fd[i] >= 0)
			close(ns->fd[i]);
		ns->fd[i] = -1;
	}
}

/* A millisecond's bytes pass at once; the queue holds more than TCP's window, so that nothing is
 * lost and sent again. */
static int shape_end(const char *link, double mbit, struct nf_error *err)
{
	double burst = mbit * 1e6 / 8 / 1000;

	if (mbit <= 0)
		return tool(err, "tc qdisc replace dev %s root noqueue", link);
	return tool(err, "tc qdisc replace dev %s root tbf rate %.0fkbit burst %.0f limit 64mb",
		    link, mbit * 1000, burst < 128 << 10 ? 128 << 10 : burst);
}

int bench_netns_shape(const struct bench_netns *ns, double mbit, struct nf_error *err)
{
	struct nf_error ignored;
	int r = bench_netns_enter(ns, NETNS_CLIENT, err);

	if (r == 0)
		r = shape_end(BENCH_NETNS_CLIENT_LINK, mbit, err);
	if (r == 0)
		r = bench_netns_enter(ns, NETNS_NODE, err);
	if (r == 0)
		r = shape_end("nfn0", mbit, err);
	bench_netns_enter(ns, NETNS_HOME, r ? &ignored : err);
	return r;
}
