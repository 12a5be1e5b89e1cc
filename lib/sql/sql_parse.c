/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * sql_parse.c - libpg_query with care for the stack.
 *
 * PostgreSQL's grammar keeps its stack in memory and has a limit for it, but libpg_query writes the
 * tree out by recursion, and protobuf-c reads it and frees it in the same way: 16 KiB of "- - - x"
 * need between 8 and 16 MiB of stack. So the text is parsed on a thread with a stack of 64 MiB, of
 * which only what is used becomes memory, and a tree that is too deep is freed there. The thread's
 * end also frees libpg_query's own memory.
 */
#include "sql/sql_parse.h"

#include <errno.h>
#include <pg_query.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "sql/sql_plan.h"

enum {
	STACK_BYTES = 64 << 20,
	/* An expression is at most five messages: node, CASE, node, WHEN, node. */
	MAX_MESSAGES_DEEP = 5 * SQL_MAX_DEPTH,
};

/* ---- places ---------------------------------------------------------------------------------- */

static bool starts_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

const char *sql_where(const char *text, int32_t at, char *buf, size_t size)
{
	const char *newline = text ? strchr(text, '\n') : NULL;
	bool several = newline && newline[strspn(newline, " \t\r\n")];
	unsigned line = 1, column = 1;

	if (at < 0) {
		snprintf(buf, size, "SQL");
		return buf;
	}
	if (!text)
		column = (unsigned)at + 1;
	for (int32_t i = 0; text && i < at && text[i]; i++) {
		column += starts_character(text[i]);
		if (text[i] == '\n') {
			line++;
			column = 1;
		}
	}
	if (several)
		snprintf(buf, size, "SQL, line %u, column %u", line, column);
	else
		snprintf(buf, size, "SQL, column %u", column);
	return buf;
}

/* From PostgreSQL's, in characters and from 1. */
static int32_t byte_of_character(const char *text, int character)
{
	int32_t i = 0;

	if (character < 1)
		return -1;
	for (int n = 1; text[i] && n < character; n++)
		while (text[++i] && !starts_character(text[i]))
			continue;
	return i;
}

/* Calls fn for every message within m; they are found by what protobuf-c knows of it. */
static void for_each_child(const ProtobufCMessage *m,
			   void (*fn)(const ProtobufCMessage *child, void *ctx), void *ctx)
{
	const char *base = (const char *)m;

	for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
		const void *at = base + f->offset, *q = base + f->quantifier_offset;
		bool oneof = f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;

		if (f->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			ProtobufCMessage *const *list = *(ProtobufCMessage *const *const *)at;

			for (size_t k = 0; k < *(const size_t *)q; k++)
				fn(list[k], ctx);
		} else if (!oneof || *(const uint32_t *)q == f->id) {
			const ProtobufCMessage *child = *(ProtobufCMessage *const *)at;

			if (child)
				fn(child, ctx);
		}
	}
}

static void leftmost(const ProtobufCMessage *m, void *ctx)
{
	const ProtobufCFieldDescriptor *f =
		protobuf_c_message_descriptor_get_field_by_name(m->descriptor, "location");
	int32_t *ret = ctx;

	if (f && f->type == PROTOBUF_C_TYPE_INT32) {
		int32_t at = *(const int32_t *)((const char *)m + f->offset);

		if (at >= 0 && (*ret < 0 || at < *ret))
			*ret = at;
	}
	for_each_child(m, leftmost, ctx);
}

int32_t sql_tree_place(const ProtobufCMessage *m)
{
	int32_t at = -1;

	if (m)
		leftmost(m, &at);
	return at;
}

struct depth {
	unsigned now, most;
};

static void descend(const ProtobufCMessage *m, void *ctx)
{
	struct depth *d = ctx;

	d->now++;
	if (d->now > d->most)
		d->most = d->now;
	for_each_child(m, descend, d);
	d->now--;
}

unsigned sql_tree_depth(const ProtobufCMessage *m)
{
	struct depth d = {0};

	descend(m, &d);
	return d.most;
}

/* ---- parsing, on the large stack ------------------------------------------------------------- */

struct job {
	const char *text;
	PgQuery__ParseResult *parsed;
	struct nf_error *err;
	int r;
};

static int refuse(const struct job *job, enum nf_code code, int32_t at, const char *why)
{
	char where[64];

	sql_where(job->text, at, where, sizeof(where));
	return nf_error_set(job->err, code, where, "%s", why);
}

static int parser_said(const struct job *job, const PgQueryError *e)
{
	/* The grammar's own limit: "memory exhausted at or near ...". */
	bool deep = strncmp(e->message, "memory exhausted", 16) == 0;

	if (strcmp(e->message, "out of memory") == 0)
		return nf_error_no_memory(job->err, "SQL");
	return refuse(job, deep ? NF_RESOURCE_EXHAUSTED : NF_INVALID_ARGUMENT,
		      byte_of_character(job->text, e->cursorpos),
		      deep ? "the query nests too deep" : e->message);
}

