/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/node_config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "sql/sql_schema.h"

enum {
	MAX_LINE_BYTES = 64 << 10,
	MAX_MODULE_BYTES = 1024,
	/* of a job */ MAX_LISTEN = 64,
	MAX_DATASETS = 10000
};

#define DEFAULT_ADDRESS "127.0.0.1:7411"

void node_config_init(struct node_config *config)
{
	*config = (struct node_config){.log_level = LOG_LEVEL_INFO, .kernel_engine = true};
	node_limits_default(&config->limits);
}

void node_config_done(struct node_config *config)
{
	for (unsigned i = 0; i < config->n_listen; i++)
		free(config->listen[i]);
	for (unsigned i = 0; i < config->n_datasets; i++)
		dataset_spec_done(&config->datasets[i]);
	free(config->listen);
	free(config->datasets);
	free(config->root);
	free(config->devices);
	free(config->jit_module);
	*config = (struct node_config){0};
}

bool node_address_is_local(const char *address)
{
	char host[64];
	struct in_addr v4;
	size_t n;

	if (!strncmp(address, "unix:", 5) || !strncmp(address, "[::1]", 5))
		return true;
	n = strcspn(address, ":");
	if (n >= sizeof(host))
		return false;
	memcpy(host, address, n);
	host[n] = '\0';
	if (!strcmp(host, "localhost"))
		return true;
	return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

/* ---- one value --------------------------------------------------------------------------- */

static int out_of_memory(struct nf_error *err)
{
	nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
	return -ENOMEM;
}

static int set_text(char **member, const char *value, struct nf_error *err)
{
	char *copy = strdup(value);

	if (!copy)
		return out_of_memory(err);
	free(*member);
	*member = copy;
	return 0;
}

static int set_listen(struct node_config *config, const char *value, struct nf_error *err)
{
	char **grown, *copy;

	if (!*value || (strncmp(value, "unix:", 5) && !strchr(value, ':')))
		return nf_error_set(err, NF_INVALID_ARGUMENT, NULL,
				    "'%s' is no address: HOST:PORT, [::1]:PORT or unix:/PATH",
				    value);
	if (config->n_listen >= MAX_LISTEN)
		return nf_error_set(err, NF_INVALID_ARGUMENT, NULL, "more than %d addresses",
				    MAX_LISTEN);
	grown = realloc(config->listen, (config->n_listen + 1) * sizeof(*grown));
	if (!grown)
		return out_of_memory(err);
	config->listen = grown;
	copy = strdup(value);
	if (!copy)
		return out_of_memory(err);
	config->listen[config->n_listen++] = copy;
	return 0;
}

static int set_root(struct node_config *config, const char *value, struct nf_error *err)
{
	if (*value != '/')
		return nf_error_set(err, NF_INVALID_ARGUMENT, NULL, "'%s' is not an absolute path",
				    value);
	return set_text(&config->root, value, err);
}

static int set_yes_or_no(bool *member, const char *value, struct nf_error *err)
{
	if (strcmp(value, "yes") && strcmp(value, "no"))
		return nf_error_set(err, NF_INVALID_ARGUMENT, NULL, "'%s' is not yes or no", value);
	*member = *value == 'y';
	return 0;
}

static int set_insecure(struct node_config *config, const char *value, struct nf_error *err)
{
	return set_yes_or_no(&config->insecure, value, err);
}

static int set_kernel_engine(struct node_config *config, const char *value, struct nf_error *err)
{
	return set_yes_or_no(&config->kernel_engine, value, err);
}

static int set_log_level(struct node_config *config, const char *value, struct nf_error *err)
{
	static const char *const names[] = {[LOG_LEVEL_ERROR] = "error",
					    [LOG_LEVEL_WARNING] = "warning",
					    [LOG_LEVEL_INFO] = "info",
					    [LOG_LEVEL_DEBUG] = "debug"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(names[i], value)) {
			config->log_level = (enum log_level)i;
			return 0;
		}
	}
	return nf_error_set(err, NF_INVALID_ARGUMENT, NULL,
			    "'%s' is not error, warning, info or debug", value);
}

static int set_jit_module(struct node_config *config, const char *value, struct nf_error *err)
{
	if (strlen(value) >= MAX_MODULE_BYTES)
		return nf_error_set(err, NF_INVALID_ARGUMENT, NULL, "the path is longer than %d",
				    MAX_MODULE_BYTES - 1);
	return set_text(&config->jit_module, value, err);
}

static int set_devices(struct node_config *config, const char *value, struct nf_error *err)
{
	for (const char *p = value; *p; p += strcspn(p, ", "), p += strspn(p, ", "))
		if (strncmp(p, "/dev/", 5))
			return nf_error_set(err, NF_INVALID_ARGUMENT, NULL,
					    "'%s' is no pattern of devices: say "
					    "/dev/disk/by-id/nvme-* or the like",
					    p);
	return set_text(&config->devices, value, err);
}

