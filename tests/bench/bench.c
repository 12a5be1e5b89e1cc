/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "bench.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"

enum { MAX_RIVALS = 16, MAX_ROUNDS = 101, SAMPLE_NS = 1000000 };

static FILE *json;
static bool json_comma;

static void json_text(const char *text)
{
	fputc('"', json);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', json);
		fputc(*text, json);
	}
	fputc('"', json);
}

static void machine(char *buf, size_t size)
{
	char line[256], model[128] = "unknown processor";
	FILE *f = fopen("/proc/cpuinfo", "r");
	struct utsname u;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "model name : %127[^\n]", model) == 1)
			break;
	if (f)
		fclose(f);
	uname(&u);
	snprintf(buf, size, "%s, %ld processors, %s %s, gcc %s", model,
		 sysconf(_SC_NPROCESSORS_ONLN), u.sysname, u.release, __VERSION__);
}

void bench_begin(const char *title)
{
	const char *path = getenv("BENCH_JSON");
	char text[512];

	machine(text, sizeof(text));
	printf("%s\n%s\n", title, text);
	if (path && (json = fopen(path, "w"))) {
		fputs("{\"title\":", json);
		json_text(title);
		fputs(",\"machine\":", json);
		json_text(text);
		fputs(",\"groups\":[", json);
	}
}

void bench_note(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printf("  %s\n", text);
	if (json) {
		fputs(json_comma ? ",\n{\"note\":" : "\n{\"note\":", json);
		json_text(text);
		fputs("}", json);
		json_comma = true;
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(const double *values, unsigned n, double *ret_min, double *ret_max)
{
	double sorted[MAX_ROUNDS];

	memcpy(sorted, values, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare);
	*ret_min = sorted[0];
	*ret_max = sorted[n - 1];
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

void bench_group(const char *title, const struct bench_rival *rivals, unsigned n_rivals,
		 unsigned reference, unsigned rounds, double work, const char *unit)
{
	static double seconds[MAX_RIVALS][MAX_ROUNDS];
	unsigned repeat[MAX_RIVALS];
	bool is_time = !strcmp(unit, "ms") || !strcmp(unit, "us");
	double scale = !strcmp(unit, "GB/s") ? 1e9 : !strcmp(unit, "M/s") ? 1e6 : 1;

	if (rounds > MAX_ROUNDS)
		rounds = MAX_ROUNDS;
	/* Warm up, and see how many runs make a sample that the clock can tell. */
	for (unsigned i = 0; i < n_rivals; i++) {
		rivals[i].run(rivals[i].arg);
		uint64_t start = clock_now_ns();
		rivals[i].run(rivals[i].arg);
		uint64_t took = clock_now_ns() - start;
		repeat[i] = took < SAMPLE_NS ? (unsigned)(SAMPLE_NS / (took + 1)) + 1 : 1;
	}
	for (unsigned r = 0; r < rounds; r++) {
		for (unsigned i = 0; i < n_rivals; i++) {
			uint64_t start = clock_now_ns();

			for (unsigned k = 0; k < repeat[i]; k++)
				rivals[i].run(rivals[i].arg);
			seconds[i][r] = (double)(clock_now_ns() - start) / 1e9 / repeat[i];
		}
	}

	printf("\n%s  (%u rounds; ratio to: %s)\n", title, rounds, rivals[reference].name);
	printf("  %-44s %9s %9s %9s %7s %13s\n", "", unit, "min", "max", "ratio", "spread");
	if (json) {
		fputs(json_comma ? ",\n{\"group\":" : "\n{\"group\":", json);
		json_text(title);
		fprintf(json, ",\"unit\":\"%s\",\"rows\":[", unit);
		json_comma = true;
	}
	for (unsigned i = 0; i < n_rivals; i++) {
		double rate[MAX_ROUNDS], ratio[MAX_ROUNDS], mid, lo, hi, rmid, rlo, rhi;

		for (unsigned r = 0; r < rounds; r++) {
			rate[r] = is_time ? seconds[i][r] * (*unit == 'm' ? 1e3 : 1e6)
					  : work / seconds[i][r] / scale;
			ratio[r] = seconds[reference][r] / seconds[i][r];
		}
		mid = median(rate, rounds, &lo, &hi);
		rmid = median(ratio, rounds, &rlo, &rhi);
		printf("  %-44s %9.2f %9.2f %9.2f %7.2f %6.2f-%.2f\n", rivals[i].name, mid, lo, hi,
		       rmid, rlo, rhi);
		if (json) {
			fputs(i ? ",{\"name\":" : "{\"name\":", json);
			json_text(rivals[i].name);
			fprintf(json,
				",\"median\":%.6g,\"min\":%.6g,\"max\":%.6g,\"ratio\":%.4g,"
				"\"ratio_min\":%.4g,\"ratio_max\":%.4g}",
				mid, lo, hi, rmid, rlo, rhi);
		}
	}
	if (json)
		fputs("]}", json);
	fflush(stdout);
}

void bench_end(void)
{
	if (json) {
		fputs("]}\n", json);
		fclose(json);
		json = NULL;
	}
}
