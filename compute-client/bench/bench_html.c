/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_html.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "compute-client/bench/bench_plot.h"
#include "compute-client/bench/bench_svg.h"
#include "compute-client/bench/bench_table.h"
#include "compute-client/cmd/human.h"

/* Contrast of text is at least 4.5:1 in both. */
static const char style[] =
	":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--muted:#57606a;--grid:#d8dee4;"
	"--card:#f6f8fa;--mark:#b0136b;"
	"--c0:#0550ae;--c1:#bc4c00;--c2:#1a7f37;--c3:#8250df;--c4:#9a6700;--c5:#57606a}\n"
	"@media (prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--muted:#9da7b1;"
	"--grid:#30363d;--card:#161b22;--mark:#ff8ac4;"
	"--c0:#6cb0ff;--c1:#ffa657;--c2:#56d364;--c3:#d2a8ff;--c4:#e3b341;--c5:#9da7b1}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;padding:16px;max-width:1240px;background:var(--bg);color:var(--fg);"
	"font:16px/1.5 system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}\n"
	"h1{font-size:1.6rem;line-height:1.25;margin:.4em 0}h2{font-size:1.2rem;margin:1.6em 0 "
	".5em}\n"
	".lead{font-size:1.1rem;max-width:46em}\n"
	".plots{display:grid;gap:16px;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),"
	"1fr))}\n"
	"figure{margin:0;padding:12px;background:var(--card);border-radius:8px;min-width:0}\n"
	"figcaption{font-weight:600;margin-bottom:6px}\n"
	"svg{display:block;width:100%;height:auto;font-size:12px;font-family:inherit}\n"
	"svg text{fill:var(--fg)}svg .tick{fill:var(--muted);font-size:11px}\n"
	"svg .value{font-size:10.5px}svg .label{fill:var(--muted)}\n"
	"svg .grid{stroke:var(--grid);stroke-width:1}svg "
	".axis{stroke:var(--muted);stroke-width:1}\n"
	"svg .series{fill:none;stroke-width:2}svg .dash{stroke-dasharray:6 4}\n"
	"svg .spread{stroke-width:1.2}\n"
	"svg .mark{stroke:var(--mark);stroke-width:1.5;stroke-dasharray:3 3}\n"
	"svg .marktext{fill:var(--mark);font-weight:600}\n"
	"svg .s0{stroke:var(--c0)}svg .s1{stroke:var(--c1)}svg .s2{stroke:var(--c2)}"
	"svg .s3{stroke:var(--c3)}svg .s4{stroke:var(--c4)}svg .s5{stroke:var(--c5)}\n"
	"svg .dot.s0,svg .bar.s0{fill:var(--c0)}svg .dot.s1,svg .bar.s1{fill:var(--c1)}"
	"svg .dot.s2,svg .bar.s2{fill:var(--c2)}svg .dot.s3,svg .bar.s3{fill:var(--c3)}"
	"svg .dot.s4,svg .bar.s4{fill:var(--c4)}svg .dot.s5,svg .bar.s5{fill:var(--c5)}\n"
	"svg .bar{stroke:none}\n"
	".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.875rem;white-space:nowrap}"
	"\n"
	"th,td{text-align:right;padding:3px 8px;border-bottom:1px solid var(--grid)}\n"
	"th:first-child,td:first-child,.l{text-align:left}"
	"th{font-weight:600;white-space:normal;vertical-align:bottom}\n"
	"tr.lost td{color:var(--mark)}\n"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;font-size:.875rem}\n"
	"dt{color:var(--muted)}dd{margin:0;overflow-wrap:anywhere}code{overflow-wrap:anywhere}\n"
	"footer{margin-top:2em;border-top:1px solid var(--grid)}\n"
	"@media "
	"(max-width:480px){body{padding:10px}figure{padding:8px}dl{grid-template-columns:1fr}"
	"dd{margin-bottom:6px}}\n";

static const enum bench_figure columns[] = {
	FIGURE_SECONDS,    FIGURE_RATE,        FIGURE_RECORD_RATE,
	FIGURE_WIRE,       FIGURE_CLIENT_SENT, FIGURE_CLIENT_RECEIVED,
	FIGURE_NODE_SENT,  FIGURE_INTERFACE,   FIGURE_NODE_CPU,
	FIGURE_CLIENT_CPU, FIGURE_PREPARE,     FIGURE_THREADS,
};

