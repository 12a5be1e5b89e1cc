/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "compute-client/bench/bench_sweep.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/scope.h"
#include "compute-client/bench/bench_data.h"
#include "compute-client/bench/bench_facts.h"
#include "compute-client/bench/bench_sweep_internal.h"
#include "compute-client/cmd/human.h"

enum {
	MAX_ENGINES = 4,
	MAX_POINTS = 12,
	PASSES_SECONDS = 45, /* a second pass ends then: --quick is to take less than a minute */
};

static const char *const every_engine[] = {"kernel", "jit", "interp", NULL};

/* ---- what the sections share ----------------------------------------------------------------- */

bool sweep_begins(struct sweep *s, enum bench_section section, const char *x_text)
{
	if (s->enough_ns && clock_now_ns() > s->enough_ns) {
		s->left_out++;
		return false;
	}
	if (s->o->tell)
		fprintf(stderr, "%s, %s %s\n", bench_sections[section].title, x_text,
			bench_sections[section].axis);
	return true;
}

int sweep_program(const char *name, struct nearfold_program **ret, struct nf_error *err)
{
	char file[80], path[4200];
	struct nearfold_error why;
	int r;

	snprintf(file, sizeof(file), "bench-programs/%s.bpf.o", name);
	r = bench_find_file(file, "../share/nearfold", false, path, sizeof(path), err);
	if (r == 0 && nearfold_program_open(path, ret, &why) < 0)
		r = bench_error(err, &why);
	return r;
}

int sweep_param(struct nearfold_program *p, const char *name, uint64_t value, struct nf_error *err)
{
	struct nearfold_error why;
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return nearfold_program_param(p, name, text, &why) < 0 ? bench_error(err, &why) : 0;
}

int sweep_connect(struct sweep *s, enum sweep_path path, struct bench_target *ret,
		  struct nf_error *err)
{
	struct nf_error ignored;
	const char *address = s->o->address        ? s->o->address
			      : path == PATH_CABLE ? s->node.cable
						   : s->node.loopback;
	int r = 0;

	memset(ret, 0, sizeof(*ret));
	ret->interface.fd = -1;
	ret->dataset = s->o->address ? s->o->dataset : BENCH_NODE_DATASET;
	ret->threads = s->o->threads;
	ret->cancel_fd = s->o->cancel_fd;
	if (s->has_ns)
		r = bench_netns_enter(&s->ns, path == PATH_CABLE ? NETNS_CLIENT : NETNS_NODE, err);
	if (r == 0)
		r = bench_target_open(ret, address, err);
	if (s->has_ns)
		bench_netns_enter(&s->ns, NETNS_HOME, r ? &ignored : err);
	return r;
}

int sweep_measure(struct sweep *s, struct bench_target *t, const struct sweep_point *p,
		  struct nf_error *err)
{
	struct bench_subject subjects[2 * MAX_ENGINES];
	AUTO_FREE struct bench_contestant *list = calloc(2 * MAX_ENGINES, sizeof(*list));
	unsigned n = 0;
	int r;

	if (!list)
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
	if (!sweep_begins(s, p->section, p->x_text))
		return 0;
	for (unsigned e = 0; p->engines[e] && e < MAX_ENGINES; e++) {
		for (unsigned way = 0; way < WAYS; way++, n++) {
			subjects[n] = (struct bench_subject){t, (enum bench_way)way, p->engines[e]};
			list[n].way = (enum bench_way)way;
			list[n].run = bench_subject_run;
			list[n].arg = &subjects[n];
			snprintf(list[n].engine, sizeof(list[n].engine), "%s", p->engines[e]);
		}
	}
	r = bench_rounds(list, n, p->rounds, !p->cold, err);
	if (r == 0)
		bench_rounds_report(list, n, p->section, p->x, p->x_text, s->report);
	if (t->answers_differ)
		bench_report_note(s->report, "%s %s: the answers were not the same every time",
				  bench_sections[p->section].name, p->x_text);
	return r;
}

static void free_program(struct nearfold_program **p)
{
	nearfold_program_free(*p);
}

static void close_target(struct bench_target *t)
{
	bench_target_close(t);
}

