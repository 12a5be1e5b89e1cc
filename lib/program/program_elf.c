/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* program_elf.c - from the bytes of an object to a sealed program, step by step. */
#include "program/program_elf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/scope.h"
#include "program/elf_link.h"

int program_elf_read(const void *data, size_t size, const char *name, struct program **ret,
		     struct nf_error *err)
{
	AUTO(elf_object_done) struct elf_object object = {0};
	AUTO(elf_debug_done) struct elf_debug debug = {0};
	AUTO(elf_linker_done)
	struct elf_linker linker = {.object = &object, .debug = &debug, .err = err};
	int (*const steps[])(struct elf_linker *) = {link_sections, link_code, link_types,
						     link_init_state, link_names};
	int r = elf_object_read(data, size, name, &object, err);

	if (!r)
		r = elf_debug_read(&object, &debug, err);
	for (size_t i = 0; i < ARRAY_SIZE(steps) && !r; i++)
		r = steps[i](&linker);
	return r ? r : program_create(&linker.draft, ret, err);
}

int program_elf_open(const char *path, struct program **ret, struct nf_error *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t n = 0;

	if (fd < 0 || fstat(fd, &st))
		return nf_error_sys(err, errno == EACCES ? NF_PERMISSION_DENIED : NF_NOT_FOUND,
				    errno, path, "cannot open the program");
	if (!S_ISREG(st.st_mode))
		return nf_error_set(err, NF_INVALID_ARGUMENT, path, "is not a file");
	if (st.st_size > ELF_MAX_OBJECT_BYTES)
		return nf_error_set(err, NF_INVALID_ARGUMENT, path,
				    "has %lld bytes; an object may have at most %d",
				    (long long)st.st_size, ELF_MAX_OBJECT_BYTES);
	AUTO_FREE uint8_t *data = malloc(st.st_size ? (size_t)st.st_size : 1);
	if (!data)
		return nf_error_no_memory(err, path);
	while (n < (size_t)st.st_size) {
		ssize_t got = read(fd, data + n, (size_t)st.st_size - n);

		if (got < 0 && errno != EINTR)
			return nf_error_sys(err, NF_DATA_LOSS, errno, path,
					    "cannot read the program");
		if (got == 0)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	return program_elf_read(data, n, path, ret, err);
}
