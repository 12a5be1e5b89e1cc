/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * node_limits.h - everything that a client can make grow, by name.
 *
 * One table (node_limits.c) has name, default, bounds and meaning; the configuration file's
 * [limits] section, --limit NAME=VALUE, the messages of refusals, GetCapabilities, GetStatus and
 * docs/operating.md use the same names. Immutable after start.
 */
#ifndef NF_NODE_LIMITS_H
#define NF_NODE_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct node_limits {
	uint64_t queries_running;
	uint64_t spare_workers;
	uint64_t queries_queued;
	uint64_t queries_per_identity;
	uint64_t reads_running;
	uint64_t loads_running;
	uint64_t threads_per_query;
	uint64_t memory_bytes_per_query;
	uint64_t seconds_per_query;
	uint64_t cpu_seconds_per_query;
	uint64_t groups;
	uint64_t result_bytes;
	uint64_t instructions_per_record;
	uint64_t message_bytes;
	uint64_t connections;
	uint64_t streams_per_connection;
	uint64_t files_per_dataset;
	uint64_t programs_cached;
	uint64_t program_cache_bytes;
	uint64_t code_cache_bytes;
	uint64_t drain_seconds;
};

struct limit_row {
	const char *name;
	size_t offset;   /* of the uint64_t in struct node_limits */
	uint64_t preset; /* 0 in threads_per_query: the processors of the machine */
	uint64_t least, most;
	const char *what;
};

/* One row per member, so that neither can grow without the other. */
enum { NODE_LIMITS = sizeof(struct node_limits) / sizeof(uint64_t) };
extern const struct limit_row limit_rows[NODE_LIMITS];
extern const size_t n_limit_rows;

void node_limits_default(struct node_limits *ret);
/* "queries_running", "16"; bytes take K, M and G (1024). -EINVAL: unknown name or bad value. */
int node_limits_set(struct node_limits *limits, const char *name, const char *value,
		    struct nf_error *err);
uint64_t node_limit_value(const struct node_limits *limits, const struct limit_row *row);

/* RESOURCE_EXHAUSTED in the words that every refusal by a limit uses. Returns the errno. */
int node_limit_refuse(struct nf_error *err, const char *limit, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
