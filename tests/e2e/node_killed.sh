#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Nothing outlives the daemon; and without its spawner the daemon says so and ends.
. "$(dirname "$0")/../support/node.sh"
. "$(dirname "$0")/../support/node_query.sh"

slow_data slow.bin
wait_dead()
{
	local i

	for i in $(seq 100); do
		# A zombie that nobody reaps has ended, too.
		[ -e "/proc/$1" ] && ! grep -q '^State:[[:space:]]*[ZX]' "/proc/$1/status" || return 0
		sleep 0.02
	done
	fail "process $1 ($(cat "/proc/$1/comm")) is left"
}

node_start 127.0.0.1:0 --export "slow=$T/slow.bin,format=fixed:24"
slow_query --dataset slow
spawner=$(spawner_pid)
node_kill
wait_dead "$spawner"
wait_dead "$WORKER_PID"
query_status
check_equal "exit status after the daemon was killed" "$STATUS" 1
grep -q UNAVAILABLE "$T/query.err" || fail "not UNAVAILABLE: $(cat "$T/query.err")"

node_start 127.0.0.1:0 --export "slow=$T/slow.bin,format=fixed:24"
slow_query --dataset slow
kill -9 "$(spawner_pid)"
wait_dead "$WORKER_PID"
query_status
check_equal "exit status after the spawner was killed" "$STATUS" 1
grep -q UNAVAILABLE "$T/query.err" || fail "not UNAVAILABLE: $(cat "$T/query.err")"
status=0
node_stop || status=$?
check_equal "the daemon's exit status" "$status" 1
logged 'the spawner .* is gone'
