"""The compiled single-variable form, proved from outside: a user's plain functions in compiled sweeps.

The heat-bath kernel here is a throw-away: it shows that the published signatures are enough for one.
"""

import itertools
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from numba import njit

from physlearn import Binary, Energy, Local, Potts, Readout, Spin, check_energy, relax
from physlearn.dynamics.sites import local as descent_local
from physlearn.kernels.cfuncs import COMMIT, GAP, compiled, run


def pair_prepare(x, theta):
    j = np.triu(theta["J"], 1)
    j = j + j.T
    return j @ x, np.array([len(x)]), j.ravel()


def pair_gap(i, x, cache, ints, floats, codes, f):
    f[0] = cache[i]
    return 1


def pair_commit(i, new, x, cache, ints, floats):
    for j in range(ints[0]):
        cache[j] += floats[i * ints[0] + j] * (new - x[i])


class Pair:
    """E = -sum_{i<j} J_ij s_i s_j; the cache holds every variable's field."""

    layers = ("s", "s")
    local = Local(pair_prepare, pair_gap, pair_commit)

    def matrix(self, theta):
        upper = np.triu(theta["J"], 1)
        return upper + upper.T

    def energy(self, x, theta):
        return -0.5 * np.einsum("bi,ij,bj->b", x["s"], self.matrix(theta), x["s"])

    def field(self, x, theta, layer):
        return x["s"] @ self.matrix(theta)

    def gradient(self, x, theta, weight):
        return {"J": -np.triu(np.einsum("b,bi,bj->ij", weight, x["s"], x["s"]), 1)}


def tilt_prepare(x, theta):
    return np.zeros(0), np.zeros(0, np.int64), theta["b"]


@njit
def tilt_gap(i, x, cache, ints, floats, codes, f):
    f[0] = floats[i]
    return 1


def tilt_commit(i, new, x, cache, ints, floats):
    pass


class Tilt:
    """E = -b.s"""

    layers = ("s",)
    local = Local(tilt_prepare, tilt_gap, tilt_commit)

    def energy(self, x, theta):
        return -x["s"] @ theta["b"]

    def field(self, x, theta, layer):
        return np.broadcast_to(theta["b"], x["s"].shape)

    def gradient(self, x, theta, weight):
        return {"b": -(weight @ x["s"])}


def chain_prepare(x, theta):
    return np.zeros(0), np.array([len(x)]), np.array([float(theta["J"])])


def chain_gap(i, x, cache, ints, floats, codes, f):
    codes[0], codes[1] = int(x[(i + 1) % ints[0]]), int(x[i - 1])
    f[0] = f[1] = floats[0]
    return 2


class Chain:
    """A ring of Potts variables, E = -J sum delta(x_i, x_i+1); the neighbours' codes are exceptional."""

    layers = ("x", "x")
    local = Local(chain_prepare, chain_gap, tilt_commit)

    def __init__(self, q):
        self.q = q

    def energy(self, x, theta):
        return -theta["J"] * np.sum(x["x"] == np.roll(x["x"], 1, 1), 1)

    def field(self, x, theta, layer):
        near = [np.roll(x["x"], step, 1)[..., None] == np.arange(self.q) for step in (1, -1)]
        return theta["J"] * (near[0].astype(float) + near[1])

    def gradient(self, x, theta, weight):
        return {"J": -np.asarray(weight @ np.sum(x["x"] == np.roll(x["x"], 1, 1), 1))}


