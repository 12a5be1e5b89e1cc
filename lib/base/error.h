/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * error.h - the reason of a refusal, on its way to whoever can act.
 *
 * Fallible functions return 0 or a negative errno and fill a struct nf_error that their caller
 * owns. The codes are gRPC's status codes (google.rpc.Code), because that is what the reason
 * becomes at the edge; the mapping code -> errno is one table in error.c.
 *
 * The text says what is wrong and what to do; `where` says where: a file and offset, a function
 * and source line, a configuration line, a field of a message. Both are UTF-8 and end in NUL.
 *
 * Threads: a struct nf_error belongs to one thread.
 */
#ifndef NF_BASE_ERROR_H
#define NF_BASE_ERROR_H

#include <stdarg.h>
#include <stddef.h>

enum nf_code {
	NF_OK = 0,
	NF_CANCELLED = 1,
	NF_UNKNOWN = 2,
	NF_INVALID_ARGUMENT = 3,
	NF_DEADLINE_EXCEEDED = 4,
	NF_NOT_FOUND = 5,
	NF_ALREADY_EXISTS = 6,
	NF_PERMISSION_DENIED = 7,
	NF_RESOURCE_EXHAUSTED = 8,
	NF_FAILED_PRECONDITION = 9,
	NF_ABORTED = 10,
	NF_OUT_OF_RANGE = 11,
	NF_UNIMPLEMENTED = 12,
	NF_INTERNAL = 13,
	NF_UNAVAILABLE = 14,
	NF_DATA_LOSS = 15,
	NF_UNAUTHENTICATED = 16,
};

struct nf_error {
	enum nf_code code;
	char where[256];
	char text[768];
};

/*
 * Fill *err (may be NULL) and return the negative errno that belongs to code. Text that does not
 * fit is cut at a character's boundary. where may be NULL.
 */
int nf_error_set(struct nf_error *err, enum nf_code code, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 4, 5), cold));
int nf_error_vset(struct nf_error *err, enum nf_code code, const char *where, const char *fmt,
		  va_list ap) __attribute__((format(printf, 4, 0), cold));

/* The same for a failed system call: appends ": " and strerror(errnum), returns -errnum. */
int nf_error_sys(struct nf_error *err, enum nf_code code, int errnum, const char *where,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6), cold));

/* RESOURCE_EXHAUSTED, "out of memory"; returns -ENOMEM. */
int nf_error_no_memory(struct nf_error *err, const char *where) __attribute__((cold));

/* "where: text", or just the text; into buf, always ended by NUL. Returns buf. */
const char *nf_error_message(const struct nf_error *err, char *buf, size_t size);

/* "INVALID_ARGUMENT" ...; "CODE_99" style for a number that is none (in a static table). */
const char *nf_code_name(enum nf_code code);

/* The code's errno, positive: INVALID_ARGUMENT -> EINVAL, NOT_FOUND -> ENOENT, ... */
int nf_code_errno(enum nf_code code);

#endif
