#!/usr/bin/env bash
# ngspice 39.3: what stands in .param or braces follows other rules than the rest of the netlist, without a warning.
# Seen: a minus between * and a power goes to the exponent, 2*-sqrt(4)**2 is 0.5, not -8; 1mil is 1e-3 in .param and
# 25.4e-6 as a resistance; a repeated .param keeps the last value, a repeated .model keeps the first.
# Here: `read_netlist` follows each place's rules, or refuses by line what is ambiguous.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q 'ngspice=39.3+ds-1' >/dev/null # Debian 12
dpkg -x ngspice_*.deb .
cat > params.cir <<'CIR'
* parameters
.param a={2*-sqrt(4)**2} b={1mil} c=3 c=4
V1 a1 0 {a}
V2 b1 0 {b}
V3 c1 0 {c}
R1 d1 0 1mil
I1 0 d1 1
V4 e1 0 0.6
D1 e1 0 DX
.model DX D(is=1e-14)
.model DX D(is=1e-12)
.control
op
print v(a1) v(b1) v(c1) v(d1) i(v4)
quit 0
.endc
.end
CIR
usr/bin/ngspice -b params.cir 2>/dev/null | grep ' = ' | grep -v TEMP | tee seen.txt
seen=$(awk '{printf "%.3g ", $3}' seen.txt)
[[ $seen == "0.5 0.001 4 2.54e-05 -0.000119 " ]] || { echo "the behaviour has changed: $seen"; exit 1; }
