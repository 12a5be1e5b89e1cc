/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage-node/node_config.h"

static char path[] = "/tmp/test_node_config.XXXXXX";

static int read_text(const char *text, struct node_config *config, struct nf_error *err)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	*err = (struct nf_error){0};
	node_config_init(config);
	return node_config_read(config, path, err);
}

static void reads_every_section(void **state)
{
	struct node_config c;
	struct nf_error err;

	(void)state;
	assert_int_equal(read_text("# a comment\n"
				   "[node]\n"
				   "listen = 127.0.0.1:0\n"
				   "listen = unix:/run/nearfold.sock\n"
				   "root = /srv\n"
				   "insecure = no\n"
				   "kernel_engine = no\n"
				   "log_level = debug\n"
				   "jit_module = /usr/lib/nearfold/nearfold-jit.so\n"
				   "[limits]\n"
				   "queries_running = 2\n"
				   "[dataset trades]\n"
				   "path = trades/*.bin\n"
				   "format = fixed:32\n"
				   "skip = 128\n"
				   "tail = ignore\n"
				   "allow = alice+bob\n"
				   "schema = ts:u64, price:decimal(12,2), pad(16)\n"
				   "[dataset log]\n"
				   "path = log.txt ; the current one\n"
				   "format = lines\n",
				   &c, &err),
			 0);
	assert_int_equal(node_config_check(&c, &err), 0);
	assert_int_equal(c.n_listen, 2);
	assert_string_equal(c.listen[1], "unix:/run/nearfold.sock");
	assert_string_equal(c.root, "/srv");
	assert_false(c.kernel_engine);
	assert_int_equal(c.log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(c.limits.queries_running, 2);
	assert_int_equal(c.n_datasets, 2);
	assert_string_equal(c.datasets[0].name, "trades");
	assert_string_equal(c.datasets[0].path, "trades/*.bin");
	assert_int_equal(c.datasets[0].record_bytes, 32);
	assert_int_equal(c.datasets[0].skip_bytes, 128);
	assert_true(c.datasets[0].tail_ignore);
	assert_string_equal(c.datasets[0].allow[1], "bob");
	assert_string_equal(c.datasets[0].schema, "ts:u64, price:decimal(12,2), pad(16)");
	assert_string_equal(c.datasets[1].path, "log.txt");
	node_config_done(&c);
}

static void bad_lines_are_named(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *says;
	} rows[] = {
		{"[node]\nlistem = x:1\n", 2, "listem"},
		{"[node]\n\nlisten = nowhere\n", 3, "nowhere"},
		{"[node]\ninsecure = perhaps\n", 2, "yes or no"},
		{"[node]\nkernel_engine = 1\n", 2, "yes or no"},
		{"[node]\nlog_level = loud\n", 2, "loud"},
		{"[node]\nroot = srv\n", 2, "absolute"},
		{"[limits]\nqueries_running = many\n", 2, "whole number"},
		{"[limits]\nquerys = 1\n", 2, "no such limit"},
		{"[dataset a]\npath = /x\nformat = fixed:0\n", 3, "format"},
		{"[dataset a]\npath = /x\ncolour = red\n", 3, "colour"},
		{"[dataset a]\nformat = lines\n[dataset b]\nformat = lines\n[dataset a]\nskip = "
		 "1\n",
		 6, "exists already"},
		{"[dataset a]\npath = /x\n[dataset a]\npath = /y\n", 4, "exists already"},
		{"[dataset a]\npath = /x\npath = /y\n", 3, "'path' is given twice in [dataset a]"},
		{"[dataset a]\npath = /x\n[dataset b]\nname = a\npath = /y\n", 4, "[dataset NAME]"},
		{"[dataset a]\nformat = fixed:8\nschema = a:i63\npath = /x\n", 3,
		 "no type \"i63\""},
		{"[dataset a]\nschema = a:i64,\nformat = fixed:8\n", 2, "schema"},
		{"[dataset a]\nformat = fixed:12\nschema = a:i64\n", 3, "add pad(4)"},
		{"[dataset a]\nschema = a:i64\npath = /x\nformat = fixed:12\n", 4, "add pad(4)"},
		{"[dataset a]\nformat = fixed:4\nschema = a:i64\n", 3, "take away 4"},
		{"[dataset a]\nformat = lines\nschema = a:i64\n", 3, "describes fixed records"},
		{"[dataset a]\nschema = a:i64\nformat = lines\n", 3, "describes fixed records"},
		{"[dataset a b]\npath = /x\n", 2, "not a data set's name"},
		{"[dataset \xff]\npath = /x\n", 2, "not a data set's name"},
		{"[node]\nroot = /x\n[node]\nroot = /y\n", 4, "'root' is given twice"},
		{"[limits]\ngroups = 1\n[dataset a]\npath = /x\n[limits]\ngroups = 2\n", 6,
		 "'groups' is given twice"},
		{"listen = 127.0.0.1:1\n", 1, "[dataset NAME]"},
		{"[nodes]\nlisten = 127.0.0.1:1\n", 2, "[nodes]"},
		{"[node]\nthis is no line\n", 2, "KEY = VALUE"},
		{"[node\nlisten = 127.0.0.1:1\n", 1, "[SECTION]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node_config c;
		struct nf_error err;
		char where[64], message[1100];

		snprintf(where, sizeof(where), "%s:%u", path, rows[i].line);
		assert_true(read_text(rows[i].text, &c, &err) < 0);
		assert_string_equal(err.where, where);
		nf_error_message(&err, message, sizeof(message));
		if (!strstr(message, rows[i].says))
			fail_msg("'%s' does not say '%s'", message, rows[i].says);
		node_config_done(&c);
	}
}

static void a_long_line_is_read_whole(void **state)
{
	static char text[20000];
	struct node_config c;
	struct nf_error err;
	size_t n = (size_t)snprintf(text, sizeof(text), "[dataset a]\npath=/x\nschema=");
	unsigned columns = 0;

	(void)state;
	while (n < 15000) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "a_long_name_of_a_column_%zu:u8,",
				      n);
		columns++;
	}
	n += (size_t)snprintf(text + n, sizeof(text) - n, "last:u8\n");
	snprintf(text + n, sizeof(text) - n, "format=fixed:%u\n", columns + 1);
	assert_int_equal(read_text(text, &c, &err), 0);
	assert_true(strlen(c.datasets[0].schema) > 14000);
	assert_non_null(strstr(c.datasets[0].schema, "last:u8"));
	node_config_done(&c);
}

