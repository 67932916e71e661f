#!/usr/bin/env bash
# ArviZ 0.23.4: diagnostics of chains that never move. A quantity that is constant in all chains has an effective sample
# size of all its draws, so a threshold on ESS calls a sampler that is stuck perfect. Chains frozen at different values
# have R-hat infinite or finite by rounding: it depends on the values, and on whether Numba is installed.
# Seen (without Numba): ESS 4000 and R-hat NaN; frozen at 0, 1, 2, 3: infinite; at -1, -1, 1, 1: 6.5e15.
# Here: `ess` and `r_hat` give NaN for what is constant everywhere, infinity for chains that are frozen apart.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'arviz==0.23.4' 'numpy==2.3.5' 'scipy==1.17.1' 'xarray==2026.9.0'
cd "$folder"
cat > seen.py <<'PY'
import warnings

import arviz
import numpy as np

warnings.simplefilter("ignore")
constant = np.ones((4, 1000))
seen = {}
for values in ([0.0, 1.0, 2.0, 3.0], [-1.0, -1.0, 1.0, 1.0]):
    apart = np.repeat(np.reshape(values, (4, 1)), 1000, axis=1)
    seen[values[0]] = float(arviz.rhat(apart))
    print("frozen apart at", values, ": ess", float(arviz.ess(apart)), "r_hat", seen[values[0]])
print("constant: ess", float(arviz.ess(constant)), "r_hat", float(arviz.rhat(constant)))
assert arviz.ess(constant) == 4000 and np.isnan(arviz.rhat(constant)), "the behaviour has changed"
assert np.isinf(seen[0.0]) and np.isfinite(seen[-1.0]), "the behaviour has changed"
PY
venv/bin/python seen.py
