#!/usr/bin/env bash
# NEURON 9.0.2: h.run() replaces the dt that was set by the nearest divisor of 1 / steps_per_ms (40 by default).
# A study of convergence over dt measures other steps than it asked for: 0.1 ms runs at 0.025 ms, 0.01 ms at 0.0125 ms.
# It prints "Changed dt" once for each. Seen: asked 0.01, 0.02, 0.03, 0.1, 0.005; used 0.0125, 0.025, 0.025, 0.025, 0.005.
# Here: the benchmark beside NEURON sets steps_per_ms with dt.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'neuron==9.0.2' 'numpy==2.3.5'
cd "$folder"
cat > seen.py <<'PY'
from neuron import h

h.load_file("stdrun.hoc")
section = h.Section(name="soma")
seen = {}
for dt in (0.01, 0.02, 0.03, 0.1, 0.005):
    h.steps_per_ms, h.dt, h.tstop = 40, dt, 1
    h.run()
    seen[dt] = float(h.dt)
    print(f"asked for {dt} ms, ran at {h.dt} ms")
expected = {0.01: 0.0125, 0.02: 0.025, 0.03: 0.025, 0.1: 0.025, 0.005: 0.005}
assert all(abs(seen[dt] - used) < 1e-12 for dt, used in expected.items()), "the behaviour has changed"
PY
venv/bin/python seen.py
