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

# refused_commands PATH ENGINE [OPTION...]: the answer while a security module refuses commands from
# the fourth on, and how the data was read in the end
refused_commands() {
	local path=$1 engine=$2
	shift 2
	"$B/tests/prog_attach" "$B/tests/programs/guest/refuse_commands.bpf.o" \
		"$B/nearfold" run "$PROGRAM" --local "$path" --format fixed:24 --range 0:$DATA_BYTES \
		--engine "$engine" --chunk 65536 --depth 4 --output json --no-progress "$@" |
		jq -r '"\(.rows | tojson) \(.stats.reader)"'
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

# ---- Linux's own NVMe target ---------------------------------------------------------------------
target=/sys/kernel/config/nvmet

# serve NAME SERIAL PORT-NUMBER TYPE: /tmp/data as its namespace 3
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

# connect TYPE NAME SERIAL. Over TCP the driver gives a target that went away up after 20 s.
connect() {
	case $1 in
	tcp) set -- "$@" -a 127.0.0.1 -s 4420 --reconnect-delay=1 --ctrl-loss-tmo=20 ;;
	esac
	nvme connect -t "$1" -n "$2" "${@:4}" >/dev/null || fail "nvme connect -t $1"
	ready "$3"
}

# scan_cut NAME PATH ENGINE COMMAND...: a scan that is held at its fourth command until the target of
# port 2 is gone; COMMAND (back: the target returns) runs afterwards. It ends within 30 s, whatever
# happens. Leaves $status, $took, /tmp/out and /tmp/err.
scan_cut() {
	local cut=$target/ports/2/subsystems/$1 path=$2 engine=$3 query start
	shift 3
	"$B/tests/prog_attach" "$B/tests/programs/guest/hold_commands.bpf.o" \
		"$B/nearfold" run "$PROGRAM" --local "$path" --format fixed:24 --range 0:$DATA_BYTES \
		--engine "$engine" --chunk 4096 --depth 2 --threads 1 --output json --no-progress \
		>/tmp/out 2>/tmp/err &
	query=$!
	until grep -q "^State:.T" /proc/$query/status; do
		kill -0 $query || fail "not held: $(cat /tmp/err)"
	done
	rm "$cut"
	start=$SECONDS
	kill -CONT $query
	"$@"
	status=0
	wait $query || status=$?
	took=$((SECONDS - start))
	cat /tmp/err
	[ $took -le 30 ] || fail "a scan without its target took $took seconds"
}
back() { sleep 1 && ln -s "$target/subsystems/${cut##*/}" "$cut"; }
