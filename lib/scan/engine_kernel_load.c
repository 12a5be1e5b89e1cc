/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "scan/engine_kernel_load.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/scope.h"
#include "scan/engine_kernel_arena.h"
#include "scan/engine_kernel_btf.h"
#include "scan/engine_kernel_lower.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

enum { LOG_BYTES = 1 << 20 };

/* ---- what the kernel can --------------------------------------------------------------------- */

/* What the kernel's BTF says of the tracepoint; read once. */
static struct {
	pthread_once_t once;
	struct kernel_host host;
	char no[160]; /* why not, or "" */
} tracepoint = {.once = PTHREAD_ONCE_INIT};

static void read_tracepoint(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	const struct btf_type *t;
	int id;

	if (!btf) {
		snprintf(tracepoint.no, sizeof(tracepoint.no),
			 "the kernel has no type information (/sys/kernel/btf/vmlinux)");
		return;
	}
	id = btf__find_by_name_kind(btf, "btf_trace_io_uring_complete", BTF_KIND_TYPEDEF);
	if (id <= 0) {
		snprintf(tracepoint.no, sizeof(tracepoint.no),
			 "the kernel has no tracepoint io_uring_complete");
		goto out;
	}
	t = btf__type_by_id(btf, (uint32_t)id);
	t = t ? btf__type_by_id(btf, t->type) : NULL;
	t = t && btf_is_ptr(t) ? btf__type_by_id(btf, t->type) : NULL;
	if (!t || !btf_is_func_proto(t)) {
		snprintf(tracepoint.no, sizeof(tracepoint.no),
			 "the tracepoint io_uring_complete has no prototype");
		goto out;
	}
	/* (void *data, ctx, req, cqe) or (void *data, ctx, req, user_data, res, cflags, ...) */
	if (btf_vlen(t) != 4 && btf_vlen(t) < 6) {
		snprintf(tracepoint.no, sizeof(tracepoint.no),
			 "the tracepoint io_uring_complete has %d arguments; known are 4, and 6 or "
			 "more",
			 btf_vlen(t));
		goto out;
	}
	tracepoint.host.tracepoint_cqe = btf_vlen(t) == 4;
	tracepoint.host.tracepoint_id = (uint32_t)id;
out:
	btf__free(btf);
}

static bool has_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};
	uint64_t effective;

	if (syscall(SYS_capget, &head, data))
		return false;
	effective = data[0].effective | (uint64_t)data[1].effective << 32;
	return effective >> CAP_SYS_ADMIN & 1 ||
	       (effective >> CAP_BPF & 1 && effective >> CAP_PERFMON & 1);
}

/* The lockdown's mode, "" when there is none. */
static const char *lockdown(char *buf, size_t size)
{
	AUTO_FCLOSE FILE *f = fopen("/sys/kernel/security/lockdown", "re");
	char *open, *close;

	buf[0] = 0;
	if (!f || !fgets(buf, (int)size, f))
		return "";
	open = strchr(buf, '[');
	close = open ? strchr(open, ']') : NULL;
	if (!close)
		return "";
	*close = 0;
	return strcmp(open + 1, "none") ? open + 1 : "";
}

int kernel_host_probe(struct kernel_host *ret, struct nf_error *why)
{
	struct utsname u = {0};
	char buf[128];
	int fd;

	uname(&u);
	if (!has_capabilities())
		return nf_error_set(why, NF_FAILED_PRECONDITION, NULL,
				    "the process lacks the capabilities CAP_BPF and CAP_PERFMON");
	fd = kernel_arena_try();
	if (fd < 0 && errno == EPERM)
		return nf_error_set(why, NF_FAILED_PRECONDITION, NULL,
				    "the kernel does not permit BPF here%s%s",
				    *lockdown(buf, sizeof(buf)) ? ": lockdown is " : "",
				    lockdown(buf, sizeof(buf)));
	if (fd < 0)
		return nf_error_set(
			why, NF_FAILED_PRECONDITION, NULL,
			"the kernel (%s) has no BPF arenas: they came with Linux 6.9, for x86-64 "
			"and arm64 with the BPF JIT on",
			u.release);
	close(fd);
	pthread_once(&tracepoint.once, read_tracepoint);
	if (tracepoint.no[0])
		return nf_error_set(why, NF_FAILED_PRECONDITION, NULL, "%s", tracepoint.no);
	*ret = tracepoint.host;
	return 0;
}

