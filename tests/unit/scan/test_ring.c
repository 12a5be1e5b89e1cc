/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The ring by itself: it reads what it is asked for, and can do nothing else. */
#include <liburing.h>

#include "base/clock.h"
#include "scan/reader.h"
#include "scan/ring.h"
#include "scan/source.h"
#include "scan_fixture.h"
#include "tests/support/skip_unless.h"

enum { DEPTH = 4, BUFFER_BYTES = 8192 };

/* Rings of this process, by what /proc says of its descriptors; -1: none. */
static int ring_fd(void)
{
	for (int fd = 0; fd < 256; fd++) {
		char link[64], target[64] = "";

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		if (readlink(link, target, sizeof(target) - 1) > 0 && strstr(target, "io_uring"))
			return fd;
	}
	return -1;
}

static void reads_and_waits(void **state)
{
	skip_without_ring();

	struct folder *f = *state;
	uint8_t *memory = reader_memory_new(DEPTH * BUFFER_BYTES);
	struct ring_completion done[DEPTH];
	struct nf_error err;
	void *ring;

	put_file(f, "r", "hello, ring", 11);
	int fds[2] = {openat(f->fd, "r", O_RDONLY | O_CLOEXEC), -1};
	struct ring_config cfg = {.depth = DEPTH,
				  .fds = fds,
				  .n_fds = 2,
				  .memory = memory,
				  .buffer_bytes = BUFFER_BYTES};
	assert_int_equal(ring_uring.open(&cfg, &ring, &err), 0);
	/* Nothing in flight: it comes back when its time is up. */
	uint64_t before = clock_now_ns();
	assert_int_equal(ring_uring.reap(ring, 5 * NS_PER_MS, done, DEPTH), 0);
	assert_true(clock_now_ns() - before >= 4 * NS_PER_MS);

	for (unsigned i = 0; i < DEPTH; i++) {
		struct ring_read read = {
			.buffer = i,
			.data = memory + i * BUFFER_BYTES,
			.bytes = BUFFER_BYTES,
			.offset_bytes = i,
			.user_data = 1000 + i,
		};

		ring_uring.queue(ring, &read);
	}
	assert_int_equal(ring_uring.submit(ring), 0);
	for (unsigned n = 0; n < DEPTH;) {
		int got = ring_uring.reap(ring, NS_PER_SEC, done, DEPTH);

		assert_true(got > 0);
		for (int k = 0; k < got; k++) {
			unsigned i = (unsigned)(done[k].user_data - 1000);

			assert_int_equal(done[k].res, 11 - (int)i);
			assert_memory_equal(memory + i * BUFFER_BYTES, "hello, ring" + i, 11 - i);
		}
		n += (unsigned)got;
	}
	/* A file that is not there. */
	struct ring_read hole = {.file = 1, .data = memory, .bytes = 16, .user_data = 7};
	ring_uring.queue(ring, &hole);
	assert_int_equal(ring_uring.reap(ring, NS_PER_SEC, done, 1), 1);
	assert_int_equal(done[0].res, -EBADF);
	ring_uring.close(ring);
	close(fds[0]);
	reader_memory_free(memory, DEPTH * BUFFER_BYTES);
}

static void registers_nothing_more(void **state)
{
	skip_without_ring();

	uint8_t *memory = reader_memory_new(DEPTH * BUFFER_BYTES);
	struct folder *f = *state;
	struct nf_error err;
	void *ring;

	put_file(f, "r", "hello, ring", 11);
	int file = openat(f->fd, "r", O_RDONLY | O_CLOEXEC), other = f->fd;
	struct ring_config cfg = {.depth = DEPTH,
				  .fds = &file,
				  .n_fds = 1,
				  .memory = memory,
				  .buffer_bytes = BUFFER_BYTES};
	assert_int_equal(ring_uring.open(&cfg, &ring, &err), 0);
	int fd = ring_fd();
	assert_true(fd >= 0);
	struct io_uring_files_update update = {.fds = (uintptr_t)&other};
	assert_int_equal(io_uring_register((unsigned)fd, IORING_REGISTER_FILES_UPDATE, &update, 1),
			 -EACCES);
	assert_int_equal(io_uring_register((unsigned)fd, IORING_UNREGISTER_FILES, NULL, 0),
			 -EACCES);
	ring_uring.close(ring);
	close(file);
	reader_memory_free(memory, DEPTH * BUFFER_BYTES);
}

