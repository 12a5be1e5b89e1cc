/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/source.h"
#include "scan_fixture.h"

static void source_free_ptr(struct source **s)
{
	source_free(*s);
}

static struct dataset_spec spec_of(char *path)
{
	return (struct dataset_spec){
		.name = (char *)"d", .path = path, .format = FORMAT_FIXED, .record_bytes = 4};
}

static int try_open(struct folder *f, const char *path, struct source **ret, struct nf_error *err)
{
	struct dataset_spec spec = spec_of((char *)path);

	return source_open(&spec, f->fd, ret, err);
}

static void names_are(const struct source *s, const char *const *names)
{
	uint32_t n = 0;

	while (names[n])
		n++;
	assert_int_equal(s->n_files, n);
	for (uint32_t i = 0; i < n; i++)
		assert_string_equal(s->files[i].name, names[i]);
}

static void one_file(void **state)
{
	struct folder *f = *state;
	AUTO(source_free_ptr) struct source *s = NULL;

	put_file(f, "a.bin", "12345678", 8);
	assert_int_equal(try_open(f, "a.bin", &s, NULL), 0);
	names_are(s, (const char *const[]){"a.bin", NULL});
	assert_int_equal(s->total_bytes, 8);
	assert_null(s->spec.path);
	assert_int_equal(source_check(s, NULL), 0);
	/* A reader must wait for its data. */
	assert_false(fcntl(s->files[0].fd, F_GETFL) & O_NONBLOCK);
}

static void folder_has_its_regular_files_in_byte_order(void **state)
{
	struct folder *f = *state;
	AUTO(source_free_ptr) struct source *s = NULL;

	mkdirat(f->fd, "d", 0755);
	mkdirat(f->fd, "d/sub", 0755);
	put_file(f, "d/b", "1234", 4);
	put_file(f, "d/a", "12345678", 8);
	put_file(f, "d/Z", "", 0);
	put_file(f, "d/.hidden", "1234", 4);
	put_file(f, "d/sub/c", "1234", 4);
	assert_int_equal(mkfifoat(f->fd, "d/fifo", 0644), 0);
	put_link(f, "d/link", "a");
	assert_int_equal(try_open(f, "d", &s, NULL), 0);
	names_are(s, (const char *const[]){"Z", "a", "b", "link", NULL});
	assert_int_equal(s->total_bytes, 20);
}

static void globs(void **state)
{
	struct folder *f = *state;
	static const struct {
		const char *pattern, *names[5];
	} good[] = {
		{"g/*.bin", {"a.bin", "b.bin"}},
		{"g/[b-z].bin", {"b.bin"}},
		{"g/?.*", {"a.bin", "b.bin", "c.txt"}},
		{"g/*/x.bin", {"s/x.bin", "t/x.bin"}},
		{"*/c.txt", {"g/c.txt"}},
		{"g/*/*.bin", {"s/x.bin", "t/x.bin", "t/y.bin"}},
		{"g/odd[1].bin", {"odd[1].bin"}},
	};

	mkdirat(f->fd, "g", 0755);
	mkdirat(f->fd, "g/s", 0755);
	mkdirat(f->fd, "g/t", 0755);
	mkdirat(f->fd, "other", 0755);
	put_file(f, "g/b.bin", "1234", 4);
	put_file(f, "g/a.bin", "1234", 4);
	put_file(f, "g/c.txt", "1234", 4);
	put_file(f, "g/s/x.bin", "1234", 4);
	put_file(f, "g/t/x.bin", "1234", 4);
	put_file(f, "g/t/y.bin", "1234", 4);
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		AUTO(source_free_ptr) struct source *s = NULL;

		if (i == ARRAY_SIZE(good) - 1)
			put_file(f, "g/odd[1].bin", "1234", 4);
		assert_int_equal(try_open(f, good[i].pattern, &s, NULL), 0);
		names_are(s, good[i].names);
	}
	AUTO_FREE char *path = path_in(f, "g/*.bin");
	AUTO(source_free_ptr) struct source *s = NULL;
	struct dataset_spec spec = spec_of(path);
	assert_int_equal(source_open(&spec, -1, &s, NULL), 0);
	names_are(s, (const char *const[]){"a.bin", "b.bin", "odd[1].bin", NULL});
}