/* The same program at several values of one of its parameters. */
static int sweep_points(struct sweep *s, struct bench_target *t, struct sweep_point p,
			const char *program, const char *param, const double *xs, unsigned n,
			double scale, struct nf_error *err)
{
	AUTO(free_program) struct nearfold_program *prog = NULL;
	int r = sweep_program(program, &prog, err);

	for (unsigned i = 0; i < n && r == 0; i++) {
		char text[40];

		snprintf(text, sizeof(text), "%.10g", xs[i]);
		p.x = xs[i];
		p.x_text = text;
		r = sweep_param(prog, param, (uint64_t)(xs[i] * scale), err);
		if (r == 0)
			r = bench_target_program(t, prog, err);
		if (r == 0)
			r = sweep_measure(s, t, &p, err);
	}
	bench_target_program(t, NULL, NULL);
	return r;
}

/* ---- sections -------------------------------------------------------------------------------- */

static int sweep_selectivity(struct sweep *s, struct nf_error *err)
{
	static const double few[] = {0, 1, 50, 99, 100};
	static const double many[] = {0, 0.1, 1, 10, 50, 90, 99, 100};
	const char *const one[] = {s->o->engine, NULL};
	AUTO(close_target) struct bench_target t;
	struct sweep_point p = {.section = SECTION_SELECTIVITY,
				.engines = s->o->engine ? one : every_engine,
				.rounds = s->o->rounds};
	int r = sweep_connect(s, PATH_LOOPBACK, &t, err);

	if (r < 0)
		return r;
	return sweep_points(s, &t, p, "select", "bound", s->o->quick ? few : many,
			    s->o->quick ? ARRAY_SIZE(few) : ARRAY_SIZE(many),
			    BENCH_PICK_RANGE / 100, err);
}

static int sweep_rows(struct sweep *s, struct nf_error *err)
{
	static const double few[] = {0, 1, 10, 50, 100};
	static const double many[] = {0, 0.1, 1, 5, 10, 25, 50, 75, 100};
	const char *const one[] = {s->best, NULL};
	AUTO(close_target) struct bench_target t;
	struct sweep_point p = {.section = SECTION_ROWS, .engines = one, .rounds = s->o->rounds};
	int r = sweep_connect(s, PATH_LOOPBACK, &t, err);

	if (r < 0)
		return r;
	if (t.total_bytes > SWEEP_ROWS_BYTES)
		t.range_end = SWEEP_ROWS_BYTES;
	return sweep_points(s, &t, p, "rows", "bound", s->o->quick ? few : many,
			    s->o->quick ? ARRAY_SIZE(few) : ARRAY_SIZE(many),
			    BENCH_PICK_RANGE / 100, err);
}

static int sweep_groups(struct sweep *s, struct nf_error *err)
{
	static const double few[] = {1, 100, 10000, 100000};
	static const double many[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
	const char *const one[] = {s->best, NULL};
	AUTO(close_target) struct bench_target t;
	struct sweep_point p = {.section = SECTION_GROUPS, .engines = one, .rounds = s->o->rounds};
	int r = sweep_connect(s, PATH_LOOPBACK, &t, err);

	if (r < 0)
		return r;
	/* Whatever travels, hashing a million groups takes its seconds. */
	if (t.total_bytes > SWEEP_GROUPS_BYTES)
		t.range_end = SWEEP_GROUPS_BYTES;
	return sweep_points(s, &t, p, "groups", "groups", s->o->quick ? few : many,
			    s->o->quick ? ARRAY_SIZE(few) : ARRAY_SIZE(many), 1, err);
}

static int sweep_states(struct sweep *s, struct nf_error *err)
{
	static const unsigned sizes[] = {8, 64, 512, 4096, 65536};
	const char *const one[] = {s->best, NULL};
	AUTO(close_target) struct bench_target t;
	int r = sweep_connect(s, PATH_LOOPBACK, &t, err);

	for (unsigned i = 0; i < ARRAY_SIZE(sizes) && r == 0; i++) {
		AUTO(free_program) struct nearfold_program *prog = NULL;
		char name[32];
		struct sweep_point p = {.section = SECTION_STATE,
					.x = sizes[i],
					.engines = one,
					.rounds = s->o->rounds};

		snprintf(name, sizeof(name), "state_%u", sizes[i]);
		p.x_text = name + strlen("state_");
		r = sweep_program(name, &prog, err);
		if (r == 0)
			r = bench_target_program(&t, prog, err);
		if (r == 0)
			r = sweep_measure(s, &t, &p, err);
		bench_target_program(&t, NULL, NULL);
	}
	return r;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static const struct sweep_section {
	enum bench_section section;
	int (*run)(struct sweep *s, struct nf_error *err);
} sections[] = {
	{SECTION_LINK, sweep_links},    {SECTION_SELECTIVITY, sweep_selectivity},
	{SECTION_ROWS, sweep_rows},     {SECTION_STATE, sweep_states},
	{SECTION_GROUPS, sweep_groups}, {SECTION_QUERIES, sweep_queries},
};

/* Is name among the words, separated by commas? */
static bool list_has(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
		if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == '\0'))
			return true;
	return false;
}

