#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# Wrong input of every kind: the message says what, where, and what to do; the exit status is 2 for
# wrong usage and 1 for what failed; nothing appears on standard output.
. "$(dirname "$0")/../support/node.sh"

average=$B/examples/average.bpf.o
grep=$B/examples/grep_count.bpf.o
nearfold=$B/nearfold
head -c 240 /dev/zero >"$T/ten.bin"
head -c 250 /dev/zero >"$T/cut.bin"
printf 'one\ntwo\n' >"$T/lines.txt"
echo 'not an object' >"$T/text.o"
cases=0

# expect STATUS PATTERN ARG...: the message, on one line or two, matches the extended pattern.
expect()
{
	local want=$1 pattern=$2 status=0

	shift 2
	timeout 20 "$nearfold" "$@" >"$T/out" 2>"$T/err" </dev/null || status=$?
	check_equal "exit status of: nearfold $* ($(cat "$T/err"))" "$status" "$want"
	grep -Eq -- "$pattern" "$T/err" || fail "nearfold $* said '$(cat "$T/err")', want /$pattern/"
	[ "$(head -c 10 "$T/err")" = "nearfold: " ] || fail "nearfold $*: $(cat "$T/err")"
	[ "$(wc -l <"$T/err")" -le 2 ] || fail "nearfold $*: more than a message: $(cat "$T/err")"
	[ ! -s "$T/out" ] || fail "nearfold $*: also wrote to standard output: $(cat "$T/out")"
	cases=$((cases + 1))
}

# ---- commands and options
expect 2 'no command: nearfold --help'
expect 2 'unknown command: rnu: did you mean nearfold run\?' rnu
expect 2 'unknown command: frobnicate: nearfold --help' frobnicate
expect 2 'unknown option: --verson' --verson
expect 2 'unknown option: --thrads: did you mean --threads\?' run "$average" --thrads 2
expect 2 'an option lacks its value: --threads: give --threads N' run "$average" --threads
expect 2 'this option takes no value: --stats=1' run "$average" --stats=1
expect 2 'one word too many: b.o' run a.o b.o
expect 2 'no program: give one: nearfold run PROG.bpf.o' run
expect 2 'no program: .*words after --local are files' run --local "$average" "$T/ten.bin" --format lines
expect 2 'no program: give one' check
expect 2 "an option's value is empty: --dataset: give --dataset NAME" run "$average" --node a --dataset ''
expect 2 "an option's value is empty: .*: give --timeout TIME" run "$average" --timeout=
expect 2 'an empty word: run: .* is a variable of the shell not set' run "$average" --local '' --format lines
expect 2 'an empty word' run ''
expect 2 "not a size to measure: --size '1': give at least 1M" bench sweep --size 1
expect 2 "not a size: --chunk '0'" run "$average" --chunk 0
expect 2 "not a size: --skip '9223372036854775808'" run "$average" --skip 9223372036854775808
expect 2 "not a time: --timeout '30x': give" run "$average" --timeout 30x
expect 2 "not a range: --range '9:3': give" run "$average" --range 9:3
expect 2 "unknown engine: --engine 'gpu': give auto, kernel, jit or interp" run "$average" --engine gpu
expect 2 "unknown form: --output 'xml'" run "$average" --output xml
expect 2 "not a format: --format 'fixed:x': give fixed:N" check "$average" --format fixed:x
expect 2 "not a format: --format 'lnes'" run "$average" --local "$T/ten.bin" --format lnes

# ---- where
expect 2 'both --node and --local: give' run "$average" --node a --local "$T/ten.bin"
expect 2 'no data: give --node ADDRESS --dataset NAME, or --local' run "$average"
expect 2 'no data set: give --dataset NAME' run "$average" --node 127.0.0.1:1
expect 2 'no node: give --node ADDRESS' datasets
expect 2 'no node: give --node ADDRESS' status
expect 2 'too many nodes: b: nearfold status asks one' status --node a,b
expect 2 'no format: --local: .*--format fixed:N' run "$average" --local "$T/ten.bin"
expect 2 'no file: --local' run "$average" --local --format lines
expect 2 'an option for local files: format' run "$average" --node a --dataset d --format lines
expect 2 '--dataset with --local: d' run "$average" --local "$T/ten.bin" --dataset d

