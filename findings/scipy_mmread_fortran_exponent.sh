#!/usr/bin/env bash
# SciPy 1.17.1: scipy.io.mmread reads a Fortran double exponent, 5.0D3, as 5.0, without an error or a warning.
# Programs in Fortran write double precision so; the value in a file of couplings is then wrong by any power of ten.
# Seen: "5D3 is read as 5.0" and "5.0D+03 is read as 5.0", while 5E3 is read as 5000.0.
# Here: `physlearn.io.read_couplings` refuses the line by number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'scipy==1.17.1' 'numpy==2.3.5'
cd "$folder"
cat > seen.py <<'PY'
import io
import warnings

import scipy.io

warnings.simplefilter("error")
seen = {}
for number in ("5E3", "5D3", "5.0D+03"):
    text = f"%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 {number}\n"
    seen[number] = float(scipy.io.mmread(io.BytesIO(text.encode())).toarray()[0, 0])
    print(number, "is read as", seen[number])
assert seen == {"5E3": 5000.0, "5D3": 5.0, "5.0D+03": 5.0}, "the behaviour has changed"
PY
venv/bin/python seen.py
