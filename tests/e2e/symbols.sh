#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Each global name is defined once in what a program is linked from. A linker takes the first it finds
# in archives and says nothing of the second, so that one module may run another's function.
. "$(dirname "$0")/../support/node.sh"

# once WHAT FILE...: objects and archives
once()
{
	local what=$1 twice

	shift
	[ $# -gt 1 ] && [ -e "$1" ] || fail "nothing is there that $what is linked from"
	nm -A --defined-only --extern-only "$@" >"$T/names"
	[ "$(wc -l <"$T/names")" -gt 100 ] || fail "nm sees hardly a name of $what"
	# Weak and unique definitions (V, W, u) may be there twice, common ones (C) are not ours.
	twice=$(awk 'NF > 2 && $(NF - 1) ~ /^[ABCDGRST]$/ {print $NF}' "$T/names" | sort | uniq -d)
	for name in $twice; do
		awk -v name="$name" '$NF == name' "$T/names" >&2
	done
	[ -z "$twice" ] || fail "in $what these names are defined twice: ${twice//$'\n'/ }"
}

node=$(find "$B/obj/storage-node" -name '*.o')
client=$(find "$B/obj/compute-client" -name '*.o')
# An object whose source is gone stays in a build folder, but is linked no more.
of_sources()
{
	local object source

	for object; do
		source=${object#"$B/obj/"}
		[ ! -e "$(dirname "$0")/../../${source%.o}.c" ] || echo "$object"
	done
}
# shellcheck disable=SC2046,SC2086
once nearfoldd $(of_sources $node) "$B"/lib/*.a
# shellcheck disable=SC2046,SC2086
once nearfold $(of_sources $client) "$B"/lib/*.a

# The check sees what it is for.
printf 'int program_check(void);\nint program_check(void)\n{\n\treturn 0;\n}\n' >"$T/twice.c"
cc -c -o "$T/twice.o" "$T/twice.c"
# shellcheck disable=SC2046,SC2086
if (once nearfoldd "$T/twice.o" $(of_sources $node) "$B"/lib/*.a) 2>"$T/err"; then
	fail "a second program_check was not seen"
fi
grep -q 'defined twice: program_check' "$T/err" || fail "another reason: $(cat "$T/err")"

foreign=$(nm -D --defined-only "$B/libnearfold.so" | awk '$3 !~ /^nearfold_/ && $2 != "A" {print $3}')
check_equal "names exported by libnearfold.so" "$foreign" ""
