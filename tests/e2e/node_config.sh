#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What the daemon is told wrongly: what, where, what to do; status 2.
. "$(dirname "$0")/../support/node.sh"

# refused STATUS TEXT ARG...
refused()
{
	local want=$1 text=$2 status=0

	shift 2
	timeout 10 "$B/nearfoldd" "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
	check_equal "status of nearfoldd $*" "$status" "$want"
	grep -q -- "$text" "$T/err" || fail "nearfoldd $*: '$(cat "$T/err")' does not say '$text'"
}
echo data >"$T/file"
good=(--export "a=$T/file,format=lines")

refused 2 'unknown flag --lisen' --lisen 127.0.0.1:0
refused 2 '--listen needs a value' --listen
refused 2 "unexpected argument 'file'" file
refused 2 'no data set to serve' --listen 127.0.0.1:0
refused 2 "is no address" "${good[@]}" --listen nowhere
refused 2 'not a format' --export "a=$T/file,format=fixed:x"
refused 2 'no such key' --export "a=$T/file,format=lines,colour=red"
refused 2 'two data sets' "${good[@]}" "${good[@]}"
refused 2 'no such limit' "${good[@]}" --limit speed=9
refused 2 'whole number from' "${good[@]}" --limit queries_running=0
refused 2 'NAME=VALUE' "${good[@]}" --limit queries_running
refused 2 "'loud'" "${good[@]}" --log-level loud
refused 2 'insecure' "${good[@]}" --listen 0.0.0.0:0
refused 2 "$T/none" --config "$T/none"
refused 2 "$T: .*Is a directory" --config "$T" "${good[@]}"
printf '[node]\nlisten = 127.0.0.1:0\nspeed = 9\n' >"$T/conf"
refused 2 "$T/conf:3: unknown key 'speed'" --config "$T/conf"
printf '[node]\nlisten = 127.0.0.1:0\n[dataset a]\nformat = lines\n' >"$T/conf"
refused 2 'data set a.*path' --config "$T/conf"

printf '[node]\nlisten = 127.0.0.1:0\n[limits]\ngroups = 5\n[dataset a]\npath = %s\nformat = lines\n' \
	"$T/file" >"$T/conf"
"$B/nearfoldd" --config "$T/conf" --check-config >"$T/out" || fail "a good file is refused"
grep -q 'limit groups = 5' "$T/out" || fail "$(cat "$T/out")"
grep -q "dataset a lines $T/file" "$T/out" || fail "$(cat "$T/out")"
"$B/nearfoldd" --version | grep -q '^nearfoldd [0-9]' || fail "no version"
"$B/nearfoldd" --help | grep -q -- --export || fail "no help"

# What only shows at the start: status 1.
node_start 127.0.0.1:0 --config "$T/conf" 
refused 1 "${NODE_ADDRESS##*:}" "${good[@]}" --listen "$NODE_ADDRESS"
# A data set that is not there yet is no reason not to serve the others.
node_start "unix:$T/socket" "${good[@]}" --export "b=$T/later,format=lines"
grep -q 'data set b.*cannot be scanned now' "$NODE_LOG" || fail "$(cat "$NODE_LOG")"
"$B/nearfold" datasets --node "unix:$T/socket" --output csv >"$T/datasets"
grep -q 'no such file' "$T/datasets" || fail "$(cat "$T/datasets")"
refused 1 "$T/socket" "${good[@]}" --listen "unix:$T/socket"

# Started with its standard streams closed: their numbers stay theirs.
"$B/nearfoldd" --listen "unix:$T/closed" "${good[@]}" <&- >&- 2>&- &
NODE_PIDS+=($!)
for _ in $(seq 100); do
	"$B/nearfold" datasets --node "unix:$T/closed" --output csv >"$T/datasets" 2>"$T/err" && break
	sleep 0.1
done
grep -q '^a,lines' "$T/datasets" || fail "with closed streams: $(cat "$T/err")"
check_equal "streams of that node" "$(readlink /proc/$!/fd/[012] | sort -u)" \
	/dev/null
