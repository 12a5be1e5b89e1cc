/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * nearfold_result.c - an answer: rows in order, columns named by the program's types.
 *
 * A program that was SQL has rows and columns of its own, made of the states once and for all
 * (client_sql_answer.c); the states are not kept then.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/scope.h"
#include "compute-client/client_sql.h"
#include "compute-client/key_order.h"
#include "compute-client/output.h"

struct row {
	const uint8_t *key; /* NULL: ungrouped */
	const uint8_t *state;
};

struct nearfold_result {
	struct program *program;
	uint8_t *state;
	struct groups *groups;
	struct row *rows;
	uint64_t n_rows;
	struct layout key_layout, state_layout; /* columns: the key's members, then the state's */
	struct sql_answer *answer;              /* of SQL: all there is above but n_rows is not */
	struct output_column *columns;
	unsigned n_columns;
	struct output_cell cell; /* what nearfold_result_text() gave last */
	struct nearfold_stats stats;
	char *texts[4]; /* what stats points to */
};

static enum output_kind kind_of(const struct layout_member *m)
{
	switch (m->type) {
	case LAYOUT_SIGNED:
	case LAYOUT_UNSIGNED:
		return OUTPUT_INTEGER;
	case LAYOUT_BOOL:
		return OUTPUT_BOOL;
	case LAYOUT_FLOAT:
		return OUTPUT_FLOAT;
	case LAYOUT_AVERAGE_SIGNED:
	case LAYOUT_AVERAGE_UNSIGNED:
		return OUTPUT_DECIMAL;
	case LAYOUT_TEXT:
	case LAYOUT_BYTES:
		break;
	}
	return OUTPUT_TEXT;
}

static const struct layout_member *member_at(const struct nearfold_result *r, unsigned column,
					     bool *ret_is_key)
{
	*ret_is_key = column < r->key_layout.n_members;
	return *ret_is_key ? &r->key_layout.members[column]
			   : &r->state_layout.members[column - r->key_layout.n_members];
}

static int alloc_columns(struct nearfold_result *r, unsigned n)
{
	r->columns = calloc(n + 1, sizeof(*r->columns));
	if (!r->columns)
		return -ENOMEM;
	r->n_columns = n;
	return 0;
}

static int make_columns(struct nearfold_result *r, struct nf_error *err)
{
	int ret = 0;

	if (r->program->key_bytes)
		ret = program_layout(r->program, LAYOUT_OF_KEY, &r->key_layout, err);
	if (ret == 0)
		ret = program_layout(r->program, LAYOUT_OF_STATE, &r->state_layout, err);
	if (ret == 0)
		ret = alloc_columns(r, r->key_layout.n_members + r->state_layout.n_members);
	if (ret < 0)
		return ret;
	for (unsigned c = 0; c < r->n_columns; c++) {
		bool is_key;
		const struct layout_member *m = member_at(r, c, &is_key);

		r->columns[c] = (struct output_column){
			.name = m->name, .type = m->type_name, .kind = kind_of(m)};
	}
	return 0;
}

static int order_rows(const void *a, const void *b, void *arg)
{
	const struct nearfold_result *r = arg;
	const struct row *x = a, *y = b;

	return key_order(&r->key_layout, r->program->key_bytes, x->key, y->key);
}

static int make_rows(struct nearfold_result *r)
{
	const uint8_t *key;
	uint8_t *state;
	uint64_t cursor = 0, n = 0;

	r->n_rows = r->groups ? groups_count(r->groups) : 1;
	r->rows = calloc(r->n_rows + 1, sizeof(*r->rows));
	if (!r->rows)
		return -ENOMEM;
	if (!r->groups) {
		r->rows[0].state = r->state;
		return 0;
	}
	while (n < r->n_rows && groups_next(r->groups, &cursor, &key, &state))
		r->rows[n++] = (struct row){.key = key, .state = state};
	qsort_r(r->rows, r->n_rows, sizeof(*r->rows), order_rows, r);
	return 0;
}

