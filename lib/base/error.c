/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int errnum;
} codes[] = {
	[NF_OK] = {"OK", 0},
	[NF_CANCELLED] = {"CANCELLED", ECANCELED},
	[NF_UNKNOWN] = {"UNKNOWN", EIO},
	[NF_INVALID_ARGUMENT] = {"INVALID_ARGUMENT", EINVAL},
	[NF_DEADLINE_EXCEEDED] = {"DEADLINE_EXCEEDED", ETIMEDOUT},
	[NF_NOT_FOUND] = {"NOT_FOUND", ENOENT},
	[NF_ALREADY_EXISTS] = {"ALREADY_EXISTS", EEXIST},
	[NF_PERMISSION_DENIED] = {"PERMISSION_DENIED", EACCES},
	[NF_RESOURCE_EXHAUSTED] = {"RESOURCE_EXHAUSTED", ENOSPC},
	[NF_FAILED_PRECONDITION] = {"FAILED_PRECONDITION", ENOTSUP},
	[NF_ABORTED] = {"ABORTED", ESTALE},
	[NF_OUT_OF_RANGE] = {"OUT_OF_RANGE", ERANGE},
	[NF_UNIMPLEMENTED] = {"UNIMPLEMENTED", ENOSYS},
	[NF_INTERNAL] = {"INTERNAL", EPROTO},
	[NF_UNAVAILABLE] = {"UNAVAILABLE", EAGAIN},
	[NF_DATA_LOSS] = {"DATA_LOSS", EBADMSG},
	[NF_UNAUTHENTICATED] = {"UNAUTHENTICATED", EPERM},
};

const char *nf_code_name(enum nf_code code)
{
	return (size_t)code < sizeof(codes) / sizeof(codes[0]) ? codes[code].name : "UNKNOWN_CODE";
}

int nf_code_errno(enum nf_code code)
{
	return (size_t)code < sizeof(codes) / sizeof(codes[0]) ? codes[code].errnum : EIO;
}

/* Do not leave half a UTF-8 character at the end of a text that was cut. */
static void trim_utf8(char *s, size_t size)
{
	size_t n = strlen(s), start = n;

	if (n + 1 < size)
		return;
	while (start > 0 && ((unsigned char)s[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0 || !((unsigned char)s[start - 1] & 0x80))
		return;
	unsigned char lead = (unsigned char)s[start - 1];
	size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	if (n - (start - 1) < want)
		s[start - 1] = '\0';
}

int nf_error_vset(struct nf_error *err, enum nf_code code, const char *where, const char *fmt,
		  va_list ap)
{
	if (err) {
		char text[sizeof(err->text)], place[sizeof(err->where)];

		/* Through copies: where and the arguments may point into *err itself. */
		vsnprintf(text, sizeof(text), fmt, ap);
		snprintf(place, sizeof(place), "%s", where ? where : "");
		trim_utf8(text, sizeof(text));
		trim_utf8(place, sizeof(place));
		err->code = code;
		memcpy(err->text, text, sizeof(text));
		memcpy(err->where, place, sizeof(place));
	}
	return -nf_code_errno(code);
}

int nf_error_set(struct nf_error *err, enum nf_code code, const char *where, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int ret = nf_error_vset(err, code, where, fmt, ap);
	va_end(ap);
	return ret;
}

int nf_error_sys(struct nf_error *err, enum nf_code code, int errnum, const char *where,
		 const char *fmt, ...)
{
	char text[sizeof(err->text)], reason[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	nf_error_set(err, code, where, "%s: %s", text, strerror_r(errnum, reason, sizeof(reason)));
	return -errnum;
}

int nf_error_no_memory(struct nf_error *err, const char *where)
{
	nf_error_set(err, NF_RESOURCE_EXHAUSTED, where, "out of memory");
	return -ENOMEM;
}

const char *nf_error_message(const struct nf_error *err, char *buf, size_t size)
{
	if (err->where[0])
		snprintf(buf, size, "%s: %s", err->where, err->text);
	else
		snprintf(buf, size, "%s", err->text);
	return buf;
}
