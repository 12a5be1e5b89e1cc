/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The spawner alone: its reports, what becomes of workers, and of it when its parent closes. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage-node/spawner.h"
#include "storage-node/worker_job.h"

static int sock;
static pid_t spawner;
static struct engine_set engines_here;

static int set_up(uint32_t spares, const char *jit_module)
{
	struct nf_error err;
	int r = spawner_start(&sock, &spawner, &err);

	return r ? r : spawner_setup(sock, spares, jit_module, &engines_here, &err);
}

static int setup(void **state)
{
	(void)state;
	return set_up(0, NULL);
}

static int teardown(void **state)
{
	int status;

	(void)state;
	close(sock);
	assert_int_equal(waitpid(spawner, &status, 0), spawner);
	return 0;
}

static struct spawn_report next_report(int *ret_pidfd)
{
	struct spawn_report report;
	struct pollfd p = {.fd = sock, .events = POLLIN};

	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(spawner_report(sock, &report, ret_pidfd), 1);
	return report;
}

/* A job that holds n bytes; ours is main's end of the channel. */
static void ask(uint64_t query_id, const void *bytes, size_t n, int *ret_ours)
{
	int pair[2], job = memfd_create("test", MFD_CLOEXEC);
	struct nf_error err;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(write(job, bytes, n), n);
	assert_int_equal(spawner_ask(sock, query_id, pair[1], job, &err), 0);
	close(pair[1]);
	close(job);
	*ret_ours = pair[0];
}

static void a_bad_job_fails_in_words(void **state)
{
	struct frame_head head;
	struct frame_failed failed;
	struct spawn_report report;
	int ours, pidfd;

	(void)state;
	ask(7, "short", 5, &ours);
	report = next_report(&pidfd);
	assert_int_equal(report.what, SPAWN_STARTED);
	assert_int_equal(report.query_id, 7);
	assert_true(report.pid > 0 && pidfd >= 0);
	close(pidfd);
	assert_int_equal(recv(ours, &head, sizeof(head), MSG_WAITALL), sizeof(head));
	assert_int_equal(head.type, FRAME_FAILED);
	assert_int_equal(head.bytes, sizeof(failed));
	assert_int_equal(recv(ours, &failed, sizeof(failed), MSG_WAITALL), sizeof(failed));
	assert_true(frame_check(head.type, &failed, sizeof(failed)));
	assert_int_equal(failed.code, NF_INTERNAL);
	assert_int_equal(recv(ours, &head, 1, 0), 0);
	report = next_report(&pidfd);
	assert_int_equal(report.what, SPAWN_EXITED);
	assert_int_equal(report.query_id, 7);
	assert_true(WIFEXITED(report.status));
	close(ours);
}

/* It waits for descriptors that do not come: a worker that hangs. */
static void ask_for_one_that_waits(uint64_t query_id, int *ret_ours)
{
	struct {
		struct job_head head;
		struct job_file file;
	} job = {.head = {.n_files = 1,
			  .memory_bytes = 256 << 20,
			  .cpu_seconds = 10,
			  .engine = "interp",
			  .dataset = "none"}};

	ask(query_id, &job, sizeof(job), ret_ours);
}

static void a_worker_dies_by_its_pidfd(void **state)
{
	struct spawn_report report;
	int ours, pidfd, none;

	(void)state;
	ask_for_one_that_waits(8, &ours);
	report = next_report(&pidfd);
	assert_int_equal(report.what, SPAWN_STARTED);
	assert_int_equal(syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0), 0);
	report = next_report(&none);
	assert_int_equal(report.what, SPAWN_EXITED);
	assert_true(WIFSIGNALED(report.status));
	assert_int_equal(WTERMSIG(report.status), SIGKILL);
	close(pidfd);
	close(ours);
}

