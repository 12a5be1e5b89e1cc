/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/source_resolve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/scope.h"
#include "scan/nvme_device.h"

/* O_NONBLOCK: opening a FIFO that somebody put there must not hang. Cleared again afterwards. */
enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK };

struct base {
	int fd;       /* AT_FDCWD, or a folder */
	bool beneath; /* nothing outside of it */
};

struct names {
	char **v;
	size_t n, size;
};

static void names_done(struct names *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct names){0};
}

/* Takes ownership of name, which may be NULL: out of memory. */
static int names_add(struct names *l, char *name, struct nf_error *err)
{
	if (name && l->n == SOURCE_MAX_FILES) {
		free(name);
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, NULL,
				    "more than %d files: split the data set", SOURCE_MAX_FILES);
	}
	if (name && l->n == l->size) {
		size_t size = l->size ? l->size * 2 : 16;
		char **v = realloc(l->v, size * sizeof(*v));

		if (!v) {
			free(name);
			name = NULL;
		} else {
			l->v = v;
			l->size = size;
		}
	}
	if (!name)
		return nf_error_no_memory(err, NULL);
	l->v[l->n++] = name;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *path_join(const char *folder, const char *name)
{
	char *path;
	size_t n = strlen(folder);
	const char *slash = n && folder[n - 1] != '/' ? "/" : "";

	return asprintf(&path, "%s%s%s", folder, slash, name) < 0 ? NULL : path;
}

/* A descriptor or -errno. */
static int base_open(const struct base *base, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)flags,
		.resolve = base->beneath ? RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS : 0,
	};
	long fd;

	/* EAGAIN: a rename went on somewhere while the kernel looked whether we are still below. */
	for (int tries = 0; tries < 16; tries++) {
		fd = syscall(SYS_openat2, base->fd, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd >= 0 ? (int)fd : -errno;
}

static int open_error(int errnum, const char *name, struct nf_error *err)
{
	switch (errnum) {
	case ENOENT:
	case ENOTDIR:
		nf_error_set(err, NF_NOT_FOUND, name, "no such file or folder");
		return -ENOENT;
	case EXDEV:
	case ELOOP:
		nf_error_set(err, NF_PERMISSION_DENIED, name,
			     "the path leads out of its folder (a symbolic link or '..'): put the "
			     "data below it");
		return -EXDEV;
	case EACCES:
	case EPERM:
		return nf_error_sys(err, NF_PERMISSION_DENIED, EACCES, name, "cannot open");
	case EMFILE:
	case ENFILE:
		return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, errnum, name,
				    "cannot open (raise the limit of open files: two for each "
				    "file of a data set)");
	case ENOSYS:
		return nf_error_sys(err, NF_UNIMPLEMENTED, errnum, name,
				    "openat2 (Linux 5.6 or newer is needed)");
	default:
		return nf_error_sys(err, NF_INVALID_ARGUMENT, errnum, name, "cannot open");
	}
}

/*
 * The same file for direct reads. -1 where that does not work; that is no error. The name may have
 * been given to another file in between: then none is better than the wrong one.
 */
static int open_direct(const struct base *base, const char *path, const struct stat *want)
{
	struct stat st;
	AUTO_CLOSE int fd = base_open(base, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_DIRECT);

	if (fd < 0 || fstat(fd, &st) || st.st_dev != want->st_dev || st.st_ino != want->st_ino)
		return -1;
	return TAKE_FD(fd);
}

/*
 * A file of /proc has a size of 0 and yet something to read: to believe the size would make an
 * answer of nothing. fd still has O_NONBLOCK: some of these files wait for news.
 */
static int check_empty(int fd, const char *name, struct nf_error *err)
{
	char byte;
	ssize_t n = pread(fd, &byte, 1, 0);

	if (n < 0)
		return nf_error_sys(err, NF_DATA_LOSS, errno, name, "cannot read");
	if (n > 0)
		return nf_error_set(err, NF_INVALID_ARGUMENT, name,
				    "the file says that it is empty, and is not (as in /proc, or "
				    "it grows just now): leave it out, or scan a copy");
	return 0;
}

/* Takes ownership of all, even when it fails; name NULL: out of memory. */
static int append(struct found_files *found, int fd_given, int direct_fd_given, char *name_given,
		  struct nf_error *err)
{
	AUTO_CLOSE int fd = fd_given;
	AUTO_CLOSE int direct_fd = direct_fd_given;
	AUTO_FREE char *name = name_given;

