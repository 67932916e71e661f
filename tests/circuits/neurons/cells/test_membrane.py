"""Cells as systems: rests in closed form, flows against the spiking engine and SciPy, where the field ends."""

import numpy as np
import pytest

from circuits.neurons import (
    LIF,
    AdEx,
    Constant,
    HodgkinHuxley,
    Izhikevich,
    Neuron,
    PoissonSource,
    Population,
    Record,
    Sine,
    SpikingNetwork,
)
from physlearn import integrate, relax, sample

LEAKY = LIF(tau=20e-3, v_rest=-70e-3, v_threshold=-50e-3, v_reset=-60e-3, resistance=2e8)


def fitzhugh_nagumo(x, current, p, out):
    out[0] = x[0] - x[0] ** 3 / 3 - x[1] + current
    out[1] = (x[0] + p[0] - p[1] * x[1]) / p[2]


def leak(x, current, p, out):
    out[0] = (current - x[0]) / p[0]


def over(x, p):
    return x[0] >= 1.0


def back(x, p):
    x[0] = 0.0


NAGUMO = Neuron(fitzhugh_nagumo, ("v", "w"), parameters={"a": 0.7, "b": 0.8, "tau": 12.5})
QUIET = [  # cells at currents below rheobase, and a length of time
    (LEAKY, 50e-12, 0.03),
    (AdEx(), 0.5e-9, 0.05),
    (Izhikevich(), 2.0, 0.05),
    (HodgkinHuxley.squid(), 0.05, 0.01),
    (NAGUMO, 0.4, 30.0),
]


def network(model, current, inputs=None, initial=None):
    inputs = [Constant("n", current)] if inputs is None else inputs
    return SpikingNetwork({"n": Population(model, 1, initial=initial or {})}, inputs=inputs)


def spiking_end(model, current, seconds, steps, inputs=None):
    """The state that the spiking engine reaches."""
    record, net = {"n": Record(model.variables, every=seconds)}, network(model, current, inputs)
    method = "auto" if isinstance(model, LIF) else "rk4"
    return integrate(net, (0.0, seconds), dt=seconds / steps, method=method, record=record).traces["n"].values[-1, :, 0]


@pytest.mark.parametrize("method", ["auto", "newton", "flow"])
def test_rest_of_fitzhugh_and_nagumo(method):
    """v - v^3/3 - (v + 0.7)/0.8 + I = 0: one real root."""
    for current, printed in ((0.0, (-1.19941, -0.62426)), (0.2, None)):
        roots = np.roots([-1 / 3, 0.0, 1 - 1 / 0.8, current - 0.7 / 0.8])
        v = roots[np.abs(roots.imag) < 1e-12].real[0]
        rest = relax(NAGUMO.system(current), method=method)
        assert rest.converged and rest.x == pytest.approx([v, (v + 0.7) / 0.8], abs=1e-8)
        assert printed is None or rest.x == pytest.approx(printed, abs=5e-6)


@pytest.mark.parametrize("method", ["newton", "flow"])
def test_rests_in_closed_form(method):
    """Each variable to its own size: the adaptation current of AdEx is 10^9 times smaller than its voltage."""
    leaky = relax(LEAKY.system(50e-12), method=method)
    assert leaky.converged and leaky.x == pytest.approx([-60e-3], abs=1e-10)
    cell, current = Izhikevich(), 0.5
    v = (-(5e3 - 200.0) - np.sqrt((5e3 - 200.0) ** 2 - 4 * 4e4 * (140.0 + current))) / 8e4
    rest = relax(cell.system(current), method=method)
    assert rest.converged and rest.x == pytest.approx([v, 200.0 * v], rel=1e-7)
    cell = AdEx()
    rest = relax(cell.system(0.3e-9), method=method)
    assert rest.converged and rest.x[1] == pytest.approx(cell.a * (rest.x[0] - cell.e_leak), rel=1e-6)
    assert cell.steady_current(rest.x[0]) == pytest.approx(0.3e-9, rel=1e-6)
    squid = HodgkinHuxley.squid()
    rest = relax(squid.system(0.05), method=method)
    assert rest.converged and rest.x[0] == pytest.approx(squid.rest(0.05), abs=1e-8)


