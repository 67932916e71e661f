"""Sampled rules: the likelihood's gradient, engines that agree, bits, resuming, refusals."""

import os
import subprocess
import sys

import numpy as np
import pytest

from physlearn import (
    SGD,
    Adam,
    Binary,
    BoltzmannLearning,
    ContrastiveDivergence,
    CoupledLearning,
    Energy,
    PersistentContrastiveDivergence,
    Readout,
    Real,
    Spin,
    SquaredError,
    System,
    enumerate_states,
    learn,
    load,
    save,
)
from physlearn.models import RBM, BoltzmannMachine
from physlearn.terms import Bias, Dense, Mixture, OneWay
from tests.learning.machines import lattice

PATTERNS = np.array([[0, 0, 1, 1], [1, 1, 0, 0], [1, 0, 1, 0], [1, 1, 1, 0]], dtype=float)


def small(rng, visible="binary", temperature=1.5):
    rbm = RBM(4, 3, visible, q=3 if visible == "potts" else None, temperature=temperature, scale=0.7, rng=rng)
    return rbm.with_theta({"a": 0.5 * rng.standard_normal(rbm.theta["a"].shape), "c": 0.5 * rng.standard_normal(3)})


def data_for(visible, rng):
    if visible == "gaussian":
        return rng.standard_normal((5, 4))
    return {"binary": PATTERNS, "spin": 2 * PATTERNS - 1, "potts": (2 * PATTERNS).astype(int)}[visible]


def step(rbm, data, rule, rng=0, **settings):
    """What one step of length 1 adds to theta: the gradient of the mean log-likelihood, as the rule sees it."""
    done = learn(rbm.energy, {"v": data}, rule=rule, optimizer=SGD(1.0), batch=None, rng=rng, **settings)
    return {name: done.theta[name] - rbm.theta[name] for name in rbm.theta}


def slopes(rbm, data, h=1e-5):
    """Central differences of the exact mean log-likelihood."""
    out = {}
    for name, value in rbm.theta.items():
        out[name] = np.zeros_like(value)
        for place in np.ndindex(value.shape):
            ends = []
            for sign in (h, -h):
                moved = value.copy()
                moved[place] += sign
                ends.append(rbm.with_theta({name: moved}).log_likelihood(data).value.mean())
            out[name][place] = (ends[0] - ends[1]) / (2 * h)
    return out


@pytest.mark.parametrize("visible", ["binary", "spin", "potts"])
def test_enumeration_gives_the_likelihoods_gradient(visible, rng, tol):
    rbm, data = small(rng, visible), data_for(visible, rng)
    found, wanted = step(rbm, data, BoltzmannLearning(temperature=1.5)), slopes(rbm, data)
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], atol=tol.GRADIENT)


LONG = {"k": 30, "temperature": 1.5}


@pytest.mark.parametrize(
    ("visible", "rule", "method"),
    [
        ("binary", ContrastiveDivergence(**LONG), "compiled"),
        ("binary", ContrastiveDivergence(**LONG, precision="single"), "compiled"),
        ("binary", ContrastiveDivergence(**LONG), "sample"),
        ("spin", ContrastiveDivergence(**LONG), "compiled"),
        ("binary", PersistentContrastiveDivergence(**LONG, chains=60), "compiled"),
        ("spin", PersistentContrastiveDivergence(**LONG, chains=60, precision="single"), "compiled"),
        ("binary", PersistentContrastiveDivergence(**LONG, chains=60), "sample"),
        ("binary", PersistentContrastiveDivergence(**LONG, chains=60, hotter=(2.0, 4.0)), "sample"),
        ("binary", BoltzmannLearning(1.5, exact=False, chains=60, warmup=30), "sample"),
        ("spin", BoltzmannLearning(1.5, exact=False, chains=60, warmup=30), "sample"),
        ("binary", BoltzmannLearning(1.5, chains=60, warmup=30, method="spikes", settings={"tau": 3}), "sample"),
        ("spin", BoltzmannLearning(1.5, chains=60, warmup=40, method="spikes", settings={"tau": 2}), "sample"),
        ("potts", ContrastiveDivergence(**LONG), "sample"),
        ("gaussian", ContrastiveDivergence(**LONG), "sample"),
    ],
)
def test_long_chains_give_the_likelihoods_gradient(visible, rule, method, rng, tol):
    """CD-infinity, PCD at equilibrium and sampled Boltzmann learning, over 30 seeds each."""
    rbm, data = small(rng, visible), data_for(visible, rng)
    wanted = slopes(rbm, data)
    runs = [step(rbm, np.tile(data, (12, 1)), rule, seed, method=method) for seed in range(30)]
    for name in wanted:
        found = np.array([run[name] for run in runs])
        error = found.std(0, ddof=1) / np.sqrt(len(found)) + 1e-7  # 1e-7: what single precision may add
        assert np.max(np.abs(found.mean(0) - wanted[name]) / error) < tol.STATISTICAL, name


