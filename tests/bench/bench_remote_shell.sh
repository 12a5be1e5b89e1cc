#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What many would do: a remote shell that runs mawk, or a C program compiled for it, beside the data.
# The shell is socat's, without encryption and log-in: what sshd would add is not in the figures.
# Neither checks the program, limits it, or says how far it is.
. "$(dirname "$0")/baseline.sh"
baseline_need socat mawk
baseline_begin lines
cat >"$T/mawk.sh" <<S
exec mawk 'length(\$0) > 40 {n++; s += index(\$0, ":") - 1} END {printf "lines,before_colon\n%d,%.0f\n", n, s}' '$FILE'
S
far socat "TCP-LISTEN:2001,bind=$NODE,fork,reuseaddr" "EXEC:sh $T/mawk.sh" &
far socat "TCP-LISTEN:2002,bind=$NODE,fork,reuseaddr" "EXEC:$B/bench/lines_c $FILE 40" &
sleep 0.3
way_mawk() { socat -u "TCP:$NODE:2001" -; }
way_c() { socat -u "TCP:$NODE:2002" -; }
baseline_run "nearfold, offload=way_offload" "remote shell, mawk=way_mawk" "remote shell, C (gcc -O3)=way_c"