static void nothing_there(void **state)
{
	struct folder *f = *state;
	static const char *const missing[] = {"none", "n/one",  "n*",     "e",
					      "e/*",  "file/*", "*/none*"};

	mkdirat(f->fd, "e", 0755);
	put_file(f, "file", "1234", 4);
	for (size_t i = 0; i < ARRAY_SIZE(missing); i++) {
		struct source *s = NULL;
		struct nf_error err;

		assert_int_equal(try_open(f, missing[i], &s, &err), -ENOENT);
		assert_int_equal(err.code, NF_NOT_FOUND);
		assert_string_equal(err.where, missing[i]);
		assert_null(s);
	}
}

/* A secret beside the export's root; ways out of the root to it. */
static void nothing_escapes(void **state)
{
	struct folder *f = *state;
	static const char *const ways[] = {
		"../secret", "/etc/passwd",   "in/../../secret", "link", "up/secret", "up/s*",
		"*/secret",  "with_link",     "with_link/*",     "..",   "abs",       "loop",
		"/*",        "in/../ok/../x", "../root/ok*",     "/",    "u*/secret", "chain",
	};
	AUTO_CLOSE int root = -1;

	put_file(f, "secret", "1234", 4);
	mkdirat(f->fd, "root", 0755);
	mkdirat(f->fd, "root/in", 0755);
	mkdirat(f->fd, "root/with_link", 0755);
	put_file(f, "root/ok.bin", "1234", 4);
	put_file(f, "root/with_link/good", "1234", 4);
	put_link(f, "root/link", "../secret");
	put_link(f, "root/chain", "link");
	put_link(f, "root/up", "..");
	put_link(f, "root/with_link/bad", "../../secret");
	put_link(f, "root/abs", "/etc/hostname");
	put_link(f, "root/loop", "loop");
	root = openat(f->fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct dataset_spec spec = spec_of((char *)ways[i]);
		struct source *s = NULL;
		struct nf_error err = {0};
		int r = source_open(&spec, root, &s, &err);

		if (r >= 0)
			fail_msg("%s led out", ways[i]);
		if (err.code != NF_PERMISSION_DENIED)
			fail_msg("%s: %d %s", ways[i], err.code, err.text);
	}
	/* The same for what a folder or glob without a root gives. */
	AUTO_FREE char *path = path_in(f, "root/with_link");
	struct dataset_spec spec = spec_of(path);
	struct source *s = NULL;
	struct nf_error err = {0};
	assert_true(source_open(&spec, -1, &s, &err) < 0);
	assert_int_equal(err.code, NF_PERMISSION_DENIED);
}

static void a_link_inside_is_fine(void **state)
{
	struct folder *f = *state;
	AUTO(source_free_ptr) struct source *s = NULL;

	mkdirat(f->fd, "l", 0755);
	put_file(f, "l/data", "1234", 4);
	put_link(f, "inside", "l/data");
	assert_int_equal(try_open(f, "inside", &s, NULL), 0);
	assert_int_equal(s->total_bytes, 4);
}

static void neither_fifo_nor_device_nor_magic_link(void **state)
{
	struct folder *f = *state;
	struct source *s = NULL;
	struct nf_error err;
	struct dataset_spec spec = spec_of((char *)"/dev/null");

	mkfifoat(f->fd, "pipe", 0644);
	assert_int_equal(try_open(f, "pipe", &s, &err), -EINVAL);
	assert_contains(err.text, "neither a regular file");
	assert_int_equal(source_open(&spec, -1, &s, &err), -EINVAL);
	put_link(f, "magic", "/proc/self/fd/0");
	assert_true(try_open(f, "magic", &s, &err) < 0);
	assert_int_equal(err.code, NF_PERMISSION_DENIED);
}

