"""The receptor step of conductance-based and nonlinear models: what drives them at a step's start and middle."""

from dataclasses import dataclass

import numpy as np
import pytest
from numba import carray

from circuits.neurons import (
    Alpha,
    Constant,
    DualExponential,
    Exponential,
    Gamma,
    Population,
    Record,
    SpikeTrains,
    SpikingNetwork,
    Step,
)
from circuits.neurons.program import Program
from physlearn import integrate


def copy_drive(step, n, state, drive, floats, ints, spiked, late):
    """A model that shows what drives it."""
    rows, given = carray(state, (3, n)), carray(drive, (3, n))
    for k in range(3):
        for i in range(n):
            rows[k, i] = given[k, i]
    return 0


@dataclass(frozen=True)
class Mirror:
    held: str
    variables = ("v", "g", "pull")
    units = ("A", "S", "A")

    def initial(self, n):
        return np.zeros((3, n))

    def check(self, n, dt, method):
        pass

    def program(self, n, dt, receptors, method):
        return Program(copy_drive, np.zeros(1), np.zeros(n, np.int64), held=self.held)


@pytest.mark.parametrize("held", ["start", "middle"])
@pytest.mark.parametrize("kernel", [Exponential(3e-3), Alpha(2e-3), Gamma(2e-3, 2), DualExponential(1e-3, 4e-3)])
def test_drive(held, kernel):
    conducting = type(kernel)(**{f: getattr(kernel, f) for f in kernel.__dataclass_fields__} | {"reversal": -0.08})
    receptors = {"a": kernel, "b": conducting, "c": Exponential(1e-3, reversal=0.02)}
    inputs = [SpikeTrains("n", [1e-3], [0], weight, name) for name, weight in (("a", 1.0), ("b", 2.0), ("c", 3.0))]
    inputs += [Constant("n", 0.5), Step("n", 0.25, 2e-3)]
    network = SpikingNetwork({"n": Population(Mirror(held), 1, receptors=receptors)}, inputs=inputs)
    record = {"n": Record(["v", "g", "pull"])}
    trace = integrate(network, (0.0, 5e-3), dt=1e-4, record=record).traces["n"]
    seen = trace.t - (1e-4 if held == "start" else 0.5e-4)  # the time within the step at which the drive is taken
    since = np.where(seen > 1e-3 - 1e-9, seen - 1e-3 + 1e-15, -1.0)
    a, b, c = kernel.response(since), 2 * kernel.response(since), 3 * Exponential(1e-3).response(since)
    current = 0.5 + 0.25 * (seen > 2e-3 - 1e-9) + a
    np.testing.assert_allclose(trace["v"][:, 0], current, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(trace["g"][:, 0], b + c, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(trace["pull"][:, 0], -0.08 * b + 0.02 * c, rtol=1e-9, atol=1e-12)
