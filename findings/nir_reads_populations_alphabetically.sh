#!/usr/bin/env bash
# nir 1.0.8: a graph read from a file lists its nodes in alphabetical order, not in the order in which it was written.
# Code that concatenates the populations of a graph (weights, states, plots) in the order of graph.nodes permutes them
# by a round trip. Seen: input, z, w, a, output comes back as a, input, output, w, z.
# Here: the importer addresses populations by name only, and orders them along the edges.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'nir==1.0.8' 'numpy==2.3.5' 'h5py==3.16.0'
cd "$folder"
cat > seen.py <<'PY'
import nir
import numpy as np


def lif():
    return nir.LIF(tau=np.full(2, 0.01), r=np.ones(2), v_leak=np.zeros(2), v_threshold=np.ones(2))


nodes = {
    "input": nir.Input(np.array([2])),
    "z": lif(),
    "w": nir.Affine(np.eye(2), np.zeros(2)),
    "a": lif(),
    "output": nir.Output(np.array([2])),
}
edges = [("input", "z"), ("z", "w"), ("w", "a"), ("a", "output")]
nir.write("graph.nir", nir.NIRGraph(nodes=nodes, edges=edges))
back = list(nir.read("graph.nir").nodes)
print("written:", list(nodes))
print("read:   ", back)
assert back == sorted(nodes) != list(nodes), "the behaviour has changed"
PY
venv/bin/python seen.py
