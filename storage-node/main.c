/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* nearfoldd: the storage node's daemon. This file is its command line and its beginning and end. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/scope.h"
#include "base/streams.h"
#include "rpc/rpc_server.h"
#include "storage-node/code_cache.h"
#include "storage-node/node.h"
#include "storage-node/node_authorize.h"
#include "storage-node/node_health.h"
#include "storage-node/node_query.h"
#include "storage-node/node_service.h"
#include "storage-node/node_worker.h"
#include "storage-node/spawner.h"

enum { EXIT_USAGE = 2 };

enum {
	POOL_SPARE = 4,
	POOL_MOST = 256,
	/* How long the end of the daemon waits for threads that a file system holds. */
	POOL_END_MS = 1000,
};

/* ---- the command line ---------------------------------------------------------------------- */

enum flag_id {
	FLAG_CONFIG = 1,
	FLAG_LISTEN,
	FLAG_EXPORT,
	FLAG_LIMIT,
	FLAG_ROOT,
	FLAG_DEVICES,
	FLAG_INSECURE,
	FLAG_LOG_LEVEL,
	FLAG_CHECK,
	FLAG_VERSION,
	FLAG_HELP,
};

static const struct {
	enum flag_id id;
	const char *name, *value, *what;
} flags[] = {
	{FLAG_CONFIG, "config", "FILE", "read the configuration file"},
	{FLAG_LISTEN, "listen", "ADDR", "HOST:PORT, [::1]:PORT or unix:/PATH; repeatable"},
	{FLAG_EXPORT, "export", "NAME=PATH,format=...",
	 "serve a data set; repeatable; for SQL ,schema=... at the end"},
	{FLAG_LIMIT, "limit", "NAME=VALUE", "set a limit (docs/operating.md); repeatable"},
	{FLAG_ROOT, "root", "DIR", "data sets' paths are relative to DIR and stay below it"},
	{FLAG_DEVICES, "devices", "PATTERN", "block devices that data sets may be: /dev/..."},
	{FLAG_INSECURE, "insecure", NULL, "allow plain text beyond this machine"},
	{FLAG_LOG_LEVEL, "log-level", "LEVEL", "error, warning, info or debug"},
	{FLAG_CHECK, "check-config", NULL, "check what was given, print it, and end"},
	{FLAG_VERSION, "version", NULL, "print the version"},
	{FLAG_HELP, "help", NULL, "print this"},
};

static void print_help(void)
{
	printf("usage: nearfoldd [--config FILE] [--listen ADDR]... [--export NAME=PATH,...]...\n"
	       "Serve data sets to near-storage filter-reduce queries.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s %s", flags[i].name,
			 flags[i].value ? flags[i].value : "");
		printf("  %-32s %s\n", left, flags[i].what);
	}
	printf("\nexample: nearfoldd --listen 127.0.0.1:7411 "
	       "--export trades=/srv/trades,format=fixed:32\n"
	       "Exit status: 0 ended when asked to, 1 failed, 2 usage or configuration.\n");
}

static int usage_error(const struct nf_error *err)
{
	char message[1100];

	fprintf(stderr, "nearfoldd: %s\n", nf_error_message(err, message, sizeof(message)));
	return EXIT_USAGE;
}

/* One flag's value into the configuration. Flags win over the file, wherever they stand. */
static int apply_flag(struct node_config *config, enum flag_id id, const char *value,
		      struct nf_error *err)
{
	char name[64];
	const char *equals;

	switch (id) {
	case FLAG_LISTEN:
		return node_config_add_listen(config, value, err);
	case FLAG_EXPORT:
		return node_config_add_export(config, value, err);
	case FLAG_ROOT:
		return node_config_set(config, "root", value, err);
	case FLAG_DEVICES:
		return node_config_set(config, "devices", value, err);
	case FLAG_INSECURE:
		return node_config_set(config, "insecure", "yes", err);
	case FLAG_LOG_LEVEL:
		return node_config_set(config, "log_level", value, err);
	case FLAG_LIMIT:
		equals = strchr(value, '=');
		if (!equals || (size_t)(equals - value) >= sizeof(name))
			return nf_error_set(err, NF_INVALID_ARGUMENT, NULL,
					    "'%s' is not NAME=VALUE", value);
		snprintf(name, sizeof(name), "%.*s", (int)(equals - value), value);
		return node_limits_set(&config->limits, name, equals + 1, err);
	default:
		return 0;
	}
}

