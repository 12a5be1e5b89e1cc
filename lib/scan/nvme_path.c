/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "scan/nvme_device.h"

#define SCHEME "nvme:"

bool nvme_path_is(const char *path)
{
	return !strncmp(path, SCHEME, strlen(SCHEME));
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

size_t nvme_path_length(const char *text)
{
	size_t n = strcspn(text, ",");

	while (nvme_path_is(text) && text[n] &&
	       (begins(text + n + 1, "start=") || begins(text + n + 1, "blocks=")))
		n += 1 + strcspn(text + n + 1, ",");
	return n;
}

/* Digits up to a comma or the end; *at is behind them. */
static bool number(const char **at, uint64_t *ret)
{
	uint64_t v = 0;
	const char *p = *at;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return false;
	if (p == *at || (*p && *p != ','))
		return false;
	*at = p;
	*ret = v;
	return true;
}

static int wrong(const char *path, const char *at, struct nf_error *err)
{
	return nf_error_set(err, NF_INVALID_ARGUMENT, path,
			    "\"%s\" is not understood: say nvme:SERIAL/NSID, then ,start=LBA and "
			    ",blocks=N for a part of the namespace",
			    at);
}

int nvme_path_parse(const char *path, struct nvme_path *ret, struct nf_error *err)
{
	struct nvme_path p = {0};
	const char *at = path + strlen(SCHEME), *slash;
	uint64_t nsid, *to;

	if (!nvme_path_is(path))
		return wrong(path, path, err);
	slash = strrchr(at, '/');
	if (!slash || slash == at || (size_t)(slash - at) >= sizeof(p.serial))
		return wrong(path, at, err);
	memcpy(p.serial, at, (size_t)(slash - at));
	at = slash + 1;
	if (!number(&at, &nsid) || !nsid || nsid >= UINT32_MAX)
		return wrong(path, slash, err);
	p.nsid = (uint32_t)nsid;
	while (*at) {
		const char *word = at + 1;

		to = begins(word, "start=")    ? &p.start_lba
		     : begins(word, "blocks=") ? &p.blocks
					       : NULL;
		at = to ? strchr(word, '=') + 1 : word;
		if (!to || !number(&at, to) || (to == &p.blocks && !p.blocks))
			return wrong(path, word, err);
	}
	*ret = p;
	return 0;
}
