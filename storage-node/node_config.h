/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node_config.h - what the operator said, in the configuration file and on the command line.
 *
 *	[node]
 *	listen = 127.0.0.1:7411        ; repeatable; unix:/run/nearfold/socket
 *	root = /srv                    ; data sets' paths are relative to it and stay below it
 *	devices = /dev/disk/by-id/nvme-* ; block devices that data sets may be
 *	insecure = no
 *	kernel_engine = yes
 *	log_level = info
 *	jit_module = /usr/lib/nearfold/nearfold-jit.so
 *	[limits]
 *	queries_running = 8
 *	[dataset trades]
 *	path = trades/2026-*.bin
 *	format = fixed:32
 *
 * A data set's keys are the words of scan/dataset.h; a schema must be one (sql/sql_schema.h) and
 * describe the format's records. Unknown sections and keys, and keys and names that are given
 * twice, are errors with FILE:LINE. Immutable after start.
 */
#ifndef NF_NODE_CONFIG_H
#define NF_NODE_CONFIG_H

#include <stdbool.h>

#include "base/log.h"
#include "scan/dataset.h"
#include "storage-node/node_limits.h"

struct node_config {
	char **listen;
	unsigned n_listen;
	struct dataset_spec *datasets; /* each one complete: dataset_spec_check() */
	unsigned n_datasets;
	char *root;         /* NULL: each data set's own folder is its root */
	char *devices;      /* patterns of paths below /dev that may be data sets; NULL: none */
	char *jit_module;   /* NULL: where scan looks by itself */
	bool kernel_engine; /* workers may keep CAP_BPF and CAP_PERFMON for it */
	bool insecure;      /* plain text on addresses that are not loopback */
	enum log_level log_level;
	struct node_limits limits;
};

void node_config_init(struct node_config *config);
void node_config_done(struct node_config *config);

/* Add what a file says. -ENOENT and friends: cannot be read; -EINVAL with where = "FILE:LINE". */
int node_config_read(struct node_config *config, const char *path, struct nf_error *err);
/* One address, one "NAME=PATH,...", one key of [node]: what the flags give. */
int node_config_add_listen(struct node_config *config, const char *address, struct nf_error *err);
int node_config_add_export(struct node_config *config, const char *text, struct nf_error *err);
int node_config_set(struct node_config *config, const char *key, const char *value,
		    struct nf_error *err);
/* Is there something to serve, and is every data set complete and named once? Gives the default
 * address, 127.0.0.1:7411, when none was named. */
int node_config_check(struct node_config *config, struct nf_error *err);

/* "127.0.0.1:7411", "[::1]:0", "localhost:7411", "unix:/path": reachable from this machine only? */
bool node_address_is_local(const char *address);

#endif
