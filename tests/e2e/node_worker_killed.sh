#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# kill -9 of a worker in mid-query costs that query and nothing else.
. "$(dirname "$0")/../support/node.sh"
. "$(dirname "$0")/../support/node_query.sh"

slow_data slow.bin
head -c 240 /dev/zero >"$T/small.bin"
node_start 127.0.0.1:0 --export "slow=$T/slow.bin,format=fixed:24" \
	--export "small=$T/small.bin,format=fixed:24"
small()
{
	"$B/nearfold" run "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --dataset small \
		--output csv 2>"$T/small.err" >"$T/small.out" || fail "$(cat "$T/small.err")"
	grep -q '^10,' "$T/small.out" || fail "wrong answer: $(cat "$T/small.out")"
}

small
wait_no_workers
before=$(files_at_rest)
shared_before=$(find /dev/shm -mindepth 1 | wc -l)

slow_query --dataset slow
kill -9 "$WORKER_PID"
query_status
check_equal "exit status" "$STATUS" 1
grep -q 'worker died by signal 9 (Killed), query [0-9]' "$T/query.err" ||
	fail "the message does not name the signal and the query: $(cat "$T/query.err")"
grep -q INTERNAL "$T/query.err" || fail "not INTERNAL: $(cat "$T/query.err")"
check_equal "answer after an error" "$(cat "$T/query.out")" ""

small
wait_no_workers
check_files "$before"
check_equal "shared memory" "$(find /dev/shm -mindepth 1 | wc -l)" "$shared_before"
if find "/proc/$NODE_PID/fd" "/proc/$(spawner_pid)/fd" -lname '*memfd*' | grep .; then
	fail "a memfd is left"
fi
logged 'outcome=INTERNAL'
node_stop || fail "the node ended with status $?"
