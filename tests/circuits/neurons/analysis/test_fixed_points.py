"""Fixed points, saddle-node and Hopf points of every cell against closed forms, and against runs."""

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    AdEx,
    Constant,
    HodgkinHuxley,
    Izhikevich,
    Neuron,
    Population,
    SpikingNetwork,
    fixed_points,
    hopf_points,
    jacobian,
    nullclines,
    reduced_slope,
    saddle_nodes,
    state_at,
)
from physlearn import integrate, relax


def fitzhugh_nagumo(x, current, p, out):
    out[0] = x[0] - x[0] ** 3 / 3 - x[1] + current
    out[1] = (x[0] + p[0] - p[1] * x[1]) / p[2]


def persistent(x, current, p, out):
    """Sodium that activates at once and potassium: I_Na,p + I_K of E. M. Izhikevich (2007), section 4.1, mV and ms."""
    m = 1.0 / (1.0 + np.exp((-20.0 - x[0]) / 15.0))
    out[0] = current - 8.0 * (x[0] + 80.0) - 20.0 * m * (x[0] - 60.0) - 10.0 * x[1] * (x[0] + 90.0)
    out[1] = 1.0 / (1.0 + np.exp((-25.0 - x[0]) / 5.0)) - x[1]


def resonator(x, current, p, out):
    """A current that both variables feel, and no spike."""
    out[0] = -x[0] - 2.0 * x[1] + current
    out[1] = x[0] - x[1] + 0.5 * current


def deaf(x, current, p, out):
    out[0] = x[0] - x[0] ** 3


NAGUMO = Neuron(fitzhugh_nagumo, ("v", "w"), parameters={"a": 0.7, "b": 0.8, "tau": 12.5})
PERSISTENT = Neuron(persistent, ("v", "n"), rest={"v": -65.0}, scales=[10.0, 0.1])
BURSTER = AdEx(a=40e-9, tau_w=20e-3)
CLASS_1 = Izhikevich(20.0, -100.0, -55e-3, 6.0, linear=4.1e3, constant=108.0)
EVERY = [
    (AdEx(), 0.4e-9, None),
    (BURSTER, 1e-9, None),
    (Izhikevich(), 2.0, None),
    (CLASS_1, 1.0, None),
    (NAGUMO, 0.3, (-3.0, 3.0)),
    (PERSISTENT, 0.0, (-90.0, 20.0)),
    (HodgkinHuxley.squid(), 0.05, None),
]


def adex_current(cell, v):
    return (cell.g_leak + cell.a) * (v - cell.e_leak) - cell.g_leak * cell.slope * np.exp(
        (v - cell.v_threshold) / cell.slope
    )


@pytest.mark.parametrize("cell", [AdEx(), BURSTER, AdEx(a=0.0), AdEx(a=-5e-9, slope=1e-3)])
def test_saddle_node_of_adex(cell):
    """J. Touboul and R. Brette, Biol. Cybern. 99 (2008) 319: exp((v - V_T) / slope) = 1 + a / g_leak."""
    v = cell.v_threshold + cell.slope * np.log(1 + cell.a / cell.g_leak)
    (point,) = saddle_nodes(cell)
    assert point.v == pytest.approx(v, abs=1e-12)
    assert point.current == pytest.approx(adex_current(cell, v), rel=1e-12)
    near = abs(1e-3 * point.current)
    assert [len(fixed_points(cell, point.current + by)) for by in (-near, near)] == [2, 0]


@pytest.mark.parametrize(("cell", "resonant"), [(AdEx(), True), (BURSTER, True), (AdEx(a=0.5e-9), False)])
def test_hopf_point_of_adex(cell, resonant):
    """The same paper: a Hopf point comes before the saddle-node where a / g_leak > tau_m / tau_w."""
    ratio = cell.capacitance / cell.g_leak / cell.tau_w
    assert (cell.a / cell.g_leak > ratio) is resonant
    found = hopf_points(cell)
    if not resonant:
        assert found == []
        return
    v = cell.v_threshold + cell.slope * np.log(1 + ratio)
    angular = np.sqrt(cell.a / (cell.capacitance * cell.tau_w) - 1 / cell.tau_w**2)
    assert found[0].v == pytest.approx(v, abs=1e-12)
    assert found[0].current == pytest.approx(adex_current(cell, v), rel=1e-9)
    assert found[0].frequency == pytest.approx(angular / (2 * np.pi), rel=1e-6)
    for by, stable in ((-1e-3, True), (1e-4, False)):
        assert fixed_points(cell, found[0].current * (1 + by))[0].stable is stable


