"""Given values and forces on a state: the shorter ways have the bits and the memory layout of the sparse products."""

import numpy as np
import pytest

from physlearn import Energy, Readout, Real
from physlearn.dynamics.frame import frame_of
from physlearn.dynamics.problem import make_problem
from physlearn.terms import Parabola


def energy(bounded=False):
    layers = {"x": (Real(), 5), "h": (Real(0.5, 2.0) if bounded else Real(), (2, 2)), "o": (Real(-3.0, -1.0), 3)}
    readouts = {
        "all": Readout("x"),
        "some": Readout("h", [3, 0]),
        "drop": Readout("o", rows=[[1.0, 0.0, -1.0]]),
        "twice": Readout("o", rows=[[0.0, 2.0, 0.0]]),
        "push": Readout("h", [1, 2], force=True),
    }
    theta = {name: np.ones(layers[name][1]) for name in layers}
    return Energy(layers, [Parabola(name, name) for name in layers], theta, readouts)


@pytest.mark.parametrize(
    "clamps", [(), ("all",), ("some",), ("all", "some"), ("drop",), ("twice", "all"), ("push", "all")]
)
@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("dtype", [float, complex])
def test_given_values_and_forces_are_the_products(clamps, batch, dtype, rng):
    frame = frame_of(energy(), clamps)
    u, force = (rng.normal(size=(batch, k)).astype(dtype) for k in (frame.shift.shape[1], frame.push.shape[1]))
    u[:, :1] = -0.0
    for found, product in ((frame.base(u), (frame.shift @ u.T).T), (frame.pushed(force), (frame.push @ force.T).T)):
        assert found.tobytes() == product.tobytes() and found.strides == product.strides
        assert not np.any(np.signbit(found.real[found == 0]))


@pytest.mark.parametrize("clamp", [{}, {"all": np.arange(10.0).reshape(2, 5)}, {"some": [0.7, 1.2]}, {"drop": [0.5]}])
def test_the_first_state_is_that_of_initial(clamp):
    problem, _ = make_problem(energy(bounded=True), None, clamp)
    known = problem.state(problem.initial())
    for name, value in problem.first().items():
        assert np.array_equal(value, known[name]) and value.dtype == known[name].dtype
        assert value.shape == known[name].shape
