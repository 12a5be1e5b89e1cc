#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Rubbish on the port harms nobody, and leaves nothing behind.
. "$(dirname "$0")/../support/node.sh"
. "$(dirname "$0")/../support/node_query.sh"

head -c 240 /dev/zero >"$T/small.bin"
node_start 127.0.0.1:0 --export "small=$T/small.bin,format=fixed:24"
host=${NODE_ADDRESS%:*} port=${NODE_ADDRESS##*:}
small()
{
	"$B/nearfold" run "$B/examples/average.bpf.o" --node "$NODE_ADDRESS" --dataset small \
		--output csv | grep -q '^10,' || fail "the node does not answer after $1"
}
# What stdin has, to the node; the node may hang up at any time.
throw()
{
	timeout 60 python3 -c '
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])))
try:
    s.sendall(sys.stdin.buffer.read())
    s.settimeout(2)
    while s.recv(65536):
        pass
except OSError:
    pass' "$host" "$port"
}
small "its start"
before=$(files_at_rest)
head -c 100000 /dev/urandom | throw
small "random bytes"
printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' | throw
small "HTTP/1.1"
printf '\026\003\001\002\000\001\000\001\374\003\003' | throw
small "a TLS hello"
{
	printf 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
	head -c 65536 /dev/urandom
} | throw
small "a good beginning and random frames"
for i in $(seq 20); do
	printf 'PRI * HTTP/2.0\r\n' | throw &
done
wait $(jobs -p | grep -v "^$NODE_PID\$")
small "twenty broken beginnings"
check_files "$before"
node_stop || fail "the node ended with status $?"