static bool section_has(const struct bench_report *r, enum bench_section s, enum bench_figure f)
{
	for (unsigned i = 0; i < r->n_rows; i++)
		if (r->rows[i].section == s && (f == FIGURES || r->rows[i].figures[f].n > 0))
			return true;
	return false;
}

static void cell(FILE *out, const char *class, const char *text)
{
	fprintf(out, "<td%s%s%s>", class[0] ? " class=\"" : "", class, class[0] ? "\"" : "");
	bench_html_text(text, out);
	fputs("</td>", out);
}

static void put_rows(const struct bench_report *r, enum bench_section s, FILE *out)
{
	fputs("<div class=\"wide\"><table><tr><th>", out);
	bench_html_text(bench_sections[s].axis, out);
	fputs("</th><th class=\"l\">way</th><th class=\"l\">engine</th>", out);
	for (unsigned c = 0; c < ARRAY_SIZE(columns); c++)
		if (section_has(r, s, columns[c]))
			fprintf(out, "<th>%s</th>", bench_figures[columns[c]].title);
	fputs("</tr>\n", out);
	for (unsigned i = 0; i < r->n_rows; i++) {
		const struct bench_row *row = &r->rows[i];

		if (row->section != s)
			continue;
		fputs("<tr>", out);
		cell(out, "", row->x_text);
		cell(out, "l", bench_ways[row->way]);
		cell(out, "l", row->engine);
		for (unsigned c = 0; c < ARRAY_SIZE(columns); c++) {
			const struct bench_stat *stat = &row->figures[columns[c]];
			char value[32], text[64];

			if (!section_has(r, s, columns[c]))
				continue;
			bench_figure_text(columns[c], stat->median, value);
			if (columns[c] == FIGURE_SECONDS && stat->n > 1 && stat->median > 0)
				snprintf(text, sizeof(text), "%s \xc2\xb1%.0f%%", value,
					 50 * (stat->high - stat->low) / stat->median);
			else
				snprintf(text, sizeof(text), "%s", stat->n ? value : "");
			cell(out, "", text);
		}
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

static void put_ratios(const struct bench_report *r, enum bench_section s, FILE *out)
{
	bool any = false;

	for (unsigned i = 0; i < r->n_ratios; i++) {
		const struct bench_ratio *ratio = &r->ratios[i];
		char a[32], b[32], c[32], spread[80];

		if (ratio->section != s)
			continue;
		if (!any)
			fputs("<p>Shipping over offload; below 1 shipping wins:</p><div "
			      "class=\"wide\"><table><tr><th></th><th class=\"l\">engine</th><th "
			      "class=\"l\">of</th><th>ratio</th><th>spread</th></tr>\n",
			      out);
		any = true;
		snprintf(spread, sizeof(spread), "%s to %s", bench_ratio_text(ratio->stat.low, b),
			 bench_ratio_text(ratio->stat.high, c));
		fputs(ratio->stat.median < 1 ? "<tr class=\"lost\">" : "<tr>", out);
		cell(out, "", ratio->x_text);
		cell(out, "l", ratio->engine);
		cell(out, "l", ratio->name);
		cell(out, "", bench_ratio_text(ratio->stat.median, a));
		cell(out, "", spread);
		fputs("</tr>\n", out);
	}
	if (any)
		fputs("</table></div>\n", out);
}

static void put_breaks(const struct bench_report *r, FILE *out)
{
	if (r->n_breaks == 0)
		return;
	fputs("<h2>Break-even</h2>\n<ul>\n", out);
	for (unsigned i = 0; i < r->n_breaks; i++) {
		fputs("<li>", out);
		bench_html_text(r->breaks[i].engine, out);
		fputs(": ", out);
		bench_html_text(r->breaks[i].text, out);
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
}

static void put_plots(const struct bench_report *r, FILE *out)
{
	AUTO_FREE struct bench_plot *plots = calloc(PLOT_MAX, sizeof(*plots));
	unsigned n = plots ? bench_plots_of(r, plots) : 0;

	if (n == 0)
		return;
	fputs("<div class=\"plots\">\n", out);
	for (unsigned i = 0; i < n; i++) {
		fprintf(out, "<figure id=\"%s\"><figcaption>", plots[i].name);
		bench_html_text(plots[i].title, out);
		fputs("</figcaption>\n", out);
		bench_svg_write(&plots[i], out);
		fputs("</figure>\n", out);
	}
	fputs("</div>\n", out);
}

/* Where a ratio was measured: "Groups: 1000, jit". */
static void put_place(const struct bench_ratio *ratio, FILE *out)
{
	bench_html_text(bench_sections[ratio->section].title, out);
	fputs(ratio->x_text[0] ? ": " : "", out);
	bench_html_text(ratio->x_text, out);
	fputs(", ", out);
	bench_html_text(ratio->engine, out);
}

/* The sentence that people came for: the largest saving of bytes that was measured, and whether
 * time was saved, too. */
static void put_lead(const struct bench_report *r, FILE *out)
{
	const struct bench_ratio *bytes = NULL, *slow = NULL;
	char a[32];

	for (unsigned i = 0; i < r->n_ratios; i++) {
		const struct bench_ratio *ratio = &r->ratios[i];
		bool is_bytes = strcmp(ratio->name, "bytes") == 0;

		if (is_bytes && (!bytes || ratio->stat.median > bytes->stat.median))
			bytes = ratio;
		if (!is_bytes && (!slow || ratio->stat.median < slow->stat.median))
			slow = ratio;
	}
	if (!bytes || !slow)
		return;
	fprintf(out,
		"<p class=\"lead\">Running the program beside the data moved up to %s times fewer "
		"bytes than shipping the data (",
		bench_amount_text(bytes->stat.median, a));
	put_place(bytes, out);
	if (slow->stat.median < 1) {
		fprintf(out,
			"). It does not always win: at worst shipping took %.0f %% of offload's "
			"time (",
			100 * slow->stat.median);
		put_place(slow, out);
		fputs(").</p>\n", out);
	} else {
		fprintf(out, "). It was faster at every measured point, at least %s.</p>\n",
			bench_ratio_text(slow->stat.median, a));
	}
}

static void put_constants(const struct bench_report *r, FILE *out)
{
	if (r->n_constants == 0)
		return;
	fputs("<h2>Constants that auto uses</h2><div class=\"wide\"><table>\n", out);
	for (unsigned i = 0; i < r->n_constants; i++) {
		char value[40];

		snprintf(value, sizeof(value), "%.6g %s", r->constants[i].value,
			 r->constants[i].unit);
		fputs("<tr>", out);
		cell(out, "", r->constants[i].name);
		cell(out, "", value);
		cell(out, "l", r->constants[i].text);
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

static void put_foot(const struct bench_report *r, FILE *out)
{
	if (r->n_notes > 0) {
		fputs("<h2>Notes</h2>\n<ul>\n", out);
		for (unsigned i = 0; i < r->n_notes; i++) {
			fputs("<li>", out);
			bench_html_text(r->notes[i], out);
			fputs("</li>\n", out);
		}
		fputs("</ul>\n", out);
	}
	fputs("<footer><h2>To repeat it</h2><dl>\n", out);
	for (unsigned i = 0; i < r->n_facts; i++) {
		fputs("<dt>", out);
		bench_html_text(r->facts[i].name, out);
		fputs("</dt><dd>", out);
		bench_html_text(r->facts[i].value, out);
		fputs("</dd>\n", out);
	}
	fputs("</dl><p>Lines at the points reach from the fastest to the slowest round; the point "
	      "is "
	      "the median. docs/benchmarking.md says what is counted and how.</p></footer>\n",
	      out);
}

int bench_html_write(const struct bench_report *r, FILE *out)
{
	fprintf(out,
		"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		"<title>Nearfold benchmark: %.15s</title>\n<style>\n%s</style></head>\n<body>\n"
		"<h1>Nearfold benchmark: %s</h1>\n",
		r->kind, style, r->kind);
	put_lead(r, out);
	put_plots(r, out);
	put_breaks(r, out);
	for (unsigned s = 0; s < SECTIONS; s++) {
		if (!section_has(r, (enum bench_section)s, FIGURES))
			continue;
		fprintf(out, "<h2>%s</h2>\n", bench_sections[s].title);
		put_rows(r, (enum bench_section)s, out);
		put_ratios(r, (enum bench_section)s, out);
	}
	put_constants(r, out);
	put_foot(r, out);
	fputs("</body></html>\n", out);
	return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