static void many_at_once_are_told_apart(void **state)
{
	enum { N = 20 };
	int ours[N], pidfds[N], none, exited = 0;
	pid_t pids[N];

	(void)state;
	for (int i = 0; i < N; i++)
		ask_for_one_that_waits(100 + i, &ours[i]);
	for (int i = 0; i < N; i++) {
		struct spawn_report report = next_report(&pidfds[i]);

		assert_int_equal(report.what, SPAWN_STARTED);
		assert_int_equal(report.query_id, 100 + i);
		pids[i] = report.pid;
	}
	for (int i = N - 1; i >= 0; i--)
		close(ours[i]); /* the end of a channel is the end of its worker */
	while (exited < N) {
		struct spawn_report report = next_report(&none);

		assert_int_equal(report.what, SPAWN_EXITED);
		assert_int_equal(report.pid, pids[report.query_id - 100]);
		exited++;
	}
	for (int i = 0; i < N; i++)
		close(pidfds[i]);
}

/* Gone, or waiting for whoever reaps orphans here. */
static bool is_dead(pid_t pid)
{
	char path[64], state = 'X';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return true;
	assert_int_equal(fscanf(f, "%*d (%*[^)]) %c", &state), 1);
	fclose(f);
	return state == 'Z' || state == 'X';
}

static void wait_dead(pid_t pid)
{
	for (int i = 0; i < 250 && !is_dead(pid); i++)
		usleep(20 * 1000);
	assert_true(is_dead(pid));
}

static bool is_gone(pid_t pid)
{
	for (int i = 0; i < 250; i++) {
		if (kill(pid, 0) && errno == ESRCH)
			return true;
		usleep(20 * 1000);
	}
	return false;
}

/* Its workers' parent is gone then; whoever reaps orphans here may take a moment. */
static void workers_die_with_the_spawner(void **state)
{
	struct spawn_report report;
	int ours, pidfd, status;
	struct pollfd p;

	(void)state;
	ask_for_one_that_waits(9, &ours);
	report = next_report(&pidfd);
	assert_int_equal(kill(spawner, SIGKILL), 0);
	assert_int_equal(waitpid(spawner, &status, 0), spawner);
	p = (struct pollfd){.fd = pidfd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(spawner_report(sock, &report, &status), -ECONNRESET);
	close(pidfd);
	close(ours);
	close(sock);
	assert_int_equal(setup(state), 0);
}

static void it_ends_when_its_socket_does(void **state)
{
	int status;

	(void)state;
	close(sock);
	assert_int_equal(waitpid(spawner, &status, 0), spawner);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(is_gone(spawner));
	assert_int_equal(setup(state), 0);
}

/* ---- spares -------------------------------------------------------------------------------- */

static void expect_spares(uint32_t n)
{
	struct spawn_report report;
	int none;

	do {
		report = next_report(&none);
		assert_int_equal(report.what, SPAWN_SPARES);
	} while (report.spares != n);
}

/* The pids of the spawner's children, by the kernel. */
static unsigned children(pid_t *ret, unsigned max)
{
	char path[64];
	unsigned n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)spawner, (int)spawner);
	f = fopen(path, "re");
	assert_non_null(f);
	while (n < max && fscanf(f, "%d", &ret[n]) == 1)
		n++;
	fclose(f);
	return n;
}

/* Setup without the one that the other tests want. */
static void set_up_with_spares(uint32_t spares)
{
	void *state = NULL;

	teardown(&state);
	assert_int_equal(set_up(spares, NULL), 0);
}

static void a_spare_takes_the_query_and_is_replaced(void **state)
{
	struct spawn_report report;
	int ours, pidfd;
	pid_t spare[4], next[4];

	(void)state;
	set_up_with_spares(1);
	expect_spares(1);
	assert_int_equal(children(spare, 4), 1);
	ask_for_one_that_waits(11, &ours);
	report = next_report(&pidfd);
	assert_int_equal(report.what, SPAWN_STARTED);
	assert_int_equal(report.query_id, 11);
	assert_int_equal(report.pid, spare[0]);
	assert_int_equal(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0), 0);
	expect_spares(1);
	assert_int_equal(children(next, 4), 2);
	close(pidfd);
	close(ours);
}

