#!/usr/bin/env bash
# Brian2 2.9.0: one time off the grid becomes three different numbers of steps, by where it is given.
# Delays are rounded to the nearest step, half a step up (unless the quotient is a hair below half: 0.15 / 0.1); times of
# given spikes are cut down; refractory periods last until the first step that is not before their end, in floating point.
# Seen, dt 0.1 ms: 0.25 ms is a delay of 3 steps, a spike at step 2, a refractory period of 2 steps; 0.05 ms: 1, 0, 1.
# Here: `from_brian2` follows these rules, with tests.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'brian2==2.9.0' 'numpy==2.3.5'
cd "$folder"
cat > seen.py <<'PY'
import numpy as np
from brian2 import NeuronGroup, Network, SpikeGeneratorGroup, SpikeMonitor, StateMonitor, Synapses, defaultclock, ms, prefs

prefs.codegen.target = "numpy"
defaultclock.dt = 0.1 * ms
seen = {}
for time in (0.05, 0.15, 0.25, 0.28, 0.45):
    source = SpikeGeneratorGroup(1, [0], [0] * ms)
    target = NeuronGroup(1, "v : 1")
    synapses = Synapses(source, target, on_pre="v += 1", delay=time * ms)
    synapses.connect()
    trace = StateMonitor(target, "v", record=True, when="end")
    Network(source, target, synapses, trace).run(1 * ms)
    given = SpikeGeneratorGroup(1, [0], [time] * ms)
    times = SpikeMonitor(given)
    Network(given, times).run(1 * ms)
    busy = NeuronGroup(1, "v : 1", threshold="True", refractory=time * ms)
    spikes = SpikeMonitor(busy)
    Network(busy, spikes).run(2 * ms)
    steps = [int(np.argmax(trace.v[0] > 0)), round(float(times.t[0] / ms) * 10), round(float(np.diff(spikes.t / ms)[0]) * 10)]
    seen[time] = steps
    print(f"{time} ms: delay {steps[0]} steps, spike at step {steps[1]}, refractory {steps[2]} steps")
expected = {0.05: [1, 0, 1], 0.15: [1, 1, 1], 0.25: [3, 2, 2], 0.28: [3, 2, 2], 0.45: [5, 4, 4]}
assert seen == expected, "the behaviour has changed"
PY
venv/bin/python seen.py
