# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# shellcheck shell=bash disable=SC2119,SC2120
#
# node.sh - for the end-to-end scripts: starts nearfoldd on an address of its own, stops it by pid.
#
#	. "$(dirname "$0")/../support/node.sh"
#	node_start 127.0.0.1:0 --export "log=$T/log.txt,format=lines"
#	"$B/nearfold" run --node "$NODE_ADDRESS" ...
#	node_stop
#
# Sourcing it sets -eu, $B (default build/release), $T (a new folder, removed at the end unless
# KEEP=1) and the functions below. Nodes that still run at the end are stopped.
#
#	node_start LISTEN [ARG...]  sets NODE_ADDRESS, NODE_PID, NODE_LOG (its stderr); several may run
#	node_stop [PID]             SIGTERM, and waits; returns the node's exit status
#	node_kill [PID]             SIGKILL, and waits
#	readers                     the readers that work here
#	fail TEXT                   prints the reason and ends the test
#	skip REASON                 ends the test with status 77 (tests/run counts it)
#	check_equal WHAT GOT WANT

set -eu
B=${B:-build/release}
T=$(mktemp -d "${TMPDIR:-/tmp}/nearfold-test.XXXXXX")
NODE_PIDS=()
NODE_COUNT=0

fail()
{
	echo "FAIL: $*" >&2
	exit 1
}

skip()
{
	echo "SKIP: $*"
	exit 77
}

readers()
{
	echo pread mmap
	case $(cat /proc/sys/kernel/io_uring_disabled 2>/dev/null || echo 0):$(id -u) in
	0:* | 1:0) echo uring ;;
	*) echo "without io_uring: kernel.io_uring_disabled" >&2 ;;
	esac
}

check_equal()
{
	[ "$2" = "$3" ] || fail "$1: got '$2', want '$3'"
}

node_start()
{
	local listen=$1 deadline=$((SECONDS + 20))

	shift
	NODE_COUNT=$((NODE_COUNT + 1))
	NODE_LOG=$T/node$NODE_COUNT.log
	: >"$NODE_LOG"
	"$B/nearfoldd" --listen "$listen" "$@" 2>"$NODE_LOG" >&2 </dev/null &
	NODE_PID=$!
	NODE_PIDS+=("$NODE_PID")
	while :; do
		NODE_ADDRESS=$(sed -n 's/.*listening on \([^ ,]*\).*/\1/p' "$NODE_LOG" | head -n 1)
		[ -z "$NODE_ADDRESS" ] || return 0
		if ! kill -0 "$NODE_PID" 2>/dev/null || [ $SECONDS -ge $deadline ]; then
			cat "$NODE_LOG" >&2
			fail "nearfoldd --listen $listen does not listen; its messages are above"
		fi
		sleep 0.05
	done
}

# $1 signal, $2 pid
node_end()
{
	local pid=$2 status=0 kept=() p

	kill "-$1" "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || status=$?
	for p in "${NODE_PIDS[@]}"; do
		[ "$p" = "$pid" ] || kept+=("$p")
	done
	NODE_PIDS=("${kept[@]}")
	return "$status"
}

node_stop()
{
	node_end TERM "${1:-$NODE_PID}"
}

node_kill()
{
	node_end KILL "${1:-$NODE_PID}" || true
}

node_cleanup()
{
	local status=$? p

	trap - EXIT
	for p in "${NODE_PIDS[@]}"; do
		kill -TERM "$p" 2>/dev/null || true
	done
	for p in "${NODE_PIDS[@]}"; do
		wait "$p" 2>/dev/null || true
	done
	if [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; then
		for p in "$T"/node*.log; do
			[ -s "$p" ] || continue
			echo "--- last lines of $(basename "$p")" >&2
			tail -n 15 "$p" >&2
		done
	fi
	[ "${KEEP:-0}" = 1 ] || rm -rf "$T"
	exit "$status"
}
trap node_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