def test_newton_finds_rests_that_repel():
    squid = HodgkinHuxley.squid()
    rest = relax(squid.system(0.2))
    assert rest.converged and rest.x[0] == pytest.approx(squid.rest(0.2), abs=1e-9)
    with pytest.warns(RuntimeWarning, match="not at rest"):
        assert not relax(squid.system(0.2), method="flow", max_steps=300).converged


@pytest.mark.parametrize(("model", "current", "seconds"), QUIET)
def test_flows_against_the_spiking_engine(model, current, seconds):
    run = integrate(model.system(current), (0.0, seconds), tol=1e-10)
    assert run.stopped is None
    engine = spiking_end(model, current, seconds, 4000)
    assert run.final == pytest.approx(engine, rel=1e-7, abs=1e-9 * np.max(model.scales))
    stiff = integrate(model.system(current), (0.0, seconds), method="stiff", tol=1e-8)
    assert stiff.final == pytest.approx(run.final, rel=1e-5)


def test_flows_against_scipy():
    """On the equations as printed: AdEx in mV, ms, pA; FitzHugh-Nagumo through two spikes."""
    from scipy.integrate import solve_ivp

    def adex(t, x):
        v, w = x
        dv = (-30.0 * (v + 70.6) + 60.0 * np.exp((v + 50.4) / 2.0) - w + 550.0) / 281.0
        return [dv, (4.0 * (v + 70.6) - w) / 144.0]

    exact = solve_ivp(adex, (0, 100.0), [-70.6, 0.0], method="DOP853", rtol=1e-12, atol=1e-12).y[:, -1]
    run = integrate(AdEx().system(0.55e-9), (0.0, 0.1), tol=1e-10)
    assert run.final == pytest.approx(exact * [1e-3, 1e-12], rel=1e-8)

    def nagumo(t, x):
        return [x[0] - x[0] ** 3 / 3 - x[1] + 0.5, (x[0] + 0.7 - 0.8 * x[1]) / 12.5]

    exact = solve_ivp(nagumo, (0, 100.0), [0.0, 0.0], method="DOP853", rtol=1e-12, atol=1e-12).y[:, -1]
    run = integrate(NAGUMO.system(0.5), (0.0, 100.0), tol=1e-10)
    assert run.final == pytest.approx(exact, abs=1e-7)


@pytest.mark.parametrize(
    ("model", "sine", "seconds"),
    [
        (HodgkinHuxley.squid(), Sine("n", 0.05, 200.0), 4e-3),
        (AdEx(), Sine("n", 0.4e-9, 100.0, 0.3), 20e-3),
        (Izhikevich(), Sine("n", 3.0, 50.0), 20e-3),
        (LEAKY, Sine("n", 50e-12, 50.0), 20e-3),
    ],
)
def test_a_current_that_varies(model, sine, seconds):
    """More current through the readout of that name, against the engine at a fine step."""
    drive = {"current": lambda t: [sine.current * np.sin(2 * np.pi * sine.frequency * t + sine.phase)]}
    run = integrate(model.system(), (0.0, seconds), clamp=drive, tol=1e-9)
    engine = spiking_end(model, 0.0, seconds, 16_000, [sine])
    assert run.final == pytest.approx(engine, rel=1e-4 if isinstance(model, LIF) else 1e-6)


def test_clamps():
    """A voltage clamp leaves the gates at their steady states; several currents are a batch."""
    squid = HodgkinHuxley.squid()
    held = relax(squid.system(), clamp={"v": [-40e-3]})
    assert held.x[1:] == pytest.approx([gate.steady(-40e-3) for gate in (squid.m, squid.h, squid.n)], rel=1e-9)
    currents = np.array([0.0, 0.02, 0.05])
    many = relax(squid.system(0.01), clamp={"current": currents[:, None]})
    assert many.x[:, 0] == pytest.approx(squid.rest(0.01 + currents), abs=1e-9)


