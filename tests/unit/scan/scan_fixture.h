/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* scan_fixture.h - temporary folders, files with known bytes, random numbers that repeat. */
#ifndef NF_SCAN_FIXTURE_H
#define NF_SCAN_FIXTURE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/scope.h"

struct folder {
	char path[64];
	int fd;
};

static inline int folder_setup(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	snprintf(f->path, sizeof(f->path), "%s/nearfold-XXXXXX",
		 tmp && strlen(tmp) < 40 ? tmp : "/var/tmp");
	if (!mkdtemp(f->path))
		return -1;
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return f->fd < 0 ? -1 : 0;
}

static inline int folder_remove_one(const char *path, const struct stat *st, int type,
				    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int folder_teardown(void **state)
{
	struct folder *f = *state;

	close(f->fd);
	nftw(f->path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

/* A new file in the folder. */
static inline void put_file(const struct folder *f, const char *name, const void *data, size_t n)
{
	AUTO_CLOSE int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	for (size_t done = 0; done < n;) {
		ssize_t w = write(fd, (const char *)data + done, n - done);

		assert_true(w > 0);
		done += (size_t)w;
	}
}

static inline void put_link(const struct folder *f, const char *name, const char *target)
{
	assert_int_equal(symlinkat(target, f->fd, name), 0);
}

static inline char *path_in(const struct folder *f, const char *name)
{
	char *path;

	assert_true(asprintf(&path, "%s/%s", f->path, name) > 0);
	return path;
}

/* xorshift64*: the same numbers in every run of a seed. */
static inline uint64_t random_next(uint64_t *x)
{
	*x ^= *x >> 12;
	*x ^= *x << 25;
	*x ^= *x >> 27;
	return *x * 0x2545f4914f6cdd1dull;
}

static inline uint64_t random_below(uint64_t *x, uint64_t n)
{
	return (random_next(x) >> 11) % n;
}

#define assert_contains(text, part)                                          \
	do {                                                                 \
		if (!strstr((text), (part)))                                 \
			fail_msg("\"%s\" is not in \"%s\"", (part), (text)); \
	} while (0)

#endif
