/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The n-th allocation fails, for every n: an error that says so, no crash, nothing left behind. */

#include "scan_programs.h"
#include "tests/support/failing_malloc.h"
#include "tests/support/skip_unless.h"

static size_t descriptors(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int open_and_scan(struct folder *f, struct vm_program *vp, const struct dataset_spec *spec,
			 enum scan_reader reader, struct nf_error *err)
{
	AUTO_SOURCE src = NULL;
	AUTO_RESULT r = NULL;
	struct scan_options o = {
		.engine = "interp", .reader = reader, .threads = 1, .chunk_bytes = 4096};
	int e = source_open(spec, f->fd, &src, err);

	return e ? e : scan_run(src, vp, &o, &r, err);
}

static void fail_each(struct folder *f)
{
	struct dataset_spec spec = {.name = (char *)"d",
				    .path = (char *)"g*",
				    .format = FORMAT_FIXED,
				    .record_bytes = 8,
				    .allow = (char *[]){(char *)"alice", NULL}};
	AUTO_VM sums = program_sums(&spec);
	AUTO_VM groups = program_groups(&spec);
	AUTO_FREE uint8_t *bytes = malloc(80000);
	struct nf_error err;

	for (size_t i = 0; i < 80000; i++)
		bytes[i] = (uint8_t)(i * 7 >> 4);
	put_file(f, "g1", bytes, 40000);
	put_file(f, "g2", bytes, 80000);
	for (enum scan_reader reader = READER_PREAD; reader <= READER_MMAP; reader++) {
		if (!reader_works(reader))
			continue;

		for (int grouped = 0; grouped < 2; grouped++) {
			struct vm_program *vp = grouped ? groups : sums;
			unsigned failures = 0;

			/* Once as it should be: what is made only once is made then. */
			must(open_and_scan(f, vp, &spec, reader, &err), &err);
			size_t fds = descriptors();
			long before = atomic_load(&live);
			for (long n = 1;; n++) {
				atomic_store(&fail_after, n);
				int e = open_and_scan(f, vp, &spec, reader, &err);
				bool hit = atomic_exchange(&fail_after, 0) <= 0;

				assert_int_equal(descriptors(), fds);
				if (atomic_load(&live) != before)
					fail_msg("reader %d: allocation %ld failed, %ld are left",
						 reader, n, atomic_load(&live) - before);
				if (!hit) {
					must(e, &err);
					break;
				}
				/* Some can be done without: fewer registered buffers, say. */
				failures += e != 0;
				if (e) {
					if (e != -ENOMEM || err.code != NF_RESOURCE_EXHAUSTED)
						fail_msg("reader %d: allocation %ld failed: %d %s: "
							 "%s",
							 reader, n, e, err.where, err.text);
				}
			}
			assert_true(failures > 10);
		}
	}
}

/* skip() jumps: what is allocated before it would be a leak. */
static void every_allocation_may_fail(void **state)
{
	if (!OWN_MALLOC) {
		print_message("SKIP: the sanitizer has its own malloc\n");
		skip();
	}
	fail_each(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_allocation_may_fail, folder_setup,
						folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
