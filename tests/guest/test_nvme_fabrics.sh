#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Linux's own NVMe target behind nvme-loop and nvme-tcp, with namespaces that have real identifiers;
# and PCIe controllers with poll queues, one alone and two in a subsystem, and files on such a one:
# the answer of a file with the same bytes. A target that goes away during a scan: the right answer when it comes back, and an
# error when it does not.
# modules: nvme ext4 nvmet nvme-loop nvmet-tcp nvme-tcp
# kernel: nvme.poll_queues=1
# seconds: 300
# disk: d0 4 lines
# disk: d1 4 lines
# disk: d2 16
# qemu: -drive if=none,id=d0,format=raw,file=@WORK@/d0.disk
# qemu: -device nvme,id=nv0,serial=polled -device nvme-ns,drive=d0,bus=nv0,nsid=1
# qemu: -drive if=none,id=d1,format=raw,file=@WORK@/d1.disk
# qemu: -device nvme-subsys,id=ss0,nqn=ss0 -device nvme,id=nv1,serial=pair,subsys=ss0
# qemu: -device nvme,id=nv2,serial=pair,subsys=ss0 -device nvme-ns,drive=d1,bus=nv1,nsid=7,shared=on
# qemu: -drive if=none,id=d2,format=raw,file=@WORK@/d2.disk
# qemu: -device nvme,id=nv3,serial=files -device nvme-ns,drive=d2,bus=nv3,nsid=1
. "$(dirname "$0")/lib.sh"

cp "$WORK/d0.disk" /tmp/data
want=$(rows /tmp/data interp)

engines=$(engines /tmp/data)

for path in nvme:polled/1 nvme:pair/7; do
	for engine in $engines; do
		same "polled $path $engine" "$want" "$(rows $path $engine)"
	done
	same reader "nvme commands, polled" "$(stat_of reader $path)"
	same "polled, refused" "$want nvme block node, polled" "$(refused_commands $path interp)"
done
node=$(node_of polled 1)
same "device" "${node#/dev/} (3 queues, 1 of them polled)" "$(stat_of device nvme:polled/1)"
node=$(node_of pair 7)
same "device with paths" "${node#/dev/} (2 paths of 3 queues, 1 of them polled)" \
	"$(stat_of device nvme:pair/7)"
same "polled, chunk 4 MiB" "$want" "$(rows nvme:polled/1 interp --chunk 4194304)"

# Direct reads of a file, and of a block node by the uring reader, are polled for, too.
mkfs.ext4 -q -E nodiscard "$(node_of files 1)" && mount "$(node_of files 1)" /mnt &&
	cp /tmp/data /mnt/data && sync || fail "no file system on nvme:files/1"
for engine in $engines; do
	echo 3 >/proc/sys/vm/drop_caches
	same "file, $engine" "$want" "$(rows /mnt/data $engine)"
done
for path in /mnt/data "$(node_of polled 1)"; do
	echo 3 >/proc/sys/vm/drop_caches
	same reader "uring direct, polled" "$(stat_of reader "$path" --reader uring)"
done
same "from the page cache" "$want" "$(cat /mnt/data >/dev/null && rows /mnt/data kernel)"
umount /mnt

serve near loopserial 1 loop
serve far tcpserial 2 tcp
connect loop near loopserial
connect tcp far tcpserial
"$B/nearfold" devices
for serial in loopserial tcpserial; do
	for engine in $engines; do
		same "$serial $engine" "$want" "$(rows nvme:$serial/3 $engine)"
	done
	same "reader" "nvme commands" "$(stat_of reader nvme:$serial/3)"
done

# A namespace that its controller has protected from writing is read like any other.
note() { "$B/nearfold" devices --output json | jq -r ".rows[] | select(.[0] == \"$1\") | .[10]"; }
nvme set-feature "$(node_of loopserial 3)" -n 3 -f 0x84 -v 1 >/dev/null || fail "write protection"
for _ in {1..100}; do
	case $(note nvme:loopserial/3) in read-only*) break ;; esac
	sleep 0.1
done
same "read-only" "read-only multipath" "$(note nvme:loopserial/3)"
same "read-only, answer" "$want" "$(rows nvme:loopserial/3 kernel)"

# The target goes away in the midst of a scan.
scan_cut far nvme:tcpserial/3 kernel back
same "away and back" "0 $want" "$status $(jq -c .rows /tmp/out)"
ready tcpserial
for controller in /sys/class/nvme/nvme*; do
	! grep -q tcpserial $controller/serial || echo 3 >$controller/ctrl_loss_tmo # seconds
done
scan_cut far nvme:tcpserial/3 interp true
[ $status = 1 ] && grep -q "nvme:tcpserial/3.*\(DATA_LOSS\|ABORTED\)" /tmp/err ||
	fail "away for good: status $status: $(cat /tmp/err)"
echo "ok: away for good, after $took s: $(cat /tmp/err)"
nvme disconnect -n far >/dev/null || true
nvme disconnect -n near >/dev/null
refused "nvme:tcpserial/3: no such namespace" nvme:tcpserial/3
