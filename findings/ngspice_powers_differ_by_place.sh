#!/usr/bin/env bash
# ngspice 39.3: a power means different things by where it stands, with a status of 0 and no warning.
# Seen: (-2)**3 is 8 in a source and in .param (the absolute value is taken), (-2)^3 is -8 in the control language, which
# does not know **; pow and pwr trade meanings between .param (pow -8, pwr 8) and sources (pow 8, pwr -8); 2**3**2 is 64
# in a netlist, 2^3^2 is 512 in the control language. A cubic law written with ** is silently even.
# Here: `read_netlist` and `write_netlist` follow each place's own rules.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q 'ngspice=39.3+ds-1' >/dev/null # Debian 12
dpkg -x ngspice_*.deb .
cat > powers.cir <<'CIR'
* powers
.param a={(-2)**3} b={pow(-2,3)} c={pwr(-2,3)} d={2**3**2}
V1 x 0 -2
B1 s1 0 V=v(x)**3
B2 s2 0 V=pow(v(x),3)
B3 s3 0 V=pwr(v(x),3)
B4 s4 0 V=2**3**2
V2 p1 0 {a}
V3 p2 0 {b}
V4 p3 0 {c}
V5 p4 0 {d}
.control
op
let cube = (-2)^3
let tower = 2^3^2
print v(s1) v(s2) v(s3) v(s4) v(p1) v(p2) v(p3) v(p4) cube tower
quit 0
.endc
.end
CIR
usr/bin/ngspice -b powers.cir 2>/dev/null | grep ' = ' | grep -v TEMP | tee seen.txt
seen=$(awk '{printf "%g ", $3}' seen.txt)
[[ $seen == "8 8 -8 64 8 -8 8 64 -8 512 " ]] || { echo "the behaviour has changed: $seen"; exit 1; }
