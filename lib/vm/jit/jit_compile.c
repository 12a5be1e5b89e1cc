/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * jit_compile.c - the module's entry: a verified program to an image.
 *
 * The pass pipeline is short on purpose. The IR is made so that little is left to do (vectors are
 * explicit, guards only where needed), and the whole of -O3 would take five times as long for the
 * same loop. A large graph does even without instcombine, which takes a sixth of the time; where
 * there are many checks and no graph (groups), it brings a quarter in speed. Three defaults of LLVM
 * are turned off: the conversion of conditional moves back into branches, gathers, and the second
 * scheduling, which costs time and gains none on a CPU that schedules by itself.
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

#define COMBINED "sroa,early-cse,instcombine<no-verify-fixpoint>,simplifycfg,sroa,early-cse"
#define PIPELINE "function(" COMBINED ")"
/* A loop's own condition proves many of its guards: `i < len` that of line[i]. */
#define LOOP_PIPELINE  "function(" COMBINED ",loop(indvars),simplifycfg)"
#define LARGE_PIPELINE "function(sroa,early-cse,simplifycfg)"

enum {
	LARGE_NODES = 100,
	SHORTEST_LOG2 = 8, /* no bound is asked for shorter lines */
};

/* Made once: what the target machine finds out about the CPU is a millisecond's work. A process
 * that is forked off later has it already. */
static struct {
	LLVMTargetMachineRef machine;
	char *triple, *cpu, *features;
	unsigned vector_bytes;
	char problem[256];
} host;