static void more_queries_than_spares(void **state)
{
	enum { N = 6 };
	int ours[N], pidfd, started = 0;

	(void)state;
	set_up_with_spares(2);
	expect_spares(2);
	for (int i = 0; i < N; i++)
		ask_for_one_that_waits(200 + i, &ours[i]);
	while (started < N) {
		struct spawn_report report = next_report(&pidfd);

		if (report.what == SPAWN_SPARES)
			continue;
		assert_int_equal(report.what, SPAWN_STARTED);
		assert_int_equal(report.query_id, 200 + started++);
		close(pidfd);
	}
	for (int i = 0; i < N; i++)
		close(ours[i]);
}

static void a_dead_spare_costs_no_query(void **state)
{
	struct spawn_report report;
	int ours, pidfd;
	pid_t spare;

	(void)state;
	set_up_with_spares(1);
	expect_spares(1);
	assert_int_equal(children(&spare, 1), 1);
	assert_int_equal(kill(spare, SIGKILL), 0);
	wait_dead(spare);
	ask_for_one_that_waits(12, &ours);
	do {
		report = next_report(&pidfd);
	} while (report.what == SPAWN_SPARES);
	assert_int_equal(report.what, SPAWN_STARTED);
	assert_int_equal(report.query_id, 12);
	assert_int_not_equal(report.pid, spare);
	close(pidfd);
	close(ours);
	/* And nobody hears of its end. */
	do {
		report = next_report(&pidfd);
	} while (report.what == SPAWN_SPARES);
	assert_int_equal(report.what, SPAWN_EXITED);
	assert_int_equal(report.query_id, 12);
}

static void spares_die_with_the_spawner(void **state)
{
	int status;
	pid_t spare;

	(void)state;
	set_up_with_spares(1);
	expect_spares(1);
	assert_int_equal(children(&spare, 1), 1);
	assert_int_equal(kill(spawner, SIGKILL), 0);
	assert_int_equal(waitpid(spawner, &status, 0), spawner);
	wait_dead(spare);
	close(sock);
	assert_int_equal(setup(state), 0);
}

/* ---- the engines --------------------------------------------------------------------------- */

static const char *reason(const char *engine)
{
	for (unsigned i = 0; i < engines_here.n; i++)
		if (!strcmp(engines_here.list[i].name, engine))
			return engines_here.list[i].reason;
	return "not named";
}

static void it_says_which_engines_there_are(void **state)
{
	void *again = NULL;

	(void)state;
	assert_string_equal(reason("interp"), "");
	teardown(&again);
	assert_int_equal(set_up(0, "/nowhere/nearfold-jit.so"), 0);
	assert_string_equal(reason("interp"), "");
	assert_non_null(strstr(reason("jit"), "/nowhere/nearfold-jit.so"));
}

static void signals_of_the_terminal_do_not_end_it(void **state)
{
	struct spawn_report report;
	int ours, pidfd, none;

	(void)state;
	assert_int_equal(kill(spawner, SIGINT), 0);
	assert_int_equal(kill(spawner, SIGTERM), 0);
	ask_for_one_that_waits(10, &ours);
	report = next_report(&pidfd);
	assert_int_equal(report.what, SPAWN_STARTED);
	close(ours);
	report = next_report(&none);
	assert_int_equal(report.what, SPAWN_EXITED);
	close(pidfd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_bad_job_fails_in_words, setup, teardown),
		cmocka_unit_test_setup_teardown(a_worker_dies_by_its_pidfd, setup, teardown),
		cmocka_unit_test_setup_teardown(many_at_once_are_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(workers_die_with_the_spawner, setup, teardown),
		cmocka_unit_test_setup_teardown(it_ends_when_its_socket_does, setup, teardown),
		cmocka_unit_test_setup_teardown(a_spare_takes_the_query_and_is_replaced, setup,
						teardown),
		cmocka_unit_test_setup_teardown(more_queries_than_spares, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dead_spare_costs_no_query, setup, teardown),
		cmocka_unit_test_setup_teardown(spares_die_with_the_spawner, setup, teardown),
		cmocka_unit_test_setup_teardown(it_says_which_engines_there_are, setup, teardown),
		cmocka_unit_test_setup_teardown(signals_of_the_terminal_do_not_end_it, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
