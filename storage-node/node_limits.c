/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/node_limits.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/scope.h"
#include "scan/groups.h"
#include "storage-node/spawner.h"
#include "wire/wire.h"

#define KiB 1024ull
#define MiB (1024 * KiB)
#define GiB (1024 * MiB)

#define ROW(member, preset, least, most, what)                                           \
	{                                                                                \
#member, offsetof(struct node_limits, member), preset, least, most, what \
	}

const struct limit_row limit_rows[NODE_LIMITS] = {
	ROW(queries_running, 8, 1, 4096, "queries that run at once, each in a worker of its own"),
	ROW(spare_workers, 1, 0, SPAWN_MAX_SPARES,
	    "workers that are forked before a query needs them, and wait"),
	ROW(queries_queued, 64, 0, 65536,
	    "queries that wait for their turn, first come first served"),
	ROW(queries_per_identity, 32, 1, 65536,
	    "queries and reads of one identity, running and waiting together"),
	ROW(reads_running, 16, 1, 4096, "ReadRange calls at once"),
	ROW(loads_running, 16, 1, 4096, "programs of LoadProgram calls under verification at once"),
	ROW(threads_per_query, 0, 1, 1024, "scan threads of one query (default: the processors)"),
	ROW(memory_bytes_per_query, 1 * GiB, 64 * MiB, 1024 * GiB,
	    "private writable memory of one worker (RLIMIT_DATA)"),
	ROW(seconds_per_query, 3600, 1, 30 * 86400, "wall time of one query, from its turn on"),
	ROW(cpu_seconds_per_query, 4 * 3600, 1, 30 * 86400,
	    "processor time of one worker, all threads together (RLIMIT_CPU)"),
	ROW(groups, GROUPS_DEFAULT_MAX, 1, 100000000, "groups of one answer"),
	ROW(result_bytes, 256 * MiB, 1 * KiB, 64 * GiB, "keys and states of one answer"),
	ROW(instructions_per_record, 100000000, 1000, 1000000000000,
	    "the most that a request may ask for as its budget per record"),
	ROW(message_bytes, WIRE_MAX_PROGRAM_REQUEST_BYTES, 64 * KiB, WIRE_MAX_PROGRAM_REQUEST_BYTES,
	    "one request that carries a program"),
	ROW(connections, 1000, 1, 100000, "connections at once"),
	ROW(streams_per_connection, 16, 1, 1000, "calls at once on one connection"),
	ROW(files_per_dataset, 1024, 1, 16384, "files of one data set (two descriptors each)"),
	ROW(programs_cached, 64, 1, 65536, "verified programs that are kept"),
	ROW(program_cache_bytes, 32 * MiB, 2 * MiB, 16 * GiB, "memory of the program cache"),
	ROW(code_cache_bytes, 16 * MiB, 0, 16 * GiB,
	    "compiled code that is kept for the client that had it compiled (0: none)"),
	ROW(drain_seconds, 30, 0, 86400, "how long running queries may go on after SIGTERM"),
};
const size_t n_limit_rows = ARRAY_SIZE(limit_rows);

static uint64_t *member(struct node_limits *limits, const struct limit_row *row)
{
	return (uint64_t *)((char *)limits + row->offset);
}

uint64_t node_limit_value(const struct node_limits *limits, const struct limit_row *row)
{
	return *(const uint64_t *)((const char *)limits + row->offset);
}

static uint64_t processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) ? 1 : (uint64_t)CPU_COUNT(&set);
}

void node_limits_default(struct node_limits *ret)
{
	for (size_t i = 0; i < n_limit_rows; i++)
		*member(ret, &limit_rows[i]) = limit_rows[i].preset;
	ret->threads_per_query = processors();
}

/* Digits, then perhaps K, M or G. */
static bool parse_amount(const char *text, uint64_t *ret)
{
	uint64_t unit = 1, v;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno)
		return false;
	if (*end && !end[1]) {
		unit = *end == 'K' ? KiB : *end == 'M' ? MiB : *end == 'G' ? GiB : 0;
		end++;
	}
	return !*end && unit && checked_mul_u64(v, unit, ret);
}

int node_limits_set(struct node_limits *limits, const char *name, const char *value,
		    struct nf_error *err)
{
	uint64_t v;

	for (size_t i = 0; i < n_limit_rows; i++) {
		const struct limit_row *row = &limit_rows[i];

		if (strcmp(row->name, name))
			continue;
		if (!parse_amount(value, &v) || v < row->least || v > row->most)
			return nf_error_set(err, NF_INVALID_ARGUMENT, name,
					    "'%s' is not a whole number from %llu to %llu "
					    "(bytes may end in K, M or G)",
					    value, (unsigned long long)row->least,
					    (unsigned long long)row->most);
		*member(limits, row) = v;
		return 0;
	}

	char names[640] = "";
	size_t n = 0;

	for (size_t i = 0; i < n_limit_rows && n < sizeof(names); i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", i ? ", " : "",
				      limit_rows[i].name);
	return nf_error_set(err, NF_INVALID_ARGUMENT, name, "no such limit; there are %s", names);
}

int node_limit_refuse(struct nf_error *err, const char *limit, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "%s (limit %s)", text, limit);
}