def test_sums_over_what_is_on_are_products(rng, tol):
    from physlearn.learning.engines.bipartite_epoch import product

    a = rng.normal(size=(13, 9)) * (rng.random((13, 9)) < 0.4)
    a[4], a[:, 2] = 0.0, 0.0
    for across, b in ((False, rng.normal(size=(9, 64))), (True, rng.normal(size=(13, 32)))):
        wanted = (a.T if across else a) @ b
        to = np.full(wanted.shape, np.nan)
        product(a, across, b, to)
        np.testing.assert_allclose(to, wanted, atol=tol.IDENTITY)


@pytest.mark.parametrize("rule", [ContrastiveDivergence(30), PersistentContrastiveDivergence(30, 60)])
@pytest.mark.parametrize("hidden", ["binary", "spin"])
def test_the_gradient_from_sparse_data(rule, hidden, rng, tol):
    """32 hidden units and few visible ones on: the sums over what is on, in the compiled engine."""
    rbm = RBM(4, 32, hidden=hidden, scale=0.3, rng=rng).with_theta({"a": 0.5 * rng.standard_normal(4)})
    data = np.array([[0, 0, 1, 0], [1, 0, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0]], dtype=float)
    wanted = slopes(rbm, data)
    runs = [step(rbm, np.tile(data, (12, 1)), rule, seed, method="compiled") for seed in range(30)]
    for name in wanted:
        found = np.array([run[name] for run in runs])
        error = found.std(0, ddof=1) / np.sqrt(len(found)) + 1e-7
        assert np.max(np.abs(found.mean(0) - wanted[name]) / error) < tol.STATISTICAL, name


def test_one_sweep_is_not_the_likelihoods_gradient(rng, tol):
    """CD-1 is biased, as it is known to be: the test above can tell."""
    rbm = small(rng).with_theta({"W": 2.0 * rng.standard_normal((4, 3))})
    wanted = slopes(rbm, PATTERNS)["W"]
    runs = [step(rbm, np.tile(PATTERNS, (200, 1)), ContrastiveDivergence(1, 1.5), seed)["W"] for seed in range(30)]
    error = np.std(runs, 0, ddof=1) / np.sqrt(30)
    assert np.max(np.abs(np.mean(runs, 0) - wanted) / error) > 2 * tol.STATISTICAL


