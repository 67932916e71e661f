"""The adaptive method's bound on its error: kept under inputs that are constant over a step, else refused."""

import numpy as np
import pytest

from circuits.neurons import (
    Adaptive,
    AdEx,
    Constant,
    Delta,
    Exponential,
    HodgkinHuxley,
    Izhikevich,
    OrnsteinUhlenbeck,
    Piecewise,
    Population,
    Ramp,
    Record,
    Sine,
    SpikeTrains,
    SpikingNetwork,
    Step,
)
from physlearn import integrate

STAIRS = Piecewise("n", 1e-3 * np.arange(5), [0.02, 0.06, -0.03, 0.08, 0.0])


def end(dt, method, given, seconds=5e-3, model=None, receptors=None):
    population = Population(model or HodgkinHuxley.squid(), 1, receptors=receptors or {})
    record, network = {"n": Record(["v"], every=seconds)}, SpikingNetwork({"n": population}, inputs=given)
    run = integrate(network, (0.0, seconds), dt=dt, method=method, record=record)
    return run.traces["n"]["v"][-1, 0]


def test_the_error_follows_the_tolerance_under_a_staircase_of_current():
    exact = end(5e-7, "rk4", [STAIRS])
    errors = [abs(end(1e-3, Adaptive(tolerance), [STAIRS]) - exact) for tolerance in (1e-4, 1e-6, 1e-8)]
    assert errors[0] < 1e-4 and errors[1] < 0.1 * errors[0] and errors[2] < 0.1 * errors[1]


@pytest.mark.parametrize("method", ["adaptive", Adaptive(1e-9)])
@pytest.mark.parametrize(
    "given",
    [
        Sine("n", 0.05, 200.0),
        Ramp("n", 0.0, 0.1, 0.0, 1.0),
        OrnsteinUhlenbeck("n", 0.0, 0.01, 5e-3),
        Step("n", 0.1, start=1.5e-3),
        Step("n", 0.1, stop=2.25e-3),
        Piecewise("n", [0.0, 2.5e-3], [0.1, 0.0]),
    ],
)
def test_what_varies_within_a_step_is_refused(given, method):
    with pytest.raises(ValueError, match=f"{type(given).__name__} varies within one; take another method"):
        end(1e-3, method, [Constant("n", 0.1), given])


@pytest.mark.parametrize("model", [HodgkinHuxley.squid(), AdEx(), Izhikevich()])
def test_receptors_with_a_time_constant_are_refused_and_jumps_are_not(model):
    spikes = [SpikeTrains("n", [1e-4], [0], 1e-3)]
    with pytest.raises(ValueError, match="receptor 'slow' varies"):
        end(1e-4, "adaptive", spikes, model=model, receptors={"slow": Exponential(5e-3)})
    jump = {"receptors": {"jump": Delta()}, "model": model, "seconds": 1e-3}
    assert end(1e-4, "adaptive", spikes, **jump) - end(1e-4, "adaptive", [], **jump) > 1e-4


def test_steps_on_the_grid_are_taken():
    given = [Step("n", 0.1, start=1e-3, stop=np.inf)]
    assert end(1e-3, Adaptive(1e-9), given) == pytest.approx(end(1e-6, "rk4", given), abs=1e-6)