static void users_paths_keep_their_order_and_names(void **state)
{
	struct folder *f = *state;
	AUTO(source_free_ptr) struct source *s = NULL;
	struct dataset_spec spec = spec_of(NULL);

	mkdirat(f->fd, "u", 0755);
	put_file(f, "u/2", "1234", 4);
	put_file(f, "u/1", "1234", 4);
	put_file(f, "0", "1234", 4);
	AUTO_FREE char *folder = path_in(f, "u");
	AUTO_FREE char *file = path_in(f, "0");
	AUTO_FREE char *first = path_in(f, "u/1");
	AUTO_FREE char *second = path_in(f, "u/2");
	assert_int_equal(source_open_paths(&spec, (const char *[]){folder, file}, 2, &s, NULL), 0);
	names_are(s, (const char *const[]){first, second, file, NULL});
	struct source *none = NULL;
	assert_true(source_open_paths(&spec, NULL, 0, &none, NULL) < 0);
}

/* What the operator's folder must not do, a user's own may: it is the user's right that counts. */
static void users_links_are_followed(void **state)
{
	struct folder *f = *state;
	AUTO(source_free_ptr) struct source *s = NULL, *t = NULL;
	struct source *none = NULL;
	struct dataset_spec spec = spec_of(NULL);
	struct nf_error err = {0};

	mkdirat(f->fd, "far", 0755);
	mkdirat(f->fd, "links", 0755);
	put_file(f, "far/data", "1234", 4);
	put_link(f, "links/a", "../far/data");
	put_link(f, "links/folder", "../far");
	AUTO_FREE char *folder = path_in(f, "links");
	AUTO_FREE char *glob = path_in(f, "links/*/d*");
	AUTO_FREE char *a = path_in(f, "links/a");
	AUTO_FREE char *b = path_in(f, "links/folder/data");
	assert_int_equal(source_open_paths(&spec, (const char *[]){folder}, 1, &s, &err), 0);
	names_are(s, (const char *const[]){a, NULL});
	assert_int_equal(source_open_paths(&spec, (const char *[]){glob}, 1, &t, &err), 0);
	names_are(t, (const char *const[]){b, NULL});
	/* One that leads nowhere is named as the user would find it. */
	put_link(f, "links/gone", "../nothing");
	AUTO_FREE char *gone = path_in(f, "links/gone");
	assert_int_equal(source_open_paths(&spec, (const char *[]){folder}, 1, &none, &err),
			 -ENOENT);
	assert_string_equal(err.where, gone);
}

/* Files of /proc say that they are empty, and are not: a number would be wrong. */
static void a_file_that_hides_its_size(void **state)
{
	struct source *s = NULL;
	struct nf_error err = {0};
	struct dataset_spec spec = spec_of((char *)"/proc/version");

	(void)state;
	assert_int_equal(source_open(&spec, -1, &s, &err), -EINVAL);
	assert_string_equal(err.where, "version");
	assert_contains(err.text, "scan a copy");
}

static void whole_records_or_a_reason(void **state)
{
	struct folder *f = *state;
	struct nf_error err = {0};

	put_file(f, "r.bin", "123456789", 9);
	for (int i = 0; i < 4; i++) {
		AUTO(source_free_ptr) struct source *s = NULL;
		struct dataset_spec spec = spec_of((char *)"r.bin");

		spec.skip_bytes = i == 1 ? 1 : i == 2 ? 10 : 0;
		spec.tail_ignore = i == 3;
		assert_int_equal(source_open(&spec, f->fd, &s, NULL), 0);
		int r = source_check_records(s, &err);
		assert_int_equal(r, i == 1 || i == 3 ? 0 : -ENOTSUP);
		if (i == 0) {
			assert_int_equal(err.code, NF_FAILED_PRECONDITION);
			assert_string_equal(err.where, "r.bin");
			assert_contains(err.text, "9 bytes are not a whole number");
			assert_contains(err.text, "2 records of 4 bytes, and 1 bytes are left");
		}
		if (i == 2)
			assert_contains(err.text, "less than the 10 to skip");
	}
}

