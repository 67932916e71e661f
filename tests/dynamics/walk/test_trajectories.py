import numpy as np
import pytest
from scipy import stats

from physlearn import Energy, Potential, Readout, Real, check_energy, sample, tempering
from physlearn.dynamics.potential import missing
from physlearn.dynamics.problem import make_problem
from physlearn.dynamics.walk import hmc
from physlearn.dynamics.walk.paths import path
from physlearn.dynamics.walk.trajectories import Sampler, Trajectories
from physlearn.rng import streams
from physlearn.terms import Compiled, Edges, Parabola

D = 10
SCALES = np.logspace(-1, 1, D)
COVARIANCE = 0.9 ** np.abs(np.subtract.outer(np.arange(D), np.arange(D))) * np.outer(SCALES, SCALES)
SCHOOLS = np.array([[28, 8, -3, 7, -1, 1, 18, 12.0], [15, 10, 16, 11, 9, 11, 10, 18.0]])


def quadratic(x, ints, floats, f):
    energy = 0.0
    for i in range(x.size):
        pull = 0.0
        for k in range(x.size):
            pull += floats[i * x.size + k] * x[k]
        f[i] = -pull
        energy += 0.5 * x[i] * pull
    return energy


def schools(x, ints, floats, f):
    """Eight schools, not centred: mu ~ N(0, 5), tau ~ half Cauchy(5), theta = mu + tau z (Rubin 1981)."""
    mu, tau = x[0], np.exp(x[1])
    energy = mu * mu / 50.0 - x[1] + np.log1p(tau * tau / 25.0)
    f[0] = -mu / 25.0
    f[1] = 1.0 - 2.0 * tau * tau / (25.0 + tau * tau)
    for i in range(8):
        z = x[2 + i]
        r = (floats[i] - mu - tau * z) / floats[8 + i]
        energy += 0.5 * z * z + 0.5 * r * r
        f[0] += r / floats[8 + i]
        f[1] += r / floats[8 + i] * tau * z
        f[2 + i] = r / floats[8 + i] * tau - z
    return energy


def quartic(x, ints, floats, f):
    energy = 0.0
    for i in range(x.size):
        f[i] = -floats[i] * x[i] * x[i] * x[i]
        energy -= 0.25 * f[i] * x[i]
    return energy


class Wells:
    """Quartic wells whose stiffness learns, with a compiled form beside the one in NumPy."""

    layers = ("v",)
    parameters = ("k",)

    def energy(self, x, theta):
        return 0.25 * np.sum(theta["k"] * x["v"] ** 4, 1)

    def field(self, x, theta, layer):
        return -theta["k"] * x["v"] ** 3

    def gradient(self, x, theta, weight):
        return {"k": 0.25 * np.einsum("b,bi->i", weight, x["v"] ** 4)}

    @property
    def potential(self):
        return Potential(lambda theta: (np.zeros(0, np.int64), theta["k"]), quartic)


def gaussian():
    return Energy({"x": (Real(), D)}, [Compiled("x", quadratic, floats=np.linalg.inv(COVARIANCE))], {})


class Plain(Wells):
    """The same without its compiled form."""

    potential = None


class Listed(Wells):
    potential = Potential(lambda theta: ([], []), quartic)


class Named(Wells):
    potential = "fast"


class Wrong(Wells):
    def field(self, x, theta, layer):
        return -theta["k"] * x["v"]


def ladder(wells=Wells):
    """Wells, springs between neighbours, ground at one end and a source between two nodes."""
    readouts = {
        "ground": Readout("v", [0]),
        "source": Readout("v", rows=[[0, 1.0, 0, -1.0, 0]]),
        "push": Readout("v", [4], force=True),
    }
    theta = {"conductance": [1.0, 2.0, 0.5, 1.5], "stiffness": np.full(5, 0.3), "k": np.linspace(0.5, 1.5, 5)}
    terms = [wells(), Edges("v", [(0, 1), (1, 2), (2, 3), (3, 4)]), Parabola("v")]
    return Energy({"v": (Real(), 5)}, terms, theta, readouts, {"ground": [0.2]})


def test_forms_agree_with_the_terms():
    report = check_energy(gaussian())
    assert {"potential", "potential (compiled)"} <= {check.form for check in report.checks}
    assert "potential" in {check.form for check in check_energy(ladder()).checks}
    with pytest.raises(ValueError, match="term '0 Wrong', form 'potential'"):
        check_energy(Energy({"v": (Real(), 2)}, [Wrong()], {"k": [1.0, 2.0]}))


def test_kernels_see_the_problem_that_terms_see(rng):
    """Clamps, ties, given forces and terms without a compiled form of their own: the same energies and forces."""
    clamp = {"source": [0.8], "push": [0.4]}
    problem, _ = make_problem(ladder(), {"v": rng.standard_normal((3, 5))}, clamp)
    made = Sampler(problem, problem.state(problem.initial()), streams(0, 3))
    assert isinstance(made, Trajectories)
    z = rng.standard_normal((3, problem.frame.m))
    assert np.allclose(made.energy_at(z), problem.energy(z), rtol=1e-12)
    assert np.allclose(made.force_at(z), problem.force(z), rtol=1e-12)
    assert np.allclose(made.energies(), ladder()(made.state()), rtol=1e-12)