static int unpack(struct job *job, const PgQueryProtobuf *packed)
{
	PgQuery__ParseResult *p =
		pg_query__parse_result__unpack(NULL, packed->len, (const uint8_t *)packed->data);

	if (!p)
		return nf_error_no_memory(job->err, "SQL");
	if (sql_tree_depth(&p->base) <= MAX_MESSAGES_DEEP) {
		job->parsed = p;
		return 0;
	}
	pg_query__parse_result__free_unpacked(p, NULL);
	return refuse(job, NF_RESOURCE_EXHAUSTED, -1, "the query nests too deep");
}

static void *parse(void *ctx)
{
	struct job *job = ctx;
	PgQueryProtobufParseResult packed = pg_query_parse_protobuf(job->text);

	job->r = packed.error ? parser_said(job, packed.error) : unpack(job, &packed.parse_tree);
	pg_query_free_protobuf_parse_result(packed);
	return NULL;
}

static int on_large_stack(void *(*fn)(void *), void *ctx)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	int r = pthread_attr_init(&attr);

	if (r)
		return -r;
	r = pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (!r) {
		/* Signals stay with the threads that expect them. */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		r = pthread_create(&thread, &attr, fn, ctx);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	pthread_attr_destroy(&attr);
	if (!r)
		pthread_join(thread, NULL);
	return -r;
}

/* ---- what may be in it ----------------------------------------------------------------------- */

/* How many bytes the character at s has; 0: it is none. */
static size_t utf8_bytes(const unsigned char *s)
{
	size_t n = s[0] < 0x80   ? 1
		   : s[0] < 0xc2 ? 0
		   : s[0] < 0xe0 ? 2
		   : s[0] < 0xf0 ? 3
		   : s[0] < 0xf5 ? 4
				 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Too long for what it says, surrogates, above the last. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static int check_text(const struct job *job)
{
	size_t n = strlen(job->text), step;

	if (n > SQL_MAX_TEXT_BYTES)
		return nf_error_set(job->err, NF_RESOURCE_EXHAUSTED, "SQL",
				    "the query has %zu bytes; at most %d", n, SQL_MAX_TEXT_BYTES);
	for (size_t i = 0; i < n; i += step) {
		step = utf8_bytes((const unsigned char *)job->text + i);
		if (!step)
			return nf_error_set(job->err, NF_INVALID_ARGUMENT, "SQL",
					    "invalid byte sequence for encoding \"UTF8\": 0x%02x "
					    "at byte %zu",
					    (unsigned char)job->text[i], i);
	}
	return 0;
}

static int one_select(const struct job *job, struct sql_tree *t)
{
	const PgQuery__ParseResult *p = t->parsed;
	const PgQuery__Node *statement;
	int32_t at;

	if (p->n_stmts == 0)
		return refuse(job, NF_INVALID_ARGUMENT, -1, "the query is empty");
	if (p->n_stmts > 1) {
		at = p->stmts[1]->stmt_location;
		at += (int32_t)strspn(job->text + at, " \t\r\n");
		return refuse(job, NF_INVALID_ARGUMENT, at, "one query at a time");
	}
	statement = p->stmts[0]->stmt;
	at = (int32_t)strspn(job->text, " \t\r\n");
	if (!statement || statement->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
		return refuse(job, NF_UNIMPLEMENTED, at,
			      "this is no SELECT; only SELECT is supported");
	t->select = statement->select_stmt;
	return sql_select_check(job->text, t, job->err);
}

int sql_parse(const char *text, struct sql_tree *ret, struct nf_error *err)
{
	struct job job = {.text = text, .err = err};
	struct sql_tree t = {0};
	int r = check_text(&job);

	if (r)
		return r;
	r = on_large_stack(parse, &job);
	if (r)
		return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, -r, "SQL",
				    "cannot start a thread to parse the query");
	if (job.r)
		return job.r;
	t.parsed = job.parsed;
	r = one_select(&job, &t);
	if (r)
		sql_tree_done(&t);
	else
		*ret = t;
	return r;
}

void sql_tree_done(struct sql_tree *t)
{
	if (t->parsed)
		pg_query__parse_result__free_unpacked(t->parsed, NULL);
	*t = (struct sql_tree){0};
}

int sql_table_name(const char *text, char **ret, struct nf_error *err)
{
	struct sql_tree t = {0};
	char *name;
	int r = sql_parse(text, &t, err);

	if (r)
		return r;
	name = strdup(t.table->relname);
	sql_tree_done(&t);
	if (!name)
		return nf_error_no_memory(err, "SQL");
	*ret = name;
	return 0;
}
