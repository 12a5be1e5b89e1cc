/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_facts.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/scope.h"
#include "compute-client/client.h"
#include "compute-client/cmd/human.h"

#ifdef __clang__
#define COMPILER "" __VERSION__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* What stands behind "KEY : " (or "KEY=") in a file, without quotes. */
static void value_of(const char *path, const char *key, char *buf, size_t size)
{
	AUTO_FCLOSE FILE *f = fopen(path, "re");
	char line[1024];

	buf[0] = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		const char *p = line + strlen(key);

		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		p += strspn(p, " \t:=\"");
		snprintf(buf, size, "%.*s", (int)strcspn(p, "\"\n"), p);
		return;
	}
}

static void add_command(struct bench_report *r)
{
	AUTO_FCLOSE FILE *f = fopen("/proc/self/cmdline", "re");
	char text[500];
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	text[n] = '\0';
	for (size_t i = 0; i + 1 < n; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	bench_report_fact(r, "command", "%s", text);
}

static void add_machine(struct bench_report *r)
{
	char model[200], memory[24];
	struct sysinfo info;
	cpu_set_t set;
	int cpus = 1;

	value_of("/proc/cpuinfo", "model name", model, sizeof(model));
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		cpus = CPU_COUNT(&set);
	sysinfo(&info);
	bench_report_fact(r, "machine", "%s, %d processor%s, %s of memory",
			  model[0] ? model : "unknown processor", cpus, cpus == 1 ? "" : "s",
			  human_bytes((double)info.totalram * info.mem_unit, memory));
}

static void add_load(struct bench_report *r, const char *name)
{
	double load[3] = {0};

	if (getloadavg(load, 3) == 3)
		bench_report_fact(r, name, "%.2f %.2f %.2f", load[0], load[1], load[2]);
}

void bench_facts_begin(struct bench_report *r)
{
	struct utsname u;
	char os[200], date[40];
	time_t now = time(NULL);
	struct tm tm;

	strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &tm));
	bench_report_fact(r, "date", "%s", date);
	bench_report_fact(r, "nearfold", "%s, built with " COMPILER, nearfold_version());
	add_command(r);
	add_machine(r);
	value_of("/etc/os-release", "PRETTY_NAME", os, sizeof(os));
	if (uname(&u) == 0)
		bench_report_fact(r, "kernel", "%s %s %s, %s", u.sysname, u.release, u.machine,
				  os[0] ? os : "unknown system");
	add_load(r, "load before");
}

void bench_facts_node(struct bench_report *r, struct nearfold_conn *c)
{
	struct client_counters counters;

	if (client_node_counters(c, &counters, NULL) == 0)
		bench_report_fact(r, "node", "nearfoldd %s", counters.version);
}

void bench_facts_end(struct bench_report *r)
{
	add_load(r, "load after");
}