/* ---- loading --------------------------------------------------------------------------------- */

/* The verifier's log ends with what it refuses: keep the complaint and its instruction. */
static void last_words(char *log, char *ret, size_t size, uint32_t *ret_insn)
{
	char *line, *save = NULL;
	char insn_line[160] = "", complaint[320] = "";

	*ret_insn = UINT32_MAX;
	for (line = strtok_r(log, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *end;
		unsigned long n = strtoul(line, &end, 10);

		if (!strncmp(line, "processed ", 10) || !strncmp(line, "verification time", 17) ||
		    !strncmp(line, "stack depth", 11) || line[0] == ';' || !*line)
			continue;
		if (end != line && !strncmp(end, ": (", 3)) {
			*ret_insn = (uint32_t)n;
			snprintf(insn_line, sizeof(insn_line), "%s", line);
			complaint[0] = 0;
		} else if (!(isdigit((unsigned char)line[0]) && *end == ':') &&
			   strncmp(line, "from ", 5)) {
			snprintf(complaint, sizeof(complaint), "%s", line);
		}
	}
	snprintf(ret, size, "%s%s%s%s", complaint[0] ? complaint : "no reason given",
		 insn_line[0] ? " (at instruction " : "", insn_line, insn_line[0] ? ")" : "");
}

static int refused(const struct kernel_image *image, const struct vm_program *vp, char *log,
		   int errnum, struct nf_error *err)
{
	char words[512], where[256] = "";
	uint32_t insn, origin;

	if (errnum == EPERM)
		return nf_error_set(
			err, NF_FAILED_PRECONDITION, NULL,
			"the kernel does not permit this process to load a BPF program");
	last_words(log, words, sizeof(words), &insn);
	origin = insn < image->n_insns ? image->origins[insn] : 0;
	if (origin) {
		const struct vm_code *code = &vp->code[KERNEL_ORIGIN_KIND(origin)];
		const struct flat_origin *o = &code->flat.origin[KERNEL_ORIGIN_INSN(origin)];

		program_where(vp->program, o->func, o->insn, where, sizeof(where));
	}
	return nf_error_set(err, NF_FAILED_PRECONDITION, where[0] ? where : NULL,
			    "the kernel's verifier refused it: %s", words);
}

int kernel_load(const struct kernel_host *host, const struct kernel_image *image,
		const struct vm_program *vp, int *ret_fd, struct nf_error *err)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_RAW_TP,
		    .attach_btf_id = host->tracepoint_id);
	struct kernel_func_info info[KERNEL_MAX_FUNCTIONS];
	AUTO_FREE char *log = NULL;
	AUTO_CLOSE int btf_fd = -1;
	int fd, r;

	if (image->n_functions > 1) {
		r = kernel_btf_load(image, &btf_fd, info, err);
		if (r)
			return r;
		opts.prog_btf_fd = (uint32_t)btf_fd;
		opts.func_info = info;
		opts.func_info_cnt = image->n_functions;
		opts.func_info_rec_size = sizeof(info[0]);
	}
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "nearfold_scan", "Dual BSD/GPL", image->insns,
			   image->n_insns, &opts);
	/* It took seconds to find that out, and would take longer with a log that says no more. */
	if (fd < 0 && errno == E2BIG)
		return nf_error_set(err, NF_FAILED_PRECONDITION, NULL,
				    "too complex for the kernel's verifier, which gives up after a "
				    "million instructions: use fewer branches, and fewer nested "
				    "loops");
	if (fd < 0) {
		/* Once more, for the reason. */
		log = calloc(1, LOG_BYTES);
		if (!log)
			return -ENOMEM;
		opts.log_buf = log;
		opts.log_size = LOG_BYTES;
		opts.log_level = 1;
		fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "nearfold_scan", "Dual BSD/GPL",
				   image->insns, image->n_insns, &opts);
	}
	if (fd < 0)
		return refused(image, vp, log, errno, err);
	*ret_fd = fd;
	return 0;
}

int kernel_attach(int program_fd, int *ret_fd, struct nf_error *err)
{
	int fd = bpf_raw_tracepoint_open(NULL, program_fd);

	if (fd < 0)
		return nf_error_sys(err, NF_FAILED_PRECONDITION, errno, NULL,
				    "cannot attach to the tracepoint io_uring_complete");
	*ret_fd = fd;
	return 0;
}
