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
#include "storage-node/sandbox.h"
#include "storage-node/worker.h"

/* ---- in the spawner ------------------------------------------------------------------------ */

/* When the next spare is forked: */
enum {
	SPARE_NOW = 0,         /* a query has ended, its processor is free */
	SPARE_SOON_MS = 3,     /* a query has begun, and is no short one */
	SPARE_RETRY_MS = 1000, /* no fork succeeded, or a spare died */
};

struct child {
	pid_t pid;
	int handoff; /* a spare waits at the other end; -1: it has a query */
	uint64_t query_id;
};

struct spawner {
	int sock;
	pid_t pid;
	struct child *children;
	size_t n, room;
	uint32_t spares, spares_wanted, spares_told;
	int spare_wait_ms;
};

static void tell(struct spawner *s, const struct spawn_report *report, int pidfd)
{
	/* Blocking: main reads as long as it lives, and when it does not, this process dies. */
	if (fd_send(s->sock, report, sizeof(*report), &pidfd, pidfd >= 0))
		_exit(EXIT_FAILURE);
}

static void tell_spares(struct spawner *s)
{
	if (s->spares == s->spares_told)
		return;
	s->spares_told = s->spares;
	tell(s, &(struct spawn_report){.what = SPAWN_SPARES, .spares = s->spares}, -1);
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

/* Fork a worker that waits for its job. NULL: errno. */
static struct child *fork_spare(struct spawner *s)
{
	int pair[2];
	pid_t pid;

	errno = ENOMEM;
	if (!make_room(s) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return NULL;
	pid = fork();
	if (pid == 0)
		worker_main(pair[1], s->pid);
	close(pair[1]);
	if (pid < 0) {
		int errnum = errno;

		close(pair[0]);
		errno = errnum;
		return NULL;
	}
	s->children[s->n] = (struct child){.pid = pid, .handoff = pair[0]};
	s->spares++;
	return &s->children[s->n++];
}

static struct child *find_spare(struct spawner *s)
{
	for (size_t i = 0; s->spares && i < s->n; i++)
		if (s->children[i].handoff >= 0)
			return &s->children[i];
	return NULL;
}

/* It is no spare any more, whether it got a query or died before. */
static void take(struct spawner *s, struct child *c)
{
	close(c->handoff);
	c->handoff = -1;
	s->spares--;
}

/* A worker with this query; one that died while it waited is passed over. */
static struct child *hand_over(struct spawner *s, uint64_t query_id, int channel, int job)
{
	const int fds[2] = {channel, job};
	struct child *c;

	while ((c = find_spare(s)) || (c = fork_spare(s))) {
		int r = fd_send(c->handoff, "", 1, fds, 2);

		take(s, c);
		if (!r) {
			c->query_id = query_id;
			return c;
		}
		kill(c->pid, SIGKILL);
		if (r != -EPIPE && r != -ECONNRESET) {
			errno = -r;
			return NULL;
		}
	}
	return NULL;
}

static void spawn(struct spawner *s, uint64_t query_id, int channel, int job)
{
	struct spawn_report report = {.what = SPAWN_FAILED, .query_id = query_id};
	AUTO_CLOSE int pidfd = -1;
	struct child *c = hand_over(s, query_id, channel, job);

	if (!c) {
		report.errnum = errno;
		tell(s, &report, -1);
		return;
	}
	/* Its number cannot be taken by another before it is reaped, which is done here, later. */
	pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (pidfd < 0)
		kill(c->pid, SIGKILL); /* main could not end it */
	report.what = SPAWN_STARTED;
	report.pid = c->pid;
	tell(s, &report, pidfd);
}

static void reap(struct spawner *s)
{
	struct spawn_report report = {.what = SPAWN_EXITED};
	pid_t pid;

	while ((pid = waitpid(-1, &report.status, WNOHANG)) > 0) {
		for (size_t i = 0; i < s->n; i++) {
			struct child *c = &s->children[i];

			if (c->pid != pid)
				continue;
			report.pid = pid;
			report.query_id = c->query_id;
			if (c->handoff >= 0)
				take(s, c);
			*c = s->children[--s->n];
			s->spare_wait_ms = report.query_id ? SPARE_NOW : SPARE_RETRY_MS;
			if (report.query_id)
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

/* The first message. Asking the engines also warms up what workers need. */
static void be_set_up(struct spawner *s)
{
	struct spawn_setup setup;
	struct spawn_ready ready = {0};
	unsigned n;

	if (fd_recv(s->sock, &setup, sizeof(setup), NULL, 0, &n) != (ssize_t)sizeof(setup))
		_exit(EXIT_SUCCESS); /* main found its configuration wanting */
	s->spares_wanted = setup.spares < SPAWN_MAX_SPARES ? setup.spares : SPAWN_MAX_SPARES;
	setup.jit_module[sizeof(setup.jit_module) - 1] = '\0';
	ready.ret = engines_of_machine(*setup.jit_module ? setup.jit_module : NULL, &ready.engines,
				       &ready.err);
	if (fd_send(s->sock, &ready, sizeof(ready), NULL, 0))
		_exit(EXIT_FAILURE);
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

/* Spares are forked when nobody waits for anything else. */
static void __attribute__((noreturn)) serve(struct spawner *s, int sigfd)
{
	struct pollfd p[2] = {{.fd = s->sock, .events = POLLIN}, {.fd = sigfd, .events = POLLIN}};
	struct signalfd_siginfo info;

	for (;;) {
		bool too_few = s->spares < s->spares_wanted;
		int n = poll(p, 2, too_few ? s->spare_wait_ms : -1);

		if (n < 0 && errno != EINTR)
			_exit(EXIT_FAILURE);
		if (n == 0)
			s->spare_wait_ms = fork_spare(s) ? SPARE_NOW : SPARE_RETRY_MS;
		while (read(sigfd, &info, sizeof(info)) > 0)
			continue;
		reap(s);
		if (n > 0 && p[0].revents) {
			take_request(s);
			s->spare_wait_ms = SPARE_SOON_MS;
		}
		tell_spares(s);
	}
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
	if (sandbox_spawner(&err)) {
		log_error("spawner: %s: %s", err.where, err.text);
		_exit(EXIT_FAILURE);
	}
	be_set_up(&s);
	serve(&s, sigfd);
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

int spawner_setup(int sock, uint32_t spares, const char *jit_module, struct engine_set *ret,
		  struct nf_error *err)
{
	struct spawn_setup setup = {.spares = spares};
	struct spawn_ready ready;
	struct pollfd p = {.fd = sock, .events = POLLIN};
	unsigned n;
	int r;

	snprintf(setup.jit_module, sizeof(setup.jit_module), "%s", jit_module ? jit_module : "");
	r = fd_send(sock, &setup, sizeof(setup), NULL, 0);
	while (!r && poll(&p, 1, -1) < 0 && errno == EINTR)
		continue;
	if (r || fd_recv(sock, &ready, sizeof(ready), NULL, 0, &n) != (ssize_t)sizeof(ready))
		return nf_error_set(err, NF_INTERNAL, "spawner",
				    "it ended before it was ready; its reason stands above");
	if (ready.ret)
		*err = ready.err;
	else
		*ret = ready.engines;
	return ready.ret;
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
