#!/usr/bin/env bash
# Elephant 1.2.1: instantaneous_rate with a causal kernel gives a rate that rises before the spike.
# The kernel is shifted to its centre of mass unless center_kernel=False is passed, so latencies read from it are early.
# Seen: one spike at 500 ms, 20 ms kernels; exponential rate starts at 487 ms (500 when not centred), alpha at 477 (501).
# Here: rates of `circuits.neurons` are counts in bins; whoever filters causally elsewhere should pass center_kernel=False.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'elephant==1.2.1' 'neo==0.14.6' 'quantities==0.16.4' 'numpy==2.3.5'
cd "$folder"
cat > seen.py <<'PY'
import neo
import numpy as np
import quantities as pq
from elephant.kernels import AlphaKernel, ExponentialKernel
from elephant.statistics import instantaneous_rate

train = neo.SpikeTrain([500.0] * pq.ms, t_stop=1000 * pq.ms)
seen = {}
for kernel in (ExponentialKernel, AlphaKernel):
    for options in ({}, {"center_kernel": False}):
        rate = instantaneous_rate(train, sampling_period=1 * pq.ms, kernel=kernel(20 * pq.ms), **options)
        start = int(np.argmax(np.asarray(rate.magnitude)[:, 0] > 1e-6))
        seen[kernel.__name__, *options] = start
        print(f"{kernel.__name__} {options}: the rate starts at {start} ms, the spike is at 500 ms")
assert list(seen.values()) == [487, 500, 477, 501], f"the behaviour has changed: {seen}"
PY
venv/bin/python seen.py
