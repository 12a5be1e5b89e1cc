#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The file as a network block device from nbdkit, copied with nbdcopy and reduced here by the same
# engine.
. "$(dirname "$0")/baseline.sh"
baseline_need nbdkit nbdcopy
baseline_begin fixed
far nbdkit --foreground --readonly --ipaddr $NODE --port 10809 file "$FILE" &
until nbdinfo --size "nbd://$NODE" >/dev/null 2>&1; do sleep 0.05; done
way_nbd() { nbdcopy "nbd://$NODE" - | fold; }
baseline_run "nearfold, offload=way_offload" "nearfold read, folded here=way_ship" "nbdkit + nbdcopy, folded here=way_nbd"
