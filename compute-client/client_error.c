/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(((struct nearfold_error *)0)->where) == sizeof(((struct nf_error *)0)->where),
	       "where is copied whole");
_Static_assert(sizeof(((struct nearfold_error *)0)->text) == sizeof(((struct nf_error *)0)->text),
	       "text is copied whole");

int client_error(struct nearfold_error *to, const struct nf_error *from, int ret)
{
	if (to) {
		memset(to, 0, sizeof(*to));
		to->code = from->code ? (int)from->code : NF_INTERNAL;
		memcpy(to->where, from->where, sizeof(to->where));
		memcpy(to->text, from->text, sizeof(to->text));
		if (!to->text[0])
			snprintf(to->text, sizeof(to->text), "%s", strerror(-ret));
	}
	return ret;
}

int client_fail(struct nearfold_error *to, enum nf_code code, const char *where, const char *fmt,
		...)
{
	struct nf_error err = {0};
	va_list ap;

	va_start(ap, fmt);
	int ret = nf_error_vset(&err, code, where, fmt, ap);
	va_end(ap);
	return client_error(to, &err, ret);
}

int client_no_memory(struct nearfold_error *to)
{
	client_fail(to, NF_RESOURCE_EXHAUSTED, "this process", "out of memory");
	return -ENOMEM;
}

const char *nearfold_code_name(int code)
{
	return nf_code_name((enum nf_code)code);
}

const char *nearfold_version(void)
{
	return NEARFOLD_VERSION;
}