	if (!name)
		return nf_error_no_memory(err, NULL);
	if (found->n == SOURCE_MAX_FILES)
		return nf_error_set(err, NF_RESOURCE_EXHAUSTED, name,
				    "more than %d files: split the data set", SOURCE_MAX_FILES);
	if (found->n == found->size) {
		size_t size = found->size ? found->size * 2 : 16;
		struct found_file *files = realloc(found->files, size * sizeof(*files));

		if (!files)
			return nf_error_no_memory(err, NULL);
		found->files = files;
		found->size = size;
	}
	found->files[found->n++] = (struct found_file){
		.fd = TAKE_FD(fd),
		.direct_fd = TAKE_FD(direct_fd),
		.name = TAKE_PTR(name),
	};
	return 0;
}

/* Takes ownership of fd and name (NULL: out of memory). */
static int add_file(const struct base *base, const char *path, int fd_given, const struct stat *st,
		    char *name_given, struct found_files *found, struct nf_error *err)
{
	AUTO_CLOSE int fd = fd_given;
	AUTO_FREE char *name = name_given;

	if (!name)
		return nf_error_no_memory(err, NULL);
	int r = S_ISREG(st->st_mode) && st->st_size == 0 ? check_empty(fd, name, err) : 0;
	if (r)
		return r;
	/* io_uring treats a block device opened with O_NONBLOCK as one that may not wait. */
	if (fcntl(fd, F_SETFL, O_RDONLY))
		return nf_error_sys(err, NF_INTERNAL, errno, name, "fcntl");
	int direct_fd = open_direct(base, path, st);
	return append(found, TAKE_FD(fd), direct_fd, TAKE_PTR(name), err);
}

/* The names in a folder that match pattern (NULL: all without a leading dot), sorted. */
static int list_folder(const struct base *base, const char *path, const char *pattern,
		       struct names *ret, struct nf_error *err)
{
	int fd = base_open(base, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return open_error(-fd, path, err);
	DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return nf_error_no_memory(err, NULL);
	}
	struct dirent *e;
	int r = 0;
	while (!r && (errno = 0, e = readdir(dir))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (fnmatch(pattern ? pattern : "*", e->d_name, FNM_PERIOD) == 0)
			r = names_add(ret, strdup(e->d_name), err);
	}
	if (!r && errno)
		r = nf_error_sys(err, NF_DATA_LOSS, errno, path, "cannot read the folder");
	closedir(dir);
	if (!r && ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_bytes);
	return r;
}

/*
 * Open one match of a folder or glob below base. What is neither a regular file nor (named by a
 * glob) a block device is passed over.
 */
static int add_match(const struct base *base, const char *path, const char *prefix,
		     bool block_devices, struct found_files *found, struct nf_error *err)
{
	struct stat st;
	AUTO_FREE char *name = path_join(prefix, path);
	AUTO_CLOSE int fd = base_open(base, path, OPEN_FLAGS);

	if (!name)
		return nf_error_no_memory(err, NULL);
	if (fd == -ENXIO) /* a socket */
		return 0;
	if (fd < 0)
		return open_error(-fd, name, err);
	if (fstat(fd, &st))
		return nf_error_sys(err, NF_INTERNAL, errno, name, "fstat");
	if (!S_ISREG(st.st_mode) && !(block_devices && S_ISBLK(st.st_mode)))
		return 0;
	return add_file(base, path, TAKE_FD(fd), &st, TAKE_PTR(name), found, err);
}

static int add_folder(int folder_fd, const char *prefix, bool users, struct found_files *found,
		      struct nf_error *err)
{
	struct base base = {.fd = folder_fd, .beneath = !users};
	AUTO(names_done) struct names names = {0};
	int r = list_folder(&base, ".", NULL, &names, err);

	for (size_t i = 0; !r && i < names.n; i++)
		r = add_match(&base, names.v[i], prefix, false, found, err);
	return r;
}

static bool has_glob(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strchr("*?[", s[i]))
			return true;
	return false;
}

/* One component of a pattern, applied to every candidate: what it makes of them. */
static int expand(const struct base *base, const struct names *from, const char *component,
		  struct names *ret, struct nf_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < from->n; i++) {
		AUTO(names_done) struct names matches = {0};
		struct nf_error ignored;

		if (!has_glob(component, strlen(component))) {
			r = names_add(ret, path_join(from->v[i], component), err);
			continue;
		}
		r = list_folder(base, from->v[i][0] ? from->v[i] : ".", component, &matches,
				&ignored);
		/* A candidate that is no folder is no match. One that leads out is an escape. */
		if (r == -ENOENT) {
			r = 0;
			continue;
		}
		if (r && err)
			*err = ignored;
		for (size_t k = 0; !r && k < matches.n; k++)
			r = names_add(ret, path_join(from->v[i], matches.v[k]), err);
	}
	return r;
}

