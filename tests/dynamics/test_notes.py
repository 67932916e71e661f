"""Results say which terms of one's own ran in plain NumPy, and what would make them faster."""

import numpy as np
import pytest

from physlearn import (
    SGD,
    ContrastiveDivergence,
    Energy,
    EquilibriumPropagation,
    ExactGradient,
    Local,
    Readout,
    Real,
    Spin,
    SquaredError,
    integrate,
    learn,
    load,
    relax,
    sample,
    save,
)
from physlearn.terms import Bias, Edges, Pairs, Parabola


class Ring:
    """E = -J sum_i s_i s_(i+1)."""

    layers = ("s", "s")

    def energy(self, x, theta):
        return -theta["J"] * np.sum(x["s"] * np.roll(x["s"], 1, 1), 1)

    def field(self, x, theta, layer):
        return theta["J"] * (np.roll(x["s"], 1, 1) + np.roll(x["s"], -1, 1))

    def gradient(self, x, theta, weight):
        return {"J": -np.asarray(weight @ np.sum(x["s"] * np.roll(x["s"], 1, 1), 1))}


def prepare(x, theta):
    return np.zeros(0), np.zeros(0, np.int64), np.atleast_1d(np.array(theta["J"], float))


def gap(i, x, cache, ints, floats, codes, f):
    n = len(x)
    f[0] = floats[0] * (x[(i + 1) % n] + x[(i + n - 1) % n])
    return 1


def commit(i, new, x, cache, ints, floats):
    pass


class FastRing(Ring):
    local = Local(prepare, gap, commit)


class Wells:
    """E = sum_i k x_i^4/4."""

    layers = ("x", "x")

    def energy(self, x, theta):
        return theta["k"] * np.sum(x["x"] ** 4, 1) / 4

    def field(self, x, theta, layer):
        return -theta["k"] * x["x"] ** 3

    def gradient(self, x, theta, weight):
        return {"k": np.asarray(weight @ np.sum(x["x"] ** 4, 1) / 4)}


class SteepWells(Wells):
    def jacobian(self, x, theta):
        return -np.diag(3 * theta["k"] * x["x"][0] ** 2)


def ring(term, kind=None):
    return Energy({"s": (kind or Spin(), 6)}, [term], {"J": 0.5})


def wells(term, kind=None):
    chain = Edges("x", [(0, 1), (1, 2)], parameter="g")
    readouts = {"in": Readout("x", [0]), "out": Readout("x", [2])}
    return Energy({"x": (kind or Real(), 3)}, [chain, term], {"g": [1.0, 2.0], "k": 1.0}, readouts)


def test_spins_of_a_term_without_a_local_form():
    for run in (
        sample(ring(Ring()), temperature=1.0, n_samples=3, rng=0),
        relax(ring(Ring()), np.ones((2, 6))),
        learn(ring(Ring()), {"s": np.ones((2, 6))}, rule=ContrastiveDivergence(), optimizer=SGD(0.1), rng=0),
    ):
        (note,) = run.notes
        assert note.startswith("term Ring has no `local`: visited in plain NumPy, one variable at a time")
        assert "notes=1" in repr(run)
    for term in (FastRing(), Pairs("s", [(i, (i + 1) % 6) for i in range(6)])):
        energy = ring(term) if isinstance(term, Ring) else Energy({"s": (Spin(), 6)}, [term], {"J": np.full(6, 0.5)})
        assert sample(energy, temperature=1.0, n_samples=3, rng=0).notes == ()
        assert relax(energy, np.ones((2, 6))).notes == ()


def test_two_terms_of_one_class_are_named_once_and_fast_ones_not_at_all():
    both = Energy({"s": (Spin(), 6)}, [Ring(), Ring(), Bias("s")], {"J": 0.5, "bias": np.zeros(6)})
    assert len(sample(both, temperature=1.0, n_samples=2, rng=0).notes) == 1


@pytest.mark.parametrize("batch", [1, 8])
def test_rest_without_a_jacobian(batch):
    rest = relax(wells(Wells()), np.ones((batch, 3)), clamp={"in": [1.0]})
    (note,) = rest.notes
    assert note.startswith("term Wells has no `jacobian`: moved to rest by its field in plain NumPy")
    faster = relax(wells(SteepWells()), np.ones((batch, 3)), clamp={"in": [1.0]})
    assert faster.notes == () and faster.method == "Newton"
    np.testing.assert_allclose(faster.x, rest.x, atol=1e-6)
    by_hand = relax(wells(SteepWells()), np.ones((batch, 3)), clamp={"in": [1.0]}, method="fire")
    assert by_hand.notes == ()  # there is nothing to add


def test_rest_within_bounds_would_not_take_a_jacobian():
    (note,) = relax(wells(Wells(), Real(-1.0, 1.0)), np.ones((1, 3))).notes
    assert "has no `curvature`" in note and "within the bounds" in note


def test_draws_and_motion():
    energy = Energy({"x": (Real(), 3)}, [Wells(), Parabola("x", "k2")], {"k": 1.0, "k2": np.ones(3)})
    note, paths = sample(energy, temperature=1.0, n_samples=2, chains=4, rng=0).notes
    assert note.startswith("term Wells has no `curvature`: moved by its field in plain NumPy")
    assert paths.startswith("term Wells has no `potential`: trajectories in plain NumPy")
    assert integrate(energy, (0.0, 1.0), x0=np.ones(3)).notes == ()
    (note,) = integrate(energy, (0.0, 1.0), x0=np.ones(3), method="stiff").notes
    assert note.startswith("term Wells has no `jacobian`: slopes of the fields are differences")


@pytest.mark.parametrize("rule", [EquilibriumPropagation(), ExactGradient()])
def test_trainings_keep_their_notes(rule, tmp_path):
    task = dict(rule=rule, cost=SquaredError("out"), optimizer=SGD(0.01), rng=0)
    data = {"in": [[0.5], [1.0]], "out": [[0.1], [0.2]]}
    done = learn(wells(Wells()), data, **task)
    assert done.method == "relax" and len(done.notes) == 2
    assert "has no `quadratic` with `gradient_moments`" in done.notes[0] and "`jacobian`" in done.notes[1]
    assert load(save(tmp_path / "done", done), wells(Wells())).notes == done.notes
    (left,) = learn(wells(SteepWells()), data, **task).notes
    assert "has no `quadratic`" in left
    quick = Energy(
        {"x": (Real(), 3)}, [Edges("x", [(0, 1), (1, 2)])], {"conductance": [1.0, 2.0]}, wells(Wells()).readouts
    )
    assert learn(quick, data, **task).notes == ()
