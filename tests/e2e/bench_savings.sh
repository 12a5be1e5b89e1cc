#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# nearfold bench: what is counted. Bytes, never times: an ungrouped query takes less than 16 KiB on the
# wire with its program and less than 4 KiB without; shipping takes the data and a little more; the
# client's, the node's and the interface's counts agree; the report has its documented form, in every
# form. And nothing is left behind, however it ends.

# lo carries what other tests send, too: count it in a network namespace of our own, where we may.
if [ -z "${BENCH_ALONE:-}" ] && command -v ip >/dev/null && unshare --net true 2>/dev/null; then
	BENCH_ALONE=1 exec unshare --net "$0" "$@"
fi
[ -z "${BENCH_ALONE:-}" ] || ip link set lo up

. "$(dirname "$0")/../support/node.sh"
here=$(dirname "$0")
schema=$here/../../docs/benchmark.schema.json

# figure FILE SECTION WAY ENGINE NAME: its median
figure()
{
	jq -r --arg s "$2" --arg w "$3" --arg e "$4" --arg f "$5" \
		'[.rows[] | select(.section == $s and .way == $w and .engine == $e)][0].figures[$f].median | floor' \
		"$1"
}

# between WHAT VALUE LOW HIGH
between()
{
	[ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || fail "$1 is $2, not in $3 .. $4"
	echo "$1: $2"
}

size=$((16 << 20))
"$B/nearfold" bench sweep --generate "$T/data.bin" --size $size
check_equal "bytes generated" "$(stat -c %s "$T/data.bin")" $size
seq 1 20000 >"$T/lines.txt"
printf 'no newline' >>"$T/lines.txt"
node_start 127.0.0.1:0 --export "data=$T/data.bin,format=fixed:32" \
	--export "skipped=$T/data.bin,format=fixed:32,skip=64" --export "lines=$T/lines.txt,format=lines"

"$B/nearfold" bench savings "$B/bench-programs/select.bpf.o" --param bound=500000 --node "$NODE_ADDRESS" \
	--dataset data --rounds 3 --json "$T/savings.json" --html "$T/savings.html" >"$T/table.txt"
python3 "$here/../support/bench_check.py" "$T/savings.json" "$schema"
grep -q 'ship / offload' "$T/table.txt" || fail "the table has no ratios"
grep -q '<svg' "$T/savings.html" || fail "the page has no plots"

report=$T/savings.json
for engine in jit interp; do
	if ! jq -e --arg e $engine 'any(.rows[]; .engine == $e and .section == "savings")' "$report" >/dev/null; then
		jq -r '.notes[]' "$report"
		continue
	fi
	wire=$(figure "$report" savings offload $engine wire_bytes)
	node=$(figure "$report" savings offload $engine node_sent_bytes)
	received=$(figure "$report" savings offload $engine client_received_bytes)
	between "$engine: a query on the wire, program cached" "$wire" 64 4095
	between "$engine: of it received, beside the node's $node" "$received" "$node" $((node + 1024))

	received=$(figure "$report" savings ship $engine client_received_bytes)
	node=$(figure "$report" savings ship $engine node_sent_bytes)
	interface=$(figure "$report" savings ship $engine interface_bytes)
	between "$engine: what the node says it shipped" "$node" $size $((size + size / 1000))
	# HTTP/2: nine bytes before each 16 KiB or less, headers, settings.
	between "$engine: what the client received" "$received" "$node" $((node + size / 1000 + 1024))
	# TCP, IP and Ethernet: 66 bytes a segment, acknowledgements; and what else lo carries.
	between "$engine: what lo carried" "$interface" "$received" \
		"$([ -n "${BENCH_ALONE:-}" ] && echo $((received + size / 100)) || echo 1000000000000)"
	check_equal "$engine: records" "$(figure "$report" savings ship $engine records)" $((size / 32))
	check_equal "$engine: matched both ways" "$(figure "$report" savings ship $engine matched)" \
		"$(figure "$report" savings offload $engine matched)"
done
between "the first query, program included" "$(figure "$report" first offload interp wire_bytes)" 512 16383
! jq -r '.notes[]' "$report" | grep -q "answers" || fail "offload and shipping gave different answers"

# A header that is passed over, lines, and a file's last line without a newline: both ways agree.
for dataset in skipped lines; do
	program=select
	[ $dataset = skipped ] || program=lines
	"$B/nearfold" bench savings "$B/bench-programs/$program.bpf.o" --node "$NODE_ADDRESS" --dataset $dataset \
		--engine interp --rounds 1 --json "$T/$dataset.json" >"$T/$dataset.out"
	! grep "answers" "$T/$dataset.out" || fail "$dataset: different answers"
	check_equal "$dataset: records both ways" "$(figure "$T/$dataset.json" savings ship interp records)" \
		"$(figure "$T/$dataset.json" savings offload interp records)"
done
check_equal "records of lines" "$(figure "$T/lines.json" savings ship interp records)" 20001

# A UNIX socket has no interface: it says so.
node_start "unix:$T/node.sock" --export "data=$T/data.bin,format=fixed:32"
"$B/nearfold" bench savings "$B/bench-programs/select.bpf.o" --node "$NODE_ADDRESS" --dataset data \
	--engine interp --rounds 1 >"$T/unix.txt"
grep -q 'interface bytes: not counted' "$T/unix.txt" || fail "a UNIX socket's interface is not explained"

# A sweep, on a node and over data of its own; --only takes sections, and refuses others.
export TMPDIR=$T/tmp
mkdir "$TMPDIR"
"$B/nearfold" bench sweep --quick --size 2M --rounds 1 --only state,groups,queries --json "$T/sweep.json" \
	>"$T/sweep.txt"
python3 "$here/../support/bench_check.py" "$T/sweep.json" "$schema"
check_equal "sections of the sweep" "$(jq -r '[.rows[].section] | unique | join(" ")' "$T/sweep.json")" \
	"groups queries state"
check_equal "left in the temporary folder" "$(ls "$TMPDIR")" ""
status=0
"$B/nearfold" bench sweep --only lnik 2>"$T/err" || status=$?
check_equal "exit status for a wrong section" $status 2
grep -q lnik "$T/err" || fail "the wrong section is not named: $(cat "$T/err")"

# However it ends, its node and its data are gone.
for signal in INT TERM KILL; do
	"$B/nearfold" bench sweep --size 64M --only queries >"$T/killed.txt" 2>&1 &
	bench=$!
	for _ in $(seq 200); do
		node=$(pgrep -P $bench nearfoldd || :)
		[ -z "$node" ] || break
		sleep 0.05
	done
	[ -n "$node" ] || fail "the sweep started no node: $(cat "$T/killed.txt")"
	sleep 0.3
	kill -$signal $bench
	wait $bench 2>/dev/null || :
	for _ in $(seq 100); do
		[ -z "$(ls "$TMPDIR")" ] && ! kill -0 "$node" 2>/dev/null && break
		sleep 0.05
	done
	check_equal "left in the temporary folder after SIG$signal" "$(ls "$TMPDIR")" ""
	! kill -0 "$node" 2>/dev/null || fail "the node lives on after SIG$signal"
done

# What cannot be written is said before anything is measured, and the check leaves nothing behind.
for option in "--json $T/none/x" "--html $T" "--png $T/savings.json" "--store $T/none/x"; do
	status=0
	# shellcheck disable=SC2086
	"$B/nearfold" bench engines $option >"$T/out" 2>"$T/err" || status=$?
	check_equal "exit status of bench engines $option" $status 1
	grep -q "cannot write the report: ${option#* }: " "$T/err" || fail "$option: $(cat "$T/err")"
	[ ! -s "$T/out" ] || fail "$option: measured before it failed"
done
status=0
"$B/nearfold" bench savings "$B/examples/average.bpf.o" --node "unix:$T/none" --dataset data \
	--json "$T/new.json" 2>/dev/null || status=$?
check_equal "exit status without a node" $status 1
[ ! -e "$T/new.json" ] || fail "an empty report stays"

# What is not a report is refused with its place.
"$B/nearfold" bench report "$T" 2>"$T/err" && fail "a folder is a report"
grep -q "$T: .*Is a directory" "$T/err" || fail "$(cat "$T/err")"
for text in '' '{"nearfold_benchmark": 2}' '{'; do
	printf '%s' "$text" >"$T/wrong.json"
	status=0
	"$B/nearfold" bench report "$T/wrong.json" 2>"$T/err" || status=$?
	check_equal "exit status for a report of '$text'" $status 1
	grep -q wrong.json "$T/err" || fail "the file is not named: $(cat "$T/err")"
done
exit 0
