#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# A device that answers after the driver's time limit (here 1 s instead of 30). After 1.5 s: the driver
# aborts the command, the answer comes all the same. After 5 s: the driver resets the controller, the
# command fails, and we try again for 30 s. The right answer, or an error that names what was not read;
# never a hang: each query ends within BOUND seconds, and one with a deadline of 3 s within
# DEADLINE_BOUND. And a target that goes away and comes back, on a machine without multipath: there
# nobody but us asks again.
# modules: nvme nvmet nvmet-tcp nvme-tcp
# kernel: nvme_core.io_timeout=1 nvme_core.multipath=N
# seconds: 300
# disk: d0 4 lines
# qemu: -blockdev {"driver":"null-co","node-name":"late","size":4194304,"latency-ns":1500000000,"read-zeroes":true}
# qemu: -blockdev {"driver":"null-co","node-name":"dead","size":4194304,"latency-ns":5000000000,"read-zeroes":true}
# qemu: -device nvme,id=nv0,serial=late -device nvme-ns,drive=late,bus=nv0,nsid=1
# qemu: -device nvme,id=nv1,serial=dead -device nvme-ns,drive=dead,bus=nv1,nsid=1
. "$(dirname "$0")/lib.sh"
BOUND=60 DEADLINE_BOUND=20

cp "$WORK/d0.disk" /tmp/data
want=$(rows /tmp/data interp)
serve far tcpserial 2 tcp
connect tcp far tcpserial
scan_cut far nvme:tcpserial/3 interp back
same "away and back" "0 $want" "$status $(jq -c .rows /tmp/out)"

DATA_BYTES=262128
head -c 262144 /dev/zero >/tmp/data
want=$(rows /tmp/data interp)
# scan_slow BOUND PATH [OPTION...]
scan_slow() {
	local bound=$1 path=$2 start=$SECONDS
	shift 2
	status=0
	timeout "$bound" "$B/nearfold" run "$PROGRAM" --local "$path" --format fixed:24 \
		--range 0:$DATA_BYTES --engine interp --chunk 131072 --depth 1 --threads 1 \
		--output json --no-progress "$@" >/tmp/out 2>/tmp/err || status=$?
	took=$((SECONDS - start))
}
for reader in nvme uring; do
	scan_slow $BOUND nvme:late/1 --reader $reader
	same "late, $reader, $took s" "0 $want" "$status $(jq -c .rows /tmp/out)"
done
dmesg | grep -q "timeout, aborting" || fail "the device was not slow enough"

scan_slow $DEADLINE_BOUND nvme:dead/1 --timeout 3s
[ $status = 1 ] && grep -q DEADLINE_EXCEEDED /tmp/err || fail "deadline: $status after $took s: $(cat /tmp/err)"
echo "ok: dead, deadline of 3 s, after $took s: $(cat /tmp/err)"
# A node answers its client at the deadline, and serves others while the kernel waits for the device.
"$B/nearfoldd" --listen unix:/tmp/node --export dead=nvme:dead/1,format=fixed:24,tail=ignore \
	--export file=/tmp/data,format=fixed:24,tail=ignore 2>/tmp/node.log &
node=$!
for _ in {1..100}; do [ -S /tmp/node ] && break || sleep 0.1; done
start=$SECONDS
! timeout $DEADLINE_BOUND "$B/nearfold" run "$PROGRAM" --node unix:/tmp/node --dataset dead --timeout 3s \
	--no-progress >/tmp/out 2>&1 && grep -q DEADLINE_EXCEEDED /tmp/out || fail "node: $(cat /tmp/out)"
echo "ok: node, deadline of 3 s, after $((SECONDS - start)) s: $(tail -n 1 /tmp/out)"
same "node, another query" "$want" "$(timeout 10 "$B/nearfold" run "$PROGRAM" --node unix:/tmp/node \
	--dataset file --range 0:$DATA_BYTES --engine interp --output json --no-progress | jq -c .rows)"
kill $node
wait $node || fail "the node ended with $?: $(cat /tmp/node.log)"

scan_slow $BOUND nvme:dead/1
# Whichever read it was that used up our patience: the driver resets 4 s after a command was sent, and
# where the guest is slow the answer after 5 s may come before that.
[ $status = 1 ] && grep -q "nvme:dead/1, LBA [0-9].*did not answer.*DATA_LOSS" /tmp/err ||
	fail "dead: status $status after $took s: $(cat /tmp/err)"
echo "ok: dead, after $took s: $(cat /tmp/err)"
dmesg | grep -q "timeout.*reset controller" || fail "the controller was not reset"
