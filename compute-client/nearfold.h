/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * nearfold.h - the public C library: run filter-reduce programs beside the data.
 *
 *	struct nearfold_program *prog;
 *	struct nearfold_error err;
 *	if (nearfold_program_open("average.bpf.o", &prog, &err)) ...
 *	struct nearfold_conn *conn;
 *	if (nearfold_connect("127.0.0.1:7411", NULL, &conn, &err)) ...
 *	struct nearfold_query q = {.program = prog, .dataset = "symbols"};
 *	struct nearfold_result *res;
 *	if (nearfold_run(conn, &q, &res, &err)) ...
 *	nearfold_result_write(res, NEARFOLD_TABLE, stdout);
 *
 * or, in SQL,
 *
 *	if (nearfold_sql_prepare_on(&conn, 1, "SELECT count(*) FROM symbols", &prog, &err)) ...
 *	struct nearfold_query q = {.program = prog};
 *	if (nearfold_run(conn, &q, &res, &err)) ...
 *
 * Functions return 0 or a negative errno and fill *err (may be NULL): the gRPC status code, where,
 * and what to do. On success outputs are owned by the caller; on failure they are untouched.
 * Texts are UTF-8; parts of them come from a node or from data, so escape control characters
 * before you print them on a terminal (nearfold_*_write() do, CSV if it goes to one).
 * Objects belong to one thread at a time; different objects may be used by different threads.
 * Link: pkg-config --libs nearfold.
 */
#ifndef NEARFOLD_H
#define NEARFOLD_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NEARFOLD_API __attribute__((visibility("default")))

struct nearfold_error {
	int code; /* gRPC status code, 1..16 */
	/* "average.bpf.c:14 in reduce 'sum'", "SQL, column 8", "127.0.0.1:7411", ... */
	char where[256];
	char text[768];
	char source[256];  /* the text of the source line that `where` names, or "" */
	uint64_t query_id; /* of the node, 0 if there is none */
};

/* "INVALID_ARGUMENT" */
NEARFOLD_API const char *nearfold_code_name(int code);
NEARFOLD_API const char *nearfold_version(void);

/* ---- programs ------------------------------------------------------------------------------ */

struct nearfold_program;

NEARFOLD_API int nearfold_program_open(const char *path, struct nearfold_program **ret,
				       struct nearfold_error *err);
NEARFOLD_API void nearfold_program_free(struct nearfold_program *p);
/* 64 hex digits; valid as long as p. */
NEARFOLD_API const char *nearfold_program_id(const struct nearfold_program *p);
/* Set one member of PARAMS by name: "threshold", "50". Members not set are zero. */
NEARFOLD_API int nearfold_program_param(struct nearfold_program *p, const char *name,
					const char *value, struct nearfold_error *err);
/* The bytecode with its source lines. */
NEARFOLD_API void nearfold_program_disasm(const struct nearfold_program *p, FILE *out);
/* Verify here, and write the report. format: "fixed:32", "lines" or NULL (the program's own). */
NEARFOLD_API int nearfold_program_check(struct nearfold_program *p, const char *format,
					FILE *report, struct nearfold_error *err);

/* ---- connections --------------------------------------------------------------------------- */

struct nearfold_conn;

/* Zero is the default. The struct may grow: set size to sizeof(struct nearfold_conn_options). */
struct nearfold_conn_options {
	size_t size;
	uint64_t connect_ms; /* 0: 5000 */
	int cancel_fd;       /* readable: whatever runs is cancelled; 0 none */
	uint64_t timeout_ns; /* of one call; a query's own timeout goes before it; 0: none */
};

/* "HOST:PORT" (port 7411 if left out), "[::1]:PORT", "unix:/path" */
NEARFOLD_API int nearfold_connect(const char *address, const struct nearfold_conn_options *options,
				  struct nearfold_conn **ret, struct nearfold_error *err);
NEARFOLD_API void nearfold_close(struct nearfold_conn *c);