/* What was given, in order; the configuration is read only after the spawner exists. */
struct arguments {
	const char *config_path;
	bool check_only;
	unsigned n;
	struct {
		enum flag_id id;
		const char *value;
	} * given;
};

/* 0 go on, -1 done (help, version), else the exit status. */
static int parse_arguments(int argc, char **argv, struct arguments *ret)
{
	struct option options[ARRAY_SIZE(flags) + 1] = {0};
	int id;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		options[i] =
			(struct option){.name = flags[i].name,
					.has_arg = flags[i].value ? required_argument : no_argument,
					.val = flags[i].id};
	ret->given = calloc((size_t)argc, sizeof(ret->given[0]));
	if (!ret->given)
		return EXIT_FAILURE;
	opterr = 0;
	while ((id = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (id) {
		case FLAG_HELP:
			print_help();
			return -1;
		case FLAG_VERSION:
			printf("nearfoldd %s\n", NEARFOLD_VERSION);
			return -1;
		case FLAG_CONFIG:
			ret->config_path = optarg;
			break;
		case FLAG_CHECK:
			ret->check_only = true;
			break;
		case ':':
			fprintf(stderr, "nearfoldd: %s needs a value; see nearfoldd --help\n",
				argv[optind - 1]);
			return EXIT_USAGE;
		case '?':
			fprintf(stderr, "nearfoldd: unknown flag %s; see nearfoldd --help\n",
				argv[optind - 1]);
			return EXIT_USAGE;
		default:
			ret->given[ret->n].id = (enum flag_id)id;
			ret->given[ret->n++].value = optarg;
		}
	}
	if (optind < argc) {
		fprintf(stderr,
			"nearfoldd: unexpected argument '%s' (a data set is given as "
			"--export NAME=PATH,format=...); see nearfoldd --help\n",
			argv[optind]);
		return EXIT_USAGE;
	}
	return 0;
}

static int load_config(const struct arguments *args, struct node_config *config,
		       struct nf_error *err)
{
	int ret = args->config_path ? node_config_read(config, args->config_path, err) : 0;

	for (unsigned i = 0; i < args->n && !ret; i++) {
		ret = apply_flag(config, args->given[i].id, args->given[i].value, err);
		for (size_t f = 0; f < ARRAY_SIZE(flags) && ret; f++) {
			char where[300];

			if (flags[f].id != args->given[i].id)
				continue;
			snprintf(where, sizeof(where), "--%s%s%s", flags[f].name,
				 *err->where ? ": " : "", err->where);
			nf_error_set(err, err->code, where, "%s", err->text);
		}
	}
	if (!ret)
		ret = node_config_check(config, err);
	for (unsigned i = 0; i < config->n_listen && !ret; i++)
		ret = authorize_listen(config->listen[i], config->insecure, err);
	return ret;
}

static int print_checked(const struct node_config *config)
{
	for (unsigned i = 0; i < config->n_listen; i++)
		printf("listen %s\n", config->listen[i]);
	for (size_t i = 0; i < n_limit_rows; i++)
		printf("limit %s = %llu\n", limit_rows[i].name,
		       (unsigned long long)node_limit_value(&config->limits, &limit_rows[i]));
	for (unsigned i = 0; i < config->n_datasets; i++) {
		char format[32];

		dataset_format_text(&config->datasets[i], format);
		printf("dataset %s %s %s\n", config->datasets[i].name, format,
		       config->datasets[i].path);
	}
	return EXIT_SUCCESS;
}

/* ---- the end ------------------------------------------------------------------------------- */

static void on_drained(void *arg)
{
	struct node *node = arg;

	uv_stop(&node->loop);
}

/* Queries and reads that still are. */
static unsigned calls_left(const struct node *node)
{
	return query_count(node) + (unsigned)node->admission.reads;
}

static void on_drain_timeout(uv_timer_t *timer)
{
	struct node *node = timer->data;

	log_warning("drain_seconds have passed; ending %u queries and reads", calls_left(node));
	node->exit_status = EXIT_FAILURE;
	uv_stop(&node->loop);
}

void node_drain(struct node *node, uint64_t seconds)
{
	if (node->draining)
		return;
	node->draining = true;
	log_info("draining: nothing new is taken; %u queries and reads go on for at most %llu "
		 "seconds",
		 calls_left(node), (unsigned long long)seconds);
	health_drain(node);
	query_end_waiting(node);
	uv_timer_start(&node->drain_timer, on_drain_timeout, seconds * 1000, 0);
	rpc_server_drain(node->server, on_drained, node);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct node *node = handle->data;

	if (node->draining) {
		log_warning("second %s: ending %u queries and reads now", strsignal(signum),
			    calls_left(node));
		node->exit_status = EXIT_FAILURE;
		uv_stop(&node->loop);
		return;
	}
	log_info("%s", strsignal(signum));
	node_drain(node, node->config.limits.drain_seconds);
}

/* ---- the beginning ------------------------------------------------------------------------- */

static void on_tick(uv_timer_t *timer)
{
	query_check_time(timer->data);
}

/* Descriptors for as many queries, files and connections as the limits allow. */
static void raise_open_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* Threads that wait for file systems: so many that those which hang, one a query or a read at most,
 * leave some to verify programs. Before the pool's first work; the operator's own word counts. */
static void size_pool(const struct node_limits *l)
{
	uint64_t n = l->queries_running + l->reads_running + POOL_SPARE;
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)(n < POOL_MOST ? n : POOL_MOST));
	setenv("UV_THREADPOOL_SIZE", text, 0);
}

