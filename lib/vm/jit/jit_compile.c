/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * jit_compile.c - the module's entry: a verified program to an image.
 *
 * The pass pipeline is short on purpose. The IR is made so that little is left to do (vectors are
 * explicit, guards only where needed), and the whole of -O3 would take five times as long for the
 * same loop. Two defaults of LLVM are turned off: the conversion of conditional moves back into
 * branches, and gathers.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "base/scope.h"
#include "jit_emit.h"
#include "jit_object.h"
#include "vm/vm_cost.h"

#define BASE_PASSES "sroa,early-cse,instcombine<no-verify-fixpoint>,simplifycfg,sroa,early-cse"
#define PIPELINE    "function(" BASE_PASSES ")"
/* A loop's own condition proves many of its guards: `i < len` that of line[i]. */
#define LOOP_PIPELINE "function(" BASE_PASSES ",loop(indvars),simplifycfg)"

enum {
	/* Lines up to here go without the meter where it cannot run out: most lines do, and a loop
	 * over one costs a hundredth of the default budget. */
	SHORT_BYTES = 4096,
};

static struct {
	LLVMTargetRef target;
	char *triple, *cpu, *features;
	unsigned vector_bytes;
	char problem[256];
} host;

static void host_init(void)
{
	const char *const options[] = {"nearfold-jit", "-x86-cmov-converter=false"};
	char *message = NULL, *features;
	size_t n;

	LLVMParseCommandLineOptions(2, options, NULL);
	if (LLVMInitializeNativeTarget() || LLVMInitializeNativeAsmPrinter()) {
		snprintf(host.problem, sizeof(host.problem), "LLVM has no target for this machine");
		return;
	}
	host.triple = LLVMGetDefaultTargetTriple();
	host.cpu = LLVMGetHostCPUName();
	features = LLVMGetHostCPUFeatures();
	n = strlen(features) + sizeof(",+prefer-no-gather");
	host.features = malloc(n);
	if (!host.features || LLVMGetTargetFromTriple(host.triple, &host.target, &message)) {
		snprintf(host.problem, sizeof(host.problem), "%s",
			 message ? message : "out of memory");
		return;
	}
	snprintf(host.features, n, "%s,+prefer-no-gather", features);
	host.vector_bytes = strstr(features, "+avx512f") ? 64 : strstr(features, "+avx2") ? 32 : 16;
	LLVMDisposeMessage(features);
}

static int host_get(struct nf_error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, host_init);
	if (host.problem[0])
		return nf_error_set(err, NF_FAILED_PRECONDITION, "jit", "%s", host.problem);
	return 0;
}

/* Not a secret: two CPUs that differ must not have the same 32 bytes by accident. */
static int module_cpu(uint8_t ret[32], struct nf_error *err)
{
	uint64_t h[4] = {1, 2, 3, 4};
	int e = host_get(err);

	if (e)
		return e;
	for (unsigned k = 0; k < 4; k++) {
		const char *texts[] = {host.cpu, host.features, host.triple};

		for (unsigned t = 0; t < 3; t++)
			for (const char *p = texts[t]; *p; p++)
				h[k] = (h[k] ^ (unsigned char)*p) * (0x100000001b3ull + 2 * k);
	}
	memcpy(ret, h, sizeof(h));
	return 0;
}

static int fail(struct nf_error *err, LLVMErrorRef e)
{
	char *message = LLVMGetErrorMessage(e);
	int r = nf_error_set(err, NF_FAILED_PRECONDITION, "jit", "LLVM: %s", message);

	LLVMDisposeErrorMessage(message);
	return r;
}

/* Passes, then machine code, then the image. */
static int generate(struct jit_emit *e, LLVMTargetMachineRef machine, const char *passes,
		    bool has_fast, struct jit_image **ret, struct nf_error *err)
{
	LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
	LLVMMemoryBufferRef object = NULL;
	char *message = NULL;
	LLVMErrorRef problem;
	int r;

	if (getenv("NEARFOLD_JIT_VERIFY") &&
	    LLVMVerifyModule(e->module, LLVMReturnStatusAction, &message)) {
		r = nf_error_set(err, NF_INTERNAL, "jit", "malformed IR: %s", message);
		LLVMDisposePassBuilderOptions(options);
		LLVMDisposeMessage(message);
		return r;
	}
	problem = LLVMRunPasses(e->module, passes, machine, options);
	LLVMDisposePassBuilderOptions(options);
	if (problem)
		return fail(err, problem);
	if (getenv("NEARFOLD_JIT_DUMP"))
		LLVMDumpModule(e->module);
	if (LLVMTargetMachineEmitToMemoryBuffer(machine, e->module, LLVMObjectFile, &message,
						&object)) {
		r = nf_error_set(err, NF_FAILED_PRECONDITION, "jit", "LLVM: %s", message);
		LLVMDisposeMessage(message);
		return r;
	}
	r = jit_object_link((const uint8_t *)LLVMGetBufferStart(object), LLVMGetBufferSize(object),
			    has_fast, ret, err);
	LLVMDisposeMemoryBuffer(object);
	return r;
}

static void types_init(struct jit_emit *e)
{
	e->i1 = LLVMInt1TypeInContext(e->context);
	e->i8 = LLVMInt8TypeInContext(e->context);
	e->i16 = LLVMInt16TypeInContext(e->context);
	e->i32 = LLVMInt32TypeInContext(e->context);
	e->i64 = LLVMInt64TypeInContext(e->context);
	e->i128 = LLVMInt128TypeInContext(e->context);
	e->f64 = LLVMDoubleTypeInContext(e->context);
	e->ptr = LLVMPointerTypeInContext(e->context, 0);
	e->void_ = LLVMVoidTypeInContext(e->context);
}

