"""Built-in terms refuse layers and parameters that do not fit, in every verb."""

import numpy as np
import pytest

from physlearn import (
    Binary,
    Energy,
    Potts,
    Real,
    Spin,
    System,
    anneal,
    check_energy,
    enumerate_states,
    relax,
    sample,
    tempering,
)
from physlearn.terms import (
    Bias,
    Dense,
    Edges,
    Mixture,
    OneWay,
    Pairs,
    Parabola,
    PottsBias,
    PottsDense,
    PottsPairs,
    TokenAttention,
    TokenMemory,
)

PAIR, ONE = [(0, 1), (1, 2)], np.ones(2)
MISFITS = {
    "codes under Bias": ({"s": (Potts(3), 3)}, Bias("s"), {"bias": np.zeros(3)}, "Bias.*Potts.*PottsBias"),
    "Bias's shape": ({"s": (Spin(), 3)}, Bias("s"), {"bias": np.zeros(2)}, r"bias.*\(2,\), expected \(3,\)"),
    "PottsBias's q": ({"s": (Potts(3), 3)}, PottsBias("s"), {"bias": np.zeros((3, 4))}, r"\(3, 4\), expected \(3, 3\)"),
    "PottsBias on spins": ({"s": (Spin(), 3)}, PottsBias("s"), {"bias": np.zeros((3, 2))}, "PottsBias.*expected Potts"),
    "fewer codes": ({"s": (Potts(3), 3)}, PottsPairs("s", PAIR, q=4), {"J": ONE}, "q is 4.*pass q=3"),
    "more codes": ({"s": (Potts(4), 3)}, PottsPairs("s", PAIR, q=3), {"J": ONE}, "q is 3.*pass q=4"),
    "PottsPairs on spins": ({"s": (Spin(), 3)}, PottsPairs("s", PAIR, q=2), {"J": ONE}, "PottsPairs.*expected Potts"),
    "PottsPairs on bits": ({"s": (Binary(), 3)}, PottsPairs("s", PAIR, q=2), {"J": ONE}, "PottsPairs.*expected Potts"),
    "PottsPairs's J": ({"s": (Potts(3), 3)}, PottsPairs("s", PAIR, q=3), {"J": np.ones(3)}, "one for each pair"),
    "PottsPairs's n": ({"s": (Potts(3), 3)}, PottsPairs("s", PAIR, q=3, n=5), {"J": ONE}, "pass n=3"),
    "Pairs on codes": ({"s": (Potts(3), 3)}, Pairs("s", PAIR), {"J": ONE}, "use PottsPairs"),
    "Dense on codes": ({"s": (Potts(3), 3)}, Dense(("s", "s")), {"W": np.zeros((3, 3))}, "use PottsDense"),
    "Edges on spins": ({"s": (Spin(), 3)}, Edges("s", PAIR), {"conductance": ONE}, "Edges.*Spin.*Pairs"),
    "Edges's nodes": ({"s": (Real(), 3)}, Edges("s", PAIR, nodes=4), {"conductance": ONE}, "edges among 4.*shape .3,."),
    "Parabola on bits": ({"s": (Binary(), 3)}, Parabola("s"), {"stiffness": np.ones(3)}, "Parabola.*Binary.*Bias"),
    "Parabola's shape": ({"s": (Real(), 3)}, Parabola("s"), {"stiffness": np.ones(4)}, r"expected \(3,\)"),
    "Mixture on spins": (
        {"s": (Spin(), 1)},
        Mixture("s"),
        {"logits": np.zeros(1), "means": np.zeros((1, 1)), "precisions": np.ones(1)},
        "Mixture.*Spin",
    ),
    "PottsDense's order": (
        {"v": (Potts(3), 2), "h": (Spin(), 2)},
        PottsDense(("h", "v")),
        {"W": np.zeros((2, 3, 2))},
        "PottsDense.*expected Potts",
    ),
    "PottsDense's shape": (
        {"v": (Potts(3), 2), "h": (Spin(), 2)},
        PottsDense(("v", "h")),
        {"W": np.zeros((2, 4, 2))},
        r"expected \(2, 3, 2\)",
    ),
    "TokenAttention on spins": (
        {"s": (Spin(), (2, 1))},
        TokenAttention("s", 1.0),
        {"key": np.ones((1, 1, 1)), "query": np.ones((1, 1, 1))},
        "TokenAttention.*Spin",
    ),
    "TokenMemory's length": ({"s": (Real(), (2, 3))}, TokenMemory("s"), {"patterns": np.ones((1, 2))}, r"\(1, 3\)"),
}


@pytest.mark.parametrize("name", MISFITS)
def test_misfits_are_refused(name):
    layers, term, theta, message = MISFITS[name]
    energy = Energy(layers, [term], theta)
    with pytest.raises(ValueError, match=message):
        relax(energy)
    with pytest.raises(ValueError, match=message):
        sample(energy, temperature=1.0, n_samples=1, rng=0)


def test_every_verb_asks():
    energy = Energy({"s": (Potts(3), 3)}, [PottsBias("s")], {"bias": np.zeros((3, 4))})
    for verb in (
        lambda: anneal(energy, rng=0),
        lambda: enumerate_states(energy, temperature=1.0),
        lambda: tempering(energy, temperatures=[1.0, 2.0], n_samples=1, rng=0),
    ):
        with pytest.raises(ValueError, match=r"expected \(3, 3\)"):
            verb()


def test_one_way_couplings_are_square():
    system = System({"s": (Spin(), 3)}, [OneWay("s")], {"W": np.zeros((2, 2))})
    with pytest.raises(ValueError, match=r"W.*expected \(3, 3\)"):
        relax(system, np.ones(3))


@pytest.mark.parametrize("term, name", [(Bias, "bias"), (Parabola, "stiffness")])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 1), (2, 3)])
def test_one_number_for_many_variables(term, name, shape, rng):
    other, also = (Parabola, "stiffness") if term is Bias else (Bias, "bias")
    given = rng.uniform(0.5, 2.0, shape)
    whole = {also: rng.uniform(0.5, 2.0, (2, 3)), name: np.broadcast_to(given, (2, 3))}
    layers = {"x": (Real(), (2, 3))}
    full = Energy(layers, [term("x"), other("x")], whole)
    shared = Energy(layers, [term("x"), other("x")], whole | {name: given})
    check_energy(shared)
    np.testing.assert_array_equal(relax(shared).x, relax(full).x)
    x = rng.standard_normal((4, 2, 3))
    found = shared.response({"x": x})[name]
    assert np.shape(found) == shared.theta[name].shape
    np.testing.assert_allclose(found.sum(), full.response({"x": x})[name].sum())
