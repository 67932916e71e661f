#!/usr/bin/env bash
# ngspice 39.3: one table, two laws. E with TABLE is held beyond its ends and smoothed near its corners, so that it is
# wrong at its own points; pwl() in a B source is exact at the points and continues the last slope beyond them.
# Seen, points (0,0) (1,1) (5,5): at 5 V the E source gives 4.9, at 7 V 5; the B source gives 5 and 7.
# Here: `read_netlist` takes neither; both are named errors with their line.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q 'ngspice=39.3+ds-1' >/dev/null # Debian 12
dpkg -x ngspice_*.deb .
cat > tables.cir <<'CIR'
* tables
V1 x 0 5
V2 y 0 7
E1 n1 0 TABLE {v(x)} = (0,0) (1,1) (5,5)
E2 n2 0 TABLE {v(y)} = (0,0) (1,1) (5,5)
B1 n3 0 V=pwl(v(x),0,0,1,1,5,5)
B2 n4 0 V=pwl(v(y),0,0,1,1,5,5)
.control
op
print v(n1) v(n2) v(n3) v(n4)
quit 0
.endc
.end
CIR
usr/bin/ngspice -b tables.cir 2>/dev/null | grep ' = ' | grep -v TEMP | tee seen.txt
seen=$(awk '{printf "%g ", $3}' seen.txt)
[[ $seen == "4.9 5 5 7 " ]] || { echo "the behaviour has changed: $seen"; exit 1; }