@pytest.mark.parametrize("cell", [Izhikevich(), Izhikevich.low_threshold_spiking(), CLASS_1])
def test_points_of_izhikevich(cell):
    """Both rests by the quadratic formula, the saddle-node by its discriminant, the Hopf point by the trace."""
    half = 2 * cell.square
    slope = cell.linear - cell.b
    current = -1.0
    root = np.sqrt(slope**2 - 4 * cell.square * (cell.constant + current))
    points = fixed_points(cell, current)
    assert [p.state[0] for p in points] == pytest.approx([(-slope - root) / half, (-slope + root) / half], rel=1e-12)
    assert [p.state[1] for p in points] == pytest.approx([cell.b * p.state[0] for p in points], rel=1e-12)
    assert points[0].stable and points[1].kind == "saddle"
    (fold,) = saddle_nodes(cell)
    assert fold.v == pytest.approx(-slope / half, rel=1e-9)
    assert fold.current == pytest.approx(slope**2 / (4 * cell.square) - cell.constant, rel=1e-9)
    v = (cell.a - cell.linear) / half
    if cell.a * cell.b > cell.a**2:
        (hopf,) = hopf_points(cell)
        assert hopf.v == pytest.approx(v, rel=1e-12)
        assert hopf.current == pytest.approx(cell.b * v - (cell.square * v + cell.linear) * v - cell.constant, rel=1e-9)
        assert hopf.frequency == pytest.approx(np.sqrt(cell.a * cell.b - cell.a**2) / (2 * np.pi), rel=1e-9)
    else:
        assert hopf_points(cell) == []


def test_points_of_fitzhugh_and_nagumo():
    """Trace 0: v^2 = 1 - b/tau, at I = w + v^3/3 - v with w = (v + a)/b; frequency by the determinant."""
    v, b, tau = np.sqrt(1 - 0.8 / 12.5), 0.8, 12.5
    found = hopf_points(NAGUMO, v_range=(-3.0, 3.0))
    assert [p.v for p in found] == pytest.approx([-v, v], rel=1e-8)
    currents = [(s * v + 0.7) / b + s * (v**3 / 3 - v) for s in (-1, 1)]
    assert [p.current for p in found] == pytest.approx(currents, rel=1e-8)
    angular = np.sqrt(1 / tau - (b / tau) ** 2)
    assert [p.frequency for p in found] == pytest.approx([angular / (2 * np.pi)] * 2, rel=1e-7)
    assert saddle_nodes(NAGUMO, v_range=(-3.0, 3.0)) == []
    (rest,) = fixed_points(NAGUMO, 0.0, v_range=(-3.0, 3.0))
    assert rest.state == pytest.approx([-1.19941, -0.62426], abs=5e-6) and rest.kind == "focus" and rest.stable
    single = Neuron(fitzhugh_nagumo, ("v", "w"), parameters={"a": 0.0, "b": 2.0, "tau": 12.5})  # three rests
    assert [p.state[0] for p in fixed_points(single, 0.0, v_range=(-3.0, 3.0))] == pytest.approx(
        [-np.sqrt(1.5), 0.0, np.sqrt(1.5)], abs=1e-9
    )
    assert [p.v for p in saddle_nodes(single, v_range=(-3.0, 3.0))] == pytest.approx(
        [-np.sqrt(0.5), np.sqrt(0.5)], rel=1e-8
    )


def test_points_of_a_custom_neuron_of_mechanisms():
    """Saddle-node of the persistent sodium model with slow potassium at 4.51 (Izhikevich 2007, section 4.2)."""
    folds = saddle_nodes(PERSISTENT, v_range=(-90.0, 20.0))
    assert folds[0].current == pytest.approx(4.51, abs=0.01)
    points = fixed_points(PERSISTENT, 0.0, v_range=(-90.0, 20.0))
    assert [p.stable for p in points][:2] == [True, False] and points[1].kind == "saddle"
    assert [p.state[0] for p in points][:2] == pytest.approx([-66.0, -56.0], abs=1.5)


