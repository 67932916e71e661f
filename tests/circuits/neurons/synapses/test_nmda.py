"""NMDA receptors: the block by magnesium, and a membrane against SciPy's solution of the same equations."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from circuits.neurons import LIF, NMDA, AdEx, DualExponential, Population, Record, SpikeTrains, SpikingNetwork
from circuits.neurons.interop.brian2_models import membrane
from physlearn import integrate

CELL = LIF(tau=20e-3, v_rest=-70e-3, v_threshold=0.0, v_reset=-75e-3, resistance=1e8)


def test_the_block():
    """Half of the channels are open where Mg/3.57 mM exp(-62 v/V) is 1: at -20.5 mV for 1 mM."""
    receptor = NMDA()
    assert receptor.block(-np.log(3.57) / 62.0) == pytest.approx(0.5)
    np.testing.assert_allclose(NMDA(magnesium=0.0).block([-0.1, 0.05]), 1.0)
    v = np.linspace(-0.1, 0.05, 30)
    np.testing.assert_allclose(receptor.block(v), 1 / (1 + np.exp(-62.0 * v) / 3.57), rtol=1e-12)


def follow(receptor, dt, model=CELL, weight=2e-8, start=-70e-3, **more):
    network = SpikingNetwork(
        {"n": Population(model, 1, receptors={"s": receptor}, initial={"v": start})},
        inputs=[SpikeTrains("n", [1e-3, 3e-3], [0, 0], weight=weight)],
    )
    return integrate(network, (0.0, 0.03), dt=dt, record={"n": Record(["v", "s"], every=1e-3)}, **more).traces["n"]


def test_the_membrane_follows_the_equations_to_first_order(tol):
    receptor = NMDA(rise=2e-3, decay=50e-3, magnesium=1.2)

    def slope(t, x):
        g = 2e-8 * float(receptor.response(t - 1e-3) + receptor.response(t - 3e-3))
        return (-70e-3 - x + 1e8 * g * receptor.block(x) * (0.0 - x)) / 20e-3

    knots, x = [0.0, 1e-3, 3e-3, 30e-3], np.array([-70e-3])
    for start, stop in zip(knots[:-1], knots[1:], strict=True):
        x = solve_ivp(slope, (start, stop - 1e-15), x, rtol=1e-10, atol=1e-12).y[:, -1]
    errors = [abs(follow(receptor, dt)["v"][-1, 0] - x[0]) for dt in (1e-4, 5e-5)]
    assert x[0] > -65e-3  # the block opens as v rises
    assert errors[1] < 1e-4
    assert abs(np.log2(errors[0] / errors[1]) - 1.0) < tol.ORDER_ODE


def test_without_magnesium_it_is_the_dual_exponential():
    plain = follow(DualExponential(2e-3, 50e-3, reversal=0.0), 1e-4)
    free = follow(NMDA(2e-3, 50e-3, magnesium=0.0), 1e-4)
    np.testing.assert_array_equal(free["v"], plain["v"])
    blocked = follow(NMDA(2e-3, 50e-3), 1e-4)
    np.testing.assert_array_equal(blocked["s"], plain["s"])  # the conductance of unblocked channels
    assert np.all(blocked["v"][5:] < plain["v"][5:] - 1e-3)


def test_other_models_take_it_too():
    blocked, free = (
        follow(NMDA(2e-3, 50e-3, magnesium=c), 1e-4, model=AdEx(), weight=4e-9, method="rk4")["v"] for c in (1.0, 0.0)
    )
    assert np.all(np.isfinite(blocked))
    assert blocked[-1, 0] < free[-1, 0]


def test_what_does_not_fit_is_named():
    for given, message in (
        ({"reversal": None}, "NMDA: reversal=None V, expected a potential"),
        ({"magnesium": -1.0}, "NMDA: magnesium"),
        ({"slope": 0.0}, "NMDA: slope"),
        ({"rise": 0.2}, "is not shorter"),
    ):
        with pytest.raises(ValueError, match=message):
            NMDA(**given)
    with pytest.raises(ValueError, match="NMDA is not translated"):
        membrane(Population(CELL, 1, receptors={"s": NMDA()}), "auto", 1e-4, "n")
