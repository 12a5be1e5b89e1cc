#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# A flood of LoadProgram is refused by name, and the node goes on.
. "$(dirname "$0")/../support/node.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)

python=
for candidate in python3 /usr/bin/python3; do
	! "$candidate" -c 'import grpc, google.protobuf' 2>/dev/null || python=$candidate
done
[ -n "$python" ] || skip "no python3 here has grpcio (python3-grpcio, python3-protobuf)"
command -v protoc >/dev/null || skip "there is no protoc (protobuf-compiler)"
protoc -I "$root/proto" --python_out="$T" "$root/proto/nearfold.proto"

echo x >"$T/file"
node_start 127.0.0.1:0 --export "a=$T/file,format=lines" --limit loads_running=1
cat >"$T/flood.py" <<'PY'
import struct, sys
import grpc
sys.path.insert(0, sys.argv[2])
import nearfold_pb2 as nf

def insn(code, imm=0):
    return struct.pack("<BBhi", code, 0, 0, imm)

def program(n):  # each is another one, and long enough to take a moment
    body = b"".join(insn(0xb7, n * 4000 + i) for i in range(4000)) + insn(0xb7) + insn(0x95)
    end = insn(0xb7) + insn(0x95)
    return nf.Program(record_bytes=8, state_bytes=8, functions=[
        nf.Function(kind=nf.REDUCE, name="reduce", insns=body),
        nf.Function(kind=nf.COMBINE, name="combine", insns=end)])

load = grpc.insecure_channel(sys.argv[1]).unary_unary(
    "/nearfold.v1.Nearfold/LoadProgram", request_serializer=lambda m: m.SerializeToString(),
    response_deserializer=nf.LoadProgramReply.FromString)
calls = [load.future(nf.LoadProgramRequest(program=program(i)), timeout=30) for i in range(64)]
done = refused = 0
for c in calls:
    error = c.exception()
    if error is None:
        done += 1
    elif error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and "loads_running" in error.details():
        refused += 1
    else:
        sys.exit(f"{error.code()}: {error.details()}")
print(f"{done} loaded, {refused} refused")
if not done or not refused:
    sys.exit(1)
load(nf.LoadProgramRequest(program=program(1000)), timeout=30)
PY
"$python" "$T/flood.py" "$NODE_ADDRESS" "$T" || fail "the flood went otherwise"
node_stop || fail "the node ended with status $?"
