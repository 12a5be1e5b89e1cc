#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# run-guest.sh COMMAND [ARG...]: boot Debian's 6.12 kernel in QEMU and run the command inside, as
# root. Exit status: the command's; 125: the guest gave no answer (panic, hang, time limit).
#
# The guest sees this machine's root folder read-only, and build/guest/work (in $WORK) writable at
# the same path; /tmp and /run are its own, empty. Nothing is installed in it: what is built outside
# runs inside. There is no KVM: code is emulated, about 30 times slower than outside.
#
#	GUEST_QEMU     more QEMU arguments, such as -device nvme,...; folders: disks go to $WORK
#	GUEST_KERNEL   more kernel arguments; MODULE.NAME=VALUE works for the modules, too
#	GUEST_MODULES  modules to load beside those for the shared folders; their dependencies follow
#	GUEST_SECONDS  time limit (120);  GUEST_MB  memory (1024)
#
# The kernel package is fetched with apt-get download and unpacked below build/guest; packages:
# those that packaging/packages.txt lists for `guest`.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
guest=$top/build/guest
WORK=${WORK:-$guest/work}
flavor=6.12-amd64
modules="virtio_pci 9pnet_virtio 9p ${GUEST_MODULES:-}"

die() {
	echo "run-guest.sh: $*" >&2
	exit 125
}

# ---- the kernel: its package unpacked, no hooks run -------------------------------------------
fetch_kernel() {
	local t=$guest/$flavor.tmp package
	package=$(apt-cache depends "linux-image-$flavor" 2>/dev/null | awk '$1 == "Depends:" {print $2; exit}')
	[ -n "$package" ] || die "apt knows no linux-image-$flavor: apt-get update?"
	rm -rf "$t" && mkdir -p "$t/deb" "$t/lib"
	(cd "$t/deb" && apt-get download -q "$package" >log 2>&1) || die "cannot fetch $package: $(tail -n 3 "$t/deb/log")"
	dpkg -x "$t"/deb/*.deb "$t" || die "cannot unpack $package"
	rm -rf "$t/deb"
	[ -d "$t/lib/modules" ] || ln -s ../usr/lib/modules "$t/lib/modules"
	depmod -b "$t" "$(ls "$t/lib/modules")" || die "depmod failed"
	mv "$t" "$guest/$flavor"
}

mkdir -p "$guest" "$WORK" || exit 125
exec 9>"$guest/lock" && flock 9
[ -d "$guest/$flavor/boot" ] || fetch_kernel
version=$(ls "$guest/$flavor/lib/modules")

# ---- the first root: busybox, a way to power off, the modules in load order ---------------------
make_initrd() {
	local r=$1.d order
	rm -rf "$r" && mkdir -p "$r"/{bin,dev,proc,sys,mods,root}
	cp /bin/busybox "$r/bin/" || die "busybox is missing: install busybox-static"
	cp "$top/tests/guest/init.sh" "$r/init" && chmod +x "$r/init"
	for m in $modules; do
		modprobe -d "$guest/$flavor" -S "$version" --show-depends "$m" || die "no module $m in $version"
	done | awk '$1 == "insmod" && !seen[$2]++ {print $2}' >"$r/order"
	while read -r f; do
		case $f in
		*.xz) xz -dc "$f" >"$r/mods/$(basename "$f" .xz)" ;;
		*) cp "$f" "$r/mods/" ;;
		esac
		basename "$f" .xz
	done <"$r/order" >"$r/mods/order"
	rm "$r/order"
	(cd "$r" && find . | cpio -o -H newc --quiet) >"$1.tmp" && mv "$1.tmp" "$1"
	rm -rf "$r"
}

initrd=$guest/initrd-$version-$(echo "$modules" | cksum | cut -d' ' -f1).cpio
[ -e "$initrd" ] && [ "$initrd" -nt "$top/tests/guest/init.sh" ] && [ "$initrd" -nt "$0" ] || make_initrd "$initrd"
flock -u 9

# ---- boot ---------------------------------------------------------------------------------------
run=$(mktemp -d "$WORK/run.XXXXXX") || exit 125
trap 'rm -rf "$run"' EXIT
{
	echo "export WORK=${WORK@Q} B=${B:-}" "GUEST=1"
	echo "cd ${PWD@Q} || exit 125"
	echo "exec ${*@Q}"
} >"$run/command"

share() { # ID PATH MORE
	echo "-fsdev local,id=$1,path=$2,security_model=none,multidevs=remap$3" \
		"-device virtio-9p-pci,fsdev=$1,mount_tag=$1"
}
# SSE4a off: QEMU 7.2 ignores EXTRQ with immediate operands, which LLVM emits for CPUs that have it.
# The guest's status is taken from a file: QEMU's own errors exit with 1, too.
# shellcheck disable=SC2046,SC2086 # words are meant
timeout "${GUEST_SECONDS:-120}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max,sse4a=off -M q35 \
	-m "${GUEST_MB:-1024}" -smp 2 -nodefaults -no-user-config -display none -no-reboot \
	-serial stdio -monitor none -kernel "$guest/$flavor/boot/vmlinuz-$version" -initrd "$initrd" \
	-append "console=ttyS0 quiet loglevel=3 printk.time=0 panic=-1 oops=panic mitigations=off tsc=reliable random.trust_cpu=on rdinit=/init ${GUEST_KERNEL:-} nf.work=$WORK nf.run=$run nf.project=$top" \
	$(share hostroot / ,readonly=on) $(share work "$WORK" "") ${GUEST_QEMU:-} \
	</dev/null 2>"$run/qemu.log" | tr -d '\r'
qemu=${PIPESTATUS[0]}
[ -s "$run/status" ] && exit "$(cat "$run/status")"
cat "$run/qemu.log" >&2
[ "$qemu" = 124 ] && die "no end after ${GUEST_SECONDS:-120} seconds"
die "no status from the guest (QEMU's was $qemu): it panicked, or QEMU did not like its arguments"
