#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# A device that answers after the driver's time limit (here 1 s instead of 30): the driver aborts the
# command, resets the controller, and the command fails; we try again, with less at a time. On the
# block node the driver itself repeats the read. The right answer, or an error that names the LBA;
# never a hang: each query ends within BOUND seconds.
# modules: nvme
# kernel: nvme_core.io_timeout=1
# seconds: 120
# disk: d0 4 lines
# qemu: -drive if=none,id=d0,format=raw,file=@WORK@/d0.disk,throttling.bps-read=40000
# qemu: -device nvme,id=nv0,serial=slow -device nvme-ns,drive=d0,bus=nv0,nsid=1
. "$(dirname "$0")/lib.sh"
BOUND=50
DATA_BYTES=262128

head -c 262144 "$WORK/d0.disk" >/tmp/data
want=$(rows /tmp/data interp)

for reader in nvme uring; do
	start=$SECONDS status=0
	timeout $BOUND "$B/nearfold" run "$PROGRAM" --local nvme:slow/1,blocks=512 --format fixed:24 \
		--range 0:$DATA_BYTES --engine interp --reader $reader --chunk 131072 --depth 1 --threads 1 \
		--output json --no-progress >/tmp/out 2>/tmp/err || status=$?
	took="after $((SECONDS - start)) s, $(jq .stats.read_retries /tmp/out) retries"
	case $status in
	0) same "$reader $took" "$want" "$(jq -c .rows /tmp/out)" ;;
	1)
		grep -q "nvme:slow/1.*DATA_LOSS" /tmp/err || fail "$reader $took: $(cat /tmp/err)"
		[ $reader = uring ] || grep -q "LBA" /tmp/err || fail "no LBA: $(cat /tmp/err)"
		echo "ok: $reader $took: $(cat /tmp/err)"
		;;
	*) fail "$reader $took: status $status" ;;
	esac
done
dmesg | grep -q "timeout, aborting" || fail "the device was not slow enough"
