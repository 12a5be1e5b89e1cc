/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* nearfold_explain.c - what would run where, and why; nothing is scanned. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/client.h"
#include "compute-client/report.h"

static void free_source(struct source **src)
{
	source_free(*src);
}

/* What the scan would cost, as far as the data set's size tells. */
static void report_estimate(FILE *out, const struct nearfold_query *q, uint64_t bytes,
			    uint32_t record_bytes)
{
	const struct program *p = q->program->program;
	uint64_t end = q->has_range && q->range_end < bytes ? q->range_end : bytes;
	uint64_t start = q->has_range ? (q->range_start < end ? q->range_start : end) : 0;
	uint64_t scan = end - start;
	char records[64] = "";

	if (record_bytes)
		snprintf(records, sizeof(records), ", %" PRIu64 " records", scan / record_bytes);
	report_line(out, "scan", "%" PRIu64 " bytes%s", scan, records);
	if (p->key_bytes)
		report_line(out, "answer", "%" PRIu32 " bytes for each group",
			    p->key_bytes + p->state_bytes);
	else
		report_line(out, "answer", "%" PRIu32 " bytes, however much is scanned",
			    p->state_bytes);
}

static int explain_local(const struct nearfold_query *q, FILE *out, struct nf_error *why)
{
	AUTO(dataset_spec_done) struct dataset_spec spec = {0};
	AUTO(report_vm_unref) struct vm_program *vp = NULL;
	AUTO(free_source) struct source *src = NULL;
	unsigned n = 0;
	int r = client_spec(q, &spec, why);

	while (q->files && q->files[n])
		n++;
	if (r == 0 && n == 0)
		r = nf_error_set(why, NF_INVALID_ARGUMENT, "files", "no file is named");
	if (r == 0)
		r = source_open_paths(&spec, q->files, n, &src, why);
	if (r == 0)
		r = client_verify(q->program, &spec, &vp, why);
	if (r < 0)
		return r;

	struct scan_options o = {
		.engine = q->engine,
		.threads = q->threads,
		.params = q->program->param_bytes,
		.params_bytes = q->program->program->params_bytes,
		.has_range = q->has_range,
		.range_start = q->range_start,
		.range_end = q->range_end,
		.budget = q->instructions_per_record,
	};
	struct scan_choice choice[SCAN_MAX_CHOICES];
	unsigned choices = scan_explain(src, vp, &o, choice, ARRAY_SIZE(choice));
	char format[32], reason[1024], device[96];

	dataset_format_text(&spec, format);
	report_line(out, "where", "this process");
	report_line(out, "data", "%u file%s, %" PRIu64 " bytes, %s", n, n == 1 ? "" : "s",
		    src->total_bytes, format);
	source_device_text(src, device, sizeof(device));
	if (device[0])
		report_line(out, "device", "%s", device);
	report_program(q->program, out);
	report_verdicts(vp, out);
	for (unsigned i = 0; i < choices; i++)
		report_engine(out, i == 0, choice[i].engine, choice[i].reason);
	for (unsigned i = 0; i < choices; i++)
		if (choice[i].chosen)
			report_line(out, "chosen", "%s", choice[i].engine);
	scan_choice_reason(choice, choices, reason, sizeof(reason));
	report_line(out, "because", "%s", reason);
	report_estimate(out, q, src->total_bytes,
			spec.format == FORMAT_FIXED ? spec.record_bytes : 0);
	return 0;
}

static int load(struct nearfold_conn *c, const struct nearfold_program *p,
		Nearfold__V1__LoadProgramReply **ret, struct nearfold_error *err)
{
	Nearfold__V1__LoadProgramRequest m;
	AUTO_FREE uint8_t *data = NULL;
	struct nf_error why = {0};
	size_t size;

	nearfold__v1__load_program_request__init(&m);
	if (wire_program_to(p->program, &m.program) < 0)
		return client_no_memory(err);

	int r = client_call_unary(c, WIRE_LOAD_PROGRAM, &m.base, &data, &size, err);

	wire_program_to_free(m.program);
	if (r < 0) {
		client_program_source(p, err);
		return r;
	}
	*ret = wire_unpack_load_program_reply(data, size, &why);
	return *ret ? 0 : client_bad_reply(c, &why, err);
}

