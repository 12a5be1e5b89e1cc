/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* docs/program-abi.md states the limits that program.h has. */
#include "program_fixture.h"

#include <stdio.h>

#define LIMIT(name)         \
	{                   \
#name, name \
	}

static const struct {
	const char *name;
	unsigned value;
} limits[] = {
	LIMIT(PROGRAM_MAX_INSNS),
	LIMIT(PROGRAM_MAX_FLAT_INSNS),
	LIMIT(PROGRAM_MAX_FUNCS),
	LIMIT(PROGRAM_MAX_CALL_DEPTH),
	LIMIT(PROGRAM_STACK_FRAME_BYTES),
	LIMIT(PROGRAM_MAX_STATE_BYTES),
	LIMIT(PROGRAM_MAX_GROUP_STATE_BYTES),
	LIMIT(PROGRAM_MAX_KEY_BYTES),
	LIMIT(PROGRAM_MAX_PARAMS_BYTES),
	LIMIT(PROGRAM_MAX_RECORD_BYTES),
	LIMIT(PROGRAM_MAX_RODATA_BYTES),
	LIMIT(PROGRAM_MAX_BTF_BYTES),
};

static void the_limits_are_those_of_the_header(void **state)
{
	AUTO_FCLOSE FILE *f = fopen("docs/program-abi.md", "r");
	AUTO_FREE char *text = NULL;
	size_t room = 0;

	(void)state;
	if (!f)
		fail_msg("docs/program-abi.md: run the tests in the project's root");
	assert_true(getdelim(&text, &room, '\0', f) > 0);
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		char row[120];

		snprintf(row, sizeof(row), "\n| `%s` | %u | ", limits[i].name, limits[i].value);
		if (!strstr(text, row))
			fail_msg("docs/program-abi.md lacks the row: %s", row + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_limits_are_those_of_the_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