static void nothing_hides_behind_a_nul(void **state)
{
	/* How much there is before it in its line: libinih asks for long lines in pieces. */
	static const size_t before[] = {0, 18, 198, 199, 200, 398, 399, 5000};

	(void)state;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		struct node_config c;
		struct nf_error err;
		FILE *f = fopen(path, "w");
		char where[64];

		assert_non_null(f);
		fputs("[node]\n", f);
		for (size_t k = 0; k < before[i]; k++)
			fputc("insecure = no"[k < 13 ? k : 12], f);
		fwrite("\0yes\n", 1, 5, f);
		fclose(f);
		node_config_init(&c);
		assert_true(node_config_read(&c, path, &err) < 0);
		snprintf(where, sizeof(where), "%s:2", path);
		assert_string_equal(err.where, where);
		assert_non_null(strstr(err.text, "NUL"));
		node_config_done(&c);
	}
}

/* Lines longer than libinih's first buffer come in pieces. */
static void a_long_line_is_one_line(void **state)
{
	static const struct {
		const char *before, *after;
		size_t bytes;
		unsigned line;
		const char *says;
	} rows[] = {
		{"[dataset a]\npath = /x", "\nformat = lines\n", 199, 0, NULL},
		{"[dataset a]\npath = /x", "\nformat = lines\n", 1000, 0, NULL},
		{"[dataset a]\npath = /x", "\ncolour = red\n", 1000, 3, "colour"},
		/* The piece that begins with a bracket begins no section. */
		{"[dataset a]\nformat = lines\npath = /x", "[\nskip = 1\n", 199, 0, NULL},
	};
	static char text[2000];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *last = strrchr(rows[i].before, '\n') + 1;
		struct node_config c;
		struct nf_error err;
		char where[64];
		int r;

		snprintf(text, sizeof(text), "%s%0*d%s", rows[i].before,
			 (int)(rows[i].bytes - strlen(last)), 0, rows[i].after);
		r = read_text(text, &c, &err);
		if (!rows[i].says) {
			if (r)
				fail_msg("row %zu: %s: %s", i, err.where, err.text);
		} else {
			assert_true(r < 0);
			snprintf(where, sizeof(where), "%s:%u", path, rows[i].line);
			assert_string_equal(err.where, where);
			assert_non_null(strstr(err.text, rows[i].says));
		}
		node_config_done(&c);
	}
}

