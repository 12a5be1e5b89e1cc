#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Media errors, a namespace that is removed during a scan and comes back, a device that answers
# after the driver's time limit: the right answer, or an error that names the LBA. Never a hang:
# every query here ends within 60 seconds, whatever the device does (LIMIT).
# modules: nvme
# kernel: nvme_core.io_timeout=2
# seconds: 300
# disk: d0 4 lines
# disk: d1 4 lines
# disk: d2 4 lines
# disk: d3 16 lines
# qemu: -blockdev {"driver":"raw","node-name":"d0","file":{"driver":"blkdebug","image":{"driver":"file","filename":"@WORK@/d0.disk"},"inject-error":[{"event":"none","errno":5,"sector":2000,"iotype":"read"}]}}
# qemu: -blockdev {"driver":"raw","node-name":"d1","file":{"driver":"blkdebug","image":{"driver":"file","filename":"@WORK@/d1.disk"},"inject-error":[{"event":"none","errno":5,"sector":3000,"iotype":"read","once":true}]}}
# qemu: -blockdev {"driver":"raw","node-name":"d2","file":{"driver":"blkdebug","image":{"driver":"file","filename":"@WORK@/d2.disk"},"inject-error":[{"event":"none","errno":5,"sector":4007,"iotype":"read"}]}}
# qemu: -device nvme,id=nv0,serial=bad -device nvme-ns,drive=d0,bus=nv0,nsid=1 -device nvme-ns,drive=d1,bus=nv0,nsid=2
# qemu: -device nvme-ns,drive=d2,bus=nv0,nsid=3,logical_block_size=4096,physical_block_size=4096
# qemu: -drive if=none,id=d3,format=raw,file=@WORK@/d3.disk,throttling.bps-read=2000000
# qemu: -device nvme,id=nv1,serial=leaves -device nvme-ns,drive=d3,bus=nv1,nsid=1
. "$(dirname "$0")/lib.sh"
LIMIT=60

cp "$WORK/d1.disk" /tmp/data
want=$(rows /tmp/data interp)

for engine in $(engines /tmp/data); do
	refused "nvme:bad/1, LBA 2000: .*Unrecovered Read Error.*0x281.*DATA_LOSS" nvme:bad/1 --engine $engine
	refused "nvme:bad/3, LBA 500: .*Unrecovered Read Error.*0x281.*DATA_LOSS" nvme:bad/3 --engine $engine
done
refused "nvme:bad/1, LBA 2000:" nvme:bad/1,start=1900,blocks=300 --range 0:120000
# Around the bad block all is well: 1000 blocks before it, and what follows it.
dd if="$WORK/d0.disk" of=/tmp/part bs=512 skip=2001 count=3000 status=none
same "behind the bad block" "$(DATA_BYTES=1535976 rows /tmp/part interp)" \
	"$(DATA_BYTES=1535976 rows nvme:bad/1,start=2001,blocks=3000 interp)"
# The block node says so, too: the driver tried again, and gave up.
refused "DATA_LOSS" nvme:bad/1 --reader uring

# A passing error: nobody retries a command but us.
"$B/nearfold" run "$PROGRAM" --local nvme:bad/2 --format fixed:24 --range 0:$DATA_BYTES \
	--engine kernel --output json --no-progress >/tmp/out
same "passing error" "$want" "$(jq -c .rows /tmp/out)"
same "retries" 1 "$(jq -r .stats.read_retries /tmp/out)"

# Through a node: the client reads the same.
"$B/nearfoldd" --listen unix:/tmp/node --export bad=nvme:bad/1,format=fixed:24,tail=ignore 2>/tmp/node.log &
node=$!
for _ in {1..100}; do [ -S /tmp/node ] && break || sleep 0.1; done
for engine in interp kernel; do
	! "$B/nearfold" run "$PROGRAM" --node unix:/tmp/node --dataset bad --engine $engine >/tmp/out 2>&1 &&
		grep -q "nvme:bad/1, LBA 2000: .*0x281.*DATA_LOSS" /tmp/out || fail "$(cat /tmp/out)"
	echo "ok: node, $engine: $(tail -n 1 /tmp/out)"
done
kill $node
wait $node || fail "the node ended with $?: $(cat /tmp/node.log)"

# Removed while it is read, and found again after a rescan.
head -c 512000 "$WORK/d3.disk" >/tmp/part
part=$(DATA_BYTES=240000 rows /tmp/part interp)
for engine in interp kernel; do
	leaves=$(node_of leaves 1)
	pci=$(readlink -f "/sys/block/${leaves##*/}/device/device")
	start=$SECONDS status=0
	timeout $LIMIT "$B/nearfold" run "$PROGRAM" --local nvme:leaves/1 --format fixed:24 --tail ignore \
		--engine $engine --chunk 262144 --depth 2 --threads 1 --no-progress >/tmp/out 2>&1 &
	query=$!
	sleep 2
	kill -0 $query || fail "the query ended early: $(cat /tmp/out)"
	echo 1 >"$pci/remove"
	wait $query || status=$?
	[ $status = 1 ] && grep -qE "nvme:leaves/1.*(DATA_LOSS|ABORTED)" /tmp/out ||
		fail "removed: status $status: $(cat /tmp/out)"
	echo "ok: removed, after $((SECONDS - start)) s: $(tail -n 1 /tmp/out)"
	refused "nvme:leaves/1: no such namespace" nvme:leaves/1
	echo 1 >/sys/bus/pci/rescan
	for _ in {1..100}; do
		leaves=$(node_of leaves 1)
		[ -b "$leaves" ] && break
		sleep 0.1
	done
	same "back again" "$part" "$(DATA_BYTES=240000 rows nvme:leaves/1,blocks=1000 interp)"
done
