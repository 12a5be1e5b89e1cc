/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "vm/jit.h"

#include <alloca.h>
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
#include "vm/vm_branchfree.h"
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

static bool is_function(const struct jit_image *image, uint32_t offset)
{
	return offset == JIT_NONE || offset < image->bytes;
}

static uint32_t n_rows(const struct jit_image *image)
{
	uint32_t n = (image->counter == JIT_COUNTER_ROW) + image->fails;

	for (uint32_t i = 0; i < image->n_cells; i++)
		n += 1 + (image->cells[i].merge == BF_MERGE_ADD128);
	return n;
}

/* Can merge_cell() take it? */
static bool cell_is_whole(const struct jit_cell *cell)
{
	if (cell->merge == BF_MERGE_ADD128)
		return cell->bytes == 8 || cell->bytes == 16;
	return cell->merge > BF_MERGE_NONE && cell->merge < BF_MERGE_ADD128 &&
	       (cell->bytes == 1 || cell->bytes == 2 || cell->bytes == 4 || cell->bytes == 8);
}

static bool bulk_is_whole(const struct jit_image *image)
{
	if (image->n_cells > JIT_MAX_ROWS)
		return false;
	for (uint32_t i = 0; i < image->n_cells; i++)
		if (!cell_is_whole(&image->cells[i]))
			return false;
	return image->lanes && image->lanes <= JIT_MAX_LANES && image->step &&
	       image->step % image->lanes == 0 && (image->step == 1 || image->stride) &&
	       image->fails <= 1 &&
	       (image->counter >= JIT_COUNTER_ROW || image->counter < image->n_cells) &&
	       n_rows(image) <= JIT_MAX_ROWS;
}

bool jit_image_check(const struct jit_image *image, size_t size)
{
	return size >= sizeof(*image) && image->magic == JIT_IMAGE_MAGIC && image->abi == JIT_ABI &&
	       image->bytes == size - sizeof(*image) && image->exact < image->bytes &&
	       is_function(image, image->unmetered) && is_function(image, image->bulk) &&
	       image->n_bounds <= JIT_MAX_BOUNDS &&
	       (image->bulk == JIT_NONE || bulk_is_whole(image));
}

static jit_fn function_at(uint8_t *map, uint32_t offset)
{
	return offset == JIT_NONE ? NULL : (jit_fn)(void *)(map + offset);
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
		.exact = function_at(map, image->exact),
		.unmetered = function_at(map, image->unmetered),
		.bulk = function_at(map, image->bulk),
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
	for (uint32_t i = 0; i < image->n_cells; i++) {
		const struct jit_cell *cell = &image->cells[i];
		int64_t high;

		if (cell->merge != BF_MERGE_ADD128 || cell->bytes != 16)
			continue;
		memcpy(&high, state + cell->offset + 8, sizeof(high));
		if (high >= INT64_C(1) << 61 || high < -(INT64_C(1) << 61))
			return false;
	}
	return true;
}

/* Of a little-endian machine, as programs are. */
static uint64_t read_cell(const struct jit_cell *cell, const uint8_t *state)
{
	bool is_signed = cell->merge == BF_MERGE_SMIN || cell->merge == BF_MERGE_SMAX;
	unsigned unused = 64 - 8 * cell->bytes;
	uint64_t v = 0;

	memcpy(&v, state + cell->offset, cell->bytes);
	return is_signed ? (uint64_t)((int64_t)(v << unused) >> unused) : v;
}

static uint64_t merge_two(enum bf_merge merge, uint64_t a, uint64_t b)
{
	switch (merge) {
	case BF_MERGE_UMIN:
		return a < b ? a : b;
	case BF_MERGE_UMAX:
		return a > b ? a : b;
	case BF_MERGE_SMIN:
		return (int64_t)a < (int64_t)b ? a : b;
	case BF_MERGE_SMAX:
		return (int64_t)a > (int64_t)b ? a : b;
	case BF_MERGE_OR:
		return a | b;
	case BF_MERGE_AND:
		return a & b;
	case BF_MERGE_XOR:
		return a ^ b;
	default:
		return a + b;
	}
}

