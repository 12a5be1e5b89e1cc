/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* nearfold_check.c - the verifier's report, and which engines take the program here. */
#include <string.h>

#include "base/scope.h"
#include "compute-client/client.h"
#include "compute-client/report.h"

static int parse_format(const char *format, struct dataset_spec *spec, struct nf_error *err)
{
	int r = dataset_spec_set(spec, "format", format, err);

	if (r < 0)
		dataset_spec_done(spec);
	return r;
}

int nearfold_program_check(struct nearfold_program *p, const char *format, FILE *report,
			   struct nearfold_error *err)
{
	AUTO(dataset_spec_done) struct dataset_spec spec = {0};
	AUTO(report_vm_unref) struct vm_program *vp = NULL;
	struct nf_error why = {0};
	int r;

	if (format) {
		r = parse_format(format, &spec, &why);
		if (r < 0)
			return client_error(err, &why, r);
	}
	report_program(p, report);
	r = client_verify(p, format ? &spec : NULL, &vp, &why);
	if (r < 0) {
		client_error(err, &why, r);
		client_program_source(p, err);
		return r;
	}
	report_verdicts(vp, report);
	report_local_engines(p, vp, format ? &spec : NULL, report);
	return 0;
}