/* Split path at the last '/' before its first glob character: "a/b" and "*.bin". */
static int split_glob(const char *path, char **ret_fixed, const char **ret_pattern,
		      struct nf_error *err)
{
	const char *glob = strpbrk(path, "*?["), *slash = glob;

	while (slash > path && slash[-1] != '/')
		slash--;
	*ret_fixed = slash == path ? strdup(".") : strndup(path, (size_t)(slash - path));
	*ret_pattern = slash;
	return *ret_fixed ? 0 : nf_error_no_memory(err, NULL);
}

static int add_glob(const struct base *root, const char *path, bool users,
		    struct found_files *found, struct nf_error *err)
{
	AUTO_FREE char *fixed = NULL;
	AUTO(names_done) struct names now = {0};
	const char *pattern;
	size_t before = found->n;
	bool last_is_literal = false;
	int r = split_glob(path, &fixed, &pattern, err);

	if (r)
		return r;
	AUTO_CLOSE int fd = base_open(root, fixed, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return open_error(-fd, path, err);
	struct base base = {.fd = fd, .beneath = !users};

	r = names_add(&now, strdup(""), err);
	while (!r && *pattern) {
		size_t n = strcspn(pattern, "/");
		AUTO_FREE char *component = strndup(pattern, n);
		struct names next = {0};

		if (!component)
			return nf_error_no_memory(err, NULL);
		pattern += n;
		pattern += strspn(pattern, "/");
		last_is_literal = !has_glob(component, n);
		r = expand(&base, &now, component, &next, err);
		names_done(&now);
		now = next;
	}
	if (!r && now.n)
		qsort(now.v, now.n, sizeof(*now.v), by_bytes);
	const char *prefix = users && strcmp(fixed, ".") ? fixed : "";
	for (size_t i = 0; !r && i < now.n; i++) {
		/* The last component may be literal ("a*b/data.bin"): not every folder has it. */
		r = add_match(&base, now.v[i], prefix, true, found, err);
		if (r == -ENOENT && last_is_literal)
			r = 0;
	}
	if (!r && found->n == before) {
		nf_error_set(err, NF_NOT_FOUND, path, "no file matches this pattern");
		return -ENOENT;
	}
	return r;
}

static bool has_dotdot(const char *path)
{
	for (const char *p = path; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.')
			return true;
		p += n;
	}
	return false;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

int source_resolve(int root_fd, const char *path, bool users, struct found_files *found,
		   struct nf_error *err)
{
	struct base base = {.fd = root_fd >= 0 ? root_fd : AT_FDCWD, .beneath = root_fd >= 0};
	size_t before = found->n;
	struct stat st;

	if (nvme_path_is(path))
		return append(found, -1, -1, strdup(path), err);
	if (base.beneath && (path[0] == '/' || has_dotdot(path)))
		return open_error(EXDEV, path, err);
	AUTO_CLOSE int fd = base_open(&base, path, OPEN_FLAGS);
	/* First as it stands: '[' may well be a part of a file's name. */
	if (fd == -ENOENT && has_glob(path, strlen(path)))
		return add_glob(&base, path, users, found, err);
	if (fd < 0)
		return open_error(-fd, path, err);
	if (fstat(fd, &st))
		return nf_error_sys(err, NF_INTERNAL, errno, path, "fstat");
	if (S_ISDIR(st.st_mode)) {
		int r = add_folder(fd, users ? path : "", users, found, err);

		if (!r && found->n == before) {
			nf_error_set(err, NF_NOT_FOUND, path, "no file is in this folder");
			return -ENOENT;
		}
		return r;
	}
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return nf_error_set(err, NF_INVALID_ARGUMENT, path,
				    "neither a regular file, a block device nor a folder");
	return add_file(&base, path, TAKE_FD(fd), &st, strdup(users ? path : base_name(path)),
			found, err);
}

void found_files_done(struct found_files *found)
{
	for (size_t i = 0; i < found->n; i++) {
		if (found->files[i].fd >= 0)
			close(found->files[i].fd);
		if (found->files[i].direct_fd >= 0)
			close(found->files[i].direct_fd);
		free(found->files[i].name);
	}
	free(found->files);
	*found = (struct found_files){0};
}
