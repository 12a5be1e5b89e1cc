#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# What a user sees of the verifier: each program of tests/programs/broken is refused with function,
# instruction, source line and reason; those of guarded run and give what they promise; one that
# never ends is stopped by the meter, with its source line.
. "$(dirname "$0")/../support/node.sh"

nearfold=$B/nearfold
sources=$(dirname "$0")/../programs
refused=0
ran=0

# says FILE KEY: what follows "// KEY: "
says()
{
	sed -n "s,^// $2: ,,p" "$1"
}

for source in "$sources"/broken/*.bpf.c; do
	name=$(basename "$source" .bpf.c)
	status=0
	"$nearfold" check "$B/tests/programs/broken/$name.bpf.o" >"$T/out" 2>"$T/err" || status=$?
	check_equal "exit status of check $name ($(cat "$T/err"))" "$status" 1
	grep -Fq -- "$(says "$source" expect)" "$T/err" || fail "$name: '$(cat "$T/err")'"
	grep -Eq "$name\.bpf\.c:[0-9]+ in (filter|key|reduce|combine|sub) '[a-z]+' \(instruction [0-9]+\)" \
		"$T/err" || fail "$name: does not say where: '$(cat "$T/err")'"
	refused=$((refused + 1))
done
[ $refused -ge 20 ] || fail "only $refused broken programs"

# struct rec of parts.h: id 3, value 5, kind 2, flags 8
printf '\3\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\2\0\0\0\10\0\0\0' >"$T/one.bin"
printf 'alpha,42,gamma delta\n' >"$T/one.txt"
for source in "$sources"/guarded/*.bpf.c; do
	name=$(basename "$source" .bpf.c)
	object=$B/tests/programs/guarded/$name.bpf.o
	param=()
	"$nearfold" check "$object" >"$T/out" 2>"$T/err" || fail "check $name: $(cat "$T/err")"
	grep -q "^guarded .*$name\.bpf\.c:[0-9]" "$T/out" || fail "$name: no guard: $(cat "$T/out")"
	if grep -q 'const char \*line' "$source"; then
		data=(--local "$T/one.txt" --format lines)
	else
		data=(--local "$T/one.bin" --format fixed:24)
		! grep -q 'p->weight' "$source" || param=(--param 'weight[8]=8')
	fi
	"$nearfold" run "$object" "${data[@]}" "${param[@]}" --engine interp --output csv \
		>"$T/out" 2>"$T/err" || fail "run $name: $(cat "$T/err")"
	check_equal "$name" "$(sed -n '2s/,.*//p' "$T/out")" "$(says "$source" gives)"
	ran=$((ran + 1))
done
[ $ran -ge 10 ] || fail "only $ran guarded programs"

# An access that its guard stops names record and line.
printf '\3\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\20\0\0\0\10\0\0\0' >"$T/wide.bin"
status=0
"$nearfold" run "$B/tests/programs/guarded/computed_index.bpf.o" --local "$T/wide.bin" \
	--format fixed:24 --engine interp >"$T/out" 2>"$T/err" || status=$?
check_equal "exit status of a tripped guard" "$status" 1
grep -q 'computed_index.bpf.c:8' "$T/err" || fail "a tripped guard says: $(cat "$T/err")"
grep -q 'wide.bin' "$T/err" || fail "a tripped guard names no record: $(cat "$T/err")"

status=0
start=$(date +%s%N)
"$nearfold" run "$B/tests/programs/endless/forever.bpf.o" --local "$T/one.bin" --format fixed:24 \
	--engine interp >"$T/out" 2>"$T/err" || status=$?
milliseconds=$((($(date +%s%N) - start) / 1000000))
check_equal "exit status of an endless program" "$status" 1
grep -Eq 'forever\.bpf\.c:[0-9]+' "$T/err" || fail "an endless program: $(cat "$T/err")"
echo "$refused refused, $ran ran guarded, the endless one was stopped after $milliseconds ms: $(cat "$T/err")"