def test_the_field_ends_where_the_cell_is_reset():
    for model, current in ((LEAKY, 150e-12), (AdEx(), 1e-9), (Izhikevich(), 10.0)):
        with pytest.warns(RuntimeWarning, match=f"{type(model).__name__} spikes there and is reset"):
            run = integrate(model.system(current), (0.0, 0.1), tol=1e-9)
        ended = float(run.stopped.split("t = ")[1].split()[0])
        first = integrate(network(model, current), (0.0, 0.1), dt=1e-6).spikes["n"].times[0]
        assert first - 3e-6 <= ended <= first + 1e-6 and run.t[-1] <= ended
    with pytest.warns(RuntimeWarning, match="t = 0.022 s, step 22"):
        integrate(LEAKY.system(150e-12), (0.0, 0.1), dt=1e-3)
    with pytest.warns(RuntimeWarning, match="none of the system: LIF spikes there"):
        rest = relax(LEAKY.system(150e-12))
    assert not rest.converged and rest.x == pytest.approx([-40e-3])
    with pytest.raises(ValueError, match="x0: LIF spikes there and is reset; begin inside"):
        integrate(LEAKY.system(), (0.0, 1.0), x0=[-45e-3])


def test_a_custom_neuron_with_a_reset():
    cell = Neuron(leak, ("v",), over, back, parameters={"tau": 10.0})
    with pytest.warns(RuntimeWarning, match="Neuron spikes there"):
        run = integrate(cell.system(2.0), (0.0, 20.0), tol=1e-9)
    assert float(run.stopped.split("t = ")[1].split()[0]) == pytest.approx(10 * np.log(2), rel=1e-6)
    assert relax(cell.system(0.5)).x == pytest.approx([0.5])


def test_jacobians_against_differences(tol):
    for model, current, state in (
        (AdEx(), 0.0, [-52e-3, 1e-10]),
        (AdEx(), 0.0, [-49e-3, 1e-10]),
        (Izhikevich(linear=4.1e3), 0.0, [-55e-3, -9.0]),
        (LEAKY, 0.0, [-55e-3]),
        (HodgkinHuxley.squid(), 0.0, [-40e-3, 0.2, 0.4, 0.5]),
    ):
        exact = model.jacobian(np.array(state), current)
        for j, scale in enumerate(model.scales):
            step = np.zeros(len(state))
            step[j] = 1e-6 * max(scale, abs(state[j]))
            column = (model.velocity(state + step, current) - model.velocity(state - step, current)) / (2 * step[j])
            assert column == pytest.approx(exact[:, j], rel=tol.GRADIENT, abs=tol.GRADIENT * np.abs(exact[:, j]).max())


def test_a_custom_jacobian_is_measured_and_says_so(tol):
    (term,) = NAGUMO.system(0.3).terms
    assert term.differences and not AdEx().system().terms[0].differences
    for v, w in ((-1.2, 0.4), (0.0, 0.0), (1.7, -30.0)):
        exact = [[1 - v**2, -1.0], [1 / 12.5, -0.8 / 12.5]]
        assert NAGUMO.jacobian([v, w], 0.3) == pytest.approx(np.array(exact), abs=1e-10)
    assert "differences" in relax(NAGUMO.system()).method and "differences" not in relax(AdEx().system()).method


def test_many_states_at_once_are_each_by_itself():
    """More than 64 states are computed in compiled code."""
    x = np.random.default_rng(0).normal(size=(2, 10, 20))
    many = NAGUMO.slope(x, 0.3)
    assert many.shape == (2, 10, 20)
    for i, j in ((0, 0), (3, 7), (9, 19)):
        assert many[:, i, j] == pytest.approx(NAGUMO.slope(x[:, i, j], 0.3), rel=1e-14)
    assert NAGUMO.slope(x[:, 0, 0], np.array([0.0, 1.0]))[0] == pytest.approx(NAGUMO.slope(x[:, 0, 0], 0.0)[0] + [0, 1])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: AdEx(a=[4e-9, 5e-9]).system(), ValueError, "a is an array; the system is that of one neuron"),
        (lambda: AdEx().system("much"), ValueError, "current"),
        (lambda: AdEx().system(np.nan), ValueError, "current"),
        (lambda: AdEx().system([1e-9, 2e-9]), ValueError, "current"),
        (lambda: sample(AdEx().system(), temperature=1.0, n_samples=2), TypeError, "energy"),
        (lambda: relax(AdEx().system(), method="lbfgs"), ValueError, "System has none"),
        (lambda: relax(AdEx().system(), [0.0, 0.0, 0.0]), ValueError, "x0"),
        (lambda: NAGUMO.slope([0.0], 0.5), ValueError, "x: got the shape"),
        (lambda: PoissonSource(5.0).system(), AttributeError, "system"),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
