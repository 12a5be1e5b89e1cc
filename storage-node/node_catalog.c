/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "storage-node/node_catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/scope.h"
#include "scan/nvme_device.h"

#define DEVICES "/dev"

struct slot {
	struct catalog_entry entry;
	struct dataset_spec spec;
	char *root;
};

struct catalog {
	unsigned n;
	struct slot slots[];
};

/* Split a path without a configured root: "/srv/t/x.bin" -> "/srv/t" + "x.bin". A folder is its
 * own root, with the path ".". */
static int split_path(const char *path, char **ret_root, char **ret_rest)
{
	size_t plain = strcspn(path, "*?[");
	const char *slash = memrchr(path, '/', plain);
	struct stat st;

	if (!path[plain] && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		*ret_root = strdup(path);
		*ret_rest = strdup(".");
	} else if (!slash) {
		*ret_root = strdup(".");
		*ret_rest = strdup(path);
	} else {
		*ret_root = strndup(path, slash == path ? 1 : (size_t)(slash - path));
		*ret_rest = strdup(slash + 1);
	}
	return *ret_root && *ret_rest ? 0 : -ENOMEM;
}

/* Below the configured root: relative, or absolute and beginning with it. */
static int below_root(const char *root, const char *path, char **ret_root, char **ret_rest)
{
	size_t n = strlen(root);

	while (n > 1 && root[n - 1] == '/')
		n--;
	if (*path == '/') {
		if (strncmp(path, root, n) || (n > 1 && path[n] && path[n] != '/'))
			return -EXDEV;
		path += n;
		while (*path == '/')
			path++;
	}
	*ret_root = strdup(root);
	*ret_rest = strdup(*path ? path : ".");
	return *ret_root && *ret_rest ? 0 : -ENOMEM;
}

/* Does one of the patterns, which commas or spaces divide, match a path below /dev? */
static bool device_allowed(const char *patterns, const char *path)
{
	if (strncmp(path, DEVICES "/", strlen(DEVICES "/")))
		return false;
	for (const char *p = patterns; p && *p;) {
		size_t n = strcspn(p, ", ");
		AUTO_FREE char *pattern = strndup(p, n);

		if (n && pattern && !fnmatch(pattern, path, FNM_PATHNAME))
			return true;
		p += n + strspn(p + n, ", ");
	}
	return false;
}

static int slot_fill(struct slot *slot, const struct dataset_spec *spec,
		     const struct node_config *config, struct nf_error *err)
{
	const char *root = config->root;
	AUTO_FREE char *rest = NULL;
	bool is_device = nvme_path_is(spec->path) || device_allowed(config->devices, spec->path);
	int ret;

	/* Devices have names of their own, and links among them lead anywhere below /dev. */
	if (nvme_path_is(spec->path)) {
		slot->root = strdup("/");
		rest = strdup(spec->path);
		ret = slot->root && rest ? 0 : -ENOMEM;
	} else if (is_device) {
		ret = below_root(DEVICES, spec->path, &slot->root, &rest);
	} else if (root) {
		ret = below_root(root, spec->path, &slot->root, &rest);
	} else {
		ret = split_path(spec->path, &slot->root, &rest);
	}

	if (ret == -EXDEV)
		return nf_error_set(err, NF_PERMISSION_DENIED, spec->name,
				    "the path %s is not below the root %s", spec->path, root);
	if (!ret)
		ret = dataset_spec_copy(spec, &slot->spec);
	if (ret) {
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
		return -ENOMEM;
	}
	free(slot->spec.path);
	slot->spec.path = TAKE_PTR(rest);
	slot->entry = (struct catalog_entry){
		.spec = &slot->spec, .root = slot->root, .is_device = is_device};
	return 0;
}

int catalog_new(const struct node_config *config, struct catalog **ret, struct nf_error *err)
{
	struct catalog *c = calloc(1, sizeof(*c) + config->n_datasets * sizeof(c->slots[0]));

	if (!c) {
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL, "out of memory");
		return -ENOMEM;
	}
	for (; c->n < config->n_datasets; c->n++) {
		int r = slot_fill(&c->slots[c->n], &config->datasets[c->n], config, err);

		if (r) {
			c->n++;
			catalog_free(c);
			return r;
		}
	}
	*ret = c;
	return 0;
}

void catalog_free(struct catalog *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->n; i++) {
		dataset_spec_done(&c->slots[i].spec);
		free(c->slots[i].root);
	}
	free(c);
}

unsigned catalog_count(const struct catalog *c)
{
	return c->n;
}

const struct catalog_entry *catalog_at(const struct catalog *c, unsigned i)
{
	return &c->slots[i].entry;
}

const struct catalog_entry *catalog_find(const struct catalog *c, const char *name)
{
	for (unsigned i = 0; i < c->n; i++)
		if (!strcmp(c->slots[i].spec.name, name))
			return &c->slots[i].entry;
	return NULL;
}

/* A folder of data may hold the node of a disk, or a link to it. */
static int check_no_device(const struct source *src, struct nf_error *err)
{
	struct stat st;

	for (uint32_t i = 0; i < src->n_files; i++)
		if (fstat(src->files[i].fd, &st) || S_ISBLK(st.st_mode))
			return nf_error_set(err, NF_PERMISSION_DENIED, src->files[i].name,
					    "this is a block device: the operator can name it in "
					    "[node] devices, or export an NVMe namespace as "
					    "nvme:SERIAL/NSID");
	return 0;
}

int catalog_open(const struct catalog_entry *entry, uint64_t max_files, struct source **ret,
		 struct nf_error *err)
{
	AUTO_CLOSE int root_fd = open(entry->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct source *src;
	int r;

	if (root_fd < 0)
		return nf_error_sys(err, NF_FAILED_PRECONDITION, errno, entry->spec->name,
				    "cannot open its folder %s", entry->root);
	r = source_open(entry->spec, root_fd, &src, err);
	if (r)
		return r;
	if (!entry->is_device && check_no_device(src, err)) {
		source_free(src);
		return -EACCES;
	}
	if (src->n_files > max_files) {
		node_limit_refuse(err, "files_per_dataset",
				  "data set %s has %u files; the operator can raise the limit",
				  entry->spec->name, src->n_files);
		source_free(src);
		return -E2BIG;
	}
	*ret = src;
	return 0;
}

void catalog_look(const struct catalog_entry *entry, uint64_t max_files, struct catalog_facts *ret)
{
	struct nf_error err = {0};
	struct source *src;

	*ret = (struct catalog_facts){0};
	if (catalog_open(entry, max_files, &src, &err)) {
		nf_error_message(&err, ret->problem, sizeof(ret->problem));
		return;
	}
	if (source_check_records(src, &err))
		nf_error_message(&err, ret->problem, sizeof(ret->problem));
	ret->total_bytes = src->total_bytes;
	ret->generation = src->generation;
	ret->files = src->n_files;
	source_device_text(src, ret->device, sizeof(ret->device));
	source_free(src);
}
