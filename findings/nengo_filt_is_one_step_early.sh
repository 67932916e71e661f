#!/usr/bin/env bash
# Nengo 4.1.0: Lowpass.filt applied to recorded data is one step ahead of the same Lowpass on a running connection.
# A filter tuned offline on probe data and then put on a connection (or the reverse) is compared with a shift of one dt.
# Seen: constant input 1, tau 10 ms, dt 1 ms; running 0, 0.0952, 0.1813, ...; filt 0.0952, 0.1813, 0.2592, ...
# Here: a test or a benchmark that compares filtered traces must shift one of the two by a step.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'nengo==4.1.0' 'numpy==2.3.5'
cd "$folder"
cat > seen.py <<'PY'
import nengo
import numpy as np

with nengo.Network() as model:
    source = nengo.Node(lambda t: 1.0)
    target = nengo.Node(size_in=1)
    nengo.Connection(source, target, synapse=nengo.Lowpass(0.01))
    running, raw = nengo.Probe(target), nengo.Probe(source)
with nengo.Simulator(model, progress_bar=False) as simulator:
    simulator.run_steps(6)
online = simulator.data[running][:, 0]
offline = nengo.Lowpass(0.01).filt(simulator.data[raw], dt=0.001, y0=0)[:, 0]
print("running:", np.round(online, 4))
print("filt:   ", np.round(offline, 4))
assert np.allclose(online[1:], offline[:-1]) and online[0] == 0, "the behaviour has changed"
PY
venv/bin/python seen.py
