import numpy as np
import pytest

from physlearn import Energy, Nudge, Real, SquaredError, check_energy, integrate, sample
from physlearn.dynamics.blocks import blocks_of, rows_of_products, rowwise
from physlearn.dynamics.problem import make_problem
from physlearn.lagrangians import Tanh
from physlearn.terms import Bias, Dense, Edges, Entropy, Parabola, SquaredNorm


def chain(n, kind=None, extra=(), **theta):
    pairs = np.array([(i, i + 1) for i in range(n - 1)], int).reshape(-1, 2)
    values = {"conductance": np.linspace(0.5, 2.0, n - 1), "stiffness": np.linspace(1.0, 3.0, n), "bias": np.ones(n)}
    terms = [Edges("x", pairs, n), Parabola("x"), Bias("x"), *extra]
    return Energy({"x": (kind or Real(), n)}, terms, values | theta)


def coupled(n, rng):
    w = rng.standard_normal((n, n))
    return chain(n, extra=[Dense(("x", "x"))], W=0.1 * (w + w.T) * (1 - np.eye(n)))


@pytest.mark.parametrize("n", [1, 2, 3, 7, 200])
def test_terms_that_say_rowwise_are(n, rng):
    layers = {"x": (Real(), n), "p": (Real(0.0, 1.0), n)}
    terms = [*chain(n).terms, SquaredNorm("x"), Entropy("p")]
    energy = Energy(layers, terms, dict(chain(n).theta))
    assert sum(check.form == "rowwise" for check in check_energy(energy).checks) == 10
    x = {"x": rng.standard_normal((300, n)), "p": rng.uniform(0.1, 0.9, (300, n))}
    for term in terms:
        whole, parts = term.energy(x, energy.theta), []
        for rows in (slice(0, 2), slice(2, 17), slice(17, 300)):
            parts.append(term.energy({name: v[rows] for name, v in x.items()}, energy.theta))
        assert np.array_equal(whole, np.concatenate(parts))


def test_who_is_called_whole(rng):
    def whole(energy, nudge=None):
        return rowwise(make_problem(energy, np.zeros((2, 3)), None, nudge)[0])

    assert whole(chain(3)) and whole(chain(3, Tanh()))
    assert not whole(coupled(3, rng)) and not whole(chain(3), Nudge(SquaredError("x"), np.zeros(3), 1.0))


def test_blocks_hold_every_item_once_and_depend_on_the_variables_alone(rng):
    for energy, sizes in ((chain(40), [818, 182]), (coupled(40, rng), [96] * 11)):
        blocks = blocks_of(make_problem(energy, np.zeros((1000, 40)), None)[0], rows_of_products(40))
        assert [len(block.items) for block in blocks] == sizes
        assert np.array_equal(np.concatenate([b.items[: b.real] for b in blocks]), np.arange(1000))
    assert rows_of_products(0) == 256 and rows_of_products(10**6) == 16


@pytest.mark.parametrize("method", ["euler", "rk4", "euler_maruyama", "heun"])
def test_an_item_has_the_same_bits_in_any_batch(method, rng):
    settings = {"dt": 0.1, "method": method} | (
        {"temperature": 0.5, "rng": 3} if "e" == method[1] or "_" in method else {}
    )
    for energy in (chain(3), coupled(3, rng), chain(3, Real(-0.5, 0.5)), chain(3, Tanh())):
        if "temperature" in settings and energy.layers["x"].kind == Tanh():
            continue
        x0 = rng.uniform(-0.5, 0.5, (700, 3))
        many = integrate(energy, (0, 1), x0=x0, **settings).x
        for items in (1, 2, 65, 300):
            assert np.array_equal(many[:, :items], integrate(energy, (0, 1), x0=x0[:items], **settings).x)


def test_blocks_of_any_length_give_the_same_bits(rng, monkeypatch):
    x0 = rng.standard_normal((90, 2))
    runs = {"temperature": 0.3, "dt": 0.1, "rng": 4}, {"dt": 0.1, "clamp": {"x": lambda t: np.full((90, 2), t)}}

    def follow():
        return [integrate(chain(2), (0, 1), x0=x0, **run).x for run in runs] + [
            sample(chain(2), temperature=0.5, n_samples=3, chains=90, warmup=5, method="hmc", rng=2).x
        ]

    usual = follow()
    monkeypatch.setattr("physlearn.dynamics.blocks.NUMBERS", 14)
    for a, b in zip(usual, follow(), strict=True):
        assert np.array_equal(a, b)


def test_the_first_item_to_leave_ends_the_run_of_all(monkeypatch):
    monkeypatch.setattr("physlearn.dynamics.blocks.NUMBERS", 2)  # two items a block
    hill = Energy({"x": (Real(), 1)}, [Parabola("x")], {"stiffness": [-1.0]})
    x0 = np.array([1e-9, 1.0, 0.0, 1e30, 1e3, 1e30])[:, None]
    with pytest.warns(RuntimeWarning, match="item 3 left the finite numbers at t = 67 s, step 67"):
        run = integrate(hill, (0, 400), x0=x0, dt=1.0, times=[0, 60, 67, 200], method="euler")
    assert run.steps == 67 and list(run.t) == [0, 60] and run.x.shape == (2, 6, 1)
    assert np.array_equal(run.x[1, :, 0], x0[:, 0] * 2.0**60)
