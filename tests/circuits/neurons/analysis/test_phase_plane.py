"""The phase plane of the squid: Hopf points of the literature, Jacobian against differences, stability against runs."""

import numpy as np
import pytest

from circuits.neurons import Constant, HodgkinHuxley, Population, Record, SpikingNetwork
from circuits.neurons.analysis.phase_plane import (
    FixedPoint,
    fixed_points,
    hopf_points,
    jacobian,
    nullclines,
    reduced_slope,
    state_at,
)
from physlearn import integrate

SQUID = HodgkinHuxley.squid()


def test_hopf_points_of_the_squid():
    """Rinzel and Miller 1980, Hassard 1978; computed independently by SciPy for these parameters."""
    found = [(100 * p.current, 1e3 * p.v, p.frequency) for p in hopf_points(SQUID)]
    for got, expected in zip(found, [(9.7754, -59.654, 93.30), (154.522, -43.058, 169.17)], strict=True):
        assert got == pytest.approx(expected, rel=1e-5, abs=5e-3)
    other = hopf_points(HodgkinHuxley.squid(e_leak=-54.4e-3))
    assert [100 * point.current for point in other] == pytest.approx([9.7793, 154.526], rel=1e-5)


@pytest.mark.parametrize("model", [SQUID, HodgkinHuxley.traub_miles()])
@pytest.mark.parametrize("v", [-0.07, -0.055, -0.04, 0.02])
def test_jacobian_against_differences(model, v, tol):
    state = state_at(model, v) + [0.0, 0.01, -0.02, 0.03]
    exact = jacobian(model, state)
    for j, by in enumerate((1e-7, 1e-6, 1e-6, 1e-6)):
        step = np.zeros(4)
        step[j] = by
        column = (model.slope(state + step, 0.0) - model.slope(state - step, 0.0)) / (2 * by)
        assert column == pytest.approx(exact[:, j], rel=tol.GRADIENT, abs=tol.GRADIENT * np.abs(exact[:, j]).max())


def test_fixed_points_change_stability_at_the_hopf_points():
    for current, stable in ((0.0, True), (0.0975, True), (0.0980, False), (1.54, False), (1.55, True)):
        points = fixed_points(SQUID, current)
        assert len(points) == 1 and points[0].stable is stable
        assert np.abs(SQUID.slope(points[0].state, current)) == pytest.approx(np.zeros(4), abs=1e-8)
    assert fixed_points(SQUID, 0.098)[0].kind == "focus"


def test_a_small_displacement_grows_as_the_eigenvalue_says():
    """Near the unstable fixed point at 12 uA/cm2, the distance grows by exp(real part t)."""
    point = fixed_points(SQUID, 0.12)[0]
    values, vectors = np.linalg.eig(jacobian(SQUID, point.state))
    lead = np.argmax(values.real)
    period = 2 * np.pi / abs(values[lead].imag)
    steps = round(period / 1e-5)
    start = point.state + 1e-6 * vectors[:, lead].real
    initial = dict(zip(SQUID.variables, start, strict=True))
    network = SpikingNetwork({"n": Population(SQUID, 1, initial=initial)}, inputs=[Constant("n", 0.12)])
    found = integrate(network, (0.0, steps * 1e-5), dt=1e-5, method="rk4", record={"n": Record(SQUID.variables)})
    end = np.array([found.traces["n"][name][-1, 0] for name in SQUID.variables])
    expected = 1e-6 * (vectors[:, lead] * np.exp(values[lead] * steps * 1e-5)).real
    assert end - point.state == pytest.approx(expected, rel=2e-3, abs=2e-9)


def test_saddle_and_node_of_traub_and_miles():
    """Three fixed points below rheobase: a stable node, a saddle and an unstable point (saddle-node, class I)."""
    cell = HodgkinHuxley.traub_miles(v_t=-55e-3)
    points = fixed_points(cell, 0.0)
    assert [p.stable for p in points] == [True, False, False]
    assert points[0].state[0] == pytest.approx(cell.rest(), abs=1e-12)
    assert [p.kind for p in points][:2] == ["node", "saddle"]
    values, _ = np.linalg.eig(jacobian(cell, points[1].state))
    assert np.sum(values.real > 0) == 1


def test_a_cell_without_stable_rest_starts_at_its_leak_potential_and_fires():
    cell = HodgkinHuxley.traub_miles()
    assert not any(p.stable for p in fixed_points(cell, 0.0))
    assert cell.initial(2)[0] == pytest.approx([-60e-3, -60e-3], abs=1e-15)
    assert len(integrate(SpikingNetwork({"n": Population(cell, 1)}), (0.0, 0.2), dt=5e-5).spikes["n"].times) == 3


@pytest.mark.parametrize(
    ("eigenvalues", "kind"),
    [((-1, -2, -3, -4), "node"), ((4, 3, 2, 1), "node"), ((1, -1, -2, -3), "saddle"), ((2, 1, -1, -2), "saddle"),
     ((1 + 2j, 1 - 2j, -1, -2), "focus")],
)  # fmt: skip
def test_kinds_of_fixed_points(eigenvalues, kind):
    assert FixedPoint(np.zeros(4), 0.0, np.array(eigenvalues)).kind == kind


def test_nullclines_are_where_the_reduced_system_stands_still():
    v = np.linspace(-0.07, 0.03, 11)
    of_v, of_n = nullclines(SQUID, 0.1, v)
    assert np.all(np.isfinite(of_v))
    assert np.abs(reduced_slope(SQUID, v, of_v, 0.1)[0]).max() < 1e-6
    assert np.abs(reduced_slope(SQUID, v, of_n, 0.1)[1]).max() < 1e-9
    meet = fixed_points(SQUID, 0.0)[0].state[[0, 3]]
    assert nullclines(SQUID, 0.0, meet[:1]) == pytest.approx(np.array([[meet[1]], [meet[1]]]), abs=1e-9)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: fixed_points(HodgkinHuxley.squid(g_k=np.array([300.0, 360.0])), 0.0), "g_k is an array"),
        (lambda: fixed_points(SQUID, 0.0, v_range=(0.1, -0.1)), "v_range"),
        (lambda: hopf_points(SQUID, v_range=(0.0, 0.0)), "v_range"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
