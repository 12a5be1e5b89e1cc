/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "compute-client/client_sql.h"
#include "compute-client/utf8.h"

enum { LABEL_COLUMNS = 10 };

void report_line(FILE *out, const char *label, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(out, "%-*s", LABEL_COLUMNS, label);
	utf8_put_printable(out, text);
	fputc('\n', out);
}

void report_text(FILE *out, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		char line[1024];

		snprintf(line, sizeof(line), "%.*s", (int)(n < sizeof(line) ? n : sizeof(line) - 1),
			 text);
		utf8_put_printable(out, line);
		fputc('\n', out);
		text += n + (text[n] == '\n');
	}
}

/* The query in one line, and what becomes of its clauses. */
static void report_sql(const struct sql_plan *p, FILE *out)
{
	const char *clauses[] = {
		p->having ? ", HAVING" : "",     p->distinct ? ", DISTINCT" : "",
		p->n_order ? ", ORDER BY" : "",  p->limit >= 0 ? ", LIMIT" : "",
		p->offset > 0 ? ", OFFSET" : "",
	};
	char text[1024];

	snprintf(text, sizeof(text), "%s", p->text);
	for (char *c = text; *c; c++)
		if (strchr("\n\r\t", *c))
			*c = ' ';
	report_line(out, "query", "%s%s", text, strlen(p->text) < sizeof(text) ? "" : "...");
	report_line(out, "records", "beside the data: %s%" PRIu32 " key%s, %" PRIu32 " aggregate%s",
		    p->where ? "WHERE, " : "", p->n_keys, p->n_keys == 1 ? "" : "s",
		    p->n_aggregates, p->n_aggregates == 1 ? "" : "s");
	report_line(out, "groups", "at the client: %" PRIu32 " column%s%s%s%s%s%s", p->n_outputs,
		    p->n_outputs == 1 ? "" : "s", clauses[0], clauses[1], clauses[2], clauses[3],
		    clauses[4]);
}

void report_program(const struct nearfold_program *p, FILE *out)
{
	const struct program *prog = p->program;
	char record[64] = "any length";

	if (prog->record_bytes)
		snprintf(record, sizeof(record), "%" PRIu32 " bytes", prog->record_bytes);
	if (p->sql)
		report_sql(p->sql->plan, out);
	else
		report_line(out, "program", "%s", p->path);
	report_line(out, "id", "%s", p->id);
	report_line(out, "record",
		    "%s; parameters %" PRIu32 " bytes, key %" PRIu32 ", state %" PRIu32
		    ", constants %" PRIu32,
		    record, prog->params_bytes, prog->key_bytes, prog->state_bytes,
		    prog->rodata_bytes);
	for (uint32_t i = 0; i < prog->n_funcs; i++)
		report_line(out, i ? "" : "functions", "%s '%s', %" PRIu32 " instructions",
			    program_kind_name(prog->funcs[i].kind), prog->funcs[i].name,
			    prog->funcs[i].n_insns);
}

void report_verdicts(const struct vm_program *vp, FILE *out)
{
	report_line(out, "accesses", "%" PRIu32 " proven, %" PRIu32 " guarded", vp->n_proven,
		    vp->n_guarded);
	if (vp->n_guarded > 0)
		vm_report(vp, true, out);
}

void report_engine(FILE *out, bool first, const char *name, const char *reason)
{
	report_line(out, first ? "engines" : "", "%-7s %s%s", name, reason[0] ? "no: " : "yes",
		    reason);
}

void report_local_engines(const struct nearfold_program *p, struct vm_program *vp,
			  const struct dataset_spec *spec, FILE *out)
{
	struct engine_config cfg = {
		.program = vp,
		.params = p->param_bytes,
		.format = vp->bounds.record_min_bytes == vp->bounds.record_max_bytes ? FORMAT_FIXED
										     : FORMAT_LINES,
		.record_bytes = vp->bounds.record_max_bytes,
		.cpu_threads = 1,
	};

	if (spec) {
		cfg.format = spec->format;
		cfg.record_bytes = spec->record_bytes;
	}
	for (unsigned i = 0; engines[i]; i++) {
		struct nf_error why = {0};
		bool can = engines[i]->check(&cfg, &why) == 0;

		report_engine(out, i == 0, engines[i]->name, can ? "" : why.text);
	}
}
