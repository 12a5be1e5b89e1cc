/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/scope.h"
#include "storage-node/fd_pass.h"
#include "storage-node/program_cache.h"
#include "storage-node/sandbox.h"
#include "storage-node/worker.h"

/* ---- in the spawner ------------------------------------------------------------------------ */

struct child {
	pid_t pid;
	uint64_t query_id;
};

struct spawner {
	int sock;
	pid_t pid;
	struct child *children;
	size_t n, room;
};

static void tell(struct spawner *s, const struct spawn_report *report, int pidfd)
{
	/* Blocking: main reads as long as it lives, and when it does not, this process dies. */
	if (fd_send(s->sock, report, sizeof(*report), &pidfd, pidfd >= 0))
		_exit(EXIT_FAILURE);
}

static bool make_room(struct spawner *s)
{
	size_t room = s->room ? 2 * s->room : 64;
	struct child *grown;

	if (s->n < s->room)
		return true;
	grown = realloc(s->children, room * sizeof(*grown));
	if (!grown)
		return false;
	s->children = grown;
	s->room = room;
	return true;
}

static void spawn(struct spawner *s, uint64_t query_id, int channel, int job)
{
	struct spawn_report report = {.what = SPAWN_FAILED, .query_id = query_id};
	AUTO_CLOSE int pidfd = -1;
	pid_t pid = -1;

	errno = ENOMEM;
	if (make_room(s))
		pid = fork();
	if (pid == 0)
		worker_main(channel, job, s->pid);
	if (pid < 0) {
		report.errnum = errno;
		tell(s, &report, -1);
		return;
	}
	/* Its number cannot be taken by another before it is reaped, which is done here, later. */
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	s->children[s->n++] = (struct child){.pid = pid, .query_id = query_id};
	if (pidfd < 0)
		kill(pid, SIGKILL); /* main could not end it */
	report.what = SPAWN_STARTED;
	report.pid = pid;
	tell(s, &report, pidfd);
}

static void reap(struct spawner *s)
{
	struct spawn_report report = {.what = SPAWN_EXITED};
	pid_t pid;

	while ((pid = waitpid(-1, &report.status, WNOHANG)) > 0) {
		for (size_t i = 0; i < s->n; i++) {
			if (s->children[i].pid != pid)
				continue;
			report.pid = pid;
			report.query_id = s->children[i].query_id;
			s->children[i] = s->children[--s->n];
			tell(s, &report, -1);
			break;
		}
	}
}

static void take_request(struct spawner *s)
{
	struct spawn_request request;
	int fds[2];
	unsigned n;
	ssize_t got = fd_recv(s->sock, &request, sizeof(request), fds, 2, &n);

	if (got == 0 || got == -ECONNRESET)
		_exit(EXIT_SUCCESS); /* main is gone; PR_SET_PDEATHSIG ends the workers */
	if (got == (ssize_t)sizeof(request) && n == 2)
		spawn(s, request.query_id, fds[0], fds[1]);
	else if (got == (ssize_t)sizeof(request))
		tell(s,
		     &(struct spawn_report){
			     .what = SPAWN_FAILED, .query_id = request.query_id, .errnum = EMFILE},
		     -1);
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
}

static int quiet_stdio(void)
{
	AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return -1;
	if (null <= STDERR_FILENO)
		null = -1;
	return 0;
}

static void __attribute__((noreturn)) spawner_run(int sock, pid_t parent)
{
	struct spawner s = {.sock = sock, .pid = getpid()};
	struct nf_error err;
	sigset_t chld;
	int sigfd;

	prctl(PR_SET_NAME, "nearfold-spawn");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	/* Ctrl-C and systemd's SIGTERM reach the whole group, but what ends is main's decision. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_SETMASK, &chld, NULL);
	sigfd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sigfd < 0 || quiet_stdio() || prctl(PR_SET_DUMPABLE, 0)) {
		log_error("spawner: cannot set up: %s", strerror(errno));
		_exit(EXIT_FAILURE);
	}
	/* What workers grow they keep: they are short, and every brk() costs. */
	mallopt(M_TOP_PAD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	if (program_warm_up(&err) || sandbox_spawner(&err)) {
		log_error("spawner: %s: %s", err.where, err.text);
		_exit(EXIT_FAILURE);
	}
	for (;;) {
		struct pollfd p[2] = {{.fd = sock, .events = POLLIN},
				      {.fd = sigfd, .events = POLLIN}};
		struct signalfd_siginfo info;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			_exit(EXIT_FAILURE);
		while (read(sigfd, &info, sizeof(info)) > 0)
			continue;
		reap(&s);
		if (p[0].revents)
			take_request(&s);
	}
}

/* ---- in main ------------------------------------------------------------------------------- */

int spawner_start(int *ret_socket, pid_t *ret_pid, struct nf_error *err)
{
	int pair[2];
	pid_t parent = getpid(), pid;
	sigset_t all, before;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return nf_error_sys(err, NF_INTERNAL, errno, "spawner", "socketpair");
	/* No signal may find the child before it has chosen what to ignore. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid != 0)
		sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0) {
		int errnum = errno;

		close(pair[0]);
		close(pair[1]);
		return nf_error_sys(err, NF_INTERNAL, errnum, "spawner", "fork");
	}
	if (pid == 0) {
		close(pair[0]);
		spawner_run(pair[1], parent);
	}
	close(pair[1]);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	*ret_socket = pair[0];
	*ret_pid = pid;
	return 0;
}

int spawner_ask(int sock, uint64_t query_id, int channel, int job, struct nf_error *err)
{
	struct spawn_request request = {.query_id = query_id};
	int fds[2] = {channel, job};
	int ret = fd_send(sock, &request, sizeof(request), fds, 2);

	if (ret)
		return nf_error_sys(err, NF_UNAVAILABLE, -ret, NULL, "cannot ask for a worker");
	return 0;
}

int spawner_report(int sock, struct spawn_report *ret, int *ret_pidfd)
{
	unsigned n;
	ssize_t got;

	*ret_pidfd = -1;
	got = fd_recv(sock, ret, sizeof(*ret), ret_pidfd, 1, &n);
	if (got == -EAGAIN)
		return 0;
	return got == (ssize_t)sizeof(*ret) ? 1 : -ECONNRESET;
}
