/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bench_report.h - what a benchmark found: one model for JSON, tables, the page and the plots.
 *
 *	row         one point: a section ("link"), where on its axis (1000 Mbit/s), which way to the
 *		    answer (offload or ship), by which engine, and its figures
 *	ratio       ship over offload at one point
 *	break_even  where the two ways change places
 *	constant    what the engines were measured at
 *	note        what was left out, and why; what does not look right
 *
 * Facts about figures and sections are tables (bench_figures, bench_sections) that every writer
 * reads. docs/benchmark.schema.json is the JSON's form.
 */
#ifndef NF_BENCH_REPORT_H
#define NF_BENCH_REPORT_H

#include <stddef.h>

#include "base/error.h"
#include "compute-client/bench/bench_stat.h"

enum bench_figure {
	FIGURE_SECONDS,
	FIGURE_CLIENT_SENT,
	FIGURE_CLIENT_RECEIVED,
	FIGURE_WIRE,
	FIGURE_NODE_SENT,
	FIGURE_INTERFACE,
	FIGURE_NODE_CPU,
	FIGURE_CLIENT_CPU,
	FIGURE_SCANNED,
	FIGURE_RATE,
	FIGURE_RECORDS,
	FIGURE_MATCHED,
	FIGURE_GROUPS,
	FIGURE_THREADS,
	FIGURE_RECORD_RATE,
	FIGURE_PREPARE,
	FIGURES,
};

struct bench_figure_row {
	const char *name;  /* in JSON, with the unit */
	const char *title; /* for people */
	char unit;         /* 's' seconds, 'B' bytes, 'r' bytes/s, 'n' a count, 'R' records/s */
};
extern const struct bench_figure_row bench_figures[FIGURES];

enum bench_section {
	SECTION_SAVINGS,
	SECTION_FIRST,
	SECTION_LINK,
	SECTION_SELECTIVITY,
	SECTION_ROWS,
	SECTION_STATE,
	SECTION_GROUPS,
	SECTION_QUERIES,
	SECTION_ENGINES,
	SECTIONS,
};

struct bench_section_row {
	const char *name;
	const char *title;
	const char *axis; /* what x is; "" there is none */
	bool log_x;
};
extern const struct bench_section_row bench_sections[SECTIONS];

/* Two ways to an answer from a node; `local` is a scan in this process. */
enum bench_way { WAY_OFFLOAD, WAY_SHIP, WAYS, WAY_LOCAL = WAYS, WAY_NAMES };
extern const char *const bench_ways[WAY_NAMES];

struct bench_row {
	enum bench_section section;
	double x;
	char x_text[40];
	enum bench_way way;
	char engine[24];
	struct bench_stat figures[FIGURES]; /* n 0: not measured */
	/* What they were made from; not in the JSON. */
	double samples[FIGURES][BENCH_MAX_ROUNDS];
	unsigned n_samples;
};

struct bench_ratio {
	enum bench_section section;
	double x;
	char x_text[40];
	char engine[24];
	char name[24]; /* "time" or "bytes": ship over offload */
	struct bench_stat stat;
};

struct bench_break_even {
	enum bench_section section;
	char engine[24];
	char name[24]; /* "link" (Mbit/s), "selectivity" (percent) */
	bool has_value;
	double value;
	char text[240]; /* what it means */
};

struct bench_constant {
	char name[64];
	double value;
	char unit[24];
	char text[200];
};

struct bench_fact {
	char name[24];
	char value[512];
};

struct bench_report {
	char kind[16];            /* "savings", "sweep", "engines" */
	struct bench_fact *facts; /* machine, versions, commands: the page's foot */
	struct bench_row *rows;
	struct bench_ratio *ratios;
	struct bench_break_even *breaks;
	struct bench_constant *constants;
	char (*notes)[512];
	unsigned n_facts, n_rows, n_ratios, n_breaks, n_constants, n_notes;
	bool no_memory; /* an addition failed; bench_report_whole() says so */
};

void bench_report_done(struct bench_report *r);
/* RESOURCE_EXHAUSTED when an addition was lost. */
int bench_report_whole(const struct bench_report *r, struct nf_error *err);

/* A new, zeroed row and so on; valid until the next is added. Never NULL: when memory has run out
 * they give one that is thrown away. */
struct bench_row *bench_report_row(struct bench_report *r);
struct bench_ratio *bench_report_ratio(struct bench_report *r);
struct bench_break_even *bench_report_break(struct bench_report *r);
struct bench_constant *bench_report_constant(struct bench_report *r);
void bench_report_note(struct bench_report *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void bench_report_fact(struct bench_report *r, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "" when there is none such. */
const char *bench_report_fact_value(const struct bench_report *r, const char *name);

/* The row at that point, or NULL. */
const struct bench_row *bench_report_find(const struct bench_report *r, enum bench_section section,
					  double x, enum bench_way way, const char *engine);
/* Adds the ratios ship over offload, of time and of bytes, for every point that has both ways. */
void bench_report_compare(struct bench_report *r);

/* "5.22", "5220", "20400": three digits that matter, no exponent. Returns buf. */
const char *bench_amount_text(double v, char buf[32]);
/* A figure for people. Returns buf. */
const char *bench_figure_text(enum bench_figure f, double value, char buf[32]);

#endif