static const struct {
	const char *key;
	int (*set)(struct node_config *config, const char *value, struct nf_error *err);
} node_keys[] = {
	{"listen", set_listen},         {"root", set_root},
	{"insecure", set_insecure},     {"log_level", set_log_level},
	{"jit_module", set_jit_module}, {"kernel_engine", set_kernel_engine},
	{"devices", set_devices},
};

int node_config_set(struct node_config *config, const char *key, const char *value,
		    struct nf_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(node_keys); i++)
		if (!strcmp(node_keys[i].key, key))
			return node_keys[i].set(config, value, err);
	return nf_error_set(err, NF_INVALID_ARGUMENT, NULL,
			    "unknown key '%s' in [node]; there are listen, root, devices, "
			    "insecure, log_level, jit_module and kernel_engine",
			    key);
}

int node_config_add_listen(struct node_config *config, const char *address, struct nf_error *err)
{
	return set_listen(config, address, err);
}

/* ---- data sets --------------------------------------------------------------------------- */

static struct dataset_spec *dataset_find(struct node_config *config, const char *name)
{
	for (unsigned i = 0; i < config->n_datasets; i++)
		if (!strcmp(config->datasets[i].name, name))
			return &config->datasets[i];
	return NULL;
}

static struct dataset_spec *dataset_append(struct node_config *config, struct nf_error *err)
{
	struct dataset_spec *grown;

	if (config->n_datasets >= MAX_DATASETS) {
		nf_error_set(err, NF_INVALID_ARGUMENT, NULL, "more than %d data sets",
			     MAX_DATASETS);
		return NULL;
	}
	grown = realloc(config->datasets, (config->n_datasets + 1) * sizeof(*grown));
	if (!grown) {
		out_of_memory(err);
		return NULL;
	}
	config->datasets = grown;
	grown[config->n_datasets] = (struct dataset_spec){0};
	return &grown[config->n_datasets++];
}

/* As far as the data set's words so far tell: each of format and schema may come first. Clients
 * rely on a schema, so a wrong one is no data set to start with. */
static int check_schema(const struct dataset_spec *spec, struct nf_error *err)
{
	return spec->schema ? sql_schema_describes(spec->schema, spec->format == FORMAT_FIXED,
						   spec->record_bytes, err)
			    : 0;
}

/* Of several data sets: which. */
static int refuse_dataset(const struct dataset_spec *spec, struct nf_error *err)
{
	char where[300];

	snprintf(where, sizeof(where), "data set %s%s%s", spec->name,
		 err && *err->where ? ": " : "", err ? err->where : "");
	return nf_error_set(err, err ? err->code : NF_INVALID_ARGUMENT, where, "%s",
			    err ? err->text : "");
}

int node_config_add_export(struct node_config *config, const char *text, struct nf_error *err)
{
	struct dataset_spec spec = {0}, *slot;
	int ret = dataset_spec_parse(text, &spec, err);

	if (ret)
		return ret;
	ret = check_schema(&spec, err);
	if (ret) {
		refuse_dataset(&spec, err);
		goto err;
	}
	if (dataset_find(config, spec.name)) {
		ret = nf_error_set(err, NF_INVALID_ARGUMENT, spec.name,
				   "two data sets have this name; rename one");
		goto err;
	}
	slot = dataset_append(config, err);
	if (!slot) {
		ret = -ENOMEM;
		goto err;
	}
	*slot = spec;
	return 0;
err:
	dataset_spec_done(&spec);
	return ret;
}

int node_config_check(struct node_config *config, struct nf_error *err)
{
	for (unsigned i = 0; i < config->n_datasets; i++) {
		const struct dataset_spec *spec = &config->datasets[i];
		int ret = dataset_spec_check(spec, err);

		if (!ret && !spec->path)
			ret = nf_error_set(err, NF_INVALID_ARGUMENT, NULL, "path is missing");
		if (ret)
			return refuse_dataset(spec, err);
	}
	if (!config->n_datasets)
		return nf_error_set(err, NF_INVALID_ARGUMENT, NULL,
				    "no data set to serve: give --export NAME=PATH,format=... or a "
				    "[dataset NAME] section in the file of --config");
	if (!config->n_listen)
		return set_listen(config, DEFAULT_ADDRESS, err);
	return 0;
}

/* ---- the file ---------------------------------------------------------------------------- */

enum { MAX_KEYS = 64, MAX_KEY_BYTES = 48 };

/* What was said, so that nothing is said twice: the second would win in silence. */
struct keys {
	char names[MAX_KEYS][MAX_KEY_BYTES];
	unsigned n;
};

struct reading {
	struct node_config *config;
	FILE *file;
	unsigned line;
	bool in_line;        /* the end of the line that was read last is still to come */
	bool section_begins; /* a line [SECTION] came since the last key */
	struct keys node, limits, dataset;
	struct nf_error *err;
	int ret;
	int read_errno; /* of the file itself: a folder opens, and no line comes */
};

/*
 * As fgets, but it counts lines, so that the handler can name the one it is at, and sees where
 * sections begin: libinih does not tell two that have one name from one. Long lines it asks for in
 * pieces. What stands behind a NUL it would lose.
 */
