"""Heat bath and Metropolis, kept fields and local forms, against full enumeration and exact kernels."""

import hashlib
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from numba.core import event

from physlearn import Binary, Energy, Local, Potts, Readout, Real, Spin, relax, sample
from physlearn.dynamics.sampling.engines import start_sampler
from physlearn.dynamics.sites import fields, visits
from physlearn.terms import Bias, Dense, Pairs, PottsBias, PottsPairs

METHODS = ("heatbath", "metropolis")
VALUES = {"spin": (Spin(), (-1.0, 1.0)), "binary": (Binary(), (0.0, 1.0))}


def three_prepare(x, theta):
    return np.zeros(0), np.array([0, 1, 2, 1, 3, 4, 0, 4, 5, 2, 3, 5]), theta["K"]


def three_gap(i, x, cache, ints, floats, codes, f):
    f[0] = 0.0
    for t in range(len(floats)):
        a, b, c = ints[3 * t], ints[3 * t + 1], ints[3 * t + 2]
        if i == a:
            f[0] += floats[t] * x[b] * x[c]
        elif i == b:
            f[0] += floats[t] * x[a] * x[c]
        elif i == c:
            f[0] += floats[t] * x[a] * x[b]
    return 1


def three_commit(i, new, x, cache, ints, floats):
    pass


class Three:
    """A user's term: E = -sum_t K_t s_a s_b s_c."""

    layers = ("s", "s", "s")
    local = Local(three_prepare, three_gap, three_commit)
    triples = np.array([[0, 1, 2], [1, 3, 4], [0, 4, 5], [2, 3, 5]])

    def energy(self, x, theta):
        return -np.prod(x["s"][:, self.triples], 2) @ theta["K"]


def glass(kind, couplings, rng, n=12):
    """A glass in a random field: +-J on a sparse graph, Gaussian on all pairs, or a user's term and both."""
    bias = rng.normal(0, 0.3, n)
    if couplings == "dense":
        j = np.triu(rng.normal(size=(n, n)), 1) / np.sqrt(n)
        return Energy({"s": (kind, n)}, [Dense(("s", "s")), Bias("s")], {"W": j + j.T, "bias": bias})
    ring = [(i, (i + 1) % n) for i in range(n)] + [(i, (i + 5) % n) for i in range(0, n, 3)]
    theta = {"J": rng.choice([-1.0, 1.0], len(ring)), "bias": bias}
    terms = [Pairs("s", ring, n), Bias("s")]
    if couplings == "user":
        return Energy({"s": (kind, n)}, [Three(), *terms], theta | {"K": rng.normal(size=4)})
    return Energy({"s": (kind, n)}, terms, theta, {"ends": Readout("s", [0, 5, 11])})


def every_state(values, n):
    return np.array(list(itertools.product(values, repeat=n)))


def assert_exact(drawn, states, weight, features, tol):
    """Chain means of features of the draws against the exact means, chains being independent."""
    p = weight / weight.sum()
    shown = features(states)
    exact = p @ shown
    per_chain = np.array([features(x).mean(0) for x in drawn])
    least = np.sqrt(np.maximum(p @ shown**2 - exact**2, 1e-20) / drawn.shape[0] / drawn.shape[1])  # independent draws
    error = np.maximum(per_chain.std(0, ddof=1) / np.sqrt(len(per_chain)), least)
    z = (per_chain.mean(0) - exact) / error
    assert np.max(np.abs(z)) < tol.STATISTICAL, f"z = {z}"