static void host_init(void)
{
	const char *const options[] = {"nearfold-jit", "-x86-cmov-converter=false",
				       "-disable-post-ra"};
	char *message = NULL, *features;
	LLVMTargetRef target;
	size_t n;

	LLVMParseCommandLineOptions(ARRAY_SIZE(options), options, NULL);
	if (LLVMInitializeNativeTarget() || LLVMInitializeNativeAsmPrinter()) {
		snprintf(host.problem, sizeof(host.problem), "LLVM has no target for this machine");
		return;
	}
	host.triple = LLVMGetDefaultTargetTriple();
	host.cpu = LLVMGetHostCPUName();
	features = LLVMGetHostCPUFeatures();
	n = strlen(features) + sizeof(",+prefer-no-gather");
	host.features = malloc(n);
	if (!host.features || LLVMGetTargetFromTriple(host.triple, &target, &message)) {
		snprintf(host.problem, sizeof(host.problem), "%s",
			 message ? message : "out of memory");
		return;
	}
	snprintf(host.features, n, "%s,+prefer-no-gather", features);
	host.machine =
		LLVMCreateTargetMachine(target, host.triple, host.cpu, host.features,
					LLVMCodeGenLevelDefault, LLVMRelocPIC, LLVMCodeModelSmall);
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
static int generate(struct jit_emit *e, const char *passes, const struct jit_image *head,
		    struct jit_image **ret, struct nf_error *err)
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
	problem = LLVMRunPasses(e->module, passes, host.machine, options);
	LLVMDisposePassBuilderOptions(options);
	if (problem)
		return fail(err, problem);
	if (getenv("NEARFOLD_JIT_DUMP"))
		LLVMDumpModule(e->module);
	if (LLVMTargetMachineEmitToMemoryBuffer(host.machine, e->module, LLVMObjectFile, &message,
						&object)) {
		r = nf_error_set(err, NF_FAILED_PRECONDITION, "jit", "LLVM: %s", message);
		LLVMDisposeMessage(message);
		return r;
	}
	r = jit_object_link((const uint8_t *)LLVMGetBufferStart(object), LLVMGetBufferSize(object),
			    head, ret, err);
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

/* Beside bulk the exact function gets a few records at most: those that are left of a
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

/* Add a bound to the list, which is ascending. False: none is known. */
static bool add_bound(const struct vm_program *vp, uint64_t bytes, struct jit_image *head,
		      uint64_t *ret_cost)
{
	uint32_t i = head->n_bounds;

	if (vm_cost(vp, (uint32_t)bytes, ret_cost))
		return false;
	for (; i && head->bounds[i - 1].record_bytes > bytes; i--)
		head->bounds[i] = head->bounds[i - 1];
	head->bounds[i] = (struct jit_bound){bytes, *ret_cost};
	head->n_bounds++;
	return true;
}

/* What records cost at most: those of the greatest length, as a power of two, for which the budget
 * is enough, and of the other lengths that the search for it comes by. */
static void list_bounds(const struct vm_program *vp, uint64_t budget, struct jit_image *head)
{
	uint64_t most = vp->bounds.record_max_bytes, cost;
	unsigned low = SHORTEST_LOG2, high = 1;

	if (vp->bounds.record_min_bytes == most || most <= 1 << SHORTEST_LOG2) {
		add_bound(vp, most, head, &cost);
		return;
	}
	while (1ull << high < most)
		high++;
	for (high++; low < high && head->n_bounds < JIT_MAX_BOUNDS;) {
		unsigned middle = (low + high) / 2;
		uint64_t bytes = 1ull << middle;

		if (!add_bound(vp, bytes < most ? bytes : most, head, &cost))
			return;
		if (cost <= budget)
			low = middle + 1;
		else
			high = middle;
	}
}

/* The functions of the image, what its head says of them, and the passes that they are worth. */
static int emit_functions(struct jit_emit *e, struct jit_image *head, const char **ret_passes)
{
	const struct vm_program *vp = e->vp;
	uint64_t budget = e->options->budget;
	struct vm_branchfree *bf = NULL;
	const char *why;
	int r = jit_emit_exact(e, "exact", true);

	*ret_passes = is_metered(vp) ? LOOP_PIPELINE : PIPELINE;
	head->stride = e->options->fixed ? vp->bounds.record_max_bytes : 0;
	if (r || e->options->plain)
		return r;
	if (is_metered(vp)) {
		list_bounds(vp, budget ? budget : VM_DEFAULT_BUDGET, head);
		return head->n_bounds ? jit_emit_exact(e, "unmetered", false) : 0;
	}
	if (!vm_branchfree_new(vp, &bf, &why) && bf->all_reductions &&
	    !jit_emit_bulk(e, bf, head)) {
		compile_quickly(e, "exact");
		if (bf->n_nodes > LARGE_NODES)
			*ret_passes = LARGE_PIPELINE;
	}
	vm_branchfree_free(bf);
	return 0;
}

static int compile_one(const struct vm_program *vp, const struct jit_options *options,
		       struct jit_image **ret, struct nf_error *err)
{
	struct jit_emit emit = {.vp = vp, .options = options}, *e = &emit;
	struct jit_image head = {0};
	LLVMTargetDataRef layout;
	const char *passes;
	int r = host_get(err);

	if (r)
		return r;
	module_cpu(head.cpu, NULL);
	e->cpu = host.cpu;
	e->features = host.features;
	e->vector_bytes = host.vector_bytes;
	e->context = LLVMContextCreate();
	e->module = LLVMModuleCreateWithNameInContext("nearfold", e->context);
	e->b = LLVMCreateBuilderInContext(e->context);
	layout = LLVMCreateTargetDataLayout(host.machine);
	LLVMSetModuleDataLayout(e->module, layout);
	LLVMSetTarget(e->module, host.triple);
	types_init(e);

	if (emit_functions(e, &head, &passes))
		r = nf_error_set(err, NF_RESOURCE_EXHAUSTED, "jit", "out of memory");
	else
		r = generate(e, passes, &head, ret, err);
	LLVMDisposeTargetData(layout);
	LLVMDisposeBuilder(e->b);
	LLVMDisposeModule(e->module);
	LLVMContextDispose(e->context);
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
