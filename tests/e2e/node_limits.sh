#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Limits of an answer and of a request are named, and never give a part of an answer.
. "$(dirname "$0")/../support/node.sh"
. "$(dirname "$0")/../support/node_query.sh"

# refused LIMIT PROGRAM ARG...
refused()
{
	local limit=$1 program=$2 status=0

	shift 2
	"$B/nearfold" run "$B/examples/$program.bpf.o" --node "$NODE_ADDRESS" --no-progress "$@" \
		>"$T/out" 2>"$T/err" || status=$?
	check_equal "exit status ($limit)" "$status" 1
	check_equal "answer ($limit)" "$(cat "$T/out")" ""
	grep -q "RESOURCE_EXHAUSTED" "$T/err" && grep -q "$limit" "$T/err" ||
		fail "$limit: $(cat "$T/err")"
	echo "$limit: $(head -n 1 "$T/err")"
}

record=$(sed -n 's/.*--export [^ ]*format=fixed:\([0-9]*\).*/\1/p;s/.*--format fixed:\([0-9]*\).*/\1/p' \
	"$(dirname "$0")/../../bpf/examples/group_by.bpf.c" | head -n 1)
[ -n "$record" ] || fail "group_by.bpf.c does not say its record size"
head -c $((record * 200000)) /dev/urandom >"$T/random.bin"
truncate -s $((record << 27)) "$T/big.bin"
node_start 127.0.0.1:0 --export "random=$T/random.bin,format=fixed:$record" --limit groups=100 \
	--limit memory_bytes_per_query=64M --export "big=$T/big.bin,format=fixed:$record"
refused groups group_by --dataset random
refused memory_bytes average --dataset big --threads 2 --chunk 64M --depth 8 --reader pread
refused instructions_per_record average --dataset random --budget 100000000000
node_stop
node_start 127.0.0.1:0 --export "random=$T/random.bin,format=fixed:$record" --limit result_bytes=1K
refused result_bytes group_by --dataset random
