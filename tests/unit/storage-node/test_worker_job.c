/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage-node/worker_job.h"

enum { MANY_FILES = 300 }; /* more descriptors than one message takes */

static char folder[] = "/tmp/test_worker_job.XXXXXX";

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	for (int i = 0; i < MANY_FILES; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "%s/%03d", folder, i);
		fd = open(path, O_CREAT | O_WRONLY, 0600);
		if (fd < 0 || write(fd, path, 8) != 8 || close(fd))
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static struct source *open_source(void)
{
	struct dataset_spec spec = {
		.name = (char *)"many", .path = folder, .format = FORMAT_FIXED, .record_bytes = 8};
	struct source *src;
	struct nf_error err;

	assert_int_equal(source_open(&spec, -1, &src, &err), 0);
	assert_int_equal(src->n_files, MANY_FILES);
	return src;
}

static void a_job_arrives_as_it_was_sent(void **state)
{
	static const uint8_t params[] = {1, 2, 3}, program[] = {4, 5, 6, 7}, code[] = {8, 9};
	const struct job_parts parts = {params, program, code, 3, 4, 2};
	struct source *src = open_source(), *got;
	struct job_head head = {.query_id = 17,
				.format = FORMAT_FIXED,
				.record_bytes = 8,
				.engine = "interp",
				.dataset = "many"};
	struct nf_error err;
	struct job job;
	int fd, pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(job_send_files(pair[0], src), 0);
	assert_int_equal(job_write(&head, src, &parts, &fd, &err), 0);
	assert_int_equal(job_read(fd, &job, &err), 0);
	close(fd);
	assert_int_equal(job.head.query_id, 17);
	assert_int_equal(job.head.params_bytes, sizeof(params));
	assert_memory_equal(job.params, params, sizeof(params));
	assert_memory_equal(job.program, program, sizeof(program));
	assert_int_equal(job.head.code_bytes, sizeof(code));
	assert_memory_equal(job.code, code, sizeof(code));

	assert_int_equal(job_receive_source(pair[1], &job, &got, &err), 0);
	assert_int_equal(got->n_files, src->n_files);
	assert_int_equal(got->generation, src->generation);
	assert_int_equal(got->total_bytes, src->total_bytes);
	for (uint32_t i = 0; i < got->n_files; i++) {
		struct stat a, b;

		assert_int_equal(fstat(src->files[i].fd, &a), 0);
		assert_int_equal(fstat(got->files[i].fd, &b), 0);
		assert_int_equal(a.st_ino, b.st_ino);
		assert_int_equal(src->files[i].direct_fd >= 0, got->files[i].direct_fd >= 0);
		assert_string_equal(src->files[i].name, got->files[i].name);
	}
	assert_int_equal(source_check(got, &err), 0);
	source_free(got);
	source_free(src);
	job_done(&job);
	close(pair[0]);
	close(pair[1]);
}

static void a_job_that_is_cut_short_is_refused(void **state)
{
	struct source *src = open_source();
	struct job_head head = {.record_bytes = 8};
	struct nf_error err;
	struct job job;
	int fd;

	(void)state;
	assert_int_equal(job_write(&head, src,
				   &(struct job_parts){.program = "abcd", .program_bytes = 4}, &fd,
				   &err),
			 0);
	assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) - 1), 0);
	assert_true(job_read(fd, &job, &err) < 0);
	assert_int_equal(ftruncate(fd, 10), 0);
	assert_true(job_read(fd, &job, &err) < 0);
	close(fd);
	source_free(src);
}

static void descriptors_that_are_missing_are_an_error(void **state)
{
	struct source *src = open_source(), *got;
	struct job_head head = {.format = FORMAT_FIXED, .record_bytes = 8, .dataset = "many"};
	struct nf_error err;
	struct job job;
	int fd, pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(job_write(&head, src, &(struct job_parts){0}, &fd, &err), 0);
	assert_int_equal(job_read(fd, &job, &err), 0);
	close(fd);
	close(pair[0]);
	assert_true(job_receive_source(pair[1], &job, &got, &err) < 0);
	assert_int_equal(err.code, NF_INTERNAL);
	close(pair[1]);
	job_done(&job);
	source_free(src);
}

/* What a worker that was taken over could send. */
static void frames_are_checked(void **state)
{
	struct frame_started started;
	struct frame_finished finished;
	struct frame_failed failed;

	(void)state;
	memset(&started, 'x', sizeof(started));
	assert_true(frame_check(FRAME_STARTED, &started, sizeof(started)));
	assert_int_equal(strlen(started.engine), sizeof(started.engine) - 1);
	assert_false(frame_check(FRAME_STARTED, &started, sizeof(started) - 1));

	memset(&finished, 'x', sizeof(finished));
	assert_true(frame_check(FRAME_FINISHED, &finished, sizeof(finished)));
	assert_int_equal(strlen(finished.reader), sizeof(finished.reader) - 1);
	assert_false(frame_check(FRAME_FINISHED, &finished, 8));

	memset(&failed, 'x', sizeof(failed));
	failed.code = NF_ABORTED;
	assert_true(frame_check(FRAME_FAILED, &failed, sizeof(failed)));
	assert_int_equal(strlen(failed.text), sizeof(failed.text) - 1);
	failed.code = NF_OK; /* no failure */
	assert_false(frame_check(FRAME_FAILED, &failed, sizeof(failed)));
	failed.code = 17;
	assert_false(frame_check(FRAME_FAILED, &failed, sizeof(failed)));

	assert_false(frame_check(FRAME_MESSAGE, &failed, 0));
	assert_false(frame_check(0, &failed, sizeof(failed)));
	assert_false(frame_check(99, &failed, sizeof(failed)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_arrives_as_it_was_sent),
		cmocka_unit_test(a_job_that_is_cut_short_is_refused),
		cmocka_unit_test(descriptors_that_are_missing_are_an_error),
		cmocka_unit_test(frames_are_checked),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
