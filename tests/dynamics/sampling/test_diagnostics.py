"""R-hat and effective sample size, handed over to ArviZ, where both are known in closed form."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from physlearn import Energy, Mean, Readout, Real, Samples, Spin, integrate, sample, tempering
from physlearn.terms import Edges, Pairs, Parabola

pytest.importorskip("arviz")


def spring(step, chains, draws, **more):
    """One particle in a parabola under ULA: x' = (1 - step) x + noise, an AR(1) chain."""
    one = Energy({"v": (Real(), 2)}, [Edges("v", [(0, 1)])], {"conductance": [1.0]}, fixed={"end": [0.0]},
                 readouts={"end": Readout("v", [1])})  # fmt: skip
    return sample(one, temperature=1.0, n_samples=draws, chains=chains, method="ula", step=step, warmup=200, **more)


@pytest.mark.parametrize("step", [0.1, 0.4, 1.0])
def test_effective_size_of_an_autoregression(step, tol):
    """N (1 - phi)/(1 + phi) with phi = 1 - step (Sokal 1997), over 30 runs of 4 chains."""
    drawn = spring(step, 120, 1500, rng=1)
    assert drawn.x.shape == (120, 1500, 2)
    phi = np.mean(drawn.x[:, 1:, 0] * drawn.x[:, :-1, 0]) / np.mean(drawn.x[..., 0] ** 2)
    assert phi == pytest.approx(1 - step, abs=0.02)
    sizes, ratios = [], []
    for k in range(30):
        part = slice(4 * k, 4 * k + 4)
        few = type(drawn)(drawn.x[part, :, :1], drawn.energy[part], {}, None, {}, 1.0, "part")
        found = few.diagnostics()["x"].values[:, 0]
        ratios.append(found[0])
        sizes.append(found[1])
    exact = 6000 * step / (2 - step)
    error = np.std(sizes, ddof=1) / np.sqrt(30)
    # Geyer's truncated sum has a bias of a few tenths of a percent, of the order of one cut-off term.
    assert abs(np.mean(sizes) - exact) < tol.STATISTICAL * error + 0.01 * exact
    # The means of 4 chains scatter by 4/exact of the variance, and R-hat is the larger of two such ratios' roots.
    assert 0 < np.mean(ratios) - 1 < 8 / exact


def test_chains_apart_are_seen():
    """Two wells that no chain leaves: R-hat is far from 1 and the effective size is of the order of the chains."""
    pairs = [(i, j) for i in range(10) for j in range(i)]
    magnet = Energy({"s": (Spin(), 10)}, [Pairs("s", pairs)], {"J": np.ones(45)}, {"one": Readout("s", [0])})
    start = np.where(np.arange(4)[:, None] % 2, 1.0, -1.0) * np.ones(10)
    drawn = sample(magnet, temperature=2.0, n_samples=200, chains=4, x0=start, rng=0,
                   observe={"m": lambda x: x["s"].mean(1), "mean": Mean(lambda x: x["s"])})  # fmt: skip
    found = drawn.diagnostics()
    assert set(found) == {"energy", "m"} and found["diagnostic"].values.tolist() == ["r_hat", "ess"]
    assert found["m"].sel(diagnostic="r_hat") > 1.5 and found["m"].sel(diagnostic="ess") < 20
    held = sample(magnet, temperature=9.0, n_samples=200, clamp={"one": [1.0]}, rng=0).diagnostics()["x"]
    assert np.isnan(held.sel(diagnostic="r_hat").values[0]) and np.all(held.sel(diagnostic="r_hat").values[1:] < 1.05)


def chains(x):
    """Samples of given draws (chains, draws, ...) of one layer."""
    x = np.asarray(x, dtype=float)
    return Samples(x, np.zeros(x.shape[:2]), {}, None, {}, 1.0, "given")


def found_in(x):
    return chains(x).diagnostics()["x"].values[:, 0].tolist()


@pytest.mark.parametrize("value", [0.0, 1.0, -3.7, 0.1 + 0.2, 1e-300, 1e200])
@pytest.mark.parametrize("n", [4, 7, 100, 401])
def test_what_is_the_same_everywhere_tells_nothing(value, n):
    assert np.all(np.isnan(found_in(np.full((4, n, 1), value))))
    rounded = np.full((3, n, 1), value)
    rounded[1] *= 1 + 1e-15  # as energies of equal states summed in another order
    rounded[:, ::2] *= 1 - 1e-15
    assert np.all(np.isnan(found_in(rounded)))


@pytest.mark.parametrize("n", [4, 7, 100, 401])
@pytest.mark.parametrize("scale", [1.0, 0.1, 1e-9, 1e12])
@pytest.mark.parametrize("places", [(1, 1, 1, -1), (1, 1, -1, -1), (1, -1), (0.1, 0.2, 0.3), (0, 0, 1e-3)])
def test_chains_frozen_apart_have_not_mixed(places, n, scale):
    x = np.repeat(scale * np.array(places, float)[:, None, None], n, 1)
    assert found_in(x) == [np.inf, float(len(places))]


def test_chains_that_moved_once_and_then_never_again():
    x = np.ones((4, 100, 1))
    x[:, 50:] = -1.0
    assert found_in(x) == [np.inf, 8.0]  # halves of chains that do not agree
    x[1:] = 1.0
    assert found_in(x) == [np.inf, 5.0]