@njit(cache=True, error_model="numpy")
def heat_bath(gaps, commits, caches, ints, floats, x, q, temperature, sweeps, burn, rng, out):
    """Sweep one chain; after ``burn`` sweeps keep every state.  q = 1 for spins."""
    codes, f, total = np.zeros(max(q, 2), np.int64), np.zeros(max(q, 2)), np.zeros(max(q, 2))
    for sweep in range(sweeps):
        for i in range(len(x)):
            total[:] = 0.0
            for t in range(len(gaps)):
                m = gaps[t](i, x, caches[t], ints[t], floats[t], codes, f)
                for k in range(m):
                    total[codes[k] if q > 1 else 0] += f[k]
            if q == 1:
                new = 1.0 if rng.random() < 1.0 / (1.0 + np.exp(-2.0 * total[0] / temperature)) else -1.0
            else:
                weights = np.cumsum(np.exp(total[:q] / temperature))
                new = float(np.searchsorted(weights, rng.random() * weights[q - 1], side="right"))
            if new != x[i]:
                for t in range(len(gaps)):
                    commits[t](i, new, x, caches[t], ints[t], floats[t])
                x[i] = new
        if sweep >= burn:
            out[sweep - burn] = x


def sampled(energy, x, temperature, q, rng, chains=40, sweeps=1500, burn=50):
    """Means over independent chains of the states seen, (chains, sweeps, n)."""
    states = np.zeros((chains, sweeps, len(x)))
    for chain in range(chains):
        start = x.copy()
        pieces = descent_local.prepare(energy, start)
        run(heat_bath, *pieces, start, q, temperature, sweeps + burn, burn, rng, states[chain])
    return states


def glass(rng, n=6, kind=None):
    theta = {"J": rng.normal(size=(n, n)), "b": rng.normal(size=n)}
    return Energy({"s": (kind or Spin(), n)}, [Pair(), Tilt()], theta)


def within(per_chain, exact, tol):
    """Chain means are independent, so their spread is the standard error."""
    error = per_chain.std(0, ddof=1) / np.sqrt(len(per_chain))
    assert np.all(np.abs(per_chain.mean(0) - exact) < tol.STATISTICAL * error + 1e-12)


@pytest.mark.parametrize("make", [glass, lambda rng: glass(rng, kind=Binary()), lambda rng: ring(5)])
def test_audit_passes(make, rng):
    forms = [check.form for check in check_energy(make(rng)).checks]
    assert {"local", "local (compiled)"} <= set(forms)


def ring(q, n=8, j=0.8):
    return Energy({"x": (Potts(q), n)}, [Chain(q)], {"J": j})


def test_compiled_heat_bath_matches_enumeration(rng, tol):
    energy, temperature = glass(rng), 1.7
    states = np.array(list(itertools.product([-1.0, 1.0], repeat=6)))
    p = np.exp(-energy(states) / temperature)
    seen = sampled(energy, np.ones(6), temperature, 1, rng)
    within(seen.mean(1), p @ states / p.sum(), tol)
    exact = np.einsum("s,si,sj->ij", p / p.sum(), states, states)
    within(np.einsum("csi,csj->cij", seen, seen) / seen.shape[1], exact, tol)


def test_compiled_potts_heat_bath_matches_transfer_matrix(rng, tol):
    """Bonds of a ring: <delta> from Z = sum of eigenvalues^n, (e^J + q - 1)^n + (q - 1)(e^J - 1)^n."""
    q, n, j = 4, 8, 0.8
    e = np.exp(j)
    z = (e + q - 1) ** n + (q - 1) * (e - 1) ** n
    exact = e * ((e + q - 1) ** (n - 1) + (q - 1) * (e - 1) ** (n - 1)) / z
    seen = sampled(ring(q, n, j), np.zeros(n), 1.0, q, rng)
    within((seen == np.roll(seen, 1, 2)).mean((1, 2))[:, None], exact, tol)


@pytest.mark.parametrize("kind", [Spin(), Binary()])
def test_compiled_descent_is_the_plain_one(kind, rng, monkeypatch):
    """Same moves in the same order; the plain engine visits the same variables."""
    energy = glass(rng, 40, kind)
    start = energy.random_state(6, rng)
    fast = relax(energy, start)
    assert fast.method == "descent (compiled)"
    monkeypatch.setattr(descent_local, "refusal", lambda system: "not today")
    slow = relax(energy, start)
    assert slow.method == "descent (one variable at a time)"
    np.testing.assert_array_equal(fast.x, slow.x)


