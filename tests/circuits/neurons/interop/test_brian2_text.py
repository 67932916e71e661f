"""Neurons from text in Brian2: the same spikes."""

import numpy as np
import pytest

from circuits.neurons import Neuron, Population, SpikingNetwork, Step, to_brian2
from physlearn import integrate

brian2 = pytest.importorskip("brian2")


@pytest.mark.parametrize(
    ("text", "threshold", "reset", "rest", "drive"),
    [
        (
            "up = slope*exp((v - v_t)/slope); dv/dt = (g*(e - v + up) - w + I)/c; dw/dt = (a*(v - e) - w)/tau",
            "v > -0.04 and w < 1", "v = -0.07; w += 80e-12", {"v": -70.6e-3}, 0.9e-9,
        ),
        (
            "dv/dt = v - v**3/3 - u + I; du/dt = 0.08*(v > -5 ? v + 0.7 - 0.8*max(u, -9) : 0)",
            "v > 1", None, {"v": -1.2, "u": -0.6}, 0.5,
        ),
    ],
)  # fmt: skip
def test_same_spikes(text, threshold, reset, rest, drive):
    values = {"g": 30e-9, "e": -70.6e-3, "v_t": -50.4e-3, "slope": 2e-3, "c": 281e-12, "a": 4e-9, "tau": 144e-3}
    fast = "up" in text
    cell = Neuron.from_equations(text, threshold, reset, parameters=values if fast else {}, rest=rest)
    currents = drive * np.array([0.8, 1.0, 1.2])
    network = SpikingNetwork({"cell": Population(cell, 3)}, inputs=[Step("cell", currents)])
    dt, end = (1e-4, 0.1) if fast else (0.05, 150.0)
    ours = integrate(network, (0.0, end), dt=dt, method="rk4").spikes["cell"]
    brian2.prefs.codegen.target = "numpy"
    there = to_brian2(network, dt=dt, method="rk4")
    there.run(end * brian2.second)
    monitor = next(found for found in there.objects if isinstance(found, brian2.SpikeMonitor))
    assert len(ours.times) > 3
    assert np.array_equal(np.sort(ours.ids), np.sort(np.asarray(monitor.i)))
    np.testing.assert_allclose(np.sort(ours.times), np.sort(np.asarray(monitor.t)), atol=1.01 * dt)


def test_functions_are_refused():
    def field(x, current, p, out):
        out[0] = current

    network = SpikingNetwork({"cell": Population(Neuron(field), 1)})
    with pytest.raises(ValueError, match=r"write it by Neuron\.from_equations"):
        to_brian2(network, dt=1e-4)
