#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Who watches the node's health hears that it drains, while a running query goes on.
. "$(dirname "$0")/../support/node.sh"
. "$(dirname "$0")/../support/node_query.sh"

python=
for candidate in python3 /usr/bin/python3; do
	! "$candidate" -c 'import grpc' 2>/dev/null || python=$candidate
done
[ -n "$python" ] || skip "no python3 here has grpcio (python3-grpcio)"

truncate -s 1200000000 "$T/some.bin"
node_start 127.0.0.1:0 --export "some=$T/some.bin,format=fixed:24"
# HealthCheckResponse has one field: 1 is SERVING, 2 NOT_SERVING.
"$python" -c '
import sys, grpc
watch = grpc.insecure_channel(sys.argv[1]).unary_stream("/grpc.health.v1.Health/Watch")
try:
    for reply in watch(b""):
        print(reply.hex(), flush=True)
except grpc.RpcError as e:
    print(e.code().name, flush=True)' "$NODE_ADDRESS" >"$T/health" &
watcher=$!
for i in $(seq 500); do
	[ ! -s "$T/health" ] || break
	sleep 0.02
done
slow_query --dataset some --output csv
kill -TERM "$NODE_PID"
wait "$watcher" || true
check_equal "health" "$(tr '\n' ' ' <"$T/health")" "0801 0802 UNAVAILABLE "
query_status
check_equal "exit status of the running query" "$STATUS" 0
