/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * report.h - the paragraphs of `check` and `explain`: "label   text" lines, the label 10 columns
 * wide.
 */
#ifndef NF_CLIENT_REPORT_H
#define NF_CLIENT_REPORT_H

#include "compute-client/client.h"

/* Text is printed with control characters escaped; "" prints nothing. */
void report_line(FILE *out, const char *label, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Name, id, sizes, functions. */
void report_program(const struct nearfold_program *p, FILE *out);
/* Lines as they are, made printable. */
void report_text(FILE *out, const char *text);
/* How many accesses are proven and guarded, and each guarded one. */
void report_verdicts(const struct vm_program *vp, FILE *out);
/* One engine; reason "": it can. */
void report_engine(FILE *out, bool first, const char *name, const char *reason);
/* Each engine of this process. spec NULL: the program's own record. */
void report_local_engines(const struct nearfold_program *p, struct vm_program *vp,
			  const struct dataset_spec *spec, FILE *out);

static inline void report_vm_unref(struct vm_program **vp)
{
	vm_program_unref(*vp);
}

#endif