# ---- programs and parameters
expect 1 'cannot read the program: .*/none.o.*No such file' run "$T/none.o" --local "$T/ten.bin" --format fixed:24
expect 1 "cannot read the program: .*$T" run "$T" --local "$T/ten.bin" --format fixed:24
expect 1 'cannot read the program: .*text.o' run "$T/text.o" --local "$T/ten.bin" --format fixed:24
expect 2 "cannot set a parameter: parameter 'wrod': .*did you mean 'word'" run "$grep" --param wrod=x --local "$T/lines.txt" --format lines
expect 2 "parameter 'x': .* takes no parameters" run "$average" --param x=1 --local "$T/ten.bin" --format fixed:24
expect 2 "not a parameter: --param 'x': give NAME=VALUE" run "$average" --param x

# ---- local data
expect 1 'cannot run .*/none.bin: no such file' run "$average" --local "$T/none.bin" --format fixed:24
expect 1 'cannot run .*cut.bin.*10 bytes' run "$average" --local "$T/cut.bin" --format fixed:24
expect 1 'cannot run .*24' run "$average" --local "$T/ten.bin" --format fixed:10
status=0
"$nearfold" check "$average" --format fixed:10 >"$T/out" 2>"$T/err" || status=$?
check_equal "exit status of check for another record" "$status" 1
grep -Eq 'refused: .*24' "$T/err" || fail "check said: $(cat "$T/err")"
expect 1 'cannot run .*range' run "$average" --local "$T/ten.bin" --format fixed:24 --range 24:9999
expect 1 'cannot run .*chunk' run "$average" --local "$T/ten.bin" --format fixed:24 --chunk 1

# ---- nodes
expect 1 'cannot reach the node: 127.0.0.1:1: .*start one: nearfoldd --listen 127.0.0.1:1 --export' datasets --node 127.0.0.1:1
expect 1 "cannot reach the node: unix:$T/no.sock: .*start one: nearfoldd --listen" status --node "unix:$T/no.sock"
expect 1 'cannot reach the node: .*no-such-host.invalid' status --node no-such-host.invalid --timeout 5s
expect 2 'not an address: .*HOST:PORT' status --node 'unix:'
expect 2 'not an address: .*HOST:PORT' status --node 127.0.0.1:http
expect 2 'not an address: http://127.0.0.1:1: .*nor http://' status --node http://127.0.0.1:1
for nodes in ,a a, a,,b; do
	expect 2 "no address: --node '$nodes'" run "$average" --node $nodes --dataset d
done

node_start 127.0.0.1:0 --export "zeroes=$T/ten.bin,format=fixed:24" \
	--export "words=$T/lines.txt,format=lines"
node=$NODE_ADDRESS
expect 1 "cannot run .*zeros.*; the node has (words, zeroes|zeroes, words)" run "$average" --node "$node" --dataset zeros
expect 1 "cannot read .*the node has" read --node "$node" --dataset zeros
expect 1 "cannot explain .*the node has" explain "$average" --node "$node" --dataset zeros
expect 1 'cannot run .*24' run "$average" --node "$node" --dataset words
expect 1 'cannot run .*range' run "$average" --node "$node" --dataset zeroes --range 24:9999
expect 1 "$node: the node is named twice" run "$average" --node "$node,$node" --dataset zeroes
expect 1 "localhost:.*: this is the node at $node, too, .*: name each node once" \
	run "$average" --node "$node,localhost:${node##*:}" --dataset zeroes
expect 1 'cannot reach the node: 127.0.0.1:1:' run "$average" --node "$node,127.0.0.1:1" --dataset zeroes

# ---- a server that is no node, and one that says nothing
cat >"$T/server.py" <<'P'
import socket, sys, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen()
print(s.getsockname()[1], flush=True)
kept = []
while True:
    c, _ = s.accept()
    kept.append(c)
    if sys.argv[1] == "hang-up":
        c.close()
    if sys.argv[1] == "garbage":
        c.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" + bytes(range(256)) * 4)