def test_a_path_is_that_of_numpy(rng):
    """No jitter and one chain: the trajectory of `leapfrog` from the same start, with walls and without."""
    for bounds in ((), (-0.4, 0.6), (-0.4,)):
        energy = Energy({"x": (Real(*bounds), 3)}, [Compiled("x", quartic, floats=[1.0, 2.0, 3.0])], {})
        x0 = rng.uniform(-0.3, 0.5, (2, 3))
        problem, _ = make_problem(energy, {"x": x0}, None)
        made = Trajectories(problem, {"x": x0}, streams(0, 2), step=0.3, leaps=9, jitter=0.0)
        p = rng.standard_normal((2, 3))
        z, q, _ = hmc.leapfrog(lambda z: -np.array([1.0, 2.0, 3.0]) * z**3, x0, p, np.full(2, 0.3), 9, walls=made.walls)
        for r in range(2):
            y, v, g = x0[r].copy(), p[r].copy(), made.force[r].copy()
            wall = r if made.bounds[0].shape[1] else 0
            low, high = (b[wall] for b in made.bounds)
            end = path(made.form, made.base[r], made.push[r], low, high, np.ones((1, 3)), 0.3, 9, np.empty((4, 3)),
                       y, v, g, np.empty(3))  # fmt: skip
            assert np.allclose(y, z[r], rtol=1e-12) and np.allclose(v, q[r], rtol=1e-12)
            assert end == pytest.approx(energy(y), rel=1e-12)


@pytest.mark.parametrize(("metric", "temperature"), [("diagonal", 1.0), ("dense", 0.5)])
def test_a_badly_scaled_gaussian(metric, temperature):
    drawn = sample(gaussian(), temperature=temperature, n_samples=20_000, warmup=1000, method="hmc", metric=metric,
                   x0=np.random.default_rng(0).standard_normal((4, D)), rng=1)  # fmt: skip
    assert drawn.method.startswith("HMC, compiled") and f"{metric} metric" in drawn.method and not drawn.notes
    assert 0.6 < np.mean(drawn.acceptance) < 0.99 and drawn.x.shape == (4, 20_000, D)
    x = drawn.x.reshape(-1, D)
    assert np.max(np.abs(x.var(0) / (temperature * np.diag(COVARIANCE)) - 1)) < 0.06
    assert np.max(np.abs(np.corrcoef(x.T) - COVARIANCE / np.outer(SCALES, SCALES))) < 0.03
    assert np.allclose(drawn.energy[:, -1], gaussian()(drawn.final["x"])) and np.array_equal(
        drawn.x[:, -1], drawn.final["x"]
    )


def test_eight_schools_as_in_numpy(tol):
    """The same posterior as that of the term in NumPy, whose quadrature `test_metric` has: mu 4.39, tau 3.6."""
    energy = Energy({"x": (Real(), 10)}, [Compiled("x", schools, floats=SCHOOLS)], {})
    x0 = 0.5 * np.random.default_rng(0).standard_normal((32, 10))
    drawn = sample(energy, temperature=1.0, n_samples=2000, chains=32, warmup=400, x0=x0, method="hmc",
                   metric="diagonal", rng=2)  # fmt: skip
    mu, tau = drawn.x[..., 0].mean(1), np.exp(drawn.x[..., 1]).mean(1)
    exact = 4.397, 3.613
    for found, wanted in zip((mu, tau), exact, strict=True):
        assert abs(found.mean() - wanted) < tol.STATISTICAL * found.std() / np.sqrt(32) + 0.02


def test_walls_clamps_and_mixed_terms(tol):
    temperature, exact = 0.7, None
    box = Energy({"x": (Real(-0.5, 1.3), 2)}, [Compiled("x", quadratic, floats=np.eye(2))], {})
    x = sample(box, temperature=temperature, n_samples=4000, chains=16, warmup=200, method="hmc", rng=6).x
    root = np.sqrt(temperature)
    exact = stats.truncnorm(-0.5 / root, 1.3 / root, 0, root)
    assert x.min() >= -0.5 and x.max() <= 1.3
    for power, wanted in ((1, exact.mean()), (2, exact.var() + exact.mean() ** 2)):
        found = np.mean(x**power, (1, 2))
        assert abs(found.mean() - wanted) < tol.STATISTICAL * found.std() / 4
    energy, clamp = ladder(), {"source": [0.8], "push": [0.4]}
    options = {"temperature": 0.5, "chains": 64, "warmup": 200, "method": "hmc", "clamp": clamp, "target": 0.9}
    slow = sample(ladder(Plain), n_samples=100, thin=3, rng=7, **options)
    fast = sample(energy, n_samples=2000, rng=8, **options)
    assert "compiled" in fast.method and "compiled" not in slow.method
    assert np.all(fast.x[..., 0] == 0.2) and np.allclose(fast.x[..., 1] - fast.x[..., 3], 0.8)
    for k in (1, 2, 4):
        a, b = slow.x[..., k].mean(1), fast.x[..., k].mean(1)
        assert abs(a.mean() - b.mean()) < tol.STATISTICAL * np.sqrt((a.var() + b.var()) / 64)
    assert np.allclose(fast.energy[:, -1], energy(fast.final))


