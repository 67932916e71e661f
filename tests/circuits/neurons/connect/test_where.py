"""Connections by a condition on the numbers, and slices of populations as ends."""

import numpy as np
import pytest

from circuits.neurons import LIF, Constant, Delta, Exponential, Population, Projection, SpikingNetwork, connect
from physlearn import integrate

CELL = LIF(tau=20e-3, v_rest=0.0, v_threshold=1.0, v_reset=0.0)


def network(*projections, sizes=(12, 9), seed=0):
    names = {"E": sizes[0], "I": sizes[1]}
    return SpikingNetwork(
        {name: Population(CELL, n, receptors={"d": Delta()}) for name, n in names.items()}, projections, seed=seed
    )


def pairs(net, k=0):
    sources, targets, _ = net.synapses(net.projections[k].name)
    return set(zip(sources.tolist(), targets.tolist(), strict=True))


def test_a_function_or_an_array_of_the_numbers():
    near = lambda i, j: abs(i - j) <= 1  # noqa: E731
    mask = np.abs(np.arange(12)[:, None] - np.arange(9)) <= 1
    for rule in (connect.where(near), connect.where(mask)):
        net = network(Projection("E", "I", rule, weight=lambda s, t, rng: s + 100.0 * t))
        sources, targets, weights = net.synapses("E->I")
        assert pairs(net) == {(i, j) for i in range(12) for j in range(9) if abs(i - j) <= 1}
        np.testing.assert_array_equal(weights, sources + 100.0 * targets)
    assert pairs(network(Projection("E", "E", connect.where(lambda i, j: i == j), weight=1.0))) == {
        (i, i) for i in range(12)
    }
    assert pairs(network(Projection("E", "I", connect.where(lambda i, j: i < 2), weight=1.0))) == {
        (i, j) for i in range(2) for j in range(9)
    }


def test_probabilities_are_drawn(tol):
    n = 600
    net = network(
        Projection("E", "E", connect.where(lambda i, j: 0.3 * (i < n // 2)), weight=1.0), sizes=(n, 1), seed=3
    )
    sources, _, _ = net.synapses("E->E")
    expected = 0.3 * n * n / 2
    assert sources.max() < n // 2
    assert abs(len(sources) - expected) < tol.STATISTICAL * np.sqrt(0.7 * expected)
    again = network(
        Projection("E", "E", connect.where(lambda i, j: 0.3 * (i < n // 2)), weight=1.0), sizes=(n, 1), seed=3
    )
    np.testing.assert_array_equal(again.synapses("E->E")[1], net.synapses("E->E")[1])


def test_slices_are_populations_of_their_own():
    net = network(
        Projection("E[:4]", "I[2:]", connect.all_to_all(), weight=1.0),
        Projection("E[2:8:2]", "E[2:8:2]", connect.all_to_all(), weight=1.0),
        Projection("E[-3:]", "I", connect.fixed_indegree(2), weight=1.0),
        Projection("I[:3]", "E[9:]", connect.from_matrix([[0, 2.0, 0], [0, 0, 3.0], [4.0, 0, 0]]), name="given"),
    )
    assert pairs(net, 0) == {(i, j) for i in range(4) for j in range(2, 9)}
    assert pairs(net, 1) == {(i, j) for i in (2, 4, 6) for j in (2, 4, 6) if i != j}
    sources, targets, _ = net.synapses("E[-3:]->I")
    assert set(sources) <= {9, 10, 11}
    np.testing.assert_array_equal(np.bincount(targets), np.full(9, 2))
    np.testing.assert_array_equal(np.stack(net.synapses("given")), [[0, 1, 2], [10, 11, 9], [2.0, 3.0, 4.0]])
    assert [projection.name for projection in net.projections][:2] == ["E[:4]->I[2:]", "E[2:8:2]->E[2:8:2]"]


def test_a_slice_draws_as_a_population_of_its_size():
    rule = connect.fixed_probability(0.4)
    whole = network(Projection("E", "I", rule, weight=1.0), sizes=(700, 400), seed=5)
    part = network(Projection("E[300:]", "I[100:500]", rule, weight=1.0), sizes=(1000, 600), seed=5)
    np.testing.assert_array_equal(whole.synapses("E->I")[0] + 300, part.synapses("E[300:]->I[100:500]")[0])
    np.testing.assert_array_equal(whole.synapses("E->I")[1] + 100, part.synapses("E[300:]->I[100:500]")[1])


def test_low_rank_between_slices():
    rng = np.random.default_rng(2)
    decoders, encoders = 5e-3 * rng.standard_normal((5, 2)), rng.standard_normal((2, 4))
    area = Exponential(5e-3, normalised="area")
    wide = np.zeros((12, 2)), np.zeros((2, 9))
    wide[0][3:8], wide[1][:, 5:] = decoders, encoders

    def spikes(source, target, rule):
        populations = {"E": Population(CELL, 12), "I": Population(CELL, 9)}
        inputs = [Constant("E", np.linspace(1.1, 3, 12)), Constant("I", 1.05)]
        net = SpikingNetwork(populations, [Projection(source, target, rule, receptor=area)], inputs)
        return integrate(net, (0.0, 0.3), dt=1e-3).spikes["I"]

    some, all_ = (
        spikes("E[3:8]", "I[5:]", connect.low_rank(decoders, encoders)),
        spikes("E", "I", connect.low_rank(*wide)),
    )
    np.testing.assert_array_equal(some.times, all_.times)
    assert len(np.unique(some.ids)) > 3


def test_a_population_may_be_called_like_a_slice():
    cells = Population(CELL, 3, receptors={"d": Delta()})
    net = SpikingNetwork({"E[:2]": cells, "E": cells}, [Projection("E[:2]", "E", connect.all_to_all(), weight=1.0)])
    assert net.synapses("E[:2]->E")[0].size == 9


@pytest.mark.parametrize(
    ("source", "target", "rule", "message"),
    [
        ("E[5:5]", "I", connect.all_to_all(), r"'E\[5:5\]' leaves 0 to 11"),
        ("E[:99]", "I", connect.all_to_all(), r"'E\[:99\]' leaves 0 to 11"),
        ("E[::0]", "I", connect.all_to_all(), "leaves 0 to 11"),
        ("F[:2]", "I", connect.all_to_all(), r"'F\[:2\]' is no population"),
        ("E[:5]", "E[3:]", connect.all_to_all(), "overlap without being equal"),
        ("E", "I", connect.where(np.ones((9, 12), bool)), r"shape \(9, 12\), expected \(12, 9\)"),
        ("E", "I", connect.where(lambda i, j: 1.5 * (i + j)), "True, False or probabilities"),
        ("E", "I", connect.where(lambda i, j: np.zeros(5)), r"broadcasts to \(12, 9\)"),
        ("E[:3]", "I", connect.low_rank(np.ones((12, 1)), np.ones((1, 9))), "factors for 12 neurons, expected 3"),
    ],
)
def test_what_does_not_fit_is_named(source, target, rule, message):
    low = hasattr(rule, "decoders")
    more = {"receptor": Exponential(5e-3)} if low else {"weight": 1.0}
    with pytest.raises(ValueError, match=message):
        network(Projection(source, target, rule, **more)).wiring(0)


def test_a_plain_function_is_pointed_to_the_rule():
    with pytest.raises(TypeError, match=r"goes into connect.where"):
        Projection("E", "I", lambda i, j: i != j, weight=1.0)
    with pytest.raises(TypeError, match="where: condition"):
        connect.where(lambda i: i)
    with pytest.raises(ValueError, match="where: condition"):
        connect.where(np.full((2, 2), 2.0))
