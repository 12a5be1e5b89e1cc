#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Text fetched over HTTP from nginx, reduced here by mawk and by the same engine.
. "$(dirname "$0")/baseline.sh"
PATH=$PATH:/usr/sbin
baseline_need nginx curl mawk
baseline_begin lines
cat >"$T/nginx.conf" <<C
worker_processes 1;
pid $T/nginx.pid;
error_log $T/nginx.log;
user root;
events {}
http { access_log off; sendfile on; tcp_nopush on; server { listen $NODE:8080; root $T; } }
C
far nginx -c "$T/nginx.conf" -e "$T/nginx.log" -g 'daemon off;' &
until curl -sfI "http://$NODE:8080/lines.txt" >/dev/null; do sleep 0.05; done
way_mawk()
{
	curl -s "http://$NODE:8080/lines.txt" |
		mawk 'length($0) > 40 {n++; s += index($0, ":") - 1} END {printf "lines,before_colon\n%d,%.0f\n", n, s}'
}
way_http() { curl -s "http://$NODE:8080/lines.txt" | fold; }
baseline_run "nearfold, offload=way_offload" "nginx + curl, folded here=way_http" "nginx + curl, mawk here=way_mawk"
