/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* prog_lines.c - bpf/bench/lines.bpf.c as a C program of its own: what one would run in a remote
 * shell beside the data.
 *
 *	lines_c FILE LONGER
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
	int fd = argc == 3 ? open(argv[1], O_RDONLY) : -1;
	unsigned long long lines = 0, before_colon = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0)
		return 1;

	size_t longer = strtoul(argv[2], NULL, 10), size = (size_t)st.st_size;
	const char *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	const char *end = p + size;

	if (p == MAP_FAILED)
		return 1;
	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((newline ? newline : end) - p), i = 0;

		if (len > longer) {
			while (i < len && p[i] != ':')
				i++;
			lines++;
			before_colon += i;
		}
		p += len + 1;
	}
	printf("lines,before_colon\n%llu,%llu\n", lines, before_colon);
	return 0;
}
