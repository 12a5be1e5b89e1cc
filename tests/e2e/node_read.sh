#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# ReadRange gives the bytes as they are, holds a slow reader's memory down, and ends with it.
. "$(dirname "$0")/../support/node.sh"
. "$(dirname "$0")/../support/node_query.sh"

mkdir "$T/parts"
head -c 1000003 /dev/urandom >"$T/parts/a"
: >"$T/parts/b"
head -c 3000000 /dev/urandom >"$T/parts/c"
truncate -s 512M "$T/big"
: >"$T/empty"
node_start "unix:$T/socket" --export "parts=$T/parts,format=lines" \
	--export "one=$T/parts/a,format=lines" --export "big=$T/big,format=fixed:8" \
	--export "empty=$T/empty,format=lines" --limit reads_running=1
read_bytes()
{
	"$B/nearfold" read --node "$NODE_ADDRESS" "$@"
}

read_bytes --dataset one | cmp - "$T/parts/a" || fail "one file differs"
cat "$T/parts/a" "$T/parts/b" "$T/parts/c" >"$T/all"
read_bytes --dataset parts | cmp - "$T/all" || fail "three files differ"
read_bytes --dataset parts --range 999990:2000000 >"$T/part"
tail -c +999991 "$T/all" | head -c 1000010 | cmp - "$T/part" || fail "the range differs"
check_equal "bytes of an empty file" "$(read_bytes --dataset empty | wc -c)" 0
read_bytes --dataset one --range 0:1000004 2>"$T/err" >"$T/out" && fail "a range beyond the end is read"
grep -q 'INVALID_ARGUMENT' "$T/err" || fail "$(cat "$T/err")"
read_bytes --dataset one --range 1000004: 2>"$T/err" >"$T/out" && fail "a range behind the end is read"
grep INVALID_ARGUMENT "$NODE_LOG" | grep -qv ' bytes=0 ' && fail "the log counts bytes of refused reads"
read_bytes --dataset none 2>"$T/err" && fail "a data set that is not there is read"
grep -q NOT_FOUND "$T/err" || fail "$(cat "$T/err")"
before=$(files_at_rest)

resident()
{
	sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$NODE_PID/status"
}

# A reader that does not read: the node waits with a few pieces.
at_rest=$(resident)
mkfifo "$T/fifo"
read_bytes --dataset big >"$T/fifo" 2>"$T/err" &
reader=$!
exec 9<"$T/fifo"
head -c 10000000 <&9 >/dev/null
sleep 0.5
grown=$(($(resident) - at_rest))
echo "memory for a reader that waits: $grown KiB"
[ "$grown" -lt 32768 ] || fail "the node keeps $grown KiB for a reader that waits"
read_bytes --dataset one 2>"$T/err2" >"$T/out" && fail "a second read runs above reads_running"
grep -q 'limit reads_running' "$T/err2" || fail "$(cat "$T/err2")"

# What changes while it is read is an error.
printf x | dd of="$T/big" bs=1 seek=100 conv=notrunc status=none
begin=$SECONDS
cat <&9 >/dev/null
# A stream that stalls goes on with the ping after half a minute.
[ $((SECONDS - begin)) -lt 25 ] || fail "512 MiB took $((SECONDS - begin)) s: the stream stalled"
status=0
wait "$reader" || status=$?
check_equal "exit status after a change" "$status" 1
grep -q ABORTED "$T/err" || fail "$(cat "$T/err")"
exec 9<&-

# One that is killed leaves nothing.
read_bytes --dataset big >"$T/fifo" 2>"$T/err" &
reader=$!
exec 9<"$T/fifo"
head -c 10000000 <&9 >/dev/null
kill -9 "$reader"
wait "$reader" 2>/dev/null || true
exec 9<&-
logged 'read .*outcome=CANCELLED' >/dev/null
check_files "$before"
node_stop || fail "the node ended with status $?"
