#!/usr/bin/env bash
# Numba 0.68.1: the last bits of a function with fastmath={"reassoc", "contract"} depend on whether any other function
# with x ** 2 in it, without flags, was compiled earlier in the process.  Numba keeps its own helper for ** with the flags
# of whoever needed it first, and every later function gets that one: the flags of its own decorator do not reach it.
# The same program, one thread, the same input.  Seen: two different digests; with x * x in place of x ** 2, equal ones.
# Here: kernels with such flags write powers out (physlearn/terms/mixture.py).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'numba==0.68.1' 'numpy==2.3.5'
cd "$folder"
cat > norms.py <<'PY'
import hashlib
import sys

import numpy as np
from numba import njit

order, written_out = sys.argv[1] == "another first", sys.argv[2] == "product"


@njit
def another(x):
    return x**2


if order:
    another(1.5)


@njit(fastmath={"reassoc", "contract"})
def power(x, y):
    q = 0.0
    for j in range(x.size):
        q += (x[j] - y[j]) ** 2
    return q


@njit(fastmath={"reassoc", "contract"})
def product(x, y):
    q = 0.0
    for j in range(x.size):
        off = x[j] - y[j]
        q += off * off
    return q


rng = np.random.default_rng(0)
x, y = rng.normal(size=(2, 400, 37))
norms = np.array([(product if written_out else power)(a, b) for a, b in zip(x, y)])
print(hashlib.sha256(norms.tobytes()).hexdigest()[:12])
PY
power=("$(venv/bin/python norms.py alone power)" "$(venv/bin/python norms.py 'another first' power)")
product=("$(venv/bin/python norms.py alone product)" "$(venv/bin/python norms.py 'another first' product)")
echo "x ** 2: ${power[*]}; x * x: ${product[*]}"
[[ ${power[0]} != "${power[1]}" && ${product[0]} == "${product[1]}" ]] || {
    echo "the behaviour has changed"
    exit 1
}
