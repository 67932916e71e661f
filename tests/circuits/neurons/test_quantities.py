"""Quantities of Brian2 given to this package: their SI values, or a refusal that names both units."""

import numpy as np
import pytest

b2 = pytest.importorskip("brian2")

from brian2 import Hz, ms, mV, nA, nF, nS, pA, second, siemens, um, volt  # noqa: E402

from circuits.neurons import (  # noqa: E402
    LIF,
    STDP,
    AdEx,
    Alpha,
    Constant,
    Delta,
    DualExponential,
    Exponential,
    HodgkinHuxley,
    Izhikevich,
    Neuron,
    OrnsteinUhlenbeck,
    Piecewise,
    Poisson,
    PoissonSource,
    Population,
    Projection,
    Ramp,
    Record,
    ShortTermPlasticity,
    Sine,
    SpikeSource,
    SpikeTrains,
    SpikingNetwork,
    Step,
    connect,
    fi_curve,
    to_brian2,
)
from physlearn import integrate  # noqa: E402
from physlearn.quantities import si  # noqa: E402

ALL = connect.all_to_all()


def plain(thing):
    """All numbers of a frozen object, none of them with a unit."""
    values = {k: v for k, v in vars(thing).items() if not isinstance(v, str)}
    assert not any(hasattr(v, "dim") for v in values.values())
    return values


def test_a_network_in_quantities_is_the_network_in_si_values():
    def run(V, S, t):
        cell = LIF(tau=20 * t, v_rest=-60 * V, v_threshold=[-50, -51] * V, v_reset=-65 * V, refractory=2 * t)
        cells = Population(cell, 2, receptors={"in": Exponential(5 * t)}, initial={"v": -60 * V})
        wire = Projection("a", "a", ALL, weight=[1, 2] * V, delay=(1 * t, 2 * t))
        drive = Step("a", 15 * V, start=5 * t, stop=0.2 * S)
        record = {"a": Record(["v"], every=1 * t)}
        return integrate(SpikingNetwork({"a": cells}, [wire], [drive]), (0 * S, 0.3 * S), dt=0.1 * t, record=record)

    scale = np.array(1e-3)
    ours, theirs = run(scale, 1.0, scale), run(mV, second, ms)
    for what in ("times", "ids"):
        assert np.array_equal(getattr(ours.spikes["a"], what), getattr(theirs.spikes["a"], what))
    assert len(ours.spikes["a"].times) > 5
    np.testing.assert_allclose(ours.traces["a"].values, theirs.traces["a"].values, rtol=1e-9)


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (AdEx(capacitance=0.2 * nF, tau_w=100 * ms, a=2 * nS, b=50 * pA), {"capacitance": 2e-10, "b": 5e-11}),
        (Izhikevich(a=20 * Hz, d=8 * volt / second), {"a": 20.0, "d": 8.0}),
        (HodgkinHuxley(g_na=siemens / (1e6 * um) ** 2, e_k=-70 * mV), {"g_na": 1.0, "e_k": -0.07}),
        (Alpha(3 * ms, reversal=0 * mV), {"tau": 3e-3, "reversal": 0.0}),
        (DualExponential(1 * ms, 4 * ms), {"rise": 1e-3, "decay": 4e-3}),
        (Constant("a", [1, 2] * nA), {"current": [1e-9, 2e-9]}),
        (Ramp("a", 0 * nA, 1 * nA, 0 * ms, 5 * ms), {"high": 1e-9, "stop": 5e-3}),
        (Sine("a", 1 * nA, frequency=5 * Hz), {"frequency": 5.0}),
        (Piecewise("a", times=[0, 5] * ms, values=[1, 2] * nA), {"times": [0, 5e-3], "values": [1e-9, 2e-9]}),
        (OrnsteinUhlenbeck("a", 0 * nA, 1 * nA, 5 * ms), {"sigma": 1e-9, "tau": 5e-3}),
        (PoissonSource(5 * Hz), {"rate": 5.0}),
        (SpikeSource([1, 2] * ms, [0, 1]), {"times": [1e-3, 2e-3]}),
        (SpikeTrains("a", [1, 2] * ms, [0, 1], weight=2 * mV), {"times": [1e-3, 2e-3], "weight": 2e-3}),
        (Poisson("a", rate=5 * Hz, weight=2 * nS), {"rate": 5.0, "weight": 2e-9}),
        (STDP(20 * ms, 20 * ms, 1 * nS, 1 * nS, 5 * nS), {"tau_plus": 0.02, "w_max": 5e-9}),
        (ShortTermPlasticity(0.5, 800 * ms, 0 * ms), {"tau_recovery": 0.8}),
    ],
)
def test_constructors_take_quantities(thing, expected):
    values = plain(thing)
    for name, value in expected.items():
        np.testing.assert_allclose(values[name], value, rtol=1e-12)


def leak(x, current, p, out):
    out[0] = (p[0] - x[0]) / p[1]


def test_a_neuron_of_ones_own_takes_quantities():
    cell = Neuron(leak, ("v",), units=("V",), parameters={"rest": -70 * mV, "tau": 10 * ms}, rest={"v": -65 * mV})
    assert cell.slope([-0.07], 0.0) == 0.0 and cell.initial(1) == -0.065


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: LIF(20 * mV, 0.0, 0.01, 0.0), r"LIF: tau: got 20. mV \(in SI units V\), expected s"),
        (lambda: LIF(0.02, 0.0, 10 * ms, 0.0), "LIF: v_threshold: .* units s.*, expected V"),
        (lambda: Exponential(5 * Hz), "Exponential: tau: .* units Hz.*, expected s"),
        (lambda: Constant("a", 5 * ms), "Constant: current: .* units s.*, expected A or A/m2 or V"),
        (lambda: Projection("a", "a", ALL, weight=1 * ms), "Projection: weight: .*, expected A"),
        (lambda: Projection("a", "a", ALL, weight=1.0, delay=[1 * mV]), "Projection: delay: .* V.*, expected s"),
        (lambda: Record(["v"], every=1 * mV), "Record: every: .*, expected s"),
        (lambda: Population(LIF(0.02, 0.0, 1.0, 0.0), 1, initial={"v": 1 * ms}), r"initial\['v'\]: .*, expected V"),
        (lambda: si("x", 1 * ms * mV, "s"), r"units m\^2 kg\^1 s\^-2 A\^-1\), expected s"),
    ],
)
def test_another_dimension_is_refused(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_times_of_a_run_are_seconds():
    network = SpikingNetwork({"a": Population(LIF(0.02, 0.0, 1.0, 0.0), 1, receptors={"d": Delta()})})
    with pytest.raises(ValueError, match=r"dt: .* V\), expected s"):
        integrate(network, (0.0, 1.0), dt=0.1 * mV)
    with pytest.raises(ValueError, match=r"t_span: .* V\), expected s"):
        integrate(network, (0 * mV, 1 * mV), dt=1e-4)
    with pytest.raises(ValueError, match=r"current: .* s\), expected A"):
        fi_curve(LIF(0.02, 0.0, 1.0, 0.0), [1, 2] * ms)
    curve = fi_curve(LIF(0.02, 0.0, 0.01, 0.0), [5, 20] * mV, duration=0.2 * second, dt=0.1 * ms)
    assert curve.rate[0] == 0.0 < curve.rate[1] and not hasattr(curve.current, "dim")
    assert to_brian2(network, dt=0.1 * ms).objects