def test_two_values_taken_equally_often_are_no_disagreement(rng):
    # the distance from the median is then the same for all draws, and its R-hat 0/0
    x = np.stack([rng.permutation(np.repeat([-1.0, 1.0], 100)) for _ in range(4)])[..., None]
    r_hat, ess = found_in(x)
    assert 0.99 < r_hat < 1.02 and ess > 400


def test_complex_observables_have_no_order():
    given = {"phase": np.ones((2, 10), complex)}
    with pytest.raises(TypeError, match="'phase' is complex"):
        Samples(None, np.zeros((2, 10)), given, None, {}, 1.0, "given").diagnostics()


NAMES = ["energy", "chain", "draw", "temperature", "x", "s_dim_0", "energy_"]


@pytest.mark.parametrize("name", NAMES)
def test_layers_and_observables_of_any_name_are_in_the_dataset(name):
    layers = {name: (Spin(), 2), "s": (Spin(), 3)}
    terms = [Pairs(name, [(0, 1)], 2), Pairs("s", [(0, 1), (1, 2)], 3, parameter="K")]
    two = Energy(layers, terms, {"J": [0.5], "K": [0.5, 0.5]})
    drawn = sample(two, temperature=1.0, n_samples=5, chains=2, rng=0)
    watched = {"s": drawn.x["s"].sum(2), "chain_": drawn.x[name].sum(2)}
    data = replace(drawn, observed=watched).to_dataset()
    (states,) = [k for k in data if data[k].shape == (2, 5, 2)]
    assert states.rstrip("_") == name.rstrip("_") and np.array_equal(data[states], drawn.x[name])
    assert np.array_equal(data["energy"], drawn.energy) and not data.coords
    assert data["s"].shape == (2, 5, 3) and np.array_equal(data["s_"], watched["s"]) and len(data) == 5
    assert set(replace(drawn, observed=watched).diagnostics()) == set(data)
    data = tempering(two, temperatures=[1.0, 2.0], n_samples=5, chains=2, rng=0).to_dataset()
    assert data["energy"].shape == (2, 2, 5) and list(data.coords) == ["temperature"] and len(data) == 3


@pytest.mark.parametrize("name", ["energy", "time", "item", "x_dim_0"])
def test_trajectories_hold_layers_of_any_name(name):
    springs = Energy(
        {name: (Real(), 2), "x": (Real(), 3)},
        [Parabola(name, parameter="a"), Parabola("x", parameter="b")],
        {"a": [1.0, 1.0], "b": [1.0, 2.0, 3.0]},
    )
    run = integrate(springs, (0.0, 1.0), x0={name: np.ones((1, 2)), "x": np.ones((1, 3))}, times=[0.0, 1.0])
    data = run.to_dataset()
    assert np.array_equal(data["time"], run.t) and np.array_equal(data["energy"], run.energy)
    assert sorted(v.shape for v in data.values())[-2:] == sorted((run.x[name].shape, run.x["x"].shape))


def test_a_mean_with_as_many_entries_as_draws_is_no_draw():
    ring = Energy({"s": (Spin(), 16)}, [Pairs("s", [(k, (k + 1) % 16) for k in range(16)])], {"J": np.ones(16)})
    watch = {"s": Mean(lambda x: x["s"]), "m": lambda x: x["s"].mean(1)}
    drawn = sample(ring, temperature=2.0, n_samples=16, chains=4, observe=watch, rng=0)
    assert drawn.to_dataset()["s"].dims == ("chain", "s_dim_0") and set(drawn.diagnostics()) == {"energy", "m"}
    with pytest.raises(ValueError, match="observe: 'energy' is the name"):
        sample(ring, temperature=2.0, n_samples=16, observe={"energy": lambda x: x["s"].mean(1)}, rng=0)


def test_refusals(monkeypatch):
    with pytest.raises(ValueError, match="1 chains of 50 draws, expected at least 2"):
        spring(0.5, 1, 50, rng=0).diagnostics()
    drawn = spring(0.5, 2, 50, rng=0)
    monkeypatch.setitem(sys.modules, "arviz", None)
    with pytest.raises(ImportError, match="mcmc"):
        drawn.diagnostics()


@pytest.mark.parametrize("version", ["0.23.4", "1.0.0"])
def test_both_generations_of_arviz_get_their_object(version, monkeypatch):
    arviz = pytest.importorskip("arviz")
    monkeypatch.setattr(arviz, "__version__", version)
    pair = Energy({"s": (Spin(), 2)}, [Pairs("s", [(0, 1)])], {"J": [1.0]})
    observe = {"m": lambda x: x["s"].mean(1), "mean": Mean(lambda x: x["s"].mean(1))}
    drawn = sample(pair, temperature=[1.0, 2.0], n_samples=5, chains=2, observe=observe, rng=0)
    found = drawn.to_arviz()
    assert list(found["posterior"].data_vars) == ["m"] and type(found).__name__ in ("InferenceData", "DataTree")
    assert (type(found).__name__ == "DataTree") == (version == "1.0.0")
    np.testing.assert_allclose(found["sample_stats"]["lp"].values, -drawn.energy / np.array([[1.0], [2.0]]))
