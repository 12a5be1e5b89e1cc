/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* nearfold_devices.c - the NVMe namespaces of a node, or of this machine. */
#include <inttypes.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/client.h"
#include "compute-client/output_grid.h"
#include "scan/nvme_device.h"

static const struct output_column columns[] = {
	{"path", "text", OUTPUT_TEXT},
	{"node", "text", OUTPUT_TEXT},
	{"model", "text", OUTPUT_TEXT},
	{"transport", "text", OUTPUT_TEXT},
	{"block_bytes", "u32", OUTPUT_INTEGER},
	{"blocks", "u64", OUTPUT_INTEGER},
	{"metadata_bytes", "u32", OUTPUT_INTEGER},
	{"max_transfer", "u64", OUTPUT_INTEGER},
	{"queues", "u32", OUTPUT_INTEGER},
	{"poll_queues", "u32", OUTPUT_INTEGER},
	{"notes", "text", OUTPUT_TEXT},
	{"health", "text", OUTPUT_TEXT},
};

/* A local namespace, as a node describes its own. */
static void describe(struct nvme_device *d, Nearfold__V1__Device *ret)
{
	nearfold__v1__device__init(ret);
	ret->name = d->name;
	ret->generic_name = d->generic;
	ret->serial = d->serial;
	ret->model = d->model;
	ret->transport = d->transport;
	ret->health = d->health;
	ret->nsid = d->nsid;
	ret->block_bytes = d->block_bytes;
	ret->blocks = d->blocks;
	ret->metadata_bytes = d->metadata_bytes;
	ret->max_transfer_bytes = d->max_transfer_bytes;
	ret->max_read_bytes = d->max_read_bytes;
	ret->queues = d->queues;
	ret->poll_queues = d->poll_queues;
	ret->read_only = d->read_only;
	ret->zoned = d->zoned;
	ret->multipath = d->multipath;
}

static void add(struct output_grid *grid, const Nearfold__V1__Device *d)
{
	char text[160];

	snprintf(text, sizeof(text), "nvme:%s/%" PRIu32, d->serial, d->nsid);
	output_grid_text(grid, text);
	output_grid_text(grid, d->name);
	output_grid_text(grid, d->model);
	output_grid_text(grid, d->transport);
	output_grid_unsigned(grid, d->block_bytes);
	output_grid_unsigned(grid, d->blocks);
	output_grid_unsigned(grid, d->metadata_bytes);
	output_grid_unsigned(grid,
			     d->max_transfer_bytes ? d->max_transfer_bytes : d->max_read_bytes);
	output_grid_unsigned(grid, d->queues);
	output_grid_unsigned(grid, d->poll_queues);
	snprintf(text, sizeof(text), "%s%s%s", d->read_only ? "read-only " : "",
		 d->zoned ? "zoned " : "", d->multipath ? "multipath " : "");
	text[strlen(text) ? strlen(text) - 1 : 0] = '\0';
	output_grid_text(grid, text);
	output_grid_text(grid, d->health);
}

static int add_local(struct output_grid *grid, struct nearfold_error *err)
{
	AUTO_FREE struct nvme_device *all = NULL;
	struct nf_error why = {0};
	unsigned n = 0;
	int r = nvme_devices_list(true, &all, &n, &why);

	if (r < 0)
		return client_error(err, &why, r);
	for (unsigned i = 0; i < n; i++) {
		Nearfold__V1__Device m;

		describe(&all[i], &m);
		add(grid, &m);
	}
	return 0;
}

static int add_remote(struct nearfold_conn *c, struct output_grid *grid, struct nearfold_error *err)
{
	Nearfold__V1__Capabilities *caps;
	int r = client_capabilities(c, &caps, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < caps->n_devices; i++)
		add(grid, caps->devices[i]);
	nearfold__v1__capabilities__free_unpacked(caps, NULL);
	return 0;
}

int nearfold_devices_write(struct nearfold_conn *c, enum nearfold_output form, FILE *out,
			   struct nearfold_error *err)
{
	struct output_grid grid = {.columns = columns, .n_columns = ARRAY_SIZE(columns)};
	int r = c ? add_remote(c, &grid, err) : add_local(&grid, err);

	if (r == 0) {
		r = output_grid_write(&grid, form, out);
		r = r == 0 ? 0 : client_fail(err, NF_INTERNAL, "output", "%s", strerror(-r));
	}
	output_grid_done(&grid);
	return r;
}
