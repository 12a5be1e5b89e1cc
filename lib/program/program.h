/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * program.h - the program model: up to four pure functions over a record.
 *
 * A program comes from an ELF object (program_elf.h, client side only) or from a Program message
 * (lib/wire). Both fill a draft `struct program`; program_create() is the one validator, makes a
 * sealed copy, and names it by the SHA-256 of its canonical bytes. A sealed program is immutable
 * and shared by reference count (atomic: any thread).
 *
 * Instructions are those of RFC 9669 in host order of the machine, 8 bytes each (`struct
 * bpf_insn`), every function by itself, jumps relative inside their function. References are
 * symbolic and stand in the instruction:
 *
 *	call sub-function	opcode CALL, src_reg 1, imm = index into funcs[] (a PROGRAM_SUB)
 *	call helper		opcode CALL, src_reg 0, imm = helper number (vm_helper.h, >=
 *0x10000) address of rodata	LD_IMM64, src_reg 3 (RFC 9669: dst = var_addr(imm)), imm = byte
 *offset into rodata, imm of the second half 0
 *
 * program_create() checks: counts and sizes against PROGRAM_MAX_*; at most one function of each
 * kind but PROGRAM_SUB; a reduce and a combine are there; a key function if and only if
 * key_bytes > 0; LD_IMM64 pairs whole; jump targets inside the function and not into the middle
 * of a pair; no function runs off its end; sub-function indexes, rodata offsets; reserved fields
 * of references zero; no recursion, call depth at most PROGRAM_MAX_CALL_DEPTH; line tables
 * ascending and in range; function names are identifiers of C, file names and source lines
 * printable UTF-8; BTF parses and the type ids exist and have the stated sizes. Opcodes are left
 * to the verifier (lib/vm), which owns the instruction table.
 */
#ifndef NF_PROGRAM_H
#define NF_PROGRAM_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum {
	PROGRAM_MAX_INSNS = 4096, /* all functions together */
	PROGRAM_MAX_FUNCS = 64,
	PROGRAM_MAX_CALL_DEPTH = 8, /* frames, the entry function's included */
	PROGRAM_STACK_FRAME_BYTES = 512,
	PROGRAM_MAX_STATE_BYTES = 64 << 10, /* ungrouped */
	PROGRAM_MAX_GROUP_STATE_BYTES = 4 << 10,
	PROGRAM_MAX_KEY_BYTES = 64,
	PROGRAM_MAX_PARAMS_BYTES = 64 << 10,
	PROGRAM_MAX_RECORD_BYTES = 1 << 20, /* also the longest line */
	PROGRAM_MAX_RODATA_BYTES = 256 << 10,
	PROGRAM_MAX_BTF_BYTES = 512 << 10,
	PROGRAM_MAX_FLAT_INSNS = 16384, /* one entry function after inlining */
	PROGRAM_MAX_FILES = 64,
	PROGRAM_MAX_NAME_BYTES = 255, /* of a function or a source file */
	PROGRAM_MAX_LINE_BYTES = 255, /* of a source line's text */
	PROGRAM_ID_BYTES = 32,
};

/* src_reg of LD_IMM64 for the address of rodata; RFC 9669 section 5.4, "var_addr". */
#define PROGRAM_PSEUDO_RODATA 3

enum program_kind {
	PROGRAM_FILTER,
	PROGRAM_KEY,
	PROGRAM_REDUCE,
	PROGRAM_COMBINE,
	PROGRAM_ENTRIES, /* how many kinds of entry functions */
	PROGRAM_SUB = PROGRAM_ENTRIES,
};

/* "filter", "key", "reduce", "combine", "sub" */
const char *program_kind_name(enum program_kind kind);

/* From instruction `insn` of the function on, until the next row: line `line` of `file`. */
struct program_line {
	uint32_t insn;
	uint32_t line;    /* from 1 */
	uint32_t column;  /* from 1; 0 unknown */
	uint32_t file;    /* index into program.files */
	const char *text; /* the source line as BTF.ext has it; may be "" */
};

struct program_func {
	enum program_kind kind;
	const char *name;
	const struct bpf_insn *insns;
	uint32_t n_insns;
	uint32_t n_lines;
	const struct program_line *lines;
};

struct program {
	uint8_t id[PROGRAM_ID_BYTES]; /* set by program_create() */
	uint32_t n_funcs, n_files;
	const struct program_func *funcs;
	const char *const *files;
	uint32_t record_bytes; /* sizeof(REC); 0: any length (REC is void or char) */
	uint32_t params_bytes; /* 0: takes no parameters */
	uint32_t key_bytes;    /* 0: ungrouped */
	uint32_t state_bytes;
	uint32_t rodata_bytes, btf_bytes;
	const uint8_t *rodata;
	const uint8_t *init_state; /* state_bytes bytes, or NULL: zeroes */
	const uint8_t *btf;        /* NULL: no type information, results print as hex */
	uint32_t record_type, params_type, key_type,
		state_type; /* BTF ids of REC ...; 0: none,
			     * and always so where the size is 0 */
};

/*
 * Copy, validate and seal. *ret holds one reference.
 * -EINVAL with err->where = "function NAME, instruction N (file:line)" or the field's name.
 * -ENOMEM.
 */
int program_create(const struct program *draft, struct program **ret, struct nf_error *err);
struct program *program_ref(struct program *p);
void program_unref(struct program *p); /* NULL is fine */

/* The entry function of that kind, or NULL. Its index in funcs[] goes to *ret_index if not NULL. */
const struct program_func *program_entry(const struct program *p, enum program_kind kind,
					 uint32_t *ret_index);

/* The line-table row that covers instruction insn of function func, or NULL. */
const struct program_line *program_line_at(const struct program *p, uint32_t func, uint32_t insn);

/* "average.bpf.c:14 in reduce 'sum' (instruction 7)"; leaves out what is unknown. Returns buf. */
const char *program_where(const struct program *p, uint32_t func, uint32_t insn, char *buf,
			  size_t size);

/*
 * The canonical bytes, which program_create() hashes (program_canonical.c describes them); ret is
 * malloc()ed. The id is not part of them. -ENOMEM.
 */
int program_canonical(const struct program *p, uint8_t **ret, size_t *ret_size);

/* 64 hex digits and NUL. */
void program_id_hex(const uint8_t id[PROGRAM_ID_BYTES], char ret[2 * PROGRAM_ID_BYTES + 1]);

#endif
