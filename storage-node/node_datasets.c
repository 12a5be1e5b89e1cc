/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/node_datasets.h"

#include <stdlib.h>

#include "base/scope.h"
#include "storage-node/node_authorize.h"
#include "storage-node/node_reply.h"

struct look {
	uv_work_t work;
	struct node *node;
	struct rpc_call *call; /* NULL: gone */
	bool one;              /* DescribeDataset */
	unsigned n;
	struct seen {
		const struct catalog_entry *entry;
		struct catalog_facts facts;
	} seen[];
};

static void on_gone(void *arg, enum nf_code why)
{
	struct look *l = arg;

	(void)why;
	l->call = NULL;
}

/* Reads the entries, writes the facts. */
static void look_work(uv_work_t *work)
{
	struct look *l = work->data;

	for (unsigned i = 0; i < l->n; i++)
		catalog_look(l->seen[i].entry, l->node->config.limits.files_per_dataset,
			     &l->seen[i].facts);
}

static void fill(struct seen *s, char format[32], Nearfold__V1__Dataset *m)
{
	const struct dataset_spec *spec = s->entry->spec;

	nearfold__v1__dataset__init(m);
	dataset_format_text(spec, format);
	m->name = spec->name;
	m->format = format;
	m->schema = spec->schema ? spec->schema : (char *)"";
	m->total_bytes = s->facts.total_bytes;
	m->files = s->facts.files;
	m->generation = s->facts.generation;
	m->skip_bytes = spec->skip_bytes;
	m->tail_ignore = spec->tail_ignore;
	m->problem = s->facts.problem;
	m->device = s->facts.device;
}

static void reply_list(struct look *l)
{
	Nearfold__V1__ListDatasetsReply m = NEARFOLD__V1__LIST_DATASETS_REPLY__INIT;
	AUTO_FREE Nearfold__V1__Dataset *sets = calloc(l->n + 1, sizeof(*sets));
	AUTO_FREE Nearfold__V1__Dataset **list = calloc(l->n + 1, sizeof(*list));
	AUTO_FREE char(*formats)[32] = calloc(l->n + 1, sizeof(*formats));
	struct nf_error err;

	if (!sets || !list || !formats) {
		nf_error_set(&err, NF_RESOURCE_EXHAUSTED, NULL, "the node is out of memory");
		reply_error(l->call, &err, NULL);
		return;
	}
	for (unsigned i = 0; i < l->n; i++) {
		fill(&l->seen[i], formats[i], &sets[i]);
		list[i] = &sets[i];
	}
	if (l->one) {
		reply_message(l->call, &sets[0].base);
		return;
	}
	m.datasets = list;
	m.n_datasets = l->n;
	reply_message(l->call, &m.base);
}

static void look_done(uv_work_t *work, int status)
{
	struct look *l = work->data;

	(void)status;
	if (l->call)
		reply_list(l);
	free(l);
}

static struct look *look_new(struct node *node, struct rpc_call *call, unsigned most)
{
	struct look *l = calloc(1, sizeof(*l) + most * sizeof(l->seen[0]));
	struct nf_error err;

	if (!l) {
		nf_error_set(&err, NF_RESOURCE_EXHAUSTED, NULL, "the node is out of memory");
		reply_error(call, &err, NULL);
		return NULL;
	}
	l->work.data = l;
	l->node = node;
	l->call = call;
	rpc_call_set(call, on_gone, NULL, l);
	return l;
}

void datasets_list(struct node *node, struct rpc_call *call)
{
	unsigned all = catalog_count(node->catalog);
	struct look *l = look_new(node, call, all);

	if (!l)
		return;
	for (unsigned i = 0; i < all; i++) {
		const struct catalog_entry *e = catalog_at(node->catalog, i);

		if (!authorize_dataset(e->spec, rpc_call_peer(call), NULL))
			l->seen[l->n++].entry = e;
	}
	uv_queue_work(&node->loop, &l->work, look_work, look_done);
}

void datasets_describe(struct node *node, struct rpc_call *call, const char *name)
{
	const struct catalog_entry *e = catalog_find(node->catalog, name);
	struct nf_error err;
	struct look *l;

	if (!e) {
		nf_error_set(&err, NF_NOT_FOUND, "name",
			     "no data set '%s' here; ListDatasets shows what there is", name);
		reply_error(call, &err, &(struct reply_extra){.missing = "dataset"});
		return;
	}
	if (authorize_dataset(e->spec, rpc_call_peer(call), &err)) {
		reply_error(call, &err, NULL);
		return;
	}
	l = look_new(node, call, 1);
	if (!l)
		return;
	l->one = true;
	l->seen[l->n++].entry = e;
	uv_queue_work(&node->loop, &l->work, look_work, look_done);
}
