/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_node.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/scope.h"
#include "compute-client/bench/bench_data.h"

enum { START_TRIES = 400, START_PAUSE_NS = 25 * 1000 * 1000 };

/* ---- where things are ------------------------------------------------------------------------ */

static bool found_in_path(const char *name, char *buf, size_t size)
{
	const char *path = getenv("PATH");

	for (const char *p = path ? path : ""; *p;) {
		size_t n = strcspn(p, ":");

		snprintf(buf, size, "%.*s/%s", (int)n, p, name);
		if (n > 0 && access(buf, R_OK) == 0)
			return true;
		p += n + (p[n] == ':');
	}
	return false;
}

int bench_find_file(const char *name, const char *relative, bool in_path, char *buf, size_t size,
		    struct nf_error *err)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	snprintf(buf, size, "%s/%s", self, name);
	if (access(buf, R_OK) == 0)
		return 0;
	snprintf(buf, size, "%s/%s/%s", self, relative, name);
	if (access(buf, R_OK) == 0 || (in_path && found_in_path(name, buf, size)))
		return 0;
	return nf_error_set(err, NF_NOT_FOUND, name,
			    "is neither in %s nor in %s/%s%s; is the installation whole?", self,
			    self, relative, in_path ? " nor in PATH" : "");
}

/* ---- the node -------------------------------------------------------------------------------- */

/* In the child. */
static void exec_node(const struct bench_node *n, const struct bench_netns *ns, const char *path,
		      pid_t parent)
{
	char export[320], log[256];
	const char *argv[24] = {path,
				"--listen",
				"127.0.0.1:0",
				"--export",
				export,
				"--limit",
				"queries_running=64",
				"--limit",
				"queries_per_identity=256",
				"--limit",
				"reads_running=64"};
	unsigned k = 11;
	int fd;

	snprintf(export, sizeof(export), BENCH_NODE_DATASET "=%s/data.bin,format=fixed:32,allow=*",
		 n->folder.path);
	if (ns) {
		argv[k++] = "--listen";
		argv[k++] = BENCH_NETNS_NODE_ADDRESS ":0";
		argv[k++] = "--insecure";
	}
	bench_folder_path(&n->folder, "node.log", log);
	fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (fd < 0 || getppid() != parent || (ns && setns(ns->fd[NETNS_NODE], CLONE_NEWNET) < 0))
		_exit(126);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	/* Ctrl-C is for the benchmark, which stops the node when it is done with it. */
	setpgid(0, 0);
	execv(path, (char *const *)argv);
	dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
	_exit(127);
}

/* Addresses from the node's log: "listening on ADDRESS". True when all are there. */
static bool read_log(struct bench_node *n, bool cable, char last_line[400])
{
	static const char mark[] = "listening on ";
	char path[256], line[400];
	AUTO_FCLOSE FILE *f = NULL;

	bench_folder_path(&n->folder, "node.log", path);
	f = fopen(path, "re");
	last_line[0] = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, mark);

		snprintf(last_line, 400, "%.*s", (int)strcspn(line, "\n"), line);
		while (at) {
			const char *address = at + sizeof(mark) - 1;
			bool is_loopback = strncmp(address, "127.", 4) == 0;

			snprintf(is_loopback ? n->loopback : n->cable, sizeof(n->cable), "%.*s",
				 (int)strcspn(address, " ,\n"), address);
			at = strstr(address, mark);
		}
	}
	return n->loopback[0] && (n->cable[0] || !cable);
}

static int wait_until_up(struct bench_node *n, bool cable, struct nf_error *err)
{
	const struct timespec pause = {.tv_nsec = START_PAUSE_NS};
	char line[400];

	for (unsigned i = 0; i < START_TRIES; i++) {
		if (read_log(n, cable, line))
			return 0;
		if (waitpid(n->pid, NULL, WNOHANG) == n->pid) {
			n->pid = 0;
			read_log(n, cable, line);
			break;
		}
		nanosleep(&pause, NULL);
	}
	return nf_error_set(err, NF_UNAVAILABLE, "nearfoldd", "the node did not start: %s", line);
}

int bench_node_start(struct bench_node *n, const struct bench_netns *ns, uint64_t bytes,
		     struct nf_error *err)
{
	char path[4200], data[256];
	pid_t parent = getpid();
	int r;

	memset(n, 0, sizeof(*n));
	r = bench_find_file("nearfoldd", "../sbin", true, path, sizeof(path), err);
	if (r == 0)
		r = bench_folder_make(&n->folder, err);
	if (r < 0)
		return r;
	bench_folder_path(&n->folder, "data.bin", data);
	r = bench_data_write(data, bytes, err);
	if (r < 0)
		return r;
	n->pid = fork();
	if (n->pid == 0)
		exec_node(n, ns, path, parent);
	if (n->pid < 0) {
		n->pid = 0;
		return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, errno, NULL, "no process");
	}
	return wait_until_up(n, ns != NULL, err);
}

void bench_node_stop(struct bench_node *n)
{
	if (n->pid > 0) {
		kill(n->pid, SIGTERM);
		while (waitpid(n->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	bench_folder_remove(&n->folder);
	n->pid = 0;
}