static void a_missing_file_is_named(void **state)
{
	struct node_config c;
	struct nf_error err;

	(void)state;
	node_config_init(&c);
	assert_true(node_config_read(&c, "/nowhere/nearfold.conf", &err) < 0);
	assert_string_equal(err.where, "/nowhere/nearfold.conf");
	node_config_done(&c);
}

static void what_is_incomplete_is_refused(void **state)
{
	struct node_config c;
	struct nf_error err;

	(void)state;
	assert_int_equal(read_text("[node]\nlog_level = info\n", &c, &err), 0);
	assert_true(node_config_check(&c, &err) < 0);
	assert_non_null(strstr(err.text, "--export"));
	node_config_done(&c);

	assert_int_equal(read_text("[dataset a]\nformat = lines\n", &c, &err), 0);
	assert_true(node_config_check(&c, &err) < 0);
	assert_non_null(strstr(err.where, "a"));
	assert_non_null(strstr(err.text, "path"));
	node_config_done(&c);
}

static void exports_have_one_name_each(void **state)
{
	struct node_config c;
	struct nf_error err;

	(void)state;
	node_config_init(&c);
	assert_int_equal(node_config_add_export(&c, "a=/x,format=lines", &err), 0);
	assert_true(node_config_add_export(&c, "a=/y,format=lines", &err) < 0);
	assert_string_equal(err.where, "a");
	assert_int_equal(node_config_check(&c, &err), 0);
	assert_string_equal(c.listen[0], "127.0.0.1:7411");
	node_config_done(&c);
}

static void exports_have_schemas_of_their_records(void **state)
{
	struct node_config c;
	struct nf_error err;

	(void)state;
	node_config_init(&c);
	assert_true(node_config_add_export(&c, "a=/x,format=fixed:8,schema=a:i32", &err) < 0);
	assert_string_equal(err.where, "data set a: schema");
	assert_true(node_config_add_export(&c, "a=/x,schema=a:i64,format=fixed:8", &err) < 0);
	assert_string_equal(err.text, "schema takes all that follows it: give it last");
	assert_true(node_config_add_export(&c, "a=/x,format=fixed:8,schema=a:i33", &err) < 0);
	assert_true(node_config_add_export(&c, "a=/x,format=lines,schema=a:i32", &err) < 0);
	assert_int_equal(c.n_datasets, 0);
	assert_int_equal(node_config_add_export(&c, "a=/x,format=fixed:4,schema=a:i32", &err), 0);
	node_config_done(&c);
}

static void local_addresses_are_told_from_others(void **state)
{
	static const char *const local[] = {"127.0.0.1:1", "127.8.9.1:1", "[::1]:7411",
					    "localhost:0", "unix:/x"};
	static const char *const other[] = {"0.0.0.0:1",     "[::]:1",         "192.168.0.1:1",
					    "example.org:1", "127.evil.org:1", "localhost.org:1"};

	(void)state;
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		assert_true(node_address_is_local(local[i]));
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		assert_false(node_address_is_local(other[i]));
}

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_section),
		cmocka_unit_test(bad_lines_are_named),
		cmocka_unit_test(a_long_line_is_read_whole),
		cmocka_unit_test(nothing_hides_behind_a_nul),
		cmocka_unit_test(a_long_line_is_one_line),
		cmocka_unit_test(a_missing_file_is_named),
		cmocka_unit_test(what_is_incomplete_is_refused),
		cmocka_unit_test(exports_have_one_name_each),
		cmocka_unit_test(exports_have_schemas_of_their_records),
		cmocka_unit_test(local_addresses_are_told_from_others),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
