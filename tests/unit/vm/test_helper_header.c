/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The three places that name the helpers say the same: the table in lib/vm, what programs
 * include, and the documentation.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "vm/vm_helper.h"

/* Tests run in the project's root. */
static char *read_file(const char *path)
{
	AUTO_FCLOSE FILE *f = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;

	if (!f)
		fail_msg("cannot open %s; run the tests in the project's root", path);
	assert_true(getdelim(&text, &room, '\0', f) > 0);
	return text;
}

/* Where a line was broken does not matter. */
static void one_space(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		bool space = *from == ' ' || *from == '\n' || *from == '\t';

		if (!space)
			*to++ = *from;
		else if (to > text && to[-1] != ' ')
			*to++ = ' ';
	}
	*to = '\0';
}

/* FOLD_HELPER RESULT (*const NAME)(ARGUMENTS) = (void *)NUMBER; */
static void the_header_has_each_helper(void **state)
{
	AUTO_FREE char *text = read_file("bpf/nearfold.bpf.h");
	static const char mark[] = "\nFOLD_HELPER ";
	size_t n = 0;

	(void)state;
	for (char *p = text; (p = strstr(p, mark)); n++) {
		char *result = p + strlen(mark), *name = strstr(result, "(*const ");
		char *arguments = name ? strchr(name, ')') : NULL;
		char *end = arguments ? strchr(arguments + 1, ')') : NULL;
		char *number = end ? strstr(end, "(void *)") : NULL;
		char prototype[200];

		assert_non_null(number);
		long value = strtol(number + strlen("(void *)"), &p, 16);
		assert_int_equal(*p, ';');
		const struct vm_helper *h = vm_helper_by_number((int32_t)value);
		if (!h)
			fail_msg("nearfold.bpf.h declares helper %#lx, which the table lacks",
				 value);
		snprintf(prototype, sizeof(prototype), "%.*s%.*s%.*s", (int)(name - result), result,
			 (int)(arguments - name - 8), name + 8, (int)(end - arguments),
			 arguments + 1);
		one_space(prototype);
		assert_string_equal(prototype, h->prototype);
	}
	assert_int_equal(n, vm_n_helpers);
}

/* | `0xNUMBER` | `PROTOTYPE` | ... */
static void the_documentation_has_each_helper(void **state)
{
	AUTO_FREE char *text = read_file("docs/program-abi.md");
	size_t rows = 0;

	(void)state;
	for (size_t i = 0; i < vm_n_helpers; i++) {
		char row[300];

		snprintf(row, sizeof(row), "\n| `%#zx` | `%s` | ", VM_HELPER_BASE + i,
			 vm_helpers[i].prototype);
		if (!strstr(text, row))
			fail_msg("docs/program-abi.md lacks the row: %s", row + 1);
	}
	for (char *p = text; (p = strstr(p, "\n| `0x1")); p++)
		rows++;
	assert_int_equal(rows, vm_n_helpers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_header_has_each_helper),
		cmocka_unit_test(the_documentation_has_each_helper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
