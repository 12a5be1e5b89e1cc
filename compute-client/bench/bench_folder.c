/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

void bench_folder_path(const struct bench_folder *f, const char *name, char buf[256])
{
	snprintf(buf, 256, "%s/%s", f->path, name);
}

static void empty_and_remove(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d)))
		unlinkat(dirfd(d), e->d_name, 0); /* fails on . and .. */
	if (d)
		closedir(d);
	rmdir(path);
}

/* The other end of the pipe closes when we end. Ctrl-C, which all processes of a terminal get, must
 * not end the one that cleans up. */
static void janitor(const char *path, int pipe_fd)
{
	char c;

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	while (read(pipe_fd, &c, 1) < 0 && errno == EINTR)
		;
	empty_and_remove(path);
	_exit(0);
}

int bench_folder_make(struct bench_folder *f, struct nf_error *err)
{
	const char *tmp = getenv("TMPDIR");
	int ends[2];

	snprintf(f->path, sizeof(f->path), "%.150s/nearfold-bench.XXXXXX",
		 tmp && tmp[0] ? tmp : "/tmp");
	if (!mkdtemp(f->path))
		return nf_error_sys(err, NF_PERMISSION_DENIED, errno, tmp ? tmp : "/tmp",
				    "no folder can be made there; set TMPDIR");
	if (pipe2(ends, O_CLOEXEC) < 0) {
		rmdir(f->path);
		return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, errno, NULL, "no pipe");
	}
	f->janitor = fork();
	if (f->janitor == 0) {
		close(ends[1]);
		janitor(f->path, ends[0]);
	}
	close(ends[0]);
	f->pipe = ends[1];
	if (f->janitor < 0) {
		f->janitor = 0;
		close(ends[1]);
		rmdir(f->path);
		return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, errno, NULL, "no process");
	}
	return 0;
}

void bench_folder_remove(struct bench_folder *f)
{
	if (f->janitor <= 0)
		return;
	close(f->pipe);
	while (waitpid(f->janitor, NULL, 0) < 0 && errno == EINTR)
		;
	f->janitor = 0;
}