def test_same_bits_whatever_the_company():
    """A chain's numbers depend on the seed and its own number; blocks of draws are as many single ones."""
    energy = Energy({"x": (Real(), 3)}, [Compiled("x", quartic, floats=[1.0, 2.0, 3.0])], {})
    options = {"temperature": 0.5, "n_samples": 7, "warmup": 9, "thin": 2, "step": 0.3, "method": "hmc", "rng": 9}
    few, many = (sample(energy, chains=chains, **options) for chains in (2, 9))
    assert np.array_equal(few.x, many.x[:2]) and len(np.unique(many.x[:, -1, 0])) == 9
    observed = sample(energy, chains=2, observe={"x": lambda x: x["x"]}, **options)
    assert np.array_equal(observed.observed["x"], few.x) and np.allclose(observed.energy, few.energy)
    adapted = [sample(energy, chains=n, temperature=0.5, n_samples=2, warmup=300, method="hmc", rng=1) for n in (2, 5)]
    assert np.array_equal(adapted[0].x, adapted[1].x[:2])
    cool = tempering(energy, temperatures=[0.5, 1.0], n_samples=5, method="hmc", step=0.3, rng=1)
    assert "compiled" in cool.method


def cliff(x, ints, floats, f):
    """A flat well with a cliff of NaN beyond 4."""
    v = x[0]
    if v > 4.0:
        f[0] = np.nan
        return np.nan
    if v > 2.5:
        f[0] = 1e-3 * (3.9 - v)
        return 5e-4 * (v - 3.9) ** 2
    f[0] = -16.0 * v
    return 8.0 * v * v


def test_nan_is_never_accepted_and_a_chain_that_fails_alone_is_named():
    energy = Energy({"x": (Real(), 1)}, [Compiled("x", cliff)], {})
    x0 = np.zeros((8, 1))
    x0[5] = 3.9
    with pytest.warns(RuntimeWarning, match="chain 5 fails alone: .* moves diverged"):
        drawn = sample(energy, temperature=1.0, n_samples=300, chains=8, x0=x0, method="hmc", step=0.05, rng=4)
    assert np.all(np.isfinite(drawn.x)) and np.all(np.isfinite(drawn.energy)) and "moves diverged" in drawn.method
    x0[5] = 5.0
    with pytest.raises(ValueError, match="x0: the energy or the force of chain 5 is not finite where it starts"):
        sample(energy, temperature=1.0, n_samples=3, chains=8, x0=x0, method="hmc")


def outside(x, ints, floats, f):
    f[0] = -x[0]
    return 0.5 * x[0] * x[0] + 0.0 * floats[int(abs(x[0]) * 2)]


def not_numba(x, ints, floats, f):
    return {"a": x}.popitem()[2]


def test_mistakes_are_named():
    energy = Energy({"x": (Real(), 1)}, [Compiled("x", outside, floats=np.zeros(3))], {})
    with pytest.raises(IndexError, match=r"potential of Compiled: potential: floats\[\d+\] is outside the array"):
        sample(energy, temperature=1.0, n_samples=2000, x0=np.zeros(1), method="hmc", rng=0)
    with pytest.raises(IndexError, match="term Compiled of layer 'x': potential: floats"):
        energy(np.array([7.0]))
    with pytest.raises(TypeError, match="potential: Numba cannot compile not_numba"):
        Energy({"x": (Real(), 1)}, [Compiled("x", not_numba)], {})(np.zeros(1))
    with pytest.raises(TypeError, match=r"force: .*expected a function force\(x, ints, floats, f\)"):
        Compiled("x", 3)
    with pytest.raises(ValueError, match="terms: prepare of Listed's potential returned .*lines of int64"):
        sample(Energy({"v": (Real(), 2)}, [Listed()], {"k": [1.0, 1.0]}), temperature=1.0, n_samples=1, method="hmc")
    with pytest.raises(TypeError, match="terms: the potential of Named is a str, expected a Potential"):
        sample(Energy({"v": (Real(), 2)}, [Named()], {"k": [1.0, 1.0]}), temperature=1.0, n_samples=1, method="hmc")


def test_what_is_not_compiled_says_so():
    plain = Energy({"v": (Real(), 2)}, [Plain()], {"k": [1.0, 1.0]})
    problem, _ = make_problem(plain, None, None)
    assert missing(problem) == "no term has a `potential`"
    drawn = sample(plain, temperature=1.0, n_samples=2, method="hmc", rng=0)
    assert any("term Plain has no `potential`" in note for note in drawn.notes)