/* Told that the disk can be polled: direct reads and others, whether that is true or not. */
static void reads_what_it_may_poll_for(void **state)
{
	skip_without_ring();

	enum { BYTES = 4096 };
	struct folder *f = *state;
	uint8_t *memory = reader_memory_new(DEPTH * BYTES);
	struct ring_completion done[DEPTH];
	AUTO_FREE uint8_t *content = malloc(DEPTH * BYTES);
	struct nf_error err;
	unsigned refused = 0;
	void *ring;

	for (unsigned i = 0; i < DEPTH * BYTES; i++)
		content[i] = (uint8_t)(i / BYTES + i % 251);
	put_file(f, "p", content, DEPTH * BYTES);
	int fds[2] = {openat(f->fd, "p", O_RDONLY | O_CLOEXEC),
		      openat(f->fd, "p", O_RDONLY | O_DIRECT | O_CLOEXEC)};
	if (fds[1] < 0) {
		print_message("SKIP: no O_DIRECT in %s\n", f->path);
		skip();
	}
	assert_int_equal(fsync(fds[0]), 0);
	struct ring_config cfg = {.depth = DEPTH,
				  .fds = fds,
				  .n_fds = 2,
				  .memory = memory,
				  .buffer_bytes = BYTES,
				  .polled = true};
	assert_int_equal(ring_uring.open(&cfg, &ring, &err), 0);
	struct ring_read reads[DEPTH];
	for (unsigned i = 0; i < DEPTH; i++) {
		reads[i] = (struct ring_read){
			.file = i % 2,
			.buffer = i,
			.data = memory + i * BYTES,
			.bytes = BYTES,
			.offset_bytes = i * BYTES,
			.user_data = i,
		};
		ring_uring.queue(ring, &reads[i]);
	}
	assert_int_equal(ring_uring.submit(ring), 0);
	for (unsigned n = 0; n < DEPTH;) {
		int got = ring_uring.reap(ring, NS_PER_SEC, done, DEPTH);

		assert_true(got > 0);
		for (int k = 0; k < got; k++) {
			if (done[k].res == -EAGAIN) { /* not polled here: asks to be tried again */
				assert_true(++refused <= DEPTH);
				ring_uring.queue(ring, &reads[done[k].user_data]);
				continue;
			}
			assert_int_equal(done[k].res, BYTES);
			n++;
		}
	}
	assert_memory_equal(memory, content, DEPTH * BYTES);
	print_message("# %u reads could not be polled for\n", refused);
	ring_uring.close(ring);
	close(fds[0]);
	close(fds[1]);
	reader_memory_free(memory, DEPTH * BYTES);
}

/*
 * A namespace whose device brings less than a block each time: every answer is a failure, and the
 * ring tries again with less. A pipe plays the block node.
 */
static void nvme_stops_trying(void **state)
{
	skip_without_ring();

	uint8_t *memory = reader_memory_new(DEPTH * BUFFER_BYTES);
	struct source_file file = {.name = "pipe",
				   .nvme = {.block_bytes = 512, .max_bytes = 4096, .fd = -1}};
	struct ring_completion done;
	struct nf_error err;
	void *ring;
	int ends[2], got = 0;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	file.direct_fd = ends[0];
	struct ring_config cfg = {.depth = DEPTH,
				  .memory = memory,
				  .buffer_bytes = BUFFER_BYTES,
				  .files = &file,
				  .n_files = 1};
	assert_int_equal(ring_nvme.open(&cfg, &ring, &err), 0);
	struct ring_read read = {.data = memory, .bytes = BUFFER_BYTES, .user_data = 77};
	ring_nvme.queue(ring, &read);
	assert_int_equal(ring_nvme.submit(ring), 0);
	/* Two commands are in flight. Each byte lets one fail, which is tried again. */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(write(ends[1], "x", 1), 1);
		assert_int_equal(ring_nvme.reap(ring, 20 * NS_PER_MS, &done, 1), 0);
	}
	/* From now on two failures are the end. */
	ring_nvme.stop(ring);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(got, 0);
		assert_int_equal(write(ends[1], "x", 1), 1);
		got = ring_nvme.reap(ring, NS_PER_SEC, &done, 1);
	}
	assert_int_equal(got, 1);
	assert_int_equal(done.user_data, 77);
	assert_true(done.res < 0);
	/* Nor is anything begun. */
	ring_nvme.queue(ring, &read);
	assert_int_equal(ring_nvme.reap(ring, NS_PER_SEC, &done, 1), 1);
	assert_true(done.res < 0);
	ring_nvme.close(ring);
	close(ends[0]);
	close(ends[1]);
	reader_memory_free(memory, DEPTH * BUFFER_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)
		T(reads_and_waits),
		T(registers_nothing_more),
		T(nvme_stops_trying),
		T(reads_what_it_may_poll_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
