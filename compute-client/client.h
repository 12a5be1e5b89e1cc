/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * client.h - what the files of libnearfold know of each other. Nothing here is exported.
 *
 *	nearfold_program.c   an object, its parameters, its source lines
 *	nearfold_sql.c       a query in SQL instead of an object; client_sql*.c: its answers, errors
 *	nearfold_conn.c      a connection, one call at a time, errors with their details
 *	nearfold_query.c     nearfold_run: a query on a node
 *	nearfold_local.c     the same over files, in this process
 *	nearfold_gather.c    the same on several nodes
 *	partials.c           partial states that arrive, merged
 *	nearfold_result.c    rows, their order, columns, statistics
 */
#ifndef NF_CLIENT_H
#define NF_CLIENT_H

#include <stdbool.h>

#include "base/error.h"
#include "compute-client/nearfold.h"
#include "program/program_layout.h"
#include "rpc/rpc_client.h"
#include "scan/scan.h"
#include "wire/wire.h"

/* ---- errors -------------------------------------------------------------------------------- */

/* *to (may be NULL) from an error of the libraries; ret is passed through. */
int client_error(struct nearfold_error *to, const struct nf_error *from, int ret);
int client_fail(struct nearfold_error *to, enum nf_code code, const char *where, const char *fmt,
		...) __attribute__((format(printf, 4, 5), cold));
int client_no_memory(struct nearfold_error *to);

/* ---- programs ------------------------------------------------------------------------------ */

struct client_sql; /* client_sql.h */

struct nearfold_program {
	struct program *program;
	struct client_sql *sql; /* NULL: it was no SQL */
	struct layout params;   /* n_members 0 when it takes none */
	uint8_t *param_bytes;   /* program->params_bytes */
	char *path;             /* for messages; of SQL "the query" */
	char id[2 * PROGRAM_ID_BYTES + 1];
};

/* Call it when a program fails or is refused. If err->where names a line of the program's source
 * whose text the object has: fills err->source. Failures of SQL are said in SQL's words. */
void client_program_source(const struct nearfold_program *p, struct nearfold_error *err);

/* The data set that a local query or a check is about; without a path or files. */
int client_spec(const struct nearfold_query *q, struct dataset_spec *ret, struct nf_error *err);
/* Verify for records of that format. */
int client_verify(const struct nearfold_program *p, const struct dataset_spec *spec,
		  struct vm_program **ret, struct nf_error *err);

/* ---- connections --------------------------------------------------------------------------- */

struct nearfold_conn {
	struct rpc_client *rpc;
	uint64_t timeout_ns;
	/* Bytes that were counted for a query or a call already. */
	uint64_t sent_mark, received_mark;
};

/* What a failed call said beside the error. Free with client_refusal_done(). */
struct client_refusal {
	Nearfold__V1__ErrorDetail *detail; /* NULL: nothing */
};
void client_refusal_done(struct client_refusal *r);
/* Is this what the node lacks: "program", "dataset"? */
bool client_refusal_missing(const struct client_refusal *r, const char *what);

/*
 * One call. Each reply goes to on_message, which returns 0, or a negative errno with *err filled:
 * the call is then cancelled and that is what client_call returns. deadline_ns 0: the
 * connection's own timeout counts. refusal may be NULL.
 */
int client_call(struct nearfold_conn *c, const char *path, const ProtobufCMessage *request,
		uint64_t deadline_ns,
		int (*on_message)(void *arg, const uint8_t *message, size_t size), void *arg,
		struct client_refusal *refusal, struct nearfold_error *err);
/* A call with exactly one reply: its bytes, malloc()ed. */
int client_call_unary(struct nearfold_conn *c, const char *path, const ProtobufCMessage *request,
		      uint8_t **ret, size_t *ret_size, struct nearfold_error *err);

/* A reply that wire_unpack_*() refused: INTERNAL, because it is the node's fault. */
int client_bad_reply(struct nearfold_conn *c, const struct nf_error *why,
		     struct nearfold_error *err);

/* What a node has counted since it started. */
struct client_counters {
	uint64_t bytes_sent; /* messages with their framing, of calls that have ended */
	uint64_t cpu_ns;     /* of the daemon, its workers not included */
	char version[32];
};
int client_node_counters(struct nearfold_conn *c, struct client_counters *ret,
			 struct nearfold_error *err);

/* *ret is freed by nearfold__v1__dataset__free_unpacked(). */
int client_describe(struct nearfold_conn *c, const char *name, Nearfold__V1__Dataset **ret,
		    struct nearfold_error *err);
/* The data set is not there: say which are. */
void client_name_datasets(struct nearfold_conn *c, struct nearfold_error *err);

/* ---- queries ------------------------------------------------------------------------------- */

/* One node's part of a query: sends it, merges what arrives into parts, fills stats. */
struct client_execution {
	const struct nearfold_query *query;
	struct partials *parts;
	struct nearfold_stats stats; /* the texts point into the members below */
	char engine[32], engine_reason[256], reader[64], device[96];
	uint64_t node_instance; /* the same at two addresses: one node; 0: it did not say */
	/* Called for every Progress; non-zero cancels the call. */
	int (*progress)(void *arg, const struct nearfold_progress *p);
	void *progress_arg;
};
int client_execute(struct nearfold_conn *c, struct client_execution *x, struct nearfold_error *err);

int client_run_local(const struct nearfold_query *q, struct nearfold_result **ret,
		     struct nearfold_error *err);

/* The caller's struct as this version has it (an older caller's is shorter: what it lacks is zero),
 * with a program and a range that is not empty, and what SQL's program says by itself. */
int client_query_read(const struct nearfold_query *given, struct nearfold_query *ret,
		      struct nearfold_error *err);

/* ---- partial states, merged ------------------------------------------------------------------ */

/* What has arrived: one state or a table of groups. One thread at a time. */
struct partials;

int partials_new(struct program *program, uint64_t budget, uint64_t max_groups,
		 struct partials **ret, struct nf_error *err);
void partials_free(struct partials *p);
/* n groups of a message: keys and states as arrays; ungrouped: one state. */
int partials_add(struct partials *p, uint32_t n, const uint8_t *keys, const uint8_t *states,
		 struct nf_error *err);
/* into += from */
int partials_merge(struct partials *into, const struct partials *from, struct nf_error *err);
/* Has a state arrived at all? Grouped: always. */
bool partials_whole(const struct partials *p);
/* Moves the state or the groups out. */
void partials_take(struct partials *p, uint8_t **ret_state, struct groups **ret_groups);

/* ---- results ------------------------------------------------------------------------------- */

/* Takes state and groups (one of them is NULL) on success; stats and its texts are copied. SQL's
 * are finished: OUT_OF_RANGE as PostgreSQL has it. */
int client_result_new(const struct nearfold_program *program, uint8_t *state, struct groups *groups,
		      const struct nearfold_stats *stats, struct nearfold_result **ret,
		      struct nf_error *err);

/* What the node is. *ret is freed by nearfold__v1__capabilities__free_unpacked(). */
int client_capabilities(struct nearfold_conn *c, Nearfold__V1__Capabilities **ret,
			struct nearfold_error *err);

#endif
