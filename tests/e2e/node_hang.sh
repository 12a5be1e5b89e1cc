#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# A file system that hangs when a file is opened costs its clients their time limits, the others
# nothing, and the daemon can end.
. "$(dirname "$0")/../support/node.sh"
. "$(dirname "$0")/../support/node_query.sh"

# What hangs is openat2() in one thread, held back by a tracer; the others go on.
command -v strace >/dev/null || skip "strace is not here, which makes a system call hang"
head -c 240 /dev/zero >"$T/small.bin"
: >"$T/trace"
node_start 127.0.0.1:0 --export "small=$T/small.bin,format=fixed:24" \
	--export "large=$T/small.bin,format=fixed:24" --limit seconds_per_query=2
strace -f -p "$NODE_PID" -o "$T/trace" -e trace=openat2 -P small.bin \
	-e inject=openat2:delay_enter=25000000 2>"$T/strace.err" &
tracer=$!
for _ in $(seq 100); do
	! grep -q attached "$T/strace.err" || break
	kill -0 "$tracer" 2>/dev/null || skip "no tracer may attach: $(head -n 1 "$T/strace.err")"
	sleep 0.05
done

hung()
{
	local start=${EPOCHREALTIME/./}

	STATUS=0
	timeout 20 "$B/nearfold" run "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --dataset small \
		--no-progress "$@" >"$T/out" 2>"$T/err" || STATUS=$?
	echo "$* ended after $(((${EPOCHREALTIME/./} - start) / 1000)) ms: $(head -n 1 "$T/err")"
	check_equal "exit status" "$STATUS" 1
}

hung --engine interp --timeout 500ms
grep -q DEADLINE_EXCEEDED "$T/err" || fail "not the deadline: $(cat "$T/err")"
hung --engine interp
grep -q RESOURCE_EXHAUSTED "$T/err" && grep -q seconds_per_query "$T/err" &&
	grep -q 'waited for its files' "$T/err" || fail "not the limit: $(cat "$T/err")"
grep -q openat2 "$T/trace" || fail "nothing hung: the tracer saw no openat2"

# The node still answers, and its queries are over as far as it says.
check_equal "queries" \
	"$("$B/nearfold" status --node "$NODE_ADDRESS" --output json | jq '.queries | length')" 0
# The tracer keeps its thread even from exiting, so it goes when the daemon has said that it does.
kill "$NODE_PID"
logged 'a file system does not answer'
kill -9 "$tracer"
status=0
node_stop || status=$?
check_equal "the daemon's exit status" "$status" 1
