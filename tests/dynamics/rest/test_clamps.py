"""Clamps: every engine draws the rest exactly or refuses, and "auto" says which engine took over."""

import pickle

import numpy as np
import pytest

from physlearn import Binary, Energy, Potts, Readout, Real, Spin, energy_terms, enumerate_states, relax, sample
from physlearn.models import RBM, Ising, PottsModel, SpinGlass
from physlearn.terms import Dense, Edges

ENGINES = [
    "bitpacked",
    "bytes",
    "replicas",
    "checkerboard",
    "heatbath",
    "metropolis",
    "gibbs",
    "swendsen_wang",
    "wolff",
]
SINGLE = {"heatbath", "metropolis", "gibbs"}
TAKES = {  # engines that draw the model with nothing clamped
    "torus": {"bytes", "replicas", "checkerboard", "swendsen_wang", "wolff"} | SINGLE,
    "glass": {"replicas", "checkerboard"} | SINGLE,
    "codes": {"swendsen_wang", "wolff"} | SINGLE,
    "machine": {"gibbs"},
}
CHAINS, HEAT, KNOWN = 64, 1.5, {}


def with_readouts(energy, layer, patterns):
    readouts = {name: Readout(layer, index) for name, index in patterns.items()}
    return Energy(energy.layers, energy.terms, energy.theta, readouts)


def case(name):
    """An energy, the layer that is clamped, and its values by pattern."""
    if name == "torus":
        model, layer, n, values = Ising.square(4, 0.5), "s", 16, (-1.0, 1.0)
    elif name == "glass":
        model, layer, n, values = SpinGlass.edwards_anderson((4, 3), periodic=False, rng=2), "s", 12, (-1.0, 1.0)
    elif name == "codes":
        model, layer, n, values = PottsModel.square((2, 3), q=3, periodic=False), "s", 6, (0, 1, 2)
    else:
        model, layer, n, values = RBM(6, 4, scale=1.0, rng=1).energy, "v", 6, (0.0, 1.0)
    patterns = {
        "one": np.array([1]),
        "some": np.arange(0, n, 3),
        "all but one": np.arange(n - 1),
        "everything": np.arange(n),
    }
    rng = np.random.default_rng(5)
    held = {pattern: rng.choice(values, len(index)) for pattern, index in patterns.items()}
    return with_readouts(model, layer, patterns), layer, patterns, held


def features(x, layer):
    """Variables of the layer as indicators, and products of neighbours along the line."""
    flat = x[layer].reshape(len(x[layer]), -1)
    shown = np.stack([flat == value for value in (-1, 0, 1, 2)], -1).reshape(len(flat), -1)
    return np.concatenate([shown, flat[:, 1:] == flat[:, :-1]], 1).astype(float)


def known(energy, layer, clamp):
    """Sums over the free variables, made once for each machine and clamp."""
    key = str((energy.layers, energy.theta, clamp))
    if key not in KNOWN:
        exact = enumerate_states(energy, temperature=HEAT, clamp=clamp)
        KNOWN[key] = exact, np.append(exact.mean(lambda x: features(x, layer)), exact.energy)
    return KNOWN[key]


def assert_conditional(energy, layer, clamp, drawn, tol):
    """Means over chains of the layer's features and of the energy against the sum over what is free."""
    exact, wanted = known(energy, layer, clamp)
    seen = np.concatenate([drawn.observed["f"], drawn.energy.mean(1)[:, None]], 1)
    p = np.append(wanted[:-1] * (1 - wanted[:-1]), exact.heat_capacity * HEAT**2)
    least = np.sqrt(np.maximum(p, 0.0) / drawn.energy.size)
    error = np.maximum(seen.std(0, ddof=1) / np.sqrt(len(seen)), least)
    assert np.all(np.abs(seen.mean(0) - wanted) <= tol.STATISTICAL * error + 1e-9)


def draw(energy, layer, clamp, method):
    observe = {"x": lambda x: x[layer].reshape(CHAINS, -1), "f": _mean(layer)}
    return sample(energy, temperature=HEAT, n_samples=25, chains=CHAINS, thin=2, warmup=40, clamp=clamp, method=method,
                  observe=observe, rng=7)  # fmt: skip


def _mean(layer):
    from physlearn import Mean

    return Mean(lambda x: features(x, layer))


@pytest.mark.parametrize("pattern", ["nothing", "one", "some", "all but one", "everything"])
@pytest.mark.parametrize("method", [*ENGINES, "auto"])
@pytest.mark.parametrize("name", TAKES)
def test_every_engine_and_pattern(name, method, pattern, tol):
    energy, layer, patterns, held = case(name)
    clamp = None if pattern == "nothing" else {pattern: held[pattern]}
    fits = TAKES[name] if pattern == "nothing" else TAKES[name] & SINGLE
    if method not in fits | {"auto"}:
        with pytest.raises(ValueError, match=f"method '{method}' does not fit this energy: .*What fits: "):
            sample(energy, temperature=HEAT, n_samples=1, clamp=clamp, method=method, rng=0)
        return
    drawn = draw(energy, layer, clamp, method)
    if clamp:
        assert np.all(drawn.observed["x"][..., patterns[pattern]] == held[pattern])
        if method == "auto":  # lattice engines take nothing clamped; what does says so
            assert drawn.method.startswith("Gibbs" if name == "machine" else "heat bath")
    assert_conditional(energy, layer, clamp, drawn, tol)


