/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Files that change while they are scanned: ABORTED, whichever reader, never a number. */
#include "scan/ring.h"
#include "scan/scan_internal.h"
#include "scan_programs.h"

enum { FILE_BYTES = 4 << 20 };

enum change { TRUNCATE, TRUNCATE_TO_NOTHING, APPEND, REWRITE, REWRITE_LAST_BYTE, REPLACE };

struct changer {
	const struct folder *folder;
	const char *name;
	enum change change;
	atomic_uint pieces;
};

static void change_now(const struct changer *c)
{
	AUTO_CLOSE int fd = openat(c->folder->fd, c->name, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	switch (c->change) {
	case TRUNCATE:
		assert_int_equal(ftruncate(fd, FILE_BYTES / 2 + 100), 0);
		break;
	case TRUNCATE_TO_NOTHING:
		assert_int_equal(ftruncate(fd, 0), 0);
		break;
	case APPEND:
		assert_int_equal(pwrite(fd, "12345678", 8, FILE_BYTES), 8);
		break;
	case REWRITE:
		assert_int_equal(pwrite(fd, "12345678", 8, 64), 8);
		break;
	case REWRITE_LAST_BYTE:
		assert_int_equal(pwrite(fd, "x", 1, FILE_BYTES - 1), 1);
		break;
	case REPLACE:
		put_file(c->folder, "other", "12345678", 8);
		assert_int_equal(renameat(c->folder->fd, "other", c->folder->fd, c->name), 0);
		break;
	}
}

/* In a scan thread, when a third of the pieces have come. */
static void on_piece(void *arg, unsigned thread, const struct chunk *chunk)
{
	struct changer *c = arg;

	(void)thread;
	(void)chunk;
	if (atomic_fetch_add(&c->pieces, 1) == 20)
		change_now(c);
}

static int on_sandbox(void *arg, struct nf_error *err)
{
	(void)err;
	change_now(arg);
	return 0;
}

static void a_changed_file_is_aborted(void **state, bool before_first_byte,
				      enum record_format format)
{
	struct folder *f = *state;
	struct dataset_spec spec = {
		.name = (char *)"d",
		.format = format,
		.record_bytes = format == FORMAT_FIXED ? 8 : 0,
	};
	AUTO_VM vp = program_sums(&spec);
	AUTO_FREE char *bytes = malloc(FILE_BYTES);

	memset(bytes, 'a', FILE_BYTES);
	for (size_t i = 70; i < FILE_BYTES; i += 71)
		bytes[i] = '\n';
	for (enum scan_reader reader = READER_AUTO; reader <= READER_MMAP; reader++) {
		if (reader == READER_URING && ring_uring_check(NULL))
			continue;
		for (enum change change = TRUNCATE; change <= REPLACE; change++) {
			AUTO_RESULT r = NULL;
			struct changer c = {.folder = f, .name = "file", .change = change};
			struct scan_hooks hooks = {.piece = on_piece, .arg = &c};
			struct scan_options o = {.engine = "interp",
						 .reader = reader,
						 .threads = 2,
						 .chunk_bytes = 65536};
			struct nf_error err = {0};

			if (before_first_byte) {
				hooks.piece = NULL;
				o.sandbox = on_sandbox;
				o.sandbox_arg = &c;
			}
			put_file(f, "file", bytes, FILE_BYTES);
			AUTO_SOURCE src = opened(f, &spec, "file");
			usleep(20000); /* older kernels stamp files once a tick */
			int e = scan_run_hooked(src, vp, &o, &hooks, &r, &err);
			if (e != -ESTALE || err.code != NF_ABORTED || r)
				fail_msg("reader %d, change %d: %d %s %s", reader, change, e,
					 nf_code_name(err.code), err.text);
			assert_string_equal(err.where, "file");
			assert_contains(err.text, "changed during the scan");
		}
	}
}

static void fixed_changed_before_the_first_byte(void **state)
{
	a_changed_file_is_aborted(state, true, FORMAT_FIXED);
}

static void fixed_changed_in_the_middle(void **state)
{
	a_changed_file_is_aborted(state, false, FORMAT_FIXED);
}

static void lines_changed_in_the_middle(void **state)
{
	a_changed_file_is_aborted(state, false, FORMAT_LINES);
}

/* A program that trips over the zeroes of a file that shrank must not get the blame. */
static void what_the_change_broke_is_not_the_programs_fault(void **state)
{
	struct folder *f = *state;
	struct dataset_spec spec = {.name = (char *)"d", .format = FORMAT_FIXED, .record_bytes = 8};
	AUTO_VM vp = program_fail_at_ff(&spec);
	AUTO_FREE char *bytes = calloc(1, FILE_BYTES);
	AUTO_RESULT r = NULL;
	struct changer c = {.folder = f, .name = "file", .change = APPEND};
	struct scan_hooks hooks = {.piece = on_piece, .arg = &c};
	struct scan_options o = {.engine = "interp", .threads = 1, .chunk_bytes = 65536};
	struct nf_error err = {0};

	bytes[FILE_BYTES - 8] = (char)0xff;
	put_file(f, "file", bytes, FILE_BYTES);
	AUTO_SOURCE src = opened(f, &spec, "file");
	assert_int_equal(scan_run_hooked(src, vp, &o, &hooks, &r, &err), -ESTALE);
	assert_int_equal(err.code, NF_ABORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)
		T(fixed_changed_before_the_first_byte),
		T(fixed_changed_in_the_middle),
		T(lines_changed_in_the_middle),
		T(what_the_change_broke_is_not_the_programs_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
