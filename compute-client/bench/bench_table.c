/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_table.h"

#include <stdbool.h>
#include <string.h>

#include "base/scope.h"

/* The figures that have a column, when any row of the section has them. */
static const enum bench_figure columns[] = {
	FIGURE_SECONDS,   FIGURE_RATE,     FIGURE_RECORD_RATE, FIGURE_WIRE,    FIGURE_NODE_SENT,
	FIGURE_INTERFACE, FIGURE_NODE_CPU, FIGURE_CLIENT_CPU,  FIGURE_PREPARE,
};

const char *bench_ratio_text(double ratio, char buf[32])
{
	bench_amount_text(ratio, buf);
	return strcat(buf, "x");
}

static bool section_has(const struct bench_report *r, enum bench_section s, enum bench_figure f)
{
	for (unsigned i = 0; i < r->n_rows; i++)
		if (r->rows[i].section == s && r->rows[i].figures[f].n > 0)
			return true;
	return false;
}

static bool section_has_rows(const struct bench_report *r, enum bench_section s)
{
	for (unsigned i = 0; i < r->n_rows; i++)
		if (r->rows[i].section == s)
			return true;
	return false;
}

/* "1.23 s +-4%": half of the spread, of the median. */
static void put_time(const struct bench_stat *s, FILE *out)
{
	char value[32], text[64];

	bench_figure_text(FIGURE_SECONDS, s->median, value);
	if (s->median > 0 && s->n > 1)
		snprintf(text, sizeof(text), "%s +-%.0f%%", value,
			 50 * (s->high - s->low) / s->median);
	else
		snprintf(text, sizeof(text), "%s", value);
	fprintf(out, "  %16s", text);
}

static void put_row(const struct bench_report *r, const struct bench_row *row, FILE *out)
{
	char text[32];

	fprintf(out, "  %-14s %-8s %-8s", row->x_text, bench_ways[row->way], row->engine);
	for (unsigned c = 0; c < ARRAY_SIZE(columns); c++) {
		const struct bench_stat *s = &row->figures[columns[c]];

		if (!section_has(r, row->section, columns[c]))
			continue;
		if (columns[c] == FIGURE_SECONDS && s->n > 0)
			put_time(s, out);
		else
			fprintf(out, "  %*s", columns[c] == FIGURE_SECONDS ? 16 : 12,
				s->n ? bench_figure_text(columns[c], s->median, text) : "-");
	}
	fputc('\n', out);
}

static void put_ratios(const struct bench_report *r, enum bench_section s, FILE *out)
{
	bool headed = false;
	char a[32], b[32], c[32];

	for (unsigned i = 0; i < r->n_ratios; i++) {
		const struct bench_ratio *ratio = &r->ratios[i];

		if (ratio->section != s)
			continue;
		if (!headed)
			fprintf(out, "\n  %-14s %-8s ship / offload\n", "", "");
		headed = true;
		fprintf(out, "  %-14s %-8s %-6s %10s   spread %s .. %s%s\n", ratio->x_text,
			ratio->engine, ratio->name, bench_ratio_text(ratio->stat.median, a),
			bench_ratio_text(ratio->stat.low, b), bench_ratio_text(ratio->stat.high, c),
			ratio->stat.median < 1 ? "   shipping wins" : "");
	}
}

static void put_section(const struct bench_report *r, enum bench_section s, FILE *out)
{
	fprintf(out, "\n%s\n\n  %-14s %-8s %-8s", bench_sections[s].title, bench_sections[s].axis,
		"way", "engine");
	for (unsigned c = 0; c < ARRAY_SIZE(columns); c++)
		if (section_has(r, s, columns[c]))
			fprintf(out, "  %*s", columns[c] == FIGURE_SECONDS ? 16 : 12,
				bench_figures[columns[c]].title);
	fputc('\n', out);
	for (unsigned i = 0; i < r->n_rows; i++)
		if (r->rows[i].section == s)
			put_row(r, &r->rows[i], out);
	put_ratios(r, s, out);
}

static void put_breaks(const struct bench_report *r, FILE *out)
{
	if (r->n_breaks > 0)
		fputs("\nBreak-even\n\n", out);
	for (unsigned i = 0; i < r->n_breaks; i++)
		fprintf(out, "  %-12s %-8s %-12s %s\n", bench_sections[r->breaks[i].section].name,
			r->breaks[i].engine, r->breaks[i].name, r->breaks[i].text);
}

static void put_constants(const struct bench_report *r, FILE *out)
{
	if (r->n_constants > 0)
		fputs("\nConstants that auto uses\n\n", out);
	for (unsigned i = 0; i < r->n_constants; i++)
		fprintf(out, "  %-28s %12.6g %-10s %s\n", r->constants[i].name,
			r->constants[i].value, r->constants[i].unit, r->constants[i].text);
}

void bench_table_write(const struct bench_report *r, FILE *out)
{
	for (unsigned i = 0; i < r->n_facts; i++)
		fprintf(out, "%-12s %s\n", r->facts[i].name, r->facts[i].value);
	for (unsigned s = 0; s < SECTIONS; s++)
		if (section_has_rows(r, (enum bench_section)s))
			put_section(r, (enum bench_section)s, out);
	put_breaks(r, out);
	put_constants(r, out);
	if (r->n_notes > 0)
		fputs("\nNotes\n\n", out);
	for (unsigned i = 0; i < r->n_notes; i++)
		fprintf(out, "  - %s\n", r->notes[i]);
}