bool bench_sweep_only_valid(const char *only, char where[40])
{
	for (const char *p = only; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
		bool known = false;

		snprintf(where, 40, "%.*s", (int)strcspn(p, ","), p);
		for (unsigned i = 0; i < ARRAY_SIZE(sections); i++)
			known |= strcmp(bench_sections[sections[i].section].name, where) == 0;
		if (!known)
			return false;
	}
	return true;
}

/* jit, if the node can: where one engine stands for all, it is the one that auto takes for large
 * data. */
static int choose_best(struct sweep *s, struct nf_error *err)
{
	AUTO(free_program) struct nearfold_program *prog = NULL;
	AUTO(close_target) struct bench_target t;
	struct bench_outcome ignored;
	struct nf_error why;
	int r = sweep_connect(s, PATH_LOOPBACK, &t, err);

	s->best = s->o->engine ? s->o->engine : "jit";
	if (r == 0)
		r = sweep_program("select", &prog, err);
	if (r == 0)
		r = bench_target_program(&t, prog, err);
	if (r == 0)
		bench_facts_node(s->report, t.watch);
	if (r < 0 || s->o->engine)
		return r;
	if (bench_offload(&t, s->best, &ignored, &why) < 0) {
		bench_report_note(s->report, "interp instead of jit: %s", why.text);
		s->best = "interp";
	}
	if (t.spec.format != FORMAT_FIXED || t.spec.record_bytes != sizeof(struct bench_record))
		return nf_error_set(err, NF_FAILED_PRECONDITION, t.dataset,
				    "is not the sweep's data; make it with nearfold bench sweep "
				    "--generate FILE and export it with format=fixed:32");
	return 0;
}

static int start(struct sweep *s, struct nf_error *err)
{
	struct nf_error why;
	char bytes[24];

	if (s->o->address) {
		bench_report_fact(s->report, "data", "%s on %s", s->o->dataset, s->o->address);
		return 0;
	}
	s->has_ns = bench_netns_open(&s->ns, &why) == 0;
	if (!s->has_ns)
		bench_report_note(s->report,
				  "link: speeds other than loopback's are left out: %s: %s",
				  why.where, why.text);
	if (s->o->tell)
		fprintf(stderr, "making %s of data\n",
			human_bytes((double)s->o->size_bytes, bytes));
	s->has_node = true;
	bench_report_fact(s->report, "data", "%s generated, in the page cache",
			  human_bytes((double)s->o->size_bytes, bytes));
	return bench_node_start(&s->node, s->has_ns ? &s->ns : NULL, s->o->size_bytes, err);
}

static int run_sections(struct sweep *s, struct nf_error *err)
{
	const char *only = s->o->only;
	int r = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(sections) && r == 0; i++)
		if (!only || list_has(only, bench_sections[sections[i].section].name))
			r = sections[i].run(s, err);
	return r;
}

int bench_sweep_run(const struct bench_sweep *o, struct bench_report *r, struct nf_error *err)
{
	struct sweep s = {.o = o, .report = r};
	uint64_t began_ns = clock_now_ns();
	int ret = start(&s, err);

	if (ret == 0)
		ret = choose_best(&s, err);
	for (unsigned pass = 0; pass < o->passes && ret == 0; pass++) {
		ret = run_sections(&s, err);
		s.enough_ns = began_ns + PASSES_SECONDS * NS_PER_SEC;
	}
	if (s.left_out)
		bench_report_note(r,
				  "the machine is slow or busy: %u points were measured in the "
				  "first pass only, so their spreads say less",
				  s.left_out);
	if (s.has_node)
		bench_node_stop(&s.node);
	if (s.has_ns)
		bench_netns_close(&s.ns);
	if (ret == 0) {
		bench_report_compare(r);
		bench_crossings_report(r);
		ret = bench_report_whole(r, err);
	}
	return ret;
}
