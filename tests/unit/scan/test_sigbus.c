/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "scan/sigbus.h"
#include "scan_fixture.h"

enum { PAGE = 4096 };

static uint8_t *map_then_shrink(struct folder *f, size_t pages, size_t left)
{
	AUTO_FREE uint8_t *bytes = malloc(pages * PAGE);

	memset(bytes, 'x', pages * PAGE);
	put_file(f, "m", bytes, pages * PAGE);
	AUTO_CLOSE int fd = openat(f->fd, "m", O_RDWR | O_CLOEXEC);
	uint8_t *p = mmap(NULL, pages * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(p != MAP_FAILED);
	assert_int_equal(ftruncate(fd, (off_t)(left * PAGE)), 0);
	return p;
}

static void what_is_gone_reads_as_zeroes(void **state)
{
	uint8_t *p = map_then_shrink(*state, 4, 2);
	int guard = sigbus_guard(p, 4 * PAGE);

	assert_true(guard >= 0);
	assert_int_equal(p[2 * PAGE - 1], 'x');
	assert_false(sigbus_hit(guard));
	assert_int_equal(((volatile uint8_t *)p)[3 * PAGE + 7], 0);
	assert_true(sigbus_hit(guard));
	assert_int_equal(((volatile uint8_t *)p)[2 * PAGE], 0);
	assert_int_equal(p[0], 'x');
	sigbus_unguard(guard);
	munmap(p, 4 * PAGE);
	/* The number is free again, and forgets. */
	p = map_then_shrink(*state, 1, 1);
	assert_int_equal(sigbus_guard(p, PAGE), guard);
	assert_false(sigbus_hit(guard));
	sigbus_unguard(guard);
	munmap(p, PAGE);
}

/* How a child ends that looks at a page that is gone and not guarded. */
static int end_of_child(struct folder *f, void (*before)(int))
{
	uint8_t *p = map_then_shrink(f, 2, 1);
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		/* cmocka has a handler, too. */
		signal(SIGBUS, before ? before : SIG_DFL);
		/* A guard elsewhere: the handler is in place. */
		int guard = sigbus_guard(p, PAGE);
		if (guard < 0)
			_exit(3);
		_exit(((volatile uint8_t *)p)[PAGE]);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	munmap(p, 2 * PAGE);
	return status;
}

static void exit_with_42(int sig)
{
	(void)sig;
	_exit(42);
}

static void elsewhere_all_is_as_before(void **state)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	print_message("SKIP: the sanitizer has a SIGBUS handler of its own\n");
	skip();
#endif
	int status = end_of_child(*state, NULL);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	status = end_of_child(*state, exit_with_42);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

static void there_are_so_many_guards(void **state)
{
	static uint8_t memory[PAGE];

	(void)state;
	for (int i = 0; i < SIGBUS_MAX_GUARDS; i++)
		assert_int_equal(sigbus_guard(memory, 1), i);
	assert_int_equal(sigbus_guard(memory, 1), -ENOSPC);
	sigbus_unguard(5);
	assert_int_equal(sigbus_guard(memory, 1), 5);
	for (int i = 0; i < SIGBUS_MAX_GUARDS; i++)
		sigbus_unguard(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)
		/* First, while no handler is installed: its children install theirs. */
		T(elsewhere_all_is_as_before),
		T(what_is_gone_reads_as_zeroes),
		T(there_are_so_many_guards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