static int copy_stats(struct nearfold_result *r, const struct nearfold_stats *stats)
{
	const char *from[] = {stats->engine, stats->engine_reason, stats->reader, stats->device};

	_Static_assert(ARRAY_SIZE(from) == ARRAY_SIZE(r->texts),
		       "a text that is not copied dangles");

	for (unsigned i = 0; i < ARRAY_SIZE(from); i++) {
		r->texts[i] = strdup(from[i] ? from[i] : "");
		if (!r->texts[i])
			return -ENOMEM;
	}
	r->stats = *stats;
	r->stats.engine = r->texts[0];
	r->stats.engine_reason = r->texts[1];
	r->stats.reader = r->texts[2];
	r->stats.device = r->texts[3];
	r->stats.groups = r->groups ? groups_count(r->groups) : 0;
	return 0;
}

static int make_answer(struct nearfold_result *r, const struct client_sql *s, struct nf_error *err)
{
	uint64_t began = clock_now_ns();
	int ret = sql_answer_new(s, r->state, r->groups, &r->answer, err);

	r->stats.total_seconds += (double)(clock_now_ns() - began) / NS_PER_SEC;
	if (ret == 0)
		ret = alloc_columns(r, sql_answer_columns(r->answer));
	if (ret < 0)
		return ret;
	for (unsigned c = 0; c < r->n_columns; c++)
		r->columns[c] = sql_answer_column(r->answer, c);
	r->n_rows = sql_answer_rows(r->answer);
	return 0;
}

static void forget_states(struct nearfold_result *r)
{
	groups_free(r->groups);
	free(r->state);
	r->groups = NULL;
	r->state = NULL;
}

int client_result_new(const struct nearfold_program *program, uint8_t *state, struct groups *groups,
		      const struct nearfold_stats *stats, struct nearfold_result **ret,
		      struct nf_error *err)
{
	struct nearfold_result *r = calloc(1, sizeof(*r));
	struct nf_error none = {0};

	*err = none;
	if (!r)
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, "this process", "out of memory");
	r->program = program_ref(program->program);
	r->state = state;
	r->groups = groups;

	int failed = copy_stats(r, stats);

	if (failed == 0 && program->sql) {
		failed = make_answer(r, program->sql, err);
	} else if (failed == 0) {
		failed = make_columns(r, err);
		if (failed == 0)
			failed = make_rows(r);
	}
	if (failed == 0) {
		if (r->answer)
			forget_states(r);
		*ret = r;
		return 0;
	}
	if (!err->code)
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, "this process", "out of memory");
	r->state = NULL; /* still the caller's */
	r->groups = NULL;
	nearfold_result_free(r);
	return failed;
}

void nearfold_result_free(struct nearfold_result *r)
{
	if (!r)
		return;
	layout_done(&r->key_layout);
	layout_done(&r->state_layout);
	program_unref(r->program);
	sql_answer_free(r->answer);
	forget_states(r);
	free(r->rows);
	free(r->columns);
	free(r->cell.text);
	for (unsigned i = 0; i < ARRAY_SIZE(r->texts); i++)
		free(r->texts[i]);
	free(r);
}

const struct nearfold_stats *nearfold_result_stats(const struct nearfold_result *r)
{
	return &r->stats;
}

uint64_t nearfold_result_rows(const struct nearfold_result *r)
{
	return r->n_rows;
}

int nearfold_result_row(const struct nearfold_result *r, uint64_t row, const void **ret_key,
			const void **ret_state)
{
	if (r->answer)
		return -ENOTSUP;
	if (row >= r->n_rows)
		return -ERANGE;
	*ret_key = r->rows[row].key;
	*ret_state = r->rows[row].state;
	return 0;
}

unsigned nearfold_result_columns(const struct nearfold_result *r)
{
	return r->n_columns;
}

