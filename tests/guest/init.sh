#!/bin/busybox sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# init.sh - the guest's first process: modules, the shared folders, the command, power off.
B=/bin/busybox
$B mount -t devtmpfs d /dev
$B mount -t proc p /proc
$B mount -t sysfs s /sys
arg() { $B sed -n "s/.* nf\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
work=$(arg work)
run=$(arg run)
project=$(arg project)

for m in $($B cat /mods/order); do
	name=$(echo "${m%.ko}" | $B tr - _)
	$B insmod "/mods/$m" $($B tr ' ' '\n' </proc/cmdline | $B sed -n "s/^$name\.//p") ||
		echo "init: insmod $m failed"
done
# Every controller that is there answers within some seconds.
n=0
while [ $n -lt 100 ] && $B grep -qvx live /sys/class/nvme/nvme*/state 2>/dev/null; do
	$B sleep 0.1
	n=$((n + 1))
done

o=trans=virtio,version=9p2000.L,msize=512000
$B mount -t 9p -o ro,cache=loose,$o hostroot /root || echo "init: no shared root"
# A checkout below /tmp or /run would vanish below the guest's own: hold it, and put it back.
$B mkdir -p /project
$B mount -o bind "/root$project" /project
for x in proc:proc sysfs:sys tmpfs:tmp tmpfs:run; do
	$B mount -t ${x%:*} x /root/${x#*:}
done
case $project in
/tmp/* | /run/*) $B mkdir -p "/root$project" && $B mount -o bind /project "/root$project" ;;
esac
$B chmod 1777 /root/tmp
$B mount -o bind /dev /root/dev
$B mkdir -p /dev/shm
$B mount -t tmpfs s /dev/shm
for x in tracefs:tracing debugfs:debug configfs:config; do
	$B mount -t ${x%:*} x /root/sys/kernel/${x#*:} 2>/dev/null
done
$B mount -t bpf b /root/sys/fs/bpf
$B mount -t 9p -o $o work "/root$work" || echo "init: no folder to write to"
$B ip link set lo up
$B chroot /root /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp TERM=dumb \
	LC_ALL=C.UTF-8 /bin/bash "$run/command"
echo $? >"/root$run/status"
$B sync
$B poweroff -f