/* The 16-byte cells whose sums fast takes for free of overflow. False: too many to watch. */
static bool list_wide_cells(const struct vm_branchfree *bf, struct jit_image *image)
{
	for (uint32_t c = 0; c < bf->n_cells; c++) {
		if (bf->cells[c].merge != BF_MERGE_ADD128 || bf->cells[c].bytes != 16)
			continue;
		if (image->n_wide == JIT_MAX_WIDE_CELLS)
			return false;
		image->wide[image->n_wide++] = bf->cells[c].offset;
	}
	return true;
}

static bool few_wide_cells(const struct vm_branchfree *bf)
{
	struct jit_image head = {0};

	return list_wide_cells(bf, &head);
}

/* Beside a branch-free function the exact one gets a few records at most: those that are left of a
 * span, or a span that is done again. It is worth half the time to compile, or less. */
static void compile_quickly(struct jit_emit *e, const char *name)
{
	static const char *const attributes[] = {"optnone", "noinline"};
	LLVMValueRef fn = LLVMGetNamedFunction(e->module, name);

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		unsigned kind =
			LLVMGetEnumAttributeKindForName(attributes[i], strlen(attributes[i]));

		LLVMAddAttributeAtIndex(fn, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
					LLVMCreateEnumAttribute(e->context, kind, 0));
	}
}

static bool is_metered(const struct vm_program *vp)
{
	return vp->code[PROGRAM_FILTER].metered || vp->code[PROGRAM_KEY].metered ||
	       vp->code[PROGRAM_REDUCE].metered;
}

/* A program with a meter: may short records do without? */
static bool bound_cost(const struct vm_program *vp, uint64_t *ret_cost, uint32_t *ret_bytes)
{
	uint32_t most = vp->bounds.record_max_bytes;

	if (vp->bounds.record_min_bytes != most && most > SHORT_BYTES)
		most = SHORT_BYTES;
	if (vm_cost(vp, most, ret_cost) || *ret_cost > VM_DEFAULT_BUDGET)
		return false;
	*ret_cost += !*ret_cost; /* 0 says: whatever their length */
	*ret_bytes = most;
	return true;
}

static int compile_one(const struct vm_program *vp, const struct jit_options *options,
		       struct jit_image **ret, struct nf_error *err)
{
	struct jit_emit emit = {.vp = vp, .options = options}, *e = &emit;
	struct vm_branchfree *bf = NULL;
	LLVMTargetMachineRef machine;
	LLVMTargetDataRef layout;
	const char *why;
	unsigned lanes = 1;
	bool has_fast = false, metered = is_metered(vp);
	uint64_t fast_cost = 0;
	uint32_t fast_bytes = 0;
	int r = host_get(err);

	if (r)
		return r;
	e->cpu = host.cpu;
	e->features = host.features;
	e->vector_bytes = host.vector_bytes;
	machine =
		LLVMCreateTargetMachine(host.target, host.triple, host.cpu, host.features,
					LLVMCodeGenLevelDefault, LLVMRelocPIC, LLVMCodeModelSmall);
	e->context = LLVMContextCreate();
	e->module = LLVMModuleCreateWithNameInContext("nearfold", e->context);
	e->b = LLVMCreateBuilderInContext(e->context);
	layout = LLVMCreateTargetDataLayout(machine);
	LLVMSetModuleDataLayout(e->module, layout);
	LLVMSetTarget(e->module, host.triple);
	types_init(e);

	r = jit_emit_exact(e, "exact", true);
	if (!r && !options->plain && metered && bound_cost(vp, &fast_cost, &fast_bytes))
		has_fast = jit_emit_exact(e, "fast", false) == 0;
	else if (!r && !options->plain && !vm_branchfree_new(vp, &bf, &why) && bf->all_reductions &&
		 few_wide_cells(bf))
		has_fast = jit_emit_fast(e, bf, &lanes) == 0;
	if (has_fast && !metered)
		compile_quickly(e, "exact");
	if (r)
		nf_error_set(err, NF_RESOURCE_EXHAUSTED, "jit", "out of memory");
	else
		r = generate(e, machine, metered ? LOOP_PIPELINE : PIPELINE, has_fast, ret, err);
	if (!r) {
		(*ret)->lanes = lanes;
		(*ret)->stride = options->fixed ? vp->bounds.record_max_bytes : 0;
		(*ret)->fast_cost = fast_cost;
		(*ret)->fast_bytes = fast_bytes;
		if (has_fast && bf)
			list_wide_cells(bf, *ret);
		module_cpu((*ret)->cpu, NULL);
	}
	vm_branchfree_free(bf);
	LLVMDisposeTargetData(layout);
	LLVMDisposeBuilder(e->b);
	LLVMDisposeModule(e->module);
	LLVMContextDispose(e->context);
	LLVMDisposeTargetMachine(machine);
	return r;
}

/* Each compilation has an LLVM context of its own, but a process that runs several scans should not
 * rely on everything below that being made for two at once. */
static int module_compile(const struct vm_program *vp, const struct jit_options *options,
			  struct jit_image **ret, struct nf_error *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	int r;

	pthread_mutex_lock(&lock);
	r = compile_one(vp, options, ret, err);
	pthread_mutex_unlock(&lock);
	return r;
}

extern const struct jit_module nearfold_jit;
__attribute__((visibility("default"))) const struct jit_module nearfold_jit = {
	.abi = JIT_ABI,
	.cpu = module_cpu,
	.compile = module_compile,
};
