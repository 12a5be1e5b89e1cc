#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# A path that leads out of its export is refused, whoever made the link.
. "$(dirname "$0")/../support/node.sh"
. "$(dirname "$0")/../support/node_query.sh"

mkdir "$T/in" "$T/out" "$T/fine" "$T/links"
head -c 240 /dev/zero >"$T/in/data.bin"
head -c 240 /dev/zero >"$T/out/secret.bin"
head -c 240 /dev/zero >"$T/fine/real.bin"
ln -s real.bin "$T/fine/linked.bin"
ln -s ../out/secret.bin "$T/in/up.bin"
ln -s "$T/out/secret.bin" "$T/links/absolute.bin"
ln -s /proc/self/root/etc/passwd "$T/links/magic"
ln -s "$T/out" "$T/links/folder"

node_start 127.0.0.1:0 --export "up=$T/in,format=fixed:24" \
	--export "absolute=$T/links/absolute.bin,format=fixed:24" \
	--export "magic=$T/links/magic,format=fixed:24" \
	--export "glob=$T/links/fold*/*.bin,format=fixed:24" \
	--export "fine=$T/fine,format=fixed:24"
for name in up absolute magic glob; do
	status=0
	"$B/nearfold" run "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --dataset "$name" \
		>"$T/out.txt" 2>"$T/err.txt" || status=$?
	check_equal "exit status of $name" "$status" 1
	check_equal "answer of $name" "$(cat "$T/out.txt")" ""
	grep -q PERMISSION_DENIED "$T/err.txt" || fail "$name: $(cat "$T/err.txt")"
	"$B/nearfold" read --node "$NODE_ADDRESS" --dataset "$name" >"$T/out.txt" 2>"$T/err.txt" &&
		fail "$name can be read"
	check_equal "bytes of $name" "$(wc -c <"$T/out.txt")" 0
done
"$B/nearfold" run "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --dataset fine --output csv |
	grep -q '^20,' || fail "a link that stays inside is refused"
"$B/nearfold" datasets --node "$NODE_ADDRESS" --output csv >"$T/datasets.csv"
check_equal "data sets with a problem" "$(grep -c 'leads out' "$T/datasets.csv")" 4
node_stop

# With a configured root nothing outside of it can even be named.
printf '[node]\nroot = %s\nlisten = 127.0.0.1:0\n[dataset a]\npath = %s\nformat = lines\n' \
	"$T/in" "$T/out/secret.bin" >"$T/conf"
status=0
"$B/nearfoldd" --config "$T/conf" 2>"$T/err.txt" || status=$?
check_equal "exit status" "$status" 1
grep -q "not below the root" "$T/err.txt" || fail "$(cat "$T/err.txt")"
printf '[node]\nroot = %s\n[dataset a]\npath = ../out/secret.bin\nformat = fixed:24\n' \
	"$T/in" >"$T/conf"
node_start 127.0.0.1:0 --config "$T/conf"
"$B/nearfold" read --node "$NODE_ADDRESS" --dataset a >"$T/out.txt" 2>"$T/err.txt" &&
	fail "../out can be read"
grep -q PERMISSION_DENIED "$T/err.txt" || fail "$(cat "$T/err.txt")"
