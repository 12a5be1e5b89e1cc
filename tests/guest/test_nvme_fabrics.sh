#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Linux's own NVMe target behind nvme-loop and nvme-tcp, with namespaces that have real identifiers;
# and a PCIe controller with poll queues: the answer of a file with the same bytes.
# modules: nvme nvmet nvme-loop nvmet-tcp nvme-tcp
# kernel: nvme.poll_queues=1
# seconds: 100
# disk: d0 4 lines
# qemu: -drive if=none,id=d0,format=raw,file=@WORK@/d0.disk
# qemu: -device nvme,id=nv0,serial=polled -device nvme-ns,drive=d0,bus=nv0,nsid=1
. "$(dirname "$0")/lib.sh"

cp "$WORK/d0.disk" /tmp/data
want=$(rows /tmp/data interp)

for engine in interp kernel; do
	same "polled $engine" "$want" "$(rows nvme:polled/1 $engine)"
done
same reader "nvme commands, polled" "$(stat_of reader nvme:polled/1)"
same "polled, chunk 4 MiB" "$want" "$(rows nvme:polled/1 interp --chunk 4194304)"

# serve NAME SERIAL PORT-NUMBER TYPE
target=/sys/kernel/config/nvmet
serve() {
	local sub=$target/subsystems/$1 port=$target/ports/$3
	mkdir "$sub"
	echo 1 >"$sub/attr_allow_any_host"
	echo "$2" >"$sub/attr_serial"
	mkdir "$sub/namespaces/3"
	echo /tmp/data >"$sub/namespaces/3/device_path"
	echo 1 >"$sub/namespaces/3/buffered_io"
	echo 1 >"$sub/namespaces/3/enable"
	mkdir "$port"
	echo "$4" >"$port/addr_trtype"
	if [ "$4" = tcp ]; then
		echo ipv4 >"$port/addr_adrfam"
		echo 127.0.0.1 >"$port/addr_traddr"
		echo 4420 >"$port/addr_trsvcid"
	fi
	ln -s "$sub" "$port/subsystems/"
}
ready() {
	for _ in {1..100}; do
		[ -b "$(node_of "$1" 3)" ] && return
		sleep 0.1
	done
	fail "no node for $1"
}
serve near loopserial 1 loop
serve far tcpserial 2 tcp
nvme connect -t loop -n near >/dev/null || fail "nvme connect -t loop"
nvme connect -t tcp -a 127.0.0.1 -s 4420 -n far >/dev/null || fail "nvme connect -t tcp"
ready loopserial
ready tcpserial
"$B/nearfold" devices
for serial in loopserial tcpserial; do
	for engine in interp kernel; do
		same "$serial $engine" "$want" "$(rows nvme:$serial/3 $engine)"
	done
	same "reader" "nvme commands" "$(stat_of reader nvme:$serial/3)"
done
nvme disconnect -n far >/dev/null
nvme disconnect -n near >/dev/null
refused "nvme:tcpserial/3: no such namespace" nvme:tcpserial/3