static char *next_line(char *buf, int size, void *arg)
{
	struct reading *r = arg;
	bool begins = !r->in_line;
	int n = 0, c = EOF;

	r->line += begins;
	while (n < size - 1 && c != '\n' && (c = getc(r->file)) > 0)
		buf[n++] = (char)c;
	buf[n] = '\0'; /* for libinih, which uses what it has of the line in any case */
	r->in_line = n && c != '\n';
	if (!c) {
		r->ret = nf_error_set(r->err, NF_INVALID_ARGUMENT, NULL,
				      "a NUL byte: the configuration is text");
		return NULL;
	}
	if (ferror(r->file))
		r->read_errno = errno;
	if (begins && buf[strspn(buf, " \t")] == '[')
		r->section_begins = true;
	return n ? buf : NULL;
}

static int say_once(struct reading *r, struct keys *said, const char *section, const char *key)
{
	for (unsigned i = 0; i < said->n; i++)
		if (!strcmp(said->names[i], key))
			return nf_error_set(r->err, NF_INVALID_ARGUMENT, NULL,
					    "'%s' is given twice in [%s]: give it once", key,
					    section);
	/* A longer one is no key, and is refused next. */
	if (said->n < MAX_KEYS && strlen(key) < MAX_KEY_BYTES)
		strcpy(said->names[said->n++], key);
	return 0;
}

/* A section begins: its name may be new only. */
static int dataset_begin(struct reading *r, const char *name)
{
	struct dataset_spec *spec;

	if (dataset_find(r->config, name))
		return nf_error_set(r->err, NF_INVALID_ARGUMENT, NULL,
				    "a data set '%s' exists already; rename one", name);
	spec = dataset_append(r->config, r->err);
	r->dataset.n = 0;
	return spec ? dataset_spec_set(spec, "name", name, r->err) : -ENOMEM;
}

static int dataset_value(struct reading *r, const char *section, const char *key, const char *value)
{
	int ret = r->section_begins ? dataset_begin(r, section + strlen("dataset ")) : 0;

	if (!ret && !strcmp(key, "name"))
		ret = nf_error_set(r->err, NF_INVALID_ARGUMENT, NULL,
				   "a data set's name is its section's: [dataset NAME]");
	if (!ret)
		ret = say_once(r, &r->dataset, section, key);
	if (ret)
		return ret;

	struct dataset_spec *spec = &r->config->datasets[r->config->n_datasets - 1];

	ret = dataset_spec_set(spec, key, value, r->err);
	return ret ? ret : check_schema(spec, r->err);
}

static int node_value(struct reading *r, const char *section, const char *key, const char *value)
{
	int ret = strcmp(key, "listen") ? say_once(r, &r->node, section, key) : 0;

	return ret ? ret : node_config_set(r->config, key, value, r->err);
}

static int limits_value(struct reading *r, const char *section, const char *key, const char *value)
{
	int ret = say_once(r, &r->limits, section, key);

	return ret ? ret : node_limits_set(&r->config->limits, key, value, r->err);
}

static int on_value(void *arg, const char *section, const char *key, const char *value)
{
	struct reading *r = arg;

	if (r->ret)
		return 0;
	if (!strcmp(section, "node"))
		r->ret = node_value(r, section, key, value);
	else if (!strcmp(section, "limits"))
		r->ret = limits_value(r, section, key, value);
	else if (!strncmp(section, "dataset ", 8) && section[8])
		r->ret = dataset_value(r, section, key, value);
	else
		r->ret = nf_error_set(r->err, NF_INVALID_ARGUMENT, NULL,
				      "'%s' stands in section [%s]; the sections are [node], "
				      "[limits] and [dataset NAME]",
				      key, section);
	r->section_begins = false;
	return r->ret == 0;
}

int node_config_read(struct node_config *config, const char *path, struct nf_error *err)
{
	AUTO_FCLOSE FILE *file = fopen(path, "re");
	struct nf_error own;
	struct reading r = {.config = config, .file = file, .err = err ? err : &own};
	char where[300], text[sizeof(own.text)];

	if (!file)
		return nf_error_sys(err, NF_NOT_FOUND, errno, path,
				    "cannot read the configuration");
	/* libinih's settings are process-wide; this is its only user. */
	ini_use_stack = false;
	ini_allow_realloc = true;
	ini_max_line = MAX_LINE_BYTES;
	ini_allow_multiline = false;
	ini_stop_on_first_error = true;
	int bad = ini_parse_stream(next_line, &r, on_value, &r);

	if (r.read_errno)
		return nf_error_sys(err, NF_NOT_FOUND, r.read_errno, path,
				    "cannot read the configuration");
	if (!bad && !r.ret)
		return 0;
	if (bad < 0)
		return out_of_memory(err);
	snprintf(where, sizeof(where), "%s:%u", path, r.ret ? r.line : (unsigned)bad);
	if (!r.ret)
		return nf_error_set(err, NF_INVALID_ARGUMENT, where,
				    "expected [SECTION] or KEY = VALUE");
	nf_error_message(r.err, text, sizeof(text));
	nf_error_set(err, r.err->code, where, "%s", text);
	return r.ret;
}
