/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* nearfold_datasets.c - what a node exports. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/client.h"
#include "compute-client/output_grid.h"

static int list(struct nearfold_conn *c, Nearfold__V1__ListDatasetsReply **ret,
		struct nearfold_error *err)
{
	Nearfold__V1__ListDatasetsRequest m = NEARFOLD__V1__LIST_DATASETS_REQUEST__INIT;
	AUTO_FREE uint8_t *data = NULL;
	struct nf_error why = {0};
	size_t size;
	int r = client_call_unary(c, WIRE_LIST_DATASETS, &m.base, &data, &size, err);

	if (r < 0)
		return r;
	*ret = wire_unpack_list_datasets(data, size, &why);
	return *ret ? 0 : client_bad_reply(c, &why, err);
}

void client_name_datasets(struct nearfold_conn *c, struct nearfold_error *err)
{
	Nearfold__V1__ListDatasetsReply *reply;

	if (!err || list(c, &reply, NULL) < 0)
		return;

	/* Behind it the node says how to find out what follows here. */
	const char *advice = strstr(err->text, "; ListDatasets ");
	size_t n = advice ? (size_t)(advice - err->text) : strlen(err->text);
	size_t size = sizeof(err->text);

	n += (size_t)snprintf(err->text + n, size - n, "; the node has %s",
			      reply->n_datasets ? "" : "none");
	for (size_t i = 0; i < reply->n_datasets && n < size; i++)
		n += (size_t)snprintf(err->text + n, size - n, "%s%s", i ? ", " : "",
				      reply->datasets[i]->name);
	nearfold__v1__list_datasets_reply__free_unpacked(reply, NULL);
}

int client_describe(struct nearfold_conn *c, const char *name, Nearfold__V1__Dataset **ret,
		    struct nearfold_error *err)
{
	Nearfold__V1__DescribeDatasetRequest m;
	AUTO_FREE uint8_t *data = NULL;
	struct nf_error why = {0};
	size_t size;

	nearfold__v1__describe_dataset_request__init(&m);
	m.name = (char *)name;
	int r = client_call_unary(c, WIRE_DESCRIBE_DATASET, &m.base, &data, &size, err);

	if (r < 0) {
		if (err && err->code == NF_NOT_FOUND)
			client_name_datasets(c, err);
		return r;
	}
	*ret = wire_unpack_dataset(data, size, &why);
	return *ret ? 0 : client_bad_reply(c, &why, err);
}

int nearfold_datasets_write(struct nearfold_conn *c, enum nearfold_output form, FILE *out,
			    struct nearfold_error *err)
{
	static const struct output_column columns[] = {
		{"name", "text", OUTPUT_TEXT},    {"format", "text", OUTPUT_TEXT},
		{"bytes", "u64", OUTPUT_INTEGER}, {"files", "u32", OUTPUT_INTEGER},
		{"skip", "u64", OUTPUT_INTEGER},  {"generation", "text", OUTPUT_TEXT},
		{"schema", "text", OUTPUT_TEXT},  {"problem", "text", OUTPUT_TEXT},
	};
	struct output_grid grid = {.columns = columns, .n_columns = ARRAY_SIZE(columns)};
	Nearfold__V1__ListDatasetsReply *reply;
	int r = list(c, &reply, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < reply->n_datasets; i++) {
		const Nearfold__V1__Dataset *d = reply->datasets[i];
		char generation[20];

		snprintf(generation, sizeof(generation), "%016" PRIx64, d->generation);
		output_grid_text(&grid, d->name);
		output_grid_text(&grid, d->format);
		output_grid_unsigned(&grid, d->total_bytes);
		output_grid_unsigned(&grid, d->files);
		output_grid_unsigned(&grid, d->skip_bytes);
		output_grid_text(&grid, generation);
		output_grid_text(&grid, d->schema);
		output_grid_text(&grid, d->problem);
	}
	nearfold__v1__list_datasets_reply__free_unpacked(reply, NULL);
	r = output_grid_write(&grid, form, out);
	output_grid_done(&grid);
	return r == 0 ? 0 : client_fail(err, NF_INTERNAL, "output", "%s", strerror(-r));
}
