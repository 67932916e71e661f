"""The kernel cache: a second process compiles nothing, and an edit in a leaf reaches its callers."""

import ast
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# Files whose kernels other files call.  Numba keys its cache by the caller's file alone (numba#1833).
LEAVES = (
    "physlearn/dynamics/lanes.py",
    "physlearn/dynamics/banded.py",
    "physlearn/dynamics/bonds.py",
    "physlearn/learning/phase.py",
    "physlearn/rng.py",
    "physlearn/dynamics/words.py",
    "physlearn/_kernel.py",
    "circuits/neurons/exponential.py",
)
# What is compiled into its callers, of a leaf that holds other things too.
COMPILED = {
    "physlearn/_kernel.py": {
        "call_action",
        "call_commit",
        "call_field",
        "call_gap",
        "call_reset",
        "call_threshold",
        "call_update",
        "pointer",
        "prefetch",
    },
    "physlearn/rng.py": {"fill_normal", "fill_uniform", "next_word", "uniform"},
}

TRAIN = """
import json
from physlearn import Energy, Readout, Real, SGD, CoupledLearning, SquaredError, learn, relax
from physlearn.terms import Edges
from physlearn.dynamics import banded, levels
from physlearn.learning import epoch
energy = Energy({"v": (Real(), 3)}, [Edges("v", [(0, 1), (1, 2)])], {"conductance": [1.0, 3.0]},
                {"in": Readout("v", [0, 2]), "out": Readout("v", [1])})
relax(energy, clamp={"in": [1.0, 0.0]})
learn(energy, {"in": [[1.0, 0.0]], "out": [[0.5]]}, rule=CoupledLearning(), optimizer=SGD(0.1),
      cost=SquaredError("out"))
kernels = [levels._walk, banded.layout, banded.factor, banded.solve_lower, banded.solve_upper, epoch.run_epochs]
print(json.dumps([[sum(k.stats.cache_hits.values()), sum(k.stats.cache_misses.values())] for k in kernels]))
"""


def test_second_process_compiles_nothing():
    def counts():
        done = subprocess.run([sys.executable, "-c", TRAIN], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    assert all(hits + misses > 0 for hits, misses in counts())  # fills the cache where it is empty
    assert all(misses == 0 and hits > 0 for hits, misses in counts())


def digest(path):
    """What a leaf's callers quote: of its text and of the leaves it calls itself."""
    total = hashlib.sha256()
    for leaf in [*leaves_of(path), path]:
        total.update((ROOT / leaf).read_bytes())
    return total.hexdigest()[:12]


def leaves_of(path):
    """Leaves that a file imports compiled functions from."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = {(node.module, a.name) for node in imports for a in node.names}

    def called(leaf):
        module = leaf[:-3].replace("/", ".")
        found = {name for home, name in names if home == module}
        return found & COMPILED.get(leaf, found) or tuple(module.rsplit(".", 1)) in names

    return [leaf for leaf in LEAVES if leaf != path and called(leaf)]


CALLERS = [
    path.relative_to(ROOT).as_posix()
    for package in ("physlearn", "circuits")
    for path in sorted((ROOT / package).rglob("*.py"))
    if re.search("njit|_kernel import", path.read_text(encoding="utf-8"))
    and leaves_of(path.relative_to(ROOT).as_posix())
]


@pytest.mark.parametrize("caller", CALLERS)
def test_kernels_change_with_the_leaves_they_call(caller):
    """A kernel's file quotes the digests of its leaves, so that editing a leaf edits the file and empties its cache."""
    text = (ROOT / caller).read_text(encoding="utf-8")
    for leaf in leaves_of(caller):
        line = f"# compiled with {Path(leaf).name} {digest(leaf)}"
        assert line in text, f"{caller} calls kernels of {leaf}, which has changed; put this line into it: {line}"