static void every_change_is_noticed(void **state)
{
	struct folder *f = *state;

	for (int change = 0; change < 6; change++) {
		AUTO(source_free_ptr) struct source *s = NULL;
		AUTO_CLOSE int fd = -1;
		struct nf_error err = {0};

		put_file(f, "c1", "12345678", 8);
		put_file(f, "c2", "12345678", 8);
		assert_int_equal(try_open(f, "c?", &s, NULL), 0);
		assert_int_equal(source_check(s, NULL), 0);
		fd = openat(f->fd, "c2", O_RDWR | O_CLOEXEC);
		/* Older kernels stamp files once a tick. */
		usleep(20000);
		switch (change) {
		case 0: /* shorter */
			assert_int_equal(ftruncate(fd, 4), 0);
			break;
		case 1: /* longer */
			assert_int_equal(pwrite(fd, "abcd", 4, 8), 4);
			break;
		case 2: /* the same size */
			assert_int_equal(pwrite(fd, "abcd", 4, 0), 4);
			break;
		case 3: /* and the time put back */ {
			struct timespec t[2] = {{0, UTIME_OMIT}, s->files[1].mtime};

			assert_int_equal(pwrite(fd, "abcd", 4, 0), 4);
			assert_int_equal(futimens(fd, t), 0);
			break;
		}
		case 4: /* replaced */
			put_file(f, "new", "12345678", 8);
			assert_int_equal(renameat(f->fd, "new", f->fd, "c2"), 0);
			break;
		case 5:
			assert_int_equal(unlinkat(f->fd, "c2", 0), 0);
			break;
		}
		assert_int_equal(source_check(s, &err), -ESTALE);
		assert_int_equal(err.code, NF_ABORTED);
		assert_string_equal(err.where, "c2");
	}
}

static void the_generation_follows_the_files(void **state)
{
	struct folder *f = *state;
	uint64_t before;

	put_file(f, "gen", "12345678", 8);
	for (int i = 0; i < 2; i++) {
		AUTO(source_free_ptr) struct source *s = NULL;

		assert_int_equal(try_open(f, "gen", &s, NULL), 0);
		assert_true(i == 0 || s->generation == before);
		before = s->generation;
	}
	usleep(20000);
	put_file(f, "gen", "12345679", 8);
	AUTO(source_free_ptr) struct source *s = NULL;
	assert_int_equal(try_open(f, "gen", &s, NULL), 0);
	assert_true(s->generation != before);
}

static void adopted_files_keep_their_snapshot(void **state)
{
	struct folder *f = *state;
	AUTO(source_free_ptr) struct source *s = NULL;
	AUTO(source_free_ptr) struct source *worker = NULL;
	struct source_file *files = calloc(1, sizeof(*files));

	put_file(f, "ad", "12345678", 8);
	assert_int_equal(try_open(f, "ad", &s, NULL), 0);
	files[0] = s->files[0];
	files[0].fd = dup(s->files[0].fd);
	files[0].direct_fd = -1;
	files[0].name = strdup("ad");
	put_file(f, "ad", "1234", 4);
	assert_int_equal(source_adopt(&s->spec, files, 1, &worker, NULL), 0);
	assert_int_equal(worker->generation, s->generation);
	assert_int_equal(worker->total_bytes, 8);
	assert_int_equal(source_check(worker, NULL), -ESTALE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)
		T(one_file),
		T(folder_has_its_regular_files_in_byte_order),
		T(globs),
		T(nothing_there),
		T(nothing_escapes),
		T(a_link_inside_is_fine),
		T(neither_fifo_nor_device_nor_magic_link),
		T(users_paths_keep_their_order_and_names),
		T(users_links_are_followed),
		T(a_file_that_hides_its_size),
		T(whole_records_or_a_reason),
		T(every_change_is_noticed),
		T(the_generation_follows_the_files),
		T(adopted_files_keep_their_snapshot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