@pytest.mark.parametrize("method", sorted(SINGLE))
def test_every_chain_has_its_own_values(method, tol):
    energy, layer, patterns, _ = case("torus")
    sides = np.where(np.arange(CHAINS)[:, None] % 2, 1.0, -1.0) * np.ones((1, len(patterns["some"])))
    drawn = draw(energy, layer, {"some": sides}, method)
    assert np.all(drawn.observed["x"][..., patterns["some"]] == sides[:, None])
    for row in (0, 1):
        part = type(drawn)(None, drawn.energy[row::2], {"f": drawn.observed["f"][row::2]}, None, {}, HEAT, drawn.method)
        assert_conditional(energy, layer, {"some": sides[row]}, part, tol)


def test_what_a_machine_holds_fixed_counts_as_clamped(tol):
    """`fixed` reaches the engines as a clamp does: the torus falls from the lattice engine to the heat bath."""
    energy, layer, patterns, held = case("torus")
    fixed = Energy(energy.layers, energy.terms, energy.theta, energy.readouts, fixed={"some": held["some"]})
    drawn = draw(fixed, layer, None, "auto")
    assert drawn.method == "heat bath (kept fields)" and draw(energy, layer, None, "auto").method.endswith("(bytes)")
    assert_conditional(energy, layer, {"some": held["some"]}, drawn, tol)


def test_later_changes_of_the_callers_arrays_change_nothing():
    rows, index, ground = np.array([[1.0, 0.0]]), np.array([1]), {"foot": np.array([0.0])}
    readouts = {"foot": Readout("x", rows=rows), "end": Readout("x", index)}
    spring = Energy({"x": (Real(), 2)}, [Edges("x", [(0, 1)])], {"conductance": [1.0]}, readouts, fixed=ground)
    rows[0, 0], index[0], ground["foot"][0] = 0.0, 0, 5.0
    del ground["foot"]
    assert relax(spring, clamp={"end": [2.0]}).x.tolist() == [0.0, 2.0]
    assert relax(pickle.loads(pickle.dumps(spring)), clamp={"end": [2.0]}).x.tolist() == [0.0, 2.0]


@pytest.mark.parametrize("method", ["auto", "newton"])
def test_complex_clamps_keep_both_parts(method, tol):
    chain = Energy(
        {"x": (Real(), 3)}, [Edges("x", [(0, 1), (1, 2)])], {"conductance": [1.0, 2.0]}, {"ends": Readout("x", [0, 2])}
    )
    for ends in ([1 + 1j, 0.0], [1j, 3.0], [[1.0, 2j], [1 - 1j, 0.5]]):
        found = relax(chain, clamp={"ends": ends}, method=method).x
        given = np.asarray(ends)
        expected = (given[..., 0] + 2.0 * given[..., 1]) / 3.0
        assert np.allclose(found[..., 1], expected, rtol=tol.IDENTITY, atol=0)


@pytest.mark.parametrize("kind", [Spin(), Binary(), Potts(3)])
def test_complex_values_are_refused_where_kinds_are_discrete(kind):
    energy = Energy({"s": (kind, 2)}, [], {}, {"all": Readout("s", [0, 1])})
    for call in (
        lambda: energy(np.array([1 + 1j, 1.0])),
        lambda: relax(energy, np.array([1 + 0j, 1.0])),
        lambda: sample(energy, temperature=1.0, n_samples=1, x0=np.array([1 + 0j, 1.0])),
        lambda: Energy({"s": (kind, 2)}, [], {}, {"all": Readout("s", [0, 1])}, fixed={"all": [1j, 1.0]}),
    ):
        with pytest.raises(TypeError, match="complex|real numbers"):
            call()


def test_whatever_is_asked_of_an_energy_its_parameters_are_checked():
    w = np.array([[0.0, 1.0, 2.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]])
    energy = Energy({"s": (Spin(), 3)}, [Dense(("s", "s"))], {"W": w})
    x = {"s": np.ones((1, 3))}
    for call in (
        lambda: energy(np.ones(3)),
        lambda: energy.field(x, "s"),
        lambda: energy.force(x, "s"),
        lambda: energy.curvature(x, "s"),
        lambda: energy.response(x),
        lambda: energy.shares(x),
        lambda: energy_terms(energy, np.ones(3)),
    ):
        with pytest.raises(ValueError, match="not symmetric"):
            call()
