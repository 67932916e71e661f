#!/usr/bin/env bash
# ngspice 39.3: where gmin and source stepping fail, .op falls back to a transient from 0 s, in which a source takes the
# value of its waveform, not its DC value. It says "Transient op finished successfully", prints an operating point of
# another circuit, and exits 0.
# Seen: a bridge rectifier at DC 12 V with tight tolerances: 0 V across its own 12 V source (SIN is 0 at t = 0); with
# reltol=1e-9 alone 12 V and 10.6 V at the load.
# Here: `read_netlist(...).solve()` solves for the DC value, and certifies the residual.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q 'ngspice=39.3+ds-1' >/dev/null # Debian 12
dpkg -x ngspice_*.deb .
circuit() { # circuit OPTIONS
    cat > bridge.cir <<CIR
* bridge rectifier
.model small D(is=2.5n n=1.75 rs=0.6)
V1 a b DC 12 SIN(0 12 50)
R1 b 0 10Meg
D1 a plus small
D2 b plus small
D3 minus a small
D4 minus b small
R2 plus minus 1k
C1 plus minus 100u
R3 minus 0 1k
.options $1
.control
op
print v(a,b) v(plus,minus)
quit 0
.endc
.end
CIR
    usr/bin/ngspice -b bridge.cir 2>&1 | grep -e '^v(' -e 'Transient op finished'
}
tight=$(circuit 'reltol=1e-12 abstol=1e-18 vntol=1e-15')
loose=$(circuit 'reltol=1e-9')
printf 'tight tolerances:\n%s\nloose tolerances:\n%s\n' "$tight" "$loose"
[[ $tight == *"finished successfully"* && $loose == *"v(a,b) = 1.200000e+01"* ]] || { echo "the behaviour has changed"; exit 1; }
awk '/v\(a,b\)/ { exit !($3 < 1e-6 && $3 > -1e-6) }' <<< "$tight" || { echo "the behaviour has changed"; exit 1; }
