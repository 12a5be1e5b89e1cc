/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Runs a fuzz target over the files of its corpus, so that the corpus is an ordinary test:
 * fuzz_NAME FILE-OR-FOLDER...
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned n_inputs;

static int run_file(const char *path)
{
	AUTO_FCLOSE FILE *f = fopen(path, "rb");
	AUTO_FREE uint8_t *data = NULL;
	struct stat st;

	if (!f || fstat(fileno(f), &st)) {
		perror(path);
		return 1;
	}
	/* Exactly as long as the input: a read past its end is the sanitizer's to see. */
	data = malloc(st.st_size ? (size_t)st.st_size : 1);
	if (!data || fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size) {
		fprintf(stderr, "%s: cannot be read whole\n", path);
		return 1;
	}
	/* Before the call: when it crashes, the last line names the input. */
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
	n_inputs++;
	return 0;
}

static int run_path(const char *path)
{
	struct stat st;
	DIR *dir;
	int failed = 0;

	if (stat(path, &st)) {
		perror(path);
		return 1;
	}
	if (!S_ISDIR(st.st_mode))
		return run_file(path);
	dir = opendir(path);
	if (!dir) {
		perror(path);
		return 1;
	}
	for (struct dirent *e; (e = readdir(dir));) {
		char name[4096];

		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		failed |= run_file(name);
	}
	closedir(dir);
	return failed;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= run_path(argv[i]);
	if (!n_inputs) {
		fprintf(stderr, "%s: no input was run\n", argv[0]);
		return 1;
	}
	fprintf(stderr, "%u inputs\n", n_inputs);
	return failed;
}
