/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/cmd/cmd_session.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/scope.h"
#include "compute-client/cmd/cmd_sql.h"

/* The handler's end of the eventfd that cancels whatever runs. */
static int interrupt_fd = -1;

static void on_interrupt(int sig)
{
	uint64_t one = 1;
	int saved = errno;

	(void)sig;
	if (write(interrupt_fd, &one, sizeof(one)) < 0)
		abort(); /* an eventfd takes 2^64 - 2 of these */
	errno = saved;
}

/* The first Ctrl-C cancels, the second one ends the process as it always did. */
static int catch_interrupts(int *ret_fd)
{
	struct sigaction act = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0) {
		fprintf(stderr, "nearfold: no file descriptor left: %s\n", strerror(errno));
		return EXIT_FAILED;
	}
	interrupt_fd = fd;
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	*ret_fd = fd;
	return EXIT_DONE;
}

static int set_params(struct nearfold_program *p, const struct cmd_options *o)
{
	for (unsigned i = 0; i < o->n_params; i++) {
		struct nearfold_error err = {.code = NF_RESOURCE_EXHAUSTED,
					     .text = "out of memory"};
		const char *value = strchr(o->params[i], '=') + 1;
		char *name = strndup(o->params[i], (size_t)(value - o->params[i] - 1));
		int r = name ? nearfold_program_param(p, name, value, &err) : -ENOMEM;

		free(name);
		if (r < 0) {
			cmd_failed("cannot set a parameter", &err);
			return EXIT_USAGE;
		}
	}
	return EXIT_DONE;
}

static int open_program(const struct cmd_options *o, struct session *s)
{
	struct nearfold_error err;

	if (nearfold_program_open(o->program, &s->program, &err) < 0)
		return cmd_failed("cannot read the program", &err);
	return set_params(s->program, o);
}

static int connect_all(const struct cmd_options *o, struct session *s)
{
	struct nearfold_conn_options options = {
		.size = sizeof(options),
		.cancel_fd = s->cancel_fd,
		.timeout_ns = o->timeout_ns,
		.connect_ms = o->timeout_ns ? o->timeout_ns / 1000000 : 0,
	};

	s->conns = calloc(o->n_nodes + 1, sizeof(struct nearfold_conn *));
	if (!s->conns) {
		fputs("nearfold: out of memory\n", stderr);
		return EXIT_FAILED;
	}
	for (unsigned i = 0; i < o->n_nodes; i++) {
		struct nearfold_error err;

		if (nearfold_connect(o->nodes[i], &options, &s->conns[i], &err) == 0) {
			s->n_conns++;
			continue;
		}
		if (err.code != NF_INVALID_ARGUMENT)
			return cmd_failed("cannot reach the node", &err);
		cmd_failed("not an address", &err);
		return EXIT_USAGE;
	}
	return EXIT_DONE;
}

static const char *query_failed(const struct cmd_options *o)
{
	return o->command->bit == CMD_EXPLAIN ? "cannot explain the query" : "the query failed";
}

/* What the text alone says, before anybody is asked: is it SQL, over a table that can be? */
static int read_query(const struct cmd_options *o, struct session *s)
{
	AUTO_FREE char *table = NULL;
	struct nearfold_error err;

	if (nearfold_sql_table(s->sql, &table, &err) < 0)
		return session_failed(s, query_failed(o), &err);
	return o->local ? cmd_sql_local_table(o, table, query_failed(o)) : EXIT_DONE;
}

static int compile_query(const struct cmd_options *o, struct session *s)
{
	struct nearfold_error err;
	int r = s->n_conns
			? nearfold_sql_prepare_on(s->conns, s->n_conns, s->sql, &s->program, &err)
			: nearfold_sql_prepare(s->sql, o->schema, &s->program, &err);

	return r < 0 ? session_failed(s, query_failed(o), &err) : EXIT_DONE;
}

int session_open(const struct cmd_options *o, struct session *ret)
{
	int status = EXIT_DONE;

	memset(ret, 0, sizeof(*ret));
	if (o->sql) /* Ctrl-C ends the typing as it always did */
		status = cmd_sql_text(o->sql, &ret->sql);
	if (status == EXIT_DONE)
		status = catch_interrupts(&ret->cancel_fd);
	if (status == EXIT_DONE && o->program)
		status = open_program(o, ret);
	if (status == EXIT_DONE && o->sql)
		status = read_query(o, ret);
	if (status == EXIT_DONE && o->n_nodes > 0)
		status = connect_all(o, ret);
	if (status == EXIT_DONE && o->sql)
		status = compile_query(o, ret);
	return status;
}

void session_close(struct session *s)
{
	for (unsigned i = 0; i < s->n_conns; i++)
		nearfold_close(s->conns[i]);
	free(s->conns);
	nearfold_program_free(s->program);
	free(s->sql);
	/* The eventfd stays: the handler may write to it until the process ends. */
}

int session_failed(const struct session *s, const char *what, const struct nearfold_error *err)
{
	return s->sql ? cmd_sql_failed(what, err, s->sql) : cmd_failed(what, err);
}

struct nearfold_query session_query(const struct session *s, const struct cmd_options *o)
{
	return (struct nearfold_query){
		.size = sizeof(struct nearfold_query),
		.program = s->program,
		.dataset = o->dataset,
		.files = o->files,
		.format = o->format,
		.schema = o->schema,
		.skip_bytes = o->skip_bytes,
		.tail_ignore = o->tail_ignore,
		.engine = o->engine,
		.reader = o->reader,
		.threads = o->threads,
		.queue_depth = o->depth,
		.chunk_bytes = o->chunk_bytes,
		.has_range = o->has_range,
		.range_start = o->range_start,
		.range_end = o->range_end,
		.instructions_per_record = o->budget,
		.max_groups = o->max_groups,
		.timeout_ns = o->timeout_ns,
		.cancel_fd = s->cancel_fd,
	};
}