/* ---- SQL ----------------------------------------------------------------------------------- */

/*
 * A SELECT with aggregates over one table, in PostgreSQL's grammar and with its meaning
 * (docs/sql.md). It becomes a program like any other, for all functions that take one: WHERE, GROUP
 * BY and the aggregates run beside the data, and what is left to do with the groups is done when
 * the result is made, whose columns and rows are the query's. What fails in it fails with
 * PostgreSQL's words and the place in the text.
 *
 * INVALID_ARGUMENT: what PostgreSQL refuses, too, or a schema that is none; UNIMPLEMENTED: what is
 * not supported; RESOURCE_EXHAUSTED: more than a program can have. err->where is "SQL, column 8" or
 * "SQL, line 2, column 8" (characters, from 1), err->source the line. While it runs OUT_OF_RANGE:
 * a record or a group has no value (division by zero, overflow); where then names the record, too.
 *
 * Neither text, schema nor connections are needed any more when these functions have returned. The
 * program has no parameters; nearfold_program_free() frees it.
 */

/* The table of FROM, which is the data set to ask a node for; the caller's, to free(). */
NEARFOLD_API int nearfold_sql_table(const char *text, char **ret, struct nearfold_error *err);
/* schema: "day:date, price:decimal(12,2), name:char(16)", what is in a record. Local queries may
 * leave their format out; queries on nodes their data set. */
NEARFOLD_API int nearfold_sql_prepare(const char *text, const char *schema,
				      struct nearfold_program **ret, struct nearfold_error *err);
/* With the schema that the table has on the nodes now; prepare again when it may have changed: a
 * node looks at the length of records only. NOT_FOUND: a node has no such data set;
 * FAILED_PRECONDITION: it has no schema, or not the same on all. */
NEARFOLD_API int nearfold_sql_prepare_on(struct nearfold_conn *const *conns, unsigned n_conns,
					 const char *text, struct nearfold_program **ret,
					 struct nearfold_error *err);

/* ---- queries ------------------------------------------------------------------------------- */

struct nearfold_progress {
	uint64_t bytes_done, bytes_total, records, matched, elapsed_ns;
};

/* Zero is the default everywhere. */
struct nearfold_query {
	size_t size; /* sizeof(struct nearfold_query), or 0: this version's */
	struct nearfold_program *program;
	/* On a node; NULL: the table of FROM, if the program was SQL (another one must have the
	 * same schema). */
	const char *dataset;
	const char *const *files; /* local, ended by NULL: no connection needed */
	const char *format;       /* local: "fixed:32", "lines"; NULL: as SQL's schema has it */
	const char *schema;       /* local: it is checked; SQL was compiled with its own */
	uint64_t skip_bytes;
	int tail_ignore;
	const char *engine; /* "auto", "kernel", "jit", "interp" */
	const char *reader; /* "auto", "pread", "uring", "mmap", "nvme" */
	unsigned threads, queue_depth;
	uint64_t chunk_bytes;
	int has_range;
	uint64_t range_start, range_end; /* end UINT64_MAX: to the end */
	uint64_t instructions_per_record, max_groups;
	uint64_t timeout_ns;
	/* About every 100 ms, from the thread that called. */
	void (*progress)(void *arg, const struct nearfold_progress *p);
	void *progress_arg;
	int cancel_fd; /* local queries: readable means cancel; 0 none */
};

struct nearfold_stats {
	const char *engine, *engine_reason, *reader; /* valid as long as the result */
	unsigned threads, queue_depth;
	uint64_t chunk_bytes;
	uint64_t bytes_scanned, records, matched, groups;
	/* Through the sockets, all overhead included; setting up a connection counts for the first
	 * query on it. */
	uint64_t wire_bytes_sent, wire_bytes_received;
	double scan_seconds, prepare_seconds, total_seconds, node_cpu_seconds;
	uint64_t worker_memory_bytes;
	uint64_t query_id, generation;
	/* What the node counted: messages with their framing, without HTTP/2's own. */
	uint64_t node_bytes_sent;
	/* Reads or, of an NVMe namespace, commands; and how many of these failed and were tried
	 * again. */
	uint64_t read_commands, read_retries;
	const char *device; /* that the data lives on; "" unknown */
};