static int node_start(struct node *node, struct nf_error *err)
{
	const struct node_limits *l = &node->config.limits;
	int ret;

	size_pool(l);
	uv_loop_init(&node->loop);
	node->tick.data = node->drain_timer.data = node->sigterm.data = node->sigint.data = node;
	uv_timer_init(&node->loop, &node->tick);
	uv_timer_init(&node->loop, &node->drain_timer);
	uv_signal_init(&node->loop, &node->sigterm);
	uv_signal_init(&node->loop, &node->sigint);
	uv_timer_start(&node->tick, on_tick, 1000, 1000);
	uv_signal_start(&node->sigterm, on_signal, SIGTERM);
	uv_signal_start(&node->sigint, on_signal, SIGINT);
	admission_init(&node->admission, l);
	ret = spawner_setup(node->spawner_sock, (uint32_t)l->spare_workers, node->config.jit_module,
			    &node->engines, err);
	if (!ret)
		ret = node_workers_init(node, err);
	if (!ret)
		ret = catalog_new(&node->config, &node->catalog, err);
	if (!ret && !node->config.kernel_engine)
		engines_off(&node->engines, "kernel", "switched off on this node");
	if (!ret && (program_cache_new(l->programs_cached, l->program_cache_bytes, &node->cache) ||
		     code_cache_new(l->code_cache_bytes, &node->codes))) {
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
		ret = -ENOMEM;
	}
	if (!ret)
		ret = service_new(node, err);
	return ret;
}

static void log_datasets(const struct node *node)
{
	for (unsigned i = 0; i < catalog_count(node->catalog); i++) {
		const struct catalog_entry *e = catalog_at(node->catalog, i);
		struct catalog_facts facts;
		char format[32];

		catalog_look(e, node->config.limits.files_per_dataset, &facts);
		dataset_format_text(e->spec, format);
		if (*facts.problem)
			log_warning("data set %s: %s cannot be scanned now: %s", e->spec->name,
				    format, facts.problem);
		else
			log_info("data set %s: %s, %u file%s, %llu bytes", e->spec->name, format,
				 facts.files, facts.files == 1 ? "" : "s",
				 (unsigned long long)facts.total_bytes);
	}
}