@pytest.mark.parametrize("q", [2, 3, 50])
def test_compiled_potts_descent_is_the_plain_one(q, rng, monkeypatch):
    """Also with a repulsive J, where a code that no term lists is best."""
    for j in (1.0, -1.0):
        energy = ring(q, 20, j)
        start = energy.random_state(4, rng)
        fast = relax(energy, start)
        with monkeypatch.context() as patch:
            patch.setattr(descent_local, "refusal", lambda system: "not today")
            slow = relax(energy, start)
        assert (fast.method, slow.method) == ("descent (compiled)", "descent (one variable at a time)")
        assert fast.x.dtype == np.int64
        np.testing.assert_array_equal(fast.x, slow.x)


def test_clamped_variables_stay(rng):
    energy = glass(rng, 12)
    energy = Energy(energy.layers, energy.terms, energy.theta, {"some": Readout("s", [2, 7])})
    rest = relax(energy, energy.random_state(3, rng), clamp={"some": [1.0, -1.0]})
    assert rest.method == "descent (compiled)"
    np.testing.assert_array_equal(rest.x[:, [2, 7]], np.tile([1.0, -1.0], (3, 1)))


def test_functions_typed_at_a_prompt_are_compiled_without_cache():
    scope: dict = {}
    exec("def gap(i, x, cache, ints, floats, codes, f):\n    f[0] = 2.0\n    return 1\n", scope)
    assert compiled(scope["gap"], GAP).address


def test_functions_that_cannot_be_compiled_are_named():
    def commit(i, new, x, cache, ints, floats):
        return cache.no_such_method()

    with pytest.raises(TypeError, match=r"(?s)commit.*drop `local`"):
        compiled(commit, COMMIT)


PROBE = """
import json, sys
import numpy as np
from numba.core import event
sys.path.insert(0, {folder!r})
with event.install_recorder("numba:compile") as recorder:
    import glass
    from physlearn import relax
    from physlearn.kernels.cfuncs import COMMIT, GAP, compiled
    from physlearn.dynamics.sites.local import sweep_down
    method = relax(glass.energy, np.ones(8)).method
pieces = [compiled(glass.gap, GAP), compiled(glass.commit, COMMIT)]
print(json.dumps(dict(
    method=method,
    compiled=len(recorder.buffer),
    kernel_hits=sum(sweep_down.stats.cache_hits.values()),
    function_hits=sum(piece.cache_hits for piece in pieces),
)))
"""

USER_FILE = """
import numpy as np
from physlearn import Energy, Local, Spin

def prepare(x, theta):
    return theta["J"] @ x, np.array([len(x)]), theta["J"].ravel()

def gap(i, x, cache, ints, floats, codes, f):
    f[0] = cache[i]
    return 1

def commit(i, new, x, cache, ints, floats):
    for j in range(ints[0]):
        cache[j] += floats[j * ints[0] + i] * (new - x[i])

class Term:
    layers = ("s", "s")
    local = Local(prepare, gap, commit)
    def energy(self, x, theta):
        return -0.5 * np.einsum("bi,ij,bj->b", x["s"], theta["J"], x["s"])
    def field(self, x, theta, layer):
        return x["s"] @ theta["J"]
    def gradient(self, x, theta, weight):
        return {}

j = np.random.default_rng(0).normal(size=(8, 8))
j = j + j.T
np.fill_diagonal(j, 0.0)
energy = Energy({"s": (Spin(), 8)}, [Term(), Term()], {"J": j})
"""


def test_second_process_compiles_nothing(tmp_path):
    """A user's term in a file: the first process fills the cache, the second only reads it."""
    (tmp_path / "glass.py").write_text(USER_FILE)
    seen = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", PROBE.format(folder=str(tmp_path))],
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        seen.append(json.loads(done.stdout))
    first, second = seen
    assert first["method"] == second["method"] == "descent (compiled)"
    assert (first["kernel_hits"], first["function_hits"]) == (0, 0)
    assert first["compiled"] > 0
    assert (second["kernel_hits"], second["function_hits"], second["compiled"]) == (1, 2, 0)
