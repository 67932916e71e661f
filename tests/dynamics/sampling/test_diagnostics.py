"""R-hat and effective sample size, handed over to ArviZ, where both are known in closed form."""

import sys

import numpy as np
import pytest

from physlearn import Energy, Mean, Readout, Real, Spin, sample
from physlearn.terms import Edges, Pairs

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
