# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# lib.sh - what the guest's tests share. Sourced: . "$(dirname "$0")/lib.sh"
set -eu
PROGRAM=$B/examples/average.bpf.o
DATA_BYTES=4194288 # of a disk's 4 MiB: a whole number of 24-byte records

fail() {
	echo "FAIL: $*"
	exit 1
}

# rows PATH ENGINE [OPTION...]: the answer over 24-byte records, which straddle every block
rows() {
	local path=$1 engine=$2
	shift 2
	"$B/nearfold" run "$PROGRAM" --local "$path" --format fixed:24 --range 0:$DATA_BYTES \
		--engine "$engine" --output json --no-progress "$@" | jq -c .rows
}

# lines PATH ENGINE [OPTION...]: how many lines, of how many bytes
lines() {
	local path=$1 engine=$2
	shift 2
	"$B/nearfold" run "$B/tests/programs/guest/line_bytes.bpf.o" --local "$path" --format lines \
		--engine "$engine" --output json --no-progress "$@" | jq -c .rows
}

# stat_of NAME PATH [OPTION...]: one of the statistics
stat_of() {
	local name=$1 path=$2
	shift 2
	"$B/nearfold" run "$PROGRAM" --local "$path" --format fixed:24 --range 0:$DATA_BYTES \
		--engine interp --output json --no-progress "$@" | jq -r ".stats.$name"
}

# same NAME WANT GOT
same() {
	[ "$2" = "$3" ] || fail "$1: got $3 instead of $2"
	echo "ok: $1"
}

# The engines that this build and this guest have, interp first.
engines() {
	echo interp
	"$B/nearfold" run "$PROGRAM" --local "$1" --format fixed:24 --range 0:2400 --engine kernel \
		--output json --no-progress >/dev/null 2>/tmp/engine.log && echo kernel ||
		echo "no kernel engine: $(tail -n 1 /tmp/engine.log)" >&2
	[ ! -e "$B/nearfold-jit.so" ] || echo jit
}

# refused PATTERN PATH [OPTION...]: the query fails, and says why
refused() {
	local pattern=$1 path=$2 status=0
	shift 2
	"$B/nearfold" run "$PROGRAM" --local "$path" --format fixed:24 --range 0:$DATA_BYTES \
		--no-progress "$@" >/tmp/out 2>&1 || status=$?
	[ $status = 1 ] && grep -q "$pattern" /tmp/out ||
		fail "$path: status $status, not \"$pattern\": $(cat /tmp/out)"
	echo "ok: $path: $(tail -n 1 /tmp/out)"
}

# node_of SERIAL NSID: its block node; a path of a multipath namespace has none
node_of() {
	local n
	for n in /sys/block/nvme*n*; do
		if grep -qx "$1 *" "$n/device/serial" && [ "$(cat "$n/nsid")" = "$2" ] &&
			[ -b "/dev/${n##*/}" ]; then
			echo "/dev/${n##*/}"
		fi
	done
}
