#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# A second foreign gRPC stack, grpc-js, against a node. Its npm packages come once, into $B/npm.
. "$(dirname "$0")/../support/node.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)

command -v node >/dev/null && command -v npm >/dev/null || skip "there is no Node.js with npm"
if [ ! -d "$B/npm/node_modules/@grpc/proto-loader" ]; then
	mkdir -p "$B/npm"
	timeout 60 npm install --prefix "$B/npm" --no-audit --no-fund --ignore-scripts \
		@grpc/grpc-js@1.14.1 @grpc/proto-loader@0.8.0 >"$T/npm.log" 2>&1 ||
		skip "npm cannot bring @grpc/grpc-js: $(grep -m 1 -i error "$T/npm.log" || echo timeout)"
fi
head -c 8000000 /dev/urandom >"$T/pairs.bin"
for listen in 127.0.0.1:0 "unix:$T/node.sock"; do
	node_start "$listen" --export "pairs=$T/pairs.bin,format=fixed:8"
	NODE_PATH=$(cd "$B/npm/node_modules" && pwd) timeout 120 node "$root/tests/support/foreign_client.js" \
		"$NODE_ADDRESS" "$root/proto" "$T/pairs.bin" >"$T/client.log" 2>&1 ||
		{ tail -n 5 "$T/client.log"; fail "over $listen"; }
	echo "$listen: $(grep -c '^ok' "$T/client.log") checks"
	node_stop || fail "the node ended with status $?"
done
