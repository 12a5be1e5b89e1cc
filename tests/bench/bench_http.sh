#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The file fetched over HTTP from nginx and reduced here by the same engine.
. "$(dirname "$0")/baseline.sh"
PATH=$PATH:/usr/sbin
baseline_need nginx curl
baseline_begin fixed
cat >"$T/nginx.conf" <<C
worker_processes 1;
pid $T/nginx.pid;
error_log $T/nginx.log;
user root;
events {}
http { access_log off; sendfile on; tcp_nopush on; server { listen $NODE:8080; root $T; } }
C
far nginx -c "$T/nginx.conf" -e "$T/nginx.log" -g 'daemon off;' &
until curl -sfI "http://$NODE:8080/data.bin" >/dev/null; do sleep 0.05; done
way_http() { curl -s "http://$NODE:8080/data.bin" | fold; }
baseline_run "nearfold, offload=way_offload" "nearfold read, folded here=way_ship" "nginx + curl, folded here=way_http"
