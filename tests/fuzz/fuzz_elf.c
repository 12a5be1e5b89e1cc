/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* fuzz_elf.c - objects from anywhere into the ELF reader; what it accepts is used in every way. */
#include <stdio.h>

#include "base/scope.h"
#include "program/program_disasm.h"
#include "program/program_elf.h"
#include "program/program_flatten.h"
#include "program/program_layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_layout(const struct program *p, enum layout_of of, uint32_t bytes)
{
	AUTO(layout_done) struct layout l = {0};
	AUTO_FREE uint8_t *value = calloc(1, bytes ? bytes : 1);
	char text[256];

	if (program_layout(p, of, &l, NULL))
		return;
	for (uint32_t i = 0; i < l.n_members; i++) {
		layout_format(&l.members[i], value, text, sizeof(text));
		layout_parse(&l.members[i], text, value, NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct program *p = NULL;
	struct nf_error err = {0};
	char message[1100];

	if (program_elf_read(data, size, "input", &p, &err)) {
		/* Every refusal says why. */
		if (!err.text[0])
			__builtin_trap();
		nf_error_message(&err, message, sizeof(message));
		return 0;
	}
	AUTO_FREE char *text = NULL;
	size_t text_size;
	FILE *out = open_memstream(&text, &text_size);
	disasm_program(p, NULL, out);
	fclose(out);
	for (int kind = 0; kind < PROGRAM_ENTRIES; kind++) {
		AUTO(flat_code_done) struct flat_code flat = {0};

		program_flatten(p, (enum program_kind)kind, &flat, &err);
	}
	use_layout(p, LAYOUT_OF_RECORD, p->record_bytes);
	use_layout(p, LAYOUT_OF_PARAMS, p->params_bytes);
	use_layout(p, LAYOUT_OF_KEY, p->key_bytes);
	use_layout(p, LAYOUT_OF_STATE, p->state_bytes);
	program_unref(p);
	return 0;
}
