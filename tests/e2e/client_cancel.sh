#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Ctrl-C (SIGINT) in the middle of a query, here and on a node: "cancelled", exit status 1, and the
# node runs nothing any more. --timeout does the same by itself. On a terminal there is a progress
# bar, which is cleaned away; in a pipe there is none.
. "$(dirname "$0")/../support/node.sh"

# Some 100000 instructions a record: a second of data lasts for minutes.
cat >"$T/slow.bpf.c" <<'P'
#include "nearfold.bpf.h"
struct rec { u64 v; };
struct sum { u64 v; };
FOLD_REDUCE add(struct sum *s, const struct rec *r, u32 len)
{
	u64 x = r->v;

	for (u32 i = 0; i < 20000; i++) {
		x = x * 6364136223846793005ull + i;
		asm volatile("" : "+r"(x));
	}
	s->v += x;
	return FOLD_MORE;
}
FOLD_COMBINE merge(struct sum *into, const struct sum *from) { into->v += from->v; }
P
${BPF_CC:-clang-19} -O2 -g -target bpf -mcpu=v3 -I "$(dirname "$0")/../../bpf" \
	-c "$T/slow.bpf.c" -o "$T/slow.bpf.o"
head -c 80M /dev/zero >"$T/zeroes.bin"
node_start "unix:$T/node.sock" --export "zeroes=$T/zeroes.bin,format=fixed:8"
local=(--local "$T/zeroes.bin" --format fixed:8 --chunk 4K)
node=(--node "$NODE_ADDRESS" --dataset zeroes --chunk 4K)

running()
{
	"$B/nearfold" status --node "$NODE_ADDRESS" --output json | jq '.queries | length'
}

# interrupt WHAT ARG...: starts the query, waits until it runs, sends SIGINT
interrupt()
{
	local what=$1 status=0 pid begin end

	shift
	# A shell's background job ignores SIGINT; the program must not inherit that.
	python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$B/nearfold" run "$T/slow.bpf.o" "$@" >"$T/out" 2>"$T/err" &
	pid=$!
	sleep 1
	kill -0 "$pid" || fail "$what: it did not run for a second: $(cat "$T/err")"
	begin=$(date +%s%N)
	kill -INT "$pid"
	wait "$pid" || status=$?
	end=$(date +%s%N)
	check_equal "$what: exit status" "$status" 1
	check_equal "$what: message" "$(cat "$T/err")" "nearfold: cancelled"
	[ ! -s "$T/out" ] || fail "$what: printed an answer: $(cat "$T/out")"
	echo "$what: ended $(((end - begin) / 1000000)) ms after the signal"
}

interrupt "local" "${local[@]}"
interrupt "on a node" "${node[@]}"
for _ in $(seq 50); do
	[ "$(running)" != 0 ] || break
	sleep 0.1
done
check_equal "queries on the node after the cancel" "$(running)" 0

# expect_timeout WHAT ARG...
expect_timeout()
{
	local what=$1 status=0 begin=$SECONDS

	shift
	timeout 60 "$B/nearfold" run "$T/slow.bpf.o" --timeout 500ms "$@" >"$T/out" 2>"$T/err" ||
		status=$?
	check_equal "$what: exit status with --timeout ($(cat "$T/err"))" "$status" 1
	grep -q DEADLINE_EXCEEDED "$T/err" || fail "$what: $(cat "$T/err")"
	[ $((SECONDS - begin)) -le 20 ] || fail "$what: --timeout 500ms took $((SECONDS - begin)) s"
}
expect_timeout "local" "${local[@]}"
expect_timeout "on a node" "${node[@]}"

if command -v script >/dev/null; then
	command="$B/nearfold run $T/slow.bpf.o ${node[*]} --timeout 2s"
	script -qec "$command" /dev/null </dev/null >"$T/out" || true
	grep -q '%.*/s' "$T/out" || fail "no progress bar on a terminal: $(cat -v "$T/out")"
	# The last thing before the message: back to the line's start, and cleared.
	grep -q $'\r\033\\[Knearfold: ' "$T/out" || fail "the bar stayed: $(cat -v "$T/out")"
	script -qec "$command --no-progress" /dev/null </dev/null >"$T/out" || true
	! grep -q '%' "$T/out" || fail "a bar with --no-progress: $(cat -v "$T/out")"
fi
"$B/nearfold" run "$T/slow.bpf.o" "${node[@]}" --timeout 1s >"$T/out" 2>"$T/err" || true
! grep -q $'\r' "$T/err" || fail "a progress bar in a pipe"
node_stop || fail "the node ended with status $?"
