#!/usr/bin/env bash
# Numba 0.68.1: with fastmath={"contract"} and cache=True the process that compiles computes other last bits than every
# later process that loads the same cache.  A compiled function that another one calls exists twice: compiled by itself
# and, fused otherwise, inside its caller; the process that compiles runs the first copy, those that load run the second.
# Nothing random is involved, one thread, the same machine.  Seen: two different digests, then the second one for good.
# forceinline=True (or inline="always") on the callee makes all processes agree.
# Here: fused kernels are always merged into their callers (physlearn/kernels/jit.py); a slow test compares the bits of
# every machine on a fresh cache and on a warm one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'numba==0.68.1' 'numpy==2.3.5'
cd "$folder"
cat > adam.py <<'PY'
import hashlib
import sys

import numpy as np
from numba import njit

options = {"cache": True, "error_model": "numpy", "fastmath": {"contract"}}
more = {"forceinline": True} if sys.argv[1] == "merged" else {}


@njit(**options, **more)
def step(g, x, m1, m2, k):
    grown1, grown2 = 1.0 - 0.9**k, 1.0 - 0.999**k
    for e in range(g.size):
        m1[e] = 0.9 * m1[e] + (1.0 - 0.9) * x[e]
        m2[e] = 0.999 * m2[e] + (1.0 - 0.999) * x[e] * x[e]
        g[e] = g[e] - 0.01 * (m1[e] / grown1) / (np.sqrt(m2[e] / grown2) + 1e-8)


@njit(**options)
def train(g, target, m1, m2, x, steps):
    for k in range(1, steps + 1):
        for e in range(g.size):
            x[e] = g[e] * g[e] - target[e] + 0.1 * (g[e] - g[e - 1])
        step(g, x, m1, m2, k)


rng = np.random.default_rng(6)
g, target = rng.uniform(0.5, 1.5, 72), rng.uniform(0.5, 2.0, 72)
train(g, target, np.zeros(72), np.zeros(72), np.zeros(72), 600)
print(hashlib.sha256(g.tobytes()).hexdigest()[:12])
PY
run() { NUMBA_CACHE_DIR="$folder/$1" venv/bin/python adam.py "$1"; }
plain=("$(run plain)" "$(run plain)" "$(run plain)")
merged=("$(run merged)" "$(run merged)")
echo "compiling process ${plain[0]}, later processes ${plain[1]} ${plain[2]}; callee merged: ${merged[*]}"
[[ ${plain[0]} != "${plain[1]}" && ${plain[1]} == "${plain[2]}" && ${merged[0]} == "${merged[1]}" ]] || {
    echo "the behaviour has changed"
    exit 1
}
