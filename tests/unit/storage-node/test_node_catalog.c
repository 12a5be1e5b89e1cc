/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where a data set may reach: how its path becomes a root folder and what lies below it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/scope.h"
#include "storage-node/node_catalog.h"

/* The root and the rest of one data set, "ROOT REST"; or "refused". */
static const char *split(const char *root, const char *path)
{
	static char text[512];
	struct dataset_spec spec = {.name = "d", .path = (char *)path, .format = FORMAT_LINES};
	struct node_config config = {.datasets = &spec, .n_datasets = 1, .root = (char *)root};
	struct catalog *c;
	struct nf_error err = {0};

	if (catalog_new(&config, &c, &err)) {
		assert_int_equal(err.code, NF_PERMISSION_DENIED);
		assert_non_null(strstr(err.text, path));
		assert_non_null(strstr(err.text, root));
		return "refused";
	}
	assert_int_equal(catalog_count(c), 1);
	snprintf(text, sizeof(text), "%s %s", catalog_at(c, 0)->root, catalog_at(c, 0)->spec->path);
	catalog_free(c);
	return text;
}

static void without_a_root_each_has_its_own(void **state)
{
	static const struct {
		const char *path, *split;
	} rows[] = {
		{"/srv/t/x.bin", "/srv/t x.bin"},
		{"/srv/t/2026-*.bin", "/srv/t 2026-*.bin"},
		/* Nothing above a wildcard's folder is looked for. */
		{"/srv/t/*/x.bin", "/srv/t */x.bin"},
		{"/srv/t*/u/x.bin", "/srv t*/u/x.bin"},
		{"/srv/[ab]/x?.bin", "/srv [ab]/x?.bin"},
		{"/srv/a?/x.bin", "/srv a?/x.bin"},
		{"/x.bin", "/ x.bin"},
		{"/*.bin", "/ *.bin"},
		{"x.bin", ". x.bin"},
		{"*.bin", ". *.bin"},
		{"t/x.bin", "t x.bin"},
		{"../x.bin", ".. x.bin"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(split(NULL, rows[i].path), rows[i].split);
}

static void a_folder_is_its_own_root(void **state)
{
	char folder[] = "/tmp/nearfold-catalog-XXXXXX", want[64], slash[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(want, sizeof(want), "%s .", folder);
	assert_string_equal(split(NULL, folder), want);
	snprintf(slash, sizeof(slash), "%s/", folder);
	snprintf(want, sizeof(want), "%s/ .", folder);
	assert_string_equal(split(NULL, slash), want);
	rmdir(folder);
}

static void with_a_root_all_stay_below_it(void **state)
{
	static const struct {
		const char *root, *path, *split;
	} rows[] = {
		{"/srv", "t/x.bin", "/srv t/x.bin"},
		{"/srv", "/srv/t/x.bin", "/srv t/x.bin"},
		{"/srv/", "/srv/t/x.bin", "/srv/ t/x.bin"},
		{"/srv", "/srv//t/x.bin", "/srv t/x.bin"},
		{"/srv", "/srv", "/srv ."},
		{"/srv", "/srv/", "/srv ."},
		{"/", "/srv/x.bin", "/ srv/x.bin"},
		{"/", "/", "/ ."},
		{"/srv", "/srvx/x.bin", "refused"},
		{"/srv", "/sr", "refused"},
		{"/srv", "/etc/passwd", "refused"},
		{"/srv", "/", "refused"},
		/* Not told by the text, but when it is opened: below the root, or EXDEV. */
		{"/srv", "../etc/passwd", "/srv ../etc/passwd"},
		{"/srv", "/srv/../etc/passwd", "/srv ../etc/passwd"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(split(rows[i].root, rows[i].path), rows[i].split);
}

static void dots_do_not_lead_out_of_the_root(void **state)
{
	char folder[] = "/tmp/nearfold-catalog-XXXXXX", path[64];
	struct dataset_spec spec = {
		.name = "d", .path = (char *)"../../etc/passwd", .format = FORMAT_LINES};
	struct node_config config = {.datasets = &spec, .n_datasets = 1, .root = folder};
	struct source *src;
	struct catalog *c;
	struct nf_error err = {0};

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(catalog_new(&config, &c, &err), 0);
	assert_true(catalog_open(catalog_at(c, 0), 10, &src, &err) < 0);
	assert_int_equal(err.code, NF_PERMISSION_DENIED);
	catalog_free(c);

	/* And a path that stays below is found. */
	snprintf(path, sizeof(path), "%s/x", folder);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("line\n", f);
	fclose(f);
	spec.path = path;
	assert_int_equal(catalog_new(&config, &c, &err), 0);
	assert_int_equal(catalog_open(catalog_at(c, 0), 10, &src, &err), 0);
	source_free(src);
	catalog_free(c);
	unlink(path);
	rmdir(folder);
}

static void it_is_found_by_its_name_alone(void **state)
{
	struct dataset_spec specs[] = {
		{.name = "a", .path = (char *)"/srv/x", .format = FORMAT_LINES},
		{.name = "ab", .path = (char *)"/srv/y", .format = FORMAT_LINES},
	};
	struct node_config config = {.datasets = specs, .n_datasets = 2};
	struct catalog *c;
	struct nf_error err;

	(void)state;
	assert_int_equal(catalog_new(&config, &c, &err), 0);
	assert_ptr_equal(catalog_find(c, "ab"), catalog_at(c, 1));
	assert_null(catalog_find(c, "/srv/x"));
	assert_null(catalog_find(c, ""));
	catalog_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_root_each_has_its_own),
		cmocka_unit_test(a_folder_is_its_own_root),
		cmocka_unit_test(with_a_root_all_stay_below_it),
		cmocka_unit_test(dots_do_not_lead_out_of_the_root),
		cmocka_unit_test(it_is_found_by_its_name_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
