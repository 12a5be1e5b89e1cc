#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# allow: who came by a UNIX socket is its user, who came by TCP is nobody, and both are told.
. "$(dirname "$0")/../support/node.sh"

head -c 240 /dev/zero >"$T/small.bin"
me=uid:$(id -u)
other=uid:$(($(id -u) + 1))
args=()
for set in "mine $me" "shared $other+$me" "others $other" "anybodys *" "names alice"; do
	args+=(--export "${set%% *}=$T/small.bin,format=fixed:24,allow=${set#* }")
done
args+=(--export "open=$T/small.bin,format=fixed:24")

run()
{
	local status=0

	"$B/nearfold" run "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --dataset "$1" --output csv \
		>"$T/out" 2>"$T/err" || status=$?
	return "$status"
}

allowed()
{
	run "$1" || fail "$NODE_ADDRESS may not use $1: $(cat "$T/err")"
	grep -q '^10,' "$T/out" || fail "a wrong answer: $(cat "$T/out")"
	"$B/nearfold" read --node "$NODE_ADDRESS" --dataset "$1" 2>"$T/err" | cmp - "$T/small.bin" ||
		fail "$NODE_ADDRESS may not read $1: $(cat "$T/err")"
}

# Who is refused gets no byte of it, by neither way.
refused()
{
	if run "$1"; then
		fail "$NODE_ADDRESS may use $1"
	fi
	grep -q PERMISSION_DENIED "$T/err" || fail "not PERMISSION_DENIED: $(cat "$T/err")"
	check_equal "an answer from $1" "$(cat "$T/out")" ""
	if "$B/nearfold" read --node "$NODE_ADDRESS" --dataset "$1" >"$T/out" 2>"$T/err"; then
		fail "$NODE_ADDRESS may read $1"
	fi
	grep -q PERMISSION_DENIED "$T/err" || fail "not PERMISSION_DENIED: $(cat "$T/err")"
	check_equal "bytes of $1" "$(wc -c <"$T/out")" 0
}

node_start "unix:$T/node.sock" "${args[@]}"
for set in mine shared anybodys open; do
	allowed "$set"
done
for set in others names; do
	refused "$set"
	grep -q "$me" "$T/err" || fail "the refusal does not name the identity: $(cat "$T/err")"
done
grep -q "who=$me dataset=others .*outcome=PERMISSION_DENIED" "$NODE_LOG" ||
	fail "the log does not say who was refused"
"$B/nearfold" datasets --node "$NODE_ADDRESS" --output csv >"$T/listed" 2>"$T/err" ||
	fail "$(cat "$T/err")"
check_equal "data sets that are listed" "$(sed 's/,.*//' "$T/listed" | tr '\n' ' ')" \
	"name mine shared anybodys open "
node_stop || fail "the node ended with status $?"

node_start 127.0.0.1:0 "${args[@]}"
for set in anybodys open; do
	allowed "$set"
done
for set in mine shared others names; do
	refused "$set"
done
node_stop || fail "the node ended with status $?"
