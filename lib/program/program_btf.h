/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program_btf.h - BTF that came from outside. For lib/program only.
 *
 * libbpf trusts the BTF that it is given in places (type ids, name offsets, array sizes), so
 * every byte is checked before libbpf sees it.
 */
#ifndef NF_PROGRAM_BTF_H
#define NF_PROGRAM_BTF_H

#include <bpf/btf.h>

#include "program/program.h"

/* Chains of typedefs, qualifiers and arrays are followed this far, then refused. */
enum { BTF_MAX_CHAIN = 32 };

/* Checks all that libbpf takes on trust, then parses. -EINVAL with reason. *ret is the caller's,
 * for btf__free(). */
int program_btf_new(const void *data, size_t size, const char *where, struct btf **ret,
		    struct nf_error *err);

/* The type behind typedefs and qualifiers, or NULL when the chain is too long or ends in void
 * (id 0). Its id goes to *ret_id if not NULL. */
const struct btf_type *program_btf_strip(const struct btf *btf, uint32_t id, uint32_t *ret_id);

/* sizeof(type), or -1 when it has none (void, function, incomplete) or is over 4 GiB. */
int64_t program_btf_size(const struct btf *btf, uint32_t id);

#endif
