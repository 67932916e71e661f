"""What a system refuses when it is built, by the name of the argument."""

import copy
import pickle

import numpy as np
import pytest

from physlearn import Energy, Potts, Readout, Real, Spin, System, enumerate_states, relax, sample
from physlearn.models import BoltzmannMachine
from physlearn.terms import Bias, Lattice, LatticeBonds, Pairs, TokenAttention

PAIR = Pairs("s", [(0, 1)])


def build(layers=None, terms=None, theta=None, readouts=None, fixed=None):
    """Two spins, or what is made of them."""
    return Energy(
        {"s": (Spin(), 2)} if layers is None else layers,
        [PAIR] if terms is None else terms,
        {"J": [1.0]} if theta is None else theta,
        {} if readouts is None else readouts,
        {} if fixed is None else fixed,
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"layers": [("s", Spin())]}, "layers: got .*expected a mapping"),
        ({"layers": {}}, "layers: got none"),
        ({"layers": {"s": Spin()}}, r"layers\['s'\]: got Spin\(\), expected \(kind, shape\)"),
        ({"layers": {"s": (Spin, 2)}}, r"layers\['s'\]: got the class Spin as its kind, expected an instance"),
        ({"layers": {"s": ("Spin", 2)}}, r"layers\['s'\]: got 'Spin' as its kind"),
        ({"layers": {"s": (Spin(), "2")}}, r"layers\['s'\], its shape: got '2'"),
        ({"layers": {"s": (Spin(), 1.5)}}, r"layers\['s'\], its shape: got 1.5"),
        ({"layers": {"s": (Spin(), -1)}}, r"layers\['s'\], its shape: got -1"),
        ({"layers": {"s": (Spin(), (10**8, 10**8))}}, r"layers\['s'\], its number of variables: got .*memory|at most"),
        ({"layers": {1: (Spin(), 2)}}, "layers: got 1, expected names"),
        ({"terms": PAIR}, "terms: got .*expected a list of terms"),
        ({"terms": [Pairs]}, r"terms: got the class Pairs, expected an instance: Pairs\(...\)"),
        ({"terms": ["Pairs"]}, "terms: got a str, expected a term"),
        ({"theta": [("J", 1.0)]}, "theta: got .*expected a mapping"),
        ({"theta": {"J": "1"}}, r"theta\['J'\]: got '1', expected"),
        ({"theta": {"J": [1 + 1j]}}, r"theta\['J'\]: got .*expected"),
        ({"theta": {"J": [np.nan]}}, r"theta\['J'\]: 1 of 1 entries are NaN or infinite"),
        ({"theta": {"j": [1.0]}}, r"theta: parameter 'J', read by Pairs, is missing; got \['j'\]"),
        ({"readouts": {"out": 0}}, r"readouts\['out'\]: got 0, expected a Readout"),
        ({"readouts": {"out": Readout}}, r"readouts\['out'\]: got the class Readout.*make one"),
        ({"readouts": [Readout("s")]}, "readouts: got .*expected a mapping"),
        ({"fixed": ["s"]}, "fixed: got .*expected a mapping"),
        ({"fixed": {"s": ["up", "down"]}}, r"fixed\['s'\]: got .*expected"),
    ],
)
def test_what_is_no_part_is_refused_when_the_system_is_built(given, message):
    with pytest.raises((TypeError, ValueError), match=message):
        build(**given)


def test_terms_of_several_parameters_say_which_is_missing():
    neighbours = Lattice((3, 3)).neighbours
    bonds = LatticeBonds("s", neighbours, 3, [(-1, 1, 2)])
    with pytest.raises(ValueError, match="theta: parameter 'mu', read by LatticeBonds, is missing"):
        Energy({"s": (Potts(3), (3, 3))}, [bonds], {"bonds": [1.0]})
    with pytest.raises(ValueError, match="theta: parameter 'query', read by TokenAttention, is missing"):
        Energy({"x": (Real(), (2, 3))}, [TokenAttention("x", 1.0)], {"key": np.ones((1, 1, 3))})


class Washboard:
    """A user's term, which does not say what it reads."""

    layers = ("x",)

    def energy(self, x, theta):
        return theta["h"] * np.sum(1 - np.cos(x["x"]), axis=1)

    def field(self, x, theta, layer):
        return -theta["h"] * np.sin(x["x"])

    def gradient(self, x, theta, weight):
        return {"h": np.asarray(weight @ np.sum(1 - np.cos(x["x"]), axis=1))}


@pytest.mark.parametrize("moved", [lambda e: e, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))])
def test_a_parameter_that_a_users_term_misses_is_named_with_the_term(moved):
    board = moved(Energy({"x": (Real(), 2)}, [Washboard()], {"k": 1.0}))
    with pytest.raises(ValueError, match=r"theta: parameter 'h', read by Washboard, is missing; got \['k'\]"):
        relax(board, [1.0, 2.0])
    assert dict(board.theta) == {"k": 1.0}


def test_theta_that_does_not_fit_is_refused_by_the_energy_itself():
    wrong = build(theta={"J": [1.0, 2.0]})
    for look in (lambda: wrong([1, 1]), lambda: wrong.field({"s": np.ones((1, 2))}, "s")):
        with pytest.raises(ValueError, match=r"theta\['J'\]: shape \(2,\)"):
            look()


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ("up", r"x\['s'\]: got 'up', expected numbers"),
        ([[1.0], [1.0, 1.0]], r"x\['s'\]: got .*rows differ in length"),
        ({"s": [1, 1], "t": [1, 1]}, r"x: there is no 't', expected one of \['s'\]"),
        (object(), r"x\['s'\]: got .*expected numbers"),
    ],
)
def test_states_that_are_none(x, message):
    with pytest.raises((TypeError, ValueError), match=message):
        build()(x)


def test_field_of_no_layer_and_states_of_no_number():
    with pytest.raises(ValueError, match="layer: there is no 't'"):
        build().field({"s": np.ones((1, 2))}, "t")
    with pytest.raises(ValueError, match="batch: got 0"):
        build().random_state(0, 1)
    with pytest.raises(ValueError, match="rng: got -1"):
        build().random_state(1, -1)


@pytest.mark.parametrize("index", [[True, False], [0.5], ["0"], [[0]], 0])
def test_an_index_is_a_list_of_integers(index):
    with pytest.raises((TypeError, ValueError), match="index: got"):
        Readout("s", index)


def test_a_machine_with_an_energy_under_another_name_is_told_what_it_lacks():
    class Almost:
        energy = BoltzmannMachine(2).energy

    for verb in (
        lambda: sample(Almost(), temperature=1.0, n_samples=1),
        lambda: enumerate_states(Almost(), temperature=1.0),
    ):
        with pytest.raises(TypeError, match=r"energy: got a Almost.*call it `system`"):
            verb()
    with pytest.raises(TypeError, match="energy: a System has no energy"):
        sample(System({"s": (Spin(), 2)}, [Bias("s")], {"bias": [1.0, 0.0]}), temperature=1.0, n_samples=1)
