#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# nearfold bench sweep over shaped links: the cable is there at every speed and as slow as it says; all
# that goes over it is counted, and nothing else; no namespace stays. Not as root: the rows are left out, and
# the report says why.
. "$(dirname "$0")/../support/node.sh"

namespaces()
{
	# Those of processes, and those that have a name.
	{ readlink /proc/[0-9]*/ns/net 2>/dev/null | sort -u; ip netns list; } | sort
}

command -v ip >/dev/null && command -v tc >/dev/null || skip "iproute2 is not installed"
export TMPDIR=$T/tmp
mkdir "$TMPDIR"
size=$((2 << 20))
before=$(ip -o link | wc -l)
"$B/nearfold" bench sweep --quick --size $size --rounds 1 --only link --engine interp --json "$T/link.json" \
	>"$T/link.txt"
check_equal "left in the temporary folder" "$(ls "$TMPDIR")" ""
if ! jq -e 'any(.rows[]; .x_text == "1 Gbit/s")' "$T/link.json" >/dev/null; then
	jq -r '.notes[]' "$T/link.json" | grep -q '^link: speeds other than' ||
		fail "there are no shaped links, and the report does not say why"
	skip "$(jq -r '.notes[]' "$T/link.json" | grep '^link: speeds')"
fi
check_equal "interfaces of this namespace" "$(ip -o link | wc -l)" "$before"
for speed in "100 Mbit/s" "1 Gbit/s" "10 Gbit/s" "unshaped cable" loopback; do
	read -r shipped interface seconds < <(jq -r --arg s "$speed" '.rows[] | select(.x_text == $s and .way == "ship") |
		"\(.figures.client_received_bytes.median) \(.figures.interface_bytes.median) \(.figures.seconds.median)"' \
		"$T/link.json")
	echo "$speed: $shipped bytes received, $interface on the interface, $seconds s"
	[ "$shipped" -gt $size ] || fail "$speed: only $shipped bytes came"
	[ "$interface" -gt "$shipped" ] && [ "$interface" -lt $((shipped + size / 10)) ] ||
		fail "$speed: $interface bytes on the interface beside $shipped received"
done
# What the queue lets pass at once is 128 KiB; the rest takes its time.
slow=$(jq -r '.rows[] | select(.x_text == "100 Mbit/s" and .way == "ship") | .figures.seconds.median * 1000 | floor' \
	"$T/link.json")
least=$(((size - 131072) * 8 / 100000))
[ "$slow" -ge $((least * 9 / 10)) ] || fail "100 Mbit/s: $size bytes came in $slow ms; $least are the least possible"

# Ended in the middle: the node in the namespace is gone, and with it the namespace.
"$B/nearfold" bench sweep --size 8M --only link --engine interp >"$T/killed.txt" 2>&1 &
bench=$!
for _ in $(seq 200); do
	node=$(pgrep -P $bench nearfoldd || :)
	[ -z "$node" ] || break
	sleep 0.05
done
[ -n "$node" ] || fail "the sweep started no node: $(cat "$T/killed.txt")"
sleep 0.3
space=$(readlink "/proc/$node/ns/net")
[ "$space" != "$(readlink /proc/self/ns/net)" ] || fail "the node runs in the namespace of everybody"
kill -KILL $bench
wait $bench 2>/dev/null || :
for _ in $(seq 100); do
	namespaces | grep -qxF "$space" || break
	sleep 0.05
done
! namespaces | grep -qxF "$space" || fail "the namespace $space stays"
check_equal "left in the temporary folder" "$(ls "$TMPDIR")" ""
exit 0