struct nearfold_result;

/* conn NULL: local, over query->files. */
NEARFOLD_API int nearfold_run(struct nearfold_conn *conn, const struct nearfold_query *query,
			      struct nearfold_result **ret, struct nearfold_error *err);
/* The same question to several nodes that hold a part of the data each; the partial states are
 * combined here. Any node that fails fails the query; two connections to one address are refused.
 */
NEARFOLD_API int nearfold_gather(struct nearfold_conn *const *conns, unsigned n_conns,
				 const struct nearfold_query *query, struct nearfold_result **ret,
				 struct nearfold_error *err);
NEARFOLD_API void nearfold_result_free(struct nearfold_result *r);

NEARFOLD_API const struct nearfold_stats *nearfold_result_stats(const struct nearfold_result *r);
/* Rows in the order of their keys: member by member, numbers as numbers, text as bytes. Ungrouped:
 * one row. Of SQL: the query's rows, without ORDER BY in the order of GROUP BY's keys. */
NEARFOLD_API uint64_t nearfold_result_rows(const struct nearfold_result *r);
/* The raw bytes of a row's key (NULL if ungrouped) and state; valid as long as r. Rows of SQL have
 * none: -ENOTSUP. */
NEARFOLD_API int nearfold_result_row(const struct nearfold_result *r, uint64_t row,
				     const void **ret_key, const void **ret_state);
NEARFOLD_API unsigned nearfold_result_columns(const struct nearfold_result *r);
NEARFOLD_API const char *nearfold_result_column_name(const struct nearfold_result *r, unsigned col);
/* "u64", "f64", "char[16]" ...; of SQL PostgreSQL's names: "bigint", "numeric", "text" ... */
NEARFOLD_API const char *nearfold_result_column_type(const struct nearfold_result *r, unsigned col);
/* A cell's text, as tables have it: "-12.50", "true", "1998-12-01"; texts of records as they are.
 * NULL for a null (errno 0), no such cell (ERANGE), no memory (ENOMEM). Valid until the next call
 * with r. */
NEARFOLD_API const char *nearfold_result_text(struct nearfold_result *r, uint64_t row,
					      unsigned col);

enum nearfold_output { NEARFOLD_TABLE, NEARFOLD_JSON, NEARFOLD_CSV };
NEARFOLD_API int nearfold_result_write(const struct nearfold_result *r, enum nearfold_output form,
				       FILE *out);

/* ---- asking a node ------------------------------------------------------------------------- */

NEARFOLD_API int nearfold_datasets_write(struct nearfold_conn *c, enum nearfold_output form,
					 FILE *out, struct nearfold_error *err);
NEARFOLD_API int nearfold_status_write(struct nearfold_conn *c, enum nearfold_output form,
				       FILE *out, struct nearfold_error *err);
/* The NVMe namespaces of a node; conn NULL: of this machine. */
NEARFOLD_API int nearfold_devices_write(struct nearfold_conn *c, enum nearfold_output form,
					FILE *out, struct nearfold_error *err);
/* What would run where, and why: engines with reasons, verdicts. conn NULL: here. */
NEARFOLD_API int nearfold_explain_write(struct nearfold_conn *c, const struct nearfold_query *query,
					FILE *out, struct nearfold_error *err);
/* The raw bytes of a data set, in order, to sink (non-zero return: stop with that value). */
NEARFOLD_API int nearfold_read(struct nearfold_conn *c, const char *dataset, uint64_t start_bytes,
			       uint64_t end_bytes,
			       int (*sink)(void *arg, const void *data, size_t n), void *arg,
			       struct nearfold_error *err);

#ifdef __cplusplus
}
#endif

#endif
