"""The kernel cache: a second process compiles nothing, an edit anywhere is seen, damage and full disks are survived."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

TRAIN = """
import json
from physlearn import Energy, Readout, Real, SGD, CoupledLearning, SquaredError, learn, relax
from physlearn.terms import Edges
from physlearn.dynamics.linear import banded
from physlearn.dynamics.linear import levels
from physlearn.learning.engines import edges_epoch as epoch
energy = Energy({"v": (Real(), 3)}, [Edges("v", [(0, 1), (1, 2)])], {"conductance": [1.0, 3.0]},
                {"in": Readout("v", [0, 2]), "out": Readout("v", [1])})
relax(energy, clamp={"in": [1.0, 0.0]})
learn(energy, {"in": [[1.0, 0.0]], "out": [[0.5]]}, rule=CoupledLearning(), optimizer=SGD(0.1),
      cost=SquaredError("out"))
kernels = [levels._walk, banded.layout, banded.factor, banded.solve_lower, banded.solve_upper, epoch._epochs]
print(json.dumps([[sum(k.stats.cache_hits.values()), sum(k.stats.cache_misses.values())] for k in kernels]))
"""


def test_second_process_compiles_nothing():
    def counts():
        done = subprocess.run([sys.executable, "-c", TRAIN], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    assert all(hits + misses > 0 for hits, misses in counts())  # fills the cache where it is empty
    assert all(misses == 0 and hits > 0 for hits, misses in counts())


LEAF = """
from physlearn.kernels.jit import inlined, kernel
RATE = 2.0
SHAPE = (3, 4)

@kernel
def leaf(x):
    return 10.0 * x

@inlined
def twig(x):
    return leaf(x) + 1.0
"""
CALLERS = """
import numpy as np
from physlearn import leaves
from physlearn.kernels.jit import kernel
from physlearn.leaves import RATE, SHAPE, twig

@kernel
def calls(x):
    return twig(x)

@kernel
def reads(x):
    return RATE * x + SHAPE[1]

@kernel
def through_module(x):
    return leaves.leaf(x)

@kernel
def alone(x):
    return x + 1.0
"""
ASK = """
import json, sys
import physlearn
physlearn.__path__.append(sys.argv[1])
from physlearn import callers
kernels = [callers.calls, callers.reads, callers.through_module, callers.alone]
print(json.dumps([[k(1.0), sum(k.stats.cache_misses.values())] for k in kernels]))
"""


@pytest.fixture
def ask(tmp_path):
    """Run the four kernels in a fresh process: [value, compiled] of each."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "leaves.py").write_text(LEAF)
    (modules / "callers.py").write_text(CALLERS)

    def run(old="", new="", **settings):
        path = modules / "leaves.py"
        path.write_text(path.read_text().replace(old, new))
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")} | settings
        done = subprocess.run([sys.executable, "-c", ASK, modules], capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), done.stderr

    return run


def test_an_edit_in_another_file_is_seen_and_no_more_is_compiled(ask):
    assert ask()[0] == [[11.0, 1], [6.0, 1], [10.0, 1], [2.0, 1]]
    assert ask()[0] == [[11.0, 0], [6.0, 0], [10.0, 0], [2.0, 0]]
    assert ask("10.0 * x", "20.0 * x")[0] == [[21.0, 1], [6.0, 0], [20.0, 1], [2.0, 0]]
    assert ask("RATE = 2.0", "RATE = 3.0")[0] == [[21.0, 1], [7.0, 1], [20.0, 1], [2.0, 0]]
    assert ask("(3, 4)", "(3, 5)")[0] == [[21.0, 1], [8.0, 1], [20.0, 1], [2.0, 0]]


def test_damaged_entries_are_compiled_anew(ask, tmp_path):
    right = [[11.0, 1], [6.0, 1], [10.0, 1], [2.0, 1]]
    assert ask()[0] == right
    for pattern, damage in (("*.nbi", b""), ("*.nbi", b"\x80\x04"), ("*.nbc", b""), ("*.nbc", b"not a pickle")):
        for path in (tmp_path / "cache").rglob(pattern):
            path.write_bytes(damage)
        assert ask()[0] == right
        assert ask()[0] == [[value, 0] for value, _ in right]


def test_nowhere_to_write(tmp_path):
    """Where no locator of Numba finds a folder: one warning that names the remedy, and the right result."""
    code = """
        from physlearn.kernels import jit

        def refuse(function, real=jit.FunctionCache):
            if not jit.config.CACHE_DIR:
                raise RuntimeError("cannot cache function: no locator available for file")
            return real(function)

        jit.FunctionCache = refuse
        from physlearn import Energy, Spin, sample
        from physlearn.terms import Pairs
        glass = Energy({"s": (Spin(), 2)}, [Pairs("s", [(0, 1)])], {"J": [1.0]})
        print(sample(glass, temperature=1.0, n_samples=2, rng=0).x.shape, jit.config.CACHE_DIR)
    """
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env=environment | {"TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) in done.stdout
    assert done.stderr.count("Set NUMBA_CACHE_DIR") == 1
    assert not list(tmp_path.iterdir()), "the temporary kernels outlive the process"
