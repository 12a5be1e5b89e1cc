/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Each test forks, takes the three steps, tries one thing, and looks at how the child ended. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage-node/fd_pass.h"
#include "storage-node/sandbox.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static int file_fd; /* what the child keeps, as it keeps a job's descriptor */

/* Step 2: a spare keeps nothing but what its query comes by, here both descriptors in a message. */
static int confine(int channel, pid_t parent, const struct sandbox_limits *limits,
		   struct nf_error *err)
{
	int pair[2], fds[2] = {channel, file_fd}, r;
	unsigned n;
	char byte;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) ||
	    fd_send(pair[0], "", 1, fds, 2))
		return -1;
	r = sandbox_spare(&pair[1], parent, err);
	if (r || fcntl(channel == pair[1] ? file_fd : channel, F_GETFD) >= 0)
		return -1;
	if (fd_recv(pair[1], &byte, 1, fds, 2, &n) != 1 || n != 2)
		return -1;
	file_fd = fds[1];
	return sandbox_worker(fds[0], &file_fd, false, limits, err);
}

/* Status of a child that ran try() inside; its return value is the exit status. */
static int inside(int (*try)(void))
{
	pid_t parent = getpid(), pid;
	int status, pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	file_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	assert_true(file_fd >= 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct sandbox_limits limits = {
			.memory_bytes = 256 << 20, .cpu_seconds = 10, .open_files = 64};
		struct nf_error err;

		if (sandbox_spawner(&err) || confine(pair[1], parent, &limits, &err) ||
		    sandbox_enter(&err))
			_exit(99);
		_exit(try());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(pair[0]);
	close(pair[1]);
	close(file_fd);
	return status;
}

#define assert_inside_does(fn) assert_int_equal(inside(fn), 0)
#define assert_inside_dies(fn)                               \
	do {                                                 \
		int status_ = inside(fn);                    \
		assert_true(WIFSIGNALED(status_));           \
		assert_int_equal(WTERMSIG(status_), SIGSYS); \
	} while (0)

static int reads_its_file(void)
{
	char byte;

	return pread(file_fd, &byte, 1, 0) != 1;
}

static int answers(void)
{
	return send(SANDBOX_CHANNEL_FD, "x", 1, MSG_NOSIGNAL) != 1;
}

static int checks_a_generation(void)
{
	struct stat st;

	return fstat(file_fd, &st);
}

static int takes_memory(void)
{
	char *p = malloc(32 << 20);

	if (!p)
		return 1;
	memset(p, 1, 32 << 20);
	free(p);
	return 0;
}

static void a_scan_can_do_its_work(void **state)
{
	(void)state;
	assert_inside_does(reads_its_file);
	assert_inside_does(answers);
	assert_inside_does(checks_a_generation);
	assert_inside_does(takes_memory);
}

static int opens_a_file(void)
{
	return open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES;
}

static int makes_a_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static int forks(void)
{
	return fork() >= 0;
}

static int execs(void)
{
	return execl("/bin/true", "true", NULL);
}

static int writes_elsewhere(void)
{
	return write(file_fd, "x", 1) >= 0;
}

static int kills(void)
{
	return kill(getppid(), 0);
}

static int loads_bpf(void)
{
	union bpf_attr attr = {0};

	return syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attr, sizeof(attr)) >= 0;
}

static int makes_a_ring(void)
{
	return syscall(SYS_io_uring_setup, 8, NULL) >= 0;
}

static int traces(void)
{
	return syscall(SYS_ptrace, 0, 0, 0, 0) >= 0;
}

static int sends_a_descriptor_elsewhere(void)
{
	struct msghdr m = {0};

	return sendmsg(STDERR_FILENO, &m, 0) >= 0;
}

static void all_else_ends_it(void **state)
{
	(void)state;
	assert_inside_does(opens_a_file); /* refused, not killed: the C library tries it */
	assert_inside_dies(makes_a_socket);
	assert_inside_dies(forks);
	assert_inside_dies(execs);
	assert_inside_dies(writes_elsewhere);
	assert_inside_dies(kills);
	assert_inside_dies(loads_bpf);
	assert_inside_dies(makes_a_ring);
	assert_inside_dies(traces);
	assert_inside_dies(sends_a_descriptor_elsewhere);
}

static int maps_executable(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED;
}

static void *page(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int makes_writable_and_executable(void)
{
	return mprotect(page(), 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
}

/* What a JIT does: write, then turn executable and no longer writable. */
static int compiles(void)
{
	return mprotect(page(), 4096, PROT_READ | PROT_EXEC);
}

static void memory_is_writable_or_executable(void **state)
{
	(void)state;
	assert_inside_dies(maps_executable);
	assert_inside_dies(makes_writable_and_executable);
	assert_inside_does(compiles);
}

static int runs_out_of_memory(void)
{
	return malloc(512 << 20) != NULL;
}

static void memory_has_a_limit(void **state)
{
	(void)state;
	if (SANITIZED) {
		print_message("the sanitizer's shadow is larger than any limit\n");
		skip();
	}
	assert_inside_does(runs_out_of_memory);
}

/* Between steps 2 and 3, where capget() can still be asked. */
static void an_engine_without_bpf_has_no_capability(void **state)
{
	pid_t parent = getpid(), pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		struct sandbox_limits limits = {
			.memory_bytes = 256 << 20, .cpu_seconds = 10, .open_files = 64};
		struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
		struct __user_cap_data_struct data[2] = {{1, 1, 1}, {1, 1, 1}};
		struct nf_error err;
		int pair[2];

		file_fd = open("/dev/null", O_RDONLY);
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || sandbox_spawner(&err) ||
		    confine(pair[1], parent, &limits, &err) || syscall(SYS_capget, &head, data))
			_exit(99);
		if (data[0].permitted | data[1].permitted | data[0].effective | data[1].effective |
		    data[0].inheritable | data[1].inheritable)
			_exit(1);
		if (geteuid() == 0)
			for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
				if (prctl(PR_CAPBSET_READ, cap) == 1)
					_exit(2);
		_exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 &&
				      prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0
			      ? 0
			      : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void *thread_forbidden(void *arg)
{
	sigset_t *gate = arg;
	int sig;

	sigwait(gate, &sig);
	socket(AF_INET, SOCK_STREAM, 0);
	return NULL;
}

/* A thread that was there before the filter has it, too. */
static void threads_made_before_are_inside(void **state)
{
	pid_t parent = getpid(), pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		struct sandbox_limits limits = {
			.memory_bytes = 256 << 20, .cpu_seconds = 10, .open_files = 64};
		struct nf_error err;
		pthread_t thread;
		sigset_t gate;
		int pair[2];

		sigemptyset(&gate);
		sigaddset(&gate, SIGUSR1);
		sigprocmask(SIG_BLOCK, &gate, NULL);
		file_fd = open("/dev/null", O_RDONLY);
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || sandbox_spawner(&err) ||
		    confine(pair[1], parent, &limits, &err) ||
		    pthread_create(&thread, NULL, thread_forbidden, &gate))
			_exit(99);
		if (sandbox_enter(&err))
			_exit(98);
		/* kill() is not allowed any more: the parent opens the gate. */
		pthread_join(thread, NULL);
		_exit(0);
	}
	usleep(200 * 1000);
	kill(pid, SIGUSR1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scan_can_do_its_work),
		cmocka_unit_test(all_else_ends_it),
		cmocka_unit_test(memory_is_writable_or_executable),
		cmocka_unit_test(memory_has_a_limit),
		cmocka_unit_test(an_engine_without_bpf_has_no_capability),
		cmocka_unit_test(threads_made_before_are_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
