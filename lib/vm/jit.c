/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "vm/jit.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/scope.h"
#include "vm/jit_image.h"
#include "vm/vm_helper.h"

static const struct jit_module *load_one(const char *path, char *why, size_t size)
{
	const struct jit_module *module;
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle) {
		snprintf(why, size, "%s", dlerror());
		return NULL;
	}
	module = dlsym(handle, "nearfold_jit");
	if (module && module->abi == JIT_ABI)
		return module;
	snprintf(why, size, "%s is not a module of this version", path);
	dlclose(handle);
	return NULL;
}

/* path's folder, then `rest`; *ret stays what it was if nothing is there. */
static bool find_near(const char *path, const char *rest, char *ret, size_t size)
{
	const char *slash = strrchr(path, '/');
	char found[PATH_MAX];

	if (!slash)
		return false;
	int n = snprintf(found, sizeof(found), "%.*s/%s", (int)(slash - path), path, rest);
	if (n < 0 || (size_t)n >= sizeof(found) || (size_t)n >= size || access(found, R_OK))
		return false;
	strcpy(ret, found);
	return true;
}

/*
 * Where the module is, seen from the program (bin/ or sbin/) and from the library (lib/) that hold
 * this code: an installation may be moved as a whole, and a build finds its own.
 */
static const char *find_module(char *ret, size_t size)
{
	static const char *const from_program[] = {"nearfold-jit.so",
						   "../lib/nearfold/nearfold-jit.so"};
	static const char *const from_library[] = {"nearfold-jit.so", "nearfold/nearfold-jit.so"};
	char program[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	Dl_info here;

	program[n > 0 ? n : 0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(from_program); i++)
		if (find_near(program, from_program[i], ret, size))
			return ret;
	if (dladdr(jit_image_map, &here) && here.dli_fname)
		for (size_t i = 0; i < ARRAY_SIZE(from_library); i++)
			if (find_near(here.dli_fname, from_library[i], ret, size))
				return ret;
	return "nearfold-jit.so"; /* where the dynamic linker looks */
}

int jit_module_load(const char *path, const struct jit_module **ret, struct nf_error *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static const struct jit_module *loaded;
	char found[PATH_MAX], why[PATH_MAX + 256] = "";
	const struct jit_module *module;

	pthread_mutex_lock(&lock);
	if (!loaded)
		loaded =
			load_one(path ? path : find_module(found, sizeof(found)), why, sizeof(why));
	module = loaded;
	pthread_mutex_unlock(&lock);
	if (!module)
		return nf_error_set(err, NF_UNAVAILABLE, "jit",
				    "the JIT module cannot be loaded: %s", why);
	*ret = module;
	return 0;
}

bool jit_image_check(const struct jit_image *image, size_t size)
{
	return size >= sizeof(*image) && image->magic == JIT_IMAGE_MAGIC && image->abi == JIT_ABI &&
	       image->bytes == size - sizeof(*image) && image->exact < image->bytes &&
	       (image->fast == UINT32_MAX || image->fast < image->bytes) &&
	       image->n_wide <= JIT_MAX_WIDE_CELLS && image->lanes &&
	       (image->lanes == 1 || image->stride);
}

int jit_image_map(const struct jit_image *image, size_t size, struct jit_code *ret,
		  struct nf_error *err)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes;
	uint8_t *map;

	if (!jit_image_check(image, size))
		return nf_error_set(err, NF_INTERNAL, "jit",
				    "an image of compiled code is damaged");
	bytes = (image->bytes + page - 1) / page * page;
	map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return nf_error_sys(err, NF_RESOURCE_EXHAUSTED, errno, "jit", "memory for code");
	memcpy(map, image->code, image->bytes);
	if (mprotect(map, bytes, PROT_READ | PROT_EXEC)) {
		int e = errno;

		munmap(map, bytes);
		return nf_error_sys(err, NF_FAILED_PRECONDITION, e, "jit",
				    "memory cannot be made executable");
	}
	*ret = (struct jit_code){
		.exact = (jit_fn)(void *)(map + image->exact),
		.fast = image->fast == UINT32_MAX ? NULL : (jit_fn)(void *)(map + image->fast),
		.image = image,
		.map = map,
		.map_bytes = bytes,
	};
	return 0;
}

void jit_code_unmap(struct jit_code *code)
{
	if (code->map)
		munmap(code->map, code->map_bytes);
	memset(code, 0, sizeof(*code));
}

const void *const *jit_helper_table(void)
{
	static const void *table[64];
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < vm_n_helpers && i < ARRAY_SIZE(table); i++)
		table[i] = (const void *)vm_helpers[i].fn;
	pthread_mutex_unlock(&lock);
	return table;
}

/* Is every 128-bit sum so far from overflow that no 2^32 records can reach it? */
static bool has_headroom(const struct jit_image *image, const uint8_t *state)
{
	for (uint32_t i = 0; i < image->n_wide; i++) {
		int64_t high;

		memcpy(&high, state + image->wide[i] + 8, sizeof(high));
		if (high >= INT64_C(1) << 61 || high < -(INT64_C(1) << 61))
			return false;
	}
	return true;
}

int jit_fold(const struct jit_code *code, struct jit_ctx *ctx, const uint8_t *data, uint64_t n,
	     uint32_t longest, const uint32_t *starts, uint8_t *state, const uint8_t *params,
	     const uint8_t *rodata)
{
	const struct jit_image *image = code->image;
	uint64_t bulk = 0;
	int r;

	if (code->fast && n < UINT32_MAX && has_headroom(image, state) &&
	    (!image->fast_cost ||
	     (image->fast_cost <= ctx->budget && longest <= image->fast_bytes))) {
		bulk = n - n % image->lanes;
		r = bulk ? code->fast(ctx, data, bulk, starts, state, params, rodata) : JIT_REDO;
		if (r == JIT_REDO)
			bulk = 0;
		else if (r != JIT_DONE || bulk == n)
			return r;
	}
	/* What is left of it: without lanes there is nothing, so starts are those of all. */
	r = code->exact(ctx, data + bulk * image->stride, n - bulk, starts, state, params, rodata);

	ctx->at += bulk;
	return r;
}