def pairwise(x):
    i, j = np.triu_indices(x.shape[1], 1)
    return np.concatenate([x, x[:, i] * x[:, j]], 1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("couplings", ["sparse", "dense", "user"])
@pytest.mark.parametrize("kind", VALUES)
def test_glasses_against_enumeration(method, couplings, kind, rng, tol):
    energy = glass(VALUES[kind][0], couplings, rng)
    drawn = sample(energy, temperature=1.2, n_samples=30, chains=300, warmup=60, thin=3, method=method, rng=5)
    assert drawn.method.endswith("(local forms)" if couplings == "user" else "(kept fields)")
    assert (drawn.acceptance is None) == (method == "heatbath")
    states = every_state(VALUES[kind][1], 12)
    assert_exact(drawn.x, states, np.exp(-energy(states) / 1.2), pairwise, tol)
    np.testing.assert_allclose(drawn.energy[7], energy(drawn.x[7]), rtol=tol.IDENTITY)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", VALUES)
def test_clamped_glasses_against_enumeration(method, kind, rng, tol):
    energy = glass(VALUES[kind][0], "sparse", rng)
    low, high = VALUES[kind][1]
    clamp = {"ends": [high, low, high]}
    drawn = sample(energy, temperature=0.9, n_samples=30, chains=300, thin=3, clamp=clamp, method=method, rng=6)
    states = every_state((low, high), 12)
    kept = states[np.all(states[:, [0, 5, 11]] == clamp["ends"], 1)]
    assert np.all(drawn.x[..., [0, 5, 11]] == clamp["ends"])
    free = np.delete(np.arange(12), [0, 5, 11])
    assert_exact(drawn.x[..., free], kept[:, free], np.exp(-energy(kept) / 0.9), pairwise, tol)


def test_every_chain_has_its_own_clamp_and_temperature(rng, tol):
    energy = glass(Spin(), "sparse", rng)
    chains = 400
    given = np.where(np.arange(chains)[:, None] % 2, [1.0, 1.0, 1.0], [-1.0, 1.0, -1.0])
    heat = np.where(np.arange(chains) < 200, 1.0, 2.0)
    drawn = sample(energy, temperature=heat, n_samples=30, chains=chains, thin=2, clamp={"ends": given}, rng=1)
    states = every_state((-1.0, 1.0), 12)
    for row, part in ((1, slice(1, 200, 2)), (200, slice(200, None, 2))):
        kept = states[np.all(states[:, [0, 5, 11]] == given[row], 1)]
        free = np.delete(np.arange(12), [0, 5, 11])
        assert_exact(drawn.x[part][..., free], kept[:, free], np.exp(-energy(kept) / heat[row]), pairwise, tol)


def test_a_given_force_is_a_bias(rng, tol):
    energy = glass(Spin(), "sparse", rng)
    pushed = Energy(energy.layers, energy.terms, energy.theta, {"push": Readout("s", [2, 3], force=True)})
    drawn = sample(pushed, temperature=1.5, n_samples=40, chains=300, clamp={"push": [0.8, -1.1]}, rng=2)
    states = every_state((-1.0, 1.0), 12)
    weight = np.exp(-(energy(states) - 0.8 * states[:, 2] + 1.1 * states[:, 3]) / 1.5)
    assert_exact(drawn.x, states, weight, pairwise, tol)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("q, n, biased", [(3, 6, True), (9, 4, False)])
def test_potts_against_enumeration(method, q, n, biased, rng, tol):
    pairs = [(i, (i + 1) % n) for i in range(n)] + [(0, 2)]
    terms = [PottsPairs("s", pairs, q, n), *([PottsBias("s")] if biased else [])]
    theta = {"J": rng.normal(size=len(pairs)), **({"bias": rng.normal(size=(n, q))} if biased else {})}
    energy = Energy({"s": (Potts(q), n)}, terms, theta, {"one": Readout("s", [1])})
    clamp = {"one": [2]}
    drawn = sample(energy, temperature=0.8, n_samples=30, chains=300, thin=3, clamp=clamp, method=method, rng=3)
    assert drawn.x.dtype == np.int64
    states = every_state(range(q), n).astype(np.int64)
    states = states[states[:, 1] == 2]

    def features(x):
        shown = (x[:, [0, 2, 3], None] == np.arange(q)).reshape(len(x), -1)
        return np.concatenate([shown, x[:, :1] == x[:, 2:]], 1).astype(float)

    assert_exact(drawn.x, states, np.exp(-energy(states) / 0.8), features, tol)


# ---------------------------------------------------------------- bits
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("couplings", ["sparse", "dense", "user"])
def test_a_chain_does_not_depend_on_the_number_of_chains_or_threads(method, couplings, rng):
    energy = glass(Spin(), couplings, rng)

    def run(chains, **settings):
        return sample(energy, temperature=3.0, n_samples=20, chains=chains, method=method, rng=9, **settings)

    few, many = run(2), run(150)
    assert np.array_equal(few.x, many.x[:2]) and np.array_equal(few.energy, many.energy[:2])
    assert np.array_equal(run(7).x, many.x[:7])
    assert np.array_equal(run(150, threads=2).x, many.x) and np.array_equal(run(7, threads=3).x, many.x[:7])
    assert len({x.tobytes() for x in many.x}) == 150


def test_the_layouts_agree_to_the_last_bit(rng):
    # Gaussian couplings: any other order of operations would show.
    n = 40
    pairs = [(i, (i + k) % n) for i in range(n) for k in (1, 3)]
    energy = Energy({"s": (Binary(), n)}, [Pairs("s", pairs, n)], {"J": rng.normal(size=len(pairs))})
    runs = [start_sampler(energy, chains, None, None, "heatbath", 1, {}) for chains in (3, 100)]
    for sampler in runs:
        sampler.run(1500, np.full(len(sampler.accepted), 0.4))  # crosses a refresh
    few, many = (sampler.state()["s"] for sampler in runs)
    assert np.array_equal(few, many[:3])
    assert np.array_equal(runs[0].energies(), runs[1].energies()[:3])
    np.testing.assert_allclose(runs[1].energies(), energy(many), rtol=1e-11)


def test_sweeps_may_be_cut_into_any_number_of_runs(rng):
    energy = glass(Spin(), "dense", rng)
    one, many = (start_sampler(energy, 5, None, None, "metropolis", 1, {}) for _ in range(2))
    heat = np.full(5, 0.7)
    one.run(2 * fields.REFRESH + 5, heat)
    for part in (1, fields.REFRESH, 0, fields.REFRESH + 3, 1):
        many.run(part, heat)
    assert np.array_equal(one.state()["s"], many.state()["s"]) and np.array_equal(one.accepted, many.accepted)
    many.follow(np.full((3, 5), 0.7))
    one.run(3, heat)
    assert np.array_equal(one.state()["s"], many.state()["s"])


PROBE = """
import hashlib, numpy as np
from physlearn import Energy, Spin, sample
from physlearn.terms import Pairs
ring = Energy({"s": (Spin(), 9)}, [Pairs("s", [(i, (i + 2) % 9) for i in range(9)])], {"J": np.linspace(-1, 1, 9)})
drawn = sample(ring, temperature=0.8, n_samples=30, chains=70, method="heatbath", threads=2, rng=3)
print(hashlib.sha256(drawn.x.tobytes() + drawn.energy.tobytes()).hexdigest())
"""


def test_same_bits_on_one_and_two_threads_of_numba(rng):
    def digest(threads):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", PROBE],
            env=os.environ | {"NUMBA_NUM_THREADS": str(threads)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    scope: dict = {}
    exec(PROBE.replace("print(", "found = (").replace("threads=2, ", ""), scope)
    assert digest(1) == digest(2) == scope["found"]
    assert len(scope["found"]) == hashlib.sha256().digest_size * 2


def test_other_couplings_and_temperatures_compile_nothing(rng):
    def run(seed):
        own = np.random.default_rng(seed)
        for couplings in ("sparse", "dense", "user"):
            energy = glass(Spin(), couplings, own, n=12 + seed)
            for chains in (2, 9):
                sample(energy, temperature=1.0 + seed, n_samples=2, chains=chains, method="metropolis", rng=seed)

    run(0)
    with event.install_recorder("numba:compile") as recorder:
        run(1)
    assert not recorder.buffer


# ---------------------------------------------------------------- pieces and bad input
def test_the_exponential_is_as_good_as_it_says():
    a = np.linspace(0.0, visits.NEVER, 4001)
    found = np.array([visits._exp_down(value) for value in a])
    assert np.max(np.abs(found * np.exp(a) - 1.0)) < 2e-12


def test_auto_takes_the_compiled_engine(rng):
    assert sample(glass(Spin(), "sparse", rng), temperature=1.0, n_samples=1).method == "heat bath (kept fields)"


class NoLocal(Three):
    local = None


def lost_gap(i, x, cache, ints, floats, codes, f):
    f[0] = np.sqrt(x[1] - 0.5)
    return 1


class Lost(Three):
    local = Local(three_prepare, lost_gap, three_commit)


def test_a_field_that_is_not_a_number_is_an_error():
    lost = Energy({"s": (Spin(), 6)}, [Lost()], {"K": np.ones(4)})
    with pytest.raises(ValueError, match=r"the fields of \['Lost'\] are NaN"):
        sample(lost, temperature=1.0, n_samples=5, rng=0)


def test_refusals(rng):
    s = {"s": (Spin(), 3)}
    j = rng.normal(size=(3, 3))
    t = {"t": (Spin(), 2)}
    for wrong, message in (
        (Energy(s, [Dense(("s", "s"))], {"W": j}), r"not symmetric.*pass \(J \+ J.T\) / 2"),
        (Energy(s, [Dense(("s", "s"))], {"W": j + j.T}), r"\[0, 0\] is .*expected a zero diagonal"),
        (Energy(s | t, [Dense(("s", "s"))], {"W": j}), r"not symmetric.*pass \(J \+ J.T\) / 2"),
        (Energy(s | t, [Dense(("s", "t"))], {"W": np.ones((2, 3))}), r"shape \(2, 3\), expected \(3, 2\), couplings"),
        (Energy(s, [Pairs("s", [(0, 1)])], {"J": [1.0]}), "among 2 variables, layer 's' has 3; pass n=3"),
        (Energy(s, [Pairs("s", [(0, 1)], 3)], {"J": [1.0, 1.0]}), r"shape \(2,\), expected \(1,\), one for each"),
    ):
        for method in ("auto", "gibbs"):  # whatever engine would take it
            with pytest.raises(ValueError, match=message):
                sample(wrong, temperature=1.0, n_samples=1, method=method)
        with pytest.raises(ValueError, match=message):
            relax(wrong)
    good = Energy(s, [Dense(("s", "s"))], {"W": j + j.T - 2 * np.diag(np.diag(j))})
    with pytest.raises(ValueError, match="order: got 'any'"):
        sample(good, temperature=1.0, n_samples=1, method="heatbath", order="any")
    with pytest.raises(ValueError, match="threads: got 0"):
        sample(good, temperature=1.0, n_samples=1, method="heatbath", threads=0)
    with pytest.raises(ValueError, match="NoLocal has no `local`"):
        sample(
            Energy({"s": (Spin(), 6)}, [NoLocal()], {"K": np.ones(4)}), temperature=1.0, n_samples=1, method="heatbath"
        )
    with pytest.raises(ValueError, match="not Spin, Binary or Potts"):
        sample(
            Energy({"s": (Real(), 3)}, [Bias("s")], {"bias": np.ones(3)}),
            temperature=1,
            n_samples=1,
            method="metropolis",
        )
    for wrong, message in (
        ({"n_samples": 1.5}, "n_samples: got 1.5"),
        ({"chains": 2.5}, "chains: got 2.5"),
        ({"thin": 0}, "thin: got 0"),
        ({"warmup": 0.5}, "warmup: got 0.5"),
        ({"temperature": "hot"}, "temperature: got 'hot'"),
        ({"x0": np.ones((3, 3))}, "x0: 3 states, expected one, or one for each of 4 chains"),
        (
            {"observe": {"m": lambda x: 1.0}},
            r"observe\['m'\]: returned float64 of shape \(\), expected numbers, \(4, ...\)",
        ),
        ({"observe": {"m": lambda x: None}}, r"observe\['m'\]: returned object"),
    ):
        with pytest.raises(ValueError, match=message):
            sample(good, **({"temperature": 1.0, "n_samples": 1} | wrong))
    for wrong, message in (
        ({"observe": {"m": "x"}}, r"observe\['m'\]: got 'x', expected a function"),
        ({"method": "heatbath", "leaps": 3}, "leaps: no setting of method 'heatbath', which has .'threads', 'order'"),
        ({"method": "gibbs", "threads": 2}, "threads: no setting of method 'gibbs', which has none"),
    ):
        with pytest.raises(TypeError, match=message):
            sample(good, **({"temperature": 1.0, "n_samples": 1} | wrong))
    with pytest.raises(TypeError, match="got a Machine, expected a machine.*holds an `energy`: pass that, or"):
        sample(type("Machine", (), {"energy": good})(), temperature=1.0, n_samples=1)
    with pytest.raises(TypeError, match="observe: got a function, expected a mapping"):
        sample(good, temperature=1.0, n_samples=1, observe=lambda x: 1.0)
    two = Energy({"v": (Spin(), 2), "h": (Spin(), 2)}, [Dense(("v", "h"))], {"W": np.ones((2, 2))})
    with pytest.raises(ValueError, match="more than one layer"):
        sample(two, temperature=1.0, n_samples=1, method="heatbath")