def test_a_current_that_all_variables_feel():
    cell = Neuron(resonator, ("v", "w"))
    (point,) = fixed_points(cell, 3.0, v_range=(-5.0, 5.0))
    assert point.state == pytest.approx(np.linalg.solve([[1.0, 2.0], [-1.0, 1.0]], [3.0, 1.5]), abs=1e-12)
    assert point.eigenvalues == pytest.approx([-1 + np.sqrt(2) * 1j, -1 - np.sqrt(2) * 1j], abs=1e-9)
    assert state_at(cell, 1.0, 2.0) == pytest.approx([1.0, 2.0], abs=1e-12)


def test_a_neuron_that_feels_no_current():
    cell = Neuron(deaf, ("v",))
    assert [p.stable for p in fixed_points(cell, 7.0, v_range=(-2.0, 1.9))] == [True, False, True]
    assert np.isnan(cell.steady_current(0.5))
    assert hopf_points(cell, v_range=(-2.0, 1.9)) == []


@pytest.mark.parametrize(("model", "current", "v_range"), EVERY)
def test_fixed_points_are_rests_of_the_system(model, current, v_range):
    system = model.system(current)
    for point in fixed_points(model, current, v_range=v_range):
        rest = relax(system, point.state)
        assert rest.converged and rest.x == pytest.approx(point.state, rel=1e-7, abs=1e-9 * max(model.scales))
        assert np.allclose(model.velocity(point.state, current) / model.scales, 0.0, atol=1e-6)
        matrix = jacobian(model, point.state, current)
        assert np.sort(np.linalg.eigvals(matrix).real) == pytest.approx(np.sort(point.eigenvalues.real), rel=1e-12)


@pytest.mark.parametrize(("model", "current", "v_range"), [case for case in EVERY if len(case[0].variables) == 2])
def test_nullclines_of_two_variables(model, current, v_range):
    points = fixed_points(model, current, v_range=v_range)
    v = np.array([p.state[0] for p in points] + [p.state[0] + 0.3 * model.scales[0] for p in points])
    of_v, of_other = nullclines(model, current, v)
    assert np.all(np.isfinite(of_v)) and np.all(np.isfinite(of_other))
    assert np.abs(reduced_slope(model, v, of_v, current)[0]).max() < 1e-9 * model.scales[0] * 1e3
    assert np.abs(reduced_slope(model, v, of_other, current)[1]).max() < 1e-9 * model.scales[1] * 1e3
    meet = [p.state[1] for p in points]
    assert of_v[: len(points)] == pytest.approx(meet, rel=1e-6, abs=1e-9 * model.scales[1])
    assert of_other[: len(points)] == pytest.approx(meet, rel=1e-6, abs=1e-9 * model.scales[1])


def test_runs_agree_with_the_rheobase():
    """AdEx without b spikes for ever just above the Hopf point, and never below it."""
    cell = AdEx(b=0.0, v_reset=-60e-3)
    (hopf,) = hopf_points(cell)
    network = SpikingNetwork({"n": Population(cell, 2)}, inputs=[Constant("n", hopf.current * np.array([0.9, 1.05]))])
    counts = integrate(network, (0.0, 1.5), dt=1e-4).spikes["n"].counts
    assert counts[0] == 0 and counts[1] > 3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fixed_points(NAGUMO, 0.0), ValueError, "v_range: a Neuron may have voltages of any unit"),
        (lambda: hopf_points(NAGUMO), ValueError, "v_range"),
        (lambda: saddle_nodes(AdEx(), v_range=(0.0, -0.1)), ValueError, "v_range"),
        (
            lambda: fixed_points(AdEx(b=[1e-12, 2e-12]), 0.0),
            ValueError,
            "b is an array; the phase plane",
        ),
        (lambda: fixed_points(None, 0.0), TypeError, "model: got None, expected a cell"),
        (lambda: fixed_points(LIF(0.02, 0.0, 0.01, 0.0), 0.0), ValueError, "model: LIF is linear"),
        (lambda: nullclines(LIF(0.02, 0.0, 0.01, 0.0), 0.0, [0.0]), ValueError, r"variables \['v'\], expected two"),
        (lambda: nullclines(AdEx(), 0.0, [-0.06], slope=0.5), ValueError, "slope"),
        (lambda: reduced_slope(Neuron(deaf, ("v",)), 0.0, 0.0, 0.0), ValueError, "expected two"),
        (lambda: jacobian(AdEx(), [0.0]), ValueError, "state"),
        (lambda: state_at(AdEx(), "low"), (TypeError, ValueError), "v"),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
