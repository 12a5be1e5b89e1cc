/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * dataset.h - what a data set is, in words: NAME=PATH,format=...,key=value,...
 *
 * The same words on the command line (--export, --format, --skip ...), in the configuration file
 * (one key per line) and, without the path, on the wire.
 *
 *	trades=/srv/trades,format=fixed:32,skip=128,tail=ignore,allow=alice+bob,schema=ts:u64, ...
 *
 * schema= takes the rest of the text, commas included, and therefore comes last. PATH is a file, a
 * folder (its regular files, not below) or a glob; files are taken in byte order of their names. Or
 * it is nvme:SERIAL/NSID[,start=LBA][,blocks=N], an NVMe namespace (nvme_device.h).
 */
#ifndef NF_SCAN_DATASET_H
#define NF_SCAN_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum record_format { FORMAT_FIXED, FORMAT_LINES };

struct dataset_spec {
	char *name;
	char *path; /* NULL on the client */
	enum record_format format;
	uint32_t record_bytes; /* fixed: 1..1 MiB */
	uint64_t skip_bytes;   /* passed over at the start of each file */
	bool tail_ignore;      /* fixed: a last record cut short is passed over, not an error */
	char *schema; /* text as given, or NULL; checked where it is given, for lib/sql is above */
	char **allow; /* identities, ended by NULL; NULL: none given */
};

/* "NAME=PATH,format=..."; -EINVAL with where = the text's part and what would be right. */
int dataset_spec_parse(const char *text, struct dataset_spec *ret, struct nf_error *err);
/* One word: key "format", value "fixed:32". For configuration files and flags. */
int dataset_spec_set(struct dataset_spec *spec, const char *key, const char *value,
		     struct nf_error *err);
/* Is it complete and without contradiction? */
int dataset_spec_check(const struct dataset_spec *spec, struct nf_error *err);
/* "fixed:32" or "lines" */
void dataset_format_text(const struct dataset_spec *spec, char buf[32]);
int dataset_spec_copy(const struct dataset_spec *from, struct dataset_spec *ret);
void dataset_spec_done(struct dataset_spec *spec); /* takes a zeroed one */

#endif
