/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * prog_hammer.c - prog_hammer FILE SECONDS: a process that has nothing to do with us and lives on
 * its own io_uring. It reads 4 KiB pieces of the file, 64 in flight, checks every byte (all are
 * HAMMER_BYTE), and prints how many a second:
 *
 *	reads 812345 a second
 */
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <time.h>

enum { DEPTH = 64, PIECE = 4096, HAMMER_BYTE = 'h' };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned char buffer[DEPTH][PIECE];

static void queue(struct io_uring *ring, int fd, unsigned slot, unsigned long long offset)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	io_uring_prep_read(sqe, fd, buffer[slot], PIECE, offset);
	io_uring_sqe_set_data64(sqe, slot);
}

int main(int argc, char **argv)
{
	double seconds = argc > 2 ? atof(argv[2]) : 1, began;
	unsigned long long at = 0, reads = 0, pieces = 256;
	struct io_uring ring;
	int fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0 || io_uring_queue_init(DEPTH, &ring, 0)) {
		fprintf(stderr, "usage: prog_hammer FILE SECONDS (a file of 1 MiB of 'h')\n");
		return 2;
	}
	for (unsigned i = 0; i < DEPTH; i++)
		queue(&ring, fd, i, at++ % pieces * PIECE);
	for (began = now(); now() - began < seconds;) {
		struct io_uring_cqe *cqe;

		io_uring_submit_and_wait(&ring, 1);
		while (!io_uring_peek_cqe(&ring, &cqe)) {
			unsigned slot = (unsigned)cqe->user_data;

			if (cqe->res != PIECE || buffer[slot][0] != HAMMER_BYTE ||
			    buffer[slot][PIECE - 1] != HAMMER_BYTE) {
				fprintf(stderr, "prog_hammer: a read gave %d\n", cqe->res);
				return 1;
			}
			io_uring_cqe_seen(&ring, cqe);
			queue(&ring, fd, slot, at++ % pieces * PIECE);
			reads++;
		}
	}
	printf("reads %.0f a second\n", (double)reads / seconds);
	return 0;
}