P
for kind in garbage hang-up silence; do
	python3 "$T/server.py" $kind >"$T/$kind.port" &
	NODE_PIDS+=($!)
	while [ ! -s "$T/$kind.port" ]; do sleep 0.05; done
	begin=$SECONDS
	hint=$([ $kind != hang-up ] || echo '.*is it a nearfoldd that listens there')
	expect 1 "127.0.0.1:$(cat "$T/$kind.port")$hint" status --timeout 1s \
		--node "127.0.0.1:$(cat "$T/$kind.port")"
	[ $((SECONDS - begin)) -le 6 ] || fail "$kind: took $((SECONDS - begin)) s with --timeout 1s"
done

# ---- the answer has nowhere to go; a stream that is closed gives its number to no file or socket
for command in "run $average --local $T/ten.bin --format fixed:24" \
	"run $average --node $node --dataset zeroes --output json" "check $average" --help \
	"explain $average --node $node --dataset zeroes" "datasets --node $node" devices \
	"status --node $node" "read --node $node --dataset zeroes"; do
	# shellcheck disable=SC2086
	for stdout in full closed; do
		status=0
		case $stdout in
		full) "$nearfold" $command >/dev/full 2>"$T/err" || status=$? ;;
		*) "$nearfold" $command >&- 2>"$T/err" || status=$? ;;
		esac
		check_equal "exit status with a $stdout standard output: $command" "$status" 1
		grep -Eq 'cannot write the answer: standard output: (No space left|Bad file desc)' \
			"$T/err" || fail "$command, $stdout: $(cat "$T/err")"
	done
done

# ---- on a terminal: raw bytes are refused, a long query has a bar that is cleaned away
if command -v script >/dev/null; then
	status=0
	script -qec "$nearfold read --node $node --dataset words" /dev/null >"$T/out" </dev/null || status=$?
	check_equal "exit status of read on a terminal" "$status" 2
	grep -q 'raw bytes on a terminal: standard output: send them' "$T/out" || fail "$(cat "$T/out")"
	script -qec "$nearfold read --force --node $node --dataset words" /dev/null </dev/null |
		grep -q two || fail "read --force wrote nothing to the terminal"
	truncate -s 240M "$T/zeroes.bin"
	long="$nearfold run $average --local $T/zeroes.bin --format fixed:24 --engine interp --threads 1"
	TERM=xterm script -qec "$long" /dev/null </dev/null >"$T/out"
	grep -q '%.*B/s' "$T/out" || fail "a long query has no bar on a terminal: $(cat "$T/out")"
	grep -q "$(printf '\r\033\\[Ksize.count')" "$T/out" || fail "the bar stays: $(cat -v "$T/out")"
	TERM=dumb script -qec "$long" /dev/null </dev/null >"$T/out"
	grep -q "$(printf '\033')" "$T/out" && fail "a dumb terminal gets escapes: $(cat -v "$T/out")"
fi

# ---- what is right still works, and help is there for every command
"$nearfold" --help | grep -q 'nearfold COMMAND' || fail "no help"
"$nearfold" --version | grep -Eq '^nearfold [0-9]+\.[0-9]+\.[0-9]+$' || fail "no version"
"$nearfold" --help | sed -n 's/^  \([a-z]\+\( [a-z]\+\)\?\)  .*/\1/p' >"$T/commands"
[ "$(wc -l <"$T/commands")" -ge 6 ] || fail "too few commands: $(cat "$T/commands")"
while read -ra command; do
	"$nearfold" "${command[@]}" --help >"$T/help" || fail "${command[*]} --help: status $?"
	grep -q "^\*${command[*]}\*$" "$(dirname "$0")/../../docs/nearfold.1.scd" ||
		fail "docs/nearfold.1.scd lacks ${command[*]}"
	grep -q '^Examples:' "$T/help" || fail "${command[*]} --help has no examples"
	for option in $(sed -n 's/^  \(--[a-z-]*\).*/\1/p' "$T/help" | grep -v -- --help); do
		grep -q -- "\*$option" "$(dirname "$0")/../../docs/nearfold.1.scd" ||
			fail "docs/nearfold.1.scd lacks $option"
	done
done <"$T/commands"
"$nearfold" run "$average" --node "$node" --dataset zeroes >/dev/null || fail "the node is gone"
node_stop "$NODE_PID" || fail "the node ended with status $?"
echo "$cases wrong inputs"
