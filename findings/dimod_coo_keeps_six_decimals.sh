#!/usr/bin/env bash
# dimod 0.12.23: the COO text format writes six digits after the point, so small couplings come back as zero, unreported.
# Seen: a bias 0.123456789 returns as 0.123457, a coupling 1.23e-7 as 0.0; problems given in joules are lost entirely.
# Here: `physlearn.io` reads what the file says; scale a model, or use dimod's own binary file, before writing COO.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'dimod==0.12.23' 'numpy==2.3.5'
cd "$folder"
cat > seen.py <<'PY'
import dimod
from dimod.serialization import coo

model = dimod.BinaryQuadraticModel({0: 0.123456789}, {(0, 1): 1.23456789e-7}, 0.0, "SPIN")
text = coo.dumps(model, vartype_header=True)
back = coo.loads(text)
print(text)
print("bias", model.linear[0], "->", back.linear[0], "; coupling", model.quadratic[0, 1], "->", back.quadratic[0, 1])
assert back.linear[0] == 0.123457 and back.quadratic[0, 1] == 0.0, "the behaviour has changed"
PY
venv/bin/python seen.py
