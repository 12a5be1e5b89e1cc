/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/cmd/cmd_answer.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "compute-client/cmd/human.h"
#include "compute-client/cmd/progress.h"

static void put_stats(const struct nearfold_stats *s, FILE *out)
{
	char a[32], b[32], c[32];
	uint64_t wire = s->wire_bytes_sent + s->wire_bytes_received;

	fprintf(out, "engine    %s%s%s%s\n", s->engine, s->engine_reason[0] ? " (" : "",
		s->engine_reason, s->engine_reason[0] ? ")" : "");
	fprintf(out, "reader    %s, %u thread%s, chunks of %s, %u read%s in flight\n", s->reader,
		s->threads, s->threads == 1 ? "" : "s", human_power_bytes(s->chunk_bytes, a),
		s->queue_depth, s->queue_depth == 1 ? "" : "s");
	if (s->device && s->device[0])
		fprintf(out, "device    %s\n", s->device);
	if (s->read_retries)
		fprintf(out, "retries   %" PRIu64 " of %" PRIu64 " read commands failed at first\n",
			s->read_retries, s->read_commands);
	fprintf(out, "scanned   %s: %" PRIu64 " records, %" PRIu64 " matched",
		human_bytes((double)s->bytes_scanned, a), s->records, s->matched);
	if (s->groups)
		fprintf(out, ", %" PRIu64 " groups", s->groups);
	fputc('\n', out);
	if (wire > 0)
		fprintf(out, "wire      %s sent, %s received: %.3g %% of what was scanned\n",
			human_bytes((double)s->wire_bytes_sent, a),
			human_bytes((double)s->wire_bytes_received, b),
			s->bytes_scanned ? 100 * (double)wire / (double)s->bytes_scanned : 0);
	fprintf(out, "time      %s: prepare %s, scan %s", human_seconds(s->total_seconds, a),
		human_seconds(s->prepare_seconds, b), human_seconds(s->scan_seconds, c));
	if (s->scan_seconds > 0)
		fprintf(out, " (%s/s)", human_bytes((double)s->bytes_scanned / s->scan_seconds, a));
	fprintf(out, "\ncpu       %s", human_seconds(s->node_cpu_seconds, a));
	if (s->worker_memory_bytes)
		fprintf(out, ", %s of memory", human_bytes((double)s->worker_memory_bytes, a));
	fputc('\n', out);
	if (s->query_id)
		fprintf(out, "query     %" PRIu64 "\n", s->query_id);
}

int cmd_answer(const struct cmd_options *o, const struct session *s, const char *what)
{
	struct nearfold_query q = session_query(s, o);
	struct nearfold_result *result = NULL;
	struct nearfold_error err;
	struct progress bar;
	int r, status;

	progress_init(&bar, !o->no_progress);
	q.progress = progress_show;
	q.progress_arg = &bar;
	r = s->n_conns > 1 ? nearfold_gather(s->conns, s->n_conns, &q, &result, &err)
			   : nearfold_run(s->n_conns ? s->conns[0] : NULL, &q, &result, &err);
	progress_clear(&bar);
	if (r < 0)
		return session_failed(s, what, &err);
	err = (struct nearfold_error){.code = NF_RESOURCE_EXHAUSTED, .text = "out of memory"};
	status = cmd_printed(nearfold_result_write(result, o->output, stdout),
			     "cannot print the answer", &err);
	if (o->stats)
		put_stats(nearfold_result_stats(result), stderr);
	nearfold_result_free(result);
	return status;
}
