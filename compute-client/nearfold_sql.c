/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * nearfold_sql.c - a query in SQL becomes a program: no ELF, no BTF, no parameters, and with what
 * it takes to make rows of the states that come back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/client_sql.h"

void client_sql_free(struct client_sql *s)
{
	if (!s)
		return;
	sql_layout_done(&s->layout);
	sql_plan_free(s->plan);
	sql_schema_done(&s->schema);
	free(s->schema_text);
	free(s);
}

/* A refusal, and the line of the text that it is about. */
static int refuse(struct nearfold_error *err, const struct nf_error *why, int r, const char *text)
{
	client_error(err, why, r);
	if (err)
		client_sql_source(text, err);
	return r;
}

int nearfold_sql_table(const char *text, char **ret, struct nearfold_error *err)
{
	struct nf_error why = {0};
	int r = sql_table_name(text, ret, &why);

	return r < 0 ? refuse(err, &why, r, text) : 0;
}

static int compile(struct nearfold_program *p, struct client_sql *s, const char *text,
		   struct nf_error *err)
{
	int r = sql_schema_parse(s->schema_text, &s->schema, err);

	if (r == 0)
		r = sql_plan_make(text, &s->schema, &s->plan, err);
	if (r == 0)
		r = sql_compile(s->plan, &s->layout, &p->program, err);
	if (r == 0)
		program_id_hex(p->program->id, p->id);
	return r;
}

int nearfold_sql_prepare(const char *text, const char *schema, struct nearfold_program **ret,
			 struct nearfold_error *err)
{
	struct nf_error why = {0};
	struct nearfold_program *p;
	int r;

	if (!schema)
		return client_fail(err, NF_INVALID_ARGUMENT, "schema",
				   "what the columns are has not been said; give a schema, like "
				   "\"day:date, price:decimal(12,2), name:char(16)\"");
	p = calloc(1, sizeof(*p));
	if (p) {
		p->path = strdup("the query");
		p->sql = calloc(1, sizeof(*p->sql));
	}
	if (p && p->sql)
		p->sql->schema_text = strdup(schema);
	if (!p || !p->path || !p->sql || !p->sql->schema_text) {
		nearfold_program_free(p);
		return client_no_memory(err);
	}
	r = compile(p, p->sql, text, &why);
	if (r < 0) {
		nearfold_program_free(p);
		return refuse(err, &why, r, text);
	}
	*ret = p;
	return 0;
}

/* ---- with the schema that nodes have --------------------------------------------------------- */

/* What the one node says of the table. */
struct described {
	Nearfold__V1__Dataset *dataset;
	struct sql_schema schema;
	char where[256];
};

static void described_done(struct described *d)
{
	if (d->dataset)
		nearfold__v1__dataset__free_unpacked(d->dataset, NULL);
	sql_schema_done(&d->schema);
}

/* SQL folds names to lower case: say how to name one that has others. */
static void hint_quotes(const char *table, struct nearfold_error *err)
{
	static const char begin[] = "; the node has ";
	AUTO_FREE char *text = strdup(err->text);
	char *names = text ? strstr(text, begin) : NULL, *rest = NULL;
	size_t n = strlen(err->text);

	if (!names)
		return;
	for (char *name = strtok_r(names + strlen(begin), ", ", &rest); name;
	     name = strtok_r(NULL, ", ", &rest))
		if (strcasecmp(name, table) == 0)
			snprintf(err->text + n, sizeof(err->text) - n,
				 ": write FROM \"%s\", with the double quotes", name);
}

/* The schema comes from a stranger: sql_schema_parse() looks at all of it. */
static int read_schema(struct described *d, struct nf_error *err)
{
	const Nearfold__V1__Dataset *m = d->dataset;
	unsigned record_bytes;
	struct nf_error why = {0};
	int r;

	if (sscanf(m->format, "fixed:%u", &record_bytes) != 1)
		return nf_error_set(err, NF_FAILED_PRECONDITION, d->where,
				    "its format is %s, and SQL is for fixed records with a schema; "
				    "nearfold run takes programs for any format",
				    m->format);
	if (!m->schema[0])
		return nf_error_set(err, NF_FAILED_PRECONDITION, d->where,
				    "it has no schema, so that its columns have no names: the "
				    "operator adds schema=name:type, ... to the data set");
	r = sql_schema_parse(m->schema, &d->schema, &why);
	if (r == 0)
		r = sql_schema_check(&d->schema, record_bytes, &why);
	if (r < 0)
		return nf_error_set(err, NF_FAILED_PRECONDITION, d->where,
				    "its schema cannot be used: %s", why.text);
	return 0;
}

static int describe(struct nearfold_conn *c, const char *table, struct described *ret,
		    struct nearfold_error *err)
{
	struct nf_error why = {0};
	int r = client_describe(c, table, &ret->dataset, err);

	if (r < 0) {
		if (err && err->code == NF_NOT_FOUND) {
			snprintf(err->where, sizeof(err->where), "%s", rpc_client_address(c->rpc));
			hint_quotes(table, err);
		}
		return r;
	}
	snprintf(ret->where, sizeof(ret->where), "data set %s on %s", table,
		 rpc_client_address(c->rpc));
	r = read_schema(ret, &why);
	return r < 0 ? client_error(err, &why, r) : 0;
}

static bool same_column(const struct sql_column *a, const struct sql_column *b)
{
	return strcmp(a->name, b->name) == 0 && a->storage == b->storage &&
	       a->offset == b->offset && a->bytes == b->bytes && a->precision == b->precision &&
	       a->scale == b->scale;
}

/* White space and capitals do not count. */
static bool same_schema(const struct sql_schema *a, const struct sql_schema *b)
{
	if (a->n_columns != b->n_columns || a->record_bytes != b->record_bytes)
		return false;
	for (uint32_t i = 0; i < a->n_columns; i++)
		if (!same_column(&a->columns[i], &b->columns[i]))
			return false;
	return true;
}

static int check_alike(const struct described *first, struct nearfold_conn *c, const char *table,
		       struct nearfold_error *err)
{
	AUTO(described_done) struct described d = {0};
	int r = describe(c, table, &d, err);

	if (r < 0 || same_schema(&first->schema, &d.schema))
		return r;
	return client_fail(
		err, NF_FAILED_PRECONDITION, d.where,
		"its schema is \"%.250s\", that of the %s is \"%.250s\": nodes are asked "
		"one question together when their records are the same",
		d.dataset->schema, first->where, first->dataset->schema);
}

int nearfold_sql_prepare_on(struct nearfold_conn *const *conns, unsigned n_conns, const char *text,
			    struct nearfold_program **ret, struct nearfold_error *err)
{
	AUTO(described_done) struct described first = {0};
	AUTO_FREE char *table = NULL;
	int r = nearfold_sql_table(text, &table, err);

	if (r == 0 && n_conns == 0)
		r = client_fail(err, NF_INVALID_ARGUMENT, "query", "no node is named");
	if (r == 0)
		r = describe(conns[0], table, &first, err);
	for (unsigned i = 1; r == 0 && i < n_conns; i++)
		r = check_alike(&first, conns[i], table, err);
	return r < 0 ? r : nearfold_sql_prepare(text, first.dataset->schema, ret, err);
}
