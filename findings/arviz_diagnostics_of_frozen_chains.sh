#!/usr/bin/env bash
# ArviZ 0.23.4: chains that never move pass or fail by rounding. A constant everywhere has an effective sample size of
# all its draws; chains frozen at different values have R-hat infinite or about 1e7, by rounding of the within-chain variance.
# A threshold on ESS alone calls a sampler that is stuck perfect. Seen: ESS 4000 and R-hat NaN; ESS 4.03 and R-hat 3.2e7.
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
apart = np.repeat([[0.0], [1.0], [2.0], [3.0]], 1000, axis=1)
print("constant:", arviz.ess(constant), arviz.rhat(constant))
print("frozen apart:", arviz.ess(apart), arviz.rhat(apart))
assert arviz.ess(constant) == 4000 and np.isnan(arviz.rhat(constant)), "the behaviour has changed"
assert abs(arviz.ess(apart) - 4.03) < 0.01 and 1e7 < arviz.rhat(apart) < 1e8, "the behaviour has changed"
PY
venv/bin/python seen.py