def test_tempered_chains_cross_barriers_that_plain_ones_do_not(tol):
    """Two modes of weights 0.88 and 0.12: chains from random starts keep to their side, with replicas they do not."""
    n, m, strength = 8, 4, 2.2
    lean = np.full(n, 0.125)
    theta = {"W": np.full((n, m), strength), "a": lean - strength * m / 2, "c": np.full(m, -strength * n / 2)}
    rbm = RBM(n, m, theta=theta)
    ladder = (1.0, 2.0, 4.0, 8.0)
    exact = [enumerate_states(rbm.energy, temperature=t) for t in ladder]
    chains, z = 400, {}
    for name, hotter in (("plain", ()), ("tempered", ladder[1:])):
        rule = PersistentContrastiveDivergence(1, chains, hotter=hotter)
        done = learn(rbm.energy, {"v": np.ones((1, n))}, rule=rule, optimizer=SGD(1e-15), epochs=150, rng=1,
                     method="sample")  # fmt: skip
        on = done.memory["chains"]["v"].reshape(1 + len(hotter), chains, n).mean(2)
        error = on.std(1, ddof=1) / np.sqrt(chains)
        z[name] = (on.mean(1) - [e.means["v"].mean() for e in exact[: len(on)]]) / error
    assert np.max(np.abs(z["tempered"])) < tol.STATISTICAL and abs(z["plain"][0]) > 1.5 * tol.STATISTICAL


def test_inputs_given_in_both_phases_make_it_conditional(rng, tol):
    """With x given, the step is the gradient of mean log P(y | x)."""
    layers = {"x": (Binary(), 2), "h": (Spin(), 2), "y": (Binary(), 2)}
    terms = [Dense(("x", "h"), "U"), Dense(("h", "y"), "W"), Bias("y", "b"), Bias("x", "d")]
    theta = {name: rng.standard_normal(shape) for name, shape in (("U", (2, 2)), ("W", (2, 2)), ("b", 2), ("d", 2))}
    energy = Energy(layers, terms, theta)
    data = {"x": np.array([[0, 1], [1, 1], [0, 1]]), "y": np.array([[1, 1], [0, 1], [1, 0]])}

    def likelihood(energy):
        total = 0.0
        for x, y in zip(data["x"], data["y"], strict=True):
            both, x_only = ({"x": x, "y": y}, {"x": x})
            total += enumerate_states(energy, temperature=1.0, clamp=both).log_z
            total -= enumerate_states(energy, temperature=1.0, clamp=x_only).log_z
        return total / 3

    rule = BoltzmannLearning(given=("x",))
    done = learn(energy, data, rule=rule, optimizer=SGD(1.0), batch=None)
    assert done.cost[0] == pytest.approx(-likelihood(energy), rel=tol.IDENTITY)
    for name in theta:
        direction, h = rng.standard_normal(np.shape(theta[name])), 1e-6
        ends = [likelihood(energy.with_theta({name: energy.theta[name] + s * direction})) for s in (h, -h)]
        slope = np.sum((done.theta[name] - energy.theta[name]) * direction)
        assert slope == pytest.approx((ends[0] - ends[1]) / (2 * h), abs=1e-7)
    np.testing.assert_allclose(done.theta["d"], energy.theta["d"])  # the inputs' own bias is not learnt
    drawn = BoltzmannLearning(given=("x",), exact=False, chains=300, warmup=10, draws=25)
    runs = [learn(energy, data, rule=drawn, optimizer=SGD(1.0), batch=None, rng=k).theta["W"] for k in range(20)]
    error = np.std(runs, 0, ddof=1) / np.sqrt(20)
    assert np.max(np.abs(np.mean(runs, 0) - done.theta["W"]) / error) < tol.STATISTICAL