static int node_listen(struct node *node, struct nf_error *err)
{
	for (unsigned i = 0; i < node->config.n_listen; i++) {
		char address[128];
		int ret =
			rpc_server_listen(node->server, node->config.listen[i], NULL, address, err);

		if (ret)
			return ret;
		log_info("listening on %s", address);
	}
	return 0;
}

static void on_pool_hangs(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

/* Run the loop until nothing is left to do. False: a thread of the pool does not come back. */
static bool run_out(struct node *node)
{
	uv_timer_t timer;
	bool alive;

	uv_timer_init(&node->loop, &timer);
	uv_timer_start(&timer, on_pool_hangs, POOL_END_MS, 0);
	uv_unref((uv_handle_t *)&timer);
	uv_run(&node->loop, UV_RUN_DEFAULT);
	alive = uv_loop_alive(&node->loop);
	if (!alive) {
		uv_close((uv_handle_t *)&timer, NULL);
		uv_run(&node->loop, UV_RUN_DEFAULT);
	}
	return !alive;
}

static void node_stop(struct node *node)
{
	/* Calls that still are get on_gone(), which ends their workers. */
	if (node->server)
		rpc_server_free(node->server);
	uv_close((uv_handle_t *)&node->tick, NULL);
	uv_close((uv_handle_t *)&node->drain_timer, NULL);
	/* Not closed: one more signal would then find its default action, and the exit status that
	 * was decided would become the signal's. They, and the loop under them, go with us. */
	uv_unref((uv_handle_t *)&node->sigterm);
	uv_unref((uv_handle_t *)&node->sigint);
	while (node->workers && node->spawner_sock >= 0)
		uv_run(&node->loop, UV_RUN_ONCE);
	node_workers_done(node);
	waitpid(node->spawner_pid, NULL, 0);
	if (!run_out(node)) {
		log_warning("a file system does not answer; ending all the same");
		/* That thread reads what would be freed now. */
		_exit(EXIT_FAILURE);
	}
	program_cache_free(node->cache);
	code_cache_free(node->codes);
	catalog_free(node->catalog);
}

/* Random enough to tell daemons apart; without it clients cannot, which costs a check. */
static uint64_t draw_instance(void)
{
	uint64_t x = 0;

	return getrandom(&x, sizeof(x), 0) == sizeof(x) ? x : 0;
}

int main(int argc, char **argv)
{
	static struct node node;
	struct arguments args = {0};
	struct nf_error err = {0};
	char message[1100];
	int ret;

	streams_hold();
	ret = parse_arguments(argc, argv, &args);

	if (ret) {
		free(args.given);
		return ret < 0 ? EXIT_SUCCESS : ret;
	}
	node_config_init(&node.config);
	node.spawner_sock = -1;
	raise_open_files();
	if (!args.check_only && spawner_start(&node.spawner_sock, &node.spawner_pid, &err)) {
		log_error("%s", nf_error_message(&err, message, sizeof(message)));
		free(args.given);
		return EXIT_FAILURE;
	}
	ret = load_config(&args, &node.config, &err);
	free(args.given);
	if (ret || args.check_only) {
		ret = ret ? usage_error(&err) : print_checked(&node.config);
		node_config_done(&node.config);
		return ret;
	}
	log_set_level(node.config.log_level);
	signal(SIGPIPE, SIG_IGN);
	node.start_ns = clock_now_ns();
	node.instance = draw_instance();
	ret = node_start(&node, &err);
	if (!ret)
		log_datasets(&node);
	if (!ret)
		ret = node_listen(&node, &err);
	if (ret) {
		log_error("%s", nf_error_message(&err, message, sizeof(message)));
		node.exit_status = EXIT_FAILURE;
	} else {
		uv_run(&node.loop, UV_RUN_DEFAULT);
		log_info("ended: %llu queries done, %llu failed",
			 (unsigned long long)node.queries_done,
			 (unsigned long long)node.queries_failed);
	}
	ret = node.exit_status;
	node_stop(&node);
	node_config_done(&node.config);
	return ret;
}
