"""Neurons from text: the same numbers as plain functions give, refusals by name, copies, nothing executed."""

import pickle

import numpy as np
import pytest

from circuits.neurons import LIF, Neuron, Population, SpikingNetwork, Step
from circuits.neurons.cells.equations import python, read, tree_of
from physlearn import integrate

ADEX = """
    spike = slope*exp((v - v_t)/slope)    # the upstroke
    dv/dt = (g*(e - v + spike) - w + I)/c
    dw/dt = (a*(v - e) - w)/tau
"""
VALUES = {
    "g": 30e-9,
    "e": -70.6e-3,
    "v_t": -50.4e-3,
    "slope": 2e-3,
    "c": 281e-12,
    "a": 4e-9,
    "tau": 144e-3,
    "b": 80.5e-12,
}


def field(x, current, p, out):
    spike = p[3] * np.exp((x[0] - p[2]) / p[3])
    out[0] = (p[0] * (p[1] - x[0] + spike) - x[1] + current) / p[4]
    out[1] = (p[5] * (x[0] - p[1]) - x[1]) / p[6]


def threshold(x, p):
    return x[0] > -0.04


def reset(x, p):
    x[0] = -0.07
    x[1] += p[7]


def spikes(cell):
    network = SpikingNetwork({"cell": Population(cell, 3)}, inputs=[Step("cell", np.array([0.6, 0.8, 1.0]) * 1e-9)])
    return integrate(network, (0.0, 0.3), dt=1e-4).spikes["cell"]


def test_equal_to_plain_functions():
    more = {"rest": {"v": -70.6e-3}, "scales": (1e-3, 1e-10), "parameters": VALUES}
    text = Neuron.from_equations(ADEX, "v > -0.04", "v = -0.07; w += b", **more)
    plain = Neuron(field, ("v", "w"), threshold, reset, **more)
    ours, theirs = spikes(text), spikes(plain)
    assert len(ours.times) > 5 and np.array_equal(ours.ids, theirs.ids)
    np.testing.assert_allclose(ours.times, theirs.times, rtol=1e-12)
    x = np.array([[-0.06, -0.05], [1e-11, 2e-11]])
    np.testing.assert_allclose(text.slope(x, 1e-10), plain.slope(x, 1e-10), rtol=1e-12)


def test_a_leaky_neuron_is_the_builtin_one():
    cell = Neuron.from_equations(
        "dv/dt = (e - v + R*I)/tau", "v >= v_t", "v = e", rest={"v": -65e-3},
        parameters={"e": -65e-3, "R": 1e8, "tau": 20e-3, "v_t": -50e-3},
    )  # fmt: skip
    lif = LIF(tau=20e-3, v_rest=-65e-3, v_threshold=-50e-3, v_reset=-65e-3, resistance=1e8)
    ours, theirs = (spikes(model).counts for model in (cell, lif))
    assert np.all(np.abs(ours - theirs) <= 1) and ours.min() > 5


def test_copies_carry_the_text():
    cell = Neuron.from_equations("dv/dt = a - v", "v > 1", "v = 0", parameters={"a": 2.0})
    again = pickle.loads(pickle.dumps(cell))
    assert again.field is cell.field and again.text == cell.text and again.parameters == cell.parameters


@pytest.mark.parametrize(
    ("text", "value"),
    [("2**3**2", 512.0), ("-2**2", -4.0), ("2**-1", 0.5), ("7 - 2 - 1", 4.0),
     ("1 < 2 and not 3 < 2", 1.0), ("v > 2 ? 5 : 6", 6.0), ("max(v, 3) * min(1, 2)", 3.0), ("1e-3 + 2.5E2", 250.001)],
)  # fmt: skip
def test_operators_as_python_has_them(text, value):
    import math

    assert float(eval(python(tree_of(text, ["v"])), {"math": math, "v": 1.0})) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dv/dt = (v_rest - v)/tau", "'v_rest' is not known, expected one of I, tau, v"),
        ("v = 3", "no line of the form"),
        ("dv/dt = -v; dv/dt = v", "'v' is defined twice"),
        ("dv/dt = __import__('os')", "equations: .*no meaning for"),
        ("dv/dt = open(v)", "there is no function 'open'"),
        ("dv/dt = v.real", "equations"),
        ("dv/dt = 3mV - v", "behind a number"),
        ("dv/dt = (v", "expected"),
        ("dlambda/dt = 1", "'lambda' is taken"),
        ("v' = 3", "expected 'dNAME/dt = expression'"),
    ],
)
def test_refusals(text, said):
    with pytest.raises(ValueError, match=said):
        Neuron.from_equations(text, parameters={"tau": 1.0})


def test_threshold_and_reset_are_checked():
    with pytest.raises(ValueError, match="threshold: .*'w' is not known"):
        Neuron.from_equations("dv/dt = -v", "w > 1")
    with pytest.raises(ValueError, match="reset: 'w = 1', expected an assignment to one of v"):
        Neuron.from_equations("dv/dt = -v", "v > 1", "w = 1")
    with pytest.raises(TypeError, match="text: got 3"):
        Neuron.from_equations(3)
    assert read("dv/dt = -v  # leak\n\n").variables == ("v",)