const char *nearfold_result_column_name(const struct nearfold_result *r, unsigned col)
{
	return col < r->n_columns ? r->columns[col].name : NULL;
}

const char *nearfold_result_column_type(const struct nearfold_result *r, unsigned col)
{
	return col < r->n_columns ? r->columns[col].type : NULL;
}

static size_t cell(const void *arg, uint64_t row, unsigned column, char *buf, size_t size)
{
	const struct nearfold_result *r = arg;
	const struct layout_member *m;
	bool is_key;

	if (r->answer) {
		const char *text = sql_answer_text(r->answer, row, column);

		return text ? (size_t)snprintf(buf, size, "%s", text) : OUTPUT_NULL;
	}
	m = member_at(r, column, &is_key);

	size_t n = layout_format(m, is_key ? r->rows[row].key : r->rows[row].state, buf, size);

	/* The average of nothing; no number looks like it. */
	if (kind_of(m) == OUTPUT_DECIMAL && n == strlen("null") && size > n &&
	    strcmp(buf, "null") == 0)
		return OUTPUT_NULL;
	return n;
}

const char *nearfold_result_text(struct nearfold_result *r, uint64_t row, unsigned col)
{
	struct output_rows rows = {.cell = cell, .arg = r};
	const char *text;

	errno = ERANGE;
	if (row >= r->n_rows || col >= r->n_columns)
		return NULL;
	errno = 0;
	if (r->answer)
		return sql_answer_text(r->answer, row, col);
	text = output_cell_get(&r->cell, &rows, row, col);
	if (!text)
		errno = ENOMEM;
	return r->cell.null ? NULL : text;
}

static void put_stats(const void *arg, struct json *j)
{
	const struct nearfold_stats *s = nearfold_result_stats(arg);
	char generation[20];
	const struct {
		const char *name, *text;
	} texts[] = {
		{"engine", s->engine},      {"engine_reason", s->engine_reason},
		{"reader", s->reader},      {"device", s->device ? s->device : ""},
		{"generation", generation},
	};
	const struct {
		const char *name;
		uint64_t value;
	} integers[] = {
		{"threads", s->threads},
		{"queue_depth", s->queue_depth},
		{"chunk_bytes", s->chunk_bytes},
		{"bytes_scanned", s->bytes_scanned},
		{"records", s->records},
		{"matched", s->matched},
		{"groups", s->groups},
		{"wire_bytes_sent", s->wire_bytes_sent},
		{"wire_bytes_received", s->wire_bytes_received},
		{"worker_memory_bytes", s->worker_memory_bytes},
		{"query_id", s->query_id},
		{"read_commands", s->read_commands},
		{"read_retries", s->read_retries},
	};
	const struct {
		const char *name;
		double value;
	} seconds[] = {
		{"scan_seconds", s->scan_seconds},
		{"prepare_seconds", s->prepare_seconds},
		{"total_seconds", s->total_seconds},
		{"node_cpu_seconds", s->node_cpu_seconds},
	};

	/* A name, not a number: as nearfold datasets shows it. */
	snprintf(generation, sizeof(generation), "%016" PRIx64, s->generation);
	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
		json_key(j, texts[i].name);
		json_string(j, texts[i].text);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(integers); i++) {
		json_key(j, integers[i].name);
		json_unsigned(j, integers[i].value);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(seconds); i++) {
		json_key(j, seconds[i].name);
		json_double(j, seconds[i].value);
	}
}

int nearfold_result_write(const struct nearfold_result *r, enum nearfold_output form, FILE *out)
{
	struct output_rows rows = {
		.columns = r->columns,
		.n_columns = r->n_columns,
		.n_rows = r->n_rows,
		.cell = cell,
		.arg = r,
		.stats = put_stats,
		.quote_empty = r->answer != NULL,
	};

	return output_write(&rows, form, out);
}
