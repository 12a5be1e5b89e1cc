#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# A gRPC client of other people's making (grpcio) against a node: over TCP and over a UNIX socket.
# Then the example of docs/wire.md, as it stands there.
. "$(dirname "$0")/../support/node.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)

python=
for candidate in python3 /usr/bin/python3; do
	if "$candidate" -c 'import grpc, google.protobuf' 2>/dev/null; then
		python=$candidate
		break
	fi
done
[ -n "$python" ] || skip "no python3 here has grpcio (python3-grpcio, python3-protobuf)"
command -v protoc >/dev/null || skip "there is no protoc (protobuf-compiler)"
mkdir "$T/stubs"
protoc -I "$root/proto" --python_out="$T/stubs" "$root"/proto/*.proto

# 8 MB of pairs of u32 that no formula made.
head -c 8000000 /dev/urandom >"$T/pairs.bin"

for listen in 127.0.0.1:0 "unix:$T/node.sock"; do
	node_start "$listen" --export "pairs=$T/pairs.bin,format=fixed:8"
	"$python" "$root/tests/support/foreign_client.py" "$NODE_ADDRESS" "$T/stubs" "$T/pairs.bin" \
		>"$T/client.log" || { tail -n 5 "$T/client.log"; fail "over $listen"; }
	echo "$listen: $(grep -c '^ok' "$T/client.log") checks"
	node_stop || fail "the node ended with status $?"
done

# ---- docs/wire.md ---------------------------------------------------------------------------------
awk '/^```python$/ {on = 1; next} /^```$/ {on = 0} on' "$root/docs/wire.md" >"$T/example.py"
[ -s "$T/example.py" ] || fail "docs/wire.md has no example"
node_start 127.0.0.1:0 --export "pairs=$T/pairs.bin,format=fixed:8"
got=$(PYTHONPATH="$T/stubs" "$python" "$T/example.py" "$NODE_ADDRESS" pairs)
want=$("$python" -c '
import struct, sys
values = [v for _, v in struct.iter_unpack("<II", open(sys.argv[1], "rb").read())]
print(f"{len(values)} records, sum {sum(values)}")' "$T/pairs.bin")
check_equal "the example of docs/wire.md" "$got" "$want"
node_stop || fail "the node ended with status $?"
