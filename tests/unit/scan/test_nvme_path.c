/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The names of namespaces; what is behind them is tested in the guest (tests/guest). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scan/dataset.h"
#include "scan/nvme_device.h"
#include "scan/source.h"

static void a_path_has_serial_and_number(void **state)
{
	struct nvme_path p;
	struct nf_error err;

	(void)state;
	assert_int_equal(nvme_path_parse("nvme:S3EV/17", &p, &err), 0);
	assert_string_equal(p.serial, "S3EV");
	assert_int_equal(p.nsid, 17);
	assert_int_equal(p.start_lba, 0);
	assert_int_equal(p.blocks, 0);
	assert_int_equal(
		nvme_path_parse("nvme:a/b/1,blocks=9,start=18446744073709551615", &p, &err), 0);
	assert_string_equal(p.serial, "a/b");
	assert_true(p.start_lba == UINT64_MAX);
	assert_int_equal(p.blocks, 9);
}

static void what_is_wrong_is_refused_and_named(void **state)
{
	static const char *const bad[] = {
		"nvme:",
		"nvme:/1",
		"nvme:S",
		"nvme:S/",
		"nvme:S/0",
		"nvme:S/x",
		"nvme:S/1x",
		"nvme:S/4294967295",
		"nvme:S/99999999999999999999",
		"nvme:S/1,",
		"nvme:S/1,start",
		"nvme:S/1,start=",
		"nvme:S/1,start=-1",
		"nvme:S/1,blocks=0",
		"nvme:S/1,end=4",
		"nvme:1234567890123456789012345/1",
		"/dev/nvme0n1",
	};
	struct nvme_path p;
	struct nf_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&err, 0, sizeof(err));
		assert_int_equal(nvme_path_parse(bad[i], &p, &err), -22);
		assert_int_equal(err.code, NF_INVALID_ARGUMENT);
		assert_string_equal(err.where, bad[i]);
	}
}

static void an_export_ends_the_path_where_its_words_end(void **state)
{
	struct dataset_spec spec = {0};
	struct nf_error err;

	(void)state;
	assert_int_equal(dataset_spec_parse("t=nvme:S/1,start=8,blocks=10,format=fixed:24,skip=3",
					    &spec, &err),
			 0);
	assert_string_equal(spec.path, "nvme:S/1,start=8,blocks=10");
	assert_int_equal(spec.skip_bytes, 3);
	dataset_spec_done(&spec);
	/* Of a file these are no words. */
	assert_int_equal(dataset_spec_parse("t=/x,start=8,format=lines", &spec, &err), -22);
	assert_string_equal(err.where, "start");
}

static void a_namespace_that_is_not_there_is_not_found(void **state)
{
	struct dataset_spec spec = {.name = (char *)"t",
				    .path = (char *)"nvme:no-such-serial/1",
				    .format = FORMAT_LINES};
	struct source *src;
	struct nf_error err;

	(void)state;
	assert_int_equal(source_open(&spec, -1, &src, &err), -2);
	assert_int_equal(err.code, NF_NOT_FOUND);
	assert_string_equal(err.where, "nvme:no-such-serial/1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_has_serial_and_number),
		cmocka_unit_test(what_is_wrong_is_refused_and_named),
		cmocka_unit_test(an_export_ends_the_path_where_its_words_end),
		cmocka_unit_test(a_namespace_that_is_not_there_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