int client_capabilities(struct nearfold_conn *c, Nearfold__V1__Capabilities **ret,
			struct nearfold_error *err)
{
	Nearfold__V1__GetCapabilitiesRequest m = NEARFOLD__V1__GET_CAPABILITIES_REQUEST__INIT;
	AUTO_FREE uint8_t *data = NULL;
	struct nf_error why = {0};
	size_t size;
	int r = client_call_unary(c, WIRE_GET_CAPABILITIES, &m.base, &data, &size, err);

	if (r < 0)
		return r;
	*ret = wire_unpack_capabilities(data, size, &why);
	return *ret ? 0 : client_bad_reply(c, &why, err);
}

static void report_node(FILE *out, struct nearfold_conn *c, const struct nearfold_query *q,
			const Nearfold__V1__Capabilities *caps, const Nearfold__V1__Dataset *d,
			const Nearfold__V1__LoadProgramReply *loaded)
{
	unsigned record_bytes = 0;

	report_line(out, "where", "node %s, nearfold %s, Linux %s, %u processors",
		    rpc_client_address(c->rpc), caps->version, caps->kernel, caps->processors);
	report_line(out, "data", "%s: %u file%s, %" PRIu64 " bytes, %s", d->name, d->files,
		    d->files == 1 ? "" : "s", d->total_bytes, d->format);
	if (d->device[0])
		report_line(out, "device", "%s", d->device);
	if (d->problem[0])
		report_line(out, "", "cannot be scanned now: %s", d->problem);
	report_program(q->program, out);
	report_line(out, "accesses", "%u proven, %u guarded", loaded->accesses_proven,
		    loaded->accesses_guarded);
	if (loaded->report[0])
		report_text(out, loaded->report);
	for (size_t i = 0; i < loaded->n_engines; i++)
		report_engine(out, i == 0, loaded->engines[i]->name,
			      loaded->engines[i]->available ? "" : loaded->engines[i]->reason);
	if (sscanf(d->format, "fixed:%u", &record_bytes) != 1)
		record_bytes = 0;
	report_estimate(out, q, d->total_bytes, record_bytes);
}

static int explain_node(struct nearfold_conn *c, const struct nearfold_query *q, FILE *out,
			struct nearfold_error *err)
{
	Nearfold__V1__Capabilities *caps = NULL;
	Nearfold__V1__Dataset *d = NULL;
	Nearfold__V1__LoadProgramReply *loaded = NULL;
	int r = q->dataset ? client_describe(c, q->dataset, &d, err)
			   : client_fail(err, NF_INVALID_ARGUMENT, "query", "no data set is named");

	if (r == 0)
		r = client_capabilities(c, &caps, err);
	if (r == 0)
		r = load(c, q->program, &loaded, err);
	if (r == 0)
		report_node(out, c, q, caps, d, loaded);
	if (caps)
		nearfold__v1__capabilities__free_unpacked(caps, NULL);
	if (d)
		nearfold__v1__dataset__free_unpacked(d, NULL);
	if (loaded)
		nearfold__v1__load_program_reply__free_unpacked(loaded, NULL);
	return r;
}

int nearfold_explain_write(struct nearfold_conn *c, const struct nearfold_query *query, FILE *out,
			   struct nearfold_error *err)
{
	struct nearfold_query q;
	struct nf_error why = {0};
	int r = client_query_read(query, &q, err);

	if (r < 0)
		return r;
	if (c)
		return explain_node(c, &q, out, err);
	r = explain_local(&q, out, &why);
	if (r < 0) {
		client_error(err, &why, r);
		client_program_source(q.program, err);
	}
	return r;
}
