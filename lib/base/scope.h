/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * scope.h - locals that clean themselves up at the end of their scope.
 *
 *	AUTO_FREE char *path = strdup(name);
 *	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
 *
 * TAKE_PTR and TAKE_FD move ownership out, after the last step that can fail.
 */
#ifndef NF_BASE_SCOPE_H
#define NF_BASE_SCOPE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void scope_free(void *p)
{
	free(*(void **)p);
}

static inline void scope_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void scope_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define AUTO_FREE   __attribute__((cleanup(scope_free)))
#define AUTO_CLOSE  __attribute__((cleanup(scope_close)))
#define AUTO_FCLOSE __attribute__((cleanup(scope_fclose)))
/* A type's own destructor: AUTO(program_unref_ptr) struct program *p = NULL; */
#define AUTO(fn) __attribute__((cleanup(fn)))

#define TAKE_PTR(p)                        \
	({                                 \
		__typeof__(p) take_ = (p); \
		(p) = NULL;                \
		take_;                     \
	})
#define TAKE_FD(fd)               \
	({                        \
		int take_ = (fd); \
		(fd) = -1;        \
		take_;            \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
