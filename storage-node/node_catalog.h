/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node_catalog.h - the data sets of this node, by name, and how one is opened.
 *
 * Every data set has a root folder: the configuration's `root`, or else the folder itself, the
 * file's folder, or a glob's folders before the first wildcard. Opening resolves below that root
 * (openat2, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS), so a link that leads out of it is refused.
 * Immutable after start: any thread.
 */
#ifndef NF_NODE_CATALOG_H
#define NF_NODE_CATALOG_H

#include "scan/source.h"
#include "storage-node/node_config.h"

struct catalog;

struct catalog_entry {
	const struct dataset_spec *spec; /* path relative to root */
	const char *root;
	bool is_device; /* its path may be a block device: [node] devices names it, or it is nvme:
			 */
};

int catalog_new(const struct node_config *config, struct catalog **ret, struct nf_error *err);
void catalog_free(struct catalog *c);
unsigned catalog_count(const struct catalog *c);
const struct catalog_entry *catalog_at(const struct catalog *c, unsigned i);
/* NULL when there is none of that name. */
const struct catalog_entry *catalog_find(const struct catalog *c, const char *name);

/* Blocks on the file system. Errors as source_open(), and -E2BIG
 * (RESOURCE_EXHAUSTED) above max_files. */
int catalog_open(const struct catalog_entry *entry, uint64_t max_files, struct source **ret,
		 struct nf_error *err);

/* What a client is shown. Blocks as catalog_open() does. */
struct catalog_facts {
	uint64_t total_bytes, generation;
	uint32_t files;
	char device[96];    /* source_device_text() */
	char problem[1024]; /* "" when it can be scanned */
};
void catalog_look(const struct catalog_entry *entry, uint64_t max_files, struct catalog_facts *ret);

#endif
