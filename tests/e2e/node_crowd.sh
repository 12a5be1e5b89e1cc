#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# A hundred connections that say nothing, some that speak a byte at a time, some that announce
# 1 GiB: 32 queries at once get their right answers beside them, and then those connections are closed.
. "$(dirname "$0")/../support/node.sh"
. "$(dirname "$0")/../support/node_query.sh"

# Symbols of four types and sizes, so that group_by has rows.
python3 - "$T/symbols.bin" <<'P'
import struct, sys
with open(sys.argv[1], "wb") as f:
    for i in range(40000):
        f.write(struct.pack("<IBBHQQ", i, (i % 3) << 4 | i % 4, 0, 1, i, i * 7 % 1000))
P
node_start 127.0.0.1:0 --export "symbols=$T/symbols.bin,format=fixed:24" \
	--limit queries_running=4 --limit queries_per_identity=40
host=${NODE_ADDRESS%:*} port=${NODE_ADDRESS##*:}
groups()
{
	"$B/nearfold" run "$B/examples/group_by.bpf.o" --output csv --no-progress "$@"
}
groups --local "$T/symbols.bin" --format fixed:24 --engine interp >"$T/want"
[ "$(wc -l <"$T/want")" -gt 4 ] || fail "too few groups: $(cat "$T/want")"
groups --node "$NODE_ADDRESS" --dataset symbols >"$T/got" || fail "the first query failed"
cmp "$T/want" "$T/got"
resident()
{
	awk '/^VmRSS/ {print $2}' "/proc/$NODE_PID/status"
}
wait_no_workers
files_before=$(files_at_rest) resident_before=$(resident)

# Prints "ready", and when all are closed how many seconds that took.
cat >"$T/crowd.py" <<'P'
import socket, struct, sys, time

def connect():
    return socket.create_connection((sys.argv[1], int(sys.argv[2])))

def frame(kind, flags, stream, body):
    return struct.pack(">I", len(body))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + body

def literal(name, value):
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value

preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"")
headers = b"".join(literal(*h) for h in (
    (b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"node"),
    (b":path", b"/nearfold.v1.Nearfold/Execute"), (b"content-type", b"application/grpc"),
    (b"te", b"trailers")))
huge = preface + frame(1, 4, 1, headers) + frame(0, 0, 1, struct.pack(">BI", 0, 1 << 30) + b"x" * 1000)

silent = [connect() for _ in range(100)]
slow = [connect() for _ in range(10)]
greedy = [connect() for _ in range(10)]
for s in greedy:
    s.sendall(huge)
answered = 0
for s in greedy:
    s.settimeout(20)
    try:
        answered += bool(s.recv(65536))
    except OSError:
        pass
    s.close()
print("ready", answered, flush=True)
begin = time.monotonic()
at = 0
left = silent + slow
for s in left:
    s.setblocking(False)
while left and time.monotonic() - begin < 60:
    for s in [s for s in slow if s in left]:
        try:
            s.send(preface[at % len(preface):][:1])
        except OSError:
            left.remove(s)
    for s in list(left):
        try:
            if not s.recv(4096):
                left.remove(s)
        except BlockingIOError:
            pass
        except OSError:
            left.remove(s)
    at += 1
    time.sleep(0.2)
print(len(left), "left", f"{time.monotonic() - begin:.1f}", flush=True)
P
python3 "$T/crowd.py" "$host" "$port" >"$T/crowd" &
crowd=$!
deadline=$((SECONDS + 60))
while [ ! -s "$T/crowd" ]; do
	kill -0 $crowd 2>/dev/null || fail "the crowd is gone"
	[ $SECONDS -lt $deadline ] || fail "no crowd in a minute"
	sleep 0.05
done
check_equal "connections that announced 1 GiB and were answered" "$(cat "$T/crowd")" "ready 10"

jobs=()
for i in $(seq 32); do
	groups --node "$NODE_ADDRESS" --dataset symbols >"$T/got.$i" 2>"$T/err.$i" &
	jobs+=($!)
done
for i in $(seq 32); do
	wait "${jobs[$((i - 1))]}" || fail "query $i of 32: $(cat "$T/err.$i")"
	cmp "$T/want" "$T/got.$i" || fail "another answer to query $i of 32"
done
echo "32 queries at once beside the crowd: resident $resident_before KiB before, $(resident) KiB now"
wait $crowd
echo "the crowd: $(tail -n 1 "$T/crowd") s"
grep -q '^0 left' "$T/crowd" || fail "silent connections stay: $(cat "$T/crowd")"
# Ten requests of 1 GiB would be 10 GiB, and 32 queries must not add up.
[ "$(resident)" -lt $((resident_before + 65536)) ] ||
	fail "the daemon grew from $resident_before to $(resident) KiB"
wait_no_workers
check_files "$files_before"
groups --node "$NODE_ADDRESS" --dataset symbols | cmp "$T/want" || fail "another answer afterwards"
node_stop || fail "the node ended with status $?"
