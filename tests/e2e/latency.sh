#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# 200 queries over a data set of one record, on one connection: prints the median, and how many
# bytes a query takes on the wire when the node has the program already (below 4 KiB) and when it has
# not (below 16 KiB). The aim for the median is 2 ms; it is printed, not asserted.
. "$(dirname "$0")/../support/node.sh"

head -c 24 /dev/zero >"$T/one.bin"
node_start 127.0.0.1:0 --export "one=$T/one.bin,format=fixed:24"
loopback=$NODE_PID
tcp=$("$B/tests/prog_latency" "$NODE_ADDRESS" "$B/examples/average.bpf.o" one 200 interp)
echo "loopback, interp: $tcp"
echo "loopback, auto: $("$B/tests/prog_latency" "$NODE_ADDRESS" "$B/examples/average.bpf.o" one 200)"

# A spare worker is there before the query, where queries leave it the time; by turns, because other
# work on this machine changes the figures. Printed, not asserted.
node_start "unix:$T/spare.sock" --export "one=$T/one.bin,format=fixed:24"
spare=$NODE_PID
node_start "unix:$T/forked.sock" --export "one=$T/one.bin,format=fixed:24" --limit spare_workers=0
forked=$NODE_PID
for _ in 1 2 3; do
	echo "5 ms between queries, a spare worker: $(
		"$B/tests/prog_latency" "unix:$T/spare.sock" "$B/examples/average.bpf.o" one 100 interp 5)"
	echo "5 ms between queries, a fork: $(
		"$B/tests/prog_latency" "unix:$T/forked.sock" "$B/examples/average.bpf.o" one 100 interp 5)"
done
node_stop "$forked" || fail "the node ended with status $?"
node_stop "$spare" || fail "the node ended with status $?"

node_start "unix:$T/node.sock" --export "one=$T/one.bin,format=fixed:24"
echo "UNIX socket: $("$B/tests/prog_latency" "$NODE_ADDRESS" "$B/examples/average.bpf.o" one 200)"

# What is small does not wait for a compiler.
engine=$("$B/nearfold" run "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --dataset one \
	--output json | jq -r .stats.engine)
check_equal "the engine that auto takes for one record" "$engine" interp

read -r _ _ _ _ _ _ _ _ _ _ _ wire_first _ wire_next <<<"$tcp"
[ "$wire_first" -lt 16384 ] || fail "the first query took $wire_first bytes on the wire"
[ "$wire_next" -lt 4096 ] || fail "a query with the program cached took $wire_next bytes"

node_stop "$loopback" || fail "the node ended with status $?"
node_stop || fail "the node ended with status $?"