# Fields of +-400 leave nothing to chance, so engines that draw other numbers must agree on the trajectory
# (4 chains: their equal weights then cancel exactly, which Adam would otherwise blow up).
@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("kind", [Binary(), Spin()])
@pytest.mark.parametrize(
    "optimizer",
    [
        SGD(0.1, decay=0.3),
        SGD(0.1, 0.8, decay={"W": 0.5}, bounds={"a": (-400.2, 399.9)}),
        Adam(lambda epoch: 0.1 / (1 + epoch), decay=0.05),
        Adam(0.05, bounds={"c": (-399.9, 400.0)}),
    ],
)
@pytest.mark.parametrize("rule", [ContrastiveDivergence(2, 1.3), PersistentContrastiveDivergence(2, 4, 1.3)])
def test_engines_follow_one_trajectory(rule, optimizer, kind, flipped):
    a, c = np.array([399.9, -400.0, 399.9]), np.array([-399.9, 400.0])
    start = {"W": np.zeros((2, 3) if flipped else (3, 2)), "a": a, "c": c}
    layers = {"v": (kind, 3), "h": (kind, 2)}
    order = ("h", "v") if flipped else ("v", "h")
    energy = Energy(layers, [Dense(order), Bias("v", "a"), Bias("h", "c")], start)
    data = np.array([[0, 1, 1], [1, 1, 0], [0, 0, 0], [1, 1, 1], [0, 1, 0]], dtype=float)
    data = data if isinstance(kind, Binary) else 2 * data - 1
    runs = [
        learn(energy, {"v": data}, rule=rule, optimizer=optimizer, epochs=6, batch=2, rng=3, method=method)
        for method in ("compiled", "sample")
    ]
    assert runs[0].method == "compiled"
    for name in start:
        np.testing.assert_allclose(runs[0].theta[name], runs[1].theta[name], rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(runs[0].cost, runs[1].cost, atol=1e-9)


def test_tempered_training_resumes_bit_for_bit(rng):
    rbm, data = small(rng), {"v": PATTERNS}
    settings = dict(rule=PersistentContrastiveDivergence(chains=20, hotter=(2.0, 3.0)), optimizer=SGD(0.1), rng=1)
    whole = learn(rbm.energy, data, **settings, epochs=4)
    again = learn(rbm.energy, data, **settings, epochs=2, resume=learn(rbm.energy, data, **settings, epochs=2))
    assert whole.method == "sample" and len(whole.memory["chains"]["v"]) == 60
    for name in whole.theta:
        np.testing.assert_array_equal(whole.theta[name], again.theta[name])


def test_only_what_is_trainable_changes(rng):
    rbm = small(rng)
    settings = dict(rule=ContrastiveDivergence(), optimizer=SGD(0.1, decay=0.1), epochs=3, trainable=["W"], rng=0)
    for method in ("compiled", "sample"):
        done = learn(rbm.energy, {"v": PATTERNS}, **settings, method=method)
        assert np.all(done.theta["W"] != rbm.theta["W"])
        np.testing.assert_array_equal(done.theta["a"], rbm.theta["a"])


@pytest.mark.parametrize("method", ["compiled", "sample"])
@pytest.mark.parametrize("precision", ["double", "single"])
@pytest.mark.parametrize("kind", [ContrastiveDivergence, PersistentContrastiveDivergence])
def test_resumes_bit_for_bit(kind, precision, method, rng, tmp_path):
    rbm, data = small(rng), {"v": PATTERNS}
    settings = dict(rule=kind(precision=precision), optimizer=Adam(0.05), batch=3, rng=1, method=method)
    whole = learn(rbm.energy, data, **settings, epochs=5)
    watched = learn(rbm.energy, data, **settings, epochs=5, callback=lambda record: False)
    half = load(save(tmp_path / "half", learn(rbm.energy, data, **settings, epochs=2)), rbm.energy)
    again = learn(rbm.energy, data, **settings, epochs=3, resume=half)
    for other in (watched, again):
        for name in whole.theta:
            np.testing.assert_array_equal(whole.theta[name], other.theta[name])
    np.testing.assert_array_equal(whole.cost, again.cost)


PROBE = """
import hashlib
import numpy as np
from physlearn import SGD, learn
from physlearn import PersistentContrastiveDivergence
from physlearn.models import RBM
x = (np.random.default_rng(0).random((200, 64)) < 0.3).astype(float)
rbm = RBM(64, 256, scale=0.1, rng=0)
for precision in ("double", "single"):
    rule = PersistentContrastiveDivergence(2, 100, precision=precision)
    theta = learn(rbm.energy, {"v": x}, rule=rule, optimizer=SGD(0.1), epochs=2, batch=100, rng=0).theta
    print(precision, [hashlib.sha256(value.tobytes()).hexdigest() for value in theta.values()])
"""


def test_bits_do_not_depend_on_threads():
    found = set()
    for threads in ("1", "2"):
        environment = os.environ | {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        done = subprocess.run([sys.executable, "-c", PROBE], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found.add(done.stdout)
    assert len(found) == 1


def test_compiled_epochs_compile_nothing_for_new_parameters(rng):
    from physlearn.learning.engines.bipartite_epoch import run_epochs

    for seed, (n, m) in enumerate(((4, 3), (6, 5))):
        rbm = RBM(n, m, rng=seed)
        learn(rbm.energy, {"v": np.eye(n)}, rule=ContrastiveDivergence(), optimizer=SGD(0.1, 0.5), epochs=2)
        versions = len(run_epochs.signatures) if seed == 0 else versions  # noqa: F821
        assert len(run_epochs.signatures) == versions


def test_uniforms_of_the_kernel_are_uniform(tol):
    from physlearn.learning.engines.bipartite_draw import fill_bits

    lanes = np.random.default_rng(0).integers(0, 2**63, (4, 16)).astype(np.uint64)
    u = np.empty(320_000)
    fill_bits(lanes, np.array([2.0**-31]), u)
    assert abs(u.mean() - 0.5) * np.sqrt(12 * u.size) < tol.STATISTICAL
    counts = np.histogram(u, 64, (0, 1))[0]
    chi = np.sum((counts - u.size / 64) ** 2) / (u.size / 64)
    assert abs(chi - 63) / np.sqrt(2 * 63) < tol.STATISTICAL
    for lag in (1, 16, 32):
        product = (u[lag:] - 0.5) * (u[:-lag] - 0.5) * 12
        assert abs(product.mean()) * np.sqrt(product.size) < tol.STATISTICAL


@pytest.mark.parametrize(("single", "error"), [(False, 1e-13), (True, 1.5e-6)])
def test_sigmoid_of_the_kernel(single, error):
    from physlearn.learning.engines.bipartite_draw import probabilities

    dtype = np.float32 if single else np.float64
    x = np.linspace(-60, 60, 100_001, dtype=dtype)[None]
    p = x.copy()
    probabilities(p, np.zeros(p.shape[1], dtype), dtype(1), single)
    assert np.max(np.abs(p - 1 / (1 + np.exp(-x.astype(float))))) < error


def test_bad_input_is_named(rng):
    rbm = small(rng)
    with pytest.raises(TypeError, match="ContrastiveDivergence takes no cost"):
        learn(rbm.energy, {"v": PATTERNS}, rule=ContrastiveDivergence(), optimizer=SGD(), cost=SquaredError("v"))
    with pytest.raises(TypeError, match="CoupledLearning takes a cost"):
        learn(lattice(rng), {"in": [[1.0, 2.0]]}, rule=CoupledLearning(), optimizer=SGD())
    with pytest.raises(ValueError, match="given: 'x' is not in the data"):
        learn(rbm.energy, {"v": PATTERNS}, rule=BoltzmannLearning(given=("x",)), optimizer=SGD())
    with pytest.raises(ValueError, match="method 'moments' does not fit: the rule brings its own contrast"):
        learn(rbm.energy, {"v": PATTERNS}, rule=ContrastiveDivergence(), optimizer=SGD(), method="moments")
    with pytest.raises(ValueError, match="not of the kind"):
        learn(rbm.energy, {"v": 0.5 * PATTERNS}, rule=ContrastiveDivergence(), optimizer=SGD())
    for rule in (ContrastiveDivergence(), PersistentContrastiveDivergence(), BoltzmannLearning()):
        for wrong in (PATTERNS[:, :3], np.ones((2, 5))):  # compiled products would read past them
            with pytest.raises(ValueError, match=r"data\['v'\]: . columns, expected 4, the readout's size"):
                learn(rbm.energy, {"v": wrong}, rule=rule, optimizer=SGD())
        with pytest.raises(TypeError, match="draws from exp.-E/T., and a System has no energy"):
            learn(System({"s": (Spin(), 2)}, [OneWay("s")], {"W": np.eye(2)[::-1]}), {"s": np.ones((3, 2))}, rule=rule,
                  optimizer=SGD())  # fmt: skip
    with pytest.raises(ValueError, match="data: it is empty"):
        learn(rbm.energy, {}, rule=ContrastiveDivergence(), optimizer=SGD())
    with pytest.raises(ValueError, match="method 'sample' does not fit: the rule has phases only"):
        data = {"in": [[1.0, 2.0]], "out": [[0.1, 0.2]]}
        learn(lattice(rng), data, rule=CoupledLearning(), optimizer=SGD(), cost=SquaredError("out"), method="sample")
    with pytest.raises(ValueError, match="method 'compiled' does not fit: it has no replicas"):
        rule = PersistentContrastiveDivergence(hotter=(2.0,))
        learn(rbm.energy, {"v": PATTERNS}, rule=rule, optimizer=SGD(), method="compiled")
    for settings, message in (
        ({"method": "hmc"}, "method: 'hmc' does not fit"),
        ({"method": "spiky"}, "method: got 'spiky'"),
    ):
        with pytest.raises(ValueError, match=message):
            learn(rbm.energy, {"v": PATTERNS}, rule=BoltzmannLearning(**settings), optimizer=SGD())
    with pytest.raises(TypeError, match="sigma: no setting of method 'spikes'"):
        rule = BoltzmannLearning(method="spikes", settings={"sigma": 1})
        learn(rbm.energy, {"v": PATTERNS}, rule=rule, optimizer=SGD())
    big = BoltzmannMachine(30)
    with pytest.raises(ValueError, match="30 free variables have"):
        learn(big.energy, {"v": np.ones((2, 30))}, rule=BoltzmannLearning(exact=True), optimizer=SGD())
    for wrong, message in (
        (lambda: ContrastiveDivergence(0), "k: got 0"),
        (lambda: ContrastiveDivergence(temperature=-1.0), "temperature: got -1.0"),
        (lambda: PersistentContrastiveDivergence(chains=0), "chains: got 0"),
        (lambda: PersistentContrastiveDivergence(precision="half"), "precision: got 'half'"),
        (
            lambda: PersistentContrastiveDivergence(hotter=(0.5,)),
            "hotter: got .*increasing finite temperatures above 1",
        ),
        (lambda: PersistentContrastiveDivergence(hotter=(3.0, 2.0)), "hotter: got"),
        (lambda: BoltzmannLearning(warmup=-1), "warmup: got -1"),
        (lambda: BoltzmannLearning(settings={"tau": 3}), "settings: .*expected their engine's name"),
        (lambda: BoltzmannLearning(exact=True, method="gibbs"), "method: 'gibbs' with exact=True"),
        (lambda: SGD(decay=-0.1), "decay: got -0.1"),
        (lambda: Adam(decay={"W": np.nan}), "decay: got nan"),
    ):
        with pytest.raises(ValueError, match=message):
            wrong()


def test_decay_reaches_relaxed_rules_too(rng):
    energy = lattice(rng)
    data = {"in": rng.uniform(0, 1, (4, 2)), "out": rng.uniform(0, 0.1, (4, 2))}
    settings = dict(rule=CoupledLearning(0.1), cost=SquaredError("out"), batch=None)
    plain = learn(energy, data, **settings, optimizer=SGD(0.1), method="moments")
    decayed = learn(energy, data, **settings, optimizer=SGD(0.1, decay=0.5))
    g = energy.theta["conductance"]
    assert decayed.method == "moments"
    np.testing.assert_allclose(decayed.theta["conductance"], plain.theta["conductance"] - 0.05 * g, rtol=1e-12)


def mixture(**theta):
    """Two wells at zero, of variances 1 and 1/100."""
    given = {"logits": np.zeros(2), "means": np.zeros((2, 1)), "precisions": np.array([1.0, 100.0])}
    return Energy({"x": (Real(), 1)}, [Mixture("x")], given | theta, {"v": Readout("x")})


def test_persistent_hamiltonian_chains_sample_the_model(tol):
    """Nothing learns: the chains go on for 150 steps of learning, and keep to exp(-E/T), <x^2> = (1 + 1/100)/2."""
    seen, steps = [], []

    def watch(done):
        seen.append(done.memory["chains"]["x"].ravel() ** 2)
        steps.append(done.memory["step"]["model"][0])

    rule, still = PersistentContrastiveDivergence(4, 200), SGD(1e-12)
    settings = dict(rule=rule, optimizer=still, batch=None, rng=0)
    learn(mixture(), {"v": np.zeros((1, 1))}, epochs=150, callback=watch, **settings)
    by_chain = np.mean(seen[30:], 0)
    assert abs(by_chain.mean() - 0.505) < tol.STATISTICAL * by_chain.std(ddof=1) / np.sqrt(200)
    assert abs(np.log(steps[-1] / steps[75])) < 0.1  # the steps settle


def test_steps_of_hamiltonian_chains_are_resumed(tmp_path):
    settings = dict(rule=PersistentContrastiveDivergence(1, 10), optimizer=SGD(0.01), batch=None)
    data = {"v": np.linspace(-1, 1, 4)[:, None]}
    whole = learn(mixture(), data, epochs=4, rng=1, **settings)
    half = load(save(tmp_path / "half", learn(mixture(), data, epochs=2, rng=1, **settings)), mixture())
    again = learn(mixture(), data, epochs=2, resume=half, **settings)
    for name, value in whole.theta.items():
        np.testing.assert_array_equal(again.theta[name], value)


def test_phases_that_go_nowhere_warn():
    """A step kept from another energy, far too long for this one."""
    settings = dict(rule=PersistentContrastiveDivergence(1, 10), optimizer=SGD(1e-12), batch=None)
    done = learn(mixture(), {"v": np.zeros((1, 1))}, rng=0, **settings)
    done.memory["step"]["model"][:] = 1e6
    with pytest.warns(RuntimeWarning, match="learn: in the model phase more than half"):
        learn(mixture(), {"v": np.zeros((1, 1))}, resume=done, epochs=2, **settings)


@pytest.mark.parametrize("method", ["compiled", "sample"])
def test_bounds_may_be_arrays(method, rng):
    """On the weights, in the vector's order, whichever layer is clamped."""
    rbm = RBM(4, 3, scale=0.1, rng=rng).with_theta({"W": np.zeros((4, 3))})
    edge = 0.01 * np.arange(1.0, 13.0).reshape(4, 3)
    optimizer = SGD(5.0, bounds={"W": (-edge, edge)})
    for readout, data in (("v", PATTERNS), ("h", PATTERNS[:, :3])):
        done = learn(
            rbm.energy,
            {readout: data},
            rule=ContrastiveDivergence(),
            optimizer=optimizer,
            epochs=9,
            method=method,
            rng=0,
        )
        assert np.all(np.abs(done.theta["W"]) <= edge) and np.any(np.abs(done.theta["W"]) == edge)


@pytest.mark.parametrize("method", ["compiled", "sample"])
def test_resuming_with_other_chains_is_refused(method, rng):
    rbm = small(rng)
    first, other = (PersistentContrastiveDivergence(1, chains) for chains in (50, 20))
    settings = dict(optimizer=SGD(0.1), method=method)
    half = learn(rbm.energy, {"v": PATTERNS}, rule=first, rng=0, **settings)
    with pytest.raises(ValueError, match="resume.*50.*20"):
        learn(rbm.energy, {"v": PATTERNS}, rule=other, resume=half, **settings)


@pytest.mark.parametrize("rule", [BoltzmannLearning, ContrastiveDivergence])
def test_given_is_no_string(rule):
    with pytest.raises(TypeError, match=r"given.*'v'"):
        rule(given="v")
