"""A user's function that points outside its arrays: an error that names it, from a process that lives on."""

import re
import subprocess
import sys

import pytest

NEURON = """
import sys
from numba import njit
import numpy as np
from circuits.neurons import Constant, Neuron, Population, SpikingNetwork
from physlearn import integrate

@njit("float64(float64[::1], int64)")
def entry(a, i): return a[i] + 0.0 * a[0]
@njit
def twice(a, i): return 2.0 * entry(a, i) if i >= 0 else twice(a, -i)

def field(x, current, p, out): out[0] = current - x[0] + {field}
def threshold(x, p): return x[0] > 0.5 and {threshold}
def reset(x, p):
    x[0] = 0.0
    {reset}

cell = Neuron(field, ("v",), threshold=threshold, reset=reset, parameters={{"a": 1.0}})
drive = Constant("n", np.array([0.1, 0.1, 1.0]))  # the third neuron spikes
network = SpikingNetwork({{"n": Population(cell, 3)}}, inputs=[drive])
for method in {methods}:
    try:
        print(integrate(network, (0.0, 1.0), dt=0.01, method=method).spikes["n"].ids)
    except (IndexError, ValueError) as error:
        print(type(error).__name__, error)
"""
RIGHT = {"field": "0.0", "threshold": "True", "reset": "pass", "methods": ["rk4"]}
ALL = ["euler", "exponential_euler", "rk4", "adaptive"]

LOCAL = """
import numpy as np
from numba import njit
from physlearn import Energy, Potts, Spin, check_energy, relax, sample
from physlearn import Local

@njit
def entry(a, i): return a[i]

class Row:
    layers = ("s", "s")
    def energy(self, x, theta): return -np.sum(x["s"][:, 1:] * x["s"][:, :-1], 1)
    def field(self, x, theta, layer):
        s = x["s"]
        return np.pad(s, ((0, 0), (1, 0)))[:, :-1] + np.pad(s, ((0, 0), (0, 1)))[:, 1:]
    def gradient(self, x, theta, weight): return {{}}
    def prepare(x, theta): return np.zeros(0), np.zeros(0, np.int64), np.ones(1)
    def gap(i, x, cache, ints, floats, codes, f):
        f[0] = x[i - 1] if i > 0 else 0.0
        f[0] += x[i + 1] if i + 1 < x.size else 0.0
        {gap}
    def commit(i, new, x, cache, ints, floats):
        {commit}
    local = Local(prepare, gap, commit)

row = Energy({{"s": ({kind}, 6)}}, [Row()], {{}})
start = np.array([[1, -1, 1, -1, 1, -1]]) if {kind} == Spin() else np.zeros((1, 6), int)
for call in (
    lambda: sample(row, temperature=2.0, n_samples=20, chains=4, threads={threads}, rng=0).method,
    lambda: relax(row, start).method,
    lambda: check_energy(row, rng=0) and "checked",
):
    try:
        print(call())
    except (IndexError, ValueError) as error:
        print(type(error).__name__, error)
"""
GOOD = {"gap": "return 1", "commit": "pass", "kind": "Spin()", "threads": 1}


def lines(tmp_path, program, **parts):
    """What a program prints that is run by itself, as a user's file: it must end as it should."""
    path = tmp_path / "machine.py"
    path.write_text(program.format(**parts))
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, (done.returncode, done.stderr)
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"field": "p[1_000_000]", "methods": ALL}, r"neuron 0 .* field: p\[1000000\] is outside"),
        ({"field": "twice(p, -1_000_000)"}, r"field: p\[1000000\] is outside"),
        ({"threshold": "x[1] > 0.0"}, r"neuron 2 .* threshold: x\[1\] is outside the array"),
        ({"reset": "x[-2] = 0.0", "methods": ALL}, r"neuron 2 .* reset: x\[-2\] is outside .*: x\[-2\] = 0.0"),
        ({"reset": "p[50_000_000] = 0.0"}, r"reset: p\[50000000\]"),
    ],
)
def test_a_neuron_that_points_outside_its_arrays_is_named(tmp_path, wrong, said):
    parts = RIGHT | wrong
    errors = lines(tmp_path, NEURON, **parts)
    assert len(errors) == len(parts["methods"])
    for error in errors:
        assert error.startswith("IndexError")
        assert re.search(said, error), error


def test_a_division_by_zero_in_a_field_is_an_error(tmp_path):
    (error,) = lines(tmp_path, NEURON, **RIGHT | {"field": "1.0 / (p[0] - 1.0)"})
    assert error.startswith("ValueError") and "field: FloatingPointError" in error


def test_right_indices_are_as_before(tmp_path):
    assert lines(tmp_path, NEURON, **RIGHT | {"field": "0.0 * (twice(p, -0) + x[-1])"}) == ["[2]"]
    assert lines(tmp_path, LOCAL, **GOOD) == ["heat bath (local forms)", "descent (compiled)", "checked"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"gap": "return int(entry(floats, 1_000_000))", "threads": 2}, "gap: floats[1000000] is outside"),
        ({"gap": "f[2] = 1.0; return 1"}, "gap: f[2] is outside"),
        ({"commit": "cache[i] = new"}, "commit: cache["),
        ({"commit": "x[60_000_000] = new", "threads": 2}, "commit: x[60000000] is outside"),
        ({"gap": "codes[0] = 3; return 1", "kind": "Potts(3)"}, "a code that is none of 0 .. 2"),
        ({"gap": "return 4", "kind": "Potts(3)"}, "more than 3 codes"),
    ],
)
def test_a_local_form_that_points_outside_its_arrays_is_named(tmp_path, wrong, said):
    sampled, relaxed, audited, *_ = lines(tmp_path, LOCAL, **GOOD | wrong)
    for error in (sampled, relaxed):
        assert said in error and "Row" in error, error
        assert error.startswith("ValueError" if "kind" in wrong else "IndexError")
    assert "Error" in audited