/* Merge a cell's row, or two, with the state. Returns the row after it. */
static const uint64_t *merge_cell(const struct jit_cell *cell, unsigned lanes, const uint64_t *row,
				  uint8_t *state)
{
	unsigned __int128 sum;
	uint64_t v;

	if (cell->merge == BF_MERGE_ADD128) {
		memcpy(&sum, state + cell->offset, sizeof(sum));
		for (unsigned i = 0; i < lanes; i++)
			sum += (unsigned __int128)row[lanes + i] << 64 | row[i];
		memcpy(state + cell->offset, &sum, sizeof(sum));
		return row + 2 * lanes;
	}
	v = read_cell(cell, state);
	for (unsigned i = 0; i < lanes; i++)
		v = merge_two(cell->merge, v, row[i]);
	memcpy(state + cell->offset, &v, cell->bytes);
	return row + lanes;
}

static uint64_t merge_row(enum bf_merge merge, unsigned lanes, const uint64_t *row)
{
	uint64_t v = row[0];

	for (unsigned i = 1; i < lanes; i++)
		v = merge_two(merge, v, row[i]);
	return v;
}

/*
 * Call compiled code with its frame at the end of a page; an image's constants are at the beginning
 * of one (jit_object.c). What found no register is stored in the frame in each round, and a
 * processor that compares the low 12 bits of addresses first takes a constant at the same offset
 * for it: that cost half of the speed where the stack happened to lie so.
 */
static int call_code(jit_fn fn, struct jit_ctx *ctx, const uint8_t *data, uint64_t n,
		     const uint32_t *starts, uint8_t *state, const uint8_t *params,
		     const uint8_t *rodata)
{
	enum { ALIAS_BYTES = 4096 };
	size_t in_page = (uintptr_t)__builtin_frame_address(0) % ALIAS_BYTES;
	void *volatile room = alloca(in_page);

	(void)room;
	return fn(ctx, data, n, starts, state, params, rodata);
}

/* As many of n records as bulk takes; returns how many that were. */
static uint64_t fold_bulk(const struct jit_code *code, struct jit_ctx *ctx, const uint8_t *data,
			  uint64_t n, const uint32_t *starts, uint8_t *state, const uint8_t *params,
			  const uint8_t *rodata)
{
	const struct jit_image *image = code->image;
	uint64_t rows[JIT_MAX_ROWS * JIT_MAX_LANES], matched;
	const uint64_t *row = rows;
	unsigned lanes = image->lanes;

	n -= n % image->step;
	if (!n || n > UINT32_MAX || !has_headroom(image, state))
		return 0;
	call_code(code->bulk, ctx, data, n, starts, (uint8_t *)rows, params, rodata);
	if (image->fails &&
	    merge_row(BF_MERGE_OR, lanes, rows + (size_t)(n_rows(image) - 1) * lanes))
		return 0;
	matched = n;
	for (uint32_t i = 0; i < image->n_cells; i++) {
		if (i == image->counter)
			matched = merge_row(BF_MERGE_ADD, lanes, row);
		row = merge_cell(&image->cells[i], lanes, row, state);
	}
	if (image->counter == JIT_COUNTER_ROW)
		matched = merge_row(BF_MERGE_ADD, lanes, row);
	ctx->records += n;
	ctx->matched += matched;
	return n;
}

/* Can records of so many bytes not use up the budget? */
static bool is_affordable(const struct jit_image *image, uint32_t longest, uint64_t budget)
{
	for (uint32_t i = 0; i < image->n_bounds; i++)
		if (longest <= image->bounds[i].record_bytes)
			return image->bounds[i].cost <= budget;
	return false;
}

int jit_fold(const struct jit_code *code, struct jit_ctx *ctx, const uint8_t *data, uint64_t n,
	     uint32_t longest, const uint32_t *starts, uint8_t *state, const uint8_t *params,
	     const uint8_t *rodata)
{
	const struct jit_image *image = code->image;
	jit_fn fn = code->exact;
	uint64_t done = 0;
	int r;

	if (code->bulk)
		done = fold_bulk(code, ctx, data, n, starts, state, params, rodata);
	if (done == n)
		return JIT_DONE;
	if (code->unmetered && is_affordable(image, longest, ctx->budget))
		fn = code->unmetered;
	/* Of lines bulk takes all or none, so starts are those of what is left. */
	r = call_code(fn, ctx, data + done * image->stride, n - done, starts, state, params,
		      rodata);
	ctx->at += done;
	return r;
}
